/* SPDX-License-Identifier: MIT
 *
 * watch.c - opening a watch channel, handles that come and go, readiness. Overview: watch.h.
 */
#include "impls/futex/futex.h"
#include "impls/futex/watch.h"
#include "impls/mutex/mutex.h"
#include "impls/mutex/watch.h"

#include <stdlib.h>

static void end(struct core *core)
{
	struct futex_watch *ch = (struct futex_watch *)core;

	pthread_cond_destroy(&ch->unpinned);
	chan_core_fini(core);
	free(ch);
}

/* A channel without handles; NULL when out of memory. */
static struct futex_watch *watch_new(const struct chan_config *config, const struct layout *layout, const void *initial)
{
	struct seqbuf_shape shape;
	void *memory;

	seqbuf_shape(&shape, layout->size);
	size_t bytes = offsetof(struct futex_watch, value) + seqbuf_bytes(&shape);
	if (posix_memalign(&memory, WATCH_LINE, bytes) != 0)
		return NULL;
	struct futex_watch *ch = memset(memory, 0, bytes);
	chan_core_init(&ch->core, config, layout, CORE_PARKS, end);
	pthread_cond_init(&ch->unpinned, NULL);
	ch->shape = shape;
	seqbuf_init(&ch->value, &ch->shape, initial, config->start);
	return ch;
}

static enum chan_status watch_open(const struct chan_config *config, const void *initial, struct chan_sender **tx,
                                   struct chan_receiver **rx)
{
	struct layout layout;

	if (config == NULL || tx == NULL || rx == NULL || (initial == NULL && config->size != 0))
		return CHAN_INVALID;
	if (config->clone != NULL)
		return chan_mutex_watch_open(config, initial, CORE_PARKS, tx, rx);
	enum chan_status status = chan_config_copied(config, &layout);
	if (status != CHAN_OK)
		return status;

	struct futex_watch *ch = watch_new(config, &layout, initial);
	if (ch == NULL)
		return CHAN_NOMEM;
	struct handle *sender = chan_handle_new(&ch->core, sizeof *sender);
	struct chan_futex_watch_receiver *receiver = chan_handle_new(&ch->core, sizeof *receiver);
	if (sender == NULL || receiver == NULL) {
		free(receiver);
		free(sender);
		end(&ch->core);
		return CHAN_NOMEM;
	}
	receiver->seen = config->start;
	ch->core.senders = ch->core.receivers = 1;
	*tx = (struct chan_sender *)sender;
	*rx = (struct chan_receiver *)receiver;
	return CHAN_OK;
}

static enum chan_status watch_sender_clone(struct chan_sender *tx, struct chan_sender **out)
{
	struct handle *h = (struct handle *)tx;
	enum chan_status status = chan_core_sender_clone(tx, out);

	if (status == CHAN_OK && !chan_futex_watch_hooked(h))
		chan_futex_watch_set(chan_futex_watch_of(h), WATCH_SHARED);
	return status;
}

static void watch_sender_drop(struct chan_sender **tx)
{
	struct handle *h = (struct handle *)*tx;
	struct list wakes = WAKES_NONE(wakes);

	if (h == NULL || chan_futex_watch_hooked(h)) {
		chan_core_sender_drop(tx);
		return;
	}
	*tx = NULL;

	struct futex_watch *ch = chan_futex_watch_of(h);
	chan_handle_enter(h, "sender_drop");
	chan_handle_disarm_all(h);
	if (--ch->core.senders == 1)
		chan_futex_watch_clear(ch, WATCH_SHARED);
	if (ch->core.senders == 0) {
		chan_futex_watch_set(ch, WATCH_ENDED);
		chan_wait_wake_all(&ch->core.recv_queue, &wakes);
	}
	chan_handle_leave(h, &wakes);
	free(h);
	chan_core_unref(&ch->core);
}

/* A receiver made through `from`, which has seen what `like` has or, NULL, the current version. */
static enum chan_status receiver_new(struct handle *from, const struct chan_futex_watch_receiver *like,
                                     struct chan_receiver **out)
{
	struct futex_watch *ch = chan_futex_watch_of(from);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core) || out == NULL)
		return CHAN_INVALID;
	struct chan_futex_watch_receiver *r = chan_handle_new(&ch->core, sizeof *r);
	if (r == NULL)
		return CHAN_NOMEM;
	chan_handle_enter(from, "subscribe");
	/* Through the only sender or under the lock: there is no writer at work. */
	r->seen = like != NULL ? like->seen : seqbuf_version(&ch->value, &ch->shape);
	if (ch->core.receivers++ == 0)
		chan_futex_watch_clear(ch, WATCH_DESERTED);
	chan_handle_leave(from, &wakes);
	*out = (struct chan_receiver *)r;
	return CHAN_OK;
}

static enum chan_status watch_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)rx;

	if (chan_futex_watch_hooked(&r->handle))
		return chan_mutex_watch_ops.receiver_clone(rx, out);
	return receiver_new(&r->handle, r, out);
}

static enum chan_status watch_subscribe(struct chan_sender *tx, struct chan_receiver **out)
{
	struct handle *h = (struct handle *)tx;

	if (chan_futex_watch_hooked(h))
		return chan_mutex_watch_ops.subscribe(tx, out);
	return receiver_new(h, NULL, out);
}

static void watch_receiver_drop(struct chan_receiver **rx)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)*rx;
	struct list wakes = WAKES_NONE(wakes);

	if (r == NULL || chan_futex_watch_hooked(&r->handle)) {
		chan_mutex_watch_ops.receiver_drop(rx);
		return;
	}
	*rx = NULL;

	struct futex_watch *ch = chan_futex_watch_of(&r->handle);
	chan_handle_enter(&r->handle, "receiver_drop");
	chan_handle_disarm_all(&r->handle);
	if (--ch->core.receivers == 0) {
		chan_futex_watch_set(ch, WATCH_DESERTED);
		chan_wait_wake_all(&ch->core.closed_queue, &wakes);
	}
	chan_handle_leave(&r->handle, &wakes);
	free(r);
	chan_core_unref(&ch->core);
}

static enum chan_arm watch_arm_changed(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)rx;
	struct list wakes = WAKES_NONE(wakes);

	if (chan_futex_watch_hooked(&r->handle))
		return chan_mutex_watch_ops.arm_changed(rx, waiter);
	if (inside_callback_of(r->handle.core))
		return CHAN_NOT_ARMED;
	if (chan_futex_watch_ready(r))
		return CHAN_READY;
	chan_handle_enter(&r->handle, "arm_changed");
	chan_futex_watch_attend(chan_futex_watch_of(&r->handle));
	bool ready = chan_futex_watch_ready(r);
	if (!ready) {
		chan_handle_arm(&r->handle, &r->handle.core->recv_queue, waiter);
		chan_wait_of_waiter(waiter)->want = (size_t)r->seen;
	}
	chan_handle_leave(&r->handle, &wakes);
	return ready ? CHAN_READY : CHAN_ARMED;
}

const struct chan_watch_ops chan_futex_watch_ops = {
	.open = watch_open,
	.send = chan_futex_watch_send,
	.borrow = chan_futex_watch_borrow,
	.changed = chan_futex_watch_changed,
	.sender_drop = watch_sender_drop,
	.receiver_drop = watch_receiver_drop,
	.send_replace = chan_futex_watch_send_replace,
	.modify = chan_futex_watch_modify,
	.sender_borrow = chan_futex_watch_sender_borrow,
	.borrow_and_update = chan_futex_watch_borrow_and_update,
	.has_changed = chan_futex_watch_has_changed,
	.wait_for = chan_futex_watch_wait_for,
	.mark_changed = chan_futex_watch_mark_changed,
	.mark_unchanged = chan_futex_watch_mark_unchanged,
	.sender_clone = watch_sender_clone,
	.receiver_clone = watch_receiver_clone,
	.subscribe = watch_subscribe,
	.closed = chan_core_wait_closed,
	.arm_changed = watch_arm_changed,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_core_disarm,
	.sender_get = chan_core_sender_get,
	.receiver_get = chan_core_receiver_get,
};
