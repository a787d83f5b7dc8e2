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

static void join_orders(void)
{
	pthread_t thread;
	void *result;
	assert(pthread_create(&thread, NULL, write_value, &value) == 0);
	assert(!pthread_equal(thread, pthread_self()));
	char name[16];
	assert(pthread_setname_np(thread, "writer") == 0);
	assert(pthread_getname_np(thread, name, sizeof(name)) == 0 && strcmp(name, "writer") == 0);
	assert(pthread_join(thread, &result) == 0 && result == &value);
	outcome = (unsigned)value;
}

static void no_join(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, write_value, NULL);
	pthread_detach(thread);
	outcome = (unsigned)value;
}

static void never_joined(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, nothing, NULL);
}

static void joined_twice(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, nothing, NULL);
	pthread_join(thread, NULL);
	pthread_join(thread, NULL);
}

static void joined_when_detached(void)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_t thread;
	pthread_create(&thread, &attributes, nothing, NULL);
	pthread_attr_destroy(&attributes);
	pthread_join(thread, NULL);
}

static void *join_main(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	return NULL;
}

static void join_each_other(void)
{
	pthread_t self = pthread_self(), thread;
	assert(pthread_join(self, NULL) == EDEADLK);
	pthread_create(&thread, NULL, join_main, &self);
	pthread_join(thread, NULL);
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

static void exit_gives_a_result(void)
{
	pthread_t thread;
	void *result;
	pthread_create(&thread, NULL, exits_deep, NULL);
	pthread_join(thread, &result);
	assert(result == &value);
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

static void tryjoin(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, nothing, NULL);
	try_join(&thread);
}

static void *change_own(void *arg)
{
	assert(own == 3);
	own = 4;
	return arg;
}

static void each_its_own(void)
{
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, change_own, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert(own == 3);
	own = 5;
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

static void keys(void)
{
	pthread_t threads[2];
	pthread_key_create(&key, destroy_value);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, set_key, NULL);
	set_key(NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert(ran == 2);
	return; /* the main thread's value is not lost: a key leads to it */
}

static void keys_without_destructor(void)
{
	pthread_t thread;
	pthread_key_create(&key, NULL);
	pthread_create(&thread, NULL, set_key, NULL);
	pthread_join(thread, NULL);
}

static void key_deleted(void)
{
	pthread_key_create(&key, NULL);
	pthread_key_delete(key);
	pthread_setspecific(key, &value);
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

static void once_only(void)
{
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, use_once, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	outcome = (unsigned)ran;
}

static void *use_without_once(void *arg)
{
	if (value != 7)
		initialise();
	return arg;
}

static void without_once(void)
{
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, use_without_once, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static void again(void)
{
	pthread_once(&once, again);
}

static void once_within_itself(void)
{
	pthread_once(&once, again);
}

static void too_many(void)
{
	for (int i = 0; i < 16; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, nothing, NULL);
		pthread_join(thread, NULL);
	}
}

static void add_to_value(void *arg)
{
	value += *(int *)arg;
}

static void cleanups(void)
{
	int one = 1, two = 2;
	pthread_cleanup_push(add_to_value, &one);
	pthread_cleanup_push(add_to_value, &two);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(1);
	outcome = (unsigned)value;
}

static void exit_among_cleanups(void)
{
	int one = 1;
	pthread_cleanup_push(add_to_value, &one);
	pthread_exit(NULL);
	pthread_cleanup_pop(1);
}

static void cancel(void)
{
	exit(pthread_cancel(pthread_self()));
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
