/* SPDX-License-Identifier: MIT
 *
 * mpsc_send.c - slots and who gets them; sending, and permits. Overview and invariants: mpsc.h.
 *
 * To send is to acquire a slot and to put a message into it, under one lock hold. A sender that has to wait for slots stands
 * in the senders' queue, as a blocked thread or as an armed waiter, and is given slots there by whoever gives them back; it is
 * woken when it has all that it wants. The thread that comes back from such a wait looks at `closed` again: a slot that was
 * assigned before the close and not yet used is given back, and the send fails (M-33).
 */
#include "impls/mutex/mpsc.h"

#include <assert.h>

/* An armed waiter of the handle was given a slot. A send or reserve that already blocks on that handle counts it in: else its
 * thread could wait behind itself. */
static void count_in(struct handle *h, struct list *firing)
{
	struct wait *blocked = h->blocked;

	if (blocked != NULL && chan_wait_state(blocked) == WAIT_QUEUED && --blocked->want == blocked->got)
		chan_wait_wake(blocked, firing);
}

/* Distributes what is free to those who wait for it (I2). Under the lock. */
static void serve(struct mpsc *ch, struct list *firing)
{
	while (ch->free > 0 && !list_empty(&ch->writers)) {
		struct wait *w = chan_wait_first(&ch->writers);
		size_t missing = w->want - w->got;
		size_t given = ch->free < missing ? ch->free : missing;

		ch->free -= given;
		w->got += given;
		if (given < missing)
			break; /* it stays at the head and keeps what it has (M-25) */
		chan_wait_wake(w, firing);
		if (w->handle != NULL)
			count_in(w->handle, firing);
	}
}

void mutex_slots_give(struct mpsc *ch, size_t n, struct list *firing)
{
	if (n == 0)
		return;
	ch->free += n;
	serve(ch, firing);
	if (chan_core_closed(&ch->core) && mutex_ended(ch))
		chan_wait_wake_all(&ch->core.readers, firing);
}

/* The slots that armed waiters of a sender own. Under the lock. */
static size_t owned(const struct handle *h)
{
	size_t n = 0;

	for (const struct list *node = h->armed.next; node != &h->armed; node = node->next)
		n += LIST_ENTRY(node, const struct wait, siblings)->got;
	return n;
}

/* Waits in the queue for `n` slots. Those that armed waiters of the handle own, or get meanwhile, count: the wait wants that much
 * less, and they are used with it, or left as they were if it fails. Under the lock, which is released meanwhile. */
static enum chan_status queue_for_slots(struct handle *h, size_t n, uint64_t deadline, struct list *firing)
{
	struct mpsc *ch = mpsc_of(h);
	struct wait_blocked blocked;
	enum chan_status status = CHAN_OK;

	chan_wait_blocked_init(&blocked, ch->core.sleep);
	blocked.wait.want = n - owned(h);
	list_append(&ch->writers, &blocked.wait.queue);
	h->blocked = &blocked.wait;
	serve(ch, firing); /* too few are free, but those it holds from now on */
	if (!chan_wait_block(&ch->core.lock, &blocked, deadline)) {
		list_unlink(&blocked.wait.queue);
		status = CHAN_TIMEOUT;
	} else if (chan_core_closed(&ch->core)) {
		mutex_slots_give(ch, mutex_owed_take(h, SIZE_MAX), firing);
		status = CHAN_CLOSED;
	}
	h->blocked = NULL;
	if (status == CHAN_OK)
		mutex_owed_take(h, n - blocked.wait.want);
	else
		mutex_slots_give(ch, blocked.wait.got, firing); /* M-26, M-33 */
	chan_wait_blocked_end(&blocked);
	return status;
}

/* Takes `n` slots, all or none: first those that armed waiters of this handle own. Under the lock. */
static enum chan_status acquire(struct handle *h, size_t n, uint64_t deadline, struct list *firing)
{
	struct mpsc *ch = mpsc_of(h);

	for (;;) {
		if (chan_core_closed(&ch->core)) {
			mutex_slots_give(ch, mutex_owed_take(h, SIZE_MAX), firing); /* M-33 */
			return CHAN_CLOSED;
		}
		if (n <= owned(h) + ch->free) { /* what is free is nobody's: I2 */
			ch->free -= n - mutex_owed_take(h, n);
			return CHAN_OK;
		}
		if (deadline == CHAN_NOW)
			return CHAN_FULL;
		if (list_empty(firing))
			return queue_for_slots(h, n, deadline, firing);
		/* Whom this operation woke so far must not wait for it; what they do may change everything. */
		chan_wait_fire(&ch->core.lock, firing);
	}
}

/* Puts a message into a slot that the caller has acquired. CHAN_OK or CHAN_NOMEM. Under the lock. */
static enum chan_status put(struct mpsc *ch, const void *msg, struct list *firing)
{
	if (!mutex_queue_push(&ch->messages, msg)) {
		mutex_slots_give(ch, 1, firing);
		return CHAN_NOMEM;
	}
	mutex_receivers_call(ch, 1, firing);
	return CHAN_OK;
}

enum chan_status mutex_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	struct mpsc *ch = mpsc_of(h);
	struct list firing = WAIT_FIRING(firing);
	enum chan_status status;

	if (msg == NULL && ch->core.layout.size != 0)
		return CHAN_INVALID;
	chan_handle_enter(h, "send");
	status = acquire(h, 1, deadline, &firing);
	if (status == CHAN_OK)
		status = put(ch, msg, &firing);
	chan_handle_leave(h, &firing);
	return status;
}

enum chan_status mutex_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent, uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	struct mpsc *ch = mpsc_of(h);
	size_t size = ch->core.layout.size;
	struct list firing = WAIT_FIRING(firing);
	enum chan_status status;

	*sent = 0;
	if (msgs == NULL && n != 0 && size != 0)
		return CHAN_INVALID;
	chan_handle_enter(h, "send_many");
	status = n == 0 && chan_core_closed(&ch->core) ? CHAN_CLOSED : CHAN_OK;
	while (status == CHAN_OK && *sent < n) {
		status = acquire(h, 1, deadline, &firing);
		if (status == CHAN_OK)
			status = put(ch, size == 0 ? NULL : (const char *)msgs + *sent * size, &firing);
		if (status == CHAN_OK)
			++*sent;
	}
	chan_handle_leave(h, &firing);
	return status;
}

enum chan_status mutex_reserve(struct chan_sender *tx, size_t n, struct chan_permit *permit, uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	struct list firing = WAIT_FIRING(firing);
	enum chan_status status;

	if (permit == NULL)
		return CHAN_INVALID;
	if (n > mpsc_of(h)->capacity)
		return deadline == CHAN_NOW ? CHAN_FULL : CHAN_INVALID; /* M-40, M-41 */
	chan_handle_enter(h, "reserve");
	status = acquire(h, n, deadline, &firing);
	if (status == CHAN_OK)
		*permit = (struct chan_permit){.sender = tx, .count = n};
	chan_handle_leave(h, &firing);
	return status;
}

void mutex_permit_send(struct chan_permit *permit, const void *msg)
{
	struct handle *h = (struct handle *)permit->sender;
	struct list firing = WAIT_FIRING(firing);

	assert(permit->count > 0);
	chan_handle_enter(h, "permit_send");
	permit->count--;
	put(mpsc_of(h), msg, &firing); /* a slot is held, so the ring has room */
	chan_handle_leave(h, &firing);
}

void mutex_permit_release(struct chan_permit *permit)
{
	struct handle *h = (struct handle *)permit->sender;
	struct list firing = WAIT_FIRING(firing);

	if (permit->count == 0)
		return;
	chan_handle_enter(h, "permit_release");
	mutex_slots_give(mpsc_of(h), permit->count, &firing);
	permit->count = 0;
	chan_handle_leave(h, &firing);
}

enum chan_arm mutex_arm_send(struct chan_sender *tx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)tx;
	struct mpsc *ch = mpsc_of(h);
	struct list firing = WAIT_FIRING(firing);
	enum chan_arm result = CHAN_READY;

	chan_handle_enter(h, "arm_send");
	if (!chan_core_closed(&ch->core) && owned(h) == 0 && ch->free == 0) {
		struct wait *w = chan_wait_arm(waiter, h, &h->armed, MPSC_SLOT);

		w->want = 1;
		list_append(&ch->writers, &w->queue);
		result = CHAN_ARMED;
	}
	chan_handle_leave(h, &firing);
	return result;
}
