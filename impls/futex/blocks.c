/* SPDX-License-Identifier: MIT
 *
 * chain.c - blocks, flags and the length. Overview, invariants and ordering: chain.h; the ends are
 * in chain_send.c and chain_take.c.
 */
#include "impls/futex/blocks_fast.h"

#include <stdlib.h>

enum {
	BLOCK_BYTES = 4096,
	POOL_BYTES = 8 * BLOCK_BYTES /* that are kept, or one block if that is larger */
};

static size_t round_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

static size_t lap_of(const struct chain *c)
{
	return c->cells + 1;
}

static struct chain_block *block_new(const struct chain *c)
{
	size_t align = c->layout.align < alignof(max_align_t) ? alignof(max_align_t) : c->layout.align;
	struct chain_block *block;
	void *memory;

	if (c->cells > (SIZE_MAX - c->first) / c->stride)
		return NULL;
	if (posix_memalign(&memory, align, c->first + c->cells * c->stride) != 0)
		return NULL;
	block = memory;
	for (size_t i = 0; i < c->cells; i++)
		atomic_init(&chain_cell_at(c, block, i)->stamp, 0);
	return block;
}

struct chain_block *chan_chain_block_get(struct chain *c)
{
	struct chain_block *block = NULL;

	if (!atomic_flag_test_and_set_explicit(&c->pool_busy, memory_order_acquire)) { /* R6 */
		block = c->pool;
		if (block != NULL) {
			c->pool = atomic_load_explicit(&block->next, memory_order_relaxed);
			c->pooled--;
		}
		atomic_flag_clear_explicit(&c->pool_busy, memory_order_release); /* A6 */
	}
	if (block == NULL)
		block = block_new(c);
	if (block != NULL) {
		atomic_store_explicit(&block->next, NULL, memory_order_relaxed);
		atomic_store_explicit(&block->taken, 0, memory_order_relaxed);
	}
	return block;
}

void chan_chain_block_put(struct chain *c, struct chain_block *block)
{
	if (!atomic_flag_test_and_set_explicit(&c->pool_busy, memory_order_acquire)) { /* R6 */
		if (c->pooled == 0 || c->pooled < POOL_BYTES / (c->first + c->cells * c->stride)) {
			atomic_store_explicit(&block->next, c->pool, memory_order_relaxed);
			c->pool = block;
			c->pooled++;
			block = NULL;
		}
		atomic_flag_clear_explicit(&c->pool_busy, memory_order_release); /* A6 */
	}
	free(block);
}

bool chan_chain_open(struct chain *c, const struct layout *layout, uint64_t start)
{
	size_t align = layout->align < alignof(uint64_t) ? alignof(uint64_t) : layout->align;
	size_t lap = 2;

	c->layout = *layout;
	c->element = round_up(sizeof(struct chain_cell), layout->align);
	c->stride = round_up(c->element + layout->size, align);
	c->first = round_up(sizeof(struct chain_block), align);
	while (lap * 2 * c->stride <= BLOCK_BYTES)
		lap *= 2;
	c->cells = lap - 1;

	uint64_t index = chain_place(c, start * CHAIN_STEP);
	atomic_init(&c->tail, index);
	atomic_init(&c->head, index);
	atomic_init(&c->seen, index);
	atomic_init(&c->shared, false);
	atomic_init(&c->disturbed, false);
	atomic_flag_clear_explicit(&c->pool_busy, memory_order_relaxed);
	c->pool = NULL;
	c->pooled = 0;
	struct chain_block *block = chan_chain_block_get(c);
	atomic_init(&c->tail_block, block);
	atomic_init(&c->head_block, block);
	return block != NULL;
}

static void free_all(struct chain_block *block)
{
	while (block != NULL) {
		struct chain_block *next = atomic_load_explicit(&block->next, memory_order_relaxed);

		free(block);
		block = next;
	}
}

void chan_chain_free(struct chain *c)
{
	free_all(atomic_load_explicit(&c->head_block, memory_order_relaxed));
	free_all(c->pool);
}

bool chan_chain_ready(const struct chain *c)
{
	if (atomic_load_explicit(&c->disturbed, memory_order_relaxed))
		return true;
	bool shared = atomic_load_explicit(&c->shared, memory_order_acquire); /* R7 */
	/* After that: when it is alone, not a head of when it was not, which may have been
	 * between two blocks. */
	uint64_t head = atomic_load_explicit(&c->head, memory_order_relaxed);
	if (shared)
		return chain_place(c, atomic_load_explicit(&c->tail, memory_order_relaxed)) != chain_place(c, head);
	struct chain_block *block = atomic_load_explicit(&c->head_block, memory_order_relaxed);
	return chain_written(chain_cell_at(c, block, chain_offset(c, head)), head);
}

bool chan_chain_flag(struct chain *c, unsigned flag)
{
	/* A2 */
	uint64_t tail = atomic_fetch_or_explicit(&c->tail, flag, memory_order_release) | flag;

	if (tail & CHAIN_ENDING) {
		atomic_store_explicit(&c->disturbed, true, memory_order_relaxed);
		return true;
	}
	/* An old head says that there is a message, which is then looked for. */
	return chain_place(c, tail) != chain_place(c, atomic_load_explicit(&c->head, memory_order_relaxed));
}

void chan_chain_unflag(struct chain *c, unsigned flag)
{
	/* carries A2 on */
	atomic_fetch_and_explicit(&c->tail, ~(uint64_t)flag, memory_order_relaxed);
}

/* The messages before an index, counted from some beginning; modulo what the caller masks. */
static uint64_t messages_before(const struct chain *c, uint64_t index)
{
	uint64_t position = chain_place(c, index) / CHAIN_STEP;

	return position - position / lap_of(c);
}

size_t chan_chain_len(const struct chain *c)
{
	uint64_t head, tail = atomic_load_explicit(&c->tail, memory_order_acquire), before; /* R2 */

	do { /* until the tail was the same before and after the head was read: that moment */
		before = tail;
		head = atomic_load_explicit(&c->head, memory_order_acquire); /* R4 */
		tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
	} while (chain_place(c, before) != chain_place(c, tail));
	/* The positions wrap at a multiple of the lap. */
	/* messages in all positions */
	uint64_t wrap = (UINT64_MAX / CHAIN_STEP / lap_of(c) + 1) * c->cells;
	uint64_t n = messages_before(c, tail) - messages_before(c, head);

	return (size_t)(chain_place(c, tail) < chain_place(c, head) ? n + wrap : n);
}
