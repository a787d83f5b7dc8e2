/* SPDX-License-Identifier: MIT
 *
 * mpsc_send.c - slots and who gets them; sending, and permits. Overview and invariants: mpsc.h.
 *
 * To send is to acquire a slot and to put a message into it, under one lock hold. A sender that has
 * to wait for slots stands in the senders' queue, as a blocked thread or as an armed waiter, and is
 * given slots there by whoever gives them back; it is woken when it has all that it wants. Who
 * gives a slot to a blocked send puts its message in as well: it was sent then, and its thread has
 * only to find that out. The thread that comes back from any other wait looks at `closed` again: a
 * slot that was assigned before the close and not yet used is given back, and the operation fails
 * (M-33).
 */
#include "impls/mutex/mpsc.h"

#include <assert.h>

/* What a thread wants slots for, and its place in the senders' queue if it has to wait for them. */
struct sending {
	const void *msg; /* of a send: where the message lies until it was sent */
	enum { RESERVES, SENDS, SENT } what;
	struct wait_blocked blocked; /* begun only when it waits */
};

static struct sending *sending_of(struct wait *w)
{
	return LIST_ENTRY(w, struct sending, blocked.wait);
}

/* An armed waiter of the handle was given a slot. A send or reserve that already blocks on that
 * handle counts it in: else its thread could wait behind itself. */
static void count_in(struct handle *h, struct list *wakes)
{
	struct wait *blocked = h->blocked;

	if (blocked != NULL && chan_wait_state(blocked) == WAIT_QUEUED && --blocked->want == blocked->granted)
		chan_wait_wake(blocked, wakes);
}

/* The wait has all that it wants. */
static void complete_grant(struct mpsc *ch, struct wait *w, struct list *wakes)
{
	if (w->handle == NULL && sending_of(w)->what == SENDS) {
		ch->store->push(ch, sending_of(w)->msg); /* cannot fail: bounded */
		ch->held--;
		w->granted = 0;
		sending_of(w)->what = SENT;
		chan_mpsc_receivers_call(ch, 1, wakes);
	}
	chan_wait_wake(w, wakes);
	if (w->handle != NULL)
		count_in(w->handle, wakes);
}

void chan_mpsc_serve(struct mpsc *ch, struct list *wakes)
{
	size_t n;

	while (!list_empty(&ch->send_queue) && (n = chan_mpsc_free(ch)) > 0) {
		struct wait *w = chan_wait_first(&ch->send_queue);
		size_t missing = w->want - w->granted;
		size_t given = n < missing ? n : missing;

		ch->held += given;
		w->granted += given;
		if (given < missing)
			break; /* it stays at the head and keeps what it has (M-25) */
		complete_grant(ch, w, wakes);
	}
	if (!list_empty(&ch->core.recv_queue) && chan_mpsc_ended(ch))
		chan_wait_wake_all(&ch->core.recv_queue, wakes);
}

void chan_mpsc_slots_give(struct mpsc *ch, size_t n, struct list *wakes)
{
	ch->held -= n;
	chan_mpsc_serve(ch, wakes);
}

/* The slots that armed waiters of a sender own. Under the lock. */
static size_t owned(const struct handle *h)
{
	size_t n = 0;

	for (const struct list *node = h->armed.next; node != &h->armed; node = node->next)
		n += LIST_ENTRY(node, const struct wait, siblings)->granted;
	return n;
}

/* Waits until its wait was woken. False: the deadline came first. Under the lock, which is
 * released meanwhile. */
static bool block_for_slots(struct mpsc *ch, struct wait_blocked *blocked, uint64_t deadline, struct list *wakes)
{
	chan_mpsc_publish_state(ch);
	chan_mpsc_serve(ch, wakes); /* too few are free, but those it holds from now on */
	if (chan_wait_state(&blocked->wait) != WAIT_QUEUED) {
		/* it was woken just now, here, and need not be told */
		list_unlink(&blocked->wait.queue);
		return true;
	}
	if (!list_empty(wakes))
		/* whom this thread has woken must not wait for it */
		chan_wait_deliver(&ch->core.lock, wakes);
	return chan_wait_block(&ch->core.lock, blocked, deadline);
}

/* Waits in the queue for `n` slots. Those that armed waiters of the handle own, or get
 * meanwhile, count: the wait wants that much less, and they are used with it, or left as they
 * were if it fails. CHAN_OK: the slots are held, or the message was SENT. Under the lock, which
 * is released meanwhile. */
static enum chan_status queue_for_slots(struct handle *h, size_t n, struct sending *sending, uint64_t deadline,
                                        struct list *wakes)
{
	struct mpsc *ch = mpsc_of(h);
	struct wait *w = &sending->blocked.wait;
	enum chan_status status = CHAN_OK;

	chan_wait_blocked_init(&sending->blocked, ch->core.sleep);
	w->want = n - owned(h);
	list_append(&ch->send_queue, &w->queue);
	h->blocked = w;
	if (!block_for_slots(ch, &sending->blocked, deadline, wakes)) {
		list_unlink(&w->queue);
		status = CHAN_TIMEOUT;
	} else if (sending->what != SENT && chan_core_closed(&ch->core)) {
		chan_mpsc_slots_give(ch, chan_mpsc_granted_take(h, SIZE_MAX), wakes);
		status = CHAN_CLOSED;
	}
	h->blocked = NULL;
	if (status != CHAN_OK)
		chan_mpsc_slots_give(ch, w->granted, wakes); /* M-26, M-33 */
	else if (sending->what != SENT)
		chan_mpsc_granted_take(h, n - w->want);
	chan_wait_blocked_end(&sending->blocked);
	return status;
}

/* Takes `n` slots, all or none: first those that armed waiters of this handle own. Under the
 * lock. */
static enum chan_status acquire(struct handle *h, size_t n, struct sending *sending, uint64_t deadline,
                                struct list *wakes)
{
	struct mpsc *ch = mpsc_of(h);

	for (;;) {
		chan_mpsc_block_senders(ch, true);
		if (chan_core_closed(&ch->core)) {
			/* M-33 */
			chan_mpsc_slots_give(ch, chan_mpsc_granted_take(h, SIZE_MAX), wakes);
			return CHAN_CLOSED;
		}
		size_t own = owned(h);
		if (n > own)
			chan_mpsc_serve(ch, wakes); /* I2: a receiver may be on its way */
		if (n <= own || (list_empty(&ch->send_queue) && n - own <= chan_mpsc_free(ch))) {
			ch->held += n - chan_mpsc_granted_take(h, n);
			return CHAN_OK;
		}
		if (deadline == CHAN_NOW)
			return CHAN_FULL;
		if (list_empty(wakes))
			return queue_for_slots(h, n, sending, deadline, wakes);
		/* Whom this operation woke so far must not wait for it; what they do may change
		 * everything. */
		chan_mpsc_publish_state(ch);
		chan_wait_deliver(&ch->core.lock, wakes);
	}
}

/* Puts a message into a slot that the caller holds. CHAN_OK or CHAN_NOMEM. Under the lock. */
static enum chan_status put(struct mpsc *ch, const void *msg, struct list *wakes)
{
	if (!ch->store->push(ch, msg)) {
		chan_mpsc_slots_give(ch, 1, wakes);
		return CHAN_NOMEM;
	}
	ch->held--;
	chan_mpsc_receivers_call(ch, 1, wakes);
	return CHAN_OK;
}

/* Sends one message. Under the lock. */
static enum chan_status send_one(struct handle *h, const void *msg, uint64_t deadline, struct list *wakes)
{
	struct mpsc *ch = mpsc_of(h);
	struct sending sending;

	sending.msg = msg;
	sending.what = SENDS;
	enum chan_status status = acquire(h, 1, &sending, deadline, wakes);
	return status == CHAN_OK && sending.what != SENT ? put(ch, msg, wakes) : status;
}

enum chan_status chan_mpsc_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status;

	if (msg == NULL && h->core->layout.size != 0)
		return CHAN_INVALID;
	chan_handle_enter(h, "send");
	status = send_one(h, msg, deadline, &wakes);
	chan_mpsc_leave(h, &wakes);
	return status;
}

enum chan_status chan_mpsc_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
                                     uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	size_t size = h->core->layout.size;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status;

	*sent = 0;
	if (msgs == NULL && n != 0 && size != 0)
		return CHAN_INVALID;
	chan_handle_enter(h, "send_many");
	status = n == 0 && chan_core_closed(h->core) ? CHAN_CLOSED : CHAN_OK;
	while (status == CHAN_OK && *sent < n) {
		status = send_one(h, size == 0 ? NULL : (const char *)msgs + *sent * size, deadline, &wakes);
		if (status == CHAN_OK)
			++*sent;
	}
	chan_mpsc_leave(h, &wakes);
	return status;
}

void chan_mpsc_sent(struct handle *h, size_t n)
{
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "send");
	chan_mpsc_receivers_call(mpsc_of(h), n, &wakes);
	chan_mpsc_leave(h, &wakes);
}

enum chan_status chan_mpsc_reserve(struct chan_sender *tx, size_t n, struct chan_permit *permit, uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	struct list wakes = WAKES_NONE(wakes);
	struct sending sending;
	enum chan_status status;

	if (permit == NULL)
		return CHAN_INVALID;
	if (n > mpsc_of(h)->capacity)
		return deadline == CHAN_NOW ? CHAN_FULL : CHAN_INVALID; /* M-40, M-41 */
	chan_handle_enter(h, "reserve");
	sending.what = RESERVES;
	status = acquire(h, n, &sending, deadline, &wakes);
	if (status == CHAN_OK)
		*permit = (struct chan_permit){.sender = tx, .count = n};
	chan_mpsc_leave(h, &wakes);
	return status;
}

void chan_mpsc_permit_send(struct chan_permit *permit, const void *msg)
{
	struct handle *h = (struct handle *)permit->sender;
	struct list wakes = WAKES_NONE(wakes);

	assert(permit->count > 0);
	chan_handle_enter(h, "permit_send");
	permit->count--;
	put(mpsc_of(h), msg, &wakes); /* a slot is held, so there is room */
	chan_mpsc_leave(h, &wakes);
}

void chan_mpsc_permit_release(struct chan_permit *permit)
{
	struct handle *h = (struct handle *)permit->sender;
	struct list wakes = WAKES_NONE(wakes);

	if (permit->count == 0)
		return;
	chan_handle_enter(h, "permit_release");
	chan_mpsc_slots_give(mpsc_of(h), permit->count, &wakes);
	permit->count = 0;
	chan_mpsc_leave(h, &wakes);
}

enum chan_arm chan_mpsc_arm_send(struct chan_sender *tx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)tx;
	struct mpsc *ch = mpsc_of(h);
	struct list wakes = WAKES_NONE(wakes);
	enum chan_arm result = CHAN_READY;

	chan_handle_enter(h, "arm_send");
	chan_mpsc_block_senders(ch, true);
	chan_mpsc_serve(ch, &wakes);
	bool free = list_empty(&ch->send_queue) && chan_mpsc_free(ch) > 0;
	if (!chan_core_closed(&ch->core) && owned(h) == 0 && !free) {
		struct wait *w = chan_wait_arm(waiter, h, &h->armed, MPSC_SLOT);

		w->want = 1;
		list_append(&ch->send_queue, &w->queue);
		if (chan_mpsc_publish_state(ch))
			chan_mpsc_serve(ch, &wakes);
		result = CHAN_ARMED;
	}
	chan_mpsc_leave(h, &wakes);
	return result;
}
