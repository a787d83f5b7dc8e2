/* SPDX-License-Identifier: MIT
 *
 * queue_check.h - what can be said of an mpsc history without a search, in n log n: is it one of a
 * queue, and are its lengths possible?
 *
 * With distinct values a history of sends, receives and "empty" is one of a FIFO queue exactly when
 * none of four patterns stands in it (Henzinger, Sezgin, Vafeiadis: Aspect-oriented linearizability
 * proofs, 2013): a value received that nobody had begun to send; a value received twice; a received
 * before b, or b without a, though a was sent before b; "empty" seen while at each moment some
 * message was certainly there. A pattern names the two to four operations that contradict each
 * other.
 *
 * CHAN_LEN and CHAN_CAPACITY are held to what was possible during the call (M-6, M-9): sends and
 * receives that overlap it may count or not.
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
