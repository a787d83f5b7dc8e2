/* SPDX-License-Identifier: MIT */
#include "harness/check/fault_wait.h"

#include "harness/check/fault_redirect.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

const char fault_wait_why[] = "waits cannot be intercepted on this machine";

static int (*real_pthread_cond_wait)(pthread_cond_t *, pthread_mutex_t *);
static int (*real_pthread_cond_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
static int (*real_pthread_cond_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
static int (*real_cnd_wait)(cnd_t *, mtx_t *);
static int (*real_cnd_timedwait)(cnd_t *, mtx_t *, const struct timespec *);
static int (*real_sem_wait)(sem_t *);
static int (*real_sem_timedwait)(sem_t *, const struct timespec *);
static int (*real_sem_clockwait)(sem_t *, clockid_t, const struct timespec *);
static long (*real_syscall)(long, ...);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_gettimeofday)(struct timeval *, void *);
static time_t (*real_time)(time_t *);
static int (*real_timespec_get)(struct timespec *, int);

/* ------------------------------------------------------------------------------------------
 * Disturbing
 */
static _Thread_local size_t left, done;

static bool disturbs(void)
{
	if (left == 0)
		return false;
	left--;
	done++;
	return true;
}

void fault_wait_disturb(size_t n)
{
	done = 0;
	left = n;
}

size_t fault_wait_disturbed(void)
{
	left = 0;
	return done;
}

/* ------------------------------------------------------------------------------------------
 * The wall clock. Only the test's thread writes it.
 */
#define SLICE_NS 1000000

static atomic_llong shift_s;
static atomic_bool expected;
static atomic_size_t waiters;

void fault_clock_expect(void)
{
	atomic_store(&expected, true);
}

size_t fault_clock_waiters(void)
{
	return atomic_load(&waiters);
}

void fault_clock_step(int64_t seconds)
{
	atomic_fetch_add(&shift_s, seconds);
	atomic_store(&expected, false);
}

static bool is_wall(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

static bool before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* A wait until `until` of the shifted clock is made in slices while a step is expected. Its caller
 * sees one wait. (A wakeup between two slices would be lost, but while a step is expected the test
 * wakes no thread.) Returns when the slice is to end by the real clock; `*cut` says that this is
 * earlier than asked for. */
static struct timespec wall_end(const struct timespec *until, bool *cut)
{
	struct timespec slice, end = *until;
	atomic_fetch_add(&waiters, 1);
	end.tv_sec -= (time_t)atomic_load(&shift_s);
	if (end.tv_sec < 0)
		end = (struct timespec){0, 0};
	*cut = false;
	if (!atomic_load(&expected))
		return end;
	real_clock_gettime(CLOCK_REALTIME, &slice);
	slice.tv_nsec += SLICE_NS;
	if (slice.tv_nsec >= 1000000000) {
		slice.tv_sec++;
		slice.tv_nsec -= 1000000000;
	}
	if (!before(&slice, &end))
		return end;
	*cut = true;
	return slice;
}

/* A condition variable does not tell its clock. A time that lies nearer to the wall clock than to
 * the monotonic clock is one of the wall clock: the two are decades apart. */
static bool is_wall_time(const struct timespec *until)
{
	struct timespec wall, monotonic;
	real_clock_gettime(CLOCK_REALTIME, &wall);
	real_clock_gettime(CLOCK_MONOTONIC, &monotonic);
	return until->tv_sec > monotonic.tv_sec + (wall.tv_sec - monotonic.tv_sec) / 2 &&
	       until->tv_sec < wall.tv_sec + wall.tv_sec / 2;
}

static int our_clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = real_clock_gettime(clock, now);
	if (result == 0 && is_wall(clock))
		now->tv_sec += (time_t)atomic_load(&shift_s);
	return result;
}

static int our_gettimeofday(struct timeval *now, void *zone)
{
	int result = real_gettimeofday(now, zone);
	if (result == 0 && now != NULL)
		now->tv_sec += (time_t)atomic_load(&shift_s);
	return result;
}

static time_t our_time(time_t *out)
{
	time_t now = real_time(NULL) + (time_t)atomic_load(&shift_s);
	if (out != NULL)
		*out = now;
	return now;
}

static int our_timespec_get(struct timespec *now, int base)
{
	int result = real_timespec_get(now, base);
	if (result != 0 && base == TIME_UTC)
		now->tv_sec += (time_t)atomic_load(&shift_s);
	return result;
}

/* ------------------------------------------------------------------------------------------
 * Waits
 */

/* A spurious wakeup: the mutex was free for a moment. */
static int spurious(pthread_mutex_t *mutex)
{
	pthread_mutex_unlock(mutex);
	sched_yield();
	pthread_mutex_lock(mutex);
	return 0;
}

static int our_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	return disturbs() ? spurious(mutex) : real_pthread_cond_wait(cond, mutex);
}

static int our_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	if (disturbs())
		return spurious(mutex);
	if (!is_wall_time(until))
		return real_pthread_cond_timedwait(cond, mutex, until);
	bool cut;
	int result;
	do {
		struct timespec end = wall_end(until, &cut);
		result = real_pthread_cond_timedwait(cond, mutex, &end);
	} while (cut && result == ETIMEDOUT);
	return result;
}

static int our_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                                      const struct timespec *until)
{
	if (disturbs())
		return spurious(mutex);
	if (!is_wall(clock))
		return real_pthread_cond_clockwait(cond, mutex, clock, until);
	bool cut;
	int result;
	do {
		struct timespec end = wall_end(until, &cut);
		result = real_pthread_cond_clockwait(cond, mutex, clock, &end);
	} while (cut && result == ETIMEDOUT);
	return result;
}

static int spurious_c11(mtx_t *mutex)
{
	mtx_unlock(mutex);
	sched_yield();
	return mtx_lock(mutex);
}

static int our_cnd_wait(cnd_t *cond, mtx_t *mutex)
{
	return disturbs() ? spurious_c11(mutex) : real_cnd_wait(cond, mutex);
}

static int our_cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *until)
{
	if (disturbs())
		return spurious_c11(mutex);
	bool cut;
	int result;
	do {
		struct timespec end = wall_end(until, &cut);
		result = real_cnd_timedwait(cond, mutex, &end);
	} while (cut && result == thrd_timedout);
	return result;
}

static int interrupted(void)
{
	errno = EINTR;
	return -1;
}

static int our_sem_wait(sem_t *sem)
{
	return disturbs() ? interrupted() : real_sem_wait(sem);
}

static int our_sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	if (disturbs())
		return interrupted();
	if (!is_wall(clock))
		return real_sem_clockwait(sem, clock, until);
	bool cut;
	int result;
	do {
		struct timespec end = wall_end(until, &cut);
		result = real_sem_clockwait(sem, clock, &end);
	} while (cut && result != 0 && errno == ETIMEDOUT);
	return result;
}

static int our_sem_timedwait(sem_t *sem, const struct timespec *until)
{
	return our_sem_clockwait(sem, CLOCK_REALTIME, until);
}

/* Says in turn what the kernel may say: woken, a signal, the word had changed. */
static long futex_ends(void)
{
	if (done % 3 == 0)
		return 0;
	errno = done % 3 == 1 ? EINTR : EAGAIN;
	return -1;
}

static long futex_wait_wall(const long a[6])
{
	bool cut;
	long result;
	do {
		struct timespec end = wall_end((const struct timespec *)a[3], &cut);
		result = real_syscall(SYS_futex, a[0], a[1], a[2], &end, a[4], a[5]);
	} while (cut && result != 0 && errno == ETIMEDOUT);
	return result;
}

static long our_syscall(long number, ...)
{
	long a[6];
	va_list args;
	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	int command = (int)a[1] & FUTEX_CMD_MASK;
	if (number == SYS_futex && (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET)) {
		if (disturbs())
			return futex_ends();
		if (command == FUTEX_WAIT_BITSET && (a[1] & FUTEX_CLOCK_REALTIME) != 0 && a[3] != 0)
			return futex_wait_wall(a);
	}
	return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ------------------------------------------------------------------------------------------ */

#define REDIRECT(name)                                                                                                 \
	{                                                                                                              \
#name, (void *)(uintptr_t)our_##name, (void **)&real_##name                                            \
	}

bool fault_wait_ready(void)
{
	static const struct fault_redirect list[] = {
		REDIRECT(pthread_cond_wait), REDIRECT(pthread_cond_timedwait), REDIRECT(pthread_cond_clockwait),
		REDIRECT(cnd_wait),          REDIRECT(cnd_timedwait),          REDIRECT(sem_wait),
		REDIRECT(sem_timedwait),     REDIRECT(sem_clockwait),          REDIRECT(syscall),
		REDIRECT(clock_gettime),     REDIRECT(gettimeofday),           REDIRECT(time),
		REDIRECT(timespec_get),
	};
	static bool tried, ready;
	if (!tried)
		ready = fault_redirect(list, sizeof(list) / sizeof(list[0]));
	tried = true;
	return ready;
}
