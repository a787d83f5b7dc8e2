/* SPDX-License-Identifier: MIT
 *
 * condition.c - pthread condition variables.
 *
 * A wait is made of four steps, each about one object: it joins the queue; it lets go of the mutex;
 * it is woken (or its deadline comes); it has the mutex again. Joining before letting go is what
 * glibc does, and within POSIX: the thread that gets the mutex from the waiter finds it in the
 * queue. One step for both would depend on two objects, and a search by sleep sets would have to
 * try its order with everything: it takes ten times the schedules.
 *
 * A spurious wakeup is a wait that does not queue up, but lets go of the mutex: how long it is then
 * kept from getting it back is up to the schedule, so that is every spurious wakeup there is.
 * Waking synchronises nothing by itself; the mutex does.
 *
 * Once woken, a waiter does not touch the condition variable again: it may be destroyed as soon as
 * all are woken.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>

struct condition {
	struct sync_queue queue;
	clockid_t clock;
	bool clock_known; /* else it is CLOCK_REALTIME */
};

static struct condition *record_of(pthread_cond_t *condition, const char *function, uintptr_t pc)
{
	sync_inside(function);
	return sync_record(condition, sizeof(*condition), SYNC_CONDITION, sizeof(struct condition), function, pc);
}

int sync_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline, const char *function,
                        uintptr_t pc)
{
	struct condition *record = record_of(condition, function, pc);
	struct sync_waiter waiter = {0};
	if (sync_mutex_check(mutex, function, pc) != 0)
		return EPERM;
	sync_step(condition, sizeof(*condition), NULL, NULL, EXPLORE_NEVER, function, pc);
	bool spurious = explore_spurious(function);
	if (!spurious)
		sync_enqueue(&record->queue, &waiter);
	unsigned count = sync_mutex_release(mutex, "unlock, to wait", pc);
	int result = 0;
	if (!spurious) {
		struct explore_op wake = {.name = function,
		                          .object = condition,
		                          .size = sizeof(*condition),
		                          .enabled = sync_woken,
		                          .state = &waiter,
		                          .deadline = deadline,
		                          .pc = pc};
		if (!explore_reach(&wake)) {
			sync_dequeue(&waiter);
			result = ETIMEDOUT;
		}
	}
	sync_mutex_regain(mutex, count, function, pc);
	return result;
}

int sync_condition_wake(pthread_cond_t *condition, unsigned count, const char *function, uintptr_t pc)
{
	struct condition *record = record_of(condition, function, pc);
	sync_step(condition, sizeof(*condition), NULL, NULL, EXPLORE_NEVER, function, pc);
	unsigned woken = sync_wake(&record->queue, count, NULL, 0);
	explore_trace("wakes %u", woken);
	return 0;
}

int explored_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
	sync_begin(condition, sizeof(*condition), SYNC_CONDITION, EXPLORE_PC);
	if (attributes == NULL)
		return 0;
	clockid_t clock;
	pthread_condattr_getclock(attributes, &clock);
	if (!explore_active()) {
		if (clock != CLOCK_REALTIME)
			sync_inside("pthread_cond_init with a clock");
		return 0;
	}
	struct condition *record = record_of(condition, "pthread_cond_init", EXPLORE_PC);
	record->clock = clock;
	record->clock_known = true;
	return 0;
}

int explored_pthread_cond_destroy(pthread_cond_t *condition)
{
	struct condition *record = record_of(condition, "pthread_cond_destroy", EXPLORE_PC);
	if (record->queue.first != NULL)
		explore_fail(EXPLORE_ASSERT, "pthread_cond_destroy by T%u of a condition variable that others wait on",
		             explore_self());
	sync_end(condition, sizeof(*condition), SYNC_CONDITION, EXPLORE_PC);
	return 0;
}

int explored_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	return sync_condition_wait(condition, mutex, EXPLORE_NEVER, "pthread_cond_wait", EXPLORE_PC);
}

int explored_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *deadline)
{
	if (!sync_time_valid(deadline))
		return EINVAL;
	struct condition *record = record_of(condition, "pthread_cond_timedwait", EXPLORE_PC);
	clockid_t clock = record->clock_known ? record->clock : CLOCK_REALTIME;
	return sync_condition_wait(condition, mutex, sync_deadline(clock, deadline), "pthread_cond_timedwait",
	                           EXPLORE_PC);
}

int explored_pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                                    const struct timespec *deadline)
{
	uint64_t until;
	if (!sync_until(clock, deadline, &until))
		return EINVAL;
	return sync_condition_wait(condition, mutex, until, "pthread_cond_clockwait", EXPLORE_PC);
}

int explored_pthread_cond_signal(pthread_cond_t *condition)
{
	return sync_condition_wake(condition, 1, "pthread_cond_signal", EXPLORE_PC);
}

int explored_pthread_cond_broadcast(pthread_cond_t *condition)
{
	return sync_condition_wake(condition, EXPLORE_THREADS, "pthread_cond_broadcast", EXPLORE_PC);
}
