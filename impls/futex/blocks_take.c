/* SPDX-License-Identifier: MIT
 *
 * chain_take.c - the receivers' end of a chain: alone, or shared. Overview, invariants and
 * ordering: chain.h.
 */
#include "impls/futex/blocks_fast.h"

/* The `n`th message of the caller's. */
static void *message_at(const struct chain *c, void *msgs, size_t n)
{
	return c->layout.size == 0 ? NULL : (char *)msgs + n * c->layout.size;
}

static void await_written(struct chain_cell *cell, uint64_t index)
{
	for (unsigned turn = 0; !chain_written(cell, index);)
		chain_give_way(&turn);
}

/* The only receiver has read the last cell of `block`. Who wrote that had linked the next block
 * before: R1 is R5, too. */
static struct chain_block *leave_block(struct chain *c, struct chain_block *block)
{
	struct chain_block *next = atomic_load_explicit(&block->next, memory_order_relaxed);

	atomic_store_explicit(&c->head_block, next, memory_order_relaxed);
	chan_chain_block_put(c, block);
	return next;
}

static size_t take_alone(struct chain *c, void *msgs, size_t limit)
{
	uint64_t head = atomic_load_explicit(&c->head, memory_order_relaxed);
	struct chain_block *block = atomic_load_explicit(&c->head_block, memory_order_relaxed);
	size_t offset = chain_offset(c, head), n;

	for (n = 0; n < limit; n++) {
		struct chain_cell *cell = chain_cell_at(c, block, offset);

		if (!chain_written(cell, head))
			break;
		chain_copy(c, message_at(c, msgs, n), chain_element(c, cell));
		head += CHAIN_STEP;
		if (++offset == c->cells) {
			block = leave_block(c, block);
			head += CHAIN_STEP;
			offset = 0;
		}
	}
	if (n > 0)
		atomic_store_explicit(&c->head, head, memory_order_release); /* A4 */
	return n;
}

/* Claims up to `limit` messages of one block. 0: there are none; `*tail` says so. */
static size_t claim_head(struct chain *c, size_t limit, uint64_t *claimed, struct chain_block **block, uint64_t *tail)
{
	unsigned turn = 0;

	for (;;) {
		uint64_t head = atomic_load_explicit(&c->head, memory_order_acquire); /* R4 */
		uint64_t seen = atomic_load_explicit(&c->seen, memory_order_acquire); /* R8 */
		size_t count = c->cells - chain_offset(c, head);

		if (count == 0) { /* somebody moves on to the next block */
			chain_give_way(&turn);
			continue;
		}
		if ((int64_t)(seen - head) <= 0) {
			*tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
			seen = *tail & ~(uint64_t)CHAIN_FLAGS;
			if (seen == head) /* never behind it: A4 */
				return 0;
			atomic_store_explicit(&c->seen, seen, memory_order_release); /* A8 */
		}
		if (count > (seen - head) / CHAIN_STEP)
			count = (size_t)((seen - head) / CHAIN_STEP);
		if (count > limit)
			count = limit;
		*block = atomic_load_explicit(&c->head_block, memory_order_relaxed); /* C1 */
		if (atomic_compare_exchange_strong_explicit(&c->head, &head, head + count * CHAIN_STEP,
		                                            /* A4 */
		                                            memory_order_release, memory_order_relaxed)) {
			*claimed = head;
			return count;
		}
		chan_relax_for(CHAIN_PAUSE);
	}
}

/* Takes messages of one block; 0: there are none. */
static size_t take_shared(struct chain *c, void *msgs, size_t limit, uint64_t *tail)
{
	struct chain_block *block;
	uint64_t index;
	size_t count = claim_head(c, limit, &index, &block, tail);

	if (count == 0)
		return 0;
	size_t offset = chain_offset(c, index);
	if (offset + count == c->cells) {
		struct chain_block *next;
		unsigned turn = 0;

		/* R5 */
		while ((next = atomic_load_explicit(&block->next, memory_order_acquire)) == NULL)
			chain_give_way(&turn);
		atomic_store_explicit(&c->head_block, next, memory_order_relaxed);
		/* A4 */
		atomic_store_explicit(&c->head, index + (count + 1) * CHAIN_STEP, memory_order_release);
	}
	for (size_t i = 0; i < count; i++) {
		struct chain_cell *cell = chain_cell_at(c, block, offset + i);

		await_written(cell, index + i * CHAIN_STEP);
		chain_copy(c, message_at(c, msgs, i), chain_element(c, cell));
	}
	/* A3 -> R3: the last one has the reads of all before its own. */
	if (atomic_fetch_add_explicit(&block->taken, count, memory_order_acq_rel) + count == c->cells)
		chan_chain_block_put(c, block);
	return count;
}

size_t chan_chain_take(struct chain *c, void *msgs, size_t limit, uint64_t *tail)
{
	bool shared = atomic_load_explicit(&c->shared, memory_order_acquire); /* R7 */
	unsigned turn = 0;
	size_t n = 0;

	for (;;) {
		void *rest = message_at(c, msgs, n);
		size_t more = shared ? take_shared(c, rest, limit - n, tail) : take_alone(c, rest, limit - n);

		n += more;
		if (n == limit || (shared && more == 0))
			return n;
		if (shared)
			continue;
		*tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
		if (chain_place(c, *tail) == atomic_load_explicit(&c->head, memory_order_relaxed))
			return n;
		/* There was one more by then, or it is being written. */
		chain_give_way(&turn);
	}
}

void chan_chain_share(struct chain *c)
{
	struct chain_block *block = atomic_load_explicit(&c->head_block, memory_order_relaxed);
	size_t offset = chain_offset(c, atomic_load_explicit(&c->head, memory_order_relaxed));

	atomic_store_explicit(&block->taken, offset, memory_order_relaxed);
	/* the others get their handles from here */
	atomic_store_explicit(&c->shared, true, memory_order_relaxed);
}

void chan_chain_unshare(struct chain *c)
{
	atomic_store_explicit(&c->shared, false, memory_order_release); /* A7 */
}

void *chan_chain_front(struct chain *c)
{
	uint64_t head = atomic_load_explicit(&c->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&c->tail, memory_order_relaxed); /* closed: final */
	struct chain_block *block = atomic_load_explicit(&c->head_block, memory_order_relaxed);

	if (chain_place(c, tail) == head)
		return NULL;
	struct chain_cell *cell = chain_cell_at(c, block, chain_offset(c, head));
	await_written(cell, head);
	return chain_element(c, cell);
}

void chan_chain_pop(struct chain *c)
{
	uint64_t head = atomic_load_explicit(&c->head, memory_order_relaxed) + CHAIN_STEP;

	if (chain_offset(c, head) == c->cells) {
		leave_block(c, atomic_load_explicit(&c->head_block, memory_order_relaxed));
		head += CHAIN_STEP;
	}
	atomic_store_explicit(&c->head, head, memory_order_release); /* A4 */
}
