/* SPDX-License-Identifier: MIT
 *
 * bounded.h - a bounded channel that needs no lock as long as nothing special goes on.
 *
 * OVERVIEW
 *
 * A family brings a store: a ring of slots, many senders, many receivers, no lock. It describes it
 * by a constant table of operations (struct bounded_store). The functions at the end of this file
 * are compiled into the family's file with that constant. So a send or a receive is one piece of
 * code, and the store's operations in it are called directly. What is rare is in bounded.c, which
 * is compiled once and reaches the store through the table.
 *
 * The rules of a bounded channel are many: slots are given to senders in the order in which they
 * came, permits hold slots, waiters are armed, a close does something to each of them. They concern
 * few messages. All of them are kept by mutex/mpsc.h, under the channel's lock. While no sender
 * waits, no slot is held and the channel is open, senders and receivers go by the lock and use the
 * ring as it is. One word, the state, says whether they may. It is seldom written, so reading it is
 * cheap.
 *
 *   STATE_SENDERS_BLOCKED   a send must come to the lock (one sender; where there are several, the
 *                           word in which they claim slots says it)
 *   STATE_RECEIVER_WAITS    a send that is done must come to the lock, to wake
 *   STATE_SENDER_WAITS      a receive that is done must come to the lock, to give its slot on
 *   STATE_ENDING            as STATE_SENDER_WAITS; and a receive that finds nothing must come, too
 *   STATE_MANY_SENDERS      there have been several senders; never taken back
 *   STATE_MANY_RECEIVERS    there have been several receivers; never taken back
 *
 *
 * ALGORITHM
 *
 * Send.     S1  One sender says that it is busy and reads the state. Several read it in the word in
 *               which they claim.
 *           S2  Not blocked: the store takes the message, or has no room.
 *           S3  It was taken: a light fence, then the state. A receiver waits: come to the lock.
 *           S4  There is no room: spin in front of the queue, where the sender that looks at the
 *               right moment wins. In vain: come to the lock and queue.
 * Receive.  R1  The store gives a message, or has none. Receivers are never blocked: all they do is
 *               to free slots.
 *           R2  It gave one: a light fence, then the state. A sender waits, or the end is near:
 *               come to the lock.
 *           R3  There is none: spin, then come to the lock and queue.
 * Waiting.  W1  Under the lock the thread joins its queue; chan_mpsc writes the state.
 *           W2  A heavy fence. Then the thread looks at the store again.
 *           W3  There is nothing: it sleeps. Another thread has published before W2, and W2 sees
 *               it; or its light fence came after W2, and it sees the state.
 * Blocking  B1  Several senders: one bit in the word that they exchange. No claim succeeds after.
 * senders.  B2  One sender: set STATE_SENDERS_BLOCKED, make a heavy fence, and wait until it is not
 *               busy. Either it has seen the state (S1), or it is waited for.
 *           B3  What was claimed before is counted by the store's len. So under the lock the number
 *               of free slots is exact, or less than it by what receivers have freed since; those
 *               come to the lock if somebody waits.
 *
 *
 * WHO EXCLUDES WHOM
 *
 *                      one sender      several senders   a receiver       the lock's holder
 *   one sender         -               never at once     the ring         busy and B2
 *   several senders    never at once   their exchange    the ring         the bit of B1
 *   a receiver         the ring        the ring          head, exchanged  nobody: both may take
 *   the lock's holder  busy and B2     the bit of B1     nobody           the lock
 *
 *
 * LINEARIZATION. A send or receive without the lock: where the ring claims the slot or the message;
 * its file says where. CHAN_FULL: the read of the receivers' counter in len. CHAN_EMPTY: that of
 * the senders' counter, or the lock where the channel is ending. All else: the lock.
 *
 * ORDER
 *   A1 busy   -> R1   the single sender's last send, for the lock's holder who waits for it
 *   A2 state  -> R2   what a ring has set up for several senders or receivers, for a thread that
 *                     sees that there are. A holder of the lock writes the state, and so carries on
 *                     what earlier holders set up.
 *
 * A PEER THAT IS PREEMPTED between its claim and its publication is waited for by the thread that
 * needs that very slot, spinning, then yielding. It never makes a channel seem full or empty (M-21,
 * M-56). A holder of the lock is waited for by those who need the lock.
 *
 *
 * NOTES
 *
 * A receiver that has queued sleeps at once, for it has spun already. A sender spins once more in
 * the queue: its turn comes there, and the thread that gives it a slot need not wake it. Without
 * that, four senders that share a CPU and 32 slots send a third less.
 *
 * A thread that ends the channel while a receiver waits makes the heavy fence, too. The message for
 * which that receiver was to be woken may just have been taken by another receiver. Either the
 * other sees the state, and comes to the lock, or its taking is seen here.
 *
 * With few slots, a sender on one CPU queues at once: a message in the queue is as good as one more
 * slot, and the receiver takes one message of each sender in one go. With more slots the lock costs
 * more than is gained. On several CPUs it is no gain either: of 60 senders some are always in the
 * queue then, and all others have to come to the lock, which cost a third of the messages.
 */
#ifndef CHANBENCH_FASTPATH_BOUNDED_H
#define CHANBENCH_FASTPATH_BOUNDED_H

#include "impls/base/compiler.h"
#include "impls/base/fence.h"
#include "impls/base/spin.h"
#include "impls/mutex/mpsc.h"

#include <stdalign.h>

enum bounded_state {
	STATE_SENDERS_BLOCKED = 1,
	STATE_RECEIVER_WAITS = 2,
	STATE_SENDER_WAITS = 4,
	STATE_ENDING = 8,
	STATE_MANY_SENDERS = 16,
	STATE_MANY_RECEIVERS = 32
};

enum {
	/* slots so few that a sender on one CPU queues at once (NOTES) */
	BOUNDED_FEW = 4,
	BOUNDED_COLLISION_NS = 200 /* after a failed exchange: the others go on in their caches */
};

/* A channel begins with it; the family's ring follows. */
struct bounded {
	struct mpsc mpsc;
	alignas(64) _Atomic uint32_t state; /* written under the lock, and seldom */
	alignas(64) struct spin_site senders, receivers;
	chan_last_cpu_t sender_at, receiver_at; /* of the last of them that was seen to work */
	/* the single sender is between S1 and the end of S2 */
	alignas(64) _Atomic uint32_t busy;
};

/* A sender or a receiver, on cache lines of its own. */
struct bounded_handle {
	struct handle handle;
	uint64_t seen; /* the ring's: what this handle knows of the other side */
	struct poll poll;
};

/* What a ring can do, and the family's four functions that are apart from the straight way. */
struct bounded_store {
	/* The store of mpsc.h, whose operations are called under the lock. take, block_senders and
	 * publish_state are those of bounded.c; the ring has the others. len is called without the
	 * lock, too: then it is a number that the ring had, or could have had, during the call. */
	struct mpsc_store locked;
	size_t size; /* bytes of the family's channel */

	/* Sets up an empty ring in zeroed memory. False: out of memory, and there is nothing to
	 * free. `start` is where its counters begin. */
	bool (*open)(struct bounded *ch, const struct layout *layout, size_t capacity, uint64_t start);
	/* A new handle learns where the other side is. NULL: there is nothing to know. */
	void (*begin)(struct bounded_handle *h);

	/* Without the lock. Sends up to `n` messages and returns how many; 0: there seems to be no
	 * room. With several senders also 0 when they are locked out: `*blocked`. */
	size_t (*send_alone)(struct bounded_handle *h, const void *msgs, size_t n);
	size_t (*send_among)(struct bounded_handle *h, const void *msgs, size_t n, bool *blocked);
	/* Without the lock. Takes up to `limit` messages and returns how many; 0: there is none, or
	 * the next one is still being put in. */
	size_t (*take)(struct bounded_handle *h, void *msgs, size_t limit);
	/* Under the lock. Locks several senders out, and lets them in again. */
	void (*block_senders)(struct bounded *ch);
	void (*admit_senders)(struct bounded *ch);
	/* Under the lock, the single sender locked out: from now on there are several, still locked
	 * out. Under the lock, called by the only receiver: there will be several. NULL: the ring
	 * need not know. */
	void (*many_senders)(struct bounded *ch);
	void (*many_receivers)(struct bounded *ch);

	/* bounded_send_later, bounded_send_several, bounded_take_rest and bounded_receive_later
	 * with this store, each as a CHAN_APART function of the family. */
	enum chan_status (*send_later)(struct bounded_handle *h, const void *msgs, size_t n, size_t *sent,
	                               uint64_t deadline, bool blocked);
	enum chan_status (*send_several)(struct bounded_handle *h, const void *msgs, size_t n, size_t *sent,
	                                 uint64_t deadline);
	size_t (*take_rest)(struct bounded_handle *h, void *msgs, size_t n, size_t limit);
	enum chan_status (*receive_later)(struct bounded_handle *h, void *msgs, size_t limit, size_t *received,
	                                  uint64_t deadline);
};

static inline struct bounded *bounded_of(const struct bounded_handle *h)
{
	return (struct bounded *)h->handle.core;
}

/* The store, where it is no constant. */
static inline const struct bounded_store *bounded_store_of(const struct bounded *ch)
{
	return (const struct bounded_store *)ch->mpsc.store; /* its first member */
}

static inline uint32_t bounded_state(const struct bounded *ch)
{
	/* R2: what it promises is set up */
	return atomic_load_explicit(&ch->state, memory_order_acquire);
}

/* ------------------------------------------------------------------------------------------
 * bounded.c: what is rare
 */

/* Entries of a family's table, beside those of mpsc.h. chan_bounded_open makes a channel of
 * `store`. */
enum chan_status chan_bounded_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx,
                                   const struct bounded_store *store);
enum chan_status chan_bounded_sender_clone(struct chan_sender *tx, struct chan_sender **out);
enum chan_status chan_bounded_upgrade(struct chan_weak *weak, struct chan_sender **out);
enum chan_status chan_bounded_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out);

/* The operations of mpsc_store that are the same for every ring. */
size_t chan_bounded_take(struct handle *rx, void *msgs, size_t limit);
void chan_bounded_block_senders(struct mpsc *ch, bool sender);
bool chan_bounded_publish_state(struct mpsc *ch);

/* ------------------------------------------------------------------------------------------
 * Sending
 */

/* Sends up to `n` messages without the lock. 0: there seems to be no room, or `*blocked`. One
 * sender, as far as the caller has seen. */
static CHAN_INLINE size_t bounded_try_alone(struct bounded_handle *h, const void *msgs, size_t n, bool *blocked,
                                            const struct bounded_store *store)
{
	struct bounded *ch = bounded_of(h);
	size_t sent = 0;

	atomic_store_explicit(&ch->busy, 1, memory_order_relaxed); /* S1; the fence orders it */
	chan_fence_light();
	*blocked = (bounded_state(ch) & (STATE_SENDERS_BLOCKED | STATE_MANY_SENDERS)) != 0;
	if (!CHAN_RARELY(*blocked))
		sent = store->send_alone(h, msgs, n);
	atomic_store_explicit(&ch->busy, 0, memory_order_release); /* A1: the send is done */
	return sent;
}

static CHAN_INLINE size_t bounded_try_send(struct bounded_handle *h, const void *msgs, size_t n, bool *blocked,
                                           const struct bounded_store *store)
{
	if (bounded_state(bounded_of(h)) & STATE_MANY_SENDERS)
		return store->send_among(h, msgs, n, blocked);
	return bounded_try_alone(h, msgs, n, blocked, store);
}

/* Whether there are one sender and one receiver. */
static inline bool bounded_is_pair(const struct bounded *ch)
{
	return (bounded_state(ch) & (STATE_MANY_SENDERS | STATE_MANY_RECEIVERS)) == 0;
}

/* Tries until some of `n` messages were sent, or the channel is full: `*full`. 0: that, or the
 * senders are locked out. It does not wait for room, only for peers in the middle of a step. */
static CHAN_INLINE size_t bounded_send_now(struct bounded_handle *h, const void *msgs, size_t n, bool *full,
                                           const struct bounded_store *store)
{
	struct bounded *ch = bounded_of(h);
	bool blocked = false;
	size_t sent = 0;

	for (unsigned looks = 0; sent == 0 && !blocked;) {
		*full = store->locked.len(&ch->mpsc) >= ch->mpsc.capacity;
		if (*full)
			return 0;
		chan_give_way(&looks);
		sent = bounded_try_send(h, msgs, n, &blocked, store);
	}
	return sent;
}

/* S4: spins until some of `n` messages were sent. 0: it has been long enough, or the senders are
 * locked out, or it is better to queue at once (NOTES). */
static CHAN_INLINE size_t bounded_spin_send(struct bounded_handle *h, const void *msgs, size_t n, uint64_t deadline,
                                            const struct bounded_store *store)
{
	struct bounded *ch = bounded_of(h);
	bool blocked = false;
	size_t sent = 0;
	struct spin spin;

	if (ch->mpsc.capacity <= BOUNDED_FEW && chan_spin_on_one_cpu())
		return 0;
	chan_spin_begin(&spin, &ch->senders, &ch->receiver_at, bounded_is_pair(ch), h->poll.ns);
	chan_spin_until(&spin, deadline);
	while (sent == 0 && !blocked && chan_spin(&spin))
		sent = bounded_try_send(h, msgs, n, &blocked, store);
	if (sent > 0)
		poll_gained(&h->poll, ch->mpsc.capacity - store->locked.len(&ch->mpsc) + sent, ch->mpsc.capacity);
	chan_spin_end(&spin, sent == 0 && !blocked);
	return sent;
}

/* There was no room, or the senders are `blocked`. Waits, and sends up to `n` messages, at least
 * one; `*sent` is how many. */
static CHAN_INLINE enum chan_status bounded_send_later(struct bounded_handle *h, const void *msgs, size_t n,
                                                       size_t *sent, uint64_t deadline, bool blocked,
                                                       const struct bounded_store *store)
{
	bool full = false;

	if (blocked)
		*sent = 0;
	else if (deadline == CHAN_NOW)
		*sent = bounded_send_now(h, msgs, n, &full, store);
	else
		*sent = bounded_spin_send(h, msgs, n, deadline, store);
	owner_check_leave(&h->handle.owner);
	if (full)
		return CHAN_FULL;
	if (*sent == 0)
		return chan_mpsc_send_many((struct chan_sender *)h, msgs, 1, sent, deadline);
	chan_fence_light(); /* S3 */
	if (bounded_state(bounded_of(h)) & STATE_RECEIVER_WAITS)
		chan_mpsc_sent(&h->handle, *sent);
	return CHAN_OK;
}

/* All of a send where there are several senders. */
static CHAN_INLINE enum chan_status bounded_send_several(struct bounded_handle *h, const void *msgs, size_t n,
                                                         size_t *sent, uint64_t deadline,
                                                         const struct bounded_store *store)
{
	bool blocked = false;

	*sent = store->send_among(h, msgs, n, &blocked);
	if (*sent == 0)
		return store->send_later(h, msgs, n, sent, deadline, blocked);
	owner_check_leave(&h->handle.owner);
	chan_fence_light(); /* S3 */
	if (CHAN_RARELY(bounded_state(bounded_of(h)) & STATE_RECEIVER_WAITS))
		chan_mpsc_sent(&h->handle, *sent);
	return CHAN_OK;
}

/* Sends up to `n` messages, at least one; `*sent` is how many. */
static CHAN_INLINE enum chan_status bounded_send_some(struct bounded_handle *h, const void *msgs, size_t n,
                                                      size_t *sent, uint64_t deadline,
                                                      const struct bounded_store *store)
{
	struct bounded *ch = bounded_of(h);
	bool blocked;

	owner_check_enter(&h->handle.owner, "send");
	if (bounded_state(ch) & STATE_MANY_SENDERS)
		return store->send_several(h, msgs, n, sent, deadline);
	*sent = bounded_try_alone(h, msgs, n, &blocked, store);
	if (CHAN_RARELY(*sent == 0))
		return store->send_later(h, msgs, n, sent, deadline, blocked);
	owner_check_leave(&h->handle.owner);
	chan_fence_light(); /* S3 */
	if (CHAN_RARELY(bounded_state(ch) & STATE_RECEIVER_WAITS))
		chan_mpsc_sent(&h->handle, *sent);
	else
		chan_last_cpu_note(&ch->sender_at);
	return CHAN_OK;
}

static CHAN_INLINE enum chan_status bounded_send(struct chan_sender *tx, const void *msg, uint64_t deadline,
                                                 const struct bounded_store *store)
{
	struct bounded_handle *h = (struct bounded_handle *)tx;
	size_t sent;

	if (msg == NULL && h->handle.core->layout.size != 0)
		return CHAN_INVALID;
	return bounded_send_some(h, msg, 1, &sent, deadline, store);
}

static CHAN_INLINE enum chan_status bounded_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
                                                      uint64_t deadline, const struct bounded_store *store)
{
	struct bounded_handle *h = (struct bounded_handle *)tx;
	size_t size = h->handle.core->layout.size;
	enum chan_status status = CHAN_OK;

	*sent = 0;
	if (msgs == NULL && n != 0 && size != 0)
		return CHAN_INVALID;
	if (n == 0)
		return chan_mpsc_send_many(tx, msgs, n, sent, deadline);
	while (status == CHAN_OK && *sent < n) {
		const void *rest = size == 0 ? NULL : (const char *)msgs + *sent * size;
		size_t some;

		status = bounded_send_some(h, rest, n - *sent, &some, deadline, store);
		*sent += some;
	}
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Receiving
 */

/* Takes the rest of a batch of which `n` messages were taken, until there is none; returns how many
 * were taken in all. A message that is still being put in is waited for. Those behind it may have
 * been sent long ago, and a batch must not leave them (M-58). */
static CHAN_INLINE size_t bounded_take_rest(struct bounded_handle *h, void *msgs, size_t n, size_t limit,
                                            const struct bounded_store *store)
{
	struct bounded *ch = bounded_of(h);
	size_t size = ch->mpsc.core.layout.size;
	unsigned looks = 0;

	while (n < limit && store->locked.len(&ch->mpsc) > 0) {
		size_t more = store->take(h, size == 0 ? NULL : (char *)msgs + n * size, limit - n);

		if (more == 0)
			chan_give_way(&looks);
		n += more;
	}
	return n;
}

/* Takes up to `limit` messages; 0: there is none, or the next one is still being put in. */
static CHAN_INLINE size_t bounded_take_some(struct bounded_handle *h, void *msgs, size_t limit,
                                            const struct bounded_store *store)
{
	size_t n = store->take(h, msgs, limit);

	return CHAN_RARELY(n != 0 && n < limit) ? store->take_rest(h, msgs, n, limit) : n;
}

/* Tries until some messages were taken, or there are none: `*empty`. 0: that, or there are none and
 * it may be the end, which the lock tells. */
static CHAN_INLINE size_t bounded_receive_now(struct bounded_handle *h, void *msgs, size_t limit, bool *empty,
                                              const struct bounded_store *store)
{
	struct bounded *ch = bounded_of(h);
	size_t n = 0;

	for (unsigned looks = 0; n == 0;) {
		if (store->locked.len(&ch->mpsc) == 0) {
			*empty = (bounded_state(ch) & STATE_ENDING) == 0;
			return 0;
		}
		chan_give_way(&looks);
		n = bounded_take_some(h, msgs, limit, store);
	}
	return n;
}

/* R3: spins until some messages were taken. 0: it has been long enough, or it may be the end. */
static CHAN_INLINE size_t bounded_spin_receive(struct bounded_handle *h, void *msgs, size_t limit, uint64_t deadline,
                                               const struct bounded_store *store)
{
	struct bounded *ch = bounded_of(h);
	bool ending = false;
	size_t n = 0;
	struct spin spin;

	chan_spin_begin(&spin, &ch->receivers, &ch->sender_at, bounded_is_pair(ch), h->poll.ns);
	chan_spin_until(&spin, deadline);
	while (n == 0 && !ending && chan_spin(&spin)) {
		n = bounded_take_some(h, msgs, limit, store);
		ending = (bounded_state(ch) & STATE_ENDING) != 0;
	}
	h->handle.spun = n == 0 && !ending;
	if (n > 0)
		poll_gained(&h->poll, n + store->locked.len(&ch->mpsc), ch->mpsc.capacity);
	chan_spin_end(&spin, n == 0 && !ending);
	return n;
}

/* There was nothing. Waits, and takes up to `limit` messages; `*received` is how many. */
static CHAN_INLINE enum chan_status bounded_receive_later(struct bounded_handle *h, void *msgs, size_t limit,
                                                          size_t *received, uint64_t deadline,
                                                          const struct bounded_store *store)
{
	struct handle *handle = &h->handle;
	bool empty = false;

	if (deadline == CHAN_NOW)
		*received = bounded_receive_now(h, msgs, limit, &empty, store);
	else
		*received = bounded_spin_receive(h, msgs, limit, deadline, store);
	owner_check_leave(&handle->owner);
	if (*received == 0 && !(empty && list_empty(&handle->armed)))
		return chan_mpsc_recv_many((struct chan_receiver *)h, msgs, limit, received, deadline);
	if (empty)
		return CHAN_EMPTY;
	chan_fence_light(); /* step R2: before the state is read */
	if (bounded_state(bounded_of(h)) & (STATE_SENDER_WAITS | STATE_ENDING) || !list_empty(&handle->armed))
		chan_mpsc_taken(handle, *received);
	return CHAN_OK;
}

/* Takes up to `limit` messages, at least one; `*received` is how many. */
static CHAN_INLINE enum chan_status bounded_receive(struct bounded_handle *h, void *msgs, size_t limit,
                                                    size_t *received, uint64_t deadline,
                                                    const struct bounded_store *store)
{
	struct handle *handle = &h->handle;
	struct bounded *ch = bounded_of(h);

	owner_check_enter(&handle->owner, "recv");
	*received = bounded_take_some(h, msgs, limit, store);
	if (CHAN_RARELY(*received == 0))
		return store->receive_later(h, msgs, limit, received, deadline);
	owner_check_leave(&handle->owner);
	chan_fence_light(); /* step R2: before the state is read */
	uint32_t state = bounded_state(ch);
	if (CHAN_RARELY(state & (STATE_SENDER_WAITS | STATE_ENDING) || !list_empty(&handle->armed)))
		chan_mpsc_taken(handle, *received);
	else if (!(state & STATE_MANY_RECEIVERS))
		chan_last_cpu_note(&ch->receiver_at);
	return CHAN_OK;
}

static CHAN_INLINE enum chan_status bounded_recv(struct chan_receiver *rx, void *msg, uint64_t deadline,
                                                 const struct bounded_store *store)
{
	struct bounded_handle *h = (struct bounded_handle *)rx;
	size_t received;

	if (msg == NULL && h->handle.core->layout.size != 0)
		return CHAN_INVALID;
	return bounded_receive(h, msg, 1, &received, deadline, store);
}

static CHAN_INLINE enum chan_status bounded_recv_many(struct chan_receiver *rx, void *msgs, size_t limit,
                                                      size_t *received, uint64_t deadline,
                                                      const struct bounded_store *store)
{
	struct bounded_handle *h = (struct bounded_handle *)rx;

	*received = 0;
	if (limit == 0)
		return CHAN_OK;
	if (msgs == NULL && h->handle.core->layout.size != 0)
		return CHAN_INVALID;
	return bounded_receive(h, msgs, limit, received, deadline, store);
}

#endif
