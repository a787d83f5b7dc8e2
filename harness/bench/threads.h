/* SPDX-License-Identifier: MIT
 *
 * threads.h - the threads of a trial: where they run, when they start, what they used.
 *
 * All workers of a trial are created first and wait at a gate; the clock starts when the gate
 * opens. Each worker says when its own part was over (`stop_ns`); the trial ends with the latest of
 * these. Neither creating nor joining threads is measured.
 */
#ifndef CHANBENCH_BENCH_THREADS_H
#define CHANBENCH_BENCH_THREADS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum placement {
	PLACEMENT_FREE,  /* wherever the kernel puts them */
	PLACEMENT_CORES, /* worker i on the i-th allowed CPU, round and round */
	PLACEMENT_ONE,   /* the whole process on the first allowed CPU */
	PLACEMENT_COUNT
};

extern const char *const placement_names[PLACEMENT_COUNT];

/* Notes the CPUs that this process may use; for PLACEMENT_ONE restricts it to one of them, so
 * that whoever asks how many there are is told the truth. Before any other thread starts, and
 * before any code of an implementation runs. */
void placement_apply(enum placement placement);

struct worker {
	/* What it has done so far: rises while it gets on, and is how a hang is told from a long
	 * trial. Stored when a step is complete (release), so that another worker may compare it
	 * with its own. */
	_Alignas(128) _Atomic uint64_t progress;
	void (*body)(struct worker *worker);
	void *arg;
	size_t index; /* for the body's own use */

	uint64_t start_ns; /* set before the body runs: when the gate opened */
	uint64_t stop_ns;  /* set by the body: when its part was over; 0: it does not count */

	/* Set when it has ended. */
	uint64_t cpu_ns;
	uint64_t voluntary;   /* context switches because it waited */
	uint64_t involuntary; /* because it was preempted */
};

static inline void worker_progress(struct worker *worker, uint64_t done)
{
	atomic_store_explicit(&worker->progress, done, memory_order_release);
}

struct threads_use {
	uint64_t elapsed_ns;
	uint64_t cpu_ns;
	uint64_t voluntary;
	uint64_t involuntary;
};

/* Runs the workers, a thread each, to their end. Ends the process when a thread cannot be had. */
void threads_run(struct worker *workers, size_t count, struct threads_use *use);

/* What all workers of this process have done, summed; any thread may ask. */
uint64_t threads_progress(void);

#endif
