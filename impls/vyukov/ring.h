/* SPDX-License-Identifier: MIT
 *
 * mpsc_ring.h - the ring of the vyukov family: cells that say themselves whose turn it is.
 *
 * ALGORITHM. D. Vyukov's bounded MPMC queue (1024cores.net). Each cell has a stamp beside its
 * message, and the position of who may use it next stands in it: a sender at position p may write
 * when the stamp is p, and makes it p + 1; a receiver at position p may read when it is p + 1, and
 * makes it the position that comes to this cell a lap later. So the two sides meet in the cell and
 * nowhere else: one cache line for a message that is waited for. Positions are claimed by
 * exchanging `tail` or `head`; where there has been only one sender, or only one receiver, by a
 * plain store.
 *
 * The capacity is exact: the ring has as many cells as asked for, also 1 or 10. A position is a lap
 * and a place in it (as in crossbeam's array flavour), the place in the low bits, so that it goes
 * from the last place of a lap to the first of the next without a division and across the wrap of
 * the laps. config.start says with which lap it begins. Positions are in units of 2: the odd
 * numbers are the stamps of messages, and in `tail` bit 0 locks the senders out.
 *
 * INVARIANTS   of the cell at place i, of the smallest position p >= head with place i: the stamp
 *              is p (free, or claimed and being written) or p + 1 (a message), or, while the
 *              receiver of the lap before copies it out, that lap's p + 1.
 *
 * LINEARIZATION   send: the store of `tail`, or its exchange. receive: the store of `head`, or its
 *                 exchange.
 *
 * WHAT ORDERS WHAT
 *   A2 stamp p + 1        -> R2   the message, before it is copied out
 *   A3 stamp a lap later  -> R3   the copying out, before the cell is written again; and what the
 *                                 receiver did before (M-68)
 *   A4 tail               -> R4   what the sender did before, for a receiver that arms and finds
 *                                 the message itself (P-4), and for who finds it full (M-70).
 *                                 (ring_len, after ring_block_senders, reads the same again.)
 *   A5 head               -> R5   the tail beyond it: who asks for the length never sees a head
 *                                 that is newer than the tail
 * What is read before an exchange is a guess: the stamps say whether it is true, and the exchange
 * whether it still is.
 *
 * A PEER preempted between its claim and its stamp holds up who needs that cell, and nobody else:
 * who comes to it looks at the counters whether it is full or empty, and if not, waits (lane.h). In
 * Vyukov's queue it would seem full or empty.
 */
#ifndef CHANBENCH_VYUKOV_MPSC_RING_H
#define CHANBENCH_VYUKOV_MPSC_RING_H

#include "impls/fastpath/bounded.h"

typedef _Atomic uint64_t ring_stamp;

struct ring {
	size_t capacity, size, stride, offset; /* of the message in its cell */
	/* from a position to the same place a lap later: a power of two, more than 2 * capacity */
	uint64_t lap;
	unsigned char *cells, *last; /* the first cell and the last */

	alignas(64) _Atomic uint64_t tail;
	alignas(64) _Atomic uint64_t head;
};

static inline size_t ring_place(const struct ring *r, uint64_t at)
{
	return (size_t)((at & (r->lap - 1)) >> 1);
}

static inline ring_stamp *ring_cell(const struct ring *r, uint64_t at)
{
	return (ring_stamp *)(void *)(r->cells + ring_place(r, at) * r->stride);
}

static inline void *ring_msg(const struct ring *r, ring_stamp *cell)
{
	return (unsigned char *)cell + r->offset;
}

/* Goes on to the next position, and its cell. (Without a multiplication: a third more messages
 * in batches of 32, a quarter more round trips.) */
static CHAN_INLINE void ring_step(const struct ring *r, uint64_t *at, ring_stamp **cell)
{
	unsigned char *here = (unsigned char *)*cell;
	bool wraps = here == r->last;

	*at = wraps ? (*at & ~(r->lap - 1)) + r->lap : *at + 2;
	*cell = (ring_stamp *)(void *)(wraps ? r->cells : here + r->stride);
}

static inline uint64_t ring_next(const struct ring *r, uint64_t at)
{
	ring_stamp *cell = ring_cell(r, at);

	ring_step(r, &at, &cell);
	return at;
}

/* False: out of memory. */
static bool ring_open(struct ring *r, const struct layout *layout, size_t capacity, uint64_t start)
{
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
	r->cells = memory;
	r->last = r->cells + (capacity - 1) * r->stride;
	uint64_t first = start * r->lap;
	for (size_t i = 0; i < capacity; i++)
		atomic_init(ring_cell(r, first + 2 * i), first + 2 * i);
	atomic_init(&r->tail, first);
	atomic_init(&r->head, first);
	return true;
}

static void ring_close(struct ring *r)
{
	free(r->cells);
}

/* Nothing need be known of the other side: the cells say it. */
static inline uint64_t ring_seen(const struct ring *r)
{
	(void)r;
	return 0;
}

/* Messages that are in it or being put in. Exact while nobody is at work; else something that it
 * was, or could have been, meanwhile. */
static inline size_t ring_len(const struct ring *r, uint32_t gate)
{
	/* First, for it must not be the newer one. */
	/* R5 */
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	/* R4 */
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire) & ~(uint64_t)1;
	uint64_t laps = (tail & ~(r->lap - 1)) - (head & ~(r->lap - 1));

	(void)gate;
	if ((int64_t)(tail - head) <= 0)
		return 0;
	if (laps == 0)
		return ring_place(r, tail) - ring_place(r, head);
	if (laps == r->lap && ring_place(r, tail) <= ring_place(r, head))
		return r->capacity - ring_place(r, head) + ring_place(r, tail);
	return r->capacity; /* the head was old */
}

/* How many cells from `at` on have the stamp of their position plus `odd`, up to `limit`; `*end`
 * is the position after them. */
static CHAN_INLINE size_t ring_run(const struct ring *r, uint64_t at, uint64_t odd, size_t limit, uint64_t *end)
{
	ring_stamp *cell = ring_cell(r, at);
	size_t n = 0;

	/* R2, R3 */
	while (n < limit && atomic_load_explicit(cell, memory_order_acquire) == at + odd) {
		n++;
		ring_step(r, &at, &cell);
	}
	*end = at;
	return n;
}

/* ------------------------------------------------------------------------------------------
 * Sending
 */

static CHAN_INLINE void ring_write(struct ring *r, uint64_t at, const void *msgs, size_t n)
{
	ring_stamp *cell = ring_cell(r, at);

	for (size_t i = 0; i < n; i++, ring_step(r, &at, &cell)) {
		if (r->size != 0)
			chan_bytes_copy(ring_msg(r, cell), (const char *)msgs + i * r->size, r->size);
		atomic_store_explicit(cell, at + 1, memory_order_release); /* A2 */
	}
}

/* Sends up to `n` messages; 0: there seems to be no room. One sender. */
static CHAN_INLINE size_t ring_send_single(struct ring *r, const void *msgs, size_t n, uint64_t *seen,
                                           const fastpath_state_t *gate)
{
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed), end; /* its own */
	size_t room = ring_run(r, at, 0, n, &end);

	(void)seen;
	(void)gate;
	if (room == 0)
		return 0;
	atomic_store_explicit(&r->tail, end, memory_order_release); /* A4 */
	ring_write(r, at, msgs, room);
	return room;
}

/* The same, several senders. `*shut`: locked out. */
static inline size_t ring_send_many(struct ring *r, const void *msgs, size_t n, uint64_t *seen,
                                    const fastpath_state_t *gate, bool *shut)
{
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed), end;

	(void)seen;
	(void)gate;
	for (;;) {
		if (at & 1) {
			*shut = true;
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
		                                          memory_order_relaxed)) { /* A4 */
			ring_write(r, at, msgs, room);
			return room;
		}
		chan_relax_for(LANE_COLLISION_NS);
		at = atomic_load_explicit(&r->tail, memory_order_relaxed);
	}
}

/* Under the lock, senders locked out, and there is room. */
static void ring_push(struct ring *r, const void *msg, const fastpath_state_t *gate)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed), at = tail & ~(uint64_t)1, end;
	unsigned looks = 0;

	(void)gate;
	while (ring_run(r, at, 0, 1, &end) == 0) /* its receiver is just copying it out */
		lane_await_peer(&looks);
	atomic_store_explicit(&r->tail, end | (tail & 1), memory_order_release); /* A4 */
	ring_write(r, at, msg, 1);
}

/* Locks several senders out; lets them in again. Under the lock. */
static void ring_block_senders(struct ring *r)
{
	atomic_fetch_or_explicit(&r->tail, 1, memory_order_acquire); /* R4 */
}

static void ring_admit_senders(struct ring *r)
{
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (at & 1)
		atomic_store_explicit(&r->tail, at & ~(uint64_t)1, memory_order_release); /* A4 */
}

/* From now on there are several senders. Under the lock, the one locked out; they remain so. */
static void ring_many_senders(struct ring *r)
{
	ring_block_senders(r);
}

/* ------------------------------------------------------------------------------------------
 * Receiving
 */

static CHAN_INLINE void ring_read(struct ring *r, uint64_t at, void *msgs, size_t n)
{
	ring_stamp *cell = ring_cell(r, at);

	for (size_t i = 0; i < n; i++, ring_step(r, &at, &cell)) {
		if (r->size != 0)
			chan_bytes_copy((char *)msgs + i * r->size, ring_msg(r, cell), r->size);
		atomic_store_explicit(cell, at + r->lap, memory_order_release); /* A3 */
	}
}

/* Takes up to `limit` messages; 0: there is none, or the next one is still being put in. */
static CHAN_INLINE size_t ring_take(struct ring *r, void *msgs, size_t limit, uint64_t *seen,
                                    const fastpath_state_t *gate)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), end;

	(void)seen;
	for (;;) {
		size_t n = ring_run(r, head, 1, limit, &end);

		if (!(fastpath_state(gate) & STATE_MANY_RECEIVERS)) {
			if (n > 0) {
				atomic_store_explicit(&r->head, end, memory_order_release); /* A5 */
				ring_read(r, head, msgs, n);
			}
			return n;
		}
		if (n > 0) {
			if (atomic_compare_exchange_weak_explicit(&r->head, &head, end, memory_order_release,
			                                          memory_order_relaxed)) { /* A5 */
				ring_read(r, head, msgs, n);
				return n;
			}
			chan_relax_for(LANE_COLLISION_NS);
		}
		uint64_t now = atomic_load_explicit(&r->head, memory_order_relaxed);
		if (n == 0 && now == head)
			return 0;
		head = now;
	}
}

/* From now on there are several receivers: each reads that in the gate. */
static void ring_many_receivers(struct ring *r)
{
	(void)r;
}

/* The oldest message where it lies, and the end of it. There is one, and no receiver. Under the
 * lock. */
static void *ring_front(struct ring *r, const fastpath_state_t *gate)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), end;
	unsigned looks = 0;

	(void)gate;
	while (ring_run(r, head, 1, 1, &end) == 0)
		lane_await_peer(&looks);
	return ring_msg(r, ring_cell(r, head));
}

static void ring_pop(struct ring *r, const fastpath_state_t *gate)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	(void)gate;
	/* Nobody sends or receives any more but under the lock. */
	atomic_store_explicit(&r->head, ring_next(r, head), memory_order_relaxed);
	atomic_store_explicit(ring_cell(r, head), head + r->lap, memory_order_relaxed);
}

#endif
