/* SPDX-License-Identifier: MIT
 *
 * mpsc_recv.c - receiving. Overview and invariants: mpsc.h.
 *
 * A message wakes one receiver that waits, and belongs to nobody until it is taken: a receiver that
 * comes by may be faster, and the woken one then waits again. An armed receiver that was woken for
 * a message and never received is made good for when it is disarmed (P-5); a blocked one cannot
 * give up while there is a message.
 */
#include "impls/mutex/mpsc.h"

#include <sched.h>

/* An armed waiter of the handle was woken for a message. A receive that already blocks on that
 * handle takes it: else its thread could wait behind itself. */
static void wake_blocked(struct handle *h, struct list *wakes)
{
	if (h->blocked != NULL && chan_wait_state(h->blocked) == WAIT_QUEUED)
		chan_wait_wake(h->blocked, wakes);
}

void chan_mpsc_receivers_call(struct mpsc *ch, size_t n, struct list *wakes)
{
	if (list_empty(&ch->core.recv_queue))
		return;
	size_t there = ch->store->len(ch);
	if (n > there)
		n = there;
	for (; n > 0 && !list_empty(&ch->core.recv_queue); n--) {
		struct wait *w = chan_wait_first(&ch->core.recv_queue);

		w->granted = 1;
		chan_wait_wake(w, wakes);
		if (w->handle != NULL)
			wake_blocked(w->handle, wakes);
	}
}

/* Waits until it has taken between 1 and `limit` messages: `*n`. Under the lock, which is
 * released meanwhile. */
static enum chan_status await_messages(struct handle *h, void *msgs, size_t limit, size_t *n, uint64_t deadline)
{
	struct mpsc *ch = mpsc_of(h);

	for (bool expired = false;;) {
		struct wait_blocked blocked;

		if ((*n = ch->store->take(h, msgs, limit)) > 0)
			return CHAN_OK;
		/* a sender is just putting it in, or another receiver was faster */
		if (ch->store->len(ch) > 0) {
			pthread_mutex_unlock(&ch->core.lock);
			sched_yield();
			pthread_mutex_lock(&ch->core.lock);
			continue;
		}
		if (chan_mpsc_ended(ch))
			return CHAN_CLOSED;
		if (deadline == CHAN_NOW)
			return CHAN_EMPTY;
		if (expired)
			return CHAN_TIMEOUT;
		chan_wait_blocked_init(&blocked, ch->core.sleep);
		blocked.spun = h->spun;
		h->spun = false; /* if others are faster it waits again */
		list_append(&ch->core.recv_queue, &blocked.wait.queue);
		h->blocked = &blocked.wait;
		bool woken = false;
		if (!chan_mpsc_publish_state(ch) || ch->store->len(ch) == 0)
			expired = !(woken = chan_wait_block(&ch->core.lock, &blocked, deadline));
		if (!woken) /* else it is with the one who wakes, perhaps still on a list of his */
			list_unlink(&blocked.wait.queue);
		h->blocked = NULL;
		chan_wait_blocked_end(&blocked);
	}
}

/* Waits for a message, then takes up to `limit`; `*received` is set. */
static enum chan_status receive(struct handle *h, void *msgs, size_t limit, size_t *received, uint64_t deadline)
{
	struct mpsc *ch = mpsc_of(h);
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status;

	chan_handle_enter(h, "recv");
	status = await_messages(h, msgs, limit, received, deadline);
	if (status == CHAN_OK) {
		chan_mpsc_granted_take(h, *received);
		chan_mpsc_serve(ch, &wakes);
	} else {
		/* others were faster: there is nothing to pass on */
		chan_mpsc_granted_take(h, SIZE_MAX);
	}
	chan_mpsc_leave(h, &wakes);
	return status;
}

void chan_mpsc_taken(struct handle *h, size_t n)
{
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "recv");
	chan_mpsc_granted_take(h, n);
	chan_mpsc_serve(mpsc_of(h), &wakes);
	chan_mpsc_leave(h, &wakes);
}

enum chan_status chan_mpsc_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct handle *h = (struct handle *)rx;
	size_t received;

	if (msg == NULL && h->core->layout.size != 0)
		return CHAN_INVALID;
	return receive(h, msg, 1, &received, deadline);
}

enum chan_status chan_mpsc_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                     uint64_t deadline)
{
	struct handle *h = (struct handle *)rx;

	*received = 0;
	if (limit == 0)
		return CHAN_OK;
	if (msgs == NULL && h->core->layout.size != 0)
		return CHAN_INVALID;
	return receive(h, msgs, limit, received, deadline);
}

enum chan_arm chan_mpsc_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)rx;
	struct mpsc *ch = mpsc_of(h);
	struct list wakes = WAKES_NONE(wakes);
	enum chan_arm result = CHAN_READY;

	chan_handle_enter(h, "arm_recv");
	if (ch->store->len(ch) == 0 && !chan_mpsc_ended(ch)) {
		struct wait *w = chan_wait_arm(waiter, h, &h->armed, MPSC_MESSAGE);

		list_append(&ch->core.recv_queue, &w->queue);
		if (chan_mpsc_publish_state(ch))
			chan_mpsc_receivers_call(ch, 1, &wakes);
		result = CHAN_ARMED;
	}
	chan_mpsc_leave(h, &wakes);
	return result;
}
