/* SPDX-License-Identifier: MIT
 *
 * clock.h - vector clocks: one component a thread, which counts its steps.
 *
 * A thread's clock says which steps of each thread happen-before what it does next. Its own
 * component is the number of the step it is in, its epoch; so step e of thread u happens-before
 * something exactly if that something's clock has at least e in component u (FastTrack: one number
 * and a thread stand for a whole clock).
 */
#ifndef CHANBENCH_EXPLORE_CLOCK_H
#define CHANBENCH_EXPLORE_CLOCK_H

#include "harness/explore/runtime/core.h"

static inline void clock_max(uint32_t *restrict into, const uint32_t *restrict from)
{
	for (unsigned i = 0; i < EXPLORE_THREADS; i++)
		into[i] = into[i] < from[i] ? from[i] : into[i];
}

static inline void clock_join(struct explore_clock *restrict into, const struct explore_clock *restrict from)
{
	clock_max(into->before, from->before);
	clock_max(into->visible, from->visible);
	if (into->fenced < from->fenced)
		into->fenced = from->fenced;
}

static inline uint32_t clock_epoch(const struct explore_thread *thread)
{
	return thread->now.before[explore_id(thread)];
}

/* Begins a new epoch: what is done from now on is not part of what was released before. */
static inline void clock_tick(struct explore_thread *thread)
{
	unsigned id = explore_id(thread);
	thread->now.visible[id] = ++thread->now.before[id];
}

/* What memory orders a clock travels by. */
static inline bool acquires(int order)
{
	return order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
}

static inline bool releases(int order)
{
	return order >= __ATOMIC_RELEASE;
}

/* In memory that lasts as long as the execution. */
static inline struct explore_clock *copy_clock(const struct explore_clock *clock)
{
	struct explore_clock *copy = explore_scratch(sizeof(*copy));
	*copy = *clock;
	return copy;
}

#endif
