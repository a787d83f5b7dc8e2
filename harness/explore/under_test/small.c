/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/small.h"
#include "harness/explore/under_test/waitv.h"
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int small_saw[SMALL_THREADS][SMALL_STEPS], small_left[3];

static _Atomic uint32_t variable[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int count;

struct body {
	const struct small *small;
	unsigned thread;
};

static uint32_t compare(_Atomic uint32_t *at, uint32_t value, bool seq_cst)
{
	uint32_t expected = 0;
	if (seq_cst)
		atomic_compare_exchange_strong(at, &expected, value);
	else
		atomic_compare_exchange_strong_explicit(at, &expected, value, memory_order_acq_rel,
		                                        memory_order_relaxed);
	return expected;
}

static int locked(void)
{
	pthread_mutex_lock(&mutex);
	int now = ++count;
	pthread_mutex_unlock(&mutex);
	return now;
}

static int try_lock(void)
{
	int error = pthread_mutex_trylock(&mutex);
	if (error == 0)
		pthread_mutex_unlock(&mutex);
	return error;
}

static int wait_for(_Atomic uint32_t *at, uint32_t value)
{
	const struct timespec soon = {.tv_nsec = 1000};
	return syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, value, &soon, NULL, 0) == 0 ? 0 : errno;
}

static int wait_any(uint32_t value)
{
	const struct timespec late = {.tv_sec = 1000000};
	long which = waitv_both(&variable[0], &variable[1], value, &late);
	return which >= 0 ? (int)which : errno;
}

static int make(const struct small_step *step)
{
	_Atomic uint32_t *at = &variable[step->variable];
	uint32_t value = step->value;
	switch ((enum small_kind)step->kind) {
	case SMALL_LOAD_RELAXED:
		return (int)atomic_load_explicit(at, memory_order_relaxed);
	case SMALL_LOAD_ACQUIRE:
		return (int)atomic_load_explicit(at, memory_order_acquire);
	case SMALL_LOAD_SEQ_CST:
		return (int)atomic_load(at);
	case SMALL_STORE_RELAXED:
		atomic_store_explicit(at, value, memory_order_relaxed);
		return 0;
	case SMALL_STORE_RELEASE:
		atomic_store_explicit(at, value, memory_order_release);
		return 0;
	case SMALL_STORE_SEQ_CST:
		atomic_store(at, value);
		return 0;
	case SMALL_ADD:
		return (int)atomic_fetch_add_explicit(at, value, memory_order_relaxed);
	case SMALL_EXCHANGE:
		return (int)atomic_exchange_explicit(at, value, memory_order_acq_rel);
	case SMALL_COMPARE:
		return (int)compare(at, value, false);
	case SMALL_COMPARE_SEQ_CST:
		return (int)compare(at, value, true);
	case SMALL_FENCE_ACQUIRE:
		atomic_thread_fence(memory_order_acquire);
		return 0;
	case SMALL_FENCE_RELEASE:
		atomic_thread_fence(memory_order_release);
		return 0;
	case SMALL_FENCE_SEQ_CST:
		atomic_thread_fence(memory_order_seq_cst);
		return 0;
	case SMALL_MEMBARRIER:
		return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	case SMALL_LOCKED:
		return locked();
	case SMALL_TRYLOCK:
		return try_lock();
	case SMALL_WAIT:
		return wait_for(at, value);
	case SMALL_WAKE:
		return (int)syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	case SMALL_WAIT_ANY:
		return wait_any(value);
	case SMALL_KINDS:
		break;
	}
	return -1;
}

static void *run(void *arg)
{
	const struct body *body = arg;
	for (unsigned i = 0; i < body->small->steps; i++)
		small_saw[body->thread][i] = make(&body->small->step[body->thread][i]);
	return NULL;
}

int small_run(void *arg)
{
	const struct small *small = arg;
	struct body body[SMALL_THREADS];
	pthread_t thread[SMALL_THREADS];
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	for (unsigned i = 0; i < small->threads; i++) {
		body[i] = (struct body){.small = small, .thread = i};
		pthread_create(&thread[i], NULL, run, &body[i]);
	}
	for (unsigned i = 0; i < small->threads; i++)
		pthread_join(thread[i], NULL);
	small_left[0] = (int)atomic_load(&variable[0]);
	small_left[1] = (int)atomic_load(&variable[1]);
	small_left[2] = count;
	return 0;
}
