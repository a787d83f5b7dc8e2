/* SPDX-License-Identifier: MIT
 *
 * dfs.c - every schedule, depth first: the choices of one execution are a path in a tree, and the next execution follows it
 * to the last node that has an alternative left.
 *
 * Unbounded, it uses sleep sets (Godefroid 1996). Once all that begins with a step of thread p at some node is explored, p
 * sleeps in the alternatives there until somebody makes a step that does not commute with p's: before that, p's step would
 * only lead to what has been seen. When all that could go on sleep, the execution is redundant. So of each class of schedules that
 * differ in the order of independent steps only, one is explored in full.
 *
 * With a bound, it explores the executions with at most so many preemptions: switches away from a thread that could go on, and
 * deadlines that come although somebody could. Most bugs need one or two (Musuvathi, Qadeer 2007). What loads see is not
 * bounded. Sleep sets are not sound together with a bound, and are off.
 */
#include "core.h"
#include <sys/mman.h>

struct explore_dfs_node {
	uint8_t count; /* alternatives */
	uint8_t chosen;
	bool thread;  /* a choice of threads, else of values */
	uint8_t free; /* alternatives below this one cost nothing */
	uint8_t id[EXPLORE_THREADS];
	uint32_t sleep; /* mask: asleep when the node was reached */
	uint32_t done;  /* mask: explored here */
	uint32_t spent; /* preemptions before this node */
};

void explore_dfs_open(struct explore_dfs *dfs, unsigned bound, uint64_t steps)
{
	*dfs = (struct explore_dfs){.bound = bound, .room = (size_t)steps * 4 + 1024};
	dfs->node = explore_reserve(dfs->room * sizeof(*dfs->node), "the tree of schedules");
}

void explore_dfs_close(struct explore_dfs *dfs)
{
	if (dfs->node != NULL)
		munmap(dfs->node, dfs->room * sizeof(*dfs->node));
	dfs->node = NULL;
}

static bool overlap(const struct explore_op *a, const struct explore_op *b)
{
	uintptr_t x = (uintptr_t)a->object, y = (uintptr_t)b->object;
	return x != 0 && y != 0 && x < y + b->size && y < x + a->size;
}

static unsigned flags_of(unsigned id, bool timed)
{
	const struct explore_op *op = explore_now.thread[id].pending;
	unsigned flags = op->flags;
	if (timed)
		flags = (flags | EXPLORE_TIME) & ~(unsigned)EXPLORE_READS;
	return flags;
}

/* Whether the order of two steps of different threads can matter. */
static bool dependent(unsigned p, bool p_timed, unsigned q, bool q_timed)
{
	unsigned a = flags_of(p, p_timed), b = flags_of(q, q_timed);
	if ((a | b) & EXPLORE_ANY)
		return true;
	bool writes = !(a & b & EXPLORE_READS);
	if ((a & b & EXPLORE_TIME) && writes)
		return true;
	if (((a | b) & EXPLORE_SC_FENCE) && (a & b & EXPLORE_ORDERED))
		return true;
	/* Two seq_cst loads do not commute with each other's place, but nobody can tell. */
	return writes && overlap(explore_now.thread[p].pending, explore_now.thread[q].pending);
}

static void begin(void *self)
{
	struct explore_dfs *dfs = self;
	dfs->at = 0;
	dfs->sleep = 0;
	dfs->spent = 0;
}

static struct explore_dfs_node *arrive(struct explore_dfs *dfs, unsigned count, bool *fresh)
{
	struct explore_dfs_node *node = &dfs->node[dfs->at];
	*fresh = dfs->at == dfs->depth;
	if (*fresh) {
		if (dfs->depth == dfs->room)
			explore_fail(EXPLORE_UNSUPPORTED, "one execution makes more than %zu choices", dfs->room);
		dfs->depth++;
		*node = (struct explore_dfs_node){.count = (uint8_t)count, .sleep = dfs->sleep, .spent = dfs->spent};
	} else if (node->count != count) {
		explore_fail(EXPLORE_UNSUPPORTED,
		             "the program does not do the same thing twice: it depends on something besides the "
		             "schedule (an address, the real clock, memory it did not initialise)");
	}
	dfs->at++;
	return node;
}

static bool affordable(struct explore_dfs *dfs, const struct explore_dfs_node *node, unsigned choice)
{
	if (dfs->bound == EXPLORE_UNBOUNDED || choice < node->free || node->spent < dfs->bound)
		return true;
	dfs->cut = true;
	return false;
}

/* The next alternative of a node from `from` on; its count when there is none. */
static unsigned next_choice(struct explore_dfs *dfs, const struct explore_dfs_node *node, unsigned from)
{
	for (unsigned choice = from; choice < node->count; choice++) {
		if (node->thread && ((node->sleep | node->done) >> node->id[choice] & 1))
			continue;
		if (affordable(dfs, node, choice))
			return choice;
	}
	return node->count;
}

static unsigned value(void *self, unsigned n)
{
	struct explore_dfs *dfs = self;
	bool fresh;
	struct explore_dfs_node *node = arrive(dfs, n, &fresh);
	node->free = node->count;
	return node->chosen;
}

/* The threads that still sleep after the chosen one has made its step. */
static void wake(struct explore_dfs *dfs, unsigned asleep, const struct explore_candidates *candidates, unsigned choice)
{
	unsigned timed = 0;
	for (unsigned i = candidates->ready; i < candidates->count; i++)
		timed |= 1u << candidates->id[i];
	unsigned id = candidates->id[choice];
	dfs->sleep = 0;
	for (unsigned mask = asleep & explore_now.alive & ~(1u << id); mask != 0; mask &= mask - 1) {
		unsigned other = (unsigned)__builtin_ctz(mask);
		if (!dependent(other, timed >> other & 1, id, choice >= candidates->ready))
			dfs->sleep |= 1u << other;
	}
}

static unsigned thread(void *self, const struct explore_candidates *candidates)
{
	struct explore_dfs *dfs = self;
	bool fresh;
	if (candidates->count == 1) {
		if (dfs->sleep >> candidates->id[0] & 1)
			return EXPLORE_PRUNE;
		if (dfs->sleep != 0)
			wake(dfs, dfs->sleep, candidates, 0);
		return 0;
	}
	/* Nobody but spinning threads is awake, and what they do will not wake anybody: they would go on for ever. */
	for (unsigned i = 0; candidates->spinning && i < candidates->ready; i++) {
		if (dfs->sleep >> candidates->id[i] & 1)
			return EXPLORE_PRUNE;
	}
	struct explore_dfs_node *node = arrive(dfs, candidates->count, &fresh);
	if (fresh) {
		node->thread = true;
		node->free = candidates->stays
		                     ? 1
		                     : (uint8_t)(candidates->ready > 0 ? candidates->ready : candidates->count);
		for (unsigned i = 0; i < candidates->count; i++)
			node->id[i] = candidates->id[i];
		unsigned choice = next_choice(dfs, node, 0);
		if (choice == node->count) {
			dfs->depth--; /* nothing to come back to */
			return EXPLORE_PRUNE;
		}
		node->chosen = (uint8_t)choice;
	}
	if (dfs->bound == EXPLORE_UNBOUNDED)
		wake(dfs, node->sleep | node->done, candidates, node->chosen);
	dfs->spent = node->spent + (node->chosen >= node->free);
	return node->chosen;
}

static bool end(void *self)
{
	struct explore_dfs *dfs = self;
	while (dfs->depth > 0) {
		struct explore_dfs_node *node = &dfs->node[dfs->depth - 1];
		if (node->thread && dfs->bound == EXPLORE_UNBOUNDED)
			node->done |= 1u << node->id[node->chosen];
		unsigned choice = next_choice(dfs, node, node->chosen + 1u);
		if (choice < node->count) {
			node->chosen = (uint8_t)choice;
			return true;
		}
		dfs->depth--;
	}
	dfs->done = true;
	return false;
}

const struct explore_strategy_table explore_dfs_table = {begin, thread, value, end};
