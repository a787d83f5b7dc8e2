/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

static sem_t full, empty;
static int slot, taken, sum;
static pthread_barrier_t barrier;

static void *produce(void *arg)
{
	for (int i = 1; i <= 2; i++) {
		sem_wait(&empty);
		slot = i;
		sem_post(&full);
	}
	return arg;
}

static void *consume(void *arg)
{
	for (int i = 1; i <= 2; i++) {
		sem_wait(&full);
		assert(slot == i);
		sem_post(&empty);
	}
	return arg;
}

static void *consume_anything(void *arg)
{
	for (int i = 1; i <= 2; i++) {
		sem_wait(&full);
		sum += slot;
		sem_post(&empty);
	}
	return arg;
}

static void handoff(void)
{
	sem_init(&full, 0, 0);
	sem_init(&empty, 0, 1);
	run_threads(2, (void *(*[])(void *)){produce, consume});
	int value;
	assert(sem_getvalue(&full, &value) == 0 && value == 0);
	assert(sem_getvalue(&empty, &value) == 0 && value == 1);
	sem_destroy(&full);
	sem_destroy(&empty);
}

/* With room for two, the producer overwrites what is being read. */
static void handoff_with_two_permits(void)
{
	sem_init(&full, 0, 0);
	sem_init(&empty, 0, 2);
	run_threads(2, (void *(*[])(void *)){produce, consume_anything});
}

static void nobody_posts(void)
{
	sem_init(&full, 0, 0);
	sem_wait(&full);
}

static void *post_one(void *arg)
{
	sem_post(&full);
	return arg;
}

static void *wait_a_second(void *arg)
{
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec++;
	outcome = sem_timedwait(&full, &deadline) == 0;
	assert(outcome == 1 || errno == ETIMEDOUT);
	return arg;
}

static void timed_wait_against_post(void)
{
	sem_init(&full, 0, 0);
	run_threads(2, (void *(*[])(void *)){wait_a_second, post_one});
}

static void *try_once(void *arg)
{
	outcome = sem_trywait(&full) == 0;
	assert(outcome == 1 || errno == EAGAIN);
	return arg;
}

static void try_against_post(void)
{
	sem_init(&full, 0, 0);
	run_threads(2, (void *(*[])(void *)){try_once, post_one});
}

/* A thread that was waited for may free the semaphore at once, although the post has perhaps not
 * returned. */
static void *post_to(void *arg)
{
	sem_post(arg);
	return NULL;
}

static void freed_after_wait(void)
{
	sem_t *semaphore = malloc(sizeof(*semaphore));
	sem_init(semaphore, 0, 0);
	pthread_t thread;
	pthread_create(&thread, NULL, post_to, semaphore);
	sem_wait(semaphore);
	sem_destroy(semaphore);
	free(semaphore);
	pthread_join(thread, NULL);
}

static void zeroed_is_not_initialised(void)
{
	sem_wait(&full);
}

/* ---- barriers ---- */

static _Atomic unsigned serial;

static void *meet_twice(void *arg)
{
	static _Atomic int arrived;
	for (int round = 1; round <= 2; round++) {
		arrived++;
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			serial++;
		assert(arrived >= 2 * round);
	}
	return arg;
}

static void barrier_twice(void)
{
	pthread_barrier_init(&barrier, NULL, 2);
	run_threads(2, (void *(*[])(void *)){meet_twice, meet_twice});
	outcome = serial;
	pthread_barrier_destroy(&barrier);
}

static void *write_then_meet(void *arg)
{
	sum = 7;
	pthread_barrier_wait(&barrier);
	return arg;
}

static void *meet_then_read(void *arg)
{
	pthread_barrier_wait(&barrier);
	taken = sum;
	return arg;
}

static void barrier_orders(void)
{
	pthread_barrier_init(&barrier, NULL, 2);
	run_threads(2, (void *(*[])(void *)){write_then_meet, meet_then_read});
	outcome = (unsigned)taken;
}

static void barrier_of_three_for_two(void)
{
	pthread_barrier_init(&barrier, NULL, 3);
	run_threads(2, (void *(*[])(void *)){write_then_meet, meet_then_read});
}

const struct explore_case semaphore_cases[] = {
	RIGHT(handoff, SEEN(0)),
	RIGHT(timed_wait_against_post, SEEN(0) | SEEN(1)),
	RIGHT(try_against_post, SEEN(0) | SEEN(1)),
	RIGHT(freed_after_wait, SEEN(0)),
	RIGHT(barrier_twice, SEEN(2)),
	RIGHT(barrier_orders, SEEN(7)),
	WRONG(handoff_with_two_permits, EXPLORE_RACE, "slot"),
	WRONG(nobody_posts, EXPLORE_DEADLOCK, "sem_wait"),
	WRONG(zeroed_is_not_initialised, EXPLORE_ASSERT, "not initialised"),
	WRONG(barrier_of_three_for_two, EXPLORE_DEADLOCK, "pthread_barrier_wait"),
	{0},
};
