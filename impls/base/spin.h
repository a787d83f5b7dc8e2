/* SPDX-License-Identifier: MIT
 *
 * spin.h - waiting without sleeping: for how long, and in what rhythm.
 *
 * A sleep and a wake across cores takes 25 us each way on many machines, a cache line that crosses
 * 65 ns. So who has to wait first spins, about as long as the sleep would take (competitive
 * spinning: at most twice the cost of the better choice), and then sleeps. What is waited for is
 * the caller's; this file says when to look again and when to stop:
 *
 *   struct spin spin;
 *   chan_spin_begin(&spin, &ch->site, &ch->peer, true, pace.ns);
 *   while (!ready(ch) && chan_spin(&spin))
 *           ;
 *   bool slept = !ready(ch);
 *   if (slept)
 *           ... register, chan_fence_heavy(), look again, sleep ...
 *   chan_spin_end(&spin, slept);
 *
 * HOW LONG. `chan_spin_budget` nanoseconds; it begins at 30 us and follows what sleepers measure
 * (chan_spin_learn). By the clock, not by a count: a pause is 10 ns on one machine and 50 on the
 * next. A site at which spinning has not paid lately spins shorter, down to a 16th; a wait that
 * ended, asleep or not, within about the time that a whole spin would have taken restores it. Where
 * the thread may run on one CPU only there is nothing to spin for: it yields a few times, and
 * sleeps.
 *
 * What others run while this thread yields is charged for the switches only: a thread that is one
 * of several on its CPU is not sent to sleep because another had much to do. But where several wait
 * for what only one of them gets it is charged in full: those who are not served soon should sleep,
 * and be out of the way of those who are.
 *
 * WHAT BETWEEN TWO LOOKS. First pauses: the wait before the next look is a 16th of the time gone
 * by, so it overshoots by so much; from the pace (below) up to about a microsecond. Who gets no
 * answer for a while waits for a thread that is not running: sched_yield. How long a while is, is
 * most of what decides where there are more threads than CPUs (a switch takes 0.5 to 1.4 us):
 *
 *   at once   if the peer is known to be off: it was last seen on this very CPU, or on another
 *             where somebody else was seen since (who wants that notes with chan_last_cpu_note
 *             where it runs); and where the last answers all came after a yield only, but for every
 *             16th wait, which finds out whether that is still so
 *   512 ns    else: a peer that is at work answers in half of that
 *   2 us      where several wait for what only one of them gets, unless the peer was last seen on
 *             this very CPU: each switch may lead to another who waits, and the one that is served
 *             across two CPUs, at 0.2 us a message, must not be switched away from
 *
 * Tried, and worse: 2 us for all (a pipeline of three channels of 10 slots: half as fast), early
 * for all (60 senders, one slot: 0.6 of it), at once for all (four senders, one slot: 0.2 of it;
 * ping-pong: 0.3 of it), and no knowledge of where the peer runs.
 *
 * PACE. A consumer that looks at a ring as often as it can takes each message out of the producer's
 * cache, one by one. If it looks less often, each look finds several. `struct poll` finds the
 * rhythm: after a look that found more than one message the next wait doubles, else it is halved;
 * also when it found all that there can be, for then the other side has begun to wait, too (and in
 * a ring of one slot there is nothing to be gained).
 *
 *   found = take what is there;
 *   if (found == 0) { poll_wait(&pace); look again, or begin to spin }
 *   else poll_gained(&pace, found, room);  after a wait; how much it brought
 *
 * ENVIRONMENT. CHANBENCH_SPIN=N in the environment: at most N looks before each sleep, whatever the
 * clock says. 0 and 1 are for explorers of interleavings, for which a spin is a waste of steps.
 */
#ifndef CHANBENCH_BASE_SPIN_H
#define CHANBENCH_BASE_SPIN_H

#include "impls/base/fast.h"
#include "impls/channel.h"

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

/* --- pace --- */

#define CHAN_POLL_MAX 1024u /* ns */

struct poll {
	uint32_t ns; /* the wait before the next look; begin with 0 */
};

static inline void poll_wait(const struct poll *pace)
{
	chan_relax_for(pace->ns);
}

/* A wait brought `n` messages, of the `most` that there can be: had there been more room, it
 * would have brought more. */
static inline void poll_gained(struct poll *pace, size_t n, size_t most)
{
	if (n <= 1 || n >= most)
		pace->ns /= 2;
	else if (pace->ns < CHAN_POLL_MAX)
		pace->ns = pace->ns < 8 ? 16 : pace->ns * 2;
}

/* --- spinning --- */

/* What is remembered between the waits at one place: the receivers of a channel, its senders.
 * All zero to begin with. */
struct spin_site {
	_Atomic uint32_t misses; /* how often in a row it did not pay, at most 4 */
	/* how often in a row the answer came after another had run on this CPU, at most 4 */
	_Atomic uint32_t yields;
};

/* One wait of one thread. */
struct spin {
	struct spin_site *site;
	const chan_last_cpu_t *peer;
	uint64_t begun;  /* chan_now(), later by what others ran meanwhile */
	uint64_t until;  /* the deadline */
	uint32_t budget; /* ns */
	uint32_t
		/* ns of its own, by the clock when it was last asked, by what the waits should
		 * take since then */
		gone;
	uint32_t asked;  /* `gone` when the clock was last asked */
	uint32_t looks;  /* that are left */
	uint32_t pauses; /* ns after which it yields */
	bool eager;      /* as chan_spin_begin says */
	bool switched;   /* another ran on this CPU meanwhile */
	uint32_t least;  /* ns between two looks, at least */
};

/* Whether the calling thread may run on one CPU only, as far as it knows. */
bool chan_spin_on_one_cpu(void);

/* `peer` (may be NULL) says where the other side was last seen; `eager`: nobody else waits here
 * for what only one can get; `least` is the shortest wait between looks. */
void chan_spin_begin(struct spin *spin, struct spin_site *site, const chan_last_cpu_t *peer, bool eager,
                     uint32_t least);

/* No longer than to the deadline. */
void chan_spin_until(struct spin *spin, uint64_t deadline);

/* Waits a moment. False, without waiting: it has been long enough. */
bool chan_spin(struct spin *spin);

/* The wait is over: spinning alone was enough, or it `slept`. */
void chan_spin_end(struct spin *spin, bool slept);

/* A sleeper on another CPU ran `ns` after it had been woken. */
void chan_spin_learn(uint64_t ns);

#endif
