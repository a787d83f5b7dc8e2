/* SPDX-License-Identifier: MIT
 *
 * fence.c - fences of the C11 memory model, the kernel's membarrier, and synchronisation objects
 * that are not atomics.
 */
#include "harness/explore/memory/atomic.h"
#include "harness/explore/memory/clock.h"

static void fence(struct explore_thread *self, int order)
{
	if (acquires(order))
		clock_join(&self->now, &self->acquired);
	if (order == __ATOMIC_SEQ_CST) {
		clock_max(explore_now.visible, self->now.visible);
		clock_max(self->now.visible, explore_now.visible);
		self->now.fenced = ++explore_now.place;
	}
	if (releases(order)) {
		self->fence = copy_clock(&self->now);
		clock_tick(self);
	}
}

void explore_fence(void)
{
	fence(explore_now.current, __ATOMIC_SEQ_CST);
}

void explore_fence_all(void)
{
	explore_fence();
	/* ended ones, too: their stores are out as well */
	for (unsigned id = 0; id < explore_now.threads; id++)
		fence(&explore_now.thread[id], __ATOMIC_SEQ_CST);
	explore_fence();
}

/* A fence that is not seq_cst concerns its own thread only, and needs no scheduling point. */
void explore_atomic_fence(int order, uintptr_t pc)
{
	if (order == __ATOMIC_SEQ_CST) {
		struct explore_op op = {.name = "seq_cst fence",
		                        .flags = EXPLORE_ORDERED | EXPLORE_SC_FENCE,
		                        .deadline = EXPLORE_NEVER,
		                        .pc = pc};
		explore_reach(&op);
	}
	fence(explore_now.current, order);
}

/* ---- synchronisation objects that are not atomics ---- */

void explore_acquire(const struct explore_clock *clock)
{
	clock_join(explore_clock(), clock);
}

void explore_release(struct explore_clock *clock)
{
	clock_join(clock, explore_clock());
	clock_tick(explore_now.current);
}

void explore_release_store(struct explore_clock *clock)
{
	*clock = *explore_clock();
	clock_tick(explore_now.current);
}
