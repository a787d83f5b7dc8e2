/* SPDX-License-Identifier: MIT
 *
 * cases_settle.c - waiting until nothing moves, and time that does not run ahead (look.h).
 */
#include "harness/explore/under_test/cases.h"
#include "harness/explore/under_test/../look.h"
#include <assert.h>
#include <stdlib.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000u

static sem_t go, done;
static atomic_int x, y, stop;
static int plain;

static void *store_and_wait(void *arg)
{
	atomic_store_explicit(&x, 1, memory_order_relaxed);
	atomic_store_explicit(&y, 1, memory_order_relaxed);
	sem_wait(&go);
	atomic_store_explicit(&x, 2, memory_order_relaxed);
	return arg;
}

static void sees_all_that_was_done(void)
{
	pthread_t threads[2];
	sem_init(&go, 0, 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, store_and_wait, NULL);
	explore_settle();
	assert(atomic_load_explicit(&x, memory_order_relaxed) == 1);
	assert(atomic_load_explicit(&y, memory_order_relaxed) == 1);
	sem_post(&go);
	sem_post(&go);
	explore_settle(); /* ended threads are quiet, too */
	assert(atomic_load_explicit(&x, memory_order_relaxed) == 2);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

static void *write_plain(void *arg)
{
	plain = 1;
	sem_wait(&go);
	return arg;
}

static void orders_nothing(void)
{
	pthread_t thread;
	sem_init(&go, 0, 0);
	pthread_create(&thread, NULL, write_plain, NULL);
	explore_settle();
	int seen_here = plain;
	sem_post(&go);
	pthread_join(thread, NULL);
	exit(seen_here - 1);
}

static void *settle_too(void *arg)
{
	explore_settle();
	sem_post(&done);
	return arg;
}

static void two_settle(void)
{
	pthread_t thread;
	sem_init(&done, 0, 0);
	pthread_create(&thread, NULL, settle_too, NULL);
	explore_settle();
	sem_wait(&done);
	pthread_join(thread, NULL);
}

static void *wait_for(void *arg)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += *(time_t *)arg;
	until.tv_nsec += until.tv_nsec + 1000 < 1000000000 ? 1000 : 0;
	outcome = sem_timedwait(&go, &until) == 0 ? 1 : 2;
	return NULL;
}

static int waits_against_a_post(time_t seconds)
{
	pthread_t thread;
	explore_patience(SECOND);
	sem_init(&go, 0, 0);
	pthread_create(&thread, NULL, wait_for, &seconds);
	explore_settle();
	sem_post(&go);
	pthread_join(thread, NULL);
	return 0;
}

/* A microsecond: it may come before the post, or not. */
static void near_deadline_may_come(void)
{
	exit(waits_against_a_post(0));
}

/* An hour: it does not, while anybody can go on. */
static void far_deadline_waits(void)
{
	exit(waits_against_a_post(3600));
}

static void *sleep_then_first(void *arg)
{
	sleep(*(unsigned *)arg * 3600);
	if (atomic_exchange(&x, 1) == 0)
		outcome = *(unsigned *)arg;
	return NULL;
}

/* Neither is near; the nearest comes first, for nobody else can go on. */
static void far_deadlines_in_order(void)
{
	static unsigned one = 1, two = 2;
	pthread_t threads[2];
	explore_patience(SECOND);
	pthread_create(&threads[0], NULL, sleep_then_first, &two);
	pthread_create(&threads[1], NULL, sleep_then_first, &one);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

static void *poll_until_stopped(void *arg)
{
	while (!atomic_load(&stop))
		sched_yield();
	return arg;
}

static void never_settles(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, poll_until_stopped, NULL);
	explore_settle();
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
}

static void *wait_without_looking(void *arg)
{
	if (!atomic_load(&stop))
		sem_wait(&go); /* it was posted to nobody, or it was not */
	return arg;
}

static void settles_and_hangs(void)
{
	pthread_t thread;
	sem_init(&go, 0, 0);
	pthread_create(&thread, NULL, wait_without_looking, NULL);
	explore_settle();
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
}

const struct explore_case settle_cases[] = {
	RIGHT(sees_all_that_was_done, SEEN(0)),
	RIGHT(two_settle, SEEN(0)),
	RIGHT(near_deadline_may_come, SEEN(1) | SEEN(2)),
	RIGHT(far_deadline_waits, SEEN(1)),
	RIGHT(far_deadlines_in_order, SEEN(1)),
	WRONG(orders_nothing, EXPLORE_RACE, "plain"),
	WRONG(never_settles, EXPLORE_LIVELOCK, "no end"),
	WRONG(settles_and_hangs, EXPLORE_DEADLOCK, "sem_wait"),
	{0},
};
