/* SPDX-License-Identifier: MIT
 *
 * small.h - programs of two or three threads and a few operations each, made up at random: what is
 * read is what they come to.
 */
#ifndef CHANBENCH_EXPLORE_UNDER_TEST_SMALL_H
#define CHANBENCH_EXPLORE_UNDER_TEST_SMALL_H

#include <stdint.h>

#define SMALL_THREADS 3
#define SMALL_STEPS   4

enum small_kind {
	SMALL_LOAD_RELAXED,
	SMALL_LOAD_ACQUIRE,
	SMALL_LOAD_SEQ_CST,
	SMALL_STORE_RELAXED,
	SMALL_STORE_RELEASE,
	SMALL_STORE_SEQ_CST,
	SMALL_ADD,
	SMALL_EXCHANGE,
	SMALL_COMPARE, /* 0 against the value */
	SMALL_COMPARE_SEQ_CST,
	SMALL_FENCE_ACQUIRE,
	SMALL_FENCE_RELEASE,
	SMALL_FENCE_SEQ_CST,
	SMALL_MEMBARRIER,
	SMALL_LOCKED, /* counts */
	SMALL_TRYLOCK,
	SMALL_WAIT, /* while it has the value, or until a deadline */
	SMALL_WAKE,
	SMALL_WAIT_ANY, /* while both variables have the value, or until a deadline */
	SMALL_KINDS
};

struct small_step {
	uint8_t kind, variable, value; /* of two variables */
};

struct small {
	unsigned threads, steps;
	struct small_step step[SMALL_THREADS][SMALL_STEPS];
};

/* What each step read or returned; at the end, the variables and the count. */
extern int small_saw[SMALL_THREADS][SMALL_STEPS], small_left[3];

int small_run(void *small);

#endif
