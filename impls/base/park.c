/* SPDX-License-Identifier: MIT */
#include "impls/base/park.h"
#include "impls/base/futex.h"

/* The owner's steps 3 to 5: sleeps until told, or until the deadline. */
static bool sleep_until(struct parker *parker, uint64_t deadline)
{
	uint32_t expected = PARKER_EMPTY;

	/* R1, when it fails: it has read WOKEN. When it succeeds, here and below, no order is
	 * needed, but in C11 success may not be weaker than failure. */
	if (!atomic_compare_exchange_strong_explicit(&parker->word, &expected, PARKER_ASLEEP, memory_order_acquire,
	                                             memory_order_acquire))
		return true;
	bool in_time = true;
	while (in_time && !chan_parker_woken(parker)) /* R1: told */
		in_time = chan_futex_wait(&parker->word, PARKER_ASLEEP, deadline);
	expected = PARKER_ASLEEP;
	/* R1, when it fails: told after all */
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
	while (!chan_parker_woken(parker) && chan_spin(&spin)) /* R1: told, while it spins */
		;
	if (chan_parker_woken(parker)) { /* R1: what the waker did */
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
	/* Relaxed: an owner that falls asleep only after this read finds WOKEN at A1, and learns no
	 * time. */
	if (atomic_load_explicit(&parker->word, memory_order_relaxed) == PARKER_ASLEEP) {
		parker->woken_at = chan_now();
		parker->woken_on = chan_cpu();
	}
	/* A1: publishes all that was done before */
	if (atomic_exchange_explicit(&parker->word, PARKER_WOKEN, memory_order_release) == PARKER_ASLEEP)
		chan_futex_wake(&parker->word, 1);
}
