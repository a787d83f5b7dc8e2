/* SPDX-License-Identifier: MIT
 *
 * waiters.h - armed waiters, which stand for blocked operations in a sequence that runs in one
 * thread.
 *
 * An operation that would block in a program of many threads is armed here, and the sequence goes
 * on. Its wake, and in which turn that comes, stands for the return of the blocked operation. A
 * waiter has a number, given in the order of arming. It is used once: armed, fired or not,
 * disarmed, never again.
 */
#ifndef CHANBENCH_FUZZ_WAITERS_H
#define CHANBENCH_FUZZ_WAITERS_H

#include "fuzz/model/step.h"
#include "impls/channel.h"

struct waiters;

struct fuzz_waiter {
	struct chan_waiter waiter;
	struct waiters *set;
	unsigned number;
	bool fired;
	bool armed; /* taken, and not yet given back: it may fire */
};

struct waiters {
	struct fuzz_waiter all[MODEL_WAITERS];
	unsigned count;            /* used so far */
	struct model_events *seen; /* where a wake is noted; set before each step */

	/* Run by each wake after it was noted; NULL: nothing. For callbacks that call back into
	 * the channel. */
	void (*on_wake)(struct fuzz_waiter *waiter, void *context);
	void *context;
};

void waiters_begin(struct waiters *set, struct model_events *seen);

/* A fresh waiter to be armed, or NULL when all are used. */
struct fuzz_waiter *waiters_take(struct waiters *set);

/* The channel is done with it: it was disarmed, was not registered, or its handle was dropped.
 * From here on it must not fire, and its memory is overwritten. */
void waiters_give(struct fuzz_waiter *waiter);

#endif
