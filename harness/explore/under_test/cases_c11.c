/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <threads.h>
#include <time.h>

static mtx_t mutex, second;
static cnd_t filled;
static tss_t specific;
static once_flag once = ONCE_FLAG_INIT;
static int items, value;
static _Atomic int destroyed;

static void run(unsigned count, int (*const *body)(void *))
{
	thrd_t id[3];
	for (unsigned i = 0; i < count; i++)
		assert(thrd_create(&id[i], body[i], NULL) == thrd_success);
	for (unsigned i = 0; i < count; i++)
		assert(thrd_join(id[i], NULL) == thrd_success);
}

static int put(void *arg)
{
	(void)arg;
	mtx_lock(&mutex);
	items++;
	cnd_signal(&filled);
	mtx_unlock(&mutex);
	return 0;
}

static int take(void *arg)
{
	(void)arg;
	mtx_lock(&mutex);
	while (items == 0)
		cnd_wait(&filled, &mutex);
	items--;
	mtx_unlock(&mutex);
	return 0;
}

static int take_in_time(void *arg)
{
	(void)arg;
	struct timespec deadline;
	timespec_get(&deadline, TIME_UTC);
	deadline.tv_sec++;
	mtx_lock(&mutex);
	int status = thrd_success;
	while (items == 0 && status == thrd_success)
		status = cnd_timedwait(&filled, &mutex, &deadline);
	outcome = status == thrd_timedout;
	mtx_unlock(&mutex);
	return 0;
}

static void handoff(void)
{
	mtx_init(&mutex, mtx_plain);
	cnd_init(&filled);
	run(2, (int (*[])(void *)){take, put});
	cnd_destroy(&filled);
	mtx_destroy(&mutex);
}

static void handoff_in_time(void)
{
	mtx_init(&mutex, mtx_plain);
	cnd_init(&filled);
	run(2, (int (*[])(void *)){take_in_time, put});
}

static int lock_both(void *arg)
{
	(void)arg;
	mtx_lock(&mutex);
	mtx_lock(&second);
	mtx_unlock(&second);
	mtx_unlock(&mutex);
	return 0;
}

static int lock_both_reversed(void *arg)
{
	(void)arg;
	mtx_lock(&second);
	mtx_lock(&mutex);
	mtx_unlock(&mutex);
	mtx_unlock(&second);
	return 0;
}

static void crossed(void)
{
	mtx_init(&mutex, mtx_plain);
	mtx_init(&second, mtx_plain);
	run(2, (int (*[])(void *)){lock_both, lock_both_reversed});
}

static int try_mutex(void *arg)
{
	(void)arg;
	int status = mtx_trylock(&mutex);
	outcome = status == thrd_success;
	if (status == thrd_success)
		mtx_unlock(&mutex);
	else
		assert(status == thrd_busy);
	return 0;
}

static int hold_mutex(void *arg)
{
	(void)arg;
	mtx_lock(&mutex);
	mtx_lock(&mutex);
	mtx_unlock(&mutex);
	mtx_unlock(&mutex);
	return 0;
}

static void recursive_against_trylock(void)
{
	mtx_init(&mutex, mtx_recursive);
	run(2, (int (*[])(void *)){hold_mutex, try_mutex});
}

static void initialise(void)
{
	value++;
}

static void count_destroyed(void *arg)
{
	(void)arg;
	destroyed++;
}

static int once_and_specific(void *arg)
{
	(void)arg;
	call_once(&once, initialise);
	assert(value == 1);
	assert(tss_set(specific, &value) == thrd_success && tss_get(specific) == &value);
	thrd_yield();
	thrd_sleep(&(struct timespec){.tv_sec = 1}, NULL);
	assert(!thrd_equal(thrd_current(), (thrd_t)0));
	thrd_exit(5);
}

static void rest(void)
{
	thrd_t threads[2];
	tss_create(&specific, count_destroyed);
	for (int i = 0; i < 2; i++)
		thrd_create(&threads[i], once_and_specific, NULL);
	for (int i = 0; i < 2; i++) {
		int result;
		thrd_join(threads[i], &result);
		assert(result == 5);
	}
	assert(destroyed == 2);
	tss_delete(specific);
}

static void not_initialised(void)
{
	mtx_destroy(&mutex);
	mtx_lock(&mutex);
}

const struct explore_case c11_cases[] = {
	RIGHT(handoff, SEEN(0)),
	RIGHT(handoff_in_time, SEEN(0) | SEEN(1)),
	RIGHT(recursive_against_trylock, SEEN(0) | SEEN(1)),
	RIGHT(rest, SEEN(0)),
	WRONG(crossed, EXPLORE_DEADLOCK, "mtx_lock"),
	WRONG(not_initialised, EXPLORE_ASSERT, "mtx_lock"),
	{0},
};
