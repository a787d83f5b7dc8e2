/* SPDX-License-Identifier: MIT
 *
 * mpsc.h - the rules of the mpsc and unbounded channels, behind one lock: slots and who gets them,
 * permits, who waits, closing, dropping.
 *
 * OVERVIEW
 *
 * A store of messages, a count of the slots that are held, and three queues of waits (wait.h), all
 * behind the one mutex of core.h. Every operation takes the mutex, looks, changes, picks whom that
 * concerns, and releases it; that critical section is its linearization point (the last one where
 * it blocked). Callbacks run afterwards.
 *
 * The messages are in a `struct mpsc_store`, which each family brings. That of the mutex family is
 * a plain queue. The others have rings and lists that can be used without the lock as long as
 * nothing special goes on, and come here when it does; what that asks of them stands at struct
 * mpsc_store.
 *
 * An unbounded channel is a bounded one with more slots than there is memory: its senders never
 * wait for a slot, and only the push can fail. So there is one code for both; the tables say which
 * parts of it each kind has.
 *
 *   mpsc_send.c   slots and who gets them; sending, permits
 *   mpsc_recv.c   receiving
 *   mpsc_life.c   opening, closing, dropping, disarming; properties
 *
 *
 * INVARIANTS (whenever the mutex is free)
 *
 * I1  A slot is free, or has a message in it, or is held: by a permit, or by a wait for slots (its
 *     `got`), or by an operation that is about to put a message into it. held = permits + `got` of
 *     every wait for slots; free = capacity - held - messages. The channel is idle when none is
 *     held and there are no messages.
 * I2  Somebody waits for a slot only while none is free, or a receiver that has made one free is on
 *     its way to give it to him: what becomes free goes to the head of the queue until that has
 *     what it wants, then to the next (no barging, FIFO, partial holding: M-22 to M-25).
 * I3  Nobody waits for a slot, or for the close, once the channel is closed.
 * I4  Somebody waits for a message only while there is none, or each is spoken for: somebody was
 *     woken for it and has not yet come back, or its sender is on its way to wake. Nobody waits for
 *     one once the receiving end has ended (chan_mpsc_ended).
 * I5  `got` of an armed wait is 1 when it was woken with a slot that it owns, or for a message, and
 *     its handle has not used that yet; else 0. What blocks on the same handle uses it at once
 *     (handle.blocked).
 *
 *
 * WHERE EACH WAKE COMES FROM
 *
 * A sender      by the slot that it was given: a receive, a permit released, somebody who gave up
 *               or was disarmed; or by close. The message of a sender that is blocked in a send is
 *               taken from where it lies, and it finds its work done.
 * A receiver    by a message, one receiver for each (P-4); by the last sender's drop, all; by
 *               close, or what makes a closed channel idle later, all (M-50); by another that was
 *               woken for a message and is disarmed unused (P-5).
 * closed()      by close.
 *
 * Seven of the eight ways of M-50 give slots back, and so end in chan_mpsc_serve: there an idle
 * closed channel is seen. The eighth, the last permit that is sent, wakes by its message, and the
 * receive of that makes the slot free.
 */
#ifndef CHANBENCH_BASE_MPSC_H
#define CHANBENCH_BASE_MPSC_H

#include "impls/base/core.h"
#include "impls/channel.h"

struct mpsc;

/* Where the messages are. All under the lock. What stands below the line is for stores that are
 * also used without it, by operations that found nothing special to be going on (NULL: the store
 * is not). */
struct mpsc_store {
	/* Messages that are in it, those included that are just being put in. */
	size_t (*len)(const struct mpsc *ch);

	/* Puts a message in; there is a slot for it. False: out of memory (unbounded only), and
	 * nothing has changed. */
	bool (*push)(struct mpsc *ch, const void *msg);

	/* Takes up to `limit` messages out for a receiver. 0: there is none, or the next one is
	 * still being put in. */
	size_t (*take)(struct handle *rx, void *msgs, size_t limit);

	/* The oldest message where it lies, and the end of it; there is one, and no receiver. */
	void *(*front)(struct mpsc *ch);
	void (*pop)(struct mpsc *ch);

	/* Frees everything. It is empty. */
	void (*free)(struct mpsc *ch);

	/* ------ */

	/* From here until `settle` no message comes in but by push; those who are at it have
	 * finished. `sender` says that the caller uses the handle of a sender. Again: nothing
	 * happens. */
	void (*block_senders)(struct mpsc *ch, bool sender);

	/* Says to those who do without the lock what they have to take it for. It is, if the
	 * channel is like that now:
	 *
	 *   somebody waits for a message      a sender who has sent     chan_mpsc_sent
	 *   chan_mpsc_waiting                 a receiver who has taken  chan_mpsc_taken
	 *   chan_mpsc_ending                  a receiver who has taken  chan_mpsc_taken; who
	 *   finds nothing  chan_mpsc_recv_many chan_mpsc_senders_blocked
	 *   whoever wants to send     chan_mpsc_send_many
	 *
	 * Before the lock is released, and before `held`, a queue or a flag is relied on to keep
	 * others away. True: somebody waits for what others may have done without seeing it; the
	 * caller looks again after chan_fence_heavy, which was called. */
	bool (*publish_state)(struct mpsc *ch);
};

/* Its handles, of whatever type, begin with a struct handle. */
struct mpsc {
	/* `readers` wait for messages; `shut` also once the last receiver is gone */
	struct core core;
	const struct mpsc_store *store;
	size_t capacity, held; /* slots; I1 */
	bool bounded;
	struct list send_queue; /* waits for slots, in the order in which they are served */
};

static inline struct mpsc *mpsc_of(const struct handle *h)
{
	return (struct mpsc *)h->core;
}

/* What an armed wait waits for (wait.event); 0 is the close (chan_core_arm_closed). */
enum mpsc_event { MPSC_SLOT = 1, MPSC_MESSAGE };

/* Senders must come to the lock. Under the lock. */
static inline bool chan_mpsc_senders_blocked(const struct mpsc *ch)
{
	return ch->held != 0 || !list_empty(&ch->send_queue) || chan_core_closed(&ch->core);
}

/* There may be an end to it: who finds no message has to look closer. Under the lock. */
static inline bool chan_mpsc_ending(const struct mpsc *ch)
{
	return ch->core.senders == 0 || chan_core_closed(&ch->core);
}

static inline void chan_mpsc_block_senders(struct mpsc *ch, bool sender)
{
	if (ch->store->block_senders != NULL)
		ch->store->block_senders(ch, sender);
}

static inline bool chan_mpsc_publish_state(struct mpsc *ch)
{
	return ch->store->publish_state != NULL && ch->store->publish_state(ch);
}

/* As chan_handle_leave. */
static inline void chan_mpsc_leave(struct handle *h, struct list *wakes)
{
	chan_mpsc_publish_state(mpsc_of(h));
	chan_handle_leave(h, wakes);
}

/* Slots that nobody holds (I1). A moment's, and exact while the store is seized. Under the lock. */
static inline size_t chan_mpsc_free(const struct mpsc *ch)
{
	size_t used = ch->held + ch->store->len(ch);

	return used < ch->capacity ? ch->capacity - used : 0;
}

/* Uses up to `n` of what the waits armed on a handle stand for (I5); returns how many. Under the
 * lock. */
size_t chan_mpsc_granted_take(struct handle *h, size_t n);

/* Whether nothing can be received any more, now and for ever: no message, and no sender left or
 * closed and idle (M-46, M-54). Under the lock. */
bool chan_mpsc_ended(const struct mpsc *ch);

/* Distributes what is free to those who wait for it (I2). Wakes all receivers if the channel has
 * ended. Under the lock. */
void chan_mpsc_serve(struct mpsc *ch, struct list *wakes);

/* Gives `n` slots that are held back: to who waits for them, in order, else to the pool. Under
 * the lock. */
void chan_mpsc_slots_give(struct mpsc *ch, size_t n, struct list *wakes);

/* Wakes a receiver that waits for each of up to `n` messages that are there. Under the lock. */
void chan_mpsc_receivers_call(struct mpsc *ch, size_t n, struct list *wakes);

/* ---- mpsc_life.c ---- */

/* A channel with `capacity` slots (0: unbounded) and no handles; `ch` is all zero. */
void chan_mpsc_init(struct mpsc *ch, const struct chan_config *config, const struct layout *layout, size_t capacity,
                    const struct mpsc_store *store, enum core_sleep sleep);

/* Makes the first two handles. CHAN_NOMEM: neither, and the channel is freed. */
enum chan_status chan_mpsc_open(struct mpsc *ch, struct chan_sender **tx, struct chan_receiver **rx);

enum chan_status chan_mpsc_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out);
void chan_mpsc_sender_drop(struct chan_sender **tx);
void chan_mpsc_receiver_drop(struct chan_receiver **rx);
void chan_mpsc_close(struct chan_receiver *rx);
bool chan_mpsc_disarm(struct chan_waiter *waiter);
uint64_t chan_mpsc_sender_get(const struct chan_sender *tx, enum chan_property property);
uint64_t chan_mpsc_receiver_get(const struct chan_receiver *rx, enum chan_property property);

/* ---- mpsc_send.c ---- */

enum chan_status chan_mpsc_send(struct chan_sender *tx, const void *msg, uint64_t deadline);
enum chan_status chan_mpsc_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
                                     uint64_t deadline);
enum chan_status chan_mpsc_reserve(struct chan_sender *tx, size_t n, struct chan_permit *permit, uint64_t deadline);
void chan_mpsc_permit_send(struct chan_permit *permit, const void *msg);
void chan_mpsc_permit_release(struct chan_permit *permit);
enum chan_arm chan_mpsc_arm_send(struct chan_sender *tx, struct chan_waiter *waiter);

/* `n` messages were sent without the lock, and somebody may wait for them. */
void chan_mpsc_sent(struct handle *h, size_t n);

/* ---- mpsc_recv.c ---- */

enum chan_status chan_mpsc_recv(struct chan_receiver *rx, void *msg, uint64_t deadline);
enum chan_status chan_mpsc_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                     uint64_t deadline);
enum chan_arm chan_mpsc_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter);

/* `n` messages were taken without the lock, and somebody may wait for their slots, or something
 * is armed on the handle. */
void chan_mpsc_taken(struct handle *h, size_t n);

#endif
