/* SPDX-License-Identifier: MIT
 *
 * park.h - one thread waits until one other thread tells it to go on.
 *
 * A parker stands on the stack of the thread that waits. Another thread finds it, in a queue and
 * under a lock, and unparks it once. The parker is one word:
 *
 *   EMPTY    nobody has come; the owner spins, or does not wait yet
 *   ASLEEP   the owner sleeps on the word, or is about to
 *   WOKEN    the owner was told to go on; the word stays so
 *
 *   owner                                          waker
 *   -----                                          -----
 *   1  chan_parker_init, and puts the parker       1  finds the parker, takes it out of there
 *      where others find it                        2  chan_unpark: word := WOKEN; it was ASLEEP:
 *   2  spins while the word is EMPTY                  wakes the thread that sleeps on it
 *   3  EMPTY -> ASLEEP, and sleeps on the word
 *   4  WOKEN: chan_park returns true
 *   5  the deadline comes first: ASLEEP ->
 *      EMPTY, and chan_park returns false
 *
 * After a false the owner takes its parker out of where others find it. If a waker has found the
 * parker meanwhile, the owner parks again, without a deadline: it is about to be told.
 *
 * A thread that is told while it still spins costs the waker one exchange and no system call.
 *
 * INVARIANT. Each change of the word is one atomic read-modify-write. The owner makes EMPTY ->
 * ASLEEP and back, the waker makes either -> WOKEN, so exactly one of "told" and "timed out"
 * happens.
 *
 * ORDER
 *   A1 -> R1  the unpark's exchange (release) -> the owner's read of WOKEN (acquire): what the
 *             waker did before the unpark happens-before the return of the park.
 *
 * LIFE. A1 is the waker's last access to the parker, which may be gone right after it. The futex
 * wake that follows names its address only (futex.h).
 */
#ifndef CHANBENCH_BASE_PARK_H
#define CHANBENCH_BASE_PARK_H

#include "impls/base/spin.h"

enum chan_parker_word { PARKER_EMPTY, PARKER_ASLEEP, PARKER_WOKEN };

struct parker {
	_Atomic uint32_t word;
	int woken_on;      /* the CPU of the waker of a sleeper, ... */
	uint64_t woken_at; /* ... and when; published by the word */
};

static inline void chan_parker_init(struct parker *parker)
{
	atomic_init(&parker->word, PARKER_EMPTY);
	parker->woken_at = 0;
	parker->woken_on = -1;
}

/* Waits until the parker is unparked (true), or until the deadline (false), which is never
 * CHAN_NOW. After a false it can be parked again. It spins first, as `site` remembers it pays; with
 * `site` NULL it sleeps at once, for a caller that has spun already. */
bool chan_park(struct parker *parker, struct spin_site *site, uint64_t deadline);

/* Whether it was unparked, for a caller that spins on its own. R1. */
static inline bool chan_parker_woken(const struct parker *parker)
{
	return atomic_load_explicit(&parker->word, memory_order_acquire) == PARKER_WOKEN;
}

/* Tells the owner to go on. Called once for each parker. */
void chan_unpark(struct parker *parker);

#endif
