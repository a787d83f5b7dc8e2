/* SPDX-License-Identifier: MIT */
#include "impls/base/spin.h"
#include "impls/base/quota.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <time.h>

#define BUDGET_LEAST    15000u
#define BUDGET_MOST     50000u
#define MISSES_MOST     4u
#define YIELDS_MOST     4u
#define PAUSES_EVERY    16u      /* waits of a thread */
#define CLOCK_EVERY     1024u    /* ns */
#define PAUSES_PAIR     512u     /* ns: a peer that is at work answers in half of it */
#define PAUSES_CROWD    2048u    /* ns, where a switch may lead to anybody */
#define YIELDS          4u       /* on one CPU, before the sleep */
#define YIELD_COSTS     1024u    /* ns: two switches */
#define YIELD_ALONE     768u     /* ns: one that took longer let another run */
#define AFFINITY_EVERY  64u      /* waits of a thread */
#define GIVE_WAY_YIELDS 80u      /* turns of chan_give_way, with the pauses before them */
#define GIVE_WAY_SLEEP  50000    /* ns */
#define CREDIT          1000000u /* ns that others may run during one wait, not charged */
#define CPUS            256u     /* more share an entry: it is a hint */
#define HOLD_LEAST      2000000u /* ns for which strangers are remembered: less is forgotten */
#define HOLD_MOST       500000000u

_Atomic uint32_t chan_spin_budget = 30000;
_Atomic uint32_t chan_spin_looks = UINT32_MAX;
_Atomic uint32_t chan_spin_pauses = 64;

/* ------------------------------------------------------------------------------------------
 * Other programs
 */

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
	if (ns < HOLD_LEAST)
		ns = 0; /* forgotten */
	atomic_store_explicit(&hold, (uint32_t)ns, memory_order_relaxed);
	atomic_store_explicit(&chan_crowd_until, ns == 0 ? 0 : chan_now() + ns, memory_order_relaxed);
}

bool chan_crowd_learn(uint64_t ns)
{
	uint64_t old = atomic_load_explicit(&hold, memory_order_relaxed);
	bool strangers = ns >= CHAN_CROWD_LEAST;

	if (strangers) {
		/* Strangers that come by cost one wait. Those that stay are tried again after twice
		 * the time, until a try costs a 16th of it. */
		uint64_t held = old * 2 < ns * 16 ? old * 2 : ns * 16;
		held = held > ns ? held : ns;
		held = held > HOLD_LEAST ? held : HOLD_LEAST;
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

/* ------------------------------------------------------------------------------------------
 * Spinning
 */

/* Takes the shortest of several tries, for the others were interrupted. */
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
		if (*end == '\0' && looks <= 1)
			/* an explorer opens channels by the million, each in a process that is
			 * new to it */
			return;
	}
	atomic_store_explicit(&chan_spin_pauses, measure_pauses(), memory_order_relaxed);
	if (chan_quota("/proc/self/cgroup", "/sys/fs/cgroup") < 200)
		chan_crowd_for_ever();
}

void chan_spin_setup(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, setup);
}

/* Explorers (CHANBENCH_SPIN=0 or 1) are spared the steps. */
static bool explored(void)
{
	return atomic_load_explicit(&chan_spin_looks, memory_order_relaxed) <= 1;
}

/* What the waits have seen of each CPU. */
static struct {
	/* The thread that came back from a wait there and has not begun another; 0: none. A thread
	 * that came back from being preempted is not seen. */
	alignas(64) chan_last_cpu_t thread;
	/* chan_now() when a thread of this process last left the CPU in a wait, or came back */
	_Atomic uint64_t at;
} running[CPUS];

static chan_last_cpu_t *running_on(chan_last_cpu seen)
{
	return &running[(seen & CHAN_LAST_CPU_MASK) % CPUS].thread;
}

static void record(chan_last_cpu seen, chan_last_cpu thread)
{
	chan_last_cpu_t *entry = running_on(seen);

	if (!explored() && atomic_load_explicit(entry, memory_order_relaxed) != thread)
		atomic_store_explicit(entry, thread, memory_order_relaxed);
}

static void arrive(void)
{
	chan_last_cpu here = chan_last_cpu_now();

	record(here, here);
}

static void leave(void)
{
	record(chan_last_cpu_now(), 0);
}

/* Notes that this thread has the CPU at the time `now`. Returns for how long no thread of this
 * process had noted that before. */
static uint64_t note_time(uint64_t now)
{
	if (explored())
		return 0;
	_Atomic uint64_t *at = &running[(uint32_t)chan_cpu() % CPUS].at;
	uint64_t before = atomic_load_explicit(at, memory_order_relaxed);

	atomic_store_explicit(at, now, memory_order_relaxed);
	return now > before ? now - before : 0;
}

/* The thread may be moved at any time, so the kernel is asked again now and then. */
bool chan_spin_on_one_cpu(void)
{
	static _Thread_local uint32_t asked;
	static _Thread_local bool one;

	if (asked++ % AFFINITY_EVERY == 0) {
		cpu_set_t set;
		one = sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1;
	}
	return one;
}

static bool same_cpu(chan_last_cpu a, chan_last_cpu b)
{
	return ((a ^ b) & CHAN_LAST_CPU_MASK) == 0;
}

/* Whether the peer cannot be at work at this moment: it was last seen on this CPU, or on one where
 * another thread has come by since. */
static bool peer_is_off(const struct spin *spin)
{
	chan_last_cpu seen = spin->peer == NULL ? 0 : atomic_load_explicit(spin->peer, memory_order_relaxed);

	if (seen == 0)
		return false;
	if (same_cpu(seen, chan_last_cpu_now()))
		return true;
	if (!spin->eager)
		return false;
	chan_last_cpu last = atomic_load_explicit(running_on(seen), memory_order_relaxed);
	return last != 0 && last != seen;
}

static bool peer_is_elsewhere(const chan_last_cpu_t *peer)
{
	chan_last_cpu seen = peer == NULL ? 0 : atomic_load_explicit(peer, memory_order_relaxed);

	return seen != 0 && !same_cpu(seen, chan_last_cpu_now());
}

/* Where the answer comes only when others have run, pauses are in vain. Now and then they are tried
 * all the same. */
static bool yields_at_once(const struct spin_site *site)
{
	static _Thread_local uint32_t waits;

	return atomic_load_explicit(&site->yields, memory_order_relaxed) >= YIELDS_MOST && waits++ % PAUSES_EVERY != 0;
}

static void count(_Atomic uint32_t *times, bool again, uint32_t most)
{
	uint32_t old = atomic_load_explicit(times, memory_order_relaxed);
	uint32_t now = !again ? 0 : old < most ? old + 1 : most;

	if (now != old)
		atomic_store_explicit(times, now, memory_order_relaxed);
}

/* Where strangers have the CPUs, a thread spins only for a peer that is at work elsewhere. */
static uint32_t crowd_budget(const struct spin *spin)
{
	chan_last_cpu seen = spin->peer == NULL ? 0 : atomic_load_explicit(spin->peer, memory_order_relaxed);

	if (seen == 0 || same_cpu(seen, chan_last_cpu_now()) ||
	    atomic_load_explicit(running_on(seen), memory_order_relaxed) != seen)
		return 0;
	return PAUSES_CROWD;
}

void chan_spin_begin(struct spin *spin, struct spin_site *site, const chan_last_cpu_t *peer, bool eager, uint32_t least)
{
	spin->site = site;
	spin->peer = peer;
	spin->begun = 0;
	spin->until = CHAN_FOREVER;
	spin->budget = atomic_load_explicit(&chan_spin_budget, memory_order_relaxed) >>
	               atomic_load_explicit(&site->misses, memory_order_relaxed);
	spin->gone = spin->asked = 0;
	spin->looks = atomic_load_explicit(&chan_spin_looks, memory_order_relaxed);
	spin->least = least;
	spin->eager = eager;
	spin->switched = false;
	spin->pauses = !eager ? PAUSES_CROWD : yields_at_once(site) ? 0 : PAUSES_PAIR;
	spin->credit = CREDIT;
	spin->crowded = !explored() && chan_crowd_is();
	if (spin->crowded)
		spin->budget = crowd_budget(spin);
	arrive();
	if (chan_spin_on_one_cpu() && !peer_is_elsewhere(peer) && spin->looks > YIELDS)
		spin->looks = YIELDS;
}

static void ask_the_clock(struct spin *spin)
{
	uint64_t now = chan_now();

	if (spin->begun == 0)
		spin->begun = now - spin->gone;
	uint64_t gone = now - spin->begun;
	spin->gone = spin->asked = gone < UINT32_MAX ? (uint32_t)gone : UINT32_MAX;
	if (now >= spin->until)
		spin->budget = 0;
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
	spin->until = deadline;
}

/* `took` ns have gone by that this thread did not use. If nobody of this process had this CPU for
 * long meanwhile, strangers had it, and the thread is to sleep: only a sleeper that is woken comes
 * before them. */
static void look_for_strangers(struct spin *spin, uint32_t took)
{
	uint64_t alone = note_time(spin->begun + spin->gone);

	if (took < alone)
		alone = took;
	if (chan_crowd_learn(alone))
		spin->budget = 0;
}

/* Lets others run. An eager wait is charged for the switches only, and for a 64th of what the
 * others took, as long as it has credit. */
static void yield(struct spin *spin)
{
	if (spin->begun == 0)
		ask_the_clock(spin);
	uint32_t before = spin->gone;
	leave();
	note_time(spin->begun + before);
	sched_yield();
	arrive();
	ask_the_clock(spin);
	uint32_t took = spin->gone - before;
	spin->switched |= took > YIELD_ALONE;
	look_for_strangers(spin, took);
	if (spin->eager && took > YIELD_COSTS) {
		uint32_t theirs = (took - YIELD_COSTS) / 64 * 63;

		if (theirs > spin->credit)
			theirs = spin->credit;
		spin->credit -= theirs;
		spin->begun += theirs;
		spin->gone = spin->asked = spin->gone - theirs;
	}
}

bool chan_spin(struct spin *spin)
{
	if (spin->looks == 0 || spin->gone >= spin->budget) {
		leave();
		if (spin->begun != 0)
			note_time(spin->begun + spin->gone);
		return false;
	}
	spin->looks--;
	if (!spin->crowded && (spin->looks < YIELDS || spin->gone >= spin->pauses || peer_is_off(spin))) {
		yield(spin);
		return true;
	}

	uint32_t wait = spin->gone / 16;
	if (wait < spin->least)
		wait = spin->least;
	if (wait < 16)
		wait = 16;
	if (wait > CHAN_POLL_MAX)
		wait = CHAN_POLL_MAX;
	chan_relax_for(wait);
	spin->gone += wait;
	if (spin->gone - spin->asked >= CLOCK_EVERY) {
		uint32_t expected = spin->gone;

		ask_the_clock(spin);
		if (spin->gone > expected + CHAN_CROWD_LEAST)
			look_for_strangers(spin, spin->gone - expected);
	}
	return true;
}

void chan_spin_end(struct spin *spin, bool slept)
{
	uint32_t misses = atomic_load_explicit(&spin->site->misses, memory_order_relaxed);
	uint32_t now = misses;

	if (slept) {
		arrive();
		/* A sleep adds its own latency, which is about the budget. */
		ask_the_clock(spin);
		note_time(spin->begun + spin->gone);
		if (spin->gone > 2 * (uint64_t)atomic_load_explicit(&chan_spin_budget, memory_order_relaxed))
			now = misses < MISSES_MOST ? misses + 1 : misses;
		else
			now = 0;
	} else if (misses > 0) {
		now = misses - 1;
	}
	if (spin->eager && !slept)
		count(&spin->site->yields, spin->switched, YIELDS_MOST);
	if (now != misses)
		atomic_store_explicit(&spin->site->misses, now, memory_order_relaxed);
}

void chan_give_way_later(unsigned turn)
{
	if (explored() || (turn < GIVE_WAY_YIELDS && !chan_crowd_is())) {
		uint64_t before = explored() ? 0 : chan_now();
		if (before != 0)
			note_time(before);
		sched_yield();
		if (before != 0) {
			uint64_t now = chan_now(), alone = note_time(now);
			chan_crowd_learn(alone < now - before ? alone : now - before);
		}
	} else {
		nanosleep(&(const struct timespec){.tv_nsec = GIVE_WAY_SLEEP}, NULL);
	}
}

void chan_spin_learn(uint64_t ns)
{
	uint32_t old = atomic_load_explicit(&chan_spin_budget, memory_order_relaxed);
	uint64_t bounded = ns < BUDGET_LEAST ? BUDGET_LEAST : ns > BUDGET_MOST ? BUDGET_MOST : ns;

	/* When two sleepers learn at once, one lesson is lost. */
	atomic_store_explicit(&chan_spin_budget, (uint32_t)((7 * (uint64_t)old + bounded) / 8), memory_order_relaxed);
}
