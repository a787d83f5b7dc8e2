/* SPDX-License-Identifier: MIT */
#include "impls/base/crowd.h"
#include "impls/channel.h"

#define HOLD_LEAST 2000000u /* ns: less is forgotten */
#define HOLD_MOST  500000000u

_Atomic uint64_t chan_crowd_until;

/* For how long it held, or holds, in ns. */
static _Atomic uint32_t hold;

bool chan_crowd_look(uint64_t until)
{
	uint64_t now = chan_now();

	if (now < until)
		return true;
	/* The thread that makes the exchange tries; the others sleep until it has found out. */
	uint64_t next = now + atomic_load_explicit(&hold, memory_order_relaxed);
	return !atomic_compare_exchange_strong_explicit(&chan_crowd_until, &until, next, memory_order_relaxed,
	                                                memory_order_relaxed);
}

static void hold_for(uint64_t ns)
{
	if (atomic_load_explicit(&chan_crowd_until, memory_order_relaxed) == CHAN_FOREVER)
		return;
	atomic_store_explicit(&hold, (uint32_t)ns, memory_order_relaxed);
	atomic_store_explicit(&chan_crowd_until, ns < HOLD_LEAST ? 0 : chan_now() + ns, memory_order_relaxed);
}

bool chan_crowd_learn(uint64_t ns)
{
	uint64_t old = atomic_load_explicit(&hold, memory_order_relaxed);
	bool strangers = ns >= CHAN_CROWD_LEAST;

	if (strangers) {
		/* a try costs a 16th of the time at most, once it is known */
		uint64_t held = ns * 8 > old * 4 ? ns * 8 : old * 4 < ns * 16 ? old * 4 : ns * 16;
		hold_for(held < HOLD_MOST ? held : HOLD_MOST);
	} else if (atomic_load_explicit(&chan_crowd_until, memory_order_relaxed) != 0) {
		hold_for(old / 4);
	}
	return strangers;
}

void chan_crowd_for_ever(void)
{
	atomic_store_explicit(&chan_crowd_until, CHAN_FOREVER, memory_order_relaxed);
}
