/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <stdlib.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int inside;
static int value;

static void threads(unsigned count, void *(*const *body)(void *))
{
	pthread_t id[3];
	for (unsigned i = 0; i < count; i++)
		pthread_create(&id[i], NULL, body[i], NULL);
	for (unsigned i = 0; i < count; i++)
		pthread_join(id[i], NULL);
}

static void *write_value(void *arg)
{
	pthread_rwlock_wrlock(&lock);
	assert(atomic_fetch_add(&inside, 1) == 0);
	value++;
	atomic_fetch_sub(&inside, 1);
	pthread_rwlock_unlock(&lock);
	return arg;
}

static void *read_value(void *arg)
{
	pthread_rwlock_rdlock(&lock);
	outcome = (unsigned)value;
	pthread_rwlock_unlock(&lock);
	return arg;
}

static void writers_exclude(void)
{
	threads(2, (void *(*[])(void *)){write_value, write_value});
	outcome = (unsigned)value;
}

static void reader_and_writer(void)
{
	threads(2, (void *(*[])(void *)){write_value, read_value});
}

/* Two readers are inside together in some schedule. */
static void *meet(void *arg)
{
	pthread_rwlock_rdlock(&lock);
	if (atomic_fetch_add(&inside, 1) == 1)
		outcome = 1;
	atomic_fetch_sub(&inside, 1);
	pthread_rwlock_unlock(&lock);
	return arg;
}

static void readers_together(void)
{
	threads(2, (void *(*[])(void *)){meet, meet});
}

static void *write_under_read_lock(void *arg)
{
	pthread_rwlock_rdlock(&lock);
	value++;
	pthread_rwlock_unlock(&lock);
	return arg;
}

static void readers_who_write(void)
{
	threads(2, (void *(*[])(void *)){write_under_read_lock, write_under_read_lock});
	exit(value == 3);
}

/* One after the other, as a relaxed flag says: that orders nothing, and neither do two read
 * locks. */
static atomic_int first_is_out;

static void *write_first(void *arg)
{
	write_under_read_lock(arg);
	atomic_store_explicit(&first_is_out, 1, memory_order_relaxed);
	return arg;
}

static void *write_after(void *arg)
{
	if (atomic_load_explicit(&first_is_out, memory_order_relaxed) == 1)
		write_under_read_lock(arg);
	return arg;
}

static void readers_in_turn(void)
{
	threads(2, (void *(*[])(void *)){write_first, write_after});
	exit(value == 3);
}

static void *try_write(void *arg)
{
	int error = pthread_rwlock_trywrlock(&lock);
	if (error == 0) {
		outcome = 1;
		pthread_rwlock_unlock(&lock);
	} else {
		assert(error == EBUSY);
	}
	return arg;
}

static void *hold_read(void *arg)
{
	pthread_rwlock_rdlock(&lock);
	pthread_rwlock_unlock(&lock);
	return arg;
}

static void try_against_reader(void)
{
	threads(2, (void *(*[])(void *)){hold_read, try_write});
}

/* A read lock inside a read lock is fine as long as readers go past writers that wait. */
static void *read_twice(void *arg)
{
	pthread_rwlock_rdlock(arg);
	pthread_rwlock_rdlock(arg);
	pthread_rwlock_unlock(arg);
	pthread_rwlock_unlock(arg);
	return arg;
}

static void *write_once(void *arg)
{
	pthread_rwlock_wrlock(arg);
	pthread_rwlock_unlock(arg);
	return arg;
}

static void reader_twice_and_writer(pthread_rwlock_t *which)
{
	pthread_t reader, writer;
	pthread_create(&reader, NULL, read_twice, which);
	pthread_create(&writer, NULL, write_once, which);
	pthread_join(reader, NULL);
	pthread_join(writer, NULL);
}

static void recursive_reader(void)
{
	reader_twice_and_writer(&lock);
}

static void recursive_reader_behind_writer(void)
{
	pthread_rwlock_t writers_first = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
	reader_twice_and_writer(&writers_first);
}

static void upgrade(void)
{
	pthread_rwlock_rdlock(&lock);
	pthread_rwlock_wrlock(&lock);
}

static void writer_again(void)
{
	pthread_rwlock_wrlock(&lock);
	assert(pthread_rwlock_wrlock(&lock) == EDEADLK);
	assert(pthread_rwlock_rdlock(&lock) == EDEADLK);
	struct timespec past = {.tv_sec = 1};
	pthread_rwlock_unlock(&lock);
	assert(pthread_rwlock_timedrdlock(&lock, &past) == 0);
	assert(pthread_rwlock_timedwrlock(&lock, &past) == ETIMEDOUT);
	pthread_rwlock_unlock(&lock);
	assert(pthread_rwlock_destroy(&lock) == 0);
}

static void unlock_unheld(void)
{
	pthread_rwlock_unlock(&lock);
}

const struct explore_case rwlock_cases[] = {
	RIGHT(writers_exclude, SEEN(2)),
	RIGHT(reader_and_writer, SEEN(0) | SEEN(1)),
	RIGHT(readers_together, SEEN(0) | SEEN(1)),
	RIGHT(try_against_reader, SEEN(0) | SEEN(1)),
	RIGHT(recursive_reader, SEEN(0)),
	RIGHT(writer_again, SEEN(0)),
	WRONG(readers_in_turn, EXPLORE_RACE, "value"),
	WRONG(readers_who_write, EXPLORE_RACE, "value"),
	WRONG(recursive_reader_behind_writer, EXPLORE_DEADLOCK, "pthread_rwlock_rdlock"),
	WRONG(upgrade, EXPLORE_DEADLOCK, "pthread_rwlock_wrlock"),
	WRONG(unlock_unheld, EXPLORE_ASSERT, "does not hold"),
	{0},
};
