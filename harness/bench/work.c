/* SPDX-License-Identifier: MIT
 *
 * work.c - see trial.h
 */
#include "harness/bench/trial.h"

static double steps_per_ns = 1;

static void steps(uint64_t count)
{
	uint64_t x = count;
	for (uint64_t i = 0; i < count; i++) {
		x = x * MESSAGE_MIX + 1;
		__asm__ volatile("" : "+r"(x)); /* the chain has a user, step by step */
	}
}

void work_calibrate(void)
{
	enum { COUNT = 200000, TRIES = 15 };
	/* The shortest of several: every disturbance makes it longer. */
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < TRIES; i++) {
		uint64_t start = chan_now();
		steps(COUNT);
		uint64_t took = chan_now() - start;
		if (took < best)
			best = took;
	}
	steps_per_ns = (double)COUNT / (double)(best ? best : 1);
}

void work(uint64_t ns)
{
	if (ns != 0)
		steps((uint64_t)((double)ns * steps_per_ns));
}
