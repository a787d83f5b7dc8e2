/* SPDX-License-Identifier: MIT
 *
 * unbounded_life.c - the life of an unbounded channel: opening, closing, dropping; properties.
 * Overview and invariants: unbounded.h; the life of the memory, and everything that is the same in
 * each kind: core.h.
 */
#include "impls/fastpath/unbounded.h"

#include <stdlib.h>

/* The last handle is gone. The last receiver's drop has left nothing inside, and closed. */
static void end(struct core *core)
{
	struct unbounded *ch = (struct unbounded *)core;

	chan_chain_free(&ch->chain);
	chan_core_fini(core);
	free(ch);
}

/* All readers are about to be woken. */
static void orphaned(struct core *core)
{
	struct chain *chain = &((struct unbounded *)core)->chain;

	chan_chain_flag(chain, CHAIN_ORPHAN);
	chan_chain_unflag(chain, CHAIN_WAITING);
}

enum chan_status chan_unbounded_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	struct layout layout;
	void *memory;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	enum chan_status status = chan_config_layout(config, &layout);
	if (status != CHAN_OK)
		return status;
	if (posix_memalign(&memory, alignof(struct unbounded), sizeof(struct unbounded)) != 0)
		return CHAN_NOMEM;
	struct unbounded *ch = memset(memory, 0, sizeof *ch);
	chan_core_init(&ch->core, config, &layout, CORE_PARKS, end);
	ch->core.no_senders = orphaned;
	bool chain = chan_chain_open(&ch->chain, &layout, config->start);
	struct handle *sender = chan_handle_new(&ch->core, sizeof *sender);
	struct handle *receiver = chan_handle_new(&ch->core, sizeof *receiver);
	if (!chain || sender == NULL || receiver == NULL)
		goto no_memory;
	ch->core.senders = ch->core.receivers = 1;
	*tx = (struct chan_sender *)sender;
	*rx = (struct chan_receiver *)receiver;
	return CHAN_OK;

no_memory:
	free(receiver);
	free(sender);
	end(&ch->core);
	return CHAN_NOMEM;
}

enum chan_status chan_unbounded_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct handle *h = (struct handle *)rx;
	struct unbounded *ch = unbounded_of(h);
	enum chan_status status = chan_handle_clone(h, &h->core->receivers, "receiver_clone", (struct handle **)out);

	if (status != CHAN_OK)
		return status;
	/* If it is not shared yet, then this was the only receiver, and the new one is not yet
	 * used. With two of them counted, no drop of a third one ends the sharing. */
	pthread_mutex_lock(&ch->core.lock);
	if (!atomic_load_explicit(&ch->chain.shared, memory_order_relaxed))
		chan_chain_share(&ch->chain);
	pthread_mutex_unlock(&ch->core.lock);
	return CHAN_OK;
}

/* Under the lock. */
static void shut(struct unbounded *ch, struct list *wakes)
{
	ch->core.closed = true;
	chan_chain_flag(&ch->chain, CHAIN_CLOSED);
	chan_wait_wake_all(&ch->core.closed_queue, wakes);
	chan_wait_wake_all(&ch->core.recv_queue, wakes);
	chan_unbounded_publish_state(ch);
}

/* Destroys what is buffered, oldest first, where it lies (D-2). No lock: there is neither a
 * receiver nor, any more, a send, but for those that are being written and are waited for. */
static void drain(struct unbounded *ch)
{
	const struct chan_config *config = &ch->core.config;

	for (void *msg; (msg = chan_chain_front(&ch->chain)) != NULL; chan_chain_pop(&ch->chain))
		if (config->destroy != NULL)
			config->destroy(msg, config->context);
}

void chan_unbounded_receiver_drop(struct chan_receiver **rx)
{
	struct handle *h = (struct handle *)*rx;
	struct list wakes = WAKES_NONE(wakes);

	*rx = NULL;
	if (h == NULL)
		return;
	chan_unbounded_disarm_all(h);

	struct core *core = h->core;
	struct unbounded *ch = unbounded_of(h);
	chan_handle_enter(h, "receiver_drop");
	size_t left = --core->receivers;
	if (left == 0)
		shut(ch, &wakes);
	if (left == 1)
		chan_chain_unshare(&ch->chain);
	chan_handle_leave(h, &wakes); /* the handle still holds the channel */
	if (left == 0)
		drain(ch);
	free(h);
	chan_core_unref(core);
}

void chan_unbounded_close(struct chan_receiver *rx)
{
	struct handle *h = (struct handle *)rx;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "close");
	if (!chan_core_closed(h->core))
		shut(unbounded_of(h), &wakes);
	chan_handle_leave(h, &wakes);
}

/* ------------------------------------------------------------------------------------------
 * Properties
 */

static uint64_t property_of(struct handle *h, bool sender, enum chan_property property)
{
	struct unbounded *ch = unbounded_of(h);
	uint64_t value;

	owner_check_enter(&h->owner, "get");
	if (property == CHAN_LEN) {
		value = chan_chain_len(&ch->chain);
	} else if (property == CHAN_IS_CLOSED) {
		value = (chan_chain_flags(&ch->chain) & (sender ? CHAIN_CLOSED : CHAIN_ENDING)) != 0;
	} else {
		pthread_mutex_lock(&ch->core.lock);
		value = chan_core_get(&ch->core, sender, property);
		pthread_mutex_unlock(&ch->core.lock);
	}
	owner_check_leave(&h->owner);
	return value;
}

uint64_t chan_unbounded_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	return property_of((struct handle *)(uintptr_t)tx, true, property);
}

uint64_t chan_unbounded_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	return property_of((struct handle *)(uintptr_t)rx, false, property);
}
