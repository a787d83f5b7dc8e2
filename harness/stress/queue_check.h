/* SPDX-License-Identifier: MIT
 *
 * queue_check.h - what can be said of an mpsc history without a search, in n log n: is it one of a
 * queue, and are its lengths possible?
 *
 * With distinct values, a history of sends, receives and "empty" is one of a FIFO queue exactly
 * when none of four patterns stands in it (Henzinger, Sezgin, Vafeiadis: Aspect-oriented
 * linearizability proofs, 2013):
 *
 * 1. a value was received whose send had not begun;
 * 2. a value was received twice;
 * 3. a was sent before b, and yet b was received before a, or without a;
 * 4. "empty" was seen although at each moment of the call some message was certainly there.
 *
 * A pattern names the two to four operations that contradict each other.
 *
 * CHAN_LEN and CHAN_CAPACITY must have been possible during the call (M-6, M-9). Sends and receives
 * that overlap it may count or not.
 */
#ifndef CHANBENCH_STRESS_QUEUE_CHECK_H
#define CHANBENCH_STRESS_QUEUE_CHECK_H

#include "harness/stress/history.h"

enum { PATTERN_MAX = 8 };

struct pattern {
	char what[192];          /* empty: none was found */
	size_t ops[PATTERN_MAX]; /* the operations that contradict each other */
	size_t count;
};

/* False: out of memory. */
bool queue_check(const struct history *history, struct pattern *found);
bool interval_check(const struct history *history, struct pattern *found);

#endif
