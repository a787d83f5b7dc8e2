/* SPDX-License-Identifier: MIT
 *
 * unbounded_recv.c - receiving from an unbounded channel, and waiting for it. Overview and
 * invariants: unbounded.h.
 *
 * A message wakes one receiver that waits, and belongs to nobody until it is taken: a receiver that
 * comes by may be faster, and the woken one then waits again. An armed receiver that was woken for
 * a message and never received is made good for when it is disarmed (P-5); a blocked one cannot
 * give up while there is a message.
 */
#include "impls/futex/blocks_fast.h"
#include "impls/fastpath/unbounded.h"

/* An armed waiter of the handle was woken for a message. */
static void wake_blocked(struct handle *h, struct list *wakes)
{
	if (h->blocked != NULL && chan_wait_state(h->blocked) == WAIT_QUEUED)
		chan_wait_wake(h->blocked, wakes);
}

void chan_unbounded_publish_state(struct unbounded *ch)
{
	if (list_empty(&ch->core.recv_queue))
		chan_chain_unflag(&ch->chain, CHAIN_WAITING);
}

void chan_unbounded_call(struct unbounded *ch, size_t n, struct list *wakes)
{
	if (n == 0 || list_empty(&ch->core.recv_queue))
		return;
	size_t there = chan_chain_len(&ch->chain);
	for (n = n < there ? n : there; n > 0 && !list_empty(&ch->core.recv_queue); n--) {
		struct wait *w = chan_wait_first(&ch->core.recv_queue);

		w->granted = 1;
		chan_wait_wake(w, wakes);
		if (w->handle != NULL)
			wake_blocked(w->handle, wakes);
	}
	chan_unbounded_publish_state(ch);
}

/* Joins the receivers that wait. False: there is a message, or an end; it has left them again.
 * Under the lock. */
static bool join(struct unbounded *ch, struct wait *w)
{
	list_append(&ch->core.recv_queue, &w->queue);
	if (!chan_chain_flag(&ch->chain, CHAIN_WAITING))
		return true;
	list_unlink(&w->queue);
	chan_unbounded_publish_state(ch);
	return false;
}

/* Sleeps until there may be something, or the deadline. False: it came. */
static bool sleep(struct handle *h, uint64_t deadline, bool *slept)
{
	struct unbounded *ch = unbounded_of(h);
	struct wait_blocked blocked;
	bool woken = true;

	chan_wait_blocked_init(&blocked, ch->core.sleep);
	blocked.spun = true;
	pthread_mutex_lock(&ch->core.lock);
	*slept = join(ch, &blocked.wait);
	if (*slept) {
		h->blocked = &blocked.wait;
		woken = chan_wait_block(&ch->core.lock, &blocked, deadline);
		h->blocked = NULL;
		if (!woken) {
			list_unlink(&blocked.wait.queue);
			chan_unbounded_publish_state(ch);
		}
	}
	pthread_mutex_unlock(&ch->core.lock);
	chan_wait_blocked_end(&blocked);
	return woken;
}

/* There was nothing to take. Waits for a message and takes up to `limit`, as take; 0: an end, or
 * `*expired`. */
static size_t await(struct handle *h, void *msgs, size_t limit, uint64_t *tail, uint64_t deadline, bool *expired)
{
	struct unbounded *ch = unbounded_of(h);
	bool alone = !atomic_load_explicit(&ch->chain.shared, memory_order_relaxed);
	size_t n = 0;

	if (alone) {
		poll_gained(&ch->poll, ch->gained, SIZE_MAX);
		ch->gained = 0;
		poll_wait(&ch->poll);
	}
	while (n == 0 && !(*tail & CHAIN_ENDING) && !*expired) {
		struct spin spin;
		bool slept = false;

		chan_spin_begin(&spin, &ch->core.site, NULL, false, alone ? ch->poll.ns : 0);
		chan_spin_until(&spin, deadline);
		while (!chan_chain_ready(&ch->chain) && chan_spin(&spin))
			;
		if (!chan_chain_ready(&ch->chain))
			*expired = !sleep(h, deadline, &slept);
		chan_spin_end(&spin, slept);
		n = chan_chain_take(&ch->chain, msgs, limit, tail);
	}
	return n;
}

/* The armed waiters of the handle that were woken for messages have got them. */
static void granted_take(struct handle *h, size_t n)
{
	pthread_mutex_lock(&h->core->lock);
	for (struct list *node = h->armed.next; node != &h->armed && n > 0; node = node->next) {
		struct wait *w = LIST_ENTRY(node, struct wait, siblings);

		n -= w->granted;
		w->granted = 0;
	}
	pthread_mutex_unlock(&h->core->lock);
}

static enum chan_status receive(struct handle *h, void *msgs, size_t limit, size_t *received, uint64_t deadline)
{
	struct unbounded *ch = unbounded_of(h);
	bool expired = false;
	uint64_t tail;

	owner_check_enter(&h->owner, "recv");
	size_t n = chan_chain_take(&ch->chain, msgs, limit, &tail);
	if (n == 0 && deadline != CHAN_NOW && !(tail & CHAIN_ENDING))
		n = await(h, msgs, limit, &tail, deadline, &expired);
	if (!list_empty(&h->armed))
		/* none: others were faster, there is nothing to pass on */
		granted_take(h, n > 0 ? n : SIZE_MAX);
	if (!atomic_load_explicit(&ch->chain.shared, memory_order_relaxed))
		ch->gained += n;
	owner_check_leave(&h->owner);
	*received = n;
	if (n > 0)
		return CHAN_OK;
	return tail & CHAIN_ENDING ? CHAN_CLOSED : expired ? CHAN_TIMEOUT : CHAN_EMPTY;
}

enum chan_status chan_unbounded_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct handle *h = (struct handle *)rx;
	struct unbounded *ch = unbounded_of(h);
	size_t received;

	if (msg == NULL && ch->chain.layout.size != 0)
		return CHAN_INVALID;
	owner_check_enter(&h->owner, "recv");
	bool taken = list_empty(&h->armed) && chain_take_one(&ch->chain, msg);
	owner_check_leave(&h->owner);
	if (taken) {
		ch->gained++;
		return CHAN_OK;
	}
	return receive(h, msg, 1, &received, deadline);
}

enum chan_status chan_unbounded_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
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

enum chan_arm chan_unbounded_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)rx;
	struct unbounded *ch = unbounded_of(h);
	struct list wakes = WAKES_NONE(wakes);
	enum chan_arm result = CHAN_ARMED;

	chan_handle_enter(h, "arm_recv");
	struct wait *w = chan_wait_arm(waiter, h, &h->armed, 0);
	if (!join(ch, w)) {
		list_unlink(&w->siblings);
		result = CHAN_READY;
	}
	chan_handle_leave(h, &wakes);
	return result;
}

/* Ends a registration and passes on what it stood for and its handle did not use. Returns
 * whether it had fired. Under the lock, which may be released meanwhile. */
static bool disarm(struct handle *h, struct wait *w, struct list *wakes)
{
	size_t unused = w->granted;

	w->granted = 0; /* from here on nobody else counts it */
	enum wait_state found = chan_wait_disarm(&h->core->lock, w);
	chan_unbounded_call(unbounded_of(h), unused, wakes); /* P-5 */
	chan_unbounded_publish_state(unbounded_of(h));
	return found != WAIT_QUEUED;
}

bool chan_unbounded_disarm(struct chan_waiter *waiter)
{
	struct wait *w = chan_wait_of_waiter(waiter);
	struct handle *h = w->handle;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "disarm");
	bool fired = disarm(h, w, &wakes);
	chan_handle_leave(h, &wakes);
	return fired;
}

void chan_unbounded_disarm_all(struct handle *h)
{
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "drop");
	while (!list_empty(&h->armed))
		disarm(h, LIST_ENTRY(h->armed.next, struct wait, siblings), &wakes);
	chan_handle_leave(h, &wakes);
}
