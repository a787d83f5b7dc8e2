/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int items;

static void run(unsigned count, void *(*const *body)(void *))
{
	pthread_t id[4];
	for (unsigned i = 0; i < count; i++)
		pthread_create(&id[i], NULL, body[i], NULL);
	for (unsigned i = 0; i < count; i++)
		pthread_join(id[i], NULL);
}

static void *take(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (items == 0)
		pthread_cond_wait(&filled, &mutex);
	items--;
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *take_with_if(void *arg)
{
	pthread_mutex_lock(&mutex);
	if (items == 0)
		pthread_cond_wait(&filled, &mutex);
	assert(items > 0);
	items--;
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *put(void *arg)
{
	pthread_mutex_lock(&mutex);
	items++;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *put_then_signal_outside(void *arg)
{
	pthread_mutex_lock(&mutex);
	items++;
	pthread_mutex_unlock(&mutex);
	pthread_cond_signal(&filled);
	return arg;
}

static void *put_silently(void *arg)
{
	pthread_mutex_lock(&mutex);
	items++;
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *put_two_signal_once(void *arg)
{
	pthread_mutex_lock(&mutex);
	items += 2;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *put_two_broadcast(void *arg)
{
	pthread_mutex_lock(&mutex);
	items += 2;
	pthread_cond_broadcast(&filled);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void handoff(void)
{
	run(2, (void *(*[])(void *)){take, put});
	exit(items);
}

static void handoff_outside(void)
{
	run(2, (void *(*[])(void *)){take, put_then_signal_outside});
	exit(items);
}

static void broadcast(void)
{
	run(3, (void *(*[])(void *)){take, take, put_two_broadcast});
	exit(items);
}

static void if_instead_of_while(void)
{
	run(2, (void *(*[])(void *)){take_with_if, put});
	exit(items);
}

/* Needs no spurious wakeup: somebody else takes the item before the one that was woken has the
 * mutex. */
static void if_and_thief(void)
{
	run(4, (void *(*[])(void *)){take_with_if, take, put, put});
}

/* Two wait, the one that came first is not always the one that is woken. */
static int waiting, woken_first;

static void *wait_in_line(void *arg)
{
	pthread_mutex_lock(&mutex);
	int place = ++waiting;
	while (items == 0)
		pthread_cond_wait(&filled, &mutex);
	items--;
	if (woken_first == 0)
		woken_first = place;
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *wake_one_of_two(void *arg)
{
	pthread_mutex_lock(&mutex);
	if (waiting == 2) {
		items++;
		pthread_cond_signal(&filled);
		pthread_mutex_unlock(&mutex);
		usleep(1);
		pthread_mutex_lock(&mutex);
		outcome = (unsigned)woken_first;
	}
	items += 2;
	pthread_cond_broadcast(&filled);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void anybody_is_woken(void)
{
	run(3, (void *(*[])(void *)){wait_in_line, wait_in_line, wake_one_of_two});
}

static void not_initialised(void)
{
	pthread_cond_t *condition = malloc(sizeof(*condition));
	exit(pthread_cond_signal(condition));
}

static void signal_after_destroy(void)
{
	pthread_cond_destroy(&filled);
	exit(pthread_cond_signal(&filled));
}

static void no_signal(void)
{
	run(2, (void *(*[])(void *)){take, put_silently});
	exit(items);
}

static void one_signal_for_two(void)
{
	run(3, (void *(*[])(void *)){take, take, put_two_signal_once});
	exit(items);
}

static void *wait_without_mutex(void *arg)
{
	pthread_cond_wait(&filled, &mutex);
	return arg;
}

static void mutex_not_held(void)
{
	run(1, (void *(*[])(void *)){wait_without_mutex});
}

/* Gives up after a second: the signal comes in time, or it does not. */
static clockid_t wait_clock;
static pthread_cond_t timed;

static void *take_in_time(void *arg)
{
	struct timespec deadline;
	clock_gettime(wait_clock, &deadline);
	deadline.tv_sec++;
	int error = 0;
	pthread_mutex_lock(&mutex);
	while (items == 0 && error == 0)
		error = pthread_cond_timedwait(&timed, &mutex, &deadline);
	if (error != 0) {
		struct timespec now;
		assert(error == ETIMEDOUT);
		clock_gettime(wait_clock, &now);
		assert(now.tv_sec > deadline.tv_sec ||
		       (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec));
		/* 2: it came after the deadline, but before the mutex was had again */
		outcome = items == 0 ? 1 : 2;
	}
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *put_timed(void *arg)
{
	pthread_mutex_lock(&mutex);
	items++;
	pthread_cond_signal(&timed);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void wait_or_signal(clockid_t clock)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, clock);
	pthread_cond_init(&timed, &attributes);
	pthread_condattr_destroy(&attributes);
	wait_clock = clock;
	run(2, (void *(*[])(void *)){take_in_time, put_timed});
	pthread_cond_destroy(&timed);
}

static void timed_monotonic(void)
{
	wait_or_signal(CLOCK_MONOTONIC);
}

static void timed_realtime(void)
{
	wait_or_signal(CLOCK_REALTIME);
}

static void nobody_signals_in_time(void)
{
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 3600;
	pthread_mutex_lock(&mutex);
	int error = pthread_cond_timedwait(&filled, &mutex, &deadline);
	outcome = error == ETIMEDOUT;
	pthread_mutex_unlock(&mutex);
}

static void checked_mutex_not_held(void)
{
	pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
	assert(pthread_cond_wait(&filled, &checked) == EPERM);
}

static void destroyed_under_a_waiter(void)
{
	pthread_t waiter;
	pthread_create(&waiter, NULL, take, NULL);
	pthread_mutex_lock(&mutex);
	items++;
	pthread_mutex_unlock(&mutex);
	pthread_cond_destroy(&filled);
	pthread_join(waiter, NULL);
}

const struct explore_case condition_cases[] = {
	RIGHT(handoff, SEEN(0)),
	RIGHT(handoff_outside, SEEN(0)),
	RIGHT(broadcast, SEEN(0)),
	RIGHT(timed_monotonic, SEEN(0) | SEEN(1) | SEEN(2)),
	RIGHT(timed_realtime, SEEN(0) | SEEN(1) | SEEN(2)),
	RIGHT(nobody_signals_in_time, SEEN(0) | SEEN(1)),
	EXACT(anybody_is_woken, SEEN(0) | SEEN(1) | SEEN(2)),
	RIGHT(checked_mutex_not_held, SEEN(0)),
	WRONG(not_initialised, EXPLORE_ASSERT, "not initialised"),
	WRONG(signal_after_destroy, EXPLORE_ASSERT, "destroyed"),
	WRONG(if_instead_of_while, EXPLORE_ASSERT, "items > 0"),
	WRONG(if_and_thief, EXPLORE_ASSERT, "items > 0"),
	WRONG(no_signal, EXPLORE_DEADLOCK, "pthread_cond_wait"),
	WRONG(one_signal_for_two, EXPLORE_DEADLOCK, "pthread_cond_wait"),
	WRONG(mutex_not_held, EXPLORE_ASSERT, "nobody holds"),
	WRONG(destroyed_under_a_waiter, EXPLORE_ASSERT, "pthread_cond_destroy"),
	{0},
};
