/* SPDX-License-Identifier: MIT
 *
 * rwlock.c - pthread read-write locks.
 *
 * As in glibc, readers go past writers that wait, unless the lock was made with
 * PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP. For such a lock "a writer waits" is something that
 * others see, so its arrival is a step.
 *
 * A reader synchronises with the writers before it and not with other readers, so there is one
 * clock for each.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>

struct rwlock {
	bool writer_first;
	bool written;
	unsigned writer;
	unsigned writers_waiting;
	unsigned readers;
	unsigned reads[EXPLORE_THREADS]; /* how often each thread holds it for reading */
	struct explore_clock by_writers, by_readers;
};

static struct rwlock *record_of(pthread_rwlock_t *lock, const char *function, uintptr_t pc)
{
	sync_inside(function);
	unsigned *flags = &lock->__data.__flags;
	if (*flags > PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) {
		explore_read(lock, sizeof(*lock), pc);
		explore_fail(EXPLORE_ASSERT, "%s by T%u of a lock that was not initialised, or was destroyed", function,
		             explore_self());
	}
	struct rwlock *record = sync_record(lock, offsetof(struct __pthread_rwlock_arch_t, __flags), SYNC_RWLOCK,
	                                    sizeof(*record), function, pc);
	record->writer_first = *flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
	return record;
}

static bool may_read(const struct explore_op *op)
{
	const struct rwlock *record = op->state;
	return !record->written && !(record->writer_first && record->writers_waiting > 0);
}

static bool may_write(const struct explore_op *op)
{
	const struct rwlock *record = op->state;
	return !record->written && record->readers == 0;
}

static bool hold_read(struct rwlock *record)
{
	record->readers++;
	record->reads[explore_self()]++;
	explore_acquire(&record->by_writers);
	return true;
}

static bool hold_write(struct rwlock *record)
{
	record->written = true;
	record->writer = explore_self();
	explore_acquire(&record->by_writers);
	explore_acquire(&record->by_readers);
	return true;
}

static int read_lock(pthread_rwlock_t *lock, uint64_t deadline, const char *function, uintptr_t pc)
{
	struct rwlock *record = record_of(lock, function, pc);
	if (record->written && record->writer == explore_self())
		return EDEADLK;
	if (!sync_step(lock, sizeof(*lock), may_read, record, deadline, function, pc))
		return ETIMEDOUT;
	hold_read(record);
	return 0;
}

static int write_lock(pthread_rwlock_t *lock, uint64_t deadline, const char *function, uintptr_t pc)
{
	struct rwlock *record = record_of(lock, function, pc);
	if (record->written && record->writer == explore_self())
		return EDEADLK;
	if (record->writer_first)
		sync_step(lock, sizeof(*lock), NULL, record, EXPLORE_NEVER, function, pc);
	record->writers_waiting++;
	bool mine = sync_step(lock, sizeof(*lock), may_write, record, deadline, function, pc);
	record->writers_waiting--;
	if (!mine)
		return ETIMEDOUT;
	hold_write(record);
	return 0;
}

static int lock_until(pthread_rwlock_t *lock, int (*take)(pthread_rwlock_t *, uint64_t, const char *, uintptr_t),
                      clockid_t clock, const struct timespec *until, const char *function, uintptr_t pc)
{
	uint64_t deadline;
	return sync_until(clock, until, &deadline) ? take(lock, deadline, function, pc) : EINVAL;
}

static int try_lock(pthread_rwlock_t *lock, bool (*enabled)(const struct explore_op *), bool (*hold)(struct rwlock *),
                    const char *function, uintptr_t pc)
{
	struct rwlock *record = record_of(lock, function, pc);
	sync_step(lock, sizeof(*lock), NULL, record, EXPLORE_NEVER, function, pc);
	const struct explore_op look = {.state = record};
	if (enabled(&look)) {
		hold(record);
		return 0;
	}
	explore_idle();
	return EBUSY;
}

int explored_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes)
{
	sync_begin(lock, sizeof(*lock), SYNC_RWLOCK, EXPLORE_PC);
	return pthread_rwlock_init(lock, attributes);
}

int explored_pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
	struct rwlock *record = record_of(lock, "pthread_rwlock_destroy", EXPLORE_PC);
	if (record->written || record->readers > 0)
		explore_fail(EXPLORE_ASSERT, "pthread_rwlock_destroy by T%u of a lock that is held", explore_self());
	sync_end(lock, sizeof(*lock), SYNC_RWLOCK, EXPLORE_PC);
	return 0;
}

int explored_pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	return read_lock(lock, EXPLORE_NEVER, "pthread_rwlock_rdlock", EXPLORE_PC);
}

int explored_pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *deadline)
{
	return lock_until(lock, read_lock, CLOCK_REALTIME, deadline, "pthread_rwlock_timedrdlock", EXPLORE_PC);
}

int explored_pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *deadline)
{
	return lock_until(lock, read_lock, clock, deadline, "pthread_rwlock_clockrdlock", EXPLORE_PC);
}

int explored_pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
	return try_lock(lock, may_read, hold_read, "pthread_rwlock_tryrdlock", EXPLORE_PC);
}

int explored_pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	return write_lock(lock, EXPLORE_NEVER, "pthread_rwlock_wrlock", EXPLORE_PC);
}

int explored_pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *deadline)
{
	return lock_until(lock, write_lock, CLOCK_REALTIME, deadline, "pthread_rwlock_timedwrlock", EXPLORE_PC);
}

int explored_pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *deadline)
{
	return lock_until(lock, write_lock, clock, deadline, "pthread_rwlock_clockwrlock", EXPLORE_PC);
}

int explored_pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
	return try_lock(lock, may_write, hold_write, "pthread_rwlock_trywrlock", EXPLORE_PC);
}

int explored_pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	struct rwlock *record = record_of(lock, "pthread_rwlock_unlock", EXPLORE_PC);
	unsigned self = explore_self();
	bool writes = record->written && record->writer == self;
	if (!writes && record->reads[self] == 0)
		explore_fail(EXPLORE_ASSERT, "pthread_rwlock_unlock by T%u of a lock that it does not hold", self);
	sync_step(lock, sizeof(*lock), NULL, record, EXPLORE_NEVER, "pthread_rwlock_unlock", EXPLORE_PC);
	if (writes) {
		record->written = false;
		explore_release_store(&record->by_writers);
		return 0;
	}
	record->reads[self]--;
	record->readers--;
	explore_release(&record->by_readers);
	return 0;
}
