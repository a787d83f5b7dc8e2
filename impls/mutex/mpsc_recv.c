/* SPDX-License-Identifier: MIT
 *
 * mpsc_recv.c - receiving. Overview and invariants: mpsc.h.
 *
 * A message wakes one receiver that waits, and belongs to nobody until it is taken: a receiver that comes by may be
 * faster, and the woken one then waits again. An armed receiver that was woken for a message and never received is made good for
 * when it is disarmed (P-5); a blocked one cannot give up while there is a message.
 */
#include "impls/mutex/mpsc.h"

/* An armed waiter of the handle was woken for a message. A receive that already blocks on that handle takes it: else its thread
 * could wait behind itself. */
static void wake_blocked(struct handle *h, struct list *firing)
{
	if (h->blocked != NULL && chan_wait_state(h->blocked) == WAIT_QUEUED)
		chan_wait_wake(h->blocked, firing);
}

void mutex_receivers_call(struct mpsc *ch, size_t n, struct list *firing)
{
	if (n > mutex_queue_len(&ch->messages))
		n = mutex_queue_len(&ch->messages);
	for (; n > 0 && !list_empty(&ch->core.readers); n--) {
		struct wait *w = chan_wait_first(&ch->core.readers);

		w->got = 1;
		chan_wait_wake(w, firing);
		if (w->handle != NULL)
			wake_blocked(w->handle, firing);
	}
}

/* Waits until there is a message. Under the lock, which is released meanwhile. */
static enum chan_status await_message(struct handle *h, uint64_t deadline)
{
	struct mpsc *ch = mpsc_of(h);

	for (bool expired = false;;) {
		struct wait_blocked blocked;

		if (mutex_queue_len(&ch->messages) > 0)
			return CHAN_OK;
		if (mutex_ended(ch))
			return CHAN_CLOSED;
		if (deadline == CHAN_NOW)
			return CHAN_EMPTY;
		if (expired)
			return CHAN_TIMEOUT;
		chan_wait_blocked_init(&blocked, ch->core.sleep);
		list_append(&ch->core.readers, &blocked.wait.queue);
		h->blocked = &blocked.wait;
		expired = !chan_wait_block(&ch->core.lock, &blocked, deadline);
		if (expired)
			list_unlink(&blocked.wait.queue);
		h->blocked = NULL;
		chan_wait_blocked_end(&blocked);
	}
}

/* Waits for a message, then takes up to `limit`; `*received` is set. */
static enum chan_status receive(struct handle *h, void *msgs, size_t limit, size_t *received, uint64_t deadline)
{
	struct mpsc *ch = mpsc_of(h);
	size_t size = ch->core.layout.size;
	struct list firing = WAIT_FIRING(firing);
	size_t n = 0;
	enum chan_status status;

	chan_handle_enter(h, "recv");
	status = await_message(h, deadline);
	if (status == CHAN_OK) {
		n = mutex_queue_len(&ch->messages);
		if (n > limit)
			n = limit;
		for (size_t i = 0; i < n; i++)
			mutex_queue_pop(&ch->messages, size == 0 ? NULL : (char *)msgs + i * size);
		mutex_owed_take(h, n);
		mutex_slots_give(ch, n, &firing);
	} else {
		mutex_owed_take(h, SIZE_MAX); /* others were faster: there is nothing to pass on */
	}
	*received = n;
	chan_handle_leave(h, &firing);
	return status;
}

enum chan_status mutex_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct handle *h = (struct handle *)rx;
	size_t received;

	if (msg == NULL && h->core->layout.size != 0)
		return CHAN_INVALID;
	return receive(h, msg, 1, &received, deadline);
}

enum chan_status mutex_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
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

enum chan_arm mutex_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)rx;
	struct mpsc *ch = mpsc_of(h);
	struct list firing = WAIT_FIRING(firing);
	enum chan_arm result = CHAN_READY;

	chan_handle_enter(h, "arm_recv");
	if (mutex_queue_len(&ch->messages) == 0 && !mutex_ended(ch)) {
		struct wait *w = chan_wait_arm(waiter, h, &h->armed, MPSC_MESSAGE);

		list_append(&ch->core.readers, &w->queue);
		result = CHAN_ARMED;
	}
	chan_handle_leave(h, &firing);
	return result;
}
