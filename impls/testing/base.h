/* SPDX-License-Identifier: MIT
 *
 * testing.h - what the unit tests of impls/base share: sleepers (impls/testing/sleepers.h), and the
 * CPUs there are.
 */
#ifndef CHANBENCH_BASE_TESTING_H
#define CHANBENCH_BASE_TESTING_H

#include "impls/testing/sleepers.h"

#include <sched.h>

/* Setup of each group: whom MUST names. */
static inline int base_named(void **state)
{
	static const struct chan_impl base = {.name = "base"};

	(void)state;
	impl = &base;
	return 0;
}

/* The `n`th CPU that this process may use, or -1. */
static inline int base_cpu(int n)
{
	cpu_set_t set;

	MUST(sched_getaffinity(getpid(), sizeof set, &set) == 0);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && n-- == 0)
			return (int)cpu;
	return -1;
}

/* Lets the calling thread run on this CPU only. */
static inline void base_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	MUST(sched_setaffinity(0, sizeof set, &set) == 0);
}

#endif
