/* SPDX-License-Identifier: MIT
 *
 * broadcast_ring.c - sending and receiving, and the end of values. Overview and invariants:
 * broadcast.h.
 */
#include "impls/base/scratch.h"
#include "impls/mutex/broadcast.h"

/* Moves the value out of its slot, to be destroyed later. False: there was none, or nothing has
 * to be done with it. */
static bool move_out(struct broadcast *ch, struct slot *slot, void *to)
{
	if (!slot->held || to == NULL)
		return false;
	chan_layout_copy(&ch->core.layout, to, chan_mutex_broadcast_element(ch, slot));
	slot->held = false;
	return true;
}

bool chan_mutex_broadcast_pay(struct broadcast *ch, struct slot *slot, void *to)
{
	if (--slot->debt > 0)
		return false;
	ch->owed--;
	return move_out(ch, slot, to);
}

enum chan_status chan_mutex_broadcast_send(struct chan_sender *tx, const void *msg, size_t *receivers)
{
	struct handle *h = (struct handle *)tx;
	struct broadcast *ch = chan_mutex_broadcast_of(h);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	void (*destroy)(void *, void *) = core->config.destroy;
	void *context = core->config.context;
	bool overwritten = false;
	struct scratch old;

	if (inside_callback_of(core) || (msg == NULL && core->layout.size != 0))
		return CHAN_INVALID;
	old.element = NULL;
	if (destroy != NULL && !scratch_get(&old, &core->layout))
		return CHAN_NOMEM;

	chan_handle_enter(h, "send");
	while (core->receivers > 0 && chan_mutex_broadcast_slot(ch, ch->tail)->busy)
		pthread_cond_wait(&ch->idle, &core->lock);
	size_t count = core->receivers;
	if (count > 0) {
		struct slot *slot = chan_mutex_broadcast_slot(ch, ch->tail);
		if (slot->debt == 0)
			ch->owed++;
		overwritten = move_out(ch, slot, old.element);
		chan_layout_copy(&core->layout, chan_mutex_broadcast_element(ch, slot), msg);
		slot->held = true;
		slot->debt = count;
		ch->tail++;
		chan_wait_wake_all(&core->recv_queue, &wakes);
	}
	if (receivers != NULL)
		*receivers = count;
	chan_handle_leave(h, &wakes);

	if (overwritten)
		destroy(old.element, context);
	scratch_put(&old);
	return count > 0 ? CHAN_OK : CHAN_CLOSED;
}

/* Takes the copy of the slot's value that is this receiver's, and pays for it; `*ended`: the
 * original now lies at `to`. Under the lock; with a hook it is released meanwhile. */
static enum chan_status copy_out(struct broadcast *ch, struct slot *slot, void *msg, void *to, bool *ended)
{
	const struct chan_config *config = &ch->core.config;
	struct inside inside;
	int failed = 0;

	if (config->clone == NULL) {
		chan_layout_copy(&ch->core.layout, msg, chan_mutex_broadcast_element(ch, slot));
	} else {
		slot->busy = true;
		pthread_mutex_unlock(&ch->core.lock);
		inside_enter(&inside, &ch->core);
		failed = config->clone(msg, chan_mutex_broadcast_element(ch, slot), config->context);
		inside_leave(&inside);
		pthread_mutex_lock(&ch->core.lock);
		slot->busy = false;
		pthread_cond_broadcast(&ch->idle);
	}
	*ended = chan_mutex_broadcast_pay(ch, slot, to);
	return failed ? CHAN_NOMEM : CHAN_OK;
}

enum chan_status chan_mutex_broadcast_recv(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline)
{
	struct broadcast_receiver *r = (struct broadcast_receiver *)rx;
	struct broadcast *ch = chan_mutex_broadcast_of(&r->handle);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	void (*destroy)(void *, void *) = core->config.destroy;
	void *context = core->config.context;
	enum chan_status status = CHAN_OK;
	struct scratch original;
	bool ended = false;

	if (inside_callback_of(core) || (msg == NULL && core->layout.size != 0))
		return CHAN_INVALID;
	original.element = NULL;
	if (destroy != NULL)
		scratch_get(&original, &core->layout); /* or not: see OUT OF MEMORY */

	chan_handle_enter(&r->handle, "recv");
	while (r->next == ch->tail && status == CHAN_OK)
		status = core->senders == 0 ? CHAN_CLOSED : chan_core_wait(core, &core->recv_queue, deadline);
	while (status == CHAN_OK && ch->tail - r->next <= ch->retained && chan_mutex_broadcast_slot(ch, r->next)->busy)
		pthread_cond_wait(&ch->idle, &core->lock);
	if (status == CHAN_OK && ch->tail - r->next > ch->retained) {
		uint64_t oldest = chan_mutex_broadcast_retained_from(ch, r->next);
		if (missed != NULL)
			*missed = oldest - r->next;
		r->next = oldest;
		status = CHAN_LAGGED;
	} else if (status == CHAN_OK) {
		status = copy_out(ch, chan_mutex_broadcast_slot(ch, r->next++), msg, original.element, &ended);
	}
	chan_handle_leave(&r->handle, &wakes);

	if (ended)
		destroy(original.element, context);
	scratch_put(&original);
	return status;
}
