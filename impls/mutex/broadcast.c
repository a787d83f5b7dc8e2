/* SPDX-License-Identifier: MIT
 *
 * broadcast.c - opening a broadcast channel, receivers that come and go, readiness, properties.
 * Overview: broadcast.h.
 */
#include "impls/mutex/broadcast.h"
#include "impls/mutex/mutex.h"

#include <stdlib.h>

static void end(struct core *core)
{
	struct broadcast *ch = (struct broadcast *)core;

	for (size_t i = 0; core->config.destroy != NULL && i < ch->retained; i++)
		if (ch->slots[i].held)
			core->config.destroy(chan_mutex_broadcast_element(ch, &ch->slots[i]), core->config.context);
	free(ch->elements);
	free(ch->slots);
	pthread_cond_destroy(&ch->idle);
	chan_core_fini(core);
	free(ch);
}

/* A receiver at the tail, made but not counted yet. NULL when out of memory. */
static struct broadcast_receiver *receiver_new(struct core *core)
{
	struct broadcast_receiver *r = chan_handle_new(core, sizeof *r);

	if (r == NULL || core->config.destroy == NULL)
		return r;
	r->spare = chan_config_alloc(&core->layout, 1);
	if (r->spare != NULL)
		return r;
	free(r);
	chan_core_unref(core);
	return NULL;
}

enum chan_status chan_mutex_broadcast_open(const struct chan_config *config, enum core_sleep sleep,
                                           struct chan_sender **tx, struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status;
	size_t retained = 1;

	if (config == NULL || tx == NULL)
		return CHAN_INVALID;
	if ((status = chan_config_bounded(config, CHAN_BROADCAST_CAPACITY_MAX, &layout)) != CHAN_OK ||
	    (status = chan_config_copied(config, &layout)) != CHAN_OK)
		return status;
	while (retained < config->capacity)
		retained *= 2;
	if (retained > SIZE_MAX / layout.stride || retained > SIZE_MAX / sizeof(struct slot))
		return CHAN_INVALID;

	struct broadcast *ch = calloc(1, sizeof *ch);
	if (ch == NULL)
		return CHAN_NOMEM;
	chan_core_init(&ch->core, config, &layout, sleep, end);
	chan_core_ref(&ch->core); /* so that undoing a receiver does not end it */
	pthread_cond_init(&ch->idle, NULL);
	ch->retained = retained;
	ch->tail = config->start;
	ch->slots = calloc(retained, sizeof *ch->slots);
	ch->elements = chan_config_alloc(&layout, retained);
	struct handle *sender = chan_handle_new(&ch->core, sizeof *sender);
	struct broadcast_receiver *receiver = rx != NULL ? receiver_new(&ch->core) : NULL;
	if (ch->slots == NULL || ch->elements == NULL || sender == NULL || (rx != NULL && receiver == NULL))
		goto no_memory;
	ch->core.senders = 1;
	*tx = (struct chan_sender *)sender;
	if (rx != NULL) {
		ch->core.receivers = 1;
		receiver->next = ch->tail;
		*rx = (struct chan_receiver *)receiver;
	}
	chan_core_unref(&ch->core);
	return CHAN_OK;

no_memory:
	if (receiver != NULL)
		free(receiver->spare);
	free(receiver);
	free(sender);
	if (ch->slots == NULL)
		ch->retained = 0;
	end(&ch->core);
	return CHAN_NOMEM;
}

static enum chan_status broadcast_open(const struct chan_config *config, struct chan_sender **tx,
                                       struct chan_receiver **rx)
{
	return chan_mutex_broadcast_open(config, CORE_WAITS, tx, rx);
}

static enum chan_status subscribe(struct handle *from, struct chan_receiver **out)
{
	struct broadcast *ch = chan_mutex_broadcast_of(from);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core) || out == NULL)
		return CHAN_INVALID;
	struct broadcast_receiver *r = receiver_new(&ch->core);
	if (r == NULL)
		return CHAN_NOMEM;
	chan_handle_enter(from, "subscribe");
	r->next = ch->tail;
	ch->core.receivers++;
	chan_handle_leave(from, &wakes);
	*out = (struct chan_receiver *)r;
	return CHAN_OK;
}

static enum chan_status broadcast_subscribe(struct chan_sender *tx, struct chan_receiver **out)
{
	return subscribe((struct handle *)tx, out);
}

static enum chan_status broadcast_resubscribe(struct chan_receiver *rx, struct chan_receiver **out)
{
	return subscribe((struct handle *)rx, out);
}

static void broadcast_receiver_drop(struct chan_receiver **rx)
{
	struct broadcast_receiver *r = (struct broadcast_receiver *)*rx;
	struct list wakes = WAKES_NONE(wakes);

	if (r == NULL)
		return;
	*rx = NULL;

	struct broadcast *ch = chan_mutex_broadcast_of(&r->handle);
	struct core *core = &ch->core;
	chan_handle_enter(&r->handle, "receiver_drop");
	chan_handle_disarm_all(&r->handle);
	uint64_t stop = ch->tail; /* what is sent from now on is not owed to it */
	if (--core->receivers == 0)
		chan_wait_wake_all(&core->closed_queue, &wakes);
	chan_wait_deliver(&core->lock, &wakes); /* before a destroy that may take its time */
	for (uint64_t p = chan_mutex_broadcast_retained_from(ch, r->next); stop - p - 1 < ch->retained;
	     p = chan_mutex_broadcast_retained_from(ch, p + 1)) {
		if (!chan_mutex_broadcast_pay(ch, chan_mutex_broadcast_slot(ch, p), r->spare))
			continue;
		/* Meanwhile others send, and p + 1 may be overwritten. */
		pthread_mutex_unlock(&core->lock);
		core->config.destroy(r->spare, core->config.context);
		pthread_mutex_lock(&core->lock);
	}
	chan_handle_leave(&r->handle, &wakes);
	free(r->spare);
	free(r);
	chan_core_unref(core);
}

/* ------------------------------------------------------------------------------------------
 * Readiness, properties
 */

static enum chan_arm broadcast_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct broadcast_receiver *r = (struct broadcast_receiver *)rx;
	struct broadcast *ch = chan_mutex_broadcast_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core))
		return CHAN_NOT_ARMED;
	chan_handle_enter(&r->handle, "arm_recv");
	bool ready = r->next != ch->tail || ch->core.senders == 0;
	if (!ready)
		chan_handle_arm(&r->handle, &ch->core.recv_queue, waiter);
	chan_handle_leave(&r->handle, &wakes);
	return ready ? CHAN_READY : CHAN_ARMED;
}

static uint64_t broadcast_get(struct broadcast *ch, const struct broadcast_receiver *r, enum chan_property property)
{
	uint64_t answer;

	pthread_mutex_lock(&ch->core.lock);
	switch (property) {
	case CHAN_LEN:
		answer = r != NULL ? ch->tail - r->next : ch->owed;
		break;
	case CHAN_CAPACITY:
		answer = ch->core.config.capacity;
		break;
	case CHAN_MAX_CAPACITY:
		answer = ch->retained;
		break;
	default:
		answer = chan_core_get(&ch->core, r == NULL, property);
	}
	pthread_mutex_unlock(&ch->core.lock);
	return answer;
}

static uint64_t broadcast_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	return broadcast_get(chan_mutex_broadcast_of((const struct handle *)tx), NULL, property);
}

static uint64_t broadcast_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	const struct broadcast_receiver *r = (const struct broadcast_receiver *)rx;

	return broadcast_get(chan_mutex_broadcast_of(&r->handle), r, property);
}

static uint64_t broadcast_weak_get(const struct chan_weak *weak, enum chan_property property)
{
	return broadcast_get(chan_mutex_broadcast_of((const struct handle *)weak), NULL, property);
}

const struct chan_broadcast_ops chan_mutex_broadcast_ops = {
	.open = broadcast_open,
	.send = chan_mutex_broadcast_send,
	.recv = chan_mutex_broadcast_recv,
	.subscribe = broadcast_subscribe,
	.sender_drop = chan_core_sender_drop,
	.receiver_drop = broadcast_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.resubscribe = broadcast_resubscribe,
	.closed = chan_core_wait_closed,
	.arm_recv = broadcast_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_core_disarm,
	.sender_get = broadcast_sender_get,
	.receiver_get = broadcast_receiver_get,
	.weak_get = broadcast_weak_get,
};
