/* SPDX-License-Identifier: MIT
 *
 * handles.h - the handles that a test has open: dropped at its end, newest first, unless the test
 * drops them itself.
 */
#ifndef CHANBENCH_CHECK_HANDLES_H
#define CHANBENCH_CHECK_HANDLES_H

#include "harness/check/rule.h"

/* Remembers a handle (not NULL) and gives it back. */
struct chan_sender *keep_sender(struct chan_sender *tx);
struct chan_receiver *keep_receiver(struct chan_receiver *rx);
struct chan_weak *keep_weak(struct chan_weak *weak);

/* The sender is gone: consumed, or dropped by other means than these. */
void forget(const struct chan_sender *tx);

/* Drop through the test's table and forget. */
void tx_drop(struct test *t, struct chan_sender **tx);
void rx_drop(struct test *t, struct chan_receiver **rx);
void weak_drop(struct test *t, struct chan_weak **weak);

/* Drops all that are left. */
void handles_drop(struct test *t);

#endif
