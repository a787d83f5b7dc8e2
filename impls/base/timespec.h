/* SPDX-License-Identifier: MIT
 *
 * timespec.h - nanoseconds, as the kernel and the C library take them.
 */
#ifndef CHANBENCH_BASE_TIMESPEC_H
#define CHANBENCH_BASE_TIMESPEC_H

#include <stdint.h>
#include <time.h>

/* A deadline (never CHAN_FOREVER) or a span of `ns` nanoseconds. */
static inline struct timespec chan_timespec(uint64_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
	return ts;
}

#endif
