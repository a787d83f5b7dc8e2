/* SPDX-License-Identifier: MIT
 *
 * unbounded.c - an unbounded channel: what is rare. Sleeping and waking, arming, closing, the life
 * of the channel, properties. Overview and invariants: unbounded.h; what is the same in each kind:
 * base/core.h.
 */
#include "impls/fastpath/unbounded.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------------
 * Waiting and waking. Under the lock.
 */

/* An armed waiter of the handle was woken for a message (I3). */
static void wake_blocked(struct handle *h, struct list *wakes)
{
	if (h->blocked != NULL && chan_wait_state(h->blocked) == WAIT_QUEUED)
		chan_wait_wake(h->blocked, wakes);
}

/* After a receiver has left core.recv_queue, or all were woken (I1). */
static void publish_state(struct unbounded *ch)
{
	if (list_empty(&ch->core.recv_queue))
		ch->store->unset(ch, UNBOUNDED_WAITING);
}

/* Receivers that wait, up to `n`. A store may find it dear to count more messages than that. */
static size_t waiting_up_to(const struct unbounded *ch, size_t n)
{
	size_t waiting = 0;

	for (const struct list *w = ch->core.recv_queue.next; w != &ch->core.recv_queue && waiting < n; w = w->next)
		waiting++;
	return waiting;
}

/* Wakes receivers that wait, one for each of up to `n` messages that are there. */
static void wake_receivers(struct unbounded *ch, size_t n, struct list *wakes)
{
	if (n == 0 || list_empty(&ch->core.recv_queue))
		return;
	size_t there = ch->store->len(ch, waiting_up_to(ch, n));
	for (n = n < there ? n : there; n > 0 && !list_empty(&ch->core.recv_queue); n--) {
		struct wait *w = chan_wait_first(&ch->core.recv_queue);

		w->granted = 1;
		chan_wait_wake(w, wakes);
		if (w->handle != NULL)
			wake_blocked(w->handle, wakes);
	}
	publish_state(ch);
}

/* Joins the receivers that wait. False: there is a message, or an end; it has left them again. */
static bool join(struct unbounded *ch, struct wait *w)
{
	list_append(&ch->core.recv_queue, &w->queue);
	if (!ch->store->set(ch, UNBOUNDED_WAITING))
		return true;
	list_unlink(&w->queue);
	publish_state(ch);
	return false;
}

void chan_unbounded_wake(struct handle *h, size_t n)
{
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "send");
	wake_receivers(unbounded_of(h), n, &wakes);
	chan_handle_leave(h, &wakes);
}

bool chan_unbounded_sleep(struct handle *h, uint64_t deadline, bool *slept)
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
			publish_state(ch);
		}
	}
	pthread_mutex_unlock(&ch->core.lock);
	chan_wait_blocked_end(&blocked);
	return woken;
}

void chan_unbounded_granted(struct handle *h, size_t n)
{
	pthread_mutex_lock(&h->core->lock);
	for (struct list *node = h->armed.next; node != &h->armed && n > 0; node = node->next) {
		struct wait *w = LIST_ENTRY(node, struct wait, siblings);

		n -= w->granted;
		w->granted = 0;
	}
	pthread_mutex_unlock(&h->core->lock);
}

/* ------------------------------------------------------------------------------------------
 * Arming
 */

/* A sender can always send (U-1). */
enum chan_arm chan_unbounded_arm_send(struct chan_sender *tx, struct chan_waiter *waiter)
{
	(void)tx;
	(void)waiter;
	return CHAN_READY;
}

enum chan_arm chan_unbounded_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)rx;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_arm result = CHAN_ARMED;

	chan_handle_enter(h, "arm_recv");
	struct wait *w = chan_wait_arm(waiter, h, &h->armed, 0);
	if (!join(unbounded_of(h), w)) {
		list_unlink(&w->siblings);
		result = CHAN_READY;
	}
	chan_handle_leave(h, &wakes);
	return result;
}

/* Ends a registration and passes on what it stood for and its handle did not use. Returns
 * whether it was woken. Under the lock, which may be released meanwhile. */
static bool disarm(struct handle *h, struct wait *w, struct list *wakes)
{
	size_t unused = w->granted;

	w->granted = 0; /* from here on nobody else counts it */
	enum wait_state found = chan_wait_disarm(&h->core->lock, w);
	wake_receivers(unbounded_of(h), unused, wakes); /* P-5 */
	publish_state(unbounded_of(h));
	return found != WAIT_QUEUED;
}

bool chan_unbounded_disarm(struct chan_waiter *waiter)
{
	struct wait *w = chan_wait_of_waiter(waiter);
	struct handle *h = w->handle;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "disarm");
	bool woken = disarm(h, w, &wakes);
	chan_handle_leave(h, &wakes);
	return woken;
}

/* Before a receiver is dropped (D-14). */
static void disarm_all(struct handle *h)
{
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "drop");
	while (!list_empty(&h->armed))
		disarm(h, LIST_ENTRY(h->armed.next, struct wait, siblings), &wakes);
	chan_handle_leave(h, &wakes);
}

/* ------------------------------------------------------------------------------------------
 * The life of a channel
 */

/* The last handle is gone. The last receiver's drop has left nothing inside, and closed. */
static void end(struct core *core)
{
	struct unbounded *ch = (struct unbounded *)core;

	ch->store->close(ch);
	chan_core_fini(core);
	free(ch);
}

/* Nothing more will be sent. Under the lock. */
static void set_ending(struct unbounded *ch, unsigned why)
{
	ch->store->set(ch, why);
	atomic_store_explicit(&ch->ended, true, memory_order_relaxed);
}

/* All receivers are about to be woken. */
static void no_senders(struct core *core)
{
	struct unbounded *ch = (struct unbounded *)core;

	set_ending(ch, UNBOUNDED_NO_SENDERS);
	ch->store->unset(ch, UNBOUNDED_WAITING);
}

enum chan_status chan_unbounded_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx, size_t size, size_t handle_size,
                                     const struct unbounded_store *store)
{
	struct layout layout;
	void *memory;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	enum chan_status status = chan_config_layout(config, &layout);
	if (status != CHAN_OK)
		return status;
	if (posix_memalign(&memory, alignof(struct unbounded), size) != 0)
		return CHAN_NOMEM;
	struct unbounded *ch = memset(memory, 0, size);
	chan_core_init(&ch->core, config, &layout, CORE_PARKS, end);
	ch->core.no_senders = no_senders;
	ch->core.handle_size = handle_size;
	ch->store = store;
	bool opened = store->open(ch, config->start);
	struct handle *sender = chan_handle_new(&ch->core, handle_size);
	struct handle *receiver = chan_handle_new(&ch->core, handle_size);
	if (!opened || sender == NULL || receiver == NULL)
		goto no_memory;
	ch->core.senders = ch->core.receivers = 1;
	*tx = (struct chan_sender *)sender;
	*rx = (struct chan_receiver *)receiver;
	return CHAN_OK;

no_memory:
	free(receiver);
	free(sender);
	end(&ch->core);
	return CHAN_NOMEM;
}

enum chan_status chan_unbounded_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct handle *h = (struct handle *)rx;
	struct unbounded *ch = unbounded_of(h);
	enum chan_status status = chan_handle_clone(h, &h->core->receivers, "receiver_clone", (struct handle **)out);

	if (status != CHAN_OK)
		return status;
	/* If it is not shared yet, then this was the only receiver, and the new one is not yet
	 * used. With two of them counted, no drop of a third one ends the sharing. */
	pthread_mutex_lock(&ch->core.lock);
	if (!atomic_load_explicit(&ch->shared, memory_order_relaxed)) {
		if (ch->store->share != NULL)
			ch->store->share(ch);
		/* the others get their handles from here */
		atomic_store_explicit(&ch->shared, true, memory_order_relaxed);
	}
	pthread_mutex_unlock(&ch->core.lock);
	return CHAN_OK;
}

/* Under the lock. */
static void close_channel(struct unbounded *ch, struct list *wakes)
{
	ch->core.closed = true;
	set_ending(ch, UNBOUNDED_CLOSED);
	chan_wait_wake_all(&ch->core.closed_queue, wakes);
	chan_wait_wake_all(&ch->core.recv_queue, wakes);
	publish_state(ch);
}

/* One receiver is left. Under the lock. */
static void end_sharing(struct unbounded *ch)
{
	/* A0: what the others took */
	atomic_store_explicit(&ch->shared, false, memory_order_release);
	if (ch->store->unshare != NULL)
		ch->store->unshare(ch);
}

/* Destroys what is buffered, oldest first, where it lies (D-2). No lock: there is no receiver, and
 * no send any more but for those that are being written and are waited for. */
static void drain(struct unbounded *ch)
{
	const struct chan_config *config = &ch->core.config;

	for (void *msg; (msg = ch->store->front(ch)) != NULL; ch->store->pop(ch))
		if (config->destroy != NULL)
			config->destroy(msg, config->context);
}

void chan_unbounded_sender_drop(struct chan_sender **tx)
{
	struct handle *h = (struct handle *)*tx;

	if (h != NULL && unbounded_of(h)->store->sender_drop != NULL)
		unbounded_of(h)->store->sender_drop(h);
	chan_core_sender_drop(tx);
}

void chan_unbounded_receiver_drop(struct chan_receiver **rx)
{
	struct handle *h = (struct handle *)*rx;
	struct list wakes = WAKES_NONE(wakes);

	*rx = NULL;
	if (h == NULL)
		return;
	disarm_all(h);

	struct core *core = h->core;
	struct unbounded *ch = unbounded_of(h);
	chan_handle_enter(h, "receiver_drop");
	size_t left = --core->receivers;
	if (left == 0)
		close_channel(ch, &wakes);
	if (left == 1)
		end_sharing(ch);
	chan_handle_leave(h, &wakes); /* the handle still holds the channel */
	if (left == 0)
		drain(ch);
	free(h);
	chan_core_unref(core);
}

void chan_unbounded_close(struct chan_receiver *rx)
{
	struct handle *h = (struct handle *)rx;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "close");
	if (!chan_core_closed(h->core))
		close_channel(unbounded_of(h), &wakes);
	chan_handle_leave(h, &wakes);
}

/* ------------------------------------------------------------------------------------------
 * Properties
 */

static uint64_t property_of(struct handle *h, bool sender, enum chan_property property)
{
	struct unbounded *ch = unbounded_of(h);
	uint64_t value;

	owner_check_enter(&h->owner, "get");
	if (property == CHAN_LEN) {
		value = ch->store->len(ch, SIZE_MAX);
	} else if (property == CHAN_IS_CLOSED) {
		value = (ch->store->state(ch) & (sender ? UNBOUNDED_CLOSED : UNBOUNDED_ENDING)) != 0;
	} else {
		pthread_mutex_lock(&ch->core.lock);
		value = chan_core_get(&ch->core, sender, property);
		pthread_mutex_unlock(&ch->core.lock);
	}
	owner_check_leave(&h->owner);
	return value;
}

uint64_t chan_unbounded_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	return property_of((struct handle *)(uintptr_t)tx, true, property);
}

uint64_t chan_unbounded_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	return property_of((struct handle *)(uintptr_t)rx, false, property);
}
