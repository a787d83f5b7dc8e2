/* SPDX-License-Identifier: MIT
 *
 * unbounded.h - an unbounded channel around a store of messages that needs no lock: waiting,
 * arming, closing, dropping.
 *
 * OVERVIEW
 *
 * A family brings a store: a queue without a bound, many senders, one receiver or several, no lock.
 * It describes it by a constant table of operations (struct unbounded_store). The functions at the
 * end of this file are compiled into the family's file with that constant. So a send or a receive
 * is one piece of code, and the store's operations in it are called directly or not at all.
 * Whatever is rare is in unbounded.c, compiled once, and reaches the store through the table.
 *
 * The store moves messages. Everything else is done under the lock of base/core.h, as in every
 * family: sleeping, arming, closing, dropping. The store and the lock know of each other by the
 * channel's state, three bits that the store keeps where each send sees them:
 *
 *   UNBOUNDED_WAITING      core.recv_queue is not empty    a send comes to the lock to wake
 *   UNBOUNDED_CLOSED       the receiving side has closed   a send is refused
 *   UNBOUNDED_NO_SENDERS   there is no sender              a receive that finds nothing is at the
 *                                                          end
 *
 *
 * ALGORITHM
 *
 * Send.     S1  The store takes the message, or refuses it, and says what the state was at the
 *               moment at which it took it.
 *           S2  UNBOUNDED_WAITING was set: take the lock and wake a receiver (P-4).
 * Receive.  R1  The store gives a message. Done.
 *           R2  There is none: spin for a while, asking the store.
 *           R3  Still none: take the lock, join core.recv_queue, set UNBOUNDED_WAITING. The store
 *               says whether a message was there at the moment at which the bit was set.
 *           R4  None was: sleep. Else leave the queue, and begin again at R1.
 * A send before the moment of R3 is seen by the receiver, and one after it sees the bit. So no wake
 * is lost. How the store makes this one moment is its own affair.
 *
 *
 * INVARIANTS (whenever the lock is free)
 *
 * I1  UNBOUNDED_WAITING is set if and only if core.recv_queue is not empty, UNBOUNDED_CLOSED if and
 *     only if the channel is closed, UNBOUNDED_NO_SENDERS if and only if there is no sender.
 * I2  A receiver waits for a message only while there is none, or while each is spoken for: another
 *     receiver was woken for it and has not yet come back, or its sender is on its way to wake.
 *     Nobody waits at the end of a channel (UNBOUNDED_ENDING).
 * I3  `granted` of an armed wait is 1 when it was woken for a message and its handle has not
 *     received since. Otherwise it is 0. Its disarm passes the wake on (P-5). A thread that blocks
 *     on the same handle is woken with it, else the thread could wait behind itself.
 *
 * WHERE EACH WAKE COMES FROM. A receiver is woken by a message, one receiver for each (P-4); by the
 * last sender's drop, all of them; by close, all of them: from then on what is still being sent is
 * waited for without sleeping (U-3); by the disarm of another that was woken for a message and did
 * not use it. closed() is woken by close.
 *
 * LINEARIZATION. A send, a receive that gives a message, EMPTY and CLOSED: in the store. All else:
 * under the lock.
 *
 * ORDER. A0 -> R0 `shared`: what all other receivers did, when one is left.
 */
#ifndef CHANBENCH_FASTPATH_UNBOUNDED_H
#define CHANBENCH_FASTPATH_UNBOUNDED_H

#include "impls/base/compiler.h"
#include "impls/base/core.h"
#include "impls/base/spin.h"

#include <stdalign.h>
#include <stdatomic.h>

/* Two CPUs cannot write one such line at the same time. What different sides write is that many
 * bytes apart. */
#define UNBOUNDED_LINE 64

enum {
	UNBOUNDED_CLOSED = 1,
	UNBOUNDED_NO_SENDERS = 2,
	UNBOUNDED_WAITING = 4,
	UNBOUNDED_ENDING = UNBOUNDED_CLOSED | UNBOUNDED_NO_SENDERS,
	UNBOUNDED_STATE = 7
};

struct unbounded_store;

/* A channel begins with this, and the store follows. Its handles are plain struct handle, or begin
 * with one. */
struct unbounded {
	struct core core; /* `closed` also once the last receiver is gone */
	const struct unbounded_store *store;

	/* The receivers' line. */
	alignas(UNBOUNDED_LINE) struct poll poll; /* of the only receiver */
	size_t gained;                            /* its messages since it last waited */
	_Atomic bool shared;                      /* there are several receivers */
	_Atomic bool ended;                       /* UNBOUNDED_ENDING was set: look at the state */
};

static inline struct unbounded *unbounded_of(const struct handle *h)
{
	return (struct unbounded *)h->core;
}

static inline bool unbounded_shared(const struct unbounded *ch)
{
	/* R0: what the others took */
	return atomic_load_explicit(&ch->shared, memory_order_acquire);
}

/* What a store can do. `state` receives the bits above. */
struct unbounded_store {
	/* Sets up an empty store for elements of core.layout, in zeroed memory, its counters
	 * beginning at `start`. False: out of memory; close follows. */
	bool (*open)(struct unbounded *ch, uint64_t start);
	/* Frees the memory. Elements that are still inside are forgotten. */
	void (*close)(struct unbounded *ch);

	/* Sends one message. CHAN_OK, and `*state` at the moment at which it was sent;
	 * CHAN_CLOSED; CHAN_NOMEM. `*state` is 0 before. */
	enum chan_status (*send)(struct handle *h, const void *msg, unsigned *state);
	/* Sends up to `n` (not 0) messages that follow each other, at least one; adds to `*sent`
	 * how many. */
	enum chan_status (*send_some)(struct handle *h, const void *msgs, size_t n, size_t *sent, unsigned *state);

	/* Takes one message, if the receiver is alone and it is easy to have. */
	bool (*take_one)(struct unbounded *ch, void *msg);
	/* Takes up to `limit` (not 0) messages, without waiting for more; for those that are being
	 * written it waits. When they are less: `*state` at the moment when there were no more. */
	size_t (*take)(struct unbounded *ch, void *msgs, size_t limit, unsigned *state);
	/* Whether it seems worth while to call take. False negatives of a moment only. */
	bool (*ready)(const struct unbounded *ch);

	/* Sets bits of the state. Returns whether there was a message, or an end, at the moment at
	 * which it was set. Under the lock, as is unset. */
	bool (*set)(struct unbounded *ch, unsigned bits);
	void (*unset)(struct unbounded *ch, unsigned bits);
	unsigned (*state)(const struct unbounded *ch);

	/* Messages sent, or being sent, and not yet taken, as it was at a moment during the call.
	 * Of more than `most` it need not say how many. */
	size_t (*len)(struct unbounded *ch, size_t most);

	/* The only receiver is to have company, or has lost it. Under the lock. NULL: the store
	 * need not know. */
	void (*share)(struct unbounded *ch);
	void (*unshare)(struct unbounded *ch);

	/* The oldest message where it lies, or NULL; and the end of it. Closed, and nobody
	 * receives. */
	void *(*front)(struct unbounded *ch);
	void (*pop)(struct unbounded *ch);

	/* A sender is about to be dropped. NULL: the store need not know. */
	void (*sender_drop)(struct handle *h);
};

/* ------------------------------------------------------------------------------------------
 * unbounded.c: what is rare
 */

/* Opens a channel of `size` bytes, whose sender handles are of `handle_size`. */
enum chan_status chan_unbounded_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx, size_t size, size_t handle_size,
                                     const struct unbounded_store *store);

/* UNBOUNDED_WAITING was set when `n` messages were sent; they are in place. */
void chan_unbounded_wake(struct handle *h, size_t n);

/* Sleeps until there may be something, or the deadline. False: it came. */
bool chan_unbounded_sleep(struct handle *h, uint64_t deadline, bool *slept);

/* The handle has received `n` messages: its armed waiters that were woken for them have got
 * them. */
void chan_unbounded_granted(struct handle *h, size_t n);

void chan_unbounded_sender_drop(struct chan_sender **tx);
void chan_unbounded_receiver_drop(struct chan_receiver **rx);
enum chan_status chan_unbounded_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out);
void chan_unbounded_close(struct chan_receiver *rx);
enum chan_arm chan_unbounded_arm_send(struct chan_sender *tx, struct chan_waiter *waiter);
enum chan_arm chan_unbounded_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter);
bool chan_unbounded_disarm(struct chan_waiter *waiter);
uint64_t chan_unbounded_sender_get(const struct chan_sender *tx, enum chan_property property);
uint64_t chan_unbounded_receiver_get(const struct chan_receiver *rx, enum chan_property property);

/* ------------------------------------------------------------------------------------------
 * Sending. A send never waits, so it has no use for a deadline (U-1).
 */

static CHAN_INLINE enum chan_status unbounded_send(struct chan_sender *tx, const void *msg,
                                                   const struct unbounded_store *store)
{
	struct handle *h = (struct handle *)tx;
	unsigned state = 0;

	if (msg == NULL && h->core->layout.size != 0)
		return CHAN_INVALID;
	owner_check_enter(&h->owner, "send");
	enum chan_status status = store->send(h, msg, &state);
	owner_check_leave(&h->owner);
	if (state & UNBOUNDED_WAITING)
		chan_unbounded_wake(h, 1);
	return status;
}

static CHAN_INLINE enum chan_status unbounded_send_many(struct chan_sender *tx, const void *msgs, size_t n,
                                                        size_t *sent, const struct unbounded_store *store)
{
	struct handle *h = (struct handle *)tx;
	size_t size = h->core->layout.size;
	enum chan_status status = CHAN_OK;

	*sent = 0;
	if (msgs == NULL && n != 0 && size != 0)
		return CHAN_INVALID;
	if (n == 0)
		return store->state(unbounded_of(h)) & UNBOUNDED_CLOSED ? CHAN_CLOSED : CHAN_OK;
	while (status == CHAN_OK && *sent < n) {
		const void *rest = size == 0 ? NULL : (const char *)msgs + *sent * size;
		size_t before = *sent;
		unsigned state = 0;

		owner_check_enter(&h->owner, "send");
		status = store->send_some(h, rest, n - before, sent, &state);
		owner_check_leave(&h->owner);
		if (state & UNBOUNDED_WAITING)
			chan_unbounded_wake(h, *sent - before);
	}
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Receiving. A message wakes one receiver that waits, and belongs to nobody until it is taken. A
 * receiver that comes by may be faster, and the woken one then waits again. An armed receiver that
 * was woken for a message and never received is made good for when it is disarmed (P-5). A blocked
 * one cannot give up while there is a message.
 */

static CHAN_INLINE bool unbounded_ready(const struct unbounded *ch, const struct unbounded_store *store)
{
	return atomic_load_explicit(&ch->ended, memory_order_relaxed) || store->ready(ch);
}

/* There was nothing to take. Waits for a message and takes up to `limit`, as take; 0: an end, or
 * `*expired`. */
static CHAN_INLINE size_t unbounded_await(struct handle *h, void *msgs, size_t limit, unsigned *state,
                                          uint64_t deadline, bool *expired, const struct unbounded_store *store)
{
	struct unbounded *ch = unbounded_of(h);
	bool alone = !atomic_load_explicit(&ch->shared, memory_order_relaxed);
	size_t n = 0;

	if (alone) {
		poll_gained(&ch->poll, ch->gained, SIZE_MAX);
		ch->gained = 0;
		poll_wait(&ch->poll);
	}
	while (n == 0 && !(*state & UNBOUNDED_ENDING) && !*expired) {
		struct spin spin;
		bool slept = false;

		chan_spin_begin(&spin, &ch->core.site, NULL, false, alone ? ch->poll.ns : 0);
		chan_spin_until(&spin, deadline);
		while (!unbounded_ready(ch, store) && chan_spin(&spin))
			;
		if (!unbounded_ready(ch, store))
			*expired = !chan_unbounded_sleep(h, deadline, &slept);
		chan_spin_end(&spin, slept);
		n = store->take(ch, msgs, limit, state);
	}
	return n;
}

static CHAN_INLINE enum chan_status unbounded_receive(struct handle *h, void *msgs, size_t limit, size_t *received,
                                                      uint64_t deadline, const struct unbounded_store *store)
{
	struct unbounded *ch = unbounded_of(h);
	bool expired = false;
	unsigned state = 0;

	owner_check_enter(&h->owner, "recv");
	size_t n = store->take(ch, msgs, limit, &state);
	if (n == 0 && deadline != CHAN_NOW && !(state & UNBOUNDED_ENDING))
		n = unbounded_await(h, msgs, limit, &state, deadline, &expired, store);
	if (!list_empty(&h->armed))
		/* none: others were faster, there is nothing to pass on */
		chan_unbounded_granted(h, n > 0 ? n : SIZE_MAX);
	if (!atomic_load_explicit(&ch->shared, memory_order_relaxed))
		ch->gained += n;
	owner_check_leave(&h->owner);
	*received = n;
	if (n > 0)
		return CHAN_OK;
	return state & UNBOUNDED_ENDING ? CHAN_CLOSED : expired ? CHAN_TIMEOUT : CHAN_EMPTY;
}

/* What is not easy to have goes to recv_many, which the family names; so it is compiled once. */
static CHAN_INLINE enum chan_status
unbounded_recv(struct chan_receiver *rx, void *msg, uint64_t deadline, const struct unbounded_store *store,
               enum chan_status (*recv_many)(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                             uint64_t deadline))
{
	struct handle *h = (struct handle *)rx;
	struct unbounded *ch = unbounded_of(h);
	size_t received;

	if (msg == NULL && ch->core.layout.size != 0)
		return CHAN_INVALID;
	owner_check_enter(&h->owner, "recv");
	bool taken = list_empty(&h->armed) && store->take_one(ch, msg);
	owner_check_leave(&h->owner);
	if (taken) {
		ch->gained++;
		return CHAN_OK;
	}
	return recv_many(rx, msg, 1, &received, deadline);
}

static CHAN_INLINE enum chan_status unbounded_recv_many(struct chan_receiver *rx, void *msgs, size_t limit,
                                                        size_t *received, uint64_t deadline,
                                                        const struct unbounded_store *store)
{
	struct handle *h = (struct handle *)rx;

	*received = 0;
	if (limit == 0)
		return CHAN_OK;
	if (msgs == NULL && h->core->layout.size != 0)
		return CHAN_INVALID;
	return unbounded_receive(h, msgs, limit, received, deadline, store);
}

#endif
