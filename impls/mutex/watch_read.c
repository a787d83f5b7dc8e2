/* SPDX-License-Identifier: MIT
 *
 * watch_read.c - borrowing the value of a watch channel, and waiting for another. Overview and
 * invariants: watch.h.
 */
#include "impls/mutex/watch.h"

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

enum chan_status chan_mutex_watch_sender_borrow(struct chan_sender *tx, void *value)
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

enum chan_status chan_mutex_watch_borrow(struct chan_receiver *rx, void *value, bool *unseen)
{
	return borrow(rx, value, unseen, false);
}

enum chan_status chan_mutex_watch_borrow_and_update(struct chan_receiver *rx, void *value, bool *unseen)
{
	return borrow(rx, value, unseen, true);
}

enum chan_status chan_mutex_watch_changed(struct chan_receiver *rx, uint64_t deadline)
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

enum chan_status chan_mutex_watch_has_changed(struct chan_receiver *rx)
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

enum chan_status chan_mutex_watch_wait_for(struct chan_receiver *rx, bool (*pred)(const void *value, void *arg),
                                           void *arg, void *value, uint64_t deadline)
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
	chan_handle_enter(&r->handle, "mark");
	r->seen = ch->version - behind;
	/* What is armed on this very handle would now complete. */
	for (struct list *l = r->handle.armed.next; behind != 0 && l != &r->handle.armed; l = l->next) {
		struct wait *w = LIST_ENTRY(l, struct wait, siblings);
		if (chan_wait_state(w) == WAIT_QUEUED)
			chan_wait_wake(w, &wakes);
	}
	chan_handle_leave(&r->handle, &wakes);
}

void chan_mutex_watch_mark_changed(struct chan_receiver *rx)
{
	mark_seen(rx, 1);
}

void chan_mutex_watch_mark_unchanged(struct chan_receiver *rx)
{
	mark_seen(rx, 0);
}
