/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

unsigned outcome;

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spin;
static int counter;

static void *count(void *arg)
{
	pthread_mutex_lock(&a);
	counter++;
	pthread_mutex_unlock(&a);
	return arg;
}

static void excludes(void)
{
	two_threads(count, count);
	assert(counter == 2);
}

static void *count_without(void *arg)
{
	counter++;
	return arg;
}

static void unlocked(void)
{
	two_threads(count, count_without);
	exit(counter == 3);
}

static void *ab(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	return arg;
}

static void *ba(void *arg)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

static void same_order(void)
{
	two_threads(ab, ab);
}

static void crossed(void)
{
	two_threads(ab, ba);
}

static void *ba_try(void *arg)
{
	pthread_mutex_lock(&b);
	if (pthread_mutex_trylock(&a) == 0) {
		pthread_mutex_unlock(&a);
		outcome = 1;
	}
	pthread_mutex_unlock(&b);
	return arg;
}

static void crossed_with_trylock(void)
{
	two_threads(ab, ba_try);
}

static void *ba_timed(void *arg)
{
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec++;
	pthread_mutex_lock(&b);
	int error = pthread_mutex_timedlock(&a, &deadline);
	if (error == 0)
		pthread_mutex_unlock(&a);
	else
		assert(error == ETIMEDOUT);
	outcome = error == 0;
	pthread_mutex_unlock(&b);
	return arg;
}

static void crossed_with_timedlock(void)
{
	two_threads(ab, ba_timed);
}

static void *recurse(void *arg)
{
	pthread_mutex_t *mutex = arg;
	assert(pthread_mutex_lock(mutex) == 0);
	assert(pthread_mutex_trylock(mutex) == 0);
	counter++;
	assert(pthread_mutex_unlock(mutex) == 0);
	counter++;
	assert(pthread_mutex_unlock(mutex) == 0);
	assert(pthread_mutex_unlock(mutex) == EPERM);
	return NULL;
}

static void recursive(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_t *mutex = malloc(sizeof(*mutex));
	pthread_mutex_init(mutex, &attributes);
	pthread_t thread;
	pthread_create(&thread, NULL, recurse, mutex);
	recurse(mutex);
	pthread_join(thread, NULL);
	assert(counter == 4);
	pthread_mutex_destroy(mutex);
	free(mutex);
}

static void relock(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&a);
}

static void relock_checked(void)
{
	pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
	assert(pthread_mutex_unlock(&mutex) == EPERM);
	assert(pthread_mutex_lock(&mutex) == 0);
	assert(pthread_mutex_lock(&mutex) == EDEADLK);
	assert(pthread_mutex_trylock(&mutex) == EBUSY);
	assert(pthread_mutex_unlock(&mutex) == 0);
}

static void *unlock_a(void *arg)
{
	pthread_mutex_unlock(&a);
	return arg;
}

static void *nothing(void *arg)
{
	return arg;
}

static void unlock_of_another(void)
{
	pthread_mutex_lock(&a);
	two_threads(unlock_a, nothing);
}

static void not_initialised(void)
{
	pthread_mutex_t *mutex = malloc(sizeof(*mutex));
	pthread_mutex_lock(mutex);
}

static void lock_after_destroy(void)
{
	pthread_mutex_destroy(&a);
	pthread_mutex_lock(&a);
}

static void destroy_while_held(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_destroy(&a);
}

static void lock_after_free(void)
{
	pthread_mutex_t *mutex = malloc(sizeof(*mutex));
	pthread_mutex_init(mutex, NULL);
	free(mutex);
	pthread_mutex_lock(mutex);
}

static void *lock_late(void *arg)
{
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
	return arg;
}

/* Nothing orders the initialisation before the use: not a matter of when. */
static void initialised_too_late(void)
{
	pthread_mutex_t *mutex = calloc(1, sizeof(*mutex));
	pthread_t thread;
	pthread_create(&thread, NULL, lock_late, mutex);
	pthread_mutex_init(mutex, NULL);
	pthread_join(thread, NULL);
	free(mutex);
}

static void robust(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_t mutex;
	pthread_mutex_init(&mutex, &attributes);
	pthread_mutex_lock(&mutex);
}

static void *count_spinning(void *arg)
{
	pthread_spin_lock(&spin);
	counter++;
	pthread_spin_unlock(&spin);
	return arg;
}

static void *count_trying(void *arg)
{
	if (pthread_spin_trylock(&spin) == 0) {
		counter++;
		pthread_spin_unlock(&spin);
	}
	return arg;
}

static void spins(void)
{
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	two_threads(count_spinning, count_trying);
	outcome = (unsigned)counter;
	pthread_spin_destroy(&spin);
}

/* A trylock tells what was done before the unlock: unlocking has to be a step of its own. */
static _Atomic int flag;

static void *set_then_unlock(void *arg)
{
	pthread_mutex_lock(&a);
	flag = 1;
	pthread_mutex_unlock(&a);
	return arg;
}

static void *look_then_try(void *arg)
{
	if (flag != 1)
		return arg;
	outcome = 1;
	if (pthread_mutex_trylock(&a) == 0) {
		outcome = 2;
		pthread_mutex_unlock(&a);
	}
	return arg;
}

static void unlock_is_seen(void)
{
	two_threads(set_then_unlock, look_then_try);
}

const struct explore_case mutex_cases[] = {
	RIGHT(excludes, SEEN(0)),
	RIGHT(same_order, SEEN(0)),
	RIGHT(crossed_with_trylock, SEEN(0) | SEEN(1)),
	RIGHT(crossed_with_timedlock, SEEN(0) | SEEN(1)),
	RIGHT(recursive, SEEN(0)),
	RIGHT(relock_checked, SEEN(0)),
	RIGHT(spins, SEEN(1) | SEEN(2)),
	RIGHT(unlock_is_seen, SEEN(0) | SEEN(1) | SEEN(2)),
	WRONG(unlocked, EXPLORE_RACE, "counter"),
	WRONG(crossed, EXPLORE_DEADLOCK, "pthread_mutex_lock"),
	WRONG(relock, EXPLORE_DEADLOCK, "pthread_mutex_lock"),
	WRONG(unlock_of_another, EXPLORE_ASSERT, "of a mutex that T0 holds"),
	WRONG(not_initialised, EXPLORE_ASSERT, "not initialised"),
	WRONG(lock_after_destroy, EXPLORE_ASSERT, "destroyed"),
	WRONG(destroy_while_held, EXPLORE_ASSERT, "T0 holds"),
	WRONG(lock_after_free, EXPLORE_USE_AFTER_FREE, "freed memory"),
	WRONG(initialised_too_late, EXPLORE_RACE, "data race"),
	WRONG(robust, EXPLORE_UNSUPPORTED, "robust"),
	{0},
};
