/* SPDX-License-Identifier: MIT
 *
 * futex.h - sleeping on a word: the two system calls that everything that sleeps here is built of.
 *
 * A thread that has found a word to be `expected` sleeps until somebody who has changed it wakes
 * it. The kernel compares and goes to sleep in one step, so that a change between the caller's look
 * and its sleep is not missed. The words are private to the process.
 *
 * Any return means "look again": wakes may be spurious, for who wakes holds no claim on the memory.
 * By the time of its system call the sleeper may have seen the change, gone on, and given the
 * memory back; whoever sleeps there next is woken for nothing.
 *
 * No memory ordering comes from here: it comes from the atomic operations on the word.
 */
#ifndef CHANBENCH_BASE_FUTEX_H
#define CHANBENCH_BASE_FUTEX_H

#include "impls/base/timespec.h"
#include "impls/channel.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "a futex is a plain 32-bit word to the kernel");

/* Sleeps while `*word` is `expected`, at most until the deadline, which is never CHAN_NOW.
 * False: the deadline has come. True: woken, or changed already, or a signal, or nothing at all. */
static inline bool chan_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline)
{
	const struct timespec until = chan_timespec(deadline);

	/* WAIT_BITSET takes an absolute time, of CLOCK_MONOTONIC unless told otherwise (S-13). */
	long failed = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
	                      deadline == CHAN_FOREVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
	return !(failed != 0 && errno == ETIMEDOUT);
}

/* Wakes up to `n` of those who sleep on `word`. Does not read it. */
static inline void chan_futex_wake(_Atomic uint32_t *word, int n)
{
	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n, NULL, NULL, 0);
}

#endif
