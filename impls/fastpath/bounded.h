/* SPDX-License-Identifier: MIT
 *
 * lane.h - a bounded channel that is a ring without a lock as long as nothing special goes on: what
 * is the same for every ring.
 *
 * Here is what a ring has to know of it; the code is in lane_ops.h, a template that is compiled
 * with each ring.
 *
 * ALGORITHM
 *
 * The rules of a bounded channel are many (slots are given to senders in the order in which they
 * came, permits, armed waiters, what a close does to each of them) and concern few messages. All of
 * them are kept in base/mpsc.h, under the channel's lock. The ring is its store of messages; and as
 * long as no sender waits, no slot is held and the channel is open, senders and receivers go by the
 * lock and use the ring as it is. One word, the gate, says whether they may. It is written seldom,
 * so reading it costs nothing.
 *
 *   STATE_SENDERS_BLOCKED         senders must come to the lock (one sender; where there are
 *                                 several, the word in which they claim slots says it)
 *   STATE_RECEIVER_WAITS      who has sent must come to the lock, for somebody waits for a message
 *   STATE_SENDER_WAITS      who has received must come to the lock, for somebody waits for a slot
 *   STATE_ENDING       as STATE_SENDER_WAITS, and who finds nothing, too: it may be the end
 *   STATE_MANY_SENDERS, STATE_MANY_RECEIVERS    there have been several; never taken back
 *
 * Receivers are never locked out: they can only make slots free, and tell who waits for them.
 *
 *
 * HOW SENDERS ARE LOCKED OUT (seize)
 *
 * Several senders claim slots by exchanging one word, from which one bit locks them out: no claim
 * succeeds after it is set. A single sender claims by a plain store. It announces that it is about
 * to (`busy`), and then reads the gate; who locks it out closes the gate, makes a heavy fence, and
 * waits until it is not busy: either it has seen the gate, or it is waited for (fence.h; A1 <->
 * R1). Mostly it is the sender itself who seizes, and then there is nothing to wait for.
 *
 * Either way the slots that were claimed before are counted by ring_len; so under the lock the
 * number of free slots is exact, or less than it by what receivers have made free since, who will
 * come to the lock if somebody waits.
 *
 *
 * WHO SLEEPS
 *
 * Spinning comes first, in front of the queues, where the one that looks at the right moment wins.
 * Then the thread comes to the lock and queues; the gate says so, a heavy fence makes the others
 * see it, and it looks again (mpsc_store.publish_state). The others publish, make a light fence,
 * and read the gate. A receiver then sleeps at once. A sender spins once more: in the queue its
 * turn comes, and who gives it a slot need not wake it (without that four senders that share a CPU
 * and 32 slots send a third less). Who ends the channel while a receiver waits makes the fence,
 * too: the message that it was to be woken for may just have been taken by another, and either that
 * one sees the gate, and comes to the lock, or its taking is seen here.
 *
 *
 * ORDER. A1 -> R1 `busy`: the single sender's last send. A2 -> R2 the gate: what a ring has set up
 * for several senders, or receivers, when the gate says that there are; whoever writes the gate has
 * the lock, and so carries it on. Whatever else the gate says is no more than: come to the lock.
 *
 * LINEARIZATION. A send or receive without the lock: where the ring claims the slot or the message
 * (its file says where). CHAN_FULL: the read of the receivers' counter in ring_len; CHAN_EMPTY:
 * that of the senders', or, where the channel is ending, the lock. All else: the lock.
 *
 * A PEER THAT IS PREEMPTED after its claim and before it has finished is waited for by who needs
 * that very slot, spinning, then yielding: it never makes a channel seem full or empty (M-21,
 * M-56). One that holds the lock is waited for by who needs the lock.
 */
#ifndef CHANBENCH_BASE_LANE_H
#define CHANBENCH_BASE_LANE_H

#include "impls/base/config.h"
#include "impls/base/spin.h"
#include "impls/base/compiler.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum fastpath_state {
	STATE_SENDERS_BLOCKED = 1,
	STATE_RECEIVER_WAITS = 2,
	STATE_SENDER_WAITS = 4,
	STATE_ENDING = 8,
	STATE_MANY_SENDERS = 16,
	STATE_MANY_RECEIVERS = 32
};

typedef _Atomic uint32_t fastpath_state_t;

static inline uint32_t fastpath_state(const fastpath_state_t *gate)
{
	return atomic_load_explicit(gate, memory_order_acquire); /* R2 */
}

/* Slots so few that a sender on one CPU queues rather than yields: its message in the queue is
 * as good as another slot. (Not with more of them: the lock costs more than is gained. Nor on
 * several CPUs when the receiver was last seen on this one: of 60 senders there are always some
 * in the queue then, and all others have to come to the lock; a third of the messages.) */
enum { LANE_FEW = 4 };

/* After a failed exchange: others are at it; let them go on with it in their caches. */
enum { LANE_COLLISION_NS = 200 };

/* Waits for a peer that is in the middle of a few instructions: it may have been preempted
 * there. */
static inline void lane_await_peer(unsigned *looks)
{
	if (++*looks < 64)
		chan_relax();
	else
		sched_yield();
}

#endif
