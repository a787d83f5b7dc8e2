/* SPDX-License-Identifier: MIT
 *
 * sleep.h - sleeps until a time of chan_now.
 */
#ifndef CHANBENCH_HARNESS_SLEEP_H
#define CHANBENCH_HARNESS_SLEEP_H

#include <errno.h>
#include <stdint.h>
#include <time.h>

static inline void sleep_until(uint64_t deadline)
{
	struct timespec ts = {(time_t)(deadline / 1000000000u), (long)(deadline % 1000000000u)};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

#endif
