/* SPDX-License-Identifier: MIT
 *
 * chain_fast.h - the frequent case of a chain, without a call: a cell that is not the last of its
 * block, claimed at the first try; a message that is there. Whatever else there is goes to chain.c.
 * Overview, invariants and ordering: chain.h.
 */
#ifndef CHANBENCH_BASE_CHAIN_FAST_H
#define CHANBENCH_BASE_CHAIN_FAST_H

#include "impls/futex/blocks.h"

/* ns after a lost race for the tail: long enough for the winner to send several before the next
 * try, or both lose time. */
#define CHAIN_PAUSE 640u

struct chain_cell {
	_Atomic uint64_t stamp;
	/* the element follows at chain.element */
};

/* `cells` is one less than a power of two. */
static inline size_t chain_offset(const struct chain *c, uint64_t index)
{
	return (size_t)(index / CHAIN_STEP) & c->cells;
}

static inline struct chain_cell *chain_cell_at(const struct chain *c, struct chain_block *block, size_t offset)
{
	return (struct chain_cell *)(void *)((char *)block + c->first + offset * c->stride);
}

static inline void *chain_element(const struct chain *c, struct chain_cell *cell)
{
	return (char *)cell + c->element;
}

/* An index without flags; one between two blocks is the first of the next. */
static inline uint64_t chain_place(const struct chain *c, uint64_t index)
{
	index &= ~(uint64_t)CHAIN_FLAGS;
	return chain_offset(c, index) == c->cells ? index + CHAIN_STEP : index;
}

/* The commonest size without a call. */
static inline void chain_copy(const struct chain *c, void *to, const void *from)
{
	if (c->layout.size == sizeof(uint64_t))
		memcpy(to, from, sizeof(uint64_t));
	else
		chan_layout_copy(&c->layout, to, from);
}

/* Waits a moment for somebody else who is in the middle of its step; before long it gives way to
 * it. */
static inline void chain_give_way(unsigned *turn)
{
	if (++*turn < 64)
		chan_relax();
	else
		sched_yield();
}

static inline void chain_write(const struct chain *c, struct chain_cell *cell, uint64_t index, const void *msg)
{
	chain_copy(c, chain_element(c, cell), msg);
	atomic_store_explicit(&cell->stamp, index | 1, memory_order_release); /* A1 */
}

static inline bool chain_written(const struct chain_cell *cell, uint64_t index)
{
	return atomic_load_explicit(&cell->stamp, memory_order_acquire) == (index | 1); /* R1 */
}

/* A block for the end of the chain, from the pool or new; NULL: out of memory. And back.
 * (chain.c) */
struct chain_block *chan_chain_block_get(struct chain *c);
void chan_chain_block_put(struct chain *c, struct chain_block *block);

/* Sends one message: CHAN_OK, and the `flags` of the tail when its cell was claimed;
 * CHAN_CLOSED, CHAN_NOMEM. */
static inline enum chan_status chain_send(struct chain *c, const void *msg, unsigned *flags)
{
	uint64_t tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
	size_t offset = chain_offset(c, tail);
	struct chain_claim claim;

	if (!(tail & CHAIN_CLOSED) && offset + 1 < c->cells) {
		/* C1 */
		struct chain_block *block = atomic_load_explicit(&c->tail_block, memory_order_relaxed);

		if (atomic_compare_exchange_strong_explicit(&c->tail, &tail, tail + CHAIN_STEP, memory_order_release,
		                                            memory_order_relaxed)) { /* A2 */
			chain_write(c, chain_cell_at(c, block, offset), tail & ~(uint64_t)CHAIN_FLAGS, msg);
			*flags = (unsigned)tail & CHAIN_FLAGS;
			return CHAN_OK;
		}
		chan_relax_for(CHAIN_PAUSE);
	}
	enum chan_status status = chan_chain_claim(c, 1, &claim);
	if (status == CHAN_OK) {
		chan_chain_publish(c, &claim, msg);
		*flags = claim.flags;
	}
	return status;
}

/* Takes one message, if the receiver is alone and it is there. */
static inline bool chain_take_one(struct chain *c, void *msg)
{
	if (atomic_load_explicit(&c->shared, memory_order_acquire)) /* R7 */
		return false;

	uint64_t head = atomic_load_explicit(&c->head, memory_order_relaxed);
	struct chain_block *block = atomic_load_explicit(&c->head_block, memory_order_relaxed);
	size_t offset = chain_offset(c, head);
	struct chain_cell *cell = chain_cell_at(c, block, offset);
	if (offset + 1 == c->cells || !chain_written(cell, head))
		return false;
	chain_copy(c, msg, chain_element(c, cell));
	atomic_store_explicit(&c->head, head + CHAIN_STEP, memory_order_release); /* A4 */
	return true;
}

#endif
