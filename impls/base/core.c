/* SPDX-License-Identifier: MIT */
#include "impls/base/core.h"
#include "impls/base/fence.h"

#include <stdlib.h>

enum { HANDLE_ALIGN = 64 };

void chan_core_init(struct core *core, const struct chan_config *config, const struct layout *layout,
                    enum core_sleep sleep, void (*end)(struct core *core))
{
	if (sleep == CORE_PARKS) {
		chan_fence_setup();
		chan_spin_setup();
	}
	pthread_mutex_init(&core->lock, NULL);
	atomic_init(&core->holds, 0);
	core->end = end;
	core->orphaned = NULL;
	core->sleep = sleep == CORE_PARKS ? &core->site : NULL;
	atomic_init(&core->site.misses, 0);
	core->config = *config;
	core->layout = *layout;
	core->handle_size = sizeof(struct handle);
	core->senders = core->weaks = core->receivers = 0;
	core->shut = false;
	list_init(&core->readers);
	list_init(&core->closers);
}

void chan_core_fini(struct core *core)
{
	pthread_mutex_destroy(&core->lock);
}

void chan_core_hold(struct core *core)
{
	atomic_fetch_add_explicit(&core->holds, 1, memory_order_relaxed);
}

void chan_core_release(struct core *core)
{
	if (atomic_fetch_sub_explicit(&core->holds, 1, memory_order_acq_rel) == 1)
		core->end(core);
}

uint64_t chan_core_get(const struct core *core, bool sender, enum chan_property property)
{
	switch (property) {
	case CHAN_IS_CLOSED:
		return sender ? chan_core_closed(core) : core->shut || core->senders == 0;
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
	chan_core_hold(core);
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

void chan_core_unlock(struct core *core, struct list *firing)
{
	if (list_empty(firing)) {
		pthread_mutex_unlock(&core->lock);
		return;
	}
	chan_core_hold(core);
	chan_wait_unlock(&core->lock, firing);
	chan_core_release(core);
}

void chan_handle_leave(struct handle *h, struct list *firing)
{
	struct core *core = h->core;

	guard_leave(&h->guard);
	chan_core_unlock(core, firing);
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
	struct list firing = WAIT_FIRING(firing);

	if (out == NULL || mark_inside(core))
		return CHAN_INVALID;
	struct handle *h = chan_handle_new(core, core->handle_size);
	if (h == NULL)
		return CHAN_NOMEM;

	chan_handle_enter(from, operation);
	bool refused = count == &core->senders && core->senders == 0;
	if (!refused)
		++*count;
	chan_handle_leave(from, &firing);

	if (refused) {
		free(h);
		chan_core_release(core);
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
	struct list firing = WAIT_FIRING(firing);

	if (h == NULL)
		return;
	*tx = NULL;

	struct core *core = h->core;
	chan_handle_enter(h, "sender_drop");
	chan_handle_disarm_all(h);
	if (--core->senders == 0) {
		if (core->orphaned != NULL)
			core->orphaned(core);
		chan_wait_wake_all(&core->readers, &firing);
	}
	chan_handle_leave(h, &firing);
	free(h);
	chan_core_release(core);
}

void chan_core_weak_drop(struct chan_weak **weak)
{
	struct handle *h = (struct handle *)*weak;
	struct list firing = WAIT_FIRING(firing);

	if (h == NULL)
		return;
	*weak = NULL;

	struct core *core = h->core;
	chan_handle_enter(h, "weak_drop");
	core->weaks--;
	chan_handle_leave(h, &firing);
	free(h);
	chan_core_release(core);
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
	struct list firing = WAIT_FIRING(firing);
	enum chan_status status = CHAN_OK;

	if (mark_inside(core))
		return CHAN_INVALID;
	chan_handle_enter(h, "closed");
	while (!chan_core_closed(core)) { /* a subscribe may have come between the wake and now (B-36, W-28) */
		status = chan_core_wait(core, &core->closers, deadline);
		if (status != CHAN_OK)
			break;
	}
	chan_handle_leave(h, &firing);
	return status;
}

enum chan_arm chan_core_arm_closed(struct chan_sender *tx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)tx;
	struct core *core = h->core;
	struct list firing = WAIT_FIRING(firing);

	if (mark_inside(core))
		return CHAN_NOT_ARMED;
	chan_handle_enter(h, "arm_closed");
	bool ready = chan_core_closed(core);
	if (!ready)
		chan_handle_arm(h, &core->closers, waiter);
	chan_handle_leave(h, &firing);
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
