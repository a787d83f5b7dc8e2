/* SPDX-License-Identifier: MIT
 *
 * mpsc_life.c - the life of an mpsc or unbounded channel: opening, closing, dropping, disarming;
 * properties. Overview and invariants: mpsc.h; the life of the memory, and everything that is the
 * same in each kind: core.h.
 */
#include "impls/mutex/mpsc.h"

#include <stdlib.h>

/* Slots of an unbounded channel: more than messages fit in memory, and safe to add to. */
#define UNLIMITED (SIZE_MAX >> 1)

/* The last handle is gone. What is still inside came with permits after the last receiver's drop
 * (D-4). */
static void end(struct core *core)
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
	chan_core_init(&ch->core, config, layout, sleep, end);
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

bool chan_mpsc_ended(const struct mpsc *ch)
{
	bool closed = ch->core.senders == 0 || (chan_core_closed(&ch->core) && ch->held == 0);

	return closed && ch->store->len(ch) == 0;
}

size_t chan_mpsc_granted_take(struct handle *h, size_t n)
{
	size_t taken = 0;

	for (struct list *node = h->armed.next; node != &h->armed && taken < n; node = node->next) {
		struct wait *w = LIST_ENTRY(node, struct wait, siblings);

		taken += w->granted; /* 0 or 1 (I5) */
		w->granted = 0;
	}
	return taken;
}

/* Ends a registration and passes on what it stood for and its handle did not use. Returns
 * whether it had fired. Under the lock, which may be released meanwhile. */
static bool disarm(struct handle *h, struct wait *w, struct list *wakes)
{
	size_t unused = w->granted;

	w->granted = 0; /* from here on nobody else counts it */
	enum wait_state found = chan_wait_disarm(&h->core->lock, w);
	if (w->event == MPSC_SLOT)
		chan_mpsc_slots_give(mpsc_of(h), unused, wakes); /* M-26 */
	else
		chan_mpsc_receivers_call(mpsc_of(h), unused, wakes); /* P-5 */
	return found != WAIT_QUEUED;
}

bool chan_mpsc_disarm(struct chan_waiter *waiter)
{
	struct wait *w = chan_wait_of_waiter(waiter);
	struct handle *h = w->handle;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "disarm");
	bool fired = disarm(h, w, &wakes);
	chan_mpsc_leave(h, &wakes);
	return fired;
}

/* Before a handle is dropped (D-14). Under the lock, which may be released meanwhile. */
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
	chan_mpsc_leave(h, &wakes);
	free(h);
	chan_core_unref(core);
}

/* Whoever waits for a slot finds out when it comes back (M-32). Under the lock. */
static void shut(struct mpsc *ch, struct list *wakes)
{
	chan_mpsc_block_senders(ch, false);
	ch->core.closed = true;
	chan_mpsc_publish_state(ch);
	chan_wait_wake_all(&ch->send_queue, wakes);
	chan_wait_wake_all(&ch->core.closed_queue, wakes);
	if (chan_mpsc_ended(ch))
		chan_wait_wake_all(&ch->core.recv_queue, wakes);
}

/* Destroys what is buffered, oldest first, where it lies: nobody receives any more, and a
 * message keeps its slot until it has been destroyed, so that what permits send meanwhile goes
 * elsewhere (D-2, D-3). Under the lock, released for each. */
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
		shut(mpsc_of(h), &wakes);
		chan_wait_deliver(&core->lock, &wakes); /* not to wait for destroy */
		drain(mpsc_of(h));
	}
	chan_mpsc_leave(h, &wakes);
	free(h);
	chan_core_unref(core);
}

void chan_mpsc_close(struct chan_receiver *rx)
{
	struct handle *h = (struct handle *)rx;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "close");
	if (!chan_core_closed(h->core))
		shut(mpsc_of(h), &wakes);
	chan_mpsc_leave(h, &wakes);
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
		value = chan_mpsc_free(ch);
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
