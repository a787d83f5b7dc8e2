/* SPDX-License-Identifier: MIT
 *
 * park.h - one thread waits for one other to tell it to go on.
 *
 * A parker stands on the stack of the thread that waits. Somebody finds it (in a queue, under a
 * lock) and unparks it, once. It is one word:
 *
 *   EMPTY    nobody has come; the owner spins, or does not wait
 *   ASLEEP   the owner sleeps on the word, or is about to
 *   WOKEN    it was told; for good
 *
 *   chan_parker_init(&parker);
 *   ... where others find it ...
 *   bool told = chan_park(&parker, &ch->site, deadline);
 *   ... if not told: out of where others find it; if somebody has found it meanwhile, chan_park again, without a deadline ...
 *
 * A thread that is told while it still spins costs who tells it one exchange and no system call.
 *
 * MEMORY. What was done before the unpark happens-before the return of the park. chan_unpark's
 * exchange is its last access: from then on the parker may be gone (the wake that follows names its
 * address only, see futex.h).
 */
#ifndef CHANBENCH_BASE_PARK_H
#define CHANBENCH_BASE_PARK_H

#include "impls/base/spin.h"

enum chan_parker_word { PARKER_EMPTY, PARKER_ASLEEP, PARKER_WOKEN };

struct parker {
	_Atomic uint32_t word;
	int woken_on;      /* the CPU of who woke a sleeper, ... */
	uint64_t woken_at; /* ... and when; published by the word */
};

static inline void chan_parker_init(struct parker *parker)
{
	atomic_init(&parker->word, PARKER_EMPTY);
	parker->woken_at = 0;
	parker->woken_on = -1;
}

/* Waits until unparked: true; or until the deadline: false, and it can be parked again. The
 * deadline is never CHAN_NOW. `site` NULL: sleeps at once, for a caller who has spun already. */
bool chan_park(struct parker *parker, struct spin_site *site, uint64_t deadline);

/* Whether it was unparked, for a caller who spins on its own. Acquire. */
static inline bool chan_parker_woken(const struct parker *parker)
{
	return atomic_load_explicit(&parker->word, memory_order_acquire) == PARKER_WOKEN;
}

/* Once. */
void chan_unpark(struct parker *parker);

#endif
