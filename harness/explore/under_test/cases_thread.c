/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int value;
static pthread_key_t key;
static _Thread_local int own = 3;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic int ran;

static void *nothing(void *arg)
{
	return arg;
}

static void *write_value(void *arg)
{
	value = 1;
	return arg;
}

static int join_orders(void *arg)
{
	(void)arg;
	pthread_t thread;
	void *result;
	assert(pthread_create(&thread, NULL, write_value, &value) == 0);
	assert(!pthread_equal(thread, pthread_self()));
	char name[16];
	assert(pthread_setname_np(thread, "writer") == 0);
	assert(pthread_getname_np(thread, name, sizeof(name)) == 0 && strcmp(name, "writer") == 0);
	assert(pthread_join(thread, &result) == 0 && result == &value);
	outcome = (unsigned)value;
	return 0;
}

static int no_join(void *arg)
{
	(void)arg;
	pthread_t thread;
	pthread_create(&thread, NULL, write_value, NULL);
	pthread_detach(thread);
	outcome = (unsigned)value;
	return 0;
}

static int never_joined(void *arg)
{
	(void)arg;
	pthread_t thread;
	pthread_create(&thread, NULL, nothing, NULL);
	return 0;
}

static int joined_twice(void *arg)
{
	(void)arg;
	pthread_t thread;
	pthread_create(&thread, NULL, nothing, NULL);
	pthread_join(thread, NULL);
	pthread_join(thread, NULL);
	return 0;
}

static int joined_when_detached(void *arg)
{
	(void)arg;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_t thread;
	pthread_create(&thread, &attributes, nothing, NULL);
	pthread_attr_destroy(&attributes);
	pthread_join(thread, NULL);
	return 0;
}

static void *join_main(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	return NULL;
}

static int join_each_other(void *arg)
{
	(void)arg;
	pthread_t self = pthread_self(), thread;
	assert(pthread_join(self, NULL) == EDEADLK);
	pthread_create(&thread, NULL, join_main, &self);
	pthread_join(thread, NULL);
	return 0;
}

static void leave(void)
{
	pthread_exit(&value);
}

static void *exits_deep(void *arg)
{
	leave();
	return arg;
}

static int exit_gives_a_result(void *arg)
{
	(void)arg;
	pthread_t thread;
	void *result;
	pthread_create(&thread, NULL, exits_deep, NULL);
	pthread_join(thread, &result);
	assert(result == &value);
	return 0;
}

static void *try_join(void *arg)
{
	pthread_t *thread = arg;
	int error = pthread_tryjoin_np(*thread, NULL);
	outcome = error == 0;
	if (error == EBUSY)
		pthread_join(*thread, NULL);
	return NULL;
}

static int tryjoin(void *arg)
{
	(void)arg;
	pthread_t thread;
	pthread_create(&thread, NULL, nothing, NULL);
	try_join(&thread);
	return 0;
}

static void *change_own(void *arg)
{
	assert(own == 3);
	own = 4;
	return arg;
}

static int each_its_own(void *arg)
{
	(void)arg;
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, change_own, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert(own == 3);
	own = 5;
	return 0;
}

/* ---- keys ---- */

static void destroy_value(void *block)
{
	ran++;
	free(block);
}

static void *set_key(void *arg)
{
	assert(pthread_getspecific(key) == NULL);
	pthread_setspecific(key, malloc(8));
	assert(pthread_getspecific(key) != NULL);
	return arg;
}

static int keys(void *arg)
{
	(void)arg;
	pthread_t threads[2];
	pthread_key_create(&key, destroy_value);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, set_key, NULL);
	set_key(NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert(ran == 2);
	return 0; /* the main thread's value is not lost: a key leads to it */
}

static int keys_without_destructor(void *arg)
{
	(void)arg;
	pthread_t thread;
	pthread_key_create(&key, NULL);
	pthread_create(&thread, NULL, set_key, NULL);
	pthread_join(thread, NULL);
	return 0;
}

static int key_deleted(void *arg)
{
	(void)arg;
	pthread_key_create(&key, NULL);
	pthread_key_delete(key);
	pthread_setspecific(key, &value);
	return 0;
}

/* ---- once ---- */

static void initialise(void)
{
	value = 7;
	ran++;
}

static void *use_once(void *arg)
{
	pthread_once(&once, initialise);
	assert(value == 7);
	return arg;
}

static int once_only(void *arg)
{
	(void)arg;
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, use_once, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	outcome = (unsigned)ran;
	return 0;
}

static void *use_without_once(void *arg)
{
	if (value != 7)
		initialise();
	return arg;
}

static int without_once(void *arg)
{
	(void)arg;
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, use_without_once, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void again(void)
{
	pthread_once(&once, again);
}

static int once_within_itself(void *arg)
{
	(void)arg;
	pthread_once(&once, again);
	return 0;
}

static int too_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 16; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, nothing, NULL);
		pthread_join(thread, NULL);
	}
	return 0;
}

static void add_to_value(void *arg)
{
	value += *(int *)arg;
}

static int cleanups(void *arg)
{
	(void)arg;
	int one = 1, two = 2;
	pthread_cleanup_push(add_to_value, &one);
	pthread_cleanup_push(add_to_value, &two);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(1);
	outcome = (unsigned)value;
	return 0;
}

static int exit_among_cleanups(void *arg)
{
	(void)arg;
	int one = 1;
	pthread_cleanup_push(add_to_value, &one);
	pthread_exit(NULL);
	pthread_cleanup_pop(1);
	return 0;
}

static int cancel(void *arg)
{
	(void)arg;
	return pthread_cancel(pthread_self());
}

const struct explore_case thread_cases[] = {
	RIGHT(join_orders, SEEN(1)),
	RIGHT(exit_gives_a_result, SEEN(0)),
	RIGHT(tryjoin, SEEN(0) | SEEN(1)),
	RIGHT(each_its_own, SEEN(0)),
	RIGHT(keys, SEEN(0)),
	RIGHT(once_only, SEEN(1)),
	WRONG(no_join, EXPLORE_RACE, "value"),
	WRONG(never_joined, EXPLORE_LEAK, "neither joined nor detached"),
	WRONG(joined_twice, EXPLORE_ASSERT, "joined already"),
	WRONG(joined_when_detached, EXPLORE_ASSERT, "detached"),
	WRONG(join_each_other, EXPLORE_DEADLOCK, "pthread_join"),
	WRONG(keys_without_destructor, EXPLORE_LEAK, "8 bytes"),
	WRONG(key_deleted, EXPLORE_ASSERT, "there is no key"),
	WRONG(without_once, EXPLORE_RACE, "value"),
	WRONG(once_within_itself, EXPLORE_DEADLOCK, "pthread_once"),
	WRONG(too_many, EXPLORE_UNSUPPORTED, "threads"),
	RIGHT(cleanups, SEEN(1)),
	WRONG(exit_among_cleanups, EXPLORE_UNSUPPORTED, "pthread_exit"),
	WRONG(cancel, EXPLORE_UNSUPPORTED, "pthread_cancel"),
	{0},
};
