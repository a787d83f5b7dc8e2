/* SPDX-License-Identifier: MIT
 *
 * mpsc.h - a bounded channel under one lock: what it is made of, the store of messages that a
 * family brings, and the operations. The rules stand in mpsc.c.
 *
 * The operations whose names are those of a table (chan_mpsc_send ...) are entries of a table: they
 * take the lock themselves, and parameters and results are those of channel.h. "Under the lock"
 * says of a function that its caller holds ch->core.lock, and still holds it afterwards.
 */
#ifndef CHANBENCH_MUTEX_MPSC_H
#define CHANBENCH_MUTEX_MPSC_H

#include "impls/base/core.h"
#include "impls/channel.h"

struct mpsc;

/* Where the messages are. Every function is called under the lock.
 *
 * The last two are for a store that is also used without the lock, by operations that find nothing
 * special going on. They are NULL in a store that is not. */
struct mpsc_store {
	/* The number of messages in the store. One that is just being put in counts. */
	size_t (*len)(const struct mpsc *ch);

	/* Puts a message in; its caller holds a slot for it. False: there is no memory (unbounded
	 * only), and nothing has changed. */
	bool (*push)(struct mpsc *ch, const void *msg);

	/* Takes up to `limit` messages out, to `msgs`; returns how many. 0: there is none, or the
	 * next one is still being put in. */
	size_t (*take)(struct handle *rx, void *msgs, size_t limit);

	/* Returns the oldest message where it lies, and takes it away. There is a message, and
	 * there is no receiver. */
	void *(*front)(struct mpsc *ch);
	void (*pop)(struct mpsc *ch);

	/* Frees the channel. The store is empty. */
	void (*free)(struct mpsc *ch);

	/* Keeps out the senders that do without the lock: until publish_state, messages come in
	 * by push only, and sends that were under way have finished. `sender`: the caller uses
	 * the handle of a sender. A second call does nothing. */
	void (*block_senders)(struct mpsc *ch, bool sender);

	/* Tells those who do without the lock what they must come to it for:
	 *
	 *   if now                          then who                    must come to
	 *   a wait is in core.recv_queue    a sender that has sent      chan_mpsc_sent
	 *   a wait is in send_queue         a receiver that has taken   chan_mpsc_taken
	 *   chan_mpsc_ending                a receiver that has taken   chan_mpsc_taken
	 *   chan_mpsc_ending                a receiver, finding none    chan_mpsc_recv_many
	 *   chan_mpsc_senders_blocked       a sender                    chan_mpsc_send_many
	 *
	 * It is called before the lock is released, and before `held`, a queue or a flag is relied
	 * on to keep others away. True: somebody waits for what another may have done without
	 * seeing the wait. Then chan_fence_heavy has been called, and the caller looks again. */
	bool (*publish_state)(struct mpsc *ch);
};

/* The channel. Its handles begin with a struct handle, whatever their type. All under the lock. */
struct mpsc {
	struct core core; /* recv_queue: the waits for messages */
	const struct mpsc_store *store;
	size_t capacity, held; /* slots: all there are, and those that somebody holds (I1) */
	bool bounded;
	struct list send_queue; /* the waits for slots, in the order in which they are served */
};

/* Whether senders must come to the lock. Under the lock. */
static inline bool chan_mpsc_senders_blocked(const struct mpsc *ch)
{
	return ch->held != 0 || !list_empty(&ch->send_queue) || chan_core_closed(&ch->core);
}

/* Whether the messages may come to an end, so that a receiver that finds none must look closer.
 * Under the lock. */
static inline bool chan_mpsc_ending(const struct mpsc *ch)
{
	return ch->core.senders == 0 || chan_core_closed(&ch->core);
}

/* ---- opening ---- */

/* Makes a channel of `ch`, which is all zero: with `capacity` slots (0: unbounded), and no handles.
 * `sleep` says how blocked threads sleep. */
void chan_mpsc_init(struct mpsc *ch, const struct chan_config *config, const struct layout *layout, size_t capacity,
                    const struct mpsc_store *store, enum core_sleep sleep);

/* Makes the first two handles, of core.handle_size bytes. CHAN_NOMEM: there are none, and the
 * channel is freed. */
enum chan_status chan_mpsc_open(struct mpsc *ch, struct chan_sender **tx, struct chan_receiver **rx);

/* ---- entries of the tables ---- */

enum chan_status chan_mpsc_send(struct chan_sender *tx, const void *msg, uint64_t deadline);
enum chan_status chan_mpsc_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
                                     uint64_t deadline);
enum chan_status chan_mpsc_reserve(struct chan_sender *tx, size_t n, struct chan_permit *permit, uint64_t deadline);
void chan_mpsc_permit_send(struct chan_permit *permit, const void *msg);
void chan_mpsc_permit_release(struct chan_permit *permit);
enum chan_arm chan_mpsc_arm_send(struct chan_sender *tx, struct chan_waiter *waiter);
void chan_mpsc_sender_drop(struct chan_sender **tx);
uint64_t chan_mpsc_sender_get(const struct chan_sender *tx, enum chan_property property);

enum chan_status chan_mpsc_recv(struct chan_receiver *rx, void *msg, uint64_t deadline);
enum chan_status chan_mpsc_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                     uint64_t deadline);
enum chan_arm chan_mpsc_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter);
void chan_mpsc_close(struct chan_receiver *rx);
enum chan_status chan_mpsc_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out);
void chan_mpsc_receiver_drop(struct chan_receiver **rx);
uint64_t chan_mpsc_receiver_get(const struct chan_receiver *rx, enum chan_property property);

bool chan_mpsc_disarm(struct chan_waiter *waiter);

/* ---- for operations that have done their work without the lock ---- */

/* The handle's operation has sent `n` messages, and a receiver may wait for them. Wakes one
 * receiver for each (I4). Takes the lock; `h` is the handle of a sender. */
void chan_mpsc_sent(struct handle *h, size_t n);

/* The handle's operation has taken `n` messages, and a sender may wait for their slots, or the
 * channel may have come to its end, or something is armed on the handle. Gives the slots to those
 * who wait for them (I2). Takes the lock; `h` is the handle of a receiver. */
void chan_mpsc_taken(struct handle *h, size_t n);

/* As chan_handle_leave, after publish_state: for an operation that has changed what that says.
 * Under the lock, which is released. */
void chan_mpsc_leave(struct handle *h, struct list *wakes);

#endif
