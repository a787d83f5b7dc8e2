/* SPDX-License-Identifier: MIT
 *
 * dfs.h - what the parts of the depth-first search share.
 *
 *   dfs.c          the tree of choices, and the way through it
 *   dfs_sleep.c    which steps commute; sleep sets: what need not be tried because it leads where
 *                  the search has been
 *   dfs_race.c     partial-order reduction: what must be tried, because the order of two steps made
 *                  a difference
 */
#ifndef CHANBENCH_EXPLORE_DFS_H
#define CHANBENCH_EXPLORE_DFS_H

#include "harness/explore/runtime/core.h"

/* A step, made or pending, as far as its order with others is concerned. */
struct dfs_step {
	uintptr_t object;
	uint32_t size;
	uint16_t flags; /* enum explore_op_flags */
	uint8_t id;     /* whose it is */
	bool wrote;     /* of one that was made: as in explore_now */
	bool quiet;
	bool stale;
	uint32_t saw;
};

/* Who sleeps: whose next step has been explored from an earlier node on, and nothing since would
 * let it lead elsewhere. A thread sleeps in part when another has stored to what it is going to
 * load: of the stores that it can choose from, those from before step `since` have been
 * explored. */
struct dfs_sleepers {
	uint32_t whole, part;            /* masks */
	uint32_t since[EXPLORE_THREADS]; /* of either */
};

struct dfs_node {
	uint8_t count; /* alternatives */
	uint8_t chosen;
	bool thread;  /* a choice of threads, else of values */
	uint8_t free; /* alternatives below this one cost nothing */
	uint8_t id[EXPLORE_THREADS];
	uint32_t candidates;        /* mask of them */
	uint32_t wanted;            /* mask: those that are to be explored here */
	uint32_t done;              /* mask: those that have been */
	uint32_t spent;             /* preemptions before this node */
	uint32_t step;              /* number of the step that is chosen, or that chooses */
	struct dfs_sleepers asleep; /* when the node was reached */
};

#define DFS_NO_NODE UINT32_MAX

/* A step of the path, and which steps of each thread come before it in each order of independent
 * steps: the last of them; itself included. */
struct dfs_event {
	struct dfs_step step;
	uint32_t node; /* at which it was chosen; DFS_NO_NODE: there was no other */
	uint32_t before[EXPLORE_THREADS];
};

struct explore_dfs {
	struct dfs_node *node;
	size_t depth, room; /* nodes of the current path */
	size_t at;          /* where the execution under way is on it */
	unsigned bound, spent;
	bool cut; /* the bound kept something out */
	struct dfs_sleepers asleep;

	struct dfs_event *event; /* by number of step, from 1 */
	size_t events;           /* room for so many */
	uint64_t known;          /* so many steps are the same as in the execution before */
	uint64_t made;           /* in this execution, the one being made included */

	/* Before the last step: who was there; who of them was blocked; who of these has a
	 * deadline. */
	uint32_t alive, blocked, timed;
	uint32_t latest[EXPLORE_THREADS]; /* each thread's last step */
	/* what came before the last step of all, whatever it did */
	uint32_t anyway[EXPLORE_THREADS];
	/* what comes before each thread's next step */
	uint32_t before[EXPLORE_THREADS][EXPLORE_THREADS];
};

void explore_dfs_open(struct explore_dfs *dfs, unsigned bound, uint64_t steps);
void explore_dfs_close(struct explore_dfs *dfs);

/* ---- dfs_sleep.c ---- */

/* What a thread is going to do. `timed`: its deadline comes. */
struct dfs_step dfs_pending(unsigned id, bool timed);

/* Whether the order of two steps of different threads can matter, `a` having been made already,
 * or pending as `b` is. */
bool dfs_dependent(const struct dfs_step *a, const struct dfs_step *b);

/* Who still sleeps after the last step. */
void dfs_wake(struct explore_dfs *dfs);

/* Before the step of thread `id`: who sleeps meanwhile. `node`: where it was chosen; NULL: there
 * was no other. */
void dfs_lull(struct explore_dfs *dfs, const struct dfs_node *node, unsigned id);

/* ---- dfs_race.c ---- */

void dfs_race_begin(struct explore_dfs *dfs);

/* Before the next step: what has changed since the last one. */
void dfs_race_look(struct explore_dfs *dfs);

/* The next step is chosen. Marks who is to be explored at the nodes of those that it races with. */
void dfs_race_step(struct explore_dfs *dfs, unsigned id, uint32_t node);

/* After the execution's last step. */
void dfs_race_end(struct explore_dfs *dfs);

#endif
