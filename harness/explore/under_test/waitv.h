/* SPDX-License-Identifier: MIT
 *
 * waitv.h - futex_waitv for programs under test, as the kernel has it; older headers have neither
 * its structure nor its number.
 */
#ifndef CHANBENCH_EXPLORE_UNDER_TEST_WAITV_H
#define CHANBENCH_EXPLORE_UNDER_TEST_WAITV_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

#define WAITV_U32 2

/* Waits while `*a` and `*b` both have the value, or until the deadline (NULL: there is none).
 * Which was woken; or -1, and errno. */
static inline long waitv_both(_Atomic uint32_t *a, _Atomic uint32_t *b, uint32_t value, const struct timespec *deadline)
{
	const struct {
		uint64_t value, address;
		uint32_t flags, reserved;
	} wanted[2] = {{value, (uintptr_t)a, WAITV_U32 | FUTEX_PRIVATE_FLAG, 0},
	               {value, (uintptr_t)b, WAITV_U32 | FUTEX_PRIVATE_FLAG, 0}};

	return syscall(SYS_futex_waitv, wanted, 2, 0, deadline, CLOCK_MONOTONIC);
}

#endif
