/* SPDX-License-Identifier: MIT
 *
 * watch.c - opening a watch channel, receivers that come and go, readiness. Overview and
 * invariants: watch.h.
 */
#include "impls/mutex/watch.h"
#include "impls/mutex/mutex.h"

#include <stdlib.h>

static void end(struct core *core)
{
	struct watch *ch = (struct watch *)core;

	if (core->config.destroy != NULL)
		core->config.destroy(ch->value, core->config.context);
	free(ch->value);
	pthread_cond_destroy(&ch->unpinned);
	chan_core_fini(core);
	free(ch);
}

enum chan_status chan_mutex_watch_open(const struct chan_config *config, const void *initial, enum core_sleep sleep,
                                       struct chan_sender **tx, struct chan_receiver **rx)
{
	struct layout layout;

	if (config == NULL || tx == NULL || rx == NULL || (initial == NULL && config->size != 0))
		return CHAN_INVALID;
	enum chan_status status = chan_config_copied(config, &layout);
	if (status != CHAN_OK)
		return status;

	struct watch *ch = calloc(1, sizeof *ch);
	if (ch == NULL)
		return CHAN_NOMEM;
	chan_core_init(&ch->core, config, &layout, sleep, end);
	ch->value = chan_config_alloc(&layout, 1);
	struct handle *sender = chan_handle_new(&ch->core, sizeof *sender);
	struct watch_receiver *receiver = chan_handle_new(&ch->core, sizeof *receiver);
	if (ch->value == NULL || sender == NULL || receiver == NULL)
		goto no_memory;
	pthread_cond_init(&ch->unpinned, NULL);
	chan_layout_copy(&layout, ch->value, initial);
	ch->version = receiver->seen = config->start;
	ch->core.senders = ch->core.receivers = 1;
	*tx = (struct chan_sender *)sender;
	*rx = (struct chan_receiver *)receiver;
	return CHAN_OK;

no_memory:
	free(receiver);
	free(sender);
	free(ch->value);
	chan_core_fini(&ch->core);
	free(ch);
	return CHAN_NOMEM;
}

static enum chan_status watch_open(const struct chan_config *config, const void *initial, struct chan_sender **tx,
                                   struct chan_receiver **rx)
{
	return chan_mutex_watch_open(config, initial, CORE_WAITS, tx, rx);
}

/* A receiver made through `from`, which has seen what `like` has or, NULL, the current version. */
static enum chan_status receiver_new(struct handle *from, const struct watch_receiver *like, struct chan_receiver **out)
{
	struct watch *ch = watch_of(from);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core) || out == NULL)
		return CHAN_INVALID;
	struct watch_receiver *r = chan_handle_new(&ch->core, sizeof *r);
	if (r == NULL)
		return CHAN_NOMEM;
	chan_handle_enter(from, "subscribe");
	r->seen = like != NULL ? like->seen : ch->version;
	ch->core.receivers++;
	chan_handle_leave(from, &wakes);
	*out = (struct chan_receiver *)r;
	return CHAN_OK;
}

static enum chan_status watch_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct watch_receiver *r = (struct watch_receiver *)rx;

	return receiver_new(&r->handle, r, out);
}

static enum chan_status watch_subscribe(struct chan_sender *tx, struct chan_receiver **out)
{
	return receiver_new((struct handle *)tx, NULL, out);
}

static void watch_receiver_drop(struct chan_receiver **rx)
{
	struct watch_receiver *r = (struct watch_receiver *)*rx;
	struct list wakes = WAKES_NONE(wakes);

	if (r == NULL)
		return;
	*rx = NULL;

	struct core *core = r->handle.core;
	chan_handle_enter(&r->handle, "receiver_drop");
	chan_handle_disarm_all(&r->handle);
	if (--core->receivers == 0)
		chan_wait_wake_all(&core->closed_queue, &wakes);
	chan_handle_leave(&r->handle, &wakes);
	free(r);
	chan_core_unref(core);
}

static enum chan_arm watch_arm_changed(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct watch_receiver *r = (struct watch_receiver *)rx;
	struct watch *ch = watch_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core))
		return CHAN_NOT_ARMED;
	chan_handle_enter(&r->handle, "arm_changed");
	bool ready = r->seen != ch->version || ch->core.senders == 0;
	if (!ready)
		chan_handle_arm(&r->handle, &ch->core.recv_queue, waiter);
	chan_handle_leave(&r->handle, &wakes);
	return ready ? CHAN_READY : CHAN_ARMED;
}

const struct chan_watch_ops chan_mutex_watch_ops = {
	.open = watch_open,
	.send = chan_mutex_watch_send,
	.borrow = chan_mutex_watch_borrow,
	.changed = chan_mutex_watch_changed,
	.sender_drop = chan_core_sender_drop,
	.receiver_drop = watch_receiver_drop,
	.send_replace = chan_mutex_watch_send_replace,
	.modify = chan_mutex_watch_modify,
	.sender_borrow = chan_mutex_watch_sender_borrow,
	.borrow_and_update = chan_mutex_watch_borrow_and_update,
	.has_changed = chan_mutex_watch_has_changed,
	.wait_for = chan_mutex_watch_wait_for,
	.mark_changed = chan_mutex_watch_mark_changed,
	.mark_unchanged = chan_mutex_watch_mark_unchanged,
	.sender_clone = chan_core_sender_clone,
	.receiver_clone = watch_receiver_clone,
	.subscribe = watch_subscribe,
	.closed = chan_core_wait_closed,
	.arm_changed = watch_arm_changed,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_core_disarm,
	.sender_get = chan_core_sender_get,
	.receiver_get = chan_core_receiver_get,
};
