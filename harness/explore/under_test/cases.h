/* SPDX-License-Identifier: MIT
 *
 * cases.h - small programs with pthreads, futexes, eventfds and so on, and what exploring each must
 * give (posix/sync_test.c).
 *
 * A program says how it ended by `outcome`, a small number; a search that is exhausted must have
 * seen exactly the outcomes of the set. A program that is wrong must be found to be so, with the
 * words of `message` in what is said of it.
 */
#ifndef CHANBENCH_EXPLORE_UNDER_TEST_CASES_H
#define CHANBENCH_EXPLORE_UNDER_TEST_CASES_H

#include "harness/explore/explore.h"
#include <pthread.h>

struct explore_case {
	const char *name; /* NULL ends a table */
	void (*program)(void);
	/* of a right program: 1 << outcome, for each one there is; 0: it is wrong */
	unsigned outcomes;
	enum explore_verdict verdict;
	const char *message;
	/* explored without spurious returns, which would show the same outcomes */
	bool never_spurious;
};

/* clang-format off */
#define RIGHT(program, outcomes)         {#program, program, outcomes, EXPLORE_OK, "", false}
#define EXACT(program, outcomes)         {#program, program, outcomes, EXPLORE_OK, "", true}
#define WRONG(program, verdict, message) {#program, program, 0, verdict, message, false}
/* clang-format on */
#define SEEN(outcome) (1u << (outcome))

extern unsigned outcome;

/* Runs up to three functions on threads of their own, to their ends. */
static inline void run_threads(unsigned count, void *(*const *body)(void *))
{
	pthread_t id[3];
	for (unsigned i = 0; i < count; i++)
		pthread_create(&id[i], NULL, body[i], NULL);
	for (unsigned i = 0; i < count; i++)
		pthread_join(id[i], NULL);
}

static inline void two_threads(void *(*first)(void *), void *(*second)(void *))
{
	void *(*const both[])(void *) = {first, second};
	run_threads(2, both);
}

extern const struct explore_case mutex_cases[], rwlock_cases[], condition_cases[], semaphore_cases[], futex_cases[],
	thread_cases[], c11_cases[], clock_cases[], eventfd_cases[], memory_cases[], process_cases[], settle_cases[];

#endif
