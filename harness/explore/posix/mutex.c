/* SPDX-License-Identifier: MIT
 *
 * mutex.c - pthread mutexes: normal, recursive, error-checking, adaptive.
 *
 * A lock waits until nobody holds the mutex: a thread that locks a normal mutex again waits for
 * ever, and is reported as deadlocked. Unlocking is a step of its own: a trylock elsewhere can tell
 * what was done before it from it. Priority protocols change nothing here, since no thread has a
 * priority. Robust mutexes are refused: no thread dies holding one.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <stddef.h>

#define TYPE_MASK   3  /* of __kind, as glibc has it */
#define TYPE_ROBUST 16 /* beside these: priority protocols, process-shared */
#define TYPE_KNOWN  (TYPE_MASK | 32 | 64 | 128)

struct mutex {
	unsigned count; /* how often it is held; 0: free */
	unsigned owner;
	struct explore_clock clock;
};

static int type_of(const pthread_mutex_t *mutex)
{
	return mutex->__data.__kind & TYPE_MASK;
}

/* All but the type must be zero. What lies before and behind it is looked at by itself. */
static struct mutex *record_of(pthread_mutex_t *mutex, const char *function, uintptr_t pc)
{
	int kind = mutex->__data.__kind;
	if ((kind & ~TYPE_KNOWN) != 0)
		/* freed memory is not taken for a wrong type */
		explore_read(mutex, sizeof(*mutex), pc);
	if (kind & TYPE_ROBUST && (kind & ~(TYPE_KNOWN | TYPE_ROBUST)) == 0)
		explore_fail(EXPLORE_UNSUPPORTED, "%s of a robust mutex: not modelled", function);
	if ((kind & ~TYPE_KNOWN) != 0)
		explore_fail(EXPLORE_ASSERT, "%s by T%u of a mutex that was not initialised, or was destroyed",
		             function, explore_self());
	return sync_record(mutex, offsetof(struct __pthread_mutex_s, __kind), SYNC_MUTEX, sizeof(struct mutex),
	                   function, pc);
}

static bool is_free(const struct explore_op *op)
{
	return ((const struct mutex *)op->state)->count == 0;
}

static void hold(struct mutex *record, unsigned count)
{
	record->owner = explore_self();
	record->count = count;
	explore_acquire(&record->clock);
}

/* A step of the mutex, which ends with a look at its first byte. */
static bool step(pthread_mutex_t *mutex, struct mutex *record, bool waits, unsigned flags, uint64_t deadline,
                 const char *name, uintptr_t pc)
{
	struct explore_op op = {.name = name,
	                        .object = mutex,
	                        .size = sizeof(*mutex),
	                        .flags = flags,
	                        .enabled = waits ? is_free : NULL,
	                        .state = record,
	                        .deadline = deadline,
	                        .pc = pc};
	bool now = explore_reach(&op);
	explore_read(mutex, 1, pc);
	return now;
}

/* A relock by the owner, which concerns nobody else. */
static bool relock(pthread_mutex_t *mutex, struct mutex *record, bool wait, int *result)
{
	if (record->count == 0 || record->owner != explore_self())
		return false;
	int type = type_of(mutex);
	if (type == PTHREAD_MUTEX_RECURSIVE) {
		record->count++;
		*result = 0;
	} else if (!wait) {
		*result = EBUSY;
	} else if (type == PTHREAD_MUTEX_ERRORCHECK) {
		*result = EDEADLK;
	} else {
		return false;
	}
	return true;
}

int sync_mutex_lock(pthread_mutex_t *mutex, uint64_t deadline, const char *function, uintptr_t pc)
{
	struct mutex *record = record_of(mutex, function, pc);
	int result;
	if (relock(mutex, record, true, &result))
		return result;
	if (!step(mutex, record, true, EXPLORE_LOCKS, deadline, function, pc))
		return ETIMEDOUT;
	hold(record, 1);
	return 0;
}

int sync_mutex_trylock(pthread_mutex_t *mutex, const char *function, uintptr_t pc)
{
	struct mutex *record = record_of(mutex, function, pc);
	int result;
	if (relock(mutex, record, false, &result))
		return result;
	step(mutex, record, false, 0, EXPLORE_NEVER, function, pc);
	if (record->count > 0) {
		explore_trace("= EBUSY, held by T%u", record->owner);
		explore_idle();
		return EBUSY;
	}
	hold(record, 1);
	return 0;
}

static int check_owner(const pthread_mutex_t *mutex, const struct mutex *record, const char *function)
{
	if (record->count > 0 && record->owner == explore_self())
		return 0;
	if (type_of(mutex) == PTHREAD_MUTEX_ERRORCHECK || type_of(mutex) == PTHREAD_MUTEX_RECURSIVE)
		return EPERM;
	if (record->count > 0)
		explore_fail(EXPLORE_ASSERT, "%s by T%u of a mutex that T%u holds", function, explore_self(),
		             record->owner);
	explore_fail(EXPLORE_ASSERT, "%s by T%u of a mutex that nobody holds", function, explore_self());
}

int sync_mutex_unlock(pthread_mutex_t *mutex, const char *function, uintptr_t pc)
{
	struct mutex *record = record_of(mutex, function, pc);
	int error = check_owner(mutex, record, function);
	if (error != 0)
		return error;
	if (record->count > 1) {
		record->count--;
		return 0;
	}
	step(mutex, record, false, EXPLORE_UNLOCKS, EXPLORE_NEVER, function, pc);
	record->count = 0;
	explore_release_store(&record->clock);
	return 0;
}

int sync_mutex_check(pthread_mutex_t *mutex, const char *function, uintptr_t pc)
{
	return check_owner(mutex, record_of(mutex, function, pc), function);
}

unsigned sync_mutex_release(pthread_mutex_t *mutex, const char *function, uintptr_t pc)
{
	struct mutex *record = record_of(mutex, function, pc);
	unsigned count = record->count;
	step(mutex, record, false, 0, EXPLORE_NEVER, function, pc);
	record->count = 0;
	explore_release_store(&record->clock);
	return count;
}

void sync_mutex_regain(pthread_mutex_t *mutex, unsigned count, const char *function, uintptr_t pc)
{
	struct mutex *record = record_of(mutex, function, pc);
	step(mutex, record, true, EXPLORE_LOCKS, EXPLORE_NEVER, function, pc);
	hold(record, count);
}

int explored_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
	sync_begin(mutex, sizeof(*mutex), SYNC_MUTEX, EXPLORE_PC);
	return pthread_mutex_init(mutex, attributes);
}

int explored_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
	if (explore_active()) {
		struct mutex *record = record_of(mutex, "pthread_mutex_destroy", EXPLORE_PC);
		if (record->count > 0)
			explore_fail(EXPLORE_ASSERT, "pthread_mutex_destroy by T%u of a mutex that T%u holds",
			             explore_self(), record->owner);
	}
	sync_end(mutex, sizeof(*mutex), SYNC_MUTEX, EXPLORE_PC);
	return 0;
}

int explored_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	return explore_active() ? sync_mutex_lock(mutex, EXPLORE_NEVER, "pthread_mutex_lock", EXPLORE_PC)
	                        : pthread_mutex_lock(mutex);
}

int explored_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	return explore_active() ? sync_mutex_trylock(mutex, "pthread_mutex_trylock", EXPLORE_PC)
	                        : pthread_mutex_trylock(mutex);
}

int explored_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	return explore_active() ? sync_mutex_unlock(mutex, "pthread_mutex_unlock", EXPLORE_PC)
	                        : pthread_mutex_unlock(mutex);
}

static int lock_until(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until, const char *function,
                      uintptr_t pc)
{
	uint64_t deadline;
	sync_inside(function);
	return sync_until(clock, until, &deadline) ? sync_mutex_lock(mutex, deadline, function, pc) : EINVAL;
}

int explored_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *deadline)
{
	return lock_until(mutex, clock, deadline, "pthread_mutex_clocklock", EXPLORE_PC);
}

int explored_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *deadline)
{
	return lock_until(mutex, CLOCK_REALTIME, deadline, "pthread_mutex_timedlock", EXPLORE_PC);
}
