/* SPDX-License-Identifier: MIT
 *
 * mpsc_life.c - the life of an mpsc or unbounded channel: opening, closing, dropping, disarming; properties. Overview and
 * invariants: mpsc.h; the life of the memory, and everything that is the same in each kind: core.h.
 */
#include "impls/mutex/mpsc.h"

#include <stdlib.h>

/* Slots of an unbounded channel: more than messages fit in memory, and safe to add to. */
#define UNLIMITED (SIZE_MAX >> 1)

/* The last handle is gone. What is still inside came with permits after the last receiver's drop (D-4). */
static void end(struct core *core)
{
	struct mpsc *ch = (struct mpsc *)core;

	while (core->config.destroy != NULL && mutex_queue_len(&ch->messages) > 0) {
		core->config.destroy(mutex_queue_front(&ch->messages), core->config.context);
		mutex_queue_pop(&ch->messages, NULL);
	}
	mutex_queue_close(&ch->messages);
	chan_core_fini(core);
	free(ch);
}

enum chan_status mutex_open(const struct chan_config *config, const struct layout *layout, size_t capacity,
                            struct chan_sender **tx, struct chan_receiver **rx)
{
	struct mpsc *ch = calloc(1, sizeof *ch);

	if (ch == NULL)
		return CHAN_NOMEM;
	chan_core_init(&ch->core, config, layout, CORE_WAITS, end);
	bool queue = mutex_queue_open(&ch->messages, layout, capacity, config->start);
	struct handle *sender = chan_handle_new(&ch->core, sizeof *sender);
	struct handle *receiver = chan_handle_new(&ch->core, sizeof *receiver);
	if (!queue || sender == NULL || receiver == NULL)
		goto no_memory;
	ch->bounded = capacity != 0;
	ch->capacity = ch->free = ch->bounded ? capacity : UNLIMITED;
	list_init(&ch->writers);
	ch->core.senders = ch->core.receivers = 1;
	*tx = (struct chan_sender *)sender;
	*rx = (struct chan_receiver *)receiver;
	return CHAN_OK;

no_memory:
	free(receiver);
	free(sender);
	mutex_queue_close(&ch->messages);
	chan_core_fini(&ch->core);
	free(ch);
	return CHAN_NOMEM;
}

enum chan_status mutex_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct handle *h = (struct handle *)rx;

	return chan_handle_clone(h, &h->core->receivers, "receiver_clone", (struct handle **)out);
}

bool mutex_ended(const struct mpsc *ch)
{
	bool idle = ch->free == ch->capacity;

	return mutex_queue_len(&ch->messages) == 0 && (ch->core.senders == 0 || (chan_core_closed(&ch->core) && idle));
}

size_t mutex_owed_take(struct handle *h, size_t n)
{
	size_t taken = 0;

	for (struct list *node = h->armed.next; node != &h->armed && taken < n; node = node->next) {
		struct wait *w = LIST_ENTRY(node, struct wait, siblings);

		taken += w->got; /* 0 or 1 (I5) */
		w->got = 0;
	}
	return taken;
}

/* Ends a registration and passes on what it stood for and its handle did not use. Returns whether it had fired. Under the lock,
 * which may be released meanwhile. */
static bool disarm(struct handle *h, struct wait *w, struct list *firing)
{
	size_t unused = w->got;

	w->got = 0; /* from here on nobody else counts it */
	enum wait_state found = chan_wait_disarm(&h->core->lock, w);
	if (w->event == MPSC_SLOT)
		mutex_slots_give(mpsc_of(h), unused, firing); /* M-26 */
	else
		mutex_receivers_call(mpsc_of(h), unused, firing); /* P-5 */
	return found != WAIT_QUEUED;
}

bool mutex_disarm(struct chan_waiter *waiter)
{
	struct wait *w = chan_wait_of_waiter(waiter);
	struct handle *h = w->handle;
	struct list firing = WAIT_FIRING(firing);

	chan_handle_enter(h, "disarm");
	bool fired = disarm(h, w, &firing);
	chan_handle_leave(h, &firing);
	return fired;
}

/* Before a handle is dropped (D-14). */
static void disarm_all(struct handle *h)
{
	struct list firing = WAIT_FIRING(firing);

	chan_handle_enter(h, "drop");
	while (!list_empty(&h->armed))
		disarm(h, LIST_ENTRY(h->armed.next, struct wait, siblings), &firing);
	chan_handle_leave(h, &firing);
}

void mutex_sender_drop(struct chan_sender **tx)
{
	if (*tx != NULL)
		disarm_all((struct handle *)*tx);
	chan_core_sender_drop(tx);
}

/* Whoever waits for a slot finds out when it comes back (M-32). Under the lock. */
static void shut(struct mpsc *ch, struct list *firing)
{
	ch->core.shut = true;
	chan_wait_wake_all(&ch->writers, firing);
	chan_wait_wake_all(&ch->core.closers, firing);
	if (mutex_ended(ch))
		chan_wait_wake_all(&ch->core.readers, firing);
}

/* Destroys what is buffered, oldest first, where it lies: nobody receives any more, and a message keeps its slot until it has been
 * destroyed, so that what permits send meanwhile goes elsewhere (D-2, D-3). Under the lock, released for each. */
static void drain(struct mpsc *ch)
{
	const struct chan_config *config = &ch->core.config;

	while (mutex_queue_len(&ch->messages) > 0) {
		if (config->destroy != NULL) {
			void *msg = mutex_queue_front(&ch->messages);

			pthread_mutex_unlock(&ch->core.lock);
			config->destroy(msg, config->context);
			pthread_mutex_lock(&ch->core.lock);
		}
		mutex_queue_pop(&ch->messages, NULL);
		ch->free++; /* nobody waits for it: I3 */
	}
}

void mutex_receiver_drop(struct chan_receiver **rx)
{
	struct handle *h = (struct handle *)*rx;
	struct list firing = WAIT_FIRING(firing);

	*rx = NULL;
	if (h == NULL)
		return;
	disarm_all(h);

	struct core *core = h->core;
	chan_handle_enter(h, "receiver_drop");
	if (--core->receivers == 0) {
		shut(mpsc_of(h), &firing);
		chan_wait_fire(&core->lock, &firing); /* not to wait for destroy */
		drain(mpsc_of(h));
	}
	chan_handle_leave(h, &firing);
	free(h);
	chan_core_release(core);
}

void mutex_close(struct chan_receiver *rx)
{
	struct handle *h = (struct handle *)rx;
	struct list firing = WAIT_FIRING(firing);

	chan_handle_enter(h, "close");
	if (!chan_core_closed(h->core))
		shut(mpsc_of(h), &firing);
	chan_handle_leave(h, &firing);
}

/* ------------------------------------------------------------------------------------------------------------------
 * Properties
 */

static uint64_t property_of(struct handle *h, bool sender, enum chan_property property)
{
	struct mpsc *ch = mpsc_of(h);
	struct list firing = WAIT_FIRING(firing);
	uint64_t value;

	chan_handle_enter(h, "get");
	if (property == CHAN_LEN)
		value = mutex_queue_len(&ch->messages);
	else if (property == CHAN_CAPACITY && ch->bounded)
		value = ch->free;
	else if (property == CHAN_MAX_CAPACITY && ch->bounded)
		value = ch->capacity;
	else
		value = chan_core_get(&ch->core, sender, property);
	chan_handle_leave(h, &firing);
	return value;
}

uint64_t mutex_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	return property_of((struct handle *)(uintptr_t)tx, true, property);
}

uint64_t mutex_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	return property_of((struct handle *)(uintptr_t)rx, false, property);
}
