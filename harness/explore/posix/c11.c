/* SPDX-License-Identifier: MIT
 *
 * c11.c - C11's threads.h, on what stands in for pthreads, as in glibc: the types are the same
 * underneath.
 */
#include "harness/explore/posix/sync.h"
#include <assert.h>
#include <errno.h>
#include <threads.h>

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "a mtx_t is a pthread_mutex_t");
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a cnd_t is a pthread_cond_t");

int explored_pthread_mutex_destroy(pthread_mutex_t *mutex);
int explored_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int explored_pthread_cond_destroy(pthread_cond_t *condition);
int explored_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int explored_pthread_key_delete(pthread_key_t key);
int explored_pthread_setspecific(pthread_key_t key, const void *value);
void *explored_pthread_getspecific(pthread_key_t key);
int explored_pthread_detach(pthread_t thread);

static pthread_mutex_t *mutex_of(mtx_t *mutex)
{
	return (pthread_mutex_t *)(void *)mutex;
}

static pthread_cond_t *condition_of(cnd_t *condition)
{
	return (pthread_cond_t *)(void *)condition;
}

static int status(int error)
{
	switch (error) {
	case 0:
		return thrd_success;
	case EBUSY:
		return thrd_busy;
	case ETIMEDOUT:
		return thrd_timedout;
	case ENOMEM:
		return thrd_nomem;
	default:
		return thrd_error;
	}
}

/* ---- threads: an int is what they return ---- */

struct start {
	thrd_start_t function;
	void *arg;
};

static void *run(void *arg)
{
	struct start start = *(struct start *)arg;
	return (void *)(intptr_t)start.function(start.arg);
}

int explored_thrd_create(thrd_t *thread, thrd_start_t function, void *arg)
{
	sync_inside("thrd_create");
	struct start *start = explore_scratch(sizeof(*start));
	*start = (struct start){function, arg};
	return status(sync_thread_start(thread, false, run, start, EXPLORE_PC));
}

int explored_thrd_join(thrd_t thread, int *result)
{
	void *ended;
	int error = sync_thread_join(thread, &ended, EXPLORE_NEVER, "thrd_join", EXPLORE_PC);
	if (error == 0 && result != NULL) {
		explore_write(result, sizeof(*result), EXPLORE_PC);
		*result = (int)(intptr_t)ended;
	}
	return status(error);
}

int explored_thrd_detach(thrd_t thread)
{
	return status(explored_pthread_detach(thread));
}

void explored_thrd_exit(int result)
{
	sync_inside("thrd_exit");
	explore_thread_exit((void *)(intptr_t)result);
}

thrd_t explored_thrd_current(void)
{
	sync_inside("thrd_current");
	return explore_self() + 1;
}

int explored_thrd_equal(thrd_t a, thrd_t b)
{
	return a == b;
}

/* ---- mutexes ---- */

int explored_mtx_init(mtx_t *mutex, int type)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	if (type & mtx_recursive)
		pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	sync_begin(mutex, sizeof(*mutex), SYNC_MUTEX, EXPLORE_PC);
	int error = pthread_mutex_init(mutex_of(mutex), &attributes);
	pthread_mutexattr_destroy(&attributes);
	return status(error);
}

void explored_mtx_destroy(mtx_t *mutex)
{
	explored_pthread_mutex_destroy(mutex_of(mutex));
}

int explored_mtx_lock(mtx_t *mutex)
{
	sync_inside("mtx_lock");
	return status(sync_mutex_lock(mutex_of(mutex), EXPLORE_NEVER, "mtx_lock", EXPLORE_PC));
}

int explored_mtx_timedlock(mtx_t *mutex, const struct timespec *deadline)
{
	sync_inside("mtx_timedlock");
	if (!sync_time_valid(deadline))
		return thrd_error;
	return status(
		sync_mutex_lock(mutex_of(mutex), sync_deadline(CLOCK_REALTIME, deadline), "mtx_timedlock", EXPLORE_PC));
}

int explored_mtx_trylock(mtx_t *mutex)
{
	sync_inside("mtx_trylock");
	return status(sync_mutex_trylock(mutex_of(mutex), "mtx_trylock", EXPLORE_PC));
}

int explored_mtx_unlock(mtx_t *mutex)
{
	sync_inside("mtx_unlock");
	return status(sync_mutex_unlock(mutex_of(mutex), "mtx_unlock", EXPLORE_PC));
}

/* ---- condition variables ---- */

int explored_cnd_init(cnd_t *condition)
{
	return status(explored_pthread_cond_init(condition_of(condition), NULL));
}

void explored_cnd_destroy(cnd_t *condition)
{
	explored_pthread_cond_destroy(condition_of(condition));
}

int explored_cnd_wait(cnd_t *condition, mtx_t *mutex)
{
	return status(
		sync_condition_wait(condition_of(condition), mutex_of(mutex), EXPLORE_NEVER, "cnd_wait", EXPLORE_PC));
}

int explored_cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *deadline)
{
	if (!sync_time_valid(deadline))
		return thrd_error;
	return status(sync_condition_wait(condition_of(condition), mutex_of(mutex),
	                                  sync_deadline(CLOCK_REALTIME, deadline), "cnd_timedwait", EXPLORE_PC));
}

int explored_cnd_signal(cnd_t *condition)
{
	return status(sync_condition_wake(condition_of(condition), 1, "cnd_signal", EXPLORE_PC));
}

int explored_cnd_broadcast(cnd_t *condition)
{
	return status(sync_condition_wake(condition_of(condition), EXPLORE_THREADS, "cnd_broadcast", EXPLORE_PC));
}

/* ---- once, thread-specific storage ---- */

void explored_call_once(once_flag *once, void (*function)(void))
{
	static_assert(sizeof(*once) == sizeof(pthread_once_t), "a once_flag is a pthread_once_t");
	sync_once((int *)(void *)once, function, EXPLORE_PC);
}

int explored_tss_create(tss_t *key, tss_dtor_t destructor)
{
	return status(explored_pthread_key_create(key, destructor));
}

void explored_tss_delete(tss_t key)
{
	explored_pthread_key_delete(key);
}

void *explored_tss_get(tss_t key)
{
	return explored_pthread_getspecific(key);
}

int explored_tss_set(tss_t key, void *value)
{
	return status(explored_pthread_setspecific(key, value));
}
