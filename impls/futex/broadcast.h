/* SPDX-License-Identifier: MIT
 *
 * broadcast.h - the broadcast channel of the futex and vyukov families: a ring that a sender
 * overwrites and receivers validate.
 *
 * OVERVIEW. A ring of R slots, R the capacity rounded up to a power of two (B-2), and positions of
 * 64 bits that only rise: `tail` is where the next send writes; each receiver has a `next` of its
 * own, where it reads, and writes nothing that another thread reads often. Position p lies in slot
 * p mod R. Each slot has a stamp that says which position it holds, and whether that is still being
 * written: a sequence lock a slot, after Linux's seqlock. What is read may be overwritten
 * meanwhile, so elements are stored as atomic words, and a copy counts only if the stamp is the
 * same before and after. So a sender never waits for a receiver (B-3).
 *
 * A stamp is 2p while slot p mod R holds position p, and 2p + 1 while it is being written there. A
 * receiver at p finds
 *
 *   2p                     its message
 *   2p + 1                 a sender in the middle of its step: it waits until it has written
 *   2(p - R)               nothing yet: it stands at the tail. So slots are stamped at open.
 *   2(p + kR), k > 0       its message is lost (also + 1): it goes on at tail - R, and has missed
 *                          the distance, exactly (B-12). When the tail does not yet say so, the
 *                          sender that overwrites it is in the middle of its step, and it waits.
 *
 * ONE SENDER AT A TIME. Sends are ordered by being done one after another, under the channel's
 * lock: so all receivers see one order (B-6), a send knows how many receivers there are (B-4), and
 * a new receiver begins exactly between two sends (B-7). That is the slow path. A lock for each
 * send would cost more than the send, so a sender that is the only one, and for whom nobody waits,
 * gets the BIAS: `owner` names its handle, and it sends without the lock. Whoever is to change what
 * such a send relies on (the number of receivers, the sleepers that it would have to wake, a second
 * sender that sends) takes the lock, and then the bias away: Dekker's question, with the fence on
 * the rare side (fence.h).
 *
 *   the owner, at each send                 who takes the bias away, under the lock
 *   -----------------------                 ---------------------------------------
 *   inside = true                           owner = NULL
 *   chan_fence_light()                      chan_fence_heavy()
 *   owner still names it? send              until inside is false (A2, R2): wait
 *   inside = false
 *
 * A biased lock, after Russell and Detlefs (OOPSLA 2006) with an asymmetric fence. It costs who
 * takes it away a system call that interrupts the other CPUs. So a channel that was opened with a
 * receiver begins with it, for many live so short that nobody ever asks; and once it has been taken
 * away it is given only after BIAS_AFTER sends in a row in which nobody asked: a channel that is
 * used now and then has it no more. Blocked receivers and armed waiters stand in the channel's
 * queue, and while anybody stands there the bias is not given. So a sender that is biased has
 * nobody to wake, and one that is not has the lock, under which it sees all who wait: no wake is
 * lost, and no system call is made when nobody sleeps.
 *
 * CATCHING UP. A receiver that has been overtaken goes on at the oldest message, which is the one
 * that the next send overwrites: to get it, it must be back before that, in 10 ns or so. It never
 * is, and so is told of one lag after the other and gets next to nothing, even if it is fast enough
 * to follow: the only way back is a sender that pauses. So it asks (`plea`), waits a moment until
 * the owner has heard, and only then looks where the oldest message is; and the owner pauses once,
 * for at most 3 us, whatever the receiver does meanwhile. That is enough for a hundred messages or
 * more. A receiver that has not made use of it is too slow for it to help, and asks at fewer lags,
 * down to one in 256, which no sender notices; and none asks at its first, for it may be on the
 * sender's own thread. Without this 4 receivers get 1 to 4 M messages/s of a sender that sends 150
 * M, with it 50 M of 85 M.
 *
 * FETCHING AHEAD. A slot comes from the sender's cache in 65 ns or more, so a receiver fetches it 8
 * messages before it needs it. Only if it knows that it is written already, from a look at the tail
 * now and then: it would take away what the sender is about to write.
 *
 * MEMORY. The channel, its slots and its first two handles are one allocation: with four, opening
 * and ending it took most of the time of a channel that lives for a few messages. It is aligned
 * here and not by the allocator, whose fast way is for what is not.
 *
 * WITH HOOKS a value cannot be read while it is overwritten; such a channel is one of the mutex
 * family, whose rules B-30 to B-35 are kept there, with threads that park. All functions here look
 * first whether it is one (chan_futex_broadcast_hooked).
 *
 * INVARIANTS
 *   - tail, stamps and words are written by one thread at a time: the owner inside its send, or the
 *     holder of the lock without an owner.
 *   - An owner is set at open, or by itself, under the lock, when it is the only sender and nobody
 *     stands in `readers`.
 *   - While there is an owner, `receivers` of the core and `readers` do not change, and nobody else
 *     sends.
 *   - tail - next of a receiver is the number of sends since its last message or lag (B-17, B-26).
 *
 * LINEARIZATION. send: the store of the tail (A3). A receiver that sees more than that, the stamp
 * that comes before it, waits. recv: CHAN_OK, the load of the stamp that makes its copy valid;
 * CHAN_LAGGED, the load of the tail; CHAN_EMPTY, the first load of the stamp; CHAN_CLOSED, the same
 * after `ended` was seen. All else: its critical section, with the bias taken away.
 *
 * ORDER, by label (A release, R acquire)
 *   A1 the stamp of a slot that is written, R1 its load by a receiver: the words, and what the
 *   sender did before. A2 inside = false, R2 who takes the bias away: the sends of the owner. A3
 *   the tail, R3 its load by a receiver that lags: the stamp of the oldest message, so that after a
 *   lag there is one; or that
 *      asks for the length: what was done before the messages that it is told of.
 *   A4 each word, R4 its load by a receiver: whoever reads a word of a later position sees, at its
 *   second look, the stamp that was
 *      stored before that word; the copy does not count.
 *   A5 `ended`, R5 its load: all sends before the last sender's drop.
 *   A6 next, R6 its load by who asks for a length: the tail that it has passed.
 *
 * A PEER THAT STANDS in the middle of a send: receivers that come to its slot wait for it,
 * spinning, then yielding; so do those that want the lock or are to take the bias away. Receivers
 * that are behind go on. One that stands anywhere else on its fast path stops nobody.
 *
 * WRAP. R divides 2^64, so p mod R stays right when positions wrap. Stamps are positions of 63 bits
 * and are compared by distance only (B-42): a receiver would have to be 2^62 messages behind to be
 * misled.
 *
 *   broadcast.c        opening, handles, readiness, properties; the table
 *   broadcast_send.c   sending, the bias
 *   broadcast_recv.c   receiving
 */
#ifndef CHANBENCH_FUTEX_BROADCAST_H
#define CHANBENCH_FUTEX_BROADCAST_H

#include "impls/base/core.h"
#include "impls/base/fence.h"

#include <stdalign.h>

#define FUTEX_LINE 128 /* what one side writes and another reads lies so far apart: lines are fetched in pairs */

#define FUTEX_AHEAD 8u /* slots that a receiver fetches before it needs them, once it knows that they are written */

#define FUTEX_GRACE_LEAST 256u /* ns */
#define FUTEX_GRACE_MOST  3072u
#define FUTEX_GRACE_SLOT  24u /* for each slot */

struct futex_slot {
	_Atomic uint64_t stamp;
	_Atomic uint64_t words[];
};

/* Where the messages are; the same for all, never written after open. */
struct futex_ring {
	char *slots;
	uint64_t mask; /* R - 1 */
	size_t stride; /* bytes of a slot */
	size_t size;   /* bytes of an element */
};

struct futex_broadcast {
	struct core core;
	struct list everyone;  /* the receivers, by `others`; under the lock */
	struct spin_site site; /* of receivers at the tail */

	alignas(FUTEX_LINE) struct futex_ring ring;
	_Atomic(struct handle *) owner;
	size_t count; /* the receivers there are while there is an owner; the owner's */
	void *memory; /* in which all this lies */
	uint32_t
		/* ns that the owner then pauses: about what reading the whole ring takes, at
		 * most FUTEX_GRACE_MOST */
		grace;
	/* a receiver that was overtaken asks the owner to let it catch up */
	atomic_bool plea;
	atomic_bool ended;                /* no sender is left */
	alignas(64) struct handle sender; /* the first one; hardly ever written */

	alignas(FUTEX_LINE) _Atomic uint64_t tail;
	atomic_bool inside; /* the owner is sending */
	unsigned streak;    /* sends since somebody last needed the lock; under the lock */
};

struct chan_futex_broadcast_receiver {
	struct handle handle;
	struct list others;
	alignas(FUTEX_LINE) _Atomic uint64_t next; /* written by its own thread only */
	/* positions below it are FUTEX_AHEAD or more below the tail */
	uint64_t fetch_until;
	struct futex_ring ring;

	struct poll poll;
	uint64_t waited_at; /* where it last found nothing */

	uint64_t lagged_at; /* where it went on after its last lag */
	bool pleaded;       /* then */
	/* lags at which it does not ask: how many after a plea, and how many are left */
	unsigned silence, silent;
};

static inline struct futex_broadcast *chan_futex_broadcast_of(const struct handle *h)
{
	return (struct futex_broadcast *)h->core;
}

/* Whether this handle is of a channel with hooks, of the mutex family. */
static inline bool chan_futex_broadcast_hooked(const struct handle *h)
{
	return h->core->config.clone != NULL;
}

static inline struct futex_slot *chan_futex_broadcast_slot(const struct futex_ring *ring, uint64_t position)
{
	return (struct futex_slot *)(void *)(ring->slots + (position & ring->mask) * ring->stride);
}

/* ---- broadcast_send.c ---- */

/* From here until the lock is released nobody sends. `self`: the caller's handle, which may be
 * the owner. Under the lock. */
void chan_futex_broadcast_stop(struct futex_broadcast *ch, const struct handle *self);

enum chan_status chan_futex_broadcast_send(struct chan_sender *tx, const void *msg, size_t *receivers);

/* ---- broadcast_recv.c ---- */

enum chan_status chan_futex_broadcast_recv(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline);

/* Whether a receive would complete now, as far as can be seen without the lock. */
bool chan_futex_broadcast_ready(const struct chan_futex_broadcast_receiver *r);

#endif
