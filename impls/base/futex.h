/* SPDX-License-Identifier: MIT
 *
 * futex.h - sleeping on a word: the two system calls that everything that sleeps here is built of.
 *
 *   sleeper                                    waker
 *   -------                                    -----
 *   1  reads the word: `expected`              1  changes the word
 *   2  chan_futex_wait(word, expected, ...)    2  chan_futex_wake(word, n)
 *   3  reads the word again
 *
 * The kernel compares the word and puts the thread to sleep in one step, so a change between the
 * sleeper's steps 1 and 2 is not missed. The words are private to the process.
 *
 * Any return of the wait means "look again", because wakes may be spurious. The waker has no claim
 * on the memory of the word: before its system call the sleeper may have seen the change, gone on,
 * and given the memory back. A thread that sleeps at the same address by then is woken for nothing.
 *
 * ORDER. The system calls order no memory. The atomic operations on the word do.
 */
#ifndef CHANBENCH_BASE_FUTEX_H
#define CHANBENCH_BASE_FUTEX_H

#include "impls/base/fast.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "a futex is a plain 32-bit word to the kernel");

/* Where `long` has 32 bits, a call of its own takes a time_t of 64 bits, which musl always has and
 * glibc with _TIME_BITS=64. */
#ifdef SYS_futex_time64
enum { CHAN_SYS_FUTEX = sizeof(time_t) > sizeof(long) ? SYS_futex_time64 : SYS_futex };
#else
enum { CHAN_SYS_FUTEX = SYS_futex };
#endif

/* Sleeps while `*word` is `expected`, at most until the deadline, which is never CHAN_NOW. False:
 * the deadline has come. True: the thread was woken, the word had changed already, a signal came,
 * or nothing at all happened. */
static inline bool chan_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline)
{
	const struct timespec until = chan_timespec(deadline);

	/* WAIT_BITSET takes an absolute time, of CLOCK_MONOTONIC unless told otherwise (S-13). */
	long failed = syscall(CHAN_SYS_FUTEX, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
	                      deadline == CHAN_FOREVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
	return !(failed != 0 && errno == ETIMEDOUT);
}

/* Wakes up to `n` of the threads that sleep on `word`. It does not read the word. */
static inline void chan_futex_wake(_Atomic uint32_t *word, int n)
{
	syscall(CHAN_SYS_FUTEX, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n, NULL, NULL, 0);
}

#endif
