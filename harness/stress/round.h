/* SPDX-License-Identifier: MIT
 *
 * round.h - one round of stress: a fresh channel, some threads that do random things to it, and a
 * tally that must come out even.
 *
 * A scenario (scenarios/stress/) opens the channel, says what a thread does, and closes up. It
 * makes all its choices with worker_random, whose seed follows from that of the round and the
 * number of the thread. So the same seed makes the same choices, under any schedule. An operation
 * stands between op_begin and op_end: so it can be recorded, and a report of a hang can name it.
 *
 * THE TALLY knows of each value how often it is alive. Its counts are relaxed: they order nothing
 * and hide no race. A producer or `clone` makes a value, and it ends exactly once: it is received,
 * handed back, or destroyed by the channel. Elements of 8 bytes and more carry their number and a
 * pattern made from it, which shows whether one is torn. Smaller ones are only counted.
 *
 * A round may be recorded. Then it keeps a history (history.h), which is checked afterwards. A
 * round that is not recorded runs faster; its hooks and wakes may call back into the channel, and
 * its `clone` may fail.
 */
#ifndef CHANBENCH_STRESS_ROUND_H
#define CHANBENCH_STRESS_ROUND_H

#include "harness/bench/random.h"
#include "harness/stress/history.h"

#include <pthread.h>

enum { THREADS_MAX = 16, BATCH_MAX = 16, ELEMENT_MAX = 640 };

/* What a thread is doing, in memory that the watching process shares. */
struct seat {
	atomic_uint_fast64_t operations;
	atomic_uint code, wait; /* enum op_code (OP_CODES: none), enum op_wait */
};

struct board {
	atomic_uint_fast64_t round, seed;
	/* checking: the threads are done, their history is being looked at */
	atomic_uint threads, checking;
	struct seat seats[THREADS_MAX];
};

enum value_end { VALUE_RECEIVED, VALUE_RETURNED, VALUE_DESTROYED, VALUE_ENDS };

struct tally {
	atomic_uchar *alive; /* of each value of each thread: how often */
	/* of each value: written before the send and read after the receive, without any order of
	 * its own */
	uint64_t *notes;
	size_t per_thread;
	atomic_uint_fast64_t made, cloned, ended[VALUE_ENDS];
};

struct worker;

struct round {
	enum kind kind;
	const struct chan_impl *impl;
	const struct scenario *scenario;
	struct board *board;
	uint64_t seed, random; /* random: the scenario's own, before the threads run */
	unsigned threads;
	bool recorded, honours_start;
	bool wrap; /* counters begin just before they wrap */

	/* What the scenario chose. */
	struct chan_config config;
	bool hooks;
	bool may_vanish; /* without hooks, values may end unseen in the channel */
	void *own;       /* the scenario's */

	struct tally tally;
	struct worker *workers;
	/* how many there are; a scenario may want fewer threads than it was given */
	unsigned prepared;
	struct history history;
	pthread_barrier_t start;
	atomic_bool failed;
	char failure[512];
};

struct worker {
	struct round *round;
	unsigned index;
	uint64_t random;
	pthread_t thread;
	struct seat *seat;
	size_t steps;    /* that are left */
	uint64_t made;   /* values so far */
	unsigned nested; /* callbacks that run now */
	struct op *ops;
	size_t op_count, op_limit /* then it makes no further step */, op_room;
	struct op scratch;
	/* The scenario's: handles that hooks and wakes on this thread may use. */
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_weak *weak;
	_Alignas(64) unsigned char in[BATCH_MAX * ELEMENT_MAX], out[BATCH_MAX * ELEMENT_MAX];
};

struct scenario {
	enum kind kind;
	/* Chooses, opens, deals out. False: it cannot be run (round_fail said why). */
	bool (*open)(struct round *round);
	void (*work)(struct worker *worker);
	/* After all threads have ended. */
	void (*close)(struct round *round);
	/* Called from inside `destroy` or a wake in rounds that are not recorded. It may call
	 * anything. */
	void (*reenter)(struct worker *worker);
	/* Called from inside `clone`: what it calls must be refused. */
	void (*refused)(struct worker *worker);
};

/* One a kind (scenarios/stress/). */
extern const struct scenario *const stress_scenarios[KIND_COUNT];

/* Runs one round on `round->threads` threads, with `operations` in all. False: no memory or no
 * threads. */
bool round_run(struct round *round, size_t operations);
void round_free(struct round *round);

/* The first failure of a round is kept, and ends it. */
void round_fail(struct round *round, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Chooses size, hooks and start. `copies`: the kind needs `clone` with `destroy`. */
void round_choose_config(struct round *round, bool copies);

/* --- for the threads --- */

/* 0 to n - 1. */
static inline size_t worker_random(struct worker *worker, size_t n)
{
	return random_below(&worker->random, n);
}

/* Counts a step, and says whether the thread goes on. */
bool worker_more(struct worker *worker);

/* A deadline of some sort, and what sort it is. */
uint64_t worker_deadline(struct worker *worker, enum op_wait *wait);

/* Lets others run, or not. */
void worker_pause(struct worker *worker);

struct op *op_begin(struct worker *worker, enum op_code code, enum op_wait wait);
void op_end(struct worker *worker, struct op *op, enum chan_status status);

/* Another operation of the same call as the last one, after op_end. */
struct op *op_chain(struct worker *worker, enum op_code code);

/* Makes a value at `memory` and returns its number. */
uint64_t value_make(struct worker *worker, void *memory);
/* Checks that the value at `memory` is whole, and returns its number. */
uint64_t value_look(struct round *round, const void *memory);
/* Counts that the value has ended. Returns its number. */
uint64_t value_end(struct round *round, const void *memory, enum value_end how);

/* A waiter that gives its wake to the scenario's `reenter`. */
struct stress_waiter {
	struct chan_waiter waiter;
	atomic_uint fired;
};

void stress_waiter_init(struct stress_waiter *waiter);

#endif
