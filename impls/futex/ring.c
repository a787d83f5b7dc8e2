/* SPDX-License-Identifier: MIT
 *
 * ring.c - the bounded mpsc channel of the futex family: a dense array of messages between two
 * counters, in front of the lock as fastpath/bounded.h says.
 *
 * It is two rings in one, by how many senders there have been.
 *
 *   one sender   Lamport's ring. The sender fills slots and publishes all of them with its counter
 *                `tail`. Each side keeps a copy of the other's counter and reads the counter itself
 *                only when the copy says that there is nothing (as in FastForward of J. Giacomoni,
 *                and in the Disruptor of M. Thompson). While the two are far from each other
 *                nobody waits for a cache line, and messages cross eight to a line.
 *   several      Senders claim slots by exchanging `claim`, and publish each slot in a byte of its
 *                own, `ready`. A receiver that finds the next one not ready does not go past it.
 *
 * With one receiver, `head` is advanced when the messages have been copied out. Several receivers
 * claim messages by exchanging `head` and copy them out afterwards. A byte of its own for each
 * slot, `taken`, says that it may be written again.
 *
 *
 * COUNTERS are in units of 2 and begin where config.start says. Bit 0 of `claim` locks the senders
 * out. A counter has 63 bits that wrap, and the ring is a power of two: the place is the low bits,
 * across the wrap, too. The lap is the bits above, and its lowest eight are what the bytes hold. A
 * byte that is a lap behind says "not yet". No byte is ever two laps behind while somebody looks at
 * it, for the slot could not have been claimed. The capacity is exact: the difference of the
 * counters is bounded, not the ring.
 *
 *
 * INVARIANTS
 *   I1  head <= tail (one sender), or head <= claim (several); their difference is at most the
 *       capacity.
 *   I2  `tail` stands still once there have been two senders. What is below it needs no `ready`.
 *
 * LINEARIZATION. send: the store of `tail`, or the exchange of `claim`. receive: the store of
 * `head`, or its exchange.
 *
 * WHO EXCLUDES WHOM on a slot
 *
 *                    the sender that fills it         the receiver that empties it
 *   another sender   its claim, or there is none      `head` and, with several receivers, `taken`
 *   a receiver       `tail` or `ready`                its claim, or there is none
 *
 *
 * ORDER
 *   A2 tail   -> R2   the message, before it is copied out
 *   A3 ready  -> R3   the same
 *   A4 head   -> R4   the copying out, before the slot is written again; and what the receiver did
 *                     before (M-68)
 *   A5 taken  -> R5   the copying out, where there are several receivers
 *   A6 state  -> R6   STATE_MANY_RECEIVERS is read after the `head` that several receivers have
 *                     moved. A sender that sees a slot free by such a head also sees that `taken`
 *                     counts.
 *   A7 claim  -> R7   the heads that earlier claimers had seen. The next one sees a head from which
 *                     the claims are not farther than the capacity. (ring_len, after
 *                     ring_block_senders, reads the same again.)
 *   A8 state  -> R8   `claim` and `ready` as they were set up for several senders (A2 of bounded.h)
 *   A9 head   -> R9   what earlier receivers saw in `ready`. So no byte of 256 laps ago is found
 *                     there, which would look like one of now. (No program has as many messages as
 *                     it would take to see that.)
 * An exchange need not acquire: what it has to see, the load before it saw. It carries on what
 * earlier exchanges have released.
 */
#include "impls/fastpath/bounded.h"
#include "impls/futex/futex.h"

#include <stdlib.h>

/* The channel. */
struct ring {
	struct bounded bounded;
	size_t capacity, mask, size, stride;
	unsigned shift; /* the ring has 1 << shift slots */
	unsigned char *slots;
	_Atomic uint8_t *ready, *taken; /* behind the slots */

	alignas(64) _Atomic uint64_t tail;
	alignas(64) _Atomic uint64_t claim;
	alignas(64) _Atomic uint64_t head;
};

static inline size_t ring_place(const struct ring *r, uint64_t at)
{
	return (size_t)(at >> 1) & r->mask;
}

static inline uint8_t ring_lap(const struct ring *r, uint64_t at)
{
	return (uint8_t)(at >> 1 >> r->shift);
}

/* False: out of memory. */
static bool ring_open(struct bounded *ch, const struct layout *layout, size_t capacity, uint64_t start)
{
	struct ring *r = (struct ring *)ch;
	size_t align = layout->align < 64 ? 64 : layout->align, slots = 1, bytes;
	void *memory;

	while (slots < capacity) {
		slots *= 2;
		r->shift++;
	}
	if (__builtin_mul_overflow(slots, layout->stride, &bytes) || __builtin_add_overflow(bytes, 63, &bytes) ||
	    __builtin_add_overflow(bytes & ~(size_t)63, 2 * (slots + 64), &bytes))
		return false;
	if (posix_memalign(&memory, align, bytes) != 0)
		return false;
	r->capacity = capacity;
	r->mask = slots - 1;
	r->size = layout->size;
	r->stride = layout->stride;
	r->slots = memory;
	r->ready = (_Atomic uint8_t *)(r->slots + ((slots * layout->stride + 63) & ~(size_t)63));
	r->taken = r->ready + ((slots + 63) & ~(size_t)63);
	atomic_init(&r->tail, start << 1);
	atomic_init(&r->claim, start << 1);
	atomic_init(&r->head, start << 1);
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

static void ring_begin(struct bounded_handle *h)
{
	/* R4: copied out */
	h->seen = atomic_load_explicit(&ring_of(h)->head, memory_order_acquire);
}

/* Messages that are in it or being put in. Exact while nobody is at work; else something that it
 * was, or could have been, meanwhile. */
static inline size_t ring_len(const struct mpsc *ch)
{
	const struct ring *r = (const struct ring *)ch;
	const _Atomic uint64_t *end = bounded_state(&r->bounded) & STATE_MANY_SENDERS ? &r->claim : &r->tail;
	/* R4: copied out before reuse. It is read first, for it must not be the newer one. */
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	/* R2, R7: the messages; the heads */
	uint64_t tail = atomic_load_explicit(end, memory_order_acquire) & ~(uint64_t)1;
	int64_t n = (int64_t)(tail - head) / 2;

	return n < 0 ? 0 : (size_t)n < r->capacity ? (size_t)n : r->capacity;
}

/* Copies `n` messages between the caller's array and the ring from `at` on, which may go round
 * its end. */
static CHAN_INLINE void ring_in(struct ring *r, uint64_t at, const void *msgs, size_t n)
{
	size_t place = ring_place(r, at), first = r->mask + 1 - place;

	if (n == 1) {
		chan_bytes_copy(r->slots + place * r->stride, msgs, r->size);
	} else if (r->size != 0) {
		first = first < n ? first : n;
		memcpy(r->slots + place * r->size, msgs, first * r->size);
		memcpy(r->slots, (const char *)msgs + first * r->size, (n - first) * r->size);
	}
}

static CHAN_INLINE void ring_out(const struct ring *r, uint64_t at, void *msgs, size_t n)
{
	size_t place = ring_place(r, at), first = r->mask + 1 - place;

	if (n == 1) {
		chan_bytes_copy(msgs, r->slots + place * r->stride, r->size);
	} else if (r->size != 0) {
		first = first < n ? first : n;
		memcpy(msgs, r->slots + place * r->size, first * r->size);
		memcpy((char *)msgs + first * r->size, r->slots, (n - first) * r->size);
	}
}

/* ------------------------------------------------------------------------------------------
 * Sending
 */

/* Free slots from `at` on, up to `want`; `*seen` is a head that was, perhaps long ago. */
static CHAN_INLINE size_t ring_room(const struct ring *r, uint64_t at, size_t want, uint64_t *seen)
{
	size_t used = (size_t)(at - *seen) / 2;

	if (used >= r->capacity || r->capacity - used < want) {
		/* R4: copied out before reuse */
		*seen = atomic_load_explicit(&r->head, memory_order_acquire);
		if ((int64_t)(at - *seen) < 0)
			return 1; /* `at` is old: the exchange will fail */
		used = (size_t)(at - *seen) / 2;
	}
	return r->capacity - used < want ? r->capacity - used : want;
}

/* Waits until the messages have been copied out that were in the slots from `at` on. */
static CHAN_APART void ring_await_taken(const struct ring *r, uint64_t at, size_t n)
{
	unsigned looks = 0;

	for (; n > 0; n--, at += 2)
		/* R5: copied out before reuse */
		while (atomic_load_explicit(&r->taken[ring_place(r, at)], memory_order_acquire) !=
		       (uint8_t)(ring_lap(r, at) - 1))
			chan_give_way(&looks);
}

/* Puts messages into slots that were claimed. */
static CHAN_INLINE void ring_fill(struct ring *r, uint64_t at, const void *msgs, size_t n)
{
	if (CHAN_RARELY(bounded_state(&r->bounded) & STATE_MANY_RECEIVERS)) /* R6: `taken` counts */
		ring_await_taken(r, at, n);
	ring_in(r, at, msgs, n);
}

/* Sends up to `n` messages; 0: there is no room. One sender. */
static CHAN_INLINE size_t ring_send_alone(struct bounded_handle *h, const void *msgs, size_t n)
{
	struct ring *r = ring_of(h);
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed); /* its own */
	size_t room = ring_room(r, at, n, &h->seen);

	if (room == 0)
		return 0;
	ring_fill(r, at, msgs, room);
	/* A2: the message is written */
	atomic_store_explicit(&r->tail, at + 2 * room, memory_order_release);
	return room;
}

static inline void ring_publish(struct ring *r, uint64_t at, const void *msgs, size_t n)
{
	ring_fill(r, at, msgs, n);
	for (; n > 0; n--, at += 2)
		/* A3: the message is written */
		atomic_store_explicit(&r->ready[ring_place(r, at)], ring_lap(r, at), memory_order_release);
}

/* The same, several senders. `*blocked`: locked out. */
static CHAN_INLINE size_t ring_send_among(struct bounded_handle *h, const void *msgs, size_t n, bool *blocked)
{
	struct ring *r = ring_of(h);
	/* R7: the heads seen before */
	uint64_t at = atomic_load_explicit(&r->claim, memory_order_acquire);

	for (;;) {
		if (at & 1) {
			*blocked = true;
			return 0;
		}
		size_t room = ring_room(r, at, n, &h->seen);
		if (room == 0)
			return 0;
		if (atomic_compare_exchange_weak_explicit(&r->claim, &at, at + 2 * room, memory_order_release,
		                                          /* A7: the heads seen before */
		                                          memory_order_relaxed)) {
			ring_publish(r, at, msgs, room);
			return room;
		}
		/* others are at it: let them go on with it in their caches */
		chan_relax_for(BOUNDED_COLLISION_NS);
		/* R7: the heads seen before */
		at = atomic_load_explicit(&r->claim, memory_order_acquire);
	}
}

/* Under the lock, senders locked out, and there is room. */
static bool ring_push(struct mpsc *ch, const void *msg)
{
	struct ring *r = (struct ring *)ch;
	if (bounded_state(&r->bounded) & STATE_MANY_SENDERS) {
		uint64_t at = atomic_load_explicit(&r->claim, memory_order_relaxed) & ~(uint64_t)1;

		/* A7: the heads seen before */
		atomic_store_explicit(&r->claim, (at + 2) | 1, memory_order_release);
		ring_publish(r, at, msg, 1);
	} else {
		uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);

		ring_fill(r, at, msg, 1);
		/* A2: the message is written */
		atomic_store_explicit(&r->tail, at + 2, memory_order_release);
	}
	return true;
}

/* Locks several senders out; lets them in again. Under the lock. */
static void ring_block_senders(struct bounded *ch)
{
	struct ring *r = (struct ring *)ch;
	/* R7: the heads seen before */
	atomic_fetch_or_explicit(&r->claim, 1, memory_order_acquire);
}

static void ring_admit_senders(struct bounded *ch)
{
	struct ring *r = (struct ring *)ch;
	uint64_t at = atomic_load_explicit(&r->claim, memory_order_relaxed);

	if (at & 1)
		atomic_store_explicit(&r->claim, at & ~(uint64_t)1,
		                      memory_order_release); /* A7: the heads seen before */
}

/* From now on there are several senders. Under the lock, the one locked out; they remain so. */
static void ring_many_senders(struct bounded *ch)
{
	struct ring *r = (struct ring *)ch;
	/* waited for, or the caller's own */
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);

	for (size_t i = 0; i <= r->mask; i++)
		atomic_store_explicit(&r->ready[ring_place(r, at + 2 * i)], (uint8_t)(ring_lap(r, at + 2 * i) - 1),
		                      memory_order_relaxed);
	atomic_store_explicit(&r->claim, at | 1, memory_order_relaxed); /* A8 comes after it */
}

/* ------------------------------------------------------------------------------------------
 * Receiving
 */

/* Messages that can be taken from `head` on, up to `limit`; `*seen` is a tail that was. */
static CHAN_INLINE size_t ring_there(const struct ring *r, uint64_t head, size_t limit, uint64_t *seen)
{
	int64_t below = (int64_t)(*seen - head) >> 1;

	if (below < (int64_t)limit) {
		/* R2: the message is written */
		*seen = atomic_load_explicit(&r->tail, memory_order_acquire);
		below = (int64_t)(*seen - head) >> 1;
	}
	size_t n = below > 0 ? (size_t)below : 0;
	if (n >= limit)
		return limit;
	if (!(bounded_state(&r->bounded) & STATE_MANY_SENDERS)) /* R8: `claim` and `ready` set up */
		return n;
	while (n < limit &&
	       /* R3: the message is written */
	       atomic_load_explicit(&r->ready[ring_place(r, head + 2 * n)], memory_order_acquire) ==
	               ring_lap(r, head + 2 * n))
		n++;
	return n;
}

/* Takes up to `limit` messages; 0: there is none, or the next one is still being put in. */
static CHAN_INLINE size_t ring_take(struct bounded_handle *h, void *msgs, size_t limit)
{
	struct ring *r = ring_of(h);
	/* R9: the bytes seen before */
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	for (;;) {
		size_t n = ring_there(r, head, limit, &h->seen);

		if (n == 0)
			return 0;
		if (!(bounded_state(&r->bounded) & STATE_MANY_RECEIVERS)) {
			ring_out(r, head, msgs, n);
			/* A4: copied out before reuse */
			atomic_store_explicit(&r->head, head + 2 * n, memory_order_release);
			return n;
		}
		if (atomic_compare_exchange_weak_explicit(&r->head, &head, head + 2 * n, memory_order_release,
		                                          /* A4, A9: copied out; bytes seen */
		                                          memory_order_relaxed)) {
			ring_out(r, head, msgs, n);
			for (size_t i = 0; i < n; i++, head += 2)
				atomic_store_explicit(&r->taken[ring_place(r, head)], ring_lap(r, head),
				                      /* A5: copied out before reuse */
				                      memory_order_release);
			return n;
		}
		chan_relax_for(BOUNDED_COLLISION_NS);
		/* R9: the bytes seen before */
		head = atomic_load_explicit(&r->head, memory_order_acquire);
	}
}

/* From now on there are several receivers. Under the lock, called by the one. */
static void ring_many_receivers(struct bounded *ch)
{
	struct ring *r = (struct ring *)ch;
	uint64_t at = atomic_load_explicit(&r->head, memory_order_relaxed) - 2 * ((uint64_t)r->mask + 1);

	for (size_t i = 0; i <= r->mask; i++, at += 2)
		atomic_store_explicit(&r->taken[ring_place(r, at)], ring_lap(r, at), memory_order_relaxed);
}

/* The oldest message where it lies, and the end of it. There is one, and no receiver. Under the
 * lock. */
static void *ring_front(struct mpsc *ch)
{
	struct ring *r = (struct ring *)ch;
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), seen = head;

	for (unsigned looks = 0; ring_there(r, head, 1, &seen) == 0;)
		chan_give_way(&looks);
	return r->slots + ring_place(r, head) * r->stride;
}

static void ring_pop(struct mpsc *ch)
{
	struct ring *r = (struct ring *)ch;
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	/* Nobody sends or receives any more but under the lock. */
	atomic_store_explicit(&r->head, head + 2, memory_order_relaxed);
	if (bounded_state(&r->bounded) & STATE_MANY_RECEIVERS)
		atomic_store_explicit(&r->taken[ring_place(r, head)], ring_lap(r, head), memory_order_relaxed);
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
	.begin = ring_begin,
	.send_alone = ring_send_alone,
	.send_among = ring_send_among,
	.take = ring_take,
	.block_senders = ring_block_senders,
	.admit_senders = ring_admit_senders,
	.many_senders = ring_many_senders,
	.many_receivers = ring_many_receivers,
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

const struct chan_mpsc_ops chan_futex_mpsc_ops = {
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
