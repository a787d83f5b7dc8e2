/* SPDX-License-Identifier: MIT
 *
 * spin.h - waiting without sleeping: for how long, and in what rhythm.
 *
 * A sleep and a wake across cores take 25 us each way on many machines; a cache line crosses in
 * 65 ns. So a thread that has to wait first spins, about as long as a sleep would take, and then
 * sleeps. This is competitive spinning: it costs at most twice as much as the better choice. What
 * the thread waits for is the caller's affair. This file says when to look again, and when to stop:
 *
 *   struct spin spin;
 *   chan_spin_begin(&spin, &ch->site, &ch->peer, true, poll.ns);
 *   while (!ready(ch) && chan_spin(&spin))
 *           ;
 *   bool slept = !ready(ch);
 *   if (slept)
 *           ... register, chan_fence_heavy(), look again, sleep ...
 *   chan_spin_end(&spin, slept);
 *
 * ONE WAIT
 *   1  chan_spin_begin sets a budget in ns: `chan_spin_budget`, halved for each of the site's
 *      misses
 *   2  chan_spin pauses before the next look for a 16th of the time gone by
 *   3  after a while without an answer chan_spin yields instead (sched_yield)
 *   4  chan_spin returns false when the budget, the deadline or the number of looks is used up
 *   5  chan_spin_end tells the site whether it paid to spin
 *   6  a sleeper that was woken tells chan_spin_learn how long the wake took, and the budget
 *      follows
 *
 * HOW LONG. The budget begins at 30 us and follows what sleepers measure. It is a time and not a
 * count, because a pause is 10 ns on one machine and 50 on the next. A site at which spinning has
 * not paid lately spins shorter, down to a 16th. A wait that ended, asleep or not, within about the
 * time of a whole spin restores it. A thread that may run on one CPU only has nothing to spin for:
 * it yields a few times, and sleeps.
 *
 * WHAT OTHERS RUN while this thread yields is charged to the budget for the switches only. So a
 * thread that is one of several on its CPU is not sent to sleep because another had much to do.
 * There is a credit of 1 ms a wait for that; beyond it all is charged, so each wait comes to its
 * sleep within a bounded time and number of yields. All is charged, too, where several threads wait
 * for what only one of them gets: those that are not served soon should sleep, and be out of the
 * way of those that are.
 *
 * STRANGERS. When the CPU was away for 250 us or more, and no thread of this process was seen there
 * meanwhile, other programs had it. Then the wait sleeps after one more look. For a while
 * all waits of the process sleep at once. They do not yield, and they spin for 2 us only, and only
 * for a peer that came back from a wait on another CPU and has not begun another. CHANBENCH_SPIN=0
 * and 1 leave all this out.
 *
 * WHEN TO YIELD. A thread that gets no answer for a while waits for a thread that is not running.
 * The while is, from shortest to longest:
 *
 *   none      the peer is known to be off: it was last seen on this very CPU, or on another CPU
 *             where somebody else was seen since. (A side that wants that notes where it runs, with
 *             chan_last_cpu_note.) Also where the last answers all came after a yield only; but
 *             every 16th wait finds out whether that is still so.
 *   512 ns    otherwise: a peer that is at work answers in half of that
 *   2 us      where several threads wait for what only one of them gets, unless the peer was last
 *             seen on this very CPU: each switch may lead to another thread that waits, and the one
 *             that is served across two CPUs, at 0.2 us a message, must not be switched away from
 *
 * POLLING. A consumer that looks at a ring as often as it can takes each message out of the
 * producer's cache, one by one. If it looks less often, each look finds several. `struct poll`
 * finds the rhythm. After a look that found more than one message the next wait doubles; after any
 * other look it is halved. It is also halved after a look that found all that there can be: then
 * the other side has begun to wait, too. (In a ring of one slot there is nothing to be gained.)
 *
 *   found = take what is there;
 *   if (found == 0) { poll_wait(&poll); look again, or begin to spin }
 *   else poll_gained(&poll, found, room);    after a wait: how much it brought
 *
 * ORDER. Nothing here orders memory: every word is a hint or a statistic, read and written relaxed.
 *
 * OTHER PROGRAMS. A thread that yields hands its CPU to whoever is runnable there. Among the
 * threads of one process that takes a microsecond. A stranger keeps the CPU for a whole slice, 1 to
 * 4 ms, and the next stranger after it. A thread that sleeps loses nothing of the kind: when it is
 * woken it comes before those that have used up more of their share. So a process that has met
 * strangers does not yield for a while; its threads sleep at once.
 *
 *   1  a wait in which the CPU was away tells chan_crowd_learn for how long no thread of this
 *      process was seen there
 *   2  CHAN_CROWD_LEAST or more: strangers. For as long again, or for twice as long as the last
 *      time, chan_crowd_is says so; at most for 16 times as long, and for half a second
 *   3  after that one thread, and no other, is let try again. What it finds decides: strangers (2),
 *      or not, and a quarter of the time, until it is forgotten
 *   So strangers that come by cost little. With 8 times as long at once, four senders and one slot
 *   made a third of the messages on a machine that was busy now and then.
 *
 * A QUOTA of CPU time (quota.h) of less than two CPUs counts like strangers that never go: the peer
 * of a thread that spins may not be let run.
 *
 * ENVIRONMENT. CHANBENCH_SPIN=N in the environment allows at most N looks before each sleep,
 * whatever the clock says. 0 and 1 are for explorers of interleavings, for which a spin is a waste
 * of steps.
 *
 * NOTES
 *
 * When to yield decides most where there are more threads than CPUs, for a switch takes 0.5 to
 * 1.4 us. These were tried, and were worse:
 *
 *   2 us for all                       a pipeline of three channels of 10 slots: half as fast
 *   early for all                      60 senders, one slot: 0.6 of the throughput
 *   at once for all                    four senders, one slot: 0.2 of it; ping-pong: 0.3 of it
 *   not to know where the peer runs    worse, too
 */
#ifndef CHANBENCH_BASE_SPIN_H
#define CHANBENCH_BASE_SPIN_H

#include "impls/base/fast.h"
#include "impls/channel.h"

/* The nanoseconds that a spin may take. */
extern _Atomic uint32_t chan_spin_budget;

/* The most looks before a sleep: UINT32_MAX unless the environment says otherwise. */
extern _Atomic uint32_t chan_spin_looks;

/* The number of pauses in 1024 ns. */
extern _Atomic uint32_t chan_spin_pauses;

/* Reads the environment and measures a pause, once. Every open calls it. */
void chan_spin_setup(void);

/* --- other programs --- */

/* Strangers had a CPU on which no thread of this process was seen for so long (ns). */
#define CHAN_CROWD_LEAST 250000u

/* Until when it holds; 0: there is no crowd. */
extern _Atomic uint64_t chan_crowd_until;

/* For chan_crowd_is. Returns whether the caller is to sleep at once. */
bool chan_crowd_look(uint64_t until);

/* Whether strangers have the CPUs, as far as this process knows. */
static inline bool chan_crowd_is(void)
{
	uint64_t until = atomic_load_explicit(&chan_crowd_until, memory_order_relaxed);

	return CHAN_RARELY(until != 0) && chan_crowd_look(until);
}

/* A thread that waited did not have its CPU, and nobody of this process had it for `ns`. Returns
 * whether those were strangers. */
bool chan_crowd_learn(uint64_t ns);

/* From now on it is always so. */
void chan_crowd_for_ever(void);

/* --- pauses --- */

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

/* --- a peer in the middle of its step --- */

/* The rest of chan_give_way. */
void chan_give_way_later(unsigned turn);

/* Waits a moment for a peer that is in the middle of a few instructions: it may have been preempted
 * there. Before long it yields, and then it sleeps in short steps, so that it does not take the CPU
 * that the peer needs. `*turn` counts; it begins with 0. */
static inline void chan_give_way(unsigned *turn)
{
	if (++*turn < 64)
		chan_relax();
	else
		chan_give_way_later(*turn);
}

/* --- polling --- */

#define CHAN_POLL_MAX 1024u /* ns */

struct poll {
	uint32_t ns; /* the wait before the next look; 0 to begin with */
};

static inline void poll_wait(const struct poll *poll)
{
	chan_relax_for(poll->ns);
}

/* A wait brought `n` messages, of the `most` that there can be. */
static inline void poll_gained(struct poll *poll, size_t n, size_t most)
{
	if (n <= 1 || n >= most)
		poll->ns /= 2;
	else if (poll->ns < CHAN_POLL_MAX)
		poll->ns = poll->ns < 8 ? 16 : poll->ns * 2;
}

/* --- spinning --- */

/* What is remembered between the waits at one place, for instance of the receivers of a channel.
 * All zero to begin with. */
struct spin_site {
	/* how often in a row it did not pay to spin, at most 4 */
	_Atomic uint32_t misses;
	/* how often in a row the answer came after another had run on this CPU, at most 4 */
	_Atomic uint32_t yields;
};

/* One wait of one thread. */
struct spin {
	struct spin_site *site;
	const chan_last_cpu_t *peer;
	uint64_t begun;  /* chan_now() at the begin, later by what others ran meanwhile */
	uint64_t until;  /* the deadline */
	uint32_t budget; /* ns */
	/* ns of its own that have gone by: what the clock said when it was last asked, and what the
	 * waits since then should take */
	uint32_t gone;
	uint32_t asked;  /* `gone` when the clock was last asked */
	uint32_t looks;  /* the looks that are left */
	uint32_t pauses; /* ns after which it yields */
	bool eager;      /* as chan_spin_begin says */
	bool crowded;    /* strangers have the CPUs: it does not yield */
	bool switched;   /* another ran on this CPU meanwhile */
	uint32_t credit; /* ns that others may still run without a charge */
	uint32_t least;  /* ns between two looks, at least */
};

/* Whether the calling thread may run on one CPU only, as far as it knows. */
bool chan_spin_on_one_cpu(void);

/* Begins a wait at `site`. `peer` (may be NULL) says where the other side was last seen. `eager`:
 * no other thread waits here for what only one can get. `least` is the shortest wait between two
 * looks, in ns. */
void chan_spin_begin(struct spin *spin, struct spin_site *site, const chan_last_cpu_t *peer, bool eager,
                     uint32_t least);

/* The wait is to last no longer than to the deadline. */
void chan_spin_until(struct spin *spin, uint64_t deadline);

/* Waits a moment, and returns true: look again. False, without a wait: it has been long enough. */
bool chan_spin(struct spin *spin);

/* The wait is over. Spinning alone was enough, or the thread `slept`. */
void chan_spin_end(struct spin *spin, bool slept);

/* A sleeper on another CPU than its waker ran `ns` nanoseconds after it had been woken. */
void chan_spin_learn(uint64_t ns);

#endif
