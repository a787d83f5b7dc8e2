/* SPDX-License-Identifier: MIT
 *
 * trial.h - one run of a workload on fresh channels: what the workload is given, and what it gives
 * back.
 *
 * A workload's `run` opens its channels, fills in its workers, runs them with trial_run, drops
 * every handle, balances its ledgers, and sets `items` and its figures. Whatever goes wrong it says
 * with trial_fail; the first word counts, and a trial that failed has no rate.
 */
#ifndef CHANBENCH_BENCH_TRIAL_H
#define CHANBENCH_BENCH_TRIAL_H

#include "harness/bench/histogram.h"
#include "harness/bench/ledger.h"
#include "harness/bench/null.h"
#include "harness/bench/threads.h"
#include "harness/bench/workload.h"

#include <pthread.h>

#define TRIAL_FIGURES   8
#define TRIAL_RECEIVERS 1024 /* as many as there can be consumers */

struct trial {
	/* What to run. */
	const struct workload *workload;
	const struct chan_impl *impl;
	struct params params;
	enum kind kind;
	uint64_t messages; /* how many, in the workload's sense of it; at least 1 */
	uint64_t salt;     /* for message_name; another one in every trial */
	bool control;      /* the implementation is null: nothing waits, nothing is moved */

	/* What came of it. */
	uint64_t items;
	struct threads_use use;
	size_t threads;
	double figures[TRIAL_FIGURES]; /* in the order of the workload's; NAN: not measured */
	struct histogram latency;      /* empty: not measured */
	bool saturated;
	uint64_t lagged[TRIAL_RECEIVERS]; /* broadcast: messages that each receiver missed */
	size_t lagged_count;              /* 0: not measured */

	pthread_mutex_t lock;
	char failure[256]; /* "": none */
};

void trial_init(struct trial *trial);

/* Says in one line what is broken. From any thread; the first one counts. */
void trial_fail(struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fails with "send returned EMPTY" and the like: a status that this call can never give here. */
void trial_status(struct trial *trial, const char *call, enum chan_status status);

bool trial_failed(struct trial *trial);

/* Zeroed memory of the harness for `count` things on cache lines of their own; trial_free gives
 * it back. */
struct worker *trial_workers(size_t count);

/* Runs the workers and enters what they used. */
void trial_run(struct trial *trial, struct worker *workers, size_t count);

/* The configuration of a channel of `size` bytes a message. `script`, used by the null control
 * alone, says what its receivers get; it must outlive the channel. */
struct chan_config trial_config(uint64_t size, uint64_t capacity, const struct null_script *script);

/* Balances, and fails with what is wrong. */
void trial_balance(struct trial *trial, struct ledger *ledgers, size_t consumers, const struct ledger_sent *sent);

/* Enters that the trial was to keep up with `rate` items a second, and whether it did. */
void trial_rate(struct trial *trial, uint64_t rate);

/* --- work.c --- */

/* Measures how fast this machine works; before the first trial. */
void work_calibrate(void);

/* Keeps this thread's CPU busy for about `ns` nanoseconds of its own time: a chain of dependent
 * multiplications, calibrated once. It counts work and not time: a thread that is preempted in
 * it still has the rest to do, as real work has, where a loop that looks at the clock would be
 * done when it comes back. */
void work(uint64_t ns);

#endif
