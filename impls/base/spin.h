/* SPDX-License-Identifier: MIT
 *
 * spin.h - waiting without sleeping: for how long, and in what rhythm.
 *
 * A sleep and a wake across cores takes 25 us each way on many machines, a cache line that crosses 65 ns. So who has to wait first spins, about as
 * long as the sleep would take (competitive spinning: at most twice the cost of the better choice), and then sleeps. What is
 * waited for is the caller's; this file says when to look again and when to stop:
 *
 *   struct spin spin;
 *   chan_spin_begin(&spin, &ch->site, &ch->peer_cpu, pace.ns);
 *   while (!ready(ch) && chan_spin(&spin))
 *           ;
 *   bool slept = !ready(ch);
 *   if (slept)
 *           ... register, chan_fence_heavy(), look again, sleep ...
 *   chan_spin_end(&spin, slept);
 *
 * HOW LONG. `chan_spin_budget` nanoseconds; it begins at 30 us and follows what sleepers measure (chan_spin_learn). By the clock, not by a
 * count: a pause is 10 ns on one machine and 50 on the next. A site at which spinning has not paid lately spins shorter, down to a
 * 16th; a wait that ended, asleep or not, within about the time that a whole spin would have taken restores it. Where
 * the thread may run on one CPU only there is nothing to spin for: it yields a few times, and sleeps.
 *
 * WHAT BETWEEN TWO LOOKS. First pauses: the wait before the next look is a 16th of the time gone by, so it overshoots by so
 * much; from the pace (below) up to about a microsecond. After 2 us without an answer the peer is likely not running at all: sched_yield. At once
 * if the peer was last seen on this very CPU, which cannot run both: who wants that says with chan_cpu_note where it runs.
 *
 * PACE. A consumer that looks at a ring as often as it can takes each message out of the producer's cache, one by one. If it looks less
 * often, each look finds several. `struct pace` finds the rhythm: after a look that found more than one message the next wait
 * doubles, else it is halved.
 *
 *   found = take what is there;
 *   if (found == 0) { pace_wait(&pace); look again, or begin to spin }
 *   else pace_gained(&pace, found);        after a wait; how much it brought
 *
 * ENVIRONMENT. CHANBENCH_SPIN=N in the environment: at most N looks before each sleep, whatever the clock says. 0 and 1 are for explorers of
 * interleavings, for which a spin is a waste of steps.
 */
#ifndef CHANBENCH_BASE_SPIN_H
#define CHANBENCH_BASE_SPIN_H

#include "impls/channel.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/rseq.h>

/* Nanoseconds that a spin may take. */
extern _Atomic uint32_t chan_spin_budget;

/* Looks before a sleep, at most; UINT32_MAX unless the environment says otherwise. */
extern _Atomic uint32_t chan_spin_looks;

/* Pauses in 1024 ns. */
extern _Atomic uint32_t chan_spin_pauses;

/* Reads the environment and measures a pause, once. Every open calls it. */
void chan_spin_setup(void);

/* --- the processor --- */

/* Tells the processor that this is a loop that waits. */
static inline void chan_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("yield");
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* Pauses for about `ns` nanoseconds, at least once. */
static inline void chan_relax_for(uint32_t ns)
{
	uint32_t pauses =
		(uint32_t)((uint64_t)ns * atomic_load_explicit(&chan_spin_pauses, memory_order_relaxed) >> 10);

	do
		chan_relax();
	while (pauses-- > 1);
}

/* The CPU on which this thread runs, at this moment. The kernel keeps it in a word of the thread's own (rseq). */
static inline int chan_cpu(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	if (__rseq_size != 0) {
		const struct rseq *area = (const void *)((char *)__builtin_thread_pointer() + __rseq_offset);
		return (int)*(const volatile uint32_t *)&area->cpu_id;
	}
#endif
	return sched_getcpu();
}

/* Where one side of a channel was last seen, for the other to look at (chan_spin_begin). -1: nowhere yet. */
typedef _Atomic int chan_cpu_t;

/* Writes only what has changed, so that the line stays shared. */
static inline void chan_cpu_note(chan_cpu_t *seen)
{
	int cpu = chan_cpu();

	if (atomic_load_explicit(seen, memory_order_relaxed) != cpu)
		atomic_store_explicit(seen, cpu, memory_order_relaxed);
}

/* --- pace --- */

#define CHAN_PACE_MAX 1024u /* ns */

struct pace {
	uint32_t ns; /* the wait before the next look; begin with 0 */
};

static inline void pace_wait(const struct pace *pace)
{
	chan_relax_for(pace->ns);
}

/* A wait brought `n` messages. */
static inline void pace_gained(struct pace *pace, size_t n)
{
	if (n <= 1)
		pace->ns /= 2;
	else if (pace->ns < CHAN_PACE_MAX)
		pace->ns = pace->ns < 8 ? 16 : pace->ns * 2;
}

/* --- spinning --- */

/* What is remembered between the waits at one place: the receivers of a channel, its senders. All zero to begin with. */
struct spin_site {
	_Atomic uint32_t misses; /* how often in a row it did not pay, at most 4 */
};

/* One wait of one thread. */
struct spin {
	struct spin_site *site;
	const chan_cpu_t *peer;
	uint64_t begun;  /* chan_now() */
	uint32_t budget; /* ns */
	uint32_t gone;   /* ns, by the clock when it was last asked, by what the waits should take since then */
	uint32_t asked;  /* `gone` when the clock was last asked */
	uint32_t looks;  /* that are left */
	uint32_t least;  /* ns between two looks, at least */
};

/* `peer` (may be NULL) says on which CPU the other side was last seen; `least` is the shortest wait between looks. */
void chan_spin_begin(struct spin *spin, struct spin_site *site, const chan_cpu_t *peer, uint32_t least);

/* No longer than to the deadline. */
void chan_spin_until(struct spin *spin, uint64_t deadline);

/* Waits a moment. False, without waiting: it has been long enough. */
bool chan_spin(struct spin *spin);

/* The wait is over: spinning alone was enough, or it `slept`. */
void chan_spin_end(struct spin *spin, bool slept);

/* A sleeper on another CPU ran `ns` after it had been woken. */
void chan_spin_learn(uint64_t ns);

#endif
