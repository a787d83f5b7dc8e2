/* SPDX-License-Identifier: MIT */
#include "harness/check/quiesce.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define LONG_NS  UINT64_C(20000000000)
#define SHORT_NS UINT64_C(100000000)

static sem_t go;
static int stop;

static void *sleep_on(void *arg)
{
	(void)arg;
	while (sem_wait(&go) != 0)
		;
	return NULL;
}

static void *spin(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE) == 0)
		;
	return NULL;
}

/* Sleeps, but never for long: it is in state S at almost every look. */
static void *poll_often(void *arg)
{
	static const struct timespec nap = {0, 50000};
	(void)arg;
	while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE) == 0)
		nanosleep(&nap, NULL);
	return NULL;
}

static int work_done;

static void *wake_and_work(void *arg)
{
	(void)arg;
	while (sem_wait(&go) != 0)
		;
	for (volatile int i = 0; i < 20000000; i++)
		;
	__atomic_store_n(&work_done, 1, __ATOMIC_RELEASE);
	while (sem_wait(&go) != 0)
		;
	return NULL;
}

static void alone_is_quiet(void **state)
{
	(void)state;
	assert_true(quiesce(LONG_NS));
}

static void a_blocked_thread_is_quiet(void **state)
{
	pthread_t thread;
	(void)state;
	sem_init(&go, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, sleep_on, NULL), 0);
	assert_true(quiesce(LONG_NS));
	sem_post(&go);
	pthread_join(thread, NULL);
}

static void never_quiet(void *(*body)(void *))
{
	pthread_t thread;
	stop = 0;
	assert_int_equal(pthread_create(&thread, NULL, body, NULL), 0);
	assert_false(quiesce(SHORT_NS));
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

static void a_spinning_thread_is_not_quiet(void **state)
{
	(void)state;
	never_quiet(spin);
}

static void a_polling_thread_is_not_quiet(void **state)
{
	(void)state;
	never_quiet(poll_often);
}

static void a_woken_thread_is_waited_for(void **state)
{
	pthread_t thread;
	(void)state;
	sem_init(&go, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, wake_and_work, NULL), 0);
	assert_true(quiesce(LONG_NS));
	assert_int_equal(__atomic_load_n(&work_done, __ATOMIC_ACQUIRE), 0);
	sem_post(&go);
	assert_true(quiesce(LONG_NS));
	assert_int_equal(__atomic_load_n(&work_done, __ATOMIC_ACQUIRE), 1);
	sem_post(&go);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone_is_quiet),
		cmocka_unit_test(a_blocked_thread_is_quiet),
		cmocka_unit_test(a_spinning_thread_is_not_quiet),
		cmocka_unit_test(a_polling_thread_is_not_quiet),
		cmocka_unit_test(a_woken_thread_is_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
