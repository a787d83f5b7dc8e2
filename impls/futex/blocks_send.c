/* SPDX-License-Identifier: MIT
 *
 * chain_send.c - the senders' end of a chain. Overview, invariants and ordering: chain.h.
 */
#include "impls/futex/blocks_fast.h"

enum { PAUSE_MOST = 4 * CHAIN_PAUSE };

/* The caller has claimed the last cell of `block`: the next block goes in (C1), and the others,
 * who wait, go on. */
static void extend(struct chain *c, struct chain_block *block, struct chain_block *next)
{
	atomic_store_explicit(&c->tail_block, next, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->tail, CHAIN_STEP, memory_order_release); /* A2 */
	atomic_store_explicit(&block->next, next, memory_order_release);       /* A5 */
}

enum chan_status chan_chain_claim(struct chain *c, size_t n, struct chain_claim *claim)
{
	struct chain_block *next = NULL;
	enum chan_status status = CHAN_OK;
	uint32_t pause = CHAIN_PAUSE;
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
			chain_give_way(&turn);
			tail = atomic_load_explicit(&c->tail, memory_order_acquire); /* R2 */
			continue;
		}
		bool last = n >= count;
		if (last && next == NULL) {
			next = chan_chain_block_get(c); /* C3 */
			last = next != NULL;
		}
		if (!last)
			count = n < count ? n : count - 1;
		if (count == 0) {
			status = CHAN_NOMEM;
			break;
		}
		/* C1 */
		struct chain_block *block = atomic_load_explicit(&c->tail_block, memory_order_relaxed);
		if (atomic_compare_exchange_strong_explicit(&c->tail, &tail, tail + count * CHAIN_STEP,
		                                            /* A2 */
		                                            memory_order_release, memory_order_relaxed)) {
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
		chan_chain_block_put(c, next);
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
