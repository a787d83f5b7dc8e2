/* SPDX-License-Identifier: MIT */
#include "impls/base/spin.h"

#include <pthread.h>
#include <stdlib.h>

#define BUDGET_LEAST   15000u
#define BUDGET_MOST    50000u
#define MISSES_MOST    4u
#define CLOCK_EVERY    1024u /* ns */
#define YIELD_AFTER    2048u /* ns without an answer */
#define YIELDS         4u    /* on one CPU, before the sleep */
#define AFFINITY_EVERY 64u   /* waits of a thread */

_Atomic uint32_t chan_spin_budget = 30000;
_Atomic uint32_t chan_spin_looks = UINT32_MAX;
_Atomic uint32_t chan_spin_pauses = 64;

/* The shortest of several tries: the others were interrupted. */
static uint32_t measure_pauses(void)
{
	uint64_t best = UINT64_MAX;

	for (int try = 0; try < 5; try++) {
		uint64_t begin = chan_now();
		for (int i = 0; i < 64; i++)
			chan_relax();
		uint64_t took = chan_now() - begin;
		if (took < best)
			best = took;
	}
	return (uint32_t)(64u * 1024u / (best + 1)) + 1;
}

static void setup(void)
{
	const char *text = getenv("CHANBENCH_SPIN");
	char *end;

	if (text != NULL && *text >= '0' && *text <= '9') {
		unsigned long looks = strtoul(text, &end, 10);
		if (*end == '\0' && looks < UINT32_MAX)
			atomic_store_explicit(&chan_spin_looks, (uint32_t)looks, memory_order_relaxed);
		if (*end == '\0' && looks == 0)
			return; /* an explorer opens channels by the million, each in a process that is new to it */
	}
	atomic_store_explicit(&chan_spin_pauses, measure_pauses(), memory_order_relaxed);
}

void chan_spin_setup(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, setup);
}

/* Whether the calling thread may run on one CPU only. It may be moved at any time, so it is asked again now and then. */
static bool on_one_cpu(void)
{
	static _Thread_local uint32_t asked;
	static _Thread_local bool one;

	if (asked++ % AFFINITY_EVERY == 0) {
		cpu_set_t set;
		one = sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1;
	}
	return one;
}

static bool peer_is_here(const chan_cpu_t *peer)
{
	return peer != NULL && atomic_load_explicit(peer, memory_order_relaxed) == chan_cpu();
}

static bool peer_is_elsewhere(const chan_cpu_t *peer)
{
	int cpu = peer == NULL ? -1 : atomic_load_explicit(peer, memory_order_relaxed);

	return cpu >= 0 && cpu != chan_cpu();
}

void chan_spin_begin(struct spin *spin, struct spin_site *site, const chan_cpu_t *peer, uint32_t least)
{
	spin->site = site;
	spin->peer = peer;
	spin->begun = 0;
	spin->budget = atomic_load_explicit(&chan_spin_budget, memory_order_relaxed) >>
	               atomic_load_explicit(&site->misses, memory_order_relaxed);
	spin->gone = spin->asked = 0;
	spin->looks = atomic_load_explicit(&chan_spin_looks, memory_order_relaxed);
	spin->least = least;
	if (on_one_cpu() && !peer_is_elsewhere(peer) && spin->looks > YIELDS)
		spin->looks = YIELDS;
}

static void ask_the_clock(struct spin *spin)
{
	uint64_t now = chan_now();

	if (spin->begun == 0)
		spin->begun = now - spin->gone;
	uint64_t gone = now - spin->begun;
	spin->gone = spin->asked = gone < UINT32_MAX ? (uint32_t)gone : UINT32_MAX;
}

void chan_spin_until(struct spin *spin, uint64_t deadline)
{
	if (deadline == CHAN_FOREVER)
		return;
	ask_the_clock(spin);
	uint64_t now = spin->begun + spin->gone;
	uint64_t left = deadline > now ? deadline - now : 0;
	if (left < spin->budget - spin->gone)
		spin->budget = spin->gone + (uint32_t)left;
}

bool chan_spin(struct spin *spin)
{
	if (spin->looks == 0 || spin->gone >= spin->budget)
		return false;
	spin->looks--;
	if (spin->looks < YIELDS || spin->gone >= YIELD_AFTER || peer_is_here(spin->peer)) {
		if (spin->begun == 0)
			ask_the_clock(spin);
		sched_yield();
		ask_the_clock(spin);
		return true;
	}

	uint32_t wait = spin->gone / 16;
	if (wait < spin->least)
		wait = spin->least;
	if (wait < 16)
		wait = 16;
	if (wait > CHAN_PACE_MAX)
		wait = CHAN_PACE_MAX;
	chan_relax_for(wait);
	spin->gone += wait;
	if (spin->gone - spin->asked >= CLOCK_EVERY)
		ask_the_clock(spin);
	return true;
}

void chan_spin_end(struct spin *spin, bool slept)
{
	uint32_t misses = atomic_load_explicit(&spin->site->misses, memory_order_relaxed);
	uint32_t now = misses;

	if (slept) {
		/* A sleep adds its own latency, which is about the budget. */
		ask_the_clock(spin);
		if (spin->gone > 2 * (uint64_t)atomic_load_explicit(&chan_spin_budget, memory_order_relaxed))
			now = misses < MISSES_MOST ? misses + 1 : misses;
		else
			now = 0;
	} else if (misses > 0) {
		now = misses - 1;
	}
	if (now != misses)
		atomic_store_explicit(&spin->site->misses, now, memory_order_relaxed);
}

void chan_spin_learn(uint64_t ns)
{
	uint32_t old = atomic_load_explicit(&chan_spin_budget, memory_order_relaxed);
	uint64_t bounded = ns < BUDGET_LEAST ? BUDGET_LEAST : ns > BUDGET_MOST ? BUDGET_MOST : ns;

	/* Two sleepers may learn at once; one lesson is lost. */
	atomic_store_explicit(&chan_spin_budget, (uint32_t)((7 * (uint64_t)old + bounded) / 8), memory_order_relaxed);
}
