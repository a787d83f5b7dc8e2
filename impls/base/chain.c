/* SPDX-License-Identifier: MIT
 *
 * chain.c - blocks, and both ends of the chain. Overview, invariants and ordering: chain.h.
 */
#include "impls/base/chain_fast.h"

#include <stdlib.h>

enum {
	BLOCK_BYTES = 4096,
	POOL_MOST = 8,     /* blocks that are kept */
	PAUSE_FIRST = 640, /* ns, after a lost race for the tail; below, both lose again */
	PAUSE_MOST = 2560,
	PAUSES = 64 /* looks at a peer in the middle of its step, before this thread gives way to it */
};

static size_t round_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

static size_t lap_of(const struct chain *c)
{
	return c->cells + 1;
}

/* The `n`th message of the caller's. */
static void *message_at(const struct chain *c, void *msgs, size_t n)
{
	return c->layout.size == 0 ? NULL : (char *)msgs + n * c->layout.size;
}

/* Somebody else is in the middle of its step. */
static void give_way(unsigned *turn)
{
	if (++*turn < PAUSES)
		chan_relax();
	else
		sched_yield();
}

/* ------------------------------------------------------------------------------------------------------------------
 * Blocks
 */

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

/* A block for the end of the chain, from the pool or new; NULL: out of memory. */
static struct chain_block *block_get(struct chain *c)
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

static void block_put(struct chain *c, struct chain_block *block)
{
	if (!atomic_flag_test_and_set_explicit(&c->pool_busy, memory_order_acquire)) { /* R6 */
		if (c->pooled < POOL_MOST) {
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
	struct chain_block *block = block_get(c);
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

/* ------------------------------------------------------------------------------------------------------------------
 * The senders' end
 */

/* The caller has claimed the last cell of `block`: the next block goes in (C1), and the others, who wait, go on. */
static void extend(struct chain *c, struct chain_block *block, struct chain_block *next)
{
	atomic_store_explicit(&c->tail_block, next, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->tail, CHAIN_STEP, memory_order_release); /* A2 */
	atomic_store_explicit(&block->next, next, memory_order_release);       /* A5 */
}

void chan_chain_lost(struct chain *c)
{
	(void)c;
	chan_relax_for(PAUSE_FIRST);
}

enum chan_status chan_chain_claim(struct chain *c, size_t n, struct chain_claim *claim)
{
	struct chain_block *next = NULL;
	enum chan_status status = CHAN_OK;
	uint32_t pause = PAUSE_FIRST;
	unsigned turn = 0;

	uint64_t tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
	for (;;) {
		size_t offset = chain_offset(c, tail);
		size_t count = c->cells - offset;

		if (tail & CHAIN_CLOSED) {
			status = CHAN_CLOSED;
			break;
		}
		if (count == 0) { /* somebody puts the next block in */
			give_way(&turn);
			tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
			continue;
		}
		bool last = n >= count;
		if (last && next == NULL) {
			next = block_get(c); /* C3 */
			last = next != NULL;
		}
		if (!last)
			count = n < count ? n : count - 1;
		if (count == 0) {
			status = CHAN_NOMEM;
			break;
		}
		struct chain_block *block = atomic_load_explicit(&c->tail_block, memory_order_relaxed); /* C1 */
		if (atomic_compare_exchange_strong_explicit(&c->tail, &tail, tail + count * CHAIN_STEP,
		                                            memory_order_acq_rel, memory_order_acquire)) { /* R2 */
			if (last) {
				extend(c, block, next);
				next = NULL;
			}
			claim->block = block;
			claim->index = tail & ~(uint64_t)CHAIN_FLAGS;
			claim->count = count;
			claim->flags = (unsigned)tail & CHAIN_FLAGS;
			break;
		}
		chan_relax_for(pause);
		pause = pause < PAUSE_MOST ? pause * 2 : pause;
		tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
	}
	if (next != NULL)
		block_put(c, next);
	return status;
}

void chan_chain_publish(struct chain *c, const struct chain_claim *claim, const void *msgs)
{
	size_t offset = chain_offset(c, claim->index);

	for (size_t i = 0; i < claim->count; i++) {
		struct chain_cell *cell = chain_cell_at(c, claim->block, offset + i);
		const void *msg = c->layout.size == 0 ? NULL : (const char *)msgs + i * c->layout.size;

		chain_write(c, cell, claim->index + i * CHAIN_STEP, msg);
	}
}

/* ------------------------------------------------------------------------------------------------------------------
 * The receivers' end
 */

static void await_written(struct chain_cell *cell, uint64_t index)
{
	for (unsigned turn = 0; !chain_written(cell, index);)
		give_way(&turn);
}

/* The only receiver has read the last cell of `block`. Who wrote that had linked the next block before. */
static struct chain_block *leave_block(struct chain *c, struct chain_block *block)
{
	struct chain_block *next = atomic_load_explicit(&block->next, memory_order_acquire); /* R5 */

	atomic_store_explicit(&c->head_block, next, memory_order_relaxed);
	block_put(c, block);
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
		uint64_t seen = atomic_load_explicit(&c->seen, memory_order_relaxed);
		size_t count = c->cells - chain_offset(c, head);

		if (count == 0) { /* somebody moves on to the next block */
			give_way(&turn);
			continue;
		}
		if ((int64_t)(seen - head) <= 0) {
			*tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
			seen = *tail & ~(uint64_t)CHAIN_FLAGS;
			if (seen == head)
				return 0;
			if ((int64_t)(seen - head) < 0)
				continue; /* an old head; the tail is newer than it */
			atomic_store_explicit(&c->seen, seen, memory_order_relaxed);
		}
		if (count > (seen - head) / CHAIN_STEP)
			count = (size_t)((seen - head) / CHAIN_STEP);
		if (count > limit)
			count = limit;
		*block = atomic_load_explicit(&c->head_block, memory_order_relaxed); /* C1 */
		if (atomic_compare_exchange_strong_explicit(&c->head, &head, head + count * CHAIN_STEP,
		                                            memory_order_acq_rel, memory_order_relaxed)) {
			*claimed = head;
			return count;
		}
		give_way(&turn);
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

		while ((next = atomic_load_explicit(&block->next, memory_order_acquire)) == NULL) /* R5 */
			give_way(&turn);
		atomic_store_explicit(&c->head_block, next, memory_order_relaxed);
		atomic_store_explicit(&c->head, index + (count + 1) * CHAIN_STEP, memory_order_release); /* A4 */
	}
	for (size_t i = 0; i < count; i++) {
		struct chain_cell *cell = chain_cell_at(c, block, offset + i);

		await_written(cell, index + i * CHAIN_STEP);
		chain_copy(c, message_at(c, msgs, i), chain_element(c, cell));
	}
	/* A3 -> R3: the last one has the reads of all before its own. */
	if (atomic_fetch_add_explicit(&block->taken, count, memory_order_acq_rel) + count == c->cells)
		block_put(c, block);
	return count;
}

size_t chan_chain_take(struct chain *c, void *msgs, size_t limit, uint64_t *tail)
{
	bool shared = atomic_load_explicit(&c->shared, memory_order_acquire);
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
		give_way(&turn);
	}
}

bool chan_chain_ready(const struct chain *c)
{
	uint64_t head = atomic_load_explicit(&c->head, memory_order_acquire); /* R4 */

	if (atomic_load_explicit(&c->disturbed, memory_order_acquire))
		return true;
	if (atomic_load_explicit(&c->shared, memory_order_acquire))
		return chain_place(c, atomic_load_explicit(&c->tail, memory_order_relaxed)) != chain_place(c, head);
	struct chain_block *block = atomic_load_explicit(&c->head_block, memory_order_relaxed);
	return chain_written(chain_cell_at(c, block, chain_offset(c, head)), head);
}

bool chan_chain_flag(struct chain *c, unsigned flag)
{
	uint64_t tail = atomic_fetch_or_explicit(&c->tail, flag, memory_order_acq_rel) | flag; /* A2, R2 */

	if (tail & CHAIN_ENDING) {
		atomic_store_explicit(&c->disturbed, true, memory_order_release);
		return true;
	}
	return chain_place(c, tail) != chain_place(c, atomic_load_explicit(&c->head, memory_order_acquire)); /* R4 */
}

void chan_chain_unflag(struct chain *c, unsigned flag)
{
	atomic_fetch_and_explicit(&c->tail, ~(uint64_t)flag, memory_order_acq_rel);
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
	uint64_t wrap = (UINT64_MAX / CHAIN_STEP / lap_of(c) + 1) * c->cells; /* messages in all positions */
	uint64_t n = messages_before(c, tail) - messages_before(c, head);

	return (size_t)(chain_place(c, tail) < chain_place(c, head) ? n + wrap : n);
}

void chan_chain_share(struct chain *c)
{
	struct chain_block *block = atomic_load_explicit(&c->head_block, memory_order_relaxed);
	size_t offset = chain_offset(c, atomic_load_explicit(&c->head, memory_order_relaxed));

	atomic_store_explicit(&block->taken, offset, memory_order_relaxed);
	atomic_store_explicit(&c->shared, true, memory_order_release);
}

void chan_chain_unshare(struct chain *c)
{
	atomic_store_explicit(&c->shared, false, memory_order_release);
}

void *chan_chain_front(struct chain *c)
{
	uint64_t head = atomic_load_explicit(&c->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
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
