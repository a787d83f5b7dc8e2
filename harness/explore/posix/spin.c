/* SPDX-License-Identifier: MIT
 *
 * spin.c - pthread spin locks. Their spinning is modelled as waiting: what it burns is
 * nobody's business here.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>

struct spin {
	bool held;
	unsigned owner;
	struct explore_clock clock;
};

static struct spin *record_of(pthread_spinlock_t *lock, const char *function, uintptr_t pc)
{
	sync_inside(function);
	return sync_record(lock, sizeof(*lock), SYNC_SPIN, sizeof(struct spin), function, pc);
}

static bool is_free(const struct explore_op *op)
{
	return !((const struct spin *)op->state)->held;
}

static struct spin *reach(pthread_spinlock_t *lock, bool wait, const char *function, uintptr_t pc)
{
	struct spin *record = record_of(lock, function, pc);
	sync_step(lock, sizeof(*lock), wait ? is_free : NULL, record, EXPLORE_NEVER, function, pc);
	return record;
}

static void hold(struct spin *record)
{
	record->held = true;
	record->owner = explore_self();
	explore_acquire(&record->clock);
}

int explored_pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
	(void)shared;
	sync_begin(lock, sizeof(*lock), SYNC_SPIN, EXPLORE_PC);
	return 0;
}

int explored_pthread_spin_destroy(pthread_spinlock_t *lock)
{
	struct spin *record = record_of(lock, "pthread_spin_destroy", EXPLORE_PC);
	if (record->held)
		explore_fail(EXPLORE_ASSERT, "pthread_spin_destroy by T%u of a lock that T%u holds", explore_self(),
		             record->owner);
	sync_end(lock, sizeof(*lock), SYNC_SPIN, EXPLORE_PC);
	return 0;
}

int explored_pthread_spin_lock(pthread_spinlock_t *lock)
{
	hold(reach(lock, true, "pthread_spin_lock", EXPLORE_PC));
	return 0;
}

int explored_pthread_spin_trylock(pthread_spinlock_t *lock)
{
	struct spin *record = reach(lock, false, "pthread_spin_trylock", EXPLORE_PC);
	if (record->held) {
		explore_idle();
		return EBUSY;
	}
	hold(record);
	return 0;
}

int explored_pthread_spin_unlock(pthread_spinlock_t *lock)
{
	struct spin *record = reach(lock, false, "pthread_spin_unlock", EXPLORE_PC);
	if (!record->held || record->owner != explore_self())
		explore_fail(EXPLORE_ASSERT, "pthread_spin_unlock by T%u of a lock that it does not hold",
		             explore_self());
	record->held = false;
	explore_release_store(&record->clock);
	return 0;
}
