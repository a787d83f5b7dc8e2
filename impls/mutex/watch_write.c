/* SPDX-License-Identifier: MIT
 *
 * watch_write.c - sending to a watch channel, and modifying its value. Overview and invariants:
 * watch.h.
 */
#include "impls/base/scratch.h"
#include "impls/mutex/watch.h"

static void notify(struct watch *ch, struct list *wakes)
{
	ch->version++;
	chan_wait_wake_all(&ch->core.recv_queue, wakes);
}

enum chan_status chan_mutex_watch_send(struct chan_sender *tx, const void *msg)
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

enum chan_status chan_mutex_watch_send_replace(struct chan_sender *tx, const void *msg, void *previous)
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

enum chan_status chan_mutex_watch_modify(struct chan_sender *tx, bool (*f)(void *value, void *arg), void *arg,
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
