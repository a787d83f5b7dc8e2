/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static _Atomic int order, ready;

static uint64_t now(clockid_t clock)
{
	struct timespec time;
	assert(clock_gettime(clock, &time) == 0);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void sleeps_long_enough(void)
{
	uint64_t before = now(CLOCK_MONOTONIC), date = now(CLOCK_REALTIME);
	assert(nanosleep(&(struct timespec){.tv_sec = 5}, NULL) == 0);
	assert(usleep(100) == 0 && sleep(1) == 0);
	assert(now(CLOCK_MONOTONIC) - before >= 6000100000u);
	assert(now(CLOCK_REALTIME) - date >= 6000100000u);
	struct timespec until = {.tv_sec = (time_t)(before / 1000000000u) + 100};
	assert(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
	assert(now(CLOCK_MONOTONIC) >= (uint64_t)until.tv_sec * 1000000000u);
	assert(nanosleep(&(struct timespec){.tv_nsec = -1}, NULL) == -1 && errno == EINVAL);
	struct timeval day;
	assert(gettimeofday(&day, NULL) == 0 && day.tv_sec == time(NULL));
}

static void *sleep_then_first(void *arg)
{
	usleep(*(useconds_t *)arg);
	int nobody = 0;
	if (__atomic_compare_exchange_n((int *)&order, &nobody, *(int *)arg, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		outcome = *(unsigned *)arg;
	return NULL;
}

/* A sleep orders nothing: who sleeps longer may still be first. */
static void sleeping_is_no_order(void)
{
	static useconds_t one = 1, two = 2;
	pthread_t threads[2];
	pthread_create(&threads[0], NULL, sleep_then_first, &one);
	pthread_create(&threads[1], NULL, sleep_then_first, &two);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

static void looks_until_time_has_come(void)
{
	uint64_t end = now(CLOCK_MONOTONIC) + 3000000;
	while (now(CLOCK_MONOTONIC) < end)
		;
}

static void *make_ready(void *arg)
{
	ready = 1;
	return arg;
}

static void yields_until_ready(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, make_ready, NULL);
	while (ready == 0)
		sched_yield();
	pthread_join(thread, NULL);
}

static void sleeps_until_ready(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, make_ready, NULL);
	while (ready == 0)
		usleep(10);
	pthread_join(thread, NULL);
}

static void yields_for_ever(void)
{
	while (ready == 0)
		sched_yield();
}

const struct explore_case clock_cases[] = {
	RIGHT(sleeps_long_enough, SEEN(0)),
	RIGHT(sleeping_is_no_order, SEEN(1) | SEEN(2)),
	RIGHT(looks_until_time_has_come, SEEN(0)),
	RIGHT(yields_until_ready, SEEN(0)),
	RIGHT(sleeps_until_ready, SEEN(0)),
	WRONG(yields_for_ever, EXPLORE_LIVELOCK, "no end"),
	{0},
};
