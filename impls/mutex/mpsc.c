/* SPDX-License-Identifier: MIT
 *
 * mpsc.c - a bounded channel under one lock: every rule of the mpsc and unbounded kinds.
 *
 * WHAT IT IS. A bounded buffer as a monitor (Hoare; after a wait a thread looks again, as in Mesa).
 * What a sender waits for are slots, and these follow Tokio's batch semaphore: waiting senders are
 * served in the order in which they came, and one that wants several slots keeps those that it was
 * given so far.
 *
 * A channel is a store of messages, a count of the slots that are held, and three queues of waits
 * (wait.h): for slots, for messages, for the close. One mutex guards all of it (core.h). Every
 * operation takes the mutex, looks, changes the state, picks the waits that the change concerns,
 * and releases the mutex. Callbacks run after that.
 *
 * The store is what differs between the families. The mutex family has a plain queue (queue.c), and
 * all its operations come here. A store of fastpath/ can be used without the lock as long as
 * nothing special goes on; its operations come here when something does. What that asks of a store
 * stands at struct mpsc_store (mpsc.h).
 *
 * An unbounded channel is a bounded one with more slots than there is memory. Its senders never
 * wait for a slot, and only the push can fail. So one code serves both kinds; each table says which
 * parts of it that kind has.
 *
 *
 * SENDING (send, send_many, reserve, permit_send)
 *
 * S1  The sender acquires a slot: one that an armed waiter of its handle owns, or else a free one,
 *     if no other sender waits.
 * S2  If there is none it joins the end of the senders' queue and sleeps. A thread that gives slots
 *     back gives them to the head of that queue, until that has all it wants, and then wakes it.
 * S3  The sender puts the message into the slot, and wakes one receiver. For a send that is blocked
 *     this is done by the thread that gave the slot: it takes the message from where the sender
 *     left it, and the sender wakes up to find its work done.
 * S4  A reserve that wakes up looks at `closed` again. A slot that was given before the close and
 *     not used yet goes back, and the operation fails (M-33).
 *
 * RECEIVING (recv, recv_many)
 *
 * R1  The receiver takes the messages that are there, up to its limit.
 * R2  If there is none, and the channel has not ended, it joins the end of the receivers' queue,
 *     sleeps, and begins again at R1. A message wakes one receiver, but belongs to nobody until it
 *     is taken: a receiver that comes by may be faster, and the woken one then waits again.
 * R3  Each message that was taken leaves a free slot, which is given as in S2.
 *
 * CLOSING. The close wakes all senders and all that wait in closed(); it wakes the receivers if the
 * channel is idle. The drop of the last receiver closes, and then destroys the messages, oldest
 * first. The drop of the last sender wakes the receivers.
 *
 *
 * INVARIANTS (whenever the mutex is free)
 *
 * I1  A slot is free, or has a message in it, or is held. It is held by a permit, by a wait for
 *     slots (`granted`), or by an operation that is about to put a message into it.
 *     held = permits + the `granted` of every wait for slots; free = capacity - held - messages.
 *     The channel is idle when no slot is held and there are no messages.
 * I2  A sender waits for a slot only while none is free, or while a receiver that has made one free
 *     is on its way to give it. What becomes free goes to the head of the queue until that has what
 *     it wants, then to the next (no barging, FIFO, partial holding: M-22 to M-25).
 * I3  Nobody waits for a slot, or for the close, once the channel is closed.
 * I4  A receiver waits for a message only while there is none, or while each is spoken for: a
 *     receiver was woken for it and has not come back yet, or its sender is on its way to wake one.
 *     No receiver waits once the channel has ended (`ended`).
 * I5  `granted` of an armed wait is 1 from when it was woken with a slot that it owns, or for a
 *     message, until its handle uses that; else it is 0. An operation that is blocked on the same
 *     handle uses it at once (handle.blocked).
 *
 *
 * WHERE EACH WAKE COMES FROM
 *
 * A sender    is woken by the slot that it was given: by a receive, by a permit that is released,
 *             by a wait that gives up or is disarmed; or by the close.
 * A receiver  is woken by a message, one receiver for each (P-4); by the last sender's drop, and by
 *             the close or what makes a closed channel idle later, all of them (M-50); by the
 *             disarm of another that was woken for a message and has not used it (P-5). Only an
 *             armed receiver can leave its message so: a blocked one cannot give up while there is
 *             one.
 * closed()    is woken by the close.
 *
 * Seven of the eight ways in which a closed channel becomes idle (M-50) give slots back, and so end
 * in `serve`, which sees it. The eighth, the last permit that is sent, wakes by its message, and
 * the receive of that message makes the slot free.
 *
 *
 * WHO EXCLUDES WHOM. The mutex excludes every operation from every other. Others come in between
 * only where an operation releases it, and these are all such places:
 *
 *   where                 operation                      and after it
 *   chan_wait_block       send, reserve, recv sleep      a sender has its slots or looks at
 *                                                        `closed` (S4); a receiver begins again
 *                                                        (R1)
 *   chan_wait_deliver     before a sender sleeps         `acquire` begins again, or the wait is
 *                                                        queued already
 *                         before a drop destroys         the channel is closed for good
 *   drain                 a message is destroyed         the message keeps its slot until then
 *   chan_wait_disarm      a callback is waited for       `granted` was taken away before
 *   await_messages        a message is being put in      a receiver begins again (R1)
 *
 * LINEARIZATION. An operation takes effect in its critical section, and one that has slept in its
 * last; but a blocked send that was given its slot takes effect where its message was put in (S3).
 *
 * ORDER. There are no atomic operations here: the mutex orders everything. What was done before a
 * message was put in happens before its receive, and what was done before a slot was given back
 * happens before its use, each by the release of the mutex and the next lock. A wake after the
 * release of the mutex is ordered by wait.h.
 */
#include "impls/mutex/mpsc.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

/* What an armed wait waits for (wait.event); 0 is the close (chan_core_arm_closed). */
enum mpsc_event { MPSC_SLOT = 1, MPSC_MESSAGE };

/* Slots of an unbounded channel: more than messages fit in memory, and safe to add to. */
#define UNLIMITED (SIZE_MAX >> 1)

static struct mpsc *mpsc_of(const struct handle *h)
{
	return (struct mpsc *)h->core;
}

/* ------------------------------------------------------------------------------------------
 * The state. Everything down to the operations runs under the lock.
 */

static void block_senders(struct mpsc *ch, bool sender)
{
	if (ch->store->block_senders != NULL)
		ch->store->block_senders(ch, sender);
}

static bool publish_state(struct mpsc *ch)
{
	return ch->store->publish_state != NULL && ch->store->publish_state(ch);
}

static void leave(struct handle *h, struct list *wakes)
{
	publish_state(mpsc_of(h));
	chan_handle_leave(h, wakes);
}

void chan_mpsc_leave(struct handle *h, struct list *wakes)
{
	leave(h, wakes);
}

/* The slots that nobody holds (I1). The number is exact while senders are blocked, and else may
 * be out of date at once. */
static size_t free_slots(const struct mpsc *ch)
{
	size_t used = ch->held + ch->store->len(ch);

	return used < ch->capacity ? ch->capacity - used : 0;
}

/* Whether nothing can be received any more, now and for ever: there is no message, and no sender
 * is left or the channel is closed and idle (M-46, M-54). */
static bool ended(const struct mpsc *ch)
{
	bool closed = ch->core.senders == 0 || (chan_core_closed(&ch->core) && ch->held == 0);

	return closed && ch->store->len(ch) == 0;
}

/* The slots that armed waiters of a sender own. */
static size_t owned(const struct handle *h)
{
	size_t n = 0;

	for (const struct list *node = h->armed.next; node != &h->armed; node = node->next)
		n += LIST_ENTRY(node, const struct wait, siblings)->granted;
	return n;
}

/* Uses up to `n` of what was granted to the waiters armed on a handle (I5); returns how many. */
static size_t use_granted(struct handle *h, size_t n)
{
	size_t taken = 0;

	for (struct list *node = h->armed.next; node != &h->armed && taken < n; node = node->next) {
		struct wait *w = LIST_ENTRY(node, struct wait, siblings);

		taken += w->granted; /* 0 or 1 (I5) */
		w->granted = 0;
	}
	return taken;
}

/* ------------------------------------------------------------------------------------------
 * Waking: a message to a receiver, a slot to a sender
 */

/* An armed waiter of the handle was woken for a message. A receive that is blocked on that handle
 * takes it, for else its thread could wait behind itself. */
static void wake_blocked(struct handle *h, struct list *wakes)
{
	if (h->blocked != NULL && chan_wait_state(h->blocked) == WAIT_QUEUED)
		chan_wait_wake(h->blocked, wakes);
}

/* Wakes one waiting receiver for each of `n` messages, or for as many as are there. */
static void wake_receivers(struct mpsc *ch, size_t n, struct list *wakes)
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

/* What a thread wants slots for, and its wait in the senders' queue if it has to wait for them. */
struct sending {
	const void *msg; /* of a send: where the message lies until it was sent */
	enum { RESERVES, SENDS, SENT } what;
	struct wait_blocked blocked; /* begun only when it waits */
};

static struct sending *sending_of(struct wait *w)
{
	return LIST_ENTRY(w, struct sending, blocked.wait);
}

/* An armed waiter of the handle was given a slot. A send or reserve that is blocked on that handle
 * counts it as its own, for else its thread could wait behind itself. */
static void count_in(struct handle *h, struct list *wakes)
{
	struct wait *blocked = h->blocked;

	if (blocked != NULL && chan_wait_state(blocked) == WAIT_QUEUED && --blocked->want == blocked->granted)
		chan_wait_wake(blocked, wakes);
}

/* The wait has all the slots that it wants. A blocked send is finished here (S3). */
static void complete_grant(struct mpsc *ch, struct wait *w, struct list *wakes)
{
	if (w->handle == NULL && sending_of(w)->what == SENDS) {
		ch->store->push(ch, sending_of(w)->msg); /* cannot fail: bounded */
		ch->held--;
		w->granted = 0;
		sending_of(w)->what = SENT;
		wake_receivers(ch, 1, wakes);
	}
	chan_wait_wake(w, wakes);
	if (w->handle != NULL)
		count_in(w->handle, wakes);
}

/* Gives what is free to those who wait for it (I2), and wakes all receivers if the channel has
 * ended. Every change that frees a slot or may make the channel idle ends here. */
static void serve(struct mpsc *ch, struct list *wakes)
{
	size_t n;

	while (!list_empty(&ch->send_queue) && (n = free_slots(ch)) > 0) {
		struct wait *w = chan_wait_first(&ch->send_queue);
		size_t missing = w->want - w->granted;
		size_t given = n < missing ? n : missing;

		ch->held += given;
		w->granted += given;
		if (given < missing)
			break; /* it stays at the head and keeps what it has (M-25) */
		complete_grant(ch, w, wakes);
	}
	if (!list_empty(&ch->core.recv_queue) && ended(ch))
		chan_wait_wake_all(&ch->core.recv_queue, wakes);
}

/* Gives `n` slots back that are held: to those who wait for them, in order, else to the pool. */
static void give_slots(struct mpsc *ch, size_t n, struct list *wakes)
{
	ch->held -= n;
	serve(ch, wakes);
}

/* ------------------------------------------------------------------------------------------
 * Acquiring slots
 */

/* Sleeps until the wait, which is queued, was woken. False: the deadline came first. The lock is
 * released meanwhile. */
static bool block_for_slots(struct mpsc *ch, struct wait_blocked *blocked, uint64_t deadline, struct list *wakes)
{
	publish_state(ch);
	serve(ch, wakes); /* too few are free, but those it holds from now on */
	if (chan_wait_state(&blocked->wait) != WAIT_QUEUED) {
		/* it was woken just now, here, and need not be told */
		list_unlink(&blocked->wait.queue);
		return true;
	}
	if (!list_empty(wakes))
		/* those whom this thread has woken must not wait for it */
		chan_wait_deliver(&ch->core.lock, wakes);
	return chan_wait_block(&ch->core.lock, blocked, deadline);
}

/* Waits in the queue for `n` slots (S2). Slots that armed waiters of the handle own, or get
 * meanwhile, count: the wait wants so many fewer. They are used if the wait succeeds, and left
 * as they were if it fails. CHAN_OK: the slots are held, or the message was SENT. The lock is
 * released meanwhile. */
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
	} else if (sending->what != SENT && chan_core_closed(&ch->core)) { /* S4 */
		give_slots(ch, use_granted(h, SIZE_MAX), wakes);
		status = CHAN_CLOSED;
	}
	h->blocked = NULL;
	if (status != CHAN_OK)
		give_slots(ch, w->granted, wakes); /* M-26, M-33 */
	else if (sending->what != SENT)
		use_granted(h, n - w->want);
	chan_wait_blocked_end(&sending->blocked);
	return status;
}

/* Acquires `n` slots, all or none (S1). As queue_for_slots. */
static enum chan_status acquire(struct handle *h, size_t n, struct sending *sending, uint64_t deadline,
                                struct list *wakes)
{
	struct mpsc *ch = mpsc_of(h);

	for (;;) {
		block_senders(ch, true);
		if (chan_core_closed(&ch->core)) {
			/* M-33 */
			give_slots(ch, use_granted(h, SIZE_MAX), wakes);
			return CHAN_CLOSED;
		}
		size_t own = owned(h);
		if (n > own)
			serve(ch, wakes); /* I2: a receiver may be on its way */
		if (n <= own || (list_empty(&ch->send_queue) && n - own <= free_slots(ch))) {
			ch->held += n - use_granted(h, n);
			return CHAN_OK;
		}
		if (deadline == CHAN_NOW)
			return CHAN_FULL;
		if (list_empty(wakes))
			return queue_for_slots(h, n, sending, deadline, wakes);
		/* Those whom this operation has woken so far must not wait for it. What they do may
		 * change everything. */
		publish_state(ch);
		chan_wait_deliver(&ch->core.lock, wakes);
	}
}

/* ------------------------------------------------------------------------------------------
 * Sending
 */

/* Puts a message into a slot that the caller holds (S3). CHAN_OK or CHAN_NOMEM. Under the lock. */
static enum chan_status put_message(struct mpsc *ch, const void *msg, struct list *wakes)
{
	if (!ch->store->push(ch, msg)) {
		give_slots(ch, 1, wakes);
		return CHAN_NOMEM;
	}
	ch->held--;
	wake_receivers(ch, 1, wakes);
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
	return status == CHAN_OK && sending.what != SENT ? put_message(ch, msg, wakes) : status;
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
	leave(h, &wakes);
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
	leave(h, &wakes);
	return status;
}

void chan_mpsc_sent(struct handle *h, size_t n)
{
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "send");
	wake_receivers(mpsc_of(h), n, &wakes);
	leave(h, &wakes);
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
	leave(h, &wakes);
	return status;
}

void chan_mpsc_permit_send(struct chan_permit *permit, const void *msg)
{
	struct handle *h = (struct handle *)permit->sender;
	struct list wakes = WAKES_NONE(wakes);

	assert(permit->count > 0);
	chan_handle_enter(h, "permit_send");
	permit->count--;
	put_message(mpsc_of(h), msg, &wakes); /* a slot is held, so there is room */
	leave(h, &wakes);
}

void chan_mpsc_permit_release(struct chan_permit *permit)
{
	struct handle *h = (struct handle *)permit->sender;
	struct list wakes = WAKES_NONE(wakes);

	if (permit->count == 0)
		return;
	chan_handle_enter(h, "permit_release");
	give_slots(mpsc_of(h), permit->count, &wakes);
	permit->count = 0;
	leave(h, &wakes);
}

enum chan_arm chan_mpsc_arm_send(struct chan_sender *tx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)tx;
	struct mpsc *ch = mpsc_of(h);
	struct list wakes = WAKES_NONE(wakes);
	enum chan_arm result = CHAN_READY;

	chan_handle_enter(h, "arm_send");
	block_senders(ch, true);
	serve(ch, &wakes);
	bool free = list_empty(&ch->send_queue) && free_slots(ch) > 0;
	if (!chan_core_closed(&ch->core) && owned(h) == 0 && !free) {
		struct wait *w = chan_wait_arm(waiter, h, &h->armed, MPSC_SLOT);

		w->want = 1;
		list_append(&ch->send_queue, &w->queue);
		if (publish_state(ch))
			serve(ch, &wakes);
		result = CHAN_ARMED;
	}
	leave(h, &wakes);
	return result;
}

/* ------------------------------------------------------------------------------------------
 * Receiving
 */

/* Sleeps in the queue until it was woken for a message. False: the deadline came first. The lock is
 * released meanwhile. */
static bool block_for_message(struct handle *h, uint64_t deadline)
{
	struct mpsc *ch = mpsc_of(h);
	struct wait_blocked blocked;
	bool woken = false, in_time = true;

	chan_wait_blocked_init(&blocked, ch->core.sleep);
	blocked.spun = h->spun;
	h->spun = false; /* if others are faster it waits again */
	list_append(&ch->core.recv_queue, &blocked.wait.queue);
	h->blocked = &blocked.wait;
	if (!publish_state(ch) || ch->store->len(ch) == 0)
		in_time = woken = chan_wait_block(&ch->core.lock, &blocked, deadline);
	if (!woken) /* else the thread that woke it has unlinked it, or has it in its own list */
		list_unlink(&blocked.wait.queue);
	h->blocked = NULL;
	chan_wait_blocked_end(&blocked);
	return in_time;
}

/* Waits until it has taken between 1 and `limit` messages: `*n` (R1, R2). Under the lock, which is
 * released meanwhile. */
static enum chan_status await_messages(struct handle *h, void *msgs, size_t limit, size_t *n, uint64_t deadline)
{
	struct mpsc *ch = mpsc_of(h);
	unsigned turn = 0;

	for (bool in_time = true;;) {
		if ((*n = ch->store->take(h, msgs, limit)) > 0)
			return CHAN_OK;
		/* a sender is just putting it in, or another receiver was faster */
		if (ch->store->len(ch) > 0) {
			pthread_mutex_unlock(&ch->core.lock);
			chan_give_way(&turn);
			pthread_mutex_lock(&ch->core.lock);
			continue;
		}
		if (ended(ch))
			return CHAN_CLOSED;
		if (deadline == CHAN_NOW)
			return CHAN_EMPTY;
		if (!in_time)
			return CHAN_TIMEOUT;
		in_time = block_for_message(h, deadline);
	}
}

/* Receives between 1 and `limit` messages, and gives on the slots that become free (R3). */
static enum chan_status receive(struct handle *h, void *msgs, size_t limit, size_t *received, uint64_t deadline)
{
	struct mpsc *ch = mpsc_of(h);
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status;

	chan_handle_enter(h, "recv");
	status = await_messages(h, msgs, limit, received, deadline);
	if (status == CHAN_OK) {
		use_granted(h, *received);
		serve(ch, &wakes);
	} else {
		/* others were faster, and there is nothing to pass on */
		use_granted(h, SIZE_MAX);
	}
	leave(h, &wakes);
	return status;
}

void chan_mpsc_taken(struct handle *h, size_t n)
{
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "recv");
	use_granted(h, n);
	serve(mpsc_of(h), &wakes);
	leave(h, &wakes);
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
	if (ch->store->len(ch) == 0 && !ended(ch)) {
		struct wait *w = chan_wait_arm(waiter, h, &h->armed, MPSC_MESSAGE);

		list_append(&ch->core.recv_queue, &w->queue);
		if (publish_state(ch))
			wake_receivers(ch, 1, &wakes);
		result = CHAN_ARMED;
	}
	leave(h, &wakes);
	return result;
}

/* ------------------------------------------------------------------------------------------
 * Opening, closing, dropping, disarming
 */

/* The last handle is gone. Messages that are still inside were sent with permits after the last
 * receiver's drop (D-4). */
static void free_channel(struct core *core)
{
	struct mpsc *ch = (struct mpsc *)core;

	while (core->config.destroy != NULL && ch->store->len(ch) > 0) {
		core->config.destroy(ch->store->front(ch), core->config.context);
		ch->store->pop(ch);
	}
	chan_core_fini(core);
	ch->store->free(ch);
}

void chan_mpsc_init(struct mpsc *ch, const struct chan_config *config, const struct layout *layout, size_t capacity,
                    const struct mpsc_store *store, enum core_sleep sleep)
{
	chan_core_init(&ch->core, config, layout, sleep, free_channel);
	ch->store = store;
	ch->bounded = capacity != 0;
	ch->capacity = ch->bounded ? capacity : UNLIMITED;
	list_init(&ch->send_queue);
}

enum chan_status chan_mpsc_open(struct mpsc *ch, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct handle *sender = chan_handle_new(&ch->core, ch->core.handle_size);
	struct handle *receiver = chan_handle_new(&ch->core, ch->core.handle_size);

	if (sender == NULL || receiver == NULL) {
		free(receiver);
		free(sender);
		chan_core_fini(&ch->core);
		ch->store->free(ch);
		return CHAN_NOMEM;
	}
	ch->core.senders = ch->core.receivers = 1;
	*tx = (struct chan_sender *)sender;
	*rx = (struct chan_receiver *)receiver;
	return CHAN_OK;
}

enum chan_status chan_mpsc_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct handle *h = (struct handle *)rx;

	return chan_handle_clone(h, &h->core->receivers, "receiver_clone", (struct handle **)out);
}

/* Ends a registration, and passes on what was granted to it and its handle did not use. Returns
 * whether it had fired. Under the lock, which may be released meanwhile. */
static bool disarm(struct handle *h, struct wait *w, struct list *wakes)
{
	size_t unused = w->granted;

	w->granted = 0; /* from here on nobody else counts it */
	enum wait_state found = chan_wait_disarm(&h->core->lock, w);
	if (w->event == MPSC_SLOT)
		give_slots(mpsc_of(h), unused, wakes); /* M-26 */
	else
		wake_receivers(mpsc_of(h), unused, wakes); /* P-5 */
	return found != WAIT_QUEUED;
}

bool chan_mpsc_disarm(struct chan_waiter *waiter)
{
	struct wait *w = chan_wait_of_waiter(waiter);
	struct handle *h = w->handle;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "disarm");
	bool fired = disarm(h, w, &wakes);
	leave(h, &wakes);
	return fired;
}

/* Disarms all waiters of a handle before its drop (D-14). As disarm. */
static void disarm_all(struct handle *h, struct list *wakes)
{
	while (!list_empty(&h->armed))
		disarm(h, LIST_ENTRY(h->armed.next, struct wait, siblings), wakes);
}

void chan_mpsc_sender_drop(struct chan_sender **tx)
{
	struct handle *h = (struct handle *)*tx;
	struct list wakes = WAKES_NONE(wakes);

	*tx = NULL;
	if (h == NULL)
		return;

	struct core *core = h->core;
	chan_handle_enter(h, "sender_drop");
	disarm_all(h, &wakes);
	if (--core->senders == 0)
		chan_wait_wake_all(&core->recv_queue, &wakes);
	leave(h, &wakes);
	free(h);
	chan_core_unref(core);
}

/* Closes the channel. A sender that waits for a slot sees it when it wakes up (M-32). Under the
 * lock. */
static void close_channel(struct mpsc *ch, struct list *wakes)
{
	block_senders(ch, false);
	ch->core.closed = true;
	publish_state(ch);
	chan_wait_wake_all(&ch->send_queue, wakes);
	chan_wait_wake_all(&ch->core.closed_queue, wakes);
	if (ended(ch))
		chan_wait_wake_all(&ch->core.recv_queue, wakes);
}

/* Destroys the messages, oldest first, where they lie (D-2, D-3). Nobody receives any more. A
 * message keeps its slot until it has been destroyed, so that a permit that is sent meanwhile
 * puts its message elsewhere. Under the lock, which is released for each. */
static void drain(struct mpsc *ch)
{
	const struct chan_config *config = &ch->core.config;

	while (ch->store->len(ch) > 0) {
		void *msg = ch->store->front(ch);

		if (config->destroy != NULL) {
			pthread_mutex_unlock(&ch->core.lock);
			config->destroy(msg, config->context);
			pthread_mutex_lock(&ch->core.lock);
		}
		ch->store->pop(ch); /* nobody waits for the slot: I3 */
	}
}

void chan_mpsc_receiver_drop(struct chan_receiver **rx)
{
	struct handle *h = (struct handle *)*rx;
	struct list wakes = WAKES_NONE(wakes);

	*rx = NULL;
	if (h == NULL)
		return;

	struct core *core = h->core;
	chan_handle_enter(h, "receiver_drop");
	disarm_all(h, &wakes);
	if (--core->receivers == 0) {
		close_channel(mpsc_of(h), &wakes);
		chan_wait_deliver(&core->lock, &wakes); /* they do not wait for destroy */
		drain(mpsc_of(h));
	}
	leave(h, &wakes);
	free(h);
	chan_core_unref(core);
}

void chan_mpsc_close(struct chan_receiver *rx)
{
	struct handle *h = (struct handle *)rx;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "close");
	if (!chan_core_closed(h->core))
		close_channel(mpsc_of(h), &wakes);
	leave(h, &wakes);
}

/* ------------------------------------------------------------------------------------------
 * Properties
 */

static uint64_t property_of(struct handle *h, bool sender, enum chan_property property)
{
	struct mpsc *ch = mpsc_of(h);
	struct list wakes = WAKES_NONE(wakes);
	uint64_t value;

	chan_handle_enter(h, "get");
	if (property == CHAN_LEN)
		value = ch->store->len(ch);
	else if (property == CHAN_CAPACITY && ch->bounded)
		value = free_slots(ch);
	else if (property == CHAN_MAX_CAPACITY && ch->bounded)
		value = ch->capacity;
	else
		value = chan_core_get(&ch->core, sender, property);
	chan_handle_leave(h, &wakes);
	return value;
}

uint64_t chan_mpsc_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	return property_of((struct handle *)(uintptr_t)tx, true, property);
}

uint64_t chan_mpsc_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	return property_of((struct handle *)(uintptr_t)rx, false, property);
}
