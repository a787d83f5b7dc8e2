/* SPDX-License-Identifier: MIT
 *
 * engine.h - google-benchmark, which runs and times each trial, seen from C.
 *
 * Every trial is a benchmark run of its own with one iteration and manual time, so that its row is
 * there as soon as it is over and a later trial that hangs takes nothing with it.
 */
#ifndef CHANBENCH_BENCH_ENGINE_H
#define CHANBENCH_BENCH_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the trial tells google-benchmark. */
struct engine_trial {
	double seconds;
	uint64_t items;
	/* NULL: it was good; else it is skipped with this error, and has no rate */
	const char *error;
};

/* What google-benchmark reports of it. */
struct engine_row {
	const char *name;
	const char *error;       /* NULL: none */
	double real_time_ns;     /* an iteration, which is the trial */
	double items_per_second; /* 0: none */
	int64_t iterations;
};

struct engine_job {
	const char *name;
	void (*run)(struct engine_trial *trial, void *arg);
	void (*row)(const struct engine_row *row, void *arg);
	void *arg;
};

/* Runs the job `repetitions` times: run, then row. 0, or -1 when google-benchmark ran nothing. */
int engine_run(const struct engine_job *job, unsigned repetitions);

#ifdef __cplusplus
}
#endif

#endif
