/* SPDX-License-Identifier: MIT
 *
 * watch.c - the watch channel of the mutex family: one value that is always there.
 *
 * WHAT IT IS. One value and its version under one mutex (core.h), after Tokio's watch. The value
 * lies in one place, and is read and written under the mutex. Code of the caller must not run under
 * it (clone, the function of modify, the predicate of wait_for), so such an operation pins the
 * value instead, and releases the mutex.
 *
 * WRITING
 *   W1  The writer waits until the value is not pinned.
 *   W2  It replaces the value, or pins it and lets modify's function change it.
 *   W3  It advances the version and wakes all receivers, unless modify says that nothing changed.
 *
 * READING
 *   R1  The reader waits until the value is not pinned.
 *   R2  It copies the value, with a `clone` hook or a predicate under a pin, and remembers the
 *       version of what it saw.
 *   R3  changed() waits while the version is the one that was seen, and ends with the senders.
 *
 * Calls on the same channel from inside the caller's code are refused before they could wait
 * (inside.h).
 *
 *
 * INVARIANTS (whenever the mutex is free)
 *
 * I1  `value` is alive from open to the end of the last handle (W-32). It is touched under the
 *     mutex while it is not pinned, or without the mutex by the one operation that pinned it. So
 *     calls of the caller's code for one value are never concurrent (B-33).
 * I2  `version` has changed exactly when the receivers were woken. `edits` has changed whenever the
 *     value may have.
 * I3  A receiver has an unseen version if and only if its `seen` differs from `version`. Only
 *     equality counts, so the wrap of 64 bits means nothing, and version - 1 stands for "unseen"
 *     (W-14).
 *
 * WHO EXCLUDES WHOM. A pin excludes every reader and every writer of the value, until `unpinned` is
 * signalled; it excludes no drop, no property and no changed(). The mutex excludes the rest.
 *
 * LINEARIZATION. A write takes effect in the critical section that changes the version; a modify is
 * not readable before it. A read takes effect where it found the value unpinned, and its version
 * and value agree there (W-3, W-34).
 *
 * WHERE EACH WAKE COMES FROM. All receivers are woken by each write that notifies (W-12), and by
 * the last sender's drop. closed() is woken by the last receiver's drop. An operation that waits
 * for a pin is woken by its end, through `unpinned`: one condition variable for all of them, since
 * any may be next.
 */
#include "impls/base/core.h"
#include "impls/base/scratch.h"
#include "impls/mutex/mutex.h"

#include <stdlib.h>

struct watch {
	struct core core;
	void *value;
	uint64_t version;
	uint64_t edits;
	bool pinned;
	pthread_cond_t unpinned;
};

struct watch_receiver {
	struct handle handle;
	uint64_t seen;
};

static struct watch *watch_of(const struct handle *h)
{
	return (struct watch *)h->core;
}

/* --- the pin; all under the lock --- */

static void watch_await_unpinned(struct watch *ch)
{
	while (ch->pinned)
		pthread_cond_wait(&ch->unpinned, &ch->core.lock);
}

/* Pins the value, which is not pinned, and releases the lock; what runs between this and `unpin`
 * runs the caller's code. */
static void watch_pin(struct watch *ch, struct inside *inside)
{
	ch->pinned = true;
	pthread_mutex_unlock(&ch->core.lock);
	inside_enter(inside, &ch->core);
}

static void watch_unpin(struct watch *ch, struct inside *inside)
{
	inside_leave(inside);
	pthread_mutex_lock(&ch->core.lock);
	ch->pinned = false;
	pthread_cond_broadcast(&ch->unpinned);
}

/* ------------------------------------------------------------------------------------------
 * Opening, and receivers that come and go
 */

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

/* ------------------------------------------------------------------------------------------
 * Sending and modifying
 */

static void notify(struct watch *ch, struct list *wakes)
{
	ch->version++;
	chan_wait_wake_all(&ch->core.recv_queue, wakes);
}

static enum chan_status watch_send(struct chan_sender *tx, const void *msg)
{
	struct handle *h = (struct handle *)tx;
	struct watch *ch = watch_of(h);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	void (*destroy)(void *, void *) = core->config.destroy;
	void *context = core->config.context;
	struct scratch old;

	if (inside_callback_of(core) || (msg == NULL && core->layout.size != 0))
		return CHAN_INVALID;
	if (destroy != NULL && !scratch_get(&old, &core->layout))
		return CHAN_NOMEM;

	chan_handle_enter(h, "send");
	watch_await_unpinned(ch);
	bool closed = chan_core_closed(core);
	if (!closed) {
		if (destroy != NULL)
			chan_layout_copy(&core->layout, old.element, ch->value);
		chan_layout_copy(&core->layout, ch->value, msg);
		ch->edits++;
		notify(ch, &wakes);
	}
	chan_handle_leave(h, &wakes);

	if (destroy != NULL) {
		if (!closed)
			destroy(old.element, context); /* W-33 */
		scratch_put(&old);
	}
	return closed ? CHAN_CLOSED : CHAN_OK;
}

static enum chan_status watch_send_replace(struct chan_sender *tx, const void *msg, void *previous)
{
	struct handle *h = (struct handle *)tx;
	struct watch *ch = watch_of(h);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(core) || ((msg == NULL || previous == NULL) && core->layout.size != 0))
		return CHAN_INVALID;
	chan_handle_enter(h, "send_replace");
	watch_await_unpinned(ch);
	/* byte by byte: `previous` may be where `msg` is */
	for (size_t i = 0; i < core->layout.size; i++) {
		char byte = ((const char *)msg)[i];
		((char *)previous)[i] = ((char *)ch->value)[i];
		((char *)ch->value)[i] = byte;
	}
	ch->edits++;
	notify(ch, &wakes);
	chan_handle_leave(h, &wakes);
	return CHAN_OK;
}

static enum chan_status watch_modify(struct chan_sender *tx, bool (*f)(void *value, void *arg), void *arg,
                                     bool *modified)
{
	struct handle *h = (struct handle *)tx;
	struct watch *ch = watch_of(h);
	struct list wakes = WAKES_NONE(wakes);
	struct inside inside;

	if (inside_callback_of(h->core) || f == NULL)
		return CHAN_INVALID;
	chan_handle_enter(h, "modify");
	watch_await_unpinned(ch);
	watch_pin(ch, &inside);
	bool changed = f(ch->value, arg);
	watch_unpin(ch, &inside);
	ch->edits++;
	if (changed)
		notify(ch, &wakes);
	if (modified != NULL)
		*modified = changed;
	chan_handle_leave(h, &wakes);
	return CHAN_OK;
}

/* ------------------------------------------------------------------------------------------
 * Borrowing, and waiting for a change
 */

/* Copies the value, which is not pinned. CHAN_OK or CHAN_NOMEM. */
static enum chan_status copy_out(struct watch *ch, void *value)
{
	const struct chan_config *config = &ch->core.config;
	struct inside inside;

	if (config->clone == NULL) {
		chan_layout_copy(&ch->core.layout, value, ch->value);
		return CHAN_OK;
	}
	watch_pin(ch, &inside);
	int failed = config->clone(value, ch->value, config->context);
	watch_unpin(ch, &inside);
	return failed ? CHAN_NOMEM : CHAN_OK;
}

static enum chan_status watch_sender_borrow(struct chan_sender *tx, void *value)
{
	struct handle *h = (struct handle *)tx;
	struct watch *ch = watch_of(h);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(h->core) || (value == NULL && h->core->layout.size != 0))
		return CHAN_INVALID;
	chan_handle_enter(h, "sender_borrow");
	watch_await_unpinned(ch);
	enum chan_status status = copy_out(ch, value);
	chan_handle_leave(h, &wakes);
	return status;
}

static enum chan_status borrow(struct chan_receiver *rx, void *value, bool *unseen, bool update)
{
	struct watch_receiver *r = (struct watch_receiver *)rx;
	struct watch *ch = watch_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core) || (value == NULL && ch->core.layout.size != 0))
		return CHAN_INVALID;
	chan_handle_enter(&r->handle, "borrow");
	watch_await_unpinned(ch);
	/* of the value that is copied, which nobody changes until it is */
	uint64_t version = ch->version;
	enum chan_status status = copy_out(ch, value);
	if (unseen != NULL)
		*unseen = version != r->seen;
	if (update && status == CHAN_OK)
		r->seen = version;
	chan_handle_leave(&r->handle, &wakes);
	return status;
}

static enum chan_status watch_borrow(struct chan_receiver *rx, void *value, bool *unseen)
{
	return borrow(rx, value, unseen, false);
}

static enum chan_status watch_borrow_and_update(struct chan_receiver *rx, void *value, bool *unseen)
{
	return borrow(rx, value, unseen, true);
}

static enum chan_status watch_changed(struct chan_receiver *rx, uint64_t deadline)
{
	struct watch_receiver *r = (struct watch_receiver *)rx;
	struct watch *ch = watch_of(&r->handle);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status = CHAN_OK;

	if (inside_callback_of(core))
		return CHAN_INVALID;
	chan_handle_enter(&r->handle, "changed");
	while (status == CHAN_OK && r->seen == ch->version)
		status = core->senders == 0 ? CHAN_CLOSED : chan_core_wait(core, &core->recv_queue, deadline);
	if (status == CHAN_OK)
		r->seen = ch->version;
	chan_handle_leave(&r->handle, &wakes);
	return status;
}

static enum chan_status watch_has_changed(struct chan_receiver *rx)
{
	struct watch_receiver *r = (struct watch_receiver *)rx;
	struct watch *ch = watch_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status;

	if (inside_callback_of(&ch->core))
		return CHAN_INVALID;
	chan_handle_enter(&r->handle, "has_changed");
	if (ch->core.senders == 0)
		status = CHAN_CLOSED; /* W-7: unseen or not */
	else
		status = r->seen != ch->version ? CHAN_OK : CHAN_EMPTY;
	chan_handle_leave(&r->handle, &wakes);
	return status;
}

/* Tries the predicate on the current value, and copies that very value out where it holds. */
static enum chan_status try_value(struct watch_receiver *r, bool (*pred)(const void *value, void *arg), void *arg,
                                  void *value, bool *holds)
{
	struct watch *ch = watch_of(&r->handle);
	const struct chan_config *config = &ch->core.config;
	int failed = 0;
	struct inside inside;

	uint64_t version = ch->version;
	watch_pin(ch, &inside);
	*holds = pred(ch->value, arg);
	if (*holds && config->clone != NULL)
		failed = config->clone(value, ch->value, config->context);
	else if (*holds)
		chan_layout_copy(&ch->core.layout, value, ch->value);
	watch_unpin(ch, &inside);
	r->seen = version; /* W-25: tried is seen */
	return failed ? CHAN_NOMEM : CHAN_OK;
}

static enum chan_status watch_wait_for(struct chan_receiver *rx, bool (*pred)(const void *value, void *arg), void *arg,
                                       void *value, uint64_t deadline)
{
	struct watch_receiver *r = (struct watch_receiver *)rx;
	struct watch *ch = watch_of(&r->handle);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status;
	bool holds = false;
	uint64_t tried;

	if (inside_callback_of(core) || pred == NULL || (value == NULL && core->layout.size != 0))
		return CHAN_INVALID;
	chan_handle_enter(&r->handle, "wait_for");
	do {
		watch_await_unpinned(ch);
		tried = ch->edits;
		status = try_value(r, pred, arg, value, &holds);
		/* What modify changed without notifying is not tried; unless it is the last
		 * value there will be (W-24). */
		while (status == CHAN_OK && !holds && r->seen == ch->version &&
		       (core->senders != 0 || ch->edits == tried))
			status = core->senders == 0 ? CHAN_CLOSED : chan_core_wait(core, &core->recv_queue, deadline);
	} while (status == CHAN_OK && !holds);
	chan_handle_leave(&r->handle, &wakes);
	return status;
}

static void mark_seen(struct chan_receiver *rx, uint64_t behind)
{
	struct watch_receiver *r = (struct watch_receiver *)rx;
	struct watch *ch = watch_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core))
		return;
	chan_handle_enter(&r->handle, "inside");
	r->seen = ch->version - behind;
	/* What is armed on this very handle would now complete. */
	for (struct list *l = r->handle.armed.next; behind != 0 && l != &r->handle.armed; l = l->next) {
		struct wait *w = LIST_ENTRY(l, struct wait, siblings);
		if (chan_wait_state(w) == WAIT_QUEUED)
			chan_wait_wake(w, &wakes);
	}
	chan_handle_leave(&r->handle, &wakes);
}

static void watch_mark_changed(struct chan_receiver *rx)
{
	mark_seen(rx, 1);
}

static void watch_mark_unchanged(struct chan_receiver *rx)
{
	mark_seen(rx, 0);
}

/* ------------------------------------------------------------------------------------------
 * Readiness
 */

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
	.send = watch_send,
	.borrow = watch_borrow,
	.changed = watch_changed,
	.sender_drop = chan_core_sender_drop,
	.receiver_drop = watch_receiver_drop,
	.send_replace = watch_send_replace,
	.modify = watch_modify,
	.sender_borrow = watch_sender_borrow,
	.borrow_and_update = watch_borrow_and_update,
	.has_changed = watch_has_changed,
	.wait_for = watch_wait_for,
	.mark_changed = watch_mark_changed,
	.mark_unchanged = watch_mark_unchanged,
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
