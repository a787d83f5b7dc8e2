/* SPDX-License-Identifier: MIT
 *
 * ring.c - the bounded mpsc channel of the vyukov family: slots that say themselves whose turn it
 * is, in front of the lock as fastpath/bounded.h says.
 *
 * ALGORITHM. D. Vyukov's bounded MPMC queue (1024cores.net). Each slot has a stamp beside its
 * message.
 *
 *   Send.      S1  Claim position p: exchange `tail`. A single sender stores it.
 *              S2  The slot is free for p when its stamp is p. Write the message.
 *              S3  Make the stamp p + 1.
 *   Receive.   R1  Claim position p: exchange `head`. A single receiver stores it.
 *              R2  There is a message for p when the stamp is p + 1. Copy it out.
 *              R3  Make the stamp the position that comes to this slot a lap later.
 * The stamps are looked at before the claim. So the two sides meet in the slot and nowhere else:
 * one cache line for a message that is waited for.
 *
 * POSITIONS. The capacity is exact: the ring has as many slots as asked for, also 1 or 10. A
 * position is a lap and a place in it (as in crossbeam's array flavour), with the place in the low
 * bits. It goes from the last place of a lap to the first of the next without a division, and
 * across the wrap of the laps. config.start says with which lap it begins. Positions are in units
 * of 2: the odd numbers are the stamps of messages, and in `tail` bit 0 locks the senders out.
 *
 * INVARIANT. Of the slot at place i, let p >= head be the smallest position with place i. Its stamp
 * is p (free, or claimed and being written), or p + 1 (a message), or that of the lap before plus 1
 * while the receiver of that lap copies it out.
 *
 * LINEARIZATION. send: the store of `tail`, or its exchange. receive: the store of `head`, or its
 * exchange.
 *
 * WHO EXCLUDES WHOM on a slot
 *
 *                    the sender that fills it         the receiver that empties it
 *   another sender   the claim of its position        the stamp: not yet a lap later
 *   a receiver       the stamp: not yet p + 1         the claim of its position
 *
 *
 * ORDER
 *   A2 stamp p + 1       -> R2   the message, before it is copied out
 *   A3 stamp a lap later -> R3   the copying out, before the slot is written again; and what the
 *                                receiver did before (M-68)
 *   A4 tail              -> R4   what the sender did before, for a receiver that arms and finds the
 *                                message itself (P-4), and for a sender that finds it full (M-70).
 *                                (ring_len, after ring_block_senders, reads the same again.)
 *   A5 head              -> R5   the tail beyond it: a length never has a head that is newer than
 *                                the tail
 * What is read before an exchange is a guess. The stamps say whether it is true, and the exchange
 * says whether it still is.
 *
 * A PEER THAT IS PREEMPTED between its claim and its stamp holds up the threads that need that
 * slot, and nobody else. A thread that comes to the slot looks at the counters whether the ring is
 * full or empty. If it is neither, it waits. In Vyukov's queue it would seem full or empty.
 */
#include "impls/fastpath/bounded.h"
#include "impls/vyukov/vyukov.h"

#include <stdlib.h>

typedef _Atomic uint64_t ring_stamp;

/* The channel. */
struct ring {
	struct bounded bounded;
	size_t capacity, size, stride, offset; /* of the message in its slot */
	/* from a position to the same place a lap later: a power of two, more than 2 * capacity */
	uint64_t lap;
	unsigned char *slots, *last; /* the first slot and the last */

	alignas(64) _Atomic uint64_t tail;
	alignas(64) _Atomic uint64_t head;
};

static inline size_t ring_place(const struct ring *r, uint64_t at)
{
	return (size_t)((at & (r->lap - 1)) >> 1);
}

static inline ring_stamp *ring_slot(const struct ring *r, uint64_t at)
{
	return (ring_stamp *)(void *)(r->slots + ring_place(r, at) * r->stride);
}

static inline void *ring_msg(const struct ring *r, ring_stamp *slot)
{
	return (unsigned char *)slot + r->offset;
}

/* Goes on to the next position, and its slot. (Without a multiplication: a third more messages
 * in batches of 32, a quarter more round trips.) */
static CHAN_INLINE void ring_step(const struct ring *r, uint64_t *at, ring_stamp **slot)
{
	unsigned char *here = (unsigned char *)*slot;
	bool wraps = here == r->last;

	*at = wraps ? (*at & ~(r->lap - 1)) + r->lap : *at + 2;
	*slot = (ring_stamp *)(void *)(wraps ? r->slots : here + r->stride);
}

static inline uint64_t ring_next(const struct ring *r, uint64_t at)
{
	ring_stamp *slot = ring_slot(r, at);

	ring_step(r, &at, &slot);
	return at;
}

/* False: out of memory. */
static bool ring_open(struct bounded *ch, const struct layout *layout, size_t capacity, uint64_t start)
{
	struct ring *r = (struct ring *)ch;
	size_t align = layout->align < sizeof(ring_stamp) ? sizeof(ring_stamp) : layout->align, bytes;
	void *memory;

	for (r->lap = 4; r->lap / 2 <= capacity;)
		r->lap *= 2;
	r->capacity = capacity;
	r->size = layout->size;
	r->offset = align;
	r->stride = (align + layout->size + align - 1) & ~(align - 1);
	if (__builtin_mul_overflow(r->stride, capacity, &bytes) ||
	    posix_memalign(&memory, align < 64 ? 64 : align, bytes) != 0)
		return false;
	r->slots = memory;
	r->last = r->slots + (capacity - 1) * r->stride;
	uint64_t first = start * r->lap;
	for (size_t i = 0; i < capacity; i++)
		atomic_init(ring_slot(r, first + 2 * i), first + 2 * i);
	atomic_init(&r->tail, first);
	atomic_init(&r->head, first);
	return true;
}

static void ring_free(struct mpsc *ch)
{
	free(((struct ring *)ch)->slots);
	free(ch);
}

static inline struct ring *ring_of(const struct bounded_handle *h)
{
	return (struct ring *)bounded_of(h);
}

/* Messages that are in it or being put in. Exact while nobody is at work; else something that it
 * was, or could have been, meanwhile. */
static inline size_t ring_len(const struct mpsc *ch)
{
	const struct ring *r = (const struct ring *)ch;
	/* R5: no head beyond the tail. It is read first, for it must not be the newer one. */
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	/* R4: what senders did before */
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire) & ~(uint64_t)1;
	uint64_t laps = (tail & ~(r->lap - 1)) - (head & ~(r->lap - 1));

	if ((int64_t)(tail - head) <= 0)
		return 0;
	if (laps == 0)
		return ring_place(r, tail) - ring_place(r, head);
	if (laps == r->lap && ring_place(r, tail) <= ring_place(r, head))
		return r->capacity - ring_place(r, head) + ring_place(r, tail);
	return r->capacity; /* the head was old */
}

/* How many slots from `at` on have the stamp of their position plus `odd`, up to `limit`; `*end`
 * is the position after them. */
static CHAN_INLINE size_t ring_run(const struct ring *r, uint64_t at, uint64_t odd, size_t limit, uint64_t *end)
{
	ring_stamp *slot = ring_slot(r, at);
	size_t n = 0;

	/* R2, R3: written, or copied out */
	while (n < limit && atomic_load_explicit(slot, memory_order_acquire) == at + odd) {
		n++;
		ring_step(r, &at, &slot);
	}
	*end = at;
	return n;
}

/* ------------------------------------------------------------------------------------------
 * Sending
 */

static CHAN_INLINE void ring_write(struct ring *r, uint64_t at, const void *msgs, size_t n)
{
	ring_stamp *slot = ring_slot(r, at);

	for (size_t i = 0; i < n; i++, ring_step(r, &at, &slot)) {
		if (r->size != 0)
			chan_bytes_copy(ring_msg(r, slot), (const char *)msgs + i * r->size, r->size);
		/* A2: the message is written */
		atomic_store_explicit(slot, at + 1, memory_order_release);
	}
}

/* Sends up to `n` messages; 0: there seems to be no room. One sender. */
static CHAN_INLINE size_t ring_send_alone(struct bounded_handle *h, const void *msgs, size_t n)
{
	struct ring *r = ring_of(h);
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed), end; /* its own */
	size_t room = ring_run(r, at, 0, n, &end);

	if (room == 0)
		return 0;
	atomic_store_explicit(&r->tail, end, memory_order_release); /* A4: what the sender did */
	ring_write(r, at, msgs, room);
	return room;
}

/* The same, several senders. `*blocked`: locked out. */
static CHAN_INLINE size_t ring_send_among(struct bounded_handle *h, const void *msgs, size_t n, bool *blocked)
{
	struct ring *r = ring_of(h);
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed), end;

	for (;;) {
		if (at & 1) {
			*blocked = true;
			return 0;
		}
		size_t room = ring_run(r, at, 0, n, &end);
		if (room == 0) {
			uint64_t now = atomic_load_explicit(&r->tail, memory_order_relaxed);
			if (now == at)
				return 0;
			at = now;
			continue;
		}
		if (atomic_compare_exchange_weak_explicit(&r->tail, &at, end, memory_order_release,
		                                          /* A4: what the sender did */
		                                          memory_order_relaxed)) {
			ring_write(r, at, msgs, room);
			return room;
		}
		chan_relax_for(BOUNDED_COLLISION_NS);
		at = atomic_load_explicit(&r->tail, memory_order_relaxed);
	}
}

/* Under the lock, senders locked out, and there is room. */
static bool ring_push(struct mpsc *ch, const void *msg)
{
	struct ring *r = (struct ring *)ch;
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed), at = tail & ~(uint64_t)1, end;
	unsigned looks = 0;

	while (ring_run(r, at, 0, 1, &end) == 0) /* its receiver is just copying it out */
		chan_give_way(&looks);
	/* A4: what the sender did */
	atomic_store_explicit(&r->tail, end | (tail & 1), memory_order_release);
	ring_write(r, at, msg, 1);
	return true;
}

/* Locks several senders out; lets them in again. Under the lock. */
static void ring_block_senders(struct bounded *ch)
{
	struct ring *r = (struct ring *)ch;
	/* R4: what senders did before */
	atomic_fetch_or_explicit(&r->tail, 1, memory_order_acquire);
}

static void ring_admit_senders(struct bounded *ch)
{
	struct ring *r = (struct ring *)ch;
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (at & 1)
		/* A4: what the sender did */
		atomic_store_explicit(&r->tail, at & ~(uint64_t)1, memory_order_release);
}

/* ------------------------------------------------------------------------------------------
 * Receiving
 */

static CHAN_INLINE void ring_read(struct ring *r, uint64_t at, void *msgs, size_t n)
{
	ring_stamp *slot = ring_slot(r, at);

	for (size_t i = 0; i < n; i++, ring_step(r, &at, &slot)) {
		if (r->size != 0)
			chan_bytes_copy((char *)msgs + i * r->size, ring_msg(r, slot), r->size);
		/* A3: copied out before reuse */
		atomic_store_explicit(slot, at + r->lap, memory_order_release);
	}
}

/* Takes up to `limit` messages; 0: there is none, or the next one is still being put in. */
static CHAN_INLINE size_t ring_take(struct bounded_handle *h, void *msgs, size_t limit)
{
	struct ring *r = ring_of(h);
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), end;

	for (;;) {
		size_t n = ring_run(r, head, 1, limit, &end);

		if (!(bounded_state(&r->bounded) & STATE_MANY_RECEIVERS)) {
			if (n > 0) {
				/* A5: for a later length */
				atomic_store_explicit(&r->head, end, memory_order_release);
				ring_read(r, head, msgs, n);
			}
			return n;
		}
		if (n > 0) {
			if (atomic_compare_exchange_weak_explicit(&r->head, &head, end, memory_order_release,
			                                          /* A5: for a later length */
			                                          memory_order_relaxed)) {
				ring_read(r, head, msgs, n);
				return n;
			}
			chan_relax_for(BOUNDED_COLLISION_NS);
		}
		uint64_t now = atomic_load_explicit(&r->head, memory_order_relaxed);
		if (n == 0 && now == head)
			return 0;
		head = now;
	}
}

/* The oldest message where it lies, and the end of it. There is one, and no receiver. Under the
 * lock. */
static void *ring_front(struct mpsc *ch)
{
	struct ring *r = (struct ring *)ch;
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), end;
	unsigned looks = 0;

	while (ring_run(r, head, 1, 1, &end) == 0)
		chan_give_way(&looks);
	return ring_msg(r, ring_slot(r, head));
}

static void ring_pop(struct mpsc *ch)
{
	struct ring *r = (struct ring *)ch;
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	/* Nobody sends or receives any more but under the lock. */
	atomic_store_explicit(&r->head, ring_next(r, head), memory_order_relaxed);
	atomic_store_explicit(ring_slot(r, head), head + r->lap, memory_order_relaxed);
}

/* ------------------------------------------------------------------------------------------
 * The table
 */

static const struct bounded_store store; /* below: it names what is compiled with it */

static CHAN_APART enum chan_status send_later(struct bounded_handle *h, const void *msgs, size_t n, size_t *sent,
                                              uint64_t deadline, bool blocked)
{
	return bounded_send_later(h, msgs, n, sent, deadline, blocked, &store);
}

static CHAN_APART enum chan_status send_several(struct bounded_handle *h, const void *msgs, size_t n, size_t *sent,
                                                uint64_t deadline)
{
	return bounded_send_several(h, msgs, n, sent, deadline, &store);
}

static CHAN_APART size_t take_rest(struct bounded_handle *h, void *msgs, size_t n, size_t limit)
{
	return bounded_take_rest(h, msgs, n, limit, &store);
}

static CHAN_APART enum chan_status receive_later(struct bounded_handle *h, void *msgs, size_t limit, size_t *received,
                                                 uint64_t deadline)
{
	return bounded_receive_later(h, msgs, limit, received, deadline, &store);
}

static const struct bounded_store store = {
	.locked = {.len = ring_len,
                   .push = ring_push,
                   .take = chan_bounded_take,
                   .front = ring_front,
                   .pop = ring_pop,
                   .free = ring_free,
                   .block_senders = chan_bounded_block_senders,
                   .publish_state = chan_bounded_publish_state},
	.size = sizeof(struct ring),
	.open = ring_open,
	.send_alone = ring_send_alone,
	.send_among = ring_send_among,
	.take = ring_take,
	.block_senders = ring_block_senders,
	.admit_senders = ring_admit_senders,
	.many_senders = ring_block_senders,
	.send_later = send_later,
	.send_several = send_several,
	.take_rest = take_rest,
	.receive_later = receive_later,
};

static enum chan_status open_channel(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	return chan_bounded_open(config, tx, rx, &store);
}

static enum chan_status send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	return bounded_send(tx, msg, deadline, &store);
}

static enum chan_status send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent, uint64_t deadline)
{
	return bounded_send_many(tx, msgs, n, sent, deadline, &store);
}

static enum chan_status recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return bounded_recv(rx, msg, deadline, &store);
}

static enum chan_status recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                  uint64_t deadline)
{
	return bounded_recv_many(rx, msgs, limit, received, deadline, &store);
}

const struct chan_mpsc_ops chan_vyukov_mpsc_ops = {
	.open = open_channel,
	.send = send,
	.recv = recv,
	.sender_drop = chan_mpsc_sender_drop,
	.receiver_drop = chan_mpsc_receiver_drop,
	.sender_clone = chan_bounded_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_bounded_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.receiver_clone = chan_bounded_receiver_clone,
	.send_many = send_many,
	.recv_many = recv_many,
	.reserve = chan_mpsc_reserve,
	.permit_send = chan_mpsc_permit_send,
	.permit_release = chan_mpsc_permit_release,
	.close = chan_mpsc_close,
	.closed = chan_core_wait_closed,
	.arm_send = chan_mpsc_arm_send,
	.arm_recv = chan_mpsc_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_mpsc_disarm,
	.sender_get = chan_mpsc_sender_get,
	.receiver_get = chan_mpsc_receiver_get,
	.weak_get = chan_core_weak_get,
};
