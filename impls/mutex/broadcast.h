/* SPDX-License-Identifier: MIT
 *
 * broadcast.h - the broadcast channel of the mutex family: every receiver sees every message, or is
 * told how many it missed.
 *
 * OVERVIEW. A ring of R slots, R the capacity rounded up to a power of two (B-2), and positions of
 * 64 bits that only rise: `tail` is where the next send writes, and each receiver has `next`, where
 * it reads. Position p lies in slot p mod R; R divides 2^64, so this stays right when positions
 * wrap, and so do distances, which are all that is compared (B-42). A receiver with tail - next > R
 * has lost the difference, exactly, and goes on at tail - R.
 *
 * Each slot counts its debt: the receivers that were there at its send and have not read it, nor
 * were dropped (B-27, B-32). When the debt comes to nothing the value ends, at that moment (B-31).
 * It is moved out under the lock into a scratch, and destroyed when the lock is free; so `destroy`
 * may send on this channel, also where the ring has but one slot.
 *
 * With a `clone` hook, a receive makes its copy without the lock. Meanwhile its slot is `busy` and
 * the receiver's own part of the debt stays: so the value cannot end, a second reader of that slot
 * waits (B-33), and so does a sender whose turn it is to overwrite it (B-35). A receiver's drop
 * need not wait: it pays its part, and the one that clones pays last. Waiting here is for the
 * caller's hook to return, with any deadline. Calls from inside the hook are refused (mark.h): they
 * might wait for themselves.
 *
 * INVARIANTS (under the lock)
 *   - A slot's debt is the number of receivers whose `next` has not passed its position, and of
 *     those that clone it.
 *   - `owed` is the number of slots whose debt is not 0.
 *   - A value is alive in a slot iff `held`. With a destroy hook, debt 0 implies not held, but
 *     where memory ran out:
 *
 * OUT OF MEMORY. A send that cannot have a scratch is CHAN_NOMEM. A receive cannot be, since by the
 * contract that would lose the message: its value then stays held, until it is overwritten or the
 * channel ends. A drop cannot fail nor leave anything behind: each receiver brings a `spare`
 * element with it for that. (Scratches of up to 256 bytes need no memory.)
 *
 * LINEARIZATION. send: the critical section that advances the tail. recv: the one that advances
 * `next` (or finds that it cannot). The others: their only one.
 *
 * WAKES. Receivers: all of them by each send (B-23), and by the last sender's drop (B-22).
 * closed(): by the last receiver's drop. Whoever waits for a busy slot: by its cloner, through
 * `idle`; one condition variable for all, each looks at its own slot.
 *
 *   broadcast.c        opening, receivers that come and go, readiness, properties; the table
 *   broadcast_ring.c   sending and receiving
 */
#ifndef CHANBENCH_MUTEX_BROADCAST_H
#define CHANBENCH_MUTEX_BROADCAST_H

#include "impls/base/core.h"

struct slot {
	size_t debt;
	bool held;
	bool busy;
};

struct broadcast {
	struct core core;
	struct slot *slots;
	char *elements;
	size_t retained; /* R */
	size_t owed;
	uint64_t tail;
	pthread_cond_t idle;
};

struct broadcast_receiver {
	struct handle handle;
	uint64_t next;
	void *spare; /* NULL where nothing is to be destroyed */
};

static inline struct broadcast *chan_mutex_broadcast_of(const struct handle *h)
{
	return (struct broadcast *)h->core;
}

static inline struct slot *chan_mutex_broadcast_slot(struct broadcast *ch, uint64_t position)
{
	return &ch->slots[position & (ch->retained - 1)];
}

static inline void *chan_mutex_broadcast_element(struct broadcast *ch, const struct slot *slot)
{
	return ch->elements + (size_t)(slot - ch->slots) * ch->core.layout.stride;
}

/* The position itself, or the oldest one that is still in the ring. */
static inline uint64_t chan_mutex_broadcast_retained_from(const struct broadcast *ch, uint64_t position)
{
	return ch->tail - position > ch->retained ? ch->tail - ch->retained : position;
}

/* ---- broadcast.c ---- */

/* Opens a channel whose blocked threads sleep as `sleep` says. Families whose broadcast takes no
 * locks use it for elements with hooks. */
enum chan_status chan_mutex_broadcast_open(const struct chan_config *config, enum core_sleep sleep,
                                           struct chan_sender **tx, struct chan_receiver **rx);

/* ---- broadcast_ring.c ---- */

/* One receiver's part of a slot's debt is paid. True: it was the last, and the value, which is
 * to be destroyed, now lies at `to`. Under the lock. */
bool chan_mutex_broadcast_pay(struct broadcast *ch, struct slot *slot, void *to);

enum chan_status chan_mutex_broadcast_send(struct chan_sender *tx, const void *msg, size_t *receivers);
enum chan_status chan_mutex_broadcast_recv(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline);

#endif
