/* SPDX-License-Identifier: MIT */
#include "impls/base/park.h"
#include "impls/base/futex.h"

/* Sleeps until told, or until the deadline. */
static bool sleep_until(struct parker *parker, uint64_t deadline)
{
	uint32_t expected = PARKER_EMPTY;

	/* A failed exchange reads WOKEN: R1. One that succeeds needs no order, here and below,
	 * but C11 wants none weaker than that of the failure. */
	if (!atomic_compare_exchange_strong_explicit(&parker->word, &expected, PARKER_ASLEEP, memory_order_acquire,
	                                             memory_order_acquire))
		return true;
	bool in_time = true;
	while (in_time && !chan_parker_woken(parker)) /* R1 */
		in_time = chan_futex_wait(&parker->word, PARKER_ASLEEP, deadline);
	expected = PARKER_ASLEEP;
	return !atomic_compare_exchange_strong_explicit(&parker->word, &expected, PARKER_EMPTY, memory_order_acquire,
	                                                memory_order_acquire);
}

bool chan_park(struct parker *parker, struct spin_site *site, uint64_t deadline)
{
	struct spin spin;

	if (site == NULL)
		return sleep_until(parker, deadline);
	chan_spin_begin(&spin, site, NULL, false, 0);
	chan_spin_until(&spin, deadline);
	while (!chan_parker_woken(parker) && chan_spin(&spin)) /* R1 */
		;
	if (chan_parker_woken(parker)) { /* R1 */
		chan_spin_end(&spin, false);
		return true;
	}
	bool told = sleep_until(parker, deadline);
	if (told && parker->woken_at != 0) {
		uint64_t now = chan_now();
		if (parker->woken_on != chan_cpu() && now > parker->woken_at)
			chan_spin_learn(now - parker->woken_at);
	}
	chan_spin_end(&spin, true);
	return told;
}

void chan_unpark(struct parker *parker)
{
	/* Sound without order: who comes after it to sleep finds WOKEN, and is not told the
	 * time. */
	if (atomic_load_explicit(&parker->word, memory_order_relaxed) == PARKER_ASLEEP) {
		parker->woken_at = chan_now();
		parker->woken_on = chan_cpu();
	}
	/* A1, pairs with R1 */
	if (atomic_exchange_explicit(&parker->word, PARKER_WOKEN, memory_order_release) == PARKER_ASLEEP)
		chan_futex_wake(&parker->word, 1);
}
