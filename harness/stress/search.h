/* SPDX-License-Identifier: MIT
 *
 * search.h - is a history linearizable?
 *
 * The search of Wing and Gong (Testing and Verifying Concurrent Objects, 1993) with Lowe's memory
 * of the configurations that were met before (Testing for Linearizability, 2017):
 *
 * 1. Take an operation that no unfinished operation precedes.
 * 2. If the sequential channel (spec.h) allows its result, go on from there.
 * 3. If it does not, or if the configuration was met before, go back and take another one.
 *
 * A configuration is the set of operations done and the state that they led to. It is remembered by
 * its hash. A collision could only make a right history look wrong. It takes two states of one set
 * that agree in 64 bits: a chance below 2^-30 in a search of 2^24 configurations.
 */
#ifndef CHANBENCH_STRESS_SEARCH_H
#define CHANBENCH_STRESS_SEARCH_H

#include "harness/stress/spec.h"

/* UNDECIDED: the limit was reached. */
enum search_verdict { SEARCH_GOOD, SEARCH_BAD, SEARCH_UNDECIDED, SEARCH_NOMEM };

struct search_result {
	enum search_verdict verdict;
	uint64_t configurations; /* that were visited */
	size_t done;             /* how many operations the longest attempt had completed */
	char state[512];         /* what the channel held then */
};

/* Visits at most `limit` configurations. It calls `alive` (may be NULL) every so often. */
void search(const struct history *history, const struct spec *spec, uint64_t limit, void (*alive)(void),
            struct search_result *result);

#endif
