/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include "harness/explore/under_test/waitv.h"
#include <assert.h>
#include <stdlib.h>
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic uint32_t word, other;
static atomic_int x, y;
static int payload;

static long futex(_Atomic uint32_t *at, int operation, uint32_t value, const struct timespec *time,
                  _Atomic uint32_t *second, uint32_t third)
{
	return syscall(SYS_futex, at, operation, value, time, second, third);
}

static long wait_private(_Atomic uint32_t *at, uint32_t expected)
{
	return futex(at, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static long wake_private(_Atomic uint32_t *at, uint32_t count)
{
	return futex(at, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/* ---- an event ---- */

static void *set_and_wake(void *arg)
{
	payload = 1;
	atomic_store_explicit(&word, 1, memory_order_release);
	wake_private(&word, 1);
	return arg;
}

static void *set_relaxed_and_wake(void *arg)
{
	payload = 1;
	atomic_store_explicit(&word, 1, memory_order_relaxed);
	wake_private(&word, 1);
	return arg;
}

static void *wait_set(void *arg)
{
	while (atomic_load_explicit(&word, memory_order_acquire) == 0)
		wait_private(&word, 0);
	outcome = (unsigned)payload;
	return arg;
}

static void *wait_once(void *arg)
{
	if (atomic_load_explicit(&word, memory_order_acquire) == 0)
		wait_private(&word, 0);
	assert(atomic_load_explicit(&word, memory_order_acquire) == 1);
	return arg;
}

static void *wait_for_a_wake(void *arg)
{
	wait_private(&word, 0);
	outcome = (unsigned)payload;
	return arg;
}

static void event(void)
{
	run_threads(2, (void *(*[])(void *)){wait_set, set_and_wake});
}

static void event_relaxed(void)
{
	run_threads(2, (void *(*[])(void *)){wait_set, set_relaxed_and_wake});
}

static void returns_without_a_wake(void)
{
	run_threads(2, (void *(*[])(void *)){wait_once, set_and_wake});
}

static void a_wake_orders_nothing(void)
{
	run_threads(2, (void *(*[])(void *)){wait_for_a_wake, set_and_wake});
}

/* ---- check, then wait for what may have changed meanwhile ---- */

static void *check_then_wait(void *arg)
{
	while (atomic_load_explicit(&x, memory_order_acquire) == 0) {
		uint32_t now = atomic_load_explicit(&word, memory_order_acquire);
		wait_private(&word, now);
	}
	return arg;
}

static void *remember_then_check(void *arg)
{
	for (;;) {
		uint32_t now = atomic_load_explicit(&word, memory_order_acquire);
		if (atomic_load_explicit(&x, memory_order_acquire) != 0)
			return arg;
		wait_private(&word, now);
	}
}

static void *set_x(void *arg)
{
	atomic_store_explicit(&x, 1, memory_order_release);
	atomic_fetch_add_explicit(&word, 1, memory_order_release);
	wake_private(&word, 1);
	return arg;
}

static void lost_wakeup(void)
{
	run_threads(2, (void *(*[])(void *)){check_then_wait, set_x});
}

static void no_lost_wakeup(void)
{
	run_threads(2, (void *(*[])(void *)){remember_then_check, set_x});
}

/* ---- a mutex of three states (Drepper, "Futexes are tricky") ---- */

static void lock(void)
{
	uint32_t state = 0;
	if (atomic_compare_exchange_strong_explicit(&word, &state, 1, memory_order_acquire, memory_order_relaxed))
		return;
	while (atomic_exchange_explicit(&word, 2, memory_order_acquire) != 0)
		wait_private(&word, 2);
}

static void unlock(void)
{
	if (atomic_exchange_explicit(&word, 0, memory_order_release) == 2)
		wake_private(&word, 1);
}

static void *count_locked(void *arg)
{
	lock();
	payload++;
	unlock();
	return arg;
}

static void own_mutex(void)
{
	run_threads(2, (void *(*[])(void *)){count_locked, count_locked});
	outcome = (unsigned)payload;
}

/* ---- flags, deadlines, bits ---- */

static void *wake_shared(void *arg)
{
	atomic_store(&word, 1);
	futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0);
	return arg;
}

static void private_and_shared_never_meet(void)
{
	run_threads(2, (void *(*[])(void *)){wait_for_a_wake, wake_shared});
}

static void *wait_a_second(void *arg)
{
	struct timespec time = {.tv_sec = 1};
	if (futex(&word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0) == 0)
		outcome = 1; /* woken, or spuriously */
	else
		outcome = errno == ETIMEDOUT ? 2 : errno == EAGAIN ? 3 : errno == EINTR ? 4 : 5;
	return arg;
}

static void timed(void)
{
	run_threads(2, (void *(*[])(void *)){wait_a_second, set_and_wake});
}

static void *wait_until(void *arg)
{
	struct timespec deadline;
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec++;
	while (atomic_load(&word) == 0) {
		long result = futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &deadline, NULL, 1);
		if (result != 0 && errno == ETIMEDOUT)
			outcome = 1;
		if (outcome == 1)
			break;
	}
	return arg;
}

static void *wake_bits(void *arg)
{
	atomic_store(&word, 1);
	futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, *(uint32_t *)arg);
	return NULL;
}

static int bits(uint32_t woken)
{
	pthread_t waiter, waker;
	pthread_create(&waiter, NULL, wait_until, NULL);
	pthread_create(&waker, NULL, wake_bits, &woken);
	pthread_join(waiter, NULL);
	pthread_join(waker, NULL);
	return 0;
}

static void bits_that_meet(void)
{
	exit(bits(3));
}

static void *wait_bit_1(void *arg)
{
	while (atomic_load(&word) == 0)
		futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1);
	return arg;
}

static void bits_that_do_not(void)
{
	static uint32_t second = 2;
	pthread_t waiter, waker;
	pthread_create(&waiter, NULL, wait_bit_1, NULL);
	pthread_create(&waker, NULL, wake_bits, &second);
	pthread_join(waiter, NULL);
	pthread_join(waker, NULL);
}

static void wrong_calls(void)
{
	struct timespec bad = {.tv_nsec = 1000000000};
	assert(wait_private((_Atomic uint32_t *)((char *)&word + 1), 0) == -1 && errno == EINVAL);
	assert(futex(&word, FUTEX_WAIT_PRIVATE, 0, &bad, NULL, 0) == -1 && errno == EINVAL);
	assert(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0) == -1 && errno == EINVAL);
	assert(wait_private(&word, 1) == -1 && errno == EAGAIN);
	assert(wake_private(&word, 1) == 0);
}

static void priority_inheritance(void)
{
	futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

static void unknown_call(void)
{
	syscall(SYS_io_uring_enter, 0, 0, 0, 0, 0, 0);
}

/* ---- requeueing: two wait on one word, one is woken, the other is moved and woken there ---- */

static void *wait_moved(void *arg)
{
	while (atomic_load(&word) == 0)
		wait_private(&word, 0);
	return arg;
}

static void *wake_one_move_one(void *arg)
{
	atomic_store(&word, 1);
	long moved = syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1L, &other, 1);
	assert(moved >= 0 && moved <= 2);
	wake_private(&other, 1);
	return arg;
}

static void *wake_one_move_one_forget(void *arg)
{
	atomic_store(&word, 1);
	syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1L, &other, 1);
	return arg;
}

static void requeue(void)
{
	run_threads(3, (void *(*[])(void *)){wait_moved, wait_moved, wake_one_move_one});
}

static void requeue_forgotten(void)
{
	run_threads(3, (void *(*[])(void *)){wait_moved, wait_moved, wake_one_move_one_forget});
}

/* ---- several words ---- */

static void *wait_any(void *arg)
{
	while (atomic_load(&word) == 0 && atomic_load(&other) == 0) {
		long which = waitv_both(&word, &other, 0, NULL);
		assert(which == 0 || which == 1 || (which == -1 && (errno == EAGAIN || errno == EINTR)));
		if (which >= 0)
			outcome |= 1u << which;
	}
	return arg;
}

static void *wake_word(void *arg)
{
	atomic_store(&word, 1);
	wake_private(&word, 1);
	return arg;
}

static void *wake_other(void *arg)
{
	atomic_store(&other, 1);
	wake_private(&other, 1);
	return arg;
}

static void any_of_two(void)
{
	run_threads(3, (void *(*[])(void *)){wait_any, wake_word, wake_other});
}

/* ---- membarrier instead of a fence on one side of store buffering ---- */

static int r0, r1;

static void *light(void *arg)
{
	atomic_store_explicit(&x, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	r0 = atomic_load_explicit(&y, memory_order_relaxed);
	return arg;
}

static void *heavy(void *arg)
{
	atomic_store_explicit(&y, 1, memory_order_relaxed);
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	r1 = atomic_load_explicit(&x, memory_order_relaxed);
	return arg;
}

static void asymmetric_fences(void)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	assert(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	assert(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0);
	run_threads(2, (void *(*[])(void *)){light, heavy});
	outcome = (unsigned)(r0 * 2 + r1);
}

static void membarrier_unregistered(void)
{
	assert(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == -1 && errno == EPERM);
	run_threads(2, (void *(*[])(void *)){light, heavy});
	outcome = (unsigned)(r0 * 2 + r1);
}

const struct explore_case futex_cases[] = {
	RIGHT(event, SEEN(1)),
	RIGHT(no_lost_wakeup, SEEN(0)),
	RIGHT(own_mutex, SEEN(2)),
	RIGHT(timed, SEEN(1) | SEEN(2) | SEEN(3) | SEEN(4)),
	RIGHT(bits_that_meet, SEEN(0) | SEEN(1)),
	RIGHT(wrong_calls, SEEN(0)),
	RIGHT(requeue, SEEN(0)),
	RIGHT(any_of_two, SEEN(0) | SEEN(1) | SEEN(2)),
	RIGHT(asymmetric_fences, SEEN(1) | SEEN(2) | SEEN(3)),
	RIGHT(membarrier_unregistered, SEEN(0) | SEEN(1) | SEEN(2) | SEEN(3)),
	WRONG(event_relaxed, EXPLORE_RACE, "payload"),
	WRONG(returns_without_a_wake, EXPLORE_ASSERT, "== 1"),
	WRONG(a_wake_orders_nothing, EXPLORE_RACE, "payload"),
	WRONG(lost_wakeup, EXPLORE_DEADLOCK, "futex wait"),
	WRONG(private_and_shared_never_meet, EXPLORE_DEADLOCK, "futex wait"),
	WRONG(bits_that_do_not, EXPLORE_DEADLOCK, "futex wait"),
	WRONG(requeue_forgotten, EXPLORE_DEADLOCK, "futex wait"),
	WRONG(priority_inheritance, EXPLORE_UNSUPPORTED, "futex operation 6"),
	WRONG(unknown_call, EXPLORE_UNSUPPORTED, "io_uring_enter"),
	{0},
};
