/* SPDX-License-Identifier: MIT
 *
 * ledger.h - what became of the elements of a channel with hooks.
 *
 * Elements are numbers below LEDGER_VALUES. The channel's `destroy` and `clone` write here: the
 * order of destructions, and how many copies of each value the channel still has. What a test
 * receives is out of the channel's hands: it says so with ledger_received.
 */
#ifndef CHANBENCH_RULES_LEDGER_H
#define CHANBENCH_RULES_LEDGER_H

#include "scenarios/rules/steps.h"

#include <pthread.h>

#define LEDGER_VALUES 512

struct ledger {
	pthread_mutex_t mutex;
	uint64_t destroyed[LEDGER_VALUES]; /* in order */
	uint64_t count;                    /* of them */
	uint64_t of[LEDGER_VALUES];        /* how often each value was destroyed */
	uint64_t clones;                   /* how many were made */
	/* destructions in another thread than the one that opened the ledger */
	uint64_t elsewhere;
	pthread_t owner;

	bool fail_clone;                                /* the next clones fail */
	void (*also)(struct ledger *l, uint64_t value); /* called by destroy, at last; NULL */
	void (*on_clone)(struct ledger *l);             /* called by clone, first; NULL */
	struct test *test;                              /* for these two */
	struct chan_sender *tx;
	struct chan_receiver *rx;
	enum chan_status status;
};

/* A config of elements of 8 bytes whose hooks write to `ledger`, which is emptied. */
struct chan_config ledger_config(struct test *t, struct ledger *ledger, size_t capacity);

uint64_t ledger_count(struct ledger *ledger);

/* Each of 0 .. n-1 was destroyed exactly once, in this order, and nothing else. */
#define want_destroyed_in_order(ledger, n) want_order(ledger, n, __FILE__, __LINE__)
void want_order(struct ledger *ledger, uint64_t n, const char *file, int line);

/* The number of values destroyed so far. */
#define want_destroyed(ledger, n) want_u64(n, ledger_count(ledger))

#endif
