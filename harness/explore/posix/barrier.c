/* SPDX-License-Identifier: MIT
 *
 * barrier.c - pthread barriers.
 *
 * Arriving is a step, and leaving is one. The last to arrive begins a new round, so that a thread
 * which comes again does not meet those that still leave; it is the one that gets
 * PTHREAD_BARRIER_SERIAL_THREAD. A thread that leaves does not touch the barrier, which may be
 * destroyed by the first that has left.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>

#define MADE 0x42415252u

struct round {
	bool over;
	struct explore_clock clock;
};

struct barrier {
	unsigned parties, arrived;
	struct round *round;
};

static struct barrier *record_of(pthread_barrier_t *barrier, const char *function, uintptr_t pc)
{
	sync_inside(function);
	if (*(const unsigned *)(const void *)barrier != MADE) {
		explore_read(barrier, sizeof(*barrier), pc);
		explore_fail(EXPLORE_ASSERT, "%s by T%u of a barrier that was not initialised, or was destroyed",
		             function, explore_self());
	}
	return explore_object(barrier, SYNC_BARRIER, sizeof(struct barrier));
}

static bool is_over(const struct explore_op *op)
{
	return ((const struct round *)op->state)->over;
}

int explored_pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes, unsigned count)
{
	(void)attributes;
	sync_inside("pthread_barrier_init");
	if (count == 0)
		return EINVAL;
	sync_begin(barrier, sizeof(*barrier), SYNC_BARRIER, EXPLORE_PC);
	*(unsigned *)(void *)barrier = MADE;
	struct barrier *record = record_of(barrier, "pthread_barrier_init", EXPLORE_PC);
	record->parties = count;
	record->round = explore_scratch(sizeof(*record->round));
	return 0;
}

int explored_pthread_barrier_destroy(pthread_barrier_t *barrier)
{
	struct barrier *record = record_of(barrier, "pthread_barrier_destroy", EXPLORE_PC);
	if (record->arrived > 0)
		explore_fail(EXPLORE_ASSERT, "pthread_barrier_destroy by T%u of a barrier at which %u wait",
		             explore_self(), record->arrived);
	sync_end(barrier, sizeof(*barrier), SYNC_BARRIER, EXPLORE_PC);
	return 0;
}

int explored_pthread_barrier_wait(pthread_barrier_t *barrier)
{
	struct barrier *record = record_of(barrier, "pthread_barrier_wait", EXPLORE_PC);
	sync_step(barrier, sizeof(*barrier), NULL, NULL, EXPLORE_NEVER, "pthread_barrier_wait", EXPLORE_PC);
	struct round *round = record->round;
	explore_release(&round->clock);
	if (++record->arrived == record->parties) {
		round->over = true;
		record->arrived = 0;
		record->round = explore_scratch(sizeof(*record->round));
		explore_acquire(&round->clock);
		return PTHREAD_BARRIER_SERIAL_THREAD;
	}
	struct explore_op leave = {.name = "pthread_barrier_wait",
	                           .object = barrier,
	                           .size = sizeof(*barrier),
	                           .enabled = is_over,
	                           .state = round,
	                           .deadline = EXPLORE_NEVER,
	                           .pc = EXPLORE_PC};
	explore_reach(&leave);
	explore_acquire(&round->clock);
	return 0;
}
