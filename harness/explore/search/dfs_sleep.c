/* SPDX-License-Identifier: MIT
 *
 * dfs_sleep.c - which steps commute, and sleep sets (Godefroid 1996).
 *
 * Once all that begins with a step of thread p at some node is explored, p sleeps in the
 * alternatives there until somebody makes a step that does not commute with p's: before that, p's
 * step would only lead to what has been seen.
 *
 * A load can see stores that are not the newest. So a load of an older store commutes with the
 * newer store, as if it had come first: a store that sleeps is not woken by a load (what that may
 * see, it may see after the store as well); and a load that sleeps when another thread stores to
 * its object is woken for what is new only, for all others are explored. That does not go for two
 * seq_cst operations, whose order is part of their meaning (what one seq_cst load of an object saw,
 * the next cannot miss), nor when loads see the newest store only.
 *
 * Of the stores with the same value that a load can see, only the oldest is tried (atomic.c). What
 * a thread reads is the same; by the older store it learns no more than by the newer one, and what
 * it does not know restricts nobody: whatever may follow on the newer may follow on the older. So a
 * load that sleeps is not woken by a store of a value that it could have seen anyway.
 *
 * A futex has two sides: its word and those who wait. A wait reads the one and joins the other; a
 * wake concerns the other only, so it commutes with all loads and stores of the word.
 *
 * A membarrier commutes with nothing but quiet loads: those of a store that happens-before them and
 * is the newest, so that there is nothing else to see, and that carries nothing that the thread
 * does not know. A fence of that thread before or after it makes no difference. (After a membarrier
 * the same load may be quiet because of it.)
 */
#include "harness/explore/search/dfs.h"
#include "harness/explore/memory/atomic.h"

struct dfs_step dfs_pending(unsigned id, bool timed)
{
	const struct explore_op *op = explore_now.thread[id].pending;
	unsigned flags = op->flags;
	if ((flags & EXPLORE_WOKEN) && op->deadline == EXPLORE_NEVER)
		return (struct dfs_step){.id = (uint8_t)id};
	if (op->deadline != EXPLORE_NEVER)
		flags &= ~(unsigned)EXPLORE_LOCKS; /* its deadline may come before */
	if (timed)
		flags = (flags | EXPLORE_TIME) & ~(unsigned)(EXPLORE_READS | EXPLORE_ATOMIC);
	return (struct dfs_step){.object = (uintptr_t)op->object,
	                         .size = (uint32_t)op->size,
	                         .flags = (uint16_t)flags,
	                         .id = (uint8_t)id};
}

static bool overlap(const struct dfs_step *a, const struct dfs_step *b)
{
	return a->object != 0 && b->object != 0 && a->object < b->object + b->size && b->object < a->object + a->size;
}

bool dfs_dependent(const struct dfs_step *a, const struct dfs_step *b)
{
	unsigned either = a->flags | b->flags, both = a->flags & b->flags;
	if (either & EXPLORE_ANY)
		return !(a->quiet && (b->flags & EXPLORE_SC_FENCE)); /* that is a membarrier */
	/* What a seq_cst load saw, a later one cannot miss. */
	bool writes = !(both & EXPLORE_READS) || (both & EXPLORE_ORDERED);
	if ((both & EXPLORE_TIME) && writes)
		return true;
	if ((either & EXPLORE_SC_FENCE) && (both & EXPLORE_ORDERED))
		return true;
	if (!overlap(a, b))
		return false;
	return (both & EXPLORE_QUEUE) || (writes && !(either & EXPLORE_ASIDE));
}

enum relation { COMMUTES, NEWS, CONFLICTS };

/* A thread that goes on looking is forced to see the newest store in the end: then its loads do
 * not commute. */
static bool patient(unsigned id)
{
	const struct explore_thread *thread = &explore_now.thread[id];
	return thread->stale + thread->idle < EXPLORE_STALE_KNOWN;
}

/* What a step does to one that sleeps. */
static enum relation relate(const struct dfs_step *asleep, const struct dfs_step *made)
{
	if (!dfs_dependent(made, asleep))
		return COMMUTES;
	unsigned both = asleep->flags & made->flags;
	if (!(both & EXPLORE_ATOMIC) || (both & EXPLORE_ORDERED) || explore_options.memory == EXPLORE_SC ||
	    asleep->object != made->object || asleep->size != made->size)
		return CONFLICTS;
	if (!made->wrote)
		return patient(made->id) ? COMMUTES : CONFLICTS;
	if (!(asleep->flags & EXPLORE_SEES))
		return CONFLICTS;
	return explore_atomic_news(&explore_now.thread[asleep->id]) ? NEWS : COMMUTES;
}

void dfs_wake(struct explore_dfs *dfs)
{
	struct dfs_sleepers *asleep = &dfs->asleep;
	if (dfs->made == 0)
		return;
	struct dfs_step *made = &dfs->event[dfs->made].step;
	made->wrote = explore_now.wrote;
	made->quiet = explore_now.quiet;
	made->stale = explore_now.stale;
	made->saw = explore_now.saw;
	if ((made->flags & EXPLORE_ATOMIC) && !made->wrote)
		made->flags |= EXPLORE_READS; /* also a compare-exchange that failed */
	asleep->whole &= explore_now.alive;
	asleep->part &= explore_now.alive;
	for (unsigned mask = asleep->whole | asleep->part; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask), bit = 1u << id;
		struct dfs_step step = dfs_pending(id, dfs->timed & bit);
		enum relation relation = relate(&step, made);
		if (relation != COMMUTES)
			asleep->whole &= ~bit;
		if (relation == NEWS)
			asleep->part |= bit;
		else if (relation == CONFLICTS)
			asleep->part &= ~bit;
	}
}

void dfs_lull(struct explore_dfs *dfs, const struct dfs_node *node, unsigned id)
{
	struct dfs_sleepers *asleep = &dfs->asleep;
	if (node != NULL) {
		*asleep = node->asleep;
		asleep->whole |= node->done;
		asleep->part &= ~node->done;
		for (unsigned mask = node->done; mask != 0; mask &= mask - 1)
			asleep->since[__builtin_ctz(mask)] = node->step;
	}
	explore_now.since = asleep->part >> id & 1 ? asleep->since[id] : 0;
	asleep->whole &= ~(1u << id);
	asleep->part &= ~(1u << id);
}
