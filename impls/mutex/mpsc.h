/* SPDX-License-Identifier: MIT
 *
 * mpsc.h - the mpsc and unbounded channels of the mutex family, inside.
 *
 * OVERVIEW
 *
 * A queue of messages, a pool of slots, and three queues of waits (wait.h), all behind the one mutex of core.h. Every operation
 * takes the mutex, looks, changes, picks whom that concerns, and releases it; that critical section is its linearization
 * point (the last one where it blocked). Callbacks run afterwards.
 *
 * An unbounded channel is a bounded one with more slots than there is memory: its senders never wait for a slot, and only
 * the push can fail. So there is one code for both; the two tables say which parts of it each kind has.
 *
 *   mpsc_send.c   slots and who gets them; sending, permits
 *   mpsc_recv.c   receiving
 *   mpsc_life.c   opening, closing, dropping, disarming; properties
 *   mpsc.c        the table of the bounded kind
 *   unbounded.c   the table of the unbounded kind
 *
 *
 * INVARIANTS (whenever the mutex is free)
 *
 * I1  capacity = free + messages + permits + `got` of every wait for a slot. The channel is idle when free = capacity.
 * I2  Somebody waits for a slot only while none is free: what is given back goes to the head of the queue until that has
 *     what it wants, then to the next (no barging, FIFO, partial holding: M-22 to M-25).
 * I3  Nobody waits for a slot, or for the close, once the channel is closed.
 * I4  Somebody waits for a message only while there is none, or each is spoken for: somebody was woken for it and has not yet
 *     come back. Nobody waits for one once the receiving end has ended (mutex_ended).
 * I5  `got` of an armed wait is 1 when it was woken with a slot that it owns, or for a message, and its handle has not used that
 *     yet; else 0. What blocks on the same handle uses it at once (handle.blocked).
 *
 *
 * WHERE EACH WAKE COMES FROM
 *
 * A sender      by the slot that it was given: a receive, a permit released, somebody who gave up or was disarmed; or by close.
 * A receiver    by a message, one receiver for each (P-4); by the last sender's drop, all; by close, or what makes a closed
 *               channel idle later, all (M-50); by another that was woken for a message and is disarmed unused (P-5).
 * closed()      by close.
 *
 * Seven of the eight ways of M-50 give slots back, and so end in mutex_slots_give: there an idle closed channel is seen. The
 * eighth, the last permit that is sent, wakes by its message, and the receive of that gives the slot back.
 */
#ifndef CHANBENCH_MUTEX_MPSC_H
#define CHANBENCH_MUTEX_MPSC_H

#include "impls/channel.h"
#include "impls/base/core.h"
#include "impls/mutex/queue.h"

/* Its handles, of whatever type, are plain struct handle. */
struct mpsc {
	struct core core; /* `readers` wait for messages; `shut` also once the last receiver is gone */
	struct queue messages;
	size_t capacity, free; /* slots; I1 */
	bool bounded;
	struct list writers; /* waits for slots, in the order in which they are served */
};

static inline struct mpsc *mpsc_of(const struct handle *h)
{
	return (struct mpsc *)h->core;
}

/* What an armed wait waits for (wait.event); 0 is the close (chan_core_arm_closed). */
enum mpsc_event { MPSC_SLOT = 1, MPSC_MESSAGE };

/* Uses up to `n` of what the waits armed on a handle stand for (I5); returns how many. Under the lock. */
size_t mutex_owed_take(struct handle *h, size_t n);

/* Whether nothing can be received any more, now and for ever: no message, and no sender left or closed and idle (M-46, M-54).
 * Under the lock. */
bool mutex_ended(const struct mpsc *ch);

/* Gives `n` slots back: to who waits for them, in order, else to the pool. Wakes all receivers if that ended a closed
 * channel. Under the lock. */
void mutex_slots_give(struct mpsc *ch, size_t n, struct list *firing);

/* Wakes a receiver that waits for each of up to `n` messages that are there. Under the lock. */
void mutex_receivers_call(struct mpsc *ch, size_t n, struct list *firing);

/* ---- mpsc_life.c ---- */

/* Opens a channel with `capacity` slots; 0: unbounded. */
enum chan_status mutex_open(const struct chan_config *config, const struct layout *layout, size_t capacity,
                            struct chan_sender **tx, struct chan_receiver **rx);

enum chan_status mutex_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out);
void mutex_sender_drop(struct chan_sender **tx);
void mutex_receiver_drop(struct chan_receiver **rx);
void mutex_close(struct chan_receiver *rx);
bool mutex_disarm(struct chan_waiter *waiter);
uint64_t mutex_sender_get(const struct chan_sender *tx, enum chan_property property);
uint64_t mutex_receiver_get(const struct chan_receiver *rx, enum chan_property property);

/* ---- mpsc_send.c ---- */

enum chan_status mutex_send(struct chan_sender *tx, const void *msg, uint64_t deadline);
enum chan_status mutex_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent, uint64_t deadline);
enum chan_status mutex_reserve(struct chan_sender *tx, size_t n, struct chan_permit *permit, uint64_t deadline);
void mutex_permit_send(struct chan_permit *permit, const void *msg);
void mutex_permit_release(struct chan_permit *permit);
enum chan_arm mutex_arm_send(struct chan_sender *tx, struct chan_waiter *waiter);

/* ---- mpsc_recv.c ---- */

enum chan_status mutex_recv(struct chan_receiver *rx, void *msg, uint64_t deadline);
enum chan_status mutex_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                 uint64_t deadline);
enum chan_arm mutex_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter);

#endif
