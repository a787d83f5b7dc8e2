/* SPDX-License-Identifier: MIT
 *
 * dfs.c - every schedule, depth first: the choices of one execution are a path in a tree, and the
 * next execution follows it to the last node that has an alternative left.
 *
 * Unbounded, it leaves out what only repeats: of each class of schedules that differ in the order
 * of independent steps only, one is explored in full. Alternatives are explored only where the
 * order of two steps turned out to matter (dfs_race.c), and not if they begin with what has been
 * explored from an earlier node on (dfs_sleep.c). When all that could go on sleep, the execution is
 * redundant.
 *
 * With a bound, it explores the executions with at most so many preemptions: switches away from a
 * thread that could go on, and deadlines that come although somebody could. Most bugs need one or
 * two (Musuvathi, Qadeer 2007). What loads see is not bounded. Neither of the reductions is sound
 * together with a bound, and both are off.
 */
#include "harness/explore/search/dfs.h"
#include <sys/mman.h>

void explore_dfs_open(struct explore_dfs *dfs, unsigned bound, uint64_t steps)
{
	*dfs = (struct explore_dfs){.bound = bound, .room = (size_t)steps * 4 + 1024, .events = (size_t)steps + 2};
	dfs->node = explore_reserve(dfs->room * sizeof(*dfs->node), "the tree of schedules");
	dfs->event = explore_reserve(dfs->events * sizeof(*dfs->event), "the steps of a schedule");
}

void explore_dfs_close(struct explore_dfs *dfs)
{
	if (dfs->node == NULL)
		return;
	munmap(dfs->node, dfs->room * sizeof(*dfs->node));
	munmap(dfs->event, dfs->events * sizeof(*dfs->event));
	dfs->node = NULL;
}

static bool reduces(const struct explore_dfs *dfs)
{
	return dfs->bound == EXPLORE_UNBOUNDED;
}

static void begin(void *self)
{
	struct explore_dfs *dfs = self;
	dfs->at = 0;
	dfs->asleep.whole = dfs->asleep.part = 0;
	dfs->spent = 0;
	explore_now.reduces = reduces(dfs);
	dfs_race_begin(dfs);
}

static struct dfs_node *arrive(struct explore_dfs *dfs, unsigned count, bool *fresh)
{
	struct dfs_node *node = &dfs->node[dfs->at];
	*fresh = dfs->at == dfs->depth;
	if (*fresh) {
		if (dfs->depth == dfs->room)
			explore_fail(EXPLORE_UNSUPPORTED, "one execution makes more than %zu choices", dfs->room);
		dfs->depth++;
		*node = (struct dfs_node){.count = (uint8_t)count,
		                          .spent = dfs->spent,
		                          .step = (uint32_t)explore_now.steps,
		                          .asleep = dfs->asleep};
	} else if (node->count != count) {
		explore_fail(EXPLORE_UNSUPPORTED,
		             "the program does not do the same thing twice: it depends on something besides the "
		             "schedule (an address, the real clock, memory it did not initialise)");
	}
	dfs->at++;
	return node;
}

static bool affordable(struct explore_dfs *dfs, const struct dfs_node *node, unsigned choice)
{
	if (reduces(dfs) || choice < node->free || node->spent < dfs->bound)
		return true;
	dfs->cut = true;
	return false;
}

/* The first alternative from `from` on that is to be explored; the node's count when there is
 * none. */
static unsigned next_choice(struct explore_dfs *dfs, const struct dfs_node *node, unsigned from)
{
	for (unsigned choice = from; choice < node->count; choice++) {
		uint32_t bit = 1u << node->id[choice];
		if (node->thread && ((node->asleep.whole | node->done | ~node->wanted) & bit))
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
	struct dfs_node *node = arrive(dfs, n, &fresh);
	node->free = node->count;
	return node->chosen;
}

static bool sleeps(const struct explore_dfs *dfs, unsigned id)
{
	return dfs->asleep.whole >> id & 1;
}

/* A new node: who is explored first there. False: everybody sleeps. */
static bool enter(struct explore_dfs *dfs, struct dfs_node *node, const struct explore_candidates *candidates)
{
	node->thread = true;
	node->free = candidates->stays ? 1 : (uint8_t)(candidates->ready > 0 ? candidates->ready : candidates->count);
	for (unsigned i = 0; i < candidates->count; i++) {
		node->id[i] = candidates->id[i];
		node->candidates |= 1u << candidates->id[i];
	}
	node->wanted = node->candidates;
	unsigned choice = next_choice(dfs, node, 0);
	if (choice == node->count)
		return false;
	node->chosen = (uint8_t)choice;
	if (reduces(dfs))
		node->wanted = 1u << node->id[choice];
	return true;
}

static unsigned thread(void *self, const struct explore_candidates *candidates)
{
	struct explore_dfs *dfs = self;
	struct dfs_node *node = NULL;
	unsigned choice = 0;
	bool fresh;
	if (reduces(dfs)) {
		dfs_wake(dfs);
		dfs_race_look(dfs);
	}
	/* Nobody but spinning threads is awake, and what they do will not wake anybody: they
	 * would go on for ever. */
	for (unsigned i = 0; candidates->spinning && i < candidates->ready; i++) {
		if (sleeps(dfs, candidates->id[i]))
			return EXPLORE_PRUNE;
	}
	if (candidates->count > 1) {
		node = arrive(dfs, candidates->count, &fresh);
		if (fresh && !enter(dfs, node, candidates)) {
			dfs->depth--; /* nothing to come back to */
			return EXPLORE_PRUNE;
		}
		choice = node->chosen;
		dfs->spent = node->spent + (choice >= node->free);
	} else if (sleeps(dfs, candidates->id[0])) {
		return EXPLORE_PRUNE;
	}
	if (reduces(dfs)) {
		dfs_lull(dfs, node, candidates->id[choice]);
		dfs_race_step(dfs, candidates->id[choice], node != NULL ? (uint32_t)(node - dfs->node) : DFS_NO_NODE);
	}
	return choice;
}

static bool end(void *self)
{
	struct explore_dfs *dfs = self;
	if (reduces(dfs) && !explore_now.pruned)
		dfs_race_end(dfs);
	while (dfs->depth > 0) {
		struct dfs_node *node = &dfs->node[dfs->depth - 1];
		if (node->thread && reduces(dfs))
			node->done |= 1u << node->id[node->chosen];
		/* Of threads, also earlier ones can have become wanted. */
		unsigned choice = next_choice(dfs, node, node->thread && reduces(dfs) ? 0 : node->chosen + 1u);
		if (choice < node->count) {
			node->chosen = (uint8_t)choice;
			dfs->known = node->step - 1;
			return true;
		}
		dfs->depth--;
	}
	return false;
}

const struct explore_strategy_table explore_dfs_table = {begin, thread, value, end};
