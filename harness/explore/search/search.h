/* SPDX-License-Identifier: MIT
 *
 * search.h - which executions are made: strategies, the record of choices, and a shorter schedule.
 *
 *   run.c       explore_run: from options to a result; the strategy `auto`
 *   dfs.c       the strategy `dfs`: every schedule, depth first, with both reductions
 *   random.c    the strategy `random`: every choice uniform
 *   pct.c       the strategy `pct`: random priorities
 *   record.c    the choices of an execution, their strings, and strategies that follow a list
 *   shorten.c   a shorter schedule that fails the same way
 *
 * This room includes runtime/core.h and memory/memory.h. The scheduler reaches a strategy through
 * the table in core.h alone, and the other rooms include nothing from here.
 */
#ifndef CHANBENCH_EXPLORE_SEARCH_H
#define CHANBENCH_EXPLORE_SEARCH_H

#include "harness/explore/runtime/core.h"

char *explore_replay_encode(const uint8_t *made, size_t count); /* malloc'd */
/* NULL: `*made` is malloc'd. Else why it was refused. Sets the options that belong to a
 * schedule. */
const char *explore_replay_decode(const char *string, struct explore_options *options, uint8_t **made, size_t *count);

/* A strategy that follows a list, and chooses 0 after its end. */
struct explore_script {
	const uint8_t *made;
	size_t count, at;
};
extern const struct explore_strategy_table explore_script_table;

struct explore_random {
	uint64_t state;
	uint64_t execution;
};
extern const struct explore_strategy_table explore_random_table;
uint64_t explore_random_next(uint64_t *state);

struct explore_pct {
	uint64_t random;
	uint64_t execution;
	unsigned depth;
	/* steps for which there were candidates: in this execution, at most so far */
	uint64_t contested, longest;
	uint64_t change[32];
	int64_t priority[EXPLORE_THREADS];
	int64_t lowest;
	unsigned known; /* mask of threads with a priority */
};
extern const struct explore_strategy_table explore_pct_table;

/* Depth first. `bound`: preemptions of one execution, or EXPLORE_UNBOUNDED. `steps`: of one
 * execution, at most. */
extern const struct explore_strategy_table explore_dfs_table;
struct explore_dfs *explore_dfs_open(unsigned bound, uint64_t steps);
void explore_dfs_close(struct explore_dfs *dfs);
bool explore_dfs_cut(const struct explore_dfs *dfs); /* the bound kept something out */

/* The same for any bytes, as a fuzzer has them: each modulo the number of alternatives. */
extern const struct explore_strategy_table explore_bytes_table;

/* Looks for a shorter list of choices with the same verdict; replaces `*made`. */
void explore_shorten(int (*program)(void *), void *arg, enum explore_verdict verdict, uint8_t **made, size_t *count);

/* Runs a list of choices; the outcome is in explore_now, what was chosen in explore_choices. */
void explore_follow(int (*program)(void *), void *arg, const uint8_t *made, size_t count, bool tracing);

#endif
