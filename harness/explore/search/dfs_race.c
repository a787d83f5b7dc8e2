/* SPDX-License-Identifier: MIT
 *
 * dfs_race.c - dynamic partial-order reduction (Flanagan, Godefroid 2005), with the source sets of
 * Abdulla, Aronis, Jonsson and Sagonas (2014).
 *
 * Most alternatives lead to nothing new: that somebody else could have gone first matters only if
 * his step, or what comes of it, does not commute with what was done instead. So a node begins with
 * one alternative, and gets others when they turn out to matter. The step of a thread p is compared
 * with those that were made before. One that it does not commute with, and that does not come
 * before it anyway, races with it: at the node at which that one was chosen, the other order has to
 * be explored, too. That begins with p, or with whoever must go before p's step.
 *
 * "Comes before it anyway" is kept as vector clocks, over numbers of steps: of the same thread; of
 * those that it does not commute with; of the thread that created it; of the thread it joins; of
 * the step that ended its being blocked.
 *
 * A step is compared when it is made. One that is blocked, or becomes so, is compared at that
 * moment, too: what then keeps it from coming first may itself come before it when it is made at
 * last, as the unlocking of a mutex does. And so is what is pending when the program ends.
 */
#include "harness/explore/search/dfs.h"
#include <string.h>

static void join(uint32_t *restrict into, const uint32_t *restrict from)
{
	for (unsigned i = 0; i < EXPLORE_THREADS; i++)
		into[i] = into[i] < from[i] ? from[i] : into[i];
}

void dfs_race_begin(struct explore_dfs *dfs)
{
	dfs->made = 0;
	memset(dfs->latest, 0, sizeof(dfs->latest));
	dfs->timed = dfs->blocked = dfs->alive = 0;
}

/* At the node where step `number` was chosen, something is to be explored that begins with one
 * of `first`. What is explored there anyway will do, as will what sleeps there: that has been
 * explored elsewhere. */
static void want(struct explore_dfs *dfs, uint64_t number, uint32_t first, unsigned preferred)
{
	if (dfs->event[number].node == DFS_NO_NODE)
		return;
	struct dfs_node *node = &dfs->node[dfs->event[number].node];
	first &= node->candidates;
	if (first == 0)
		node->wanted |= node->candidates;
	else if ((first & (node->wanted | node->asleep.whole)) == 0)
		node->wanted |= first >> preferred & 1 ? 1u << preferred : first & -first;
}

/* A step with these predecessors could be the first of those that began (in `begun`, by thread)
 * without step `number`. */
static bool is_first(const uint32_t *before, const uint32_t *begun)
{
	for (unsigned i = 0; i < EXPLORE_THREADS; i++) {
		if (begun[i] != 0 && before[i] >= begun[i])
			return false;
	}
	return true;
}

/* The pending step of thread `id`, with these predecessors, races with step `number`: it could
 * be made before that, after those steps since then that do not come after `number` anyway. Who
 * could begin with that? */
static void reverse(struct explore_dfs *dfs, uint64_t number, unsigned id, const uint32_t *before)
{
	uint32_t begun[EXPLORE_THREADS] = {0}, first = 0;
	unsigned other = dfs->event[number].step.id;
	for (uint64_t at = number + 1; at <= dfs->made; at++) {
		const struct dfs_event *event = &dfs->event[at];
		unsigned by = event->step.id;
		if (event->before[other] >= number || begun[by] != 0)
			continue;
		event = &dfs->event[at];
		begun[by] = UINT32_MAX; /* its own number is among its predecessors */
		if (is_first(event->before, begun))
			first |= 1u << by;
		begun[by] = (uint32_t)at;
	}
	if (is_first(before, begun))
		first |= 1u << id;
	want(dfs, number, first, id);
}

/* Up to which step everything comes before a step with these predecessors: there is nothing to
 * compare. */
static uint64_t settled(const struct explore_dfs *dfs, const uint32_t *before)
{
	uint64_t up_to = dfs->made;
	for (unsigned i = 0; i < EXPLORE_THREADS; i++) {
		if (dfs->latest[i] > before[i] && before[i] < up_to)
			up_to = before[i];
	}
	return up_to;
}

/* A lock cannot come before the unlock that it waits for. It may come before the lock that
 * belongs to that. */
static bool is_fixed(const struct dfs_step *earlier, const struct dfs_step *step)
{
	return (earlier->flags & EXPLORE_UNLOCKS) && (step->flags & EXPLORE_LOCKS);
}

static void compare(struct explore_dfs *dfs, const struct dfs_step *step)
{
	uint32_t before[EXPLORE_THREADS], all[EXPLORE_THREADS];
	uint64_t end = settled(dfs, dfs->before[step->id]);
	memcpy(all, dfs->before[step->id], sizeof(all));
	for (uint64_t number = dfs->made; number > end; number--) {
		const struct dfs_event *event = &dfs->event[number];
		if (all[event->step.id] < number && dfs_dependent(&event->step, step))
			join(all, event->before);
	}
	memcpy(before, dfs->before[step->id], sizeof(before));
	for (uint64_t number = dfs->made; number > end; number--) {
		const struct dfs_event *event = &dfs->event[number];
		if (before[event->step.id] >= number || !dfs_dependent(&event->step, step) ||
		    is_fixed(&event->step, step))
			continue;
		join(before, event->before);
		if (event->step.id != step->id)
			reverse(dfs, number, step->id, all);
	}
}

static uint32_t who_is_blocked(void)
{
	uint32_t blocked = 0;
	for (unsigned mask = explore_now.alive & explore_now.conditional; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		const struct explore_op *op = explore_now.thread[id].pending;
		if (!op->enabled(op))
			blocked |= 1u << id;
	}
	return blocked;
}

/* A load of an old store might as well have come before the newer ones. */
static bool follows(const struct dfs_step *step, const struct dfs_step *earlier, uint64_t number)
{
	if (step->stale && number > step->saw && (earlier->flags & EXPLORE_ATOMIC) && earlier->object == step->object &&
	    earlier->size == step->size)
		return false;
	return dfs_dependent(earlier, step);
}

/* What comes before the last step. */
static void order(struct explore_dfs *dfs)
{
	struct dfs_event *event = &dfs->event[dfs->made];
	memcpy(event->before, dfs->anyway, sizeof(event->before));
	for (uint64_t at = dfs->made - 1, end = settled(dfs, event->before); at > end; at--) {
		const struct dfs_event *earlier = &dfs->event[at];
		if (event->before[earlier->step.id] < at && follows(&event->step, &earlier->step, at))
			join(event->before, earlier->before);
	}
	event->before[event->step.id] = (uint32_t)dfs->made;
}

void dfs_race_look(struct explore_dfs *dfs)
{
	uint32_t timed = 0, blocked = who_is_blocked(), alive = explore_now.alive;
	bool fresh = dfs->made > dfs->known;
	if (fresh && dfs->event[dfs->made].step.stale) {
		order(dfs);
		memcpy(dfs->before[dfs->event[dfs->made].step.id], dfs->event[dfs->made].before, sizeof(dfs->anyway));
	}
	for (unsigned mask = blocked; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		if (explore_now.thread[id].pending->deadline != EXPLORE_NEVER)
			timed |= 1u << id;
	}
	for (unsigned mask = alive & ~dfs->alive; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		if (dfs->made == 0)
			memset(dfs->before[id], 0, sizeof(dfs->before[id]));
		else
			memcpy(dfs->before[id], dfs->before[explore_self()], sizeof(dfs->before[id]));
	}
	unsigned last = dfs->made > 0 ? dfs->event[dfs->made].step.id : EXPLORE_NO_THREAD;
	for (unsigned mask = alive; mask != 0 && dfs->made > 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask), bit = 1u << id;
		/* its step was pending before the last one */
		bool known = id != last && (dfs->alive & bit);
		if (known &&
		    /* else its deadline might have come before */
		    (dfs->blocked & ~dfs->timed & ~blocked & bit))
			join(dfs->before[id], dfs->event[dfs->made].before);
		if (fresh && (blocked & bit) && !(known && (dfs->blocked & bit))) {
			struct dfs_step step = dfs_pending(id, timed & bit);
			compare(dfs, &step);
		}
	}
	dfs->timed = timed;
	dfs->blocked = blocked;
	dfs->alive = alive;
}

void dfs_race_step(struct explore_dfs *dfs, unsigned id, uint32_t node)
{
	uint64_t number = dfs->made + 1;
	struct dfs_event *event = &dfs->event[number];
	if (number > dfs->known) {
		const struct explore_op *op = explore_now.thread[id].pending;
		event->step = dfs_pending(id, dfs->timed >> id & 1);
		compare(dfs, &event->step);
		event->node = node;
		memcpy(dfs->anyway, dfs->before[id], sizeof(dfs->anyway));
		if ((op->flags & EXPLORE_JOINS) && !(dfs->timed >> id & 1))
			join(dfs->anyway, dfs->before[op->argument]);
	}
	dfs->made = number;
	if (number > dfs->known)
		order(dfs);
	memcpy(dfs->before[id], event->before, sizeof(event->before));
	dfs->latest[id] = (uint32_t)number;
}

void dfs_race_end(struct explore_dfs *dfs)
{
	for (unsigned mask = explore_now.alive & dfs->alive; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		struct dfs_step step = dfs_pending(id, dfs->timed >> id & 1);
		if (id != dfs->event[dfs->made].step.id)
			compare(dfs, &step);
	}
}
