/* SPDX-License-Identifier: MIT
 *
 * plan.h - what a run is going to measure: every cell of it, known before anything is started.
 *
 * A cell is a workload, an implementation and a value for each parameter. Cells that differ in the
 * implementation alone form a block: one table. Each block can have two controls: the `null` cell,
 * which is the harness with no channel in it (the floor below which nothing can be told), and the
 * A/A cell, which is the block's first implementation once more under another label (the noise: a
 * difference that is not larger than between these two is none). And a run has, once, the raw
 * limits of the machine: cells of the workload `limits`, each its own block, with no implementation
 * in them. Every table shows them.
 */
#ifndef CHANBENCH_PLAN_H
#define CHANBENCH_PLAN_H

#include "harness/bench/workload.h"

/* The choice, as it stands on the command line; NULL: not given. */
struct plan_request {
	const char *impls;     /* "mutex,peers" (harness/choice.h); NULL: all but peers */
	const char *scenarios; /* "fan_in,spsc"; NULL: all */
	/* "documents"; NULL: all of each scenario, or its defaults when `params` has something */
	const char *presets;
	const char *const *params; /* "producers=1,2,4" ...; a cell for each combination */
	size_t param_count;
	bool controls;
	bool strict_peers;
};

enum control { CONTROL_NONE, CONTROL_NULL, CONTROL_AA, CONTROL_LIMIT };

/* "null", "aa", "limit": as rows and child processes say it. */
extern const char *const control_names[];

struct cell {
	size_t block;
	const struct impl_info *impl; /* NULL: the null control, or a limit */
	enum control control;
	/* what the implementation does not offer, and so does not run; NULL: it runs */
	const char *lacks;
	/* the cell whose message count it shares: itself; for A/A, the one that it repeats */
	size_t twin;
};

struct block {
	const struct workload *workload;
	struct params params;
	enum kind kind;
	char presets[128];   /* their names, separated by ", "; "": none */
	size_t first, count; /* its cells */
};

struct plan {
	struct block *blocks;
	size_t block_count;
	struct cell *cells;
	size_t cell_count;
	bool strict_peers; /* a broken peer is as bad as a broken implementation of ours */
};

/* Makes the plan. 0; or -1 after one line that says what is wrong with the request, also when
 * nothing that could run remains. Combinations of parameters that do not go together are left
 * out, with a line that says so. `set` must outlive the plan. End with plan_close, whatever it
 * returned. */
int plan_make(struct plan *plan, const struct plan_request *request, const struct impl_set *set);
void plan_close(struct plan *plan);

/* "mutex", "null", "limit", or "mutex@aa" for the second of an A/A pair. */
void plan_label(const struct cell *cell, char *text, size_t size);

/* "fan_in/mutex/producers:4/..." */
void plan_name(const struct plan *plan, const struct cell *cell, char *text, size_t size);

/* "producers:4 consumers:1 ...", with `separator` for the space. */
void plan_params(const struct block *block, char separator, char *text, size_t size);

#endif
