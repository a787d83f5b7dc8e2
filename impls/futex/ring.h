/* SPDX-License-Identifier: MIT
 *
 * mpsc_ring.h - the ring of the futex family: a dense array of messages between two counters.
 *
 * Two rings in one, by how many senders there have been:
 *
 *   one sender      Lamport's ring: the sender fills slots and publishes them all with its counter
 *                   `tail`. Each side keeps a copy of the other's counter and reads that only when
 *                   the copy says that there is nothing (M. Thompson, J. Giacomoni: "FastForward",
 *                   and others since): as long as the two are far from each other nobody waits for
 *                   a cache line, and messages cross eight to a line.
 *   several         senders claim slots by exchanging `claim`, and publish each in a byte of its
 *                   own, `ready`; a receiver that finds the next one not ready does not go past it.
 *
 * With one receiver `head` is advanced when the messages have been copied out. Several claim
 * messages by exchanging `head` and copy them out afterwards; that a slot may be written again is
 * then in a byte of its own, `taken`.
 *
 *
 * COUNTERS are in units of 2, from where config.start says; bit 0 of `claim` locks the senders out.
 * A counter is 63 bits that wrap, and the ring is a power of two, so that the place is the low bits
 * across the wrap, too; the lap, which is what the bytes hold, is the bits above. A byte that is a
 * lap behind says "not yet", and no byte is ever two laps behind while somebody looks at it: the
 * slot could not have been claimed. The capacity is exact: it is the difference of the counters
 * that is bounded, not the ring.
 *
 *
 * INVARIANTS   head <= tail (one sender) or claim (several); their difference is at most the
 *              capacity. tail stands still once there have been two senders: what is below it needs
 *              no `ready` byte.
 *
 * LINEARIZATION   send: the store of `tail`, or the exchange of `claim`. receive: the store of
 *                 `head`, or its exchange.
 *
 * WHAT ORDERS WHAT
 *   A2 tail       -> R2   the message, before it is copied out
 *   A3 ready      -> R3   the same
 *   A4 head       -> R4   the copying out, before the slot is written again; and what the receiver
 *                         did before (M-68)
 *   A5 taken      -> R5   the copying out, where there are several receivers
 *   A6 gate       -> R6   STATE_MANY_RECEIVERS is read after the `head` that several receivers have
 *                         moved: who sees a slot free by such a head also sees that `taken` counts
 *   A7 claim      -> R7   the heads that those had seen who claimed before: the next one sees one
 *                         from which the claims are not farther than the capacity. (ring_len, after
 *                         ring_block_senders, reads the same again.)
 *   A8 gate       -> R8   once there are several senders, `claim` and `ready` as they were set up
 *                         (in base/lane.h: A2)
 *   A9 head       -> R9   what those saw in `ready` who received before. So no byte of 256 laps ago
 *                         is found there, which would look like one of now. (No program has as many
 *                         messages as it would take to see that.)
 * An exchange need not acquire: what it has to see the load before it saw; and it carries on what
 * earlier ones have released.
 */
#ifndef CHANBENCH_FUTEX_MPSC_RING_H
#define CHANBENCH_FUTEX_MPSC_RING_H

#include "impls/fastpath/bounded.h"

struct ring {
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
static bool ring_open(struct ring *r, const struct layout *layout, size_t capacity, uint64_t start)
{
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

static void ring_close(struct ring *r)
{
	free(r->slots);
}

/* What a handle knows of the other side when it is new. */
static inline uint64_t ring_seen(const struct ring *r)
{
	return atomic_load_explicit(&r->head, memory_order_acquire); /* R4 */
}

/* Messages that are in it or being put in. Exact while nobody is at work; else something that it
 * was, or could have been, meanwhile. */
static inline size_t ring_len(const struct ring *r, uint32_t gate)
{
	const _Atomic uint64_t *end = gate & STATE_MANY_SENDERS ? &r->claim : &r->tail;
	/* First, for it must not be the newer one. */
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);           /* R4 */
	uint64_t tail = atomic_load_explicit(end, memory_order_acquire) & ~(uint64_t)1; /* R2, R7 */
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
		*seen = atomic_load_explicit(&r->head, memory_order_acquire); /* R4 */
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
		/* R5 */
		while (atomic_load_explicit(&r->taken[ring_place(r, at)], memory_order_acquire) !=
		       (uint8_t)(ring_lap(r, at) - 1))
			lane_await_peer(&looks);
}

/* Puts messages into slots that were claimed. */
static CHAN_INLINE void ring_fill(struct ring *r, uint64_t at, const void *msgs, size_t n, const fastpath_state_t *gate)
{
	if (CHAN_RARELY(fastpath_state(gate) & STATE_MANY_RECEIVERS)) /* R6 */
		ring_await_taken(r, at, n);
	ring_in(r, at, msgs, n);
}

/* Sends up to `n` messages; 0: there is no room. One sender. */
static CHAN_INLINE size_t ring_send_single(struct ring *r, const void *msgs, size_t n, uint64_t *seen,
                                           const fastpath_state_t *gate)
{
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed); /* its own */
	size_t room = ring_room(r, at, n, seen);

	if (room == 0)
		return 0;
	ring_fill(r, at, msgs, room, gate);
	atomic_store_explicit(&r->tail, at + 2 * room, memory_order_release); /* A2 */
	return room;
}

static inline void ring_publish(struct ring *r, uint64_t at, const void *msgs, size_t n, const fastpath_state_t *gate)
{
	ring_fill(r, at, msgs, n, gate);
	for (; n > 0; n--, at += 2)
		/* A3 */
		atomic_store_explicit(&r->ready[ring_place(r, at)], ring_lap(r, at), memory_order_release);
}

/* The same, several senders. `*shut`: locked out. */
static inline size_t ring_send_many(struct ring *r, const void *msgs, size_t n, uint64_t *seen,
                                    const fastpath_state_t *gate, bool *shut)
{
	uint64_t at = atomic_load_explicit(&r->claim, memory_order_acquire); /* R7 */

	for (;;) {
		if (at & 1) {
			*shut = true;
			return 0;
		}
		size_t room = ring_room(r, at, n, seen);
		if (room == 0)
			return 0;
		if (atomic_compare_exchange_weak_explicit(&r->claim, &at, at + 2 * room, memory_order_release,
		                                          memory_order_relaxed)) { /* A7 */
			ring_publish(r, at, msgs, room, gate);
			return room;
		}
		/* others are at it: let them go on with it in their caches */
		chan_relax_for(LANE_COLLISION_NS);
		at = atomic_load_explicit(&r->claim, memory_order_acquire); /* R7 */
	}
}

/* Under the lock, senders locked out, and there is room. */
static void ring_push(struct ring *r, const void *msg, const fastpath_state_t *gate)
{
	if (fastpath_state(gate) & STATE_MANY_SENDERS) {
		uint64_t at = atomic_load_explicit(&r->claim, memory_order_relaxed) & ~(uint64_t)1;

		atomic_store_explicit(&r->claim, (at + 2) | 1, memory_order_release); /* A7 */
		ring_publish(r, at, msg, 1, gate);
	} else {
		uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);

		ring_fill(r, at, msg, 1, gate);
		atomic_store_explicit(&r->tail, at + 2, memory_order_release); /* A2 */
	}
}

/* Locks several senders out; lets them in again. Under the lock. */
static void ring_block_senders(struct ring *r)
{
	atomic_fetch_or_explicit(&r->claim, 1, memory_order_acquire); /* R7 */
}

static void ring_admit_senders(struct ring *r)
{
	uint64_t at = atomic_load_explicit(&r->claim, memory_order_relaxed);

	if (at & 1)
		atomic_store_explicit(&r->claim, at & ~(uint64_t)1, memory_order_release); /* A7 */
}

/* From now on there are several senders. Under the lock, the one locked out; they remain so. */
static void ring_many_senders(struct ring *r)
{
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
static CHAN_INLINE size_t ring_there(const struct ring *r, uint64_t head, size_t limit, uint64_t *seen,
                                     const fastpath_state_t *gate)
{
	int64_t below = (int64_t)(*seen - head) >> 1;

	if (below < (int64_t)limit) {
		*seen = atomic_load_explicit(&r->tail, memory_order_acquire); /* R2 */
		below = (int64_t)(*seen - head) >> 1;
	}
	size_t n = below > 0 ? (size_t)below : 0;
	if (n >= limit)
		return limit;
	if (!(fastpath_state(gate) & STATE_MANY_SENDERS)) /* R8 */
		return n;
	while (n < limit &&
	       /* R3 */
	       atomic_load_explicit(&r->ready[ring_place(r, head + 2 * n)], memory_order_acquire) ==
	               ring_lap(r, head + 2 * n))
		n++;
	return n;
}

/* Takes up to `limit` messages; 0: there is none, or the next one is still being put in. */
static CHAN_INLINE size_t ring_take(struct ring *r, void *msgs, size_t limit, uint64_t *seen,
                                    const fastpath_state_t *gate)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire); /* R9 */

	for (;;) {
		size_t n = ring_there(r, head, limit, seen, gate);

		if (n == 0)
			return 0;
		if (!(fastpath_state(gate) & STATE_MANY_RECEIVERS)) {
			ring_out(r, head, msgs, n);
			/* A4 */
			atomic_store_explicit(&r->head, head + 2 * n, memory_order_release);
			return n;
		}
		if (atomic_compare_exchange_weak_explicit(&r->head, &head, head + 2 * n, memory_order_release,
		                                          memory_order_relaxed)) { /* A4, A9 */
			ring_out(r, head, msgs, n);
			for (size_t i = 0; i < n; i++, head += 2)
				atomic_store_explicit(&r->taken[ring_place(r, head)], ring_lap(r, head),
				                      memory_order_release); /* A5 */
			return n;
		}
		chan_relax_for(LANE_COLLISION_NS);
		head = atomic_load_explicit(&r->head, memory_order_acquire); /* R9 */
	}
}

/* From now on there are several receivers. Under the lock, called by the one. */
static void ring_many_receivers(struct ring *r)
{
	uint64_t at = atomic_load_explicit(&r->head, memory_order_relaxed) - 2 * ((uint64_t)r->mask + 1);

	for (size_t i = 0; i <= r->mask; i++, at += 2)
		atomic_store_explicit(&r->taken[ring_place(r, at)], ring_lap(r, at), memory_order_relaxed);
}

/* The oldest message where it lies, and the end of it. There is one, and no receiver. Under the
 * lock. */
static void *ring_front(struct ring *r, const fastpath_state_t *gate)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), seen = head;

	for (unsigned looks = 0; ring_there(r, head, 1, &seen, gate) == 0;)
		lane_await_peer(&looks);
	return r->slots + ring_place(r, head) * r->stride;
}

static void ring_pop(struct ring *r, const fastpath_state_t *gate)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	/* Nobody sends or receives any more but under the lock. */
	atomic_store_explicit(&r->head, head + 2, memory_order_relaxed);
	if (fastpath_state(gate) & STATE_MANY_RECEIVERS)
		atomic_store_explicit(&r->taken[ring_place(r, head)], ring_lap(r, head), memory_order_relaxed);
}

#endif
