/* SPDX-License-Identifier: MIT
 *
 * crowd.h - whether other programs have the CPUs.
 *
 * A thread that yields hands its CPU to whoever is runnable there. Among the threads of one process
 * that takes a microsecond. A stranger keeps the CPU for a whole slice, 1 to 4 ms, and the next
 * stranger after it. A thread that sleeps loses nothing of the kind: when it is woken it comes
 * before those that have used up more of their share. So a process that has met strangers does not
 * yield for a while; its threads sleep at once.
 *
 *   1  a wait in which the CPU was away tells chan_crowd_learn for how long no thread of this
 *      process was seen there
 *   2  CHAN_CROWD_LEAST or more: strangers. For the next 8 times as long, and 4 times as long as
 *      the last time, at most half a second, chan_crowd_is says so
 *   3  after that one thread, and no other, is let try again. What it finds decides: strangers (2),
 *      or not, and the time is halved, until it is forgotten
 *
 * ORDER. All is relaxed: each word is a hint. When two threads learn at once, one lesson is lost.
 *
 * A QUOTA of CPU time (quota.h) of less than two CPUs counts like strangers that never go: the peer
 * of a thread that spins may not be let run.
 */
#ifndef CHANBENCH_BASE_CROWD_H
#define CHANBENCH_BASE_CROWD_H

#include "impls/base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

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

#endif
