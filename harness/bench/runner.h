/* SPDX-License-Identifier: MIT
 *
 * runner.h - measures every cell of a plan, each in several processes, and collects the rows.
 *
 * A round runs each cell once, in a process of its own (`chanbench bench-cell`), in an order that
 * is shuffled anew for each round: slow drift of the machine lands on everyone alike. The number of
 * messages of a trial is found out in a cell's first process and kept for the others. What comes
 * from a driver runs in that program instead. A cell that crashed or hung is not started again:
 * what is missing of it is marked as skipped, and the run goes on.
 */
#ifndef CHANBENCH_RUNNER_H
#define CHANBENCH_RUNNER_H

#include "harness/bench/plan.h"

#include <jansson.h>

struct run_options {
	const char *program; /* what a child is started from: "/proc/self/exe" */
	uint64_t processes, repetitions;
	double seconds; /* of one trial, about */
	double timeout; /* seconds of silence after which a child counts as hung */
	uint64_t seed;
	const char *placement; /* "free", "cores", "one" */
	bool progress;         /* a line on stderr, rewritten as it goes */
};

enum run_end { RUN_DONE, RUN_INTERRUPTED, RUN_FAILED };

/* Appends a row to `rows` for each trial. RUN_INTERRUPTED: by a signal (child_interrupted), and
 * `rows` has what was measured until then. RUN_FAILED: the machine failed, after one line;
 * `rows` as before. */
enum run_end run_plan(const struct plan *plan, const struct run_options *options, json_t *rows);

#endif
