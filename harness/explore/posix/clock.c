/* SPDX-License-Identifier: MIT
 *
 * clock.c - clocks and sleeping. All clocks show the one virtual clock, from different
 * beginnings.
 *
 * Time passes when a deadline comes, and that may be at any moment: a sleep orders nothing. A
 * sleeping thread is a step whose deadline is to come. Beside that the clock stands still; but a
 * thread that keeps looking at it until some time has come would look for ever, so whoever has seen
 * the same time SAME_LIMIT times in a row moves it, each time further.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

#define SECOND     1000000000ull
#define BOOT       (1000 * SECOND)       /* what CLOCK_MONOTONIC shows at the beginning */
#define DATE       (1700000000 * SECOND) /* what CLOCK_REALTIME shows then */
#define FOR_EVER   (1ull << 61)          /* further away than this nobody means it: 73 years */
#define SAME_LIMIT 4
#define STEP_FIRST 1000ull /* how far it is moved the first time */
#define STEP_LAST  (SECOND / 10)

static struct look {
	uint64_t seen;
	unsigned same;
	uint64_t step;
} looks[EXPLORE_THREADS];

void posix_clock_reset(void)
{
	for (unsigned i = 0; i < EXPLORE_THREADS; i++)
		looks[i] = (struct look){.seen = EXPLORE_NEVER, .step = STEP_FIRST};
}

bool sync_time_valid(const struct timespec *time)
{
	return time != NULL && time->tv_nsec >= 0 && time->tv_nsec < (long)SECOND;
}

static bool clock_known(clockid_t clock)
{
	return clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME;
}

static uint64_t beginning(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		return DATE;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		return 0;
	default:
		return BOOT;
	}
}

/* Saturates. */
static uint64_t nanoseconds(const struct timespec *time)
{
	if (time->tv_sec < 0)
		return 0;
	if ((uint64_t)time->tv_sec >= UINT64_MAX / SECOND)
		return UINT64_MAX;
	return (uint64_t)time->tv_sec * SECOND + (uint64_t)time->tv_nsec;
}

uint64_t sync_deadline(clockid_t clock, const struct timespec *absolute)
{
	uint64_t time = nanoseconds(absolute), start = beginning(clock);
	if (time <= start)
		return 0;
	return time - start > FOR_EVER ? EXPLORE_NEVER : time - start;
}

bool sync_until(clockid_t clock, const struct timespec *absolute, uint64_t *deadline)
{
	if (!clock_known(clock) || !sync_time_valid(absolute))
		return false;
	*deadline = sync_deadline(clock, absolute);
	return true;
}

uint64_t sync_deadline_after(const struct timespec *relative)
{
	uint64_t length = nanoseconds(relative);
	return length > FOR_EVER ? EXPLORE_NEVER : explore_clock_now() + length;
}

/* A look at the clock, as a step. */
static uint64_t look(const char *function, uintptr_t pc)
{
	if (!explore_active())
		return 0;
	struct look *own = &looks[explore_self()];
	bool moves = own->same >= SAME_LIMIT;
	struct explore_op op = {.name = function,
	                        .flags = EXPLORE_TIME | (moves ? 0 : EXPLORE_READS),
	                        .deadline = EXPLORE_NEVER,
	                        .pc = pc};
	explore_reach(&op);
	if (moves) {
		explore_clock_advance(own->step);
		own->step = own->step * 2 < STEP_LAST ? own->step * 2 : STEP_LAST;
	}
	uint64_t now = explore_clock_now();
	if (now == own->seen) {
		own->same++;
	} else if (!moves) {
		own->same = 0;
		own->step = STEP_FIRST;
	}
	own->seen = now;
	return now;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / SECOND), .tv_nsec = (long)(ns % SECOND)};
}

int explored_clock_gettime(clockid_t clock, struct timespec *time)
{
	if (clock < 0 || clock > CLOCK_TAI)
		return sync_failed(EINVAL);
	uint64_t now = look("clock_gettime", EXPLORE_PC) + beginning(clock);
	explore_write(time, sizeof(*time), EXPLORE_PC);
	*time = timespec_of(now);
	return 0;
}

int explored_timespec_get(struct timespec *time, int base)
{
	if (base != TIME_UTC)
		return 0;
	uint64_t now = look("timespec_get", EXPLORE_PC) + DATE;
	explore_write(time, sizeof(*time), EXPLORE_PC);
	*time = timespec_of(now);
	return base;
}

int explored_gettimeofday(struct timeval *time, void *zone)
{
	(void)zone;
	uint64_t now = look("gettimeofday", EXPLORE_PC) + DATE;
	explore_write(time, sizeof(*time), EXPLORE_PC);
	*time = (struct timeval){.tv_sec = (time_t)(now / SECOND), .tv_usec = (suseconds_t)(now % SECOND / 1000)};
	return 0;
}

time_t explored_time(time_t *time)
{
	time_t now = (time_t)((look("time", EXPLORE_PC) + DATE) / SECOND);
	if (time != NULL) {
		explore_write(time, sizeof(*time), EXPLORE_PC);
		*time = now;
	}
	return now;
}

clock_t explored_clock(void)
{
	return (clock_t)(look("clock", EXPLORE_PC) / (SECOND / CLOCKS_PER_SEC));
}

static bool never(const struct explore_op *op)
{
	(void)op;
	return false;
}

static void sleep_until(uint64_t deadline, const char *function, uintptr_t pc)
{
	sync_inside(function);
	struct explore_op op = {.name = function, .enabled = never, .deadline = deadline, .pc = pc};
	explore_reach(&op);
	explore_idle(); /* time alone is no progress */
}

int explored_nanosleep(const struct timespec *length, struct timespec *rest)
{
	(void)rest; /* nobody interrupts it */
	sync_inside("nanosleep");
	if (!sync_time_valid(length) || length->tv_sec < 0)
		return sync_failed(EINVAL);
	sleep_until(sync_deadline_after(length), "nanosleep", EXPLORE_PC);
	return 0;
}

int explored_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *rest)
{
	(void)rest;
	sync_inside("clock_nanosleep");
	if (!clock_known(clock) || !sync_time_valid(time) || time->tv_sec < 0)
		return EINVAL;
	uint64_t deadline = flags & TIMER_ABSTIME ? sync_deadline(clock, time) : sync_deadline_after(time);
	sleep_until(deadline, "clock_nanosleep", EXPLORE_PC);
	return 0;
}

int explored_thrd_sleep(const struct timespec *length, struct timespec *rest)
{
	return explored_nanosleep(length, rest);
}

int explored_usleep(useconds_t length)
{
	sync_inside("usleep");
	sleep_until(explore_clock_now() + length * 1000ull, "usleep", EXPLORE_PC);
	return 0;
}

unsigned explored_sleep(unsigned seconds)
{
	sync_inside("sleep");
	sleep_until(explore_clock_now() + seconds * SECOND, "sleep", EXPLORE_PC);
	return 0;
}

int explored_sched_yield(void)
{
	struct explore_op op = {
		.name = "sched_yield", .flags = EXPLORE_YIELD, .deadline = EXPLORE_NEVER, .pc = EXPLORE_PC};
	if (explore_active())
		explore_reach(&op);
	return 0;
}

void explored_thrd_yield(void)
{
	explored_sched_yield();
}
