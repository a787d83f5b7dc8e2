/* SPDX-License-Identifier: MIT
 *
 * verify.h - a recorded history goes in, a verdict comes out, and for a bad one the few operations
 * that contradict each other.
 */
#ifndef CHANBENCH_STRESS_VERIFY_H
#define CHANBENCH_STRESS_VERIFY_H

#include "harness/stress/search.h"

enum { VERIFY_TEXT = 8192 };

/* A check that visits more is given up. */
#define VERIFY_CONFIGURATIONS UINT64_C(8000000)

struct verify_result {
	enum search_verdict verdict;
	uint64_t configurations;
	char text[VERIFY_TEXT]; /* SEARCH_BAD: what contradicts what, in lines */
};

/* Visits at most `limit` configurations. A oneshot history may be of many channels, and each is
 * checked by itself. `alive` (may be NULL) is called every so often. */
void verify(const struct history *history, uint64_t limit, void (*alive)(void), struct verify_result *result);

#endif
