/* SPDX-License-Identifier: MIT
 *
 * bounded.c - what is rare in a bounded channel with a ring in front of the lock: opening, the step
 * from one sender or receiver to several, and the ring as the store of mpsc.h. Overview, algorithm
 * and order: bounded.h.
 */
#include "impls/fastpath/bounded.h"

#include <stdlib.h>

static struct bounded *bounded_of_mpsc(const struct mpsc *ch)
{
	return (struct bounded *)(uintptr_t)ch;
}

/* ------------------------------------------------------------------------------------------
 * Handles
 */

static void begin(struct bounded_handle *h)
{
	const struct bounded_store *store = bounded_store_of(bounded_of(h));

	if (store->begin != NULL)
		store->begin(h);
}

enum chan_status chan_bounded_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx,
                                   const struct bounded_store *store)
{
	struct layout layout;
	void *memory;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	enum chan_status status = chan_config_bounded(config, CHAN_CAPACITY_MAX, &layout);
	if (status != CHAN_OK)
		return status;
	if (posix_memalign(&memory, 64, store->size) != 0)
		return CHAN_NOMEM;
	struct bounded *ch = memset(memory, 0, store->size);
	if (!store->open(ch, &layout, config->capacity, config->start)) {
		free(ch);
		return CHAN_NOMEM;
	}
	atomic_init(&ch->sender_at, 0);
	atomic_init(&ch->receiver_at, 0);
	chan_mpsc_init(&ch->mpsc, config, &layout, config->capacity, &store->locked, CORE_PARKS);
	ch->mpsc.core.handle_size = sizeof(struct bounded_handle);
	status = chan_mpsc_open(&ch->mpsc, tx, rx);
	if (status == CHAN_OK) {
		begin((struct bounded_handle *)*tx);
		begin((struct bounded_handle *)*rx);
	}
	return status;
}

/* From one to several senders, or receivers: `many` is the bit. */
static void become_several(struct handle *h, uint32_t many)
{
	struct bounded *ch = bounded_of((struct bounded_handle *)h);
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "clone");
	if (!(atomic_load_explicit(&ch->state, memory_order_relaxed) & many)) { /* the lock's */
		if (many == STATE_MANY_SENDERS) {
			chan_bounded_block_senders(&ch->mpsc, false);
			bounded_store_of(ch)->many_senders(ch);
		} else if (bounded_store_of(ch)->many_receivers != NULL) {
			bounded_store_of(ch)->many_receivers(ch);
		}
		atomic_fetch_or_explicit(&ch->state, many, memory_order_release); /* A2: set up */
	}
	chan_bounded_publish_state(&ch->mpsc);
	chan_handle_leave(h, &wakes);
}

enum chan_status chan_bounded_sender_clone(struct chan_sender *tx, struct chan_sender **out)
{
	become_several((struct handle *)tx, STATE_MANY_SENDERS);
	enum chan_status status = chan_core_sender_clone(tx, out);
	if (status == CHAN_OK)
		begin((struct bounded_handle *)*out);
	return status;
}

enum chan_status chan_bounded_upgrade(struct chan_weak *weak, struct chan_sender **out)
{
	become_several((struct handle *)weak, STATE_MANY_SENDERS);
	enum chan_status status = chan_core_upgrade(weak, out);
	if (status == CHAN_OK)
		begin((struct bounded_handle *)*out);
	return status;
}

enum chan_status chan_bounded_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	become_several((struct handle *)rx, STATE_MANY_RECEIVERS);
	enum chan_status status = chan_mpsc_receiver_clone(rx, out);
	if (status == CHAN_OK)
		begin((struct bounded_handle *)*out);
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Taking
 */

size_t chan_bounded_take(struct handle *rx, void *msgs, size_t limit)
{
	struct bounded_handle *h = (struct bounded_handle *)rx;
	size_t n = bounded_store_of(bounded_of(h))->take(h, msgs, limit);

	return n != 0 && n < limit ? bounded_store_of(bounded_of(h))->take_rest(h, msgs, n, limit) : n;
}

/* ------------------------------------------------------------------------------------------
 * The state: under the lock
 */

void chan_bounded_block_senders(struct mpsc *mpsc, bool sender)
{
	struct bounded *ch = bounded_of_mpsc(mpsc);
	uint32_t state = atomic_load_explicit(&ch->state, memory_order_relaxed); /* the lock's */
	unsigned looks = 0;

	if (state & STATE_MANY_SENDERS) {
		bounded_store_of(ch)->block_senders(ch); /* B1 */
	} else if (!sender && !(state & STATE_SENDERS_BLOCKED)) {
		/* B2. Else the single sender is the caller, or it cannot begin. A2: a sender in the
		 * middle of its send reads the state again, and STATE_MANY_RECEIVERS may be in
		 * this one. */
		atomic_store_explicit(&ch->state, state | STATE_SENDERS_BLOCKED, memory_order_release);
		chan_fence_heavy();
		/* R1: it is done */
		while (atomic_load_explicit(&ch->busy, memory_order_acquire) != 0)
			chan_give_way(&looks);
	}
}

bool chan_bounded_publish_state(struct mpsc *mpsc)
{
	struct bounded *ch = bounded_of_mpsc(mpsc);
	uint32_t old = atomic_load_explicit(&ch->state, memory_order_relaxed); /* the lock's */
	uint32_t state = old & (STATE_MANY_SENDERS | STATE_MANY_RECEIVERS);
	bool blocked = chan_mpsc_senders_blocked(mpsc);

	if (state & STATE_MANY_SENDERS) {
		if (!blocked)
			bounded_store_of(ch)->admit_senders(ch);
	} else if (blocked) {
		state |= STATE_SENDERS_BLOCKED;
	}
	if (!list_empty(&mpsc->core.recv_queue))
		state |= STATE_RECEIVER_WAITS;
	if (!list_empty(&mpsc->send_queue))
		state |= STATE_SENDER_WAITS;
	if (chan_mpsc_ending(mpsc))
		state |= STATE_ENDING;
	if (state != old)
		atomic_store_explicit(&ch->state, state, memory_order_release); /* A2: carried on */
	uint32_t set = state & ~old;
	if (set & (STATE_RECEIVER_WAITS | STATE_SENDER_WAITS) || (set & STATE_ENDING && state & STATE_RECEIVER_WAITS)) {
		chan_fence_heavy(); /* W2 */
		return true;
	}
	return false;
}
