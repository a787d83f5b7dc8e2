/* SPDX-License-Identifier: MIT
 *
 * watch_write.c - sending to a watch channel, and modifying its value. Overview and labels:
 * watch.h.
 */
#include "impls/base/fence.h"
#include "impls/base/scratch.h"
#include "impls/futex/watch.h"
#include "impls/mutex/watch.h"

/* Wakes who has not seen the newest version. Under the lock. */
static void wake(struct futex_watch *ch, struct list *wakes)
{
	struct list *queue = &ch->core.recv_queue;
	size_t version = (size_t)seqbuf_version(&ch->value, &ch->shape);

	for (struct list *next, *l = queue->next; l != queue; l = next) {
		struct wait *w = LIST_ENTRY(l, struct wait, queue);
		next = l->next;
		if (w->want != version)
			chan_wait_wake(w, wakes);
	}
	chan_futex_watch_relent(ch);
}

static void publish(struct futex_watch *ch, bool notify)
{
	seqbuf_publish(&ch->value, &ch->shape, seqbuf_version(&ch->value, &ch->shape) + (notify ? 1 : 0));
}

/* After a lone writer has published. */
static inline void tell(struct handle *h)
{
	struct futex_watch *ch = chan_futex_watch_of(h);
	struct list wakes = WAKES_NONE(wakes);

	chan_fence_light();
	if ((atomic_load_explicit(&ch->flags, memory_order_relaxed) & WATCH_ATTENTION) == 0)
		return;
	chan_handle_enter(h, "send");
	wake(ch, &wakes);
	chan_handle_leave(h, &wakes);
}

/* Takes the lock, and waits until no other writer is at work. */
static void enter(struct handle *h, const char *operation)
{
	struct futex_watch *ch = chan_futex_watch_of(h);

	chan_handle_enter(h, operation);
	while (ch->pinned)
		pthread_cond_wait(&ch->unpinned, &ch->core.lock);
}

static enum chan_status send_locked(struct handle *h, const void *msg)
{
	struct futex_watch *ch = chan_futex_watch_of(h);
	struct list wakes = WAKES_NONE(wakes);

	enter(h, "send");
	bool closed = chan_core_closed(&ch->core);
	if (!closed) {
		seqbuf_prepare(&ch->value, &ch->shape, msg);
		publish(ch, true);
		wake(ch, &wakes);
	}
	chan_handle_leave(h, &wakes);
	return closed ? CHAN_CLOSED : CHAN_OK;
}

enum chan_status chan_futex_watch_send(struct chan_sender *tx, const void *msg)
{
	struct handle *h = (struct handle *)tx;
	struct futex_watch *ch = chan_futex_watch_of(h);

	if (chan_futex_watch_hooked(h))
		return chan_mutex_watch_send(tx, msg);
	if (inside_callback_of(&ch->core) || (msg == NULL && ch->shape.size != 0))
		return CHAN_INVALID;
	if (chan_futex_watch_flags(ch) != 0)
		return send_locked(h, msg);
	owner_check_enter(&h->owner, "send");
	seqbuf_prepare(&ch->value, &ch->shape, msg);
	publish(ch, true);
	owner_check_leave(&h->owner);
	tell(h);
	return CHAN_OK;
}

enum chan_status chan_futex_watch_send_replace(struct chan_sender *tx, const void *msg, void *previous)
{
	struct handle *h = (struct handle *)tx;
	struct futex_watch *ch = chan_futex_watch_of(h);
	struct list wakes = WAKES_NONE(wakes);

	if (chan_futex_watch_hooked(h))
		return chan_mutex_watch_send_replace(tx, msg, previous);
	if (inside_callback_of(&ch->core) || ((msg == NULL || previous == NULL) && ch->shape.size != 0))
		return CHAN_INVALID;
	enter(h, "send_replace");
	seqbuf_prepare(&ch->value, &ch->shape, msg); /* first: `previous` may be where `msg` is */
	seqbuf_get(&ch->value, &ch->shape, previous);
	publish(ch, true);
	wake(ch, &wakes);
	chan_handle_leave(h, &wakes);
	return CHAN_OK;
}

/* With several senders the value is pinned; a lone one has nobody to keep away. Gives whether it
 * is. */
static bool pin(struct handle *h)
{
	struct futex_watch *ch = chan_futex_watch_of(h);
	bool shared = (chan_futex_watch_flags(ch) & WATCH_SHARED) != 0;

	if (shared) {
		enter(h, "modify");
		ch->pinned = true;
		owner_check_leave(&h->owner);
		pthread_mutex_unlock(&ch->core.lock);
	}
	return shared;
}

/* Publishes what was prepared, and gives the value free if it was pinned. */
static void unpin(struct handle *h, bool shared, bool notify)
{
	struct futex_watch *ch = chan_futex_watch_of(h);
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "modify");
	publish(ch, notify);
	if (shared) {
		ch->pinned = false;
		pthread_cond_broadcast(&ch->unpinned);
	}
	if (notify)
		wake(ch, &wakes);
	chan_handle_leave(h, &wakes);
}

enum chan_status chan_futex_watch_modify(struct chan_sender *tx, bool (*f)(void *value, void *arg), void *arg,
                                         bool *modified)
{
	struct handle *h = (struct handle *)tx;
	struct futex_watch *ch = chan_futex_watch_of(h);
	struct scratch copy;
	struct inside inside;

	if (chan_futex_watch_hooked(h))
		return chan_mutex_watch_modify(tx, f, arg, modified);
	if (inside_callback_of(&ch->core) || f == NULL)
		return CHAN_INVALID;
	if (!scratch_get(&copy, &ch->core.layout))
		return CHAN_NOMEM;

	owner_check_enter(&h->owner, "modify");
	bool shared = pin(h);
	seqbuf_get(&ch->value, &ch->shape, copy.element);
	inside_enter(&inside, &ch->core);
	bool changed = f(copy.element, arg);
	inside_leave(&inside);
	seqbuf_prepare(&ch->value, &ch->shape, copy.element);
	scratch_put(&copy);
	if (modified != NULL)
		*modified = changed;
	owner_check_leave(&h->owner);
	unpin(h, shared, changed);
	return CHAN_OK;
}
