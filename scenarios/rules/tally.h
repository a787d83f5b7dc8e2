/* SPDX-License-Identifier: MIT
 *
 * tally.h - what became of the elements of a channel with hooks.
 *
 * Elements are numbers below TALLY_VALUES. The channel's `destroy` and `clone` write here: the
 * order of destructions, and how many copies of each value the channel still has. What a test
 * receives is out of the channel's hands: it says so with tally_received.
 */
#ifndef CHANBENCH_RULES_TALLY_H
#define CHANBENCH_RULES_TALLY_H

#include "scenarios/rules/steps.h"

#include <pthread.h>

#define TALLY_VALUES 512

struct tally {
	pthread_mutex_t mutex;
	uint64_t destroyed[TALLY_VALUES]; /* in order */
	uint64_t count;                   /* of them */
	uint64_t of[TALLY_VALUES];        /* how often each value was destroyed */
	uint64_t clones;                  /* how many were made */
	/* destructions in another thread than the one that opened the tally */
	uint64_t elsewhere;
	pthread_t owner;

	bool fail_clone;                               /* the next clones fail */
	void (*also)(struct tally *l, uint64_t value); /* called by destroy, at last; NULL */
	void (*on_clone)(struct tally *l);             /* called by clone, first; NULL */
	struct test *test;                             /* for these two */
	struct chan_sender *tx;
	struct chan_receiver *rx;
	enum chan_status status;
};

/* A config of elements of 8 bytes whose hooks write to `tally`, which is emptied. */
struct chan_config tally_config(struct test *t, struct tally *tally, size_t capacity);

uint64_t tally_count(struct tally *tally);

/* Each of 0 .. n-1 was destroyed exactly once, in this order, and nothing else. */
#define want_destroyed_in_order(tally, n) want_order(tally, n, __FILE__, __LINE__)
void want_order(struct tally *tally, uint64_t n, const char *file, int line);

/* The number of values destroyed so far. */
#define want_destroyed(tally, n) want_u64(n, tally_count(tally))

#endif
