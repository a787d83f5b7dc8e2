/* SPDX-License-Identifier: MIT
 *
 * semaphore.c - POSIX semaphores, unnamed. (Named ones are refused where they are opened.)
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

static void take(struct semaphore *record)
{
	record->value--;
	explore_acquire(&record->clock);
}

static int wait_until(sem_t *semaphore, uint64_t deadline, const char *function, uintptr_t pc)
{
	struct semaphore *record = record_of(semaphore, function, pc);
	if (!sync_step(semaphore, sizeof(*semaphore), has_value, record, deadline, function, pc))
		return sync_failed(ETIMEDOUT);
	take(record);
	return 0;
}

int explored_sem_init(sem_t *semaphore, int shared, unsigned value)
{
	(void)shared;
	sync_inside("sem_init");
	if (value > SEM_VALUE_MAX)
		return sync_failed(EINVAL);
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

static int wait_clock(sem_t *semaphore, clockid_t clock, const struct timespec *until, const char *function,
                      uintptr_t pc)
{
	uint64_t deadline;
	if (!sync_until(clock, until, &deadline))
		return sync_failed(EINVAL);
	return wait_until(semaphore, deadline, function, pc);
}

int explored_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline)
{
	return wait_clock(semaphore, clock, deadline, "sem_clockwait", EXPLORE_PC);
}

int explored_sem_timedwait(sem_t *semaphore, const struct timespec *deadline)
{
	return wait_clock(semaphore, CLOCK_REALTIME, deadline, "sem_timedwait", EXPLORE_PC);
}

int explored_sem_trywait(sem_t *semaphore)
{
	struct semaphore *record = record_of(semaphore, "sem_trywait", EXPLORE_PC);
	sync_step(semaphore, sizeof(*semaphore), NULL, record, EXPLORE_NEVER, "sem_trywait", EXPLORE_PC);
	if (record->value == 0) {
		explore_idle();
		return sync_failed(EAGAIN);
	}
	take(record);
	return 0;
}

int explored_sem_post(sem_t *semaphore)
{
	struct semaphore *record = record_of(semaphore, "sem_post", EXPLORE_PC);
	sync_step(semaphore, sizeof(*semaphore), NULL, record, EXPLORE_NEVER, "sem_post", EXPLORE_PC);
	if (record->value == SEM_VALUE_MAX)
		return sync_failed(EOVERFLOW);
	record->value++;
	explore_release(&record->clock);
	return 0;
}

int explored_sem_getvalue(sem_t *semaphore, int *value)
{
	struct semaphore *record = record_of(semaphore, "sem_getvalue", EXPLORE_PC);
	sync_step(semaphore, sizeof(*semaphore), NULL, record, EXPLORE_NEVER, "sem_getvalue", EXPLORE_PC);
	explore_write(value, sizeof(*value), EXPLORE_PC);
	*value = (int)record->value;
	return 0;
}
