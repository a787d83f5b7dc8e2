/* SPDX-License-Identifier: MIT */
#include "impls/base/core.h"
#include "impls/base/fence.h"

#include <stdlib.h>

enum { HANDLE_ALIGN = 64 };

_Thread_local struct inside *chan_inside_innermost;

void chan_core_init(struct core *core, const struct chan_config *config, const struct layout *layout,
                    enum core_sleep sleep, void (*end)(struct core *core))
{
	if (sleep == CORE_PARKS) {
		chan_fence_setup();
		chan_spin_setup();
	}
	pthread_mutex_init(&core->lock, NULL);
	atomic_init(&core->refs, 0);
	core->end = end;
	core->no_senders = NULL;
	core->sleep = sleep == CORE_PARKS ? &core->site : NULL;
	atomic_init(&core->site.misses, 0);
	core->config = *config;
	core->layout = *layout;
	core->handle_size = sizeof(struct handle);
	core->senders = core->weaks = core->receivers = 0;
	core->closed = false;
	list_init(&core->recv_queue);
	list_init(&core->closed_queue);
}

void chan_core_fini(struct core *core)
{
	pthread_mutex_destroy(&core->lock);
}

void chan_core_ref(struct core *core)
{
	atomic_fetch_add_explicit(&core->refs, 1, memory_order_relaxed);
}

void chan_core_unref(struct core *core)
{
	/* A1, R1: frees after all uses */
	if (atomic_fetch_sub_explicit(&core->refs, 1, memory_order_acq_rel) == 1)
		core->end(core);
}

uint64_t chan_core_get(const struct core *core, bool sender, enum chan_property property)
{
	switch (property) {
	case CHAN_IS_CLOSED:
		return sender ? chan_core_closed(core) : core->closed || core->senders == 0;
	case CHAN_SENDERS:
		return core->senders;
	case CHAN_WEAK_SENDERS:
		return core->weaks;
	case CHAN_RECEIVERS:
		return core->receivers;
	case CHAN_IDENTITY:
		return (uint64_t)(uintptr_t)core;
	default:
		return CHAN_UNKNOWN;
	}
}

void chan_handle_init(struct handle *h, struct core *core)
{
	chan_handle_begin(h, core);
	chan_core_ref(core);
}

void *chan_handle_new(struct core *core, size_t size)
{
	void *memory;

	size = (size + HANDLE_ALIGN - 1) & ~(size_t)(HANDLE_ALIGN - 1);
	if (posix_memalign(&memory, HANDLE_ALIGN, size) != 0)
		return NULL;
	memset(memory, 0, size);
	chan_handle_init(memory, core);
	return memory;
}

void chan_core_unlock(struct core *core, struct list *wakes)
{
	chan_core_ref(core);
	chan_wait_unlock(&core->lock, wakes);
	chan_core_unref(core);
}

void chan_handle_disarm_all(struct handle *h)
{
	while (!list_empty(&h->armed))
		chan_wait_disarm(&h->core->lock, LIST_ENTRY(h->armed.next, struct wait, siblings));
}

void chan_handle_arm(struct handle *h, struct list *queue, struct chan_waiter *waiter)
{
	struct wait *w = chan_wait_arm(waiter, h, &h->armed, 0);

	list_append(queue, &w->queue);
}

enum chan_status chan_handle_clone(struct handle *from, size_t *count, const char *operation, struct handle **out)
{
	struct core *core = from->core;
	struct list wakes = WAKES_NONE(wakes);

	if (out == NULL || inside_callback_of(core))
		return CHAN_INVALID;
	struct handle *h = chan_handle_new(core, core->handle_size);
	if (h == NULL)
		return CHAN_NOMEM;

	chan_handle_enter(from, operation);
	bool refused = count == &core->senders && core->senders == 0;
	if (!refused)
		++*count;
	chan_handle_leave(from, &wakes);

	if (refused) {
		free(h);
		chan_core_unref(core);
		return CHAN_CLOSED;
	}
	*out = h;
	return CHAN_OK;
}

enum chan_status chan_core_sender_clone(struct chan_sender *tx, struct chan_sender **out)
{
	struct handle *h = (struct handle *)tx;

	return chan_handle_clone(h, &h->core->senders, "sender_clone", (struct handle **)out);
}

enum chan_status chan_core_downgrade(struct chan_sender *tx, struct chan_weak **out)
{
	struct handle *h = (struct handle *)tx;

	return chan_handle_clone(h, &h->core->weaks, "downgrade", (struct handle **)out);
}

enum chan_status chan_core_upgrade(struct chan_weak *weak, struct chan_sender **out)
{
	struct handle *h = (struct handle *)weak;

	return chan_handle_clone(h, &h->core->senders, "upgrade", (struct handle **)out);
}

enum chan_status chan_core_weak_clone(struct chan_weak *weak, struct chan_weak **out)
{
	struct handle *h = (struct handle *)weak;

	return chan_handle_clone(h, &h->core->weaks, "weak_clone", (struct handle **)out);
}

void chan_core_sender_drop(struct chan_sender **tx)
{
	struct handle *h = (struct handle *)*tx;
	struct list wakes = WAKES_NONE(wakes);

	if (h == NULL)
		return;
	*tx = NULL;

	struct core *core = h->core;
	chan_handle_enter(h, "sender_drop");
	chan_handle_disarm_all(h);
	if (--core->senders == 0) {
		if (core->no_senders != NULL)
			core->no_senders(core);
		chan_wait_wake_all(&core->recv_queue, &wakes);
	}
	chan_handle_leave(h, &wakes);
	free(h);
	chan_core_unref(core);
}

void chan_core_weak_drop(struct chan_weak **weak)
{
	struct handle *h = (struct handle *)*weak;
	struct list wakes = WAKES_NONE(wakes);

	if (h == NULL)
		return;
	*weak = NULL;

	struct core *core = h->core;
	chan_handle_enter(h, "weak_drop");
	core->weaks--;
	chan_handle_leave(h, &wakes);
	free(h);
	chan_core_unref(core);
}

static uint64_t get(struct core *core, bool sender, enum chan_property property)
{
	pthread_mutex_lock(&core->lock);
	uint64_t answer = chan_core_get(core, sender, property);
	pthread_mutex_unlock(&core->lock);
	return answer;
}

uint64_t chan_core_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	return get(((const struct handle *)tx)->core, true, property);
}

uint64_t chan_core_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	return get(((const struct handle *)rx)->core, false, property);
}

/* A weak sender sees what a sender sees. */
uint64_t chan_core_weak_get(const struct chan_weak *weak, enum chan_property property)
{
	return get(((const struct handle *)weak)->core, true, property);
}

enum chan_status chan_core_wait_closed(struct chan_sender *tx, uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	struct core *core = h->core;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status = CHAN_OK;

	if (inside_callback_of(core))
		return CHAN_INVALID;
	chan_handle_enter(h, "closed");
	/* a subscribe may have come between the wake and now (B-36, W-28) */
	while (!chan_core_closed(core)) {
		status = chan_core_wait(core, &core->closed_queue, deadline);
		if (status != CHAN_OK)
			break;
	}
	chan_handle_leave(h, &wakes);
	return status;
}

enum chan_arm chan_core_arm_closed(struct chan_sender *tx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)tx;
	struct core *core = h->core;
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(core))
		return CHAN_NOT_ARMED;
	chan_handle_enter(h, "arm_closed");
	bool ready = chan_core_closed(core);
	if (!ready)
		chan_handle_arm(h, &core->closed_queue, waiter);
	chan_handle_leave(h, &wakes);
	return ready ? CHAN_READY : CHAN_ARMED;
}

bool chan_core_disarm(struct chan_waiter *waiter)
{
	struct wait *w = chan_wait_of_waiter(waiter);
	struct core *core = ((struct handle *)w->handle)->core;

	pthread_mutex_lock(&core->lock);
	enum wait_state found = chan_wait_disarm(&core->lock, w);
	pthread_mutex_unlock(&core->lock);
	return found != WAIT_QUEUED;
}
