/* SPDX-License-Identifier: MIT
 *
 * sync_semaphore.c - POSIX semaphores, unnamed. (Named ones are refused where they are opened.)
 *
 * A wait that succeeds synchronises with all posts before it. EINTR is not among the outcomes: it
 * takes a signal handler, and handlers are not modelled.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <limits.h>
#include <semaphore.h>

/* In the semaphore's first bytes: unlike the others it has no static initialiser. */
#define MADE 0x53454d41u

struct semaphore {
	unsigned value;
	struct explore_clock clock;
};

static struct semaphore *record_of(sem_t *semaphore, const char *function, uintptr_t pc)
{
	sync_inside(function);
	if (*(const unsigned *)(const void *)semaphore != MADE) {
		explore_read(semaphore, sizeof(*semaphore), pc);
		explore_fail(EXPLORE_ASSERT, "%s by T%u of a semaphore that was not initialised, or was destroyed",
		             function, explore_self());
	}
	return explore_object(semaphore, SYNC_SEMAPHORE, sizeof(struct semaphore));
}

static bool has_value(const struct explore_op *op)
{
	return ((const struct semaphore *)op->state)->value > 0;
}

static bool reach(sem_t *semaphore, struct semaphore *record, bool wait, uint64_t deadline, const char *function,
                  uintptr_t pc)
{
	struct explore_op op = {.name = function,
	                        .object = semaphore,
	                        .size = sizeof(*semaphore),
	                        .enabled = wait ? has_value : NULL,
	                        .state = record,
	                        .deadline = deadline,
	                        .pc = pc};
	bool now = explore_reach(&op);
	explore_read(semaphore, 1, pc);
	return now;
}

static void take(struct semaphore *record)
{
	record->value--;
	explore_acquire(&record->clock);
}

static int wait_until(sem_t *semaphore, uint64_t deadline, const char *function, uintptr_t pc)
{
	struct semaphore *record = record_of(semaphore, function, pc);
	if (!reach(semaphore, record, true, deadline, function, pc)) {
		errno = ETIMEDOUT;
		return -1;
	}
	take(record);
	return 0;
}

int explored_sem_init(sem_t *semaphore, int shared, unsigned value)
{
	(void)shared;
	sync_inside("sem_init");
	if (value > SEM_VALUE_MAX) {
		errno = EINVAL;
		return -1;
	}
	sync_begin(semaphore, sizeof(*semaphore), SYNC_SEMAPHORE, EXPLORE_PC);
	*(unsigned *)(void *)semaphore = MADE;
	record_of(semaphore, "sem_init", EXPLORE_PC)->value = value;
	return 0;
}

int explored_sem_destroy(sem_t *semaphore)
{
	record_of(semaphore, "sem_destroy", EXPLORE_PC);
	sync_end(semaphore, sizeof(*semaphore), SYNC_SEMAPHORE, EXPLORE_PC);
	return 0;
}

int explored_sem_wait(sem_t *semaphore)
{
	return wait_until(semaphore, EXPLORE_NEVER, "sem_wait", EXPLORE_PC);
}

int explored_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline)
{
	if (!sync_clock_known(clock) || !sync_time_valid(deadline)) {
		errno = EINVAL;
		return -1;
	}
	return wait_until(semaphore, sync_deadline(clock, deadline), "sem_clockwait", EXPLORE_PC);
}

int explored_sem_timedwait(sem_t *semaphore, const struct timespec *deadline)
{
	if (!sync_time_valid(deadline)) {
		errno = EINVAL;
		return -1;
	}
	return wait_until(semaphore, sync_deadline(CLOCK_REALTIME, deadline), "sem_timedwait", EXPLORE_PC);
}

int explored_sem_trywait(sem_t *semaphore)
{
	struct semaphore *record = record_of(semaphore, "sem_trywait", EXPLORE_PC);
	reach(semaphore, record, false, EXPLORE_NEVER, "sem_trywait", EXPLORE_PC);
	if (record->value == 0) {
		explore_idle();
		errno = EAGAIN;
		return -1;
	}
	take(record);
	return 0;
}

int explored_sem_post(sem_t *semaphore)
{
	struct semaphore *record = record_of(semaphore, "sem_post", EXPLORE_PC);
	reach(semaphore, record, false, EXPLORE_NEVER, "sem_post", EXPLORE_PC);
	if (record->value == SEM_VALUE_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	record->value++;
	explore_release(&record->clock);
	return 0;
}

int explored_sem_getvalue(sem_t *semaphore, int *value)
{
	struct semaphore *record = record_of(semaphore, "sem_getvalue", EXPLORE_PC);
	reach(semaphore, record, false, EXPLORE_NEVER, "sem_getvalue", EXPLORE_PC);
	explore_write(value, sizeof(*value), EXPLORE_PC);
	*value = (int)record->value;
	return 0;
}
