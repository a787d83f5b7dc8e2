/* SPDX-License-Identifier: MIT */
#include "impls/base/wait.h"
#include "impls/base/futex.h"

#include <errno.h>
#include <sched.h>

static struct chan_waiter *waiter_of_wait(struct wait *w)
{
	return LIST_ENTRY(w, struct chan_waiter, impl);
}

/* A1, with WOKEN. All other states are set under the lock. */
static void set_state(struct wait *w, enum wait_state state)
{
	atomic_store_explicit(&w->state, (unsigned short)state, memory_order_release);
}

static void wait_init(struct wait *w, void *handle)
{
	list_init(&w->queue);
	list_init(&w->siblings);
	w->handle = handle;
	atomic_init(&w->state, (unsigned short)WAIT_QUEUED);
	w->event = 0;
	w->want = 0;
	w->granted = 0;
}

void chan_wait_blocked_init(struct wait_blocked *blocked, struct spin_site *site)
{
	pthread_condattr_t monotonic;

	wait_init(&blocked->wait, NULL);
	blocked->site = site;
	blocked->spun = false;
	if (site != NULL) {
		chan_parker_init(&blocked->parker);
		return;
	}
	pthread_condattr_init(&monotonic);
	/* steps of the wall clock have no influence (S-13) */
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&blocked->cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void chan_wait_blocked_end(struct wait_blocked *blocked)
{
	if (blocked->site == NULL)
		pthread_cond_destroy(&blocked->cond);
}

static bool block_on_cond(pthread_mutex_t *lock, struct wait_blocked *blocked, uint64_t deadline)
{
	const struct timespec until = chan_timespec(deadline);

	while (chan_wait_state(&blocked->wait) == WAIT_QUEUED) {
		if (deadline == CHAN_FOREVER)
			pthread_cond_wait(&blocked->cond, lock);
		else if (chan_now() >= deadline)
			return false;
		else
			pthread_cond_timedwait(&blocked->cond, lock, &until);
	}
	return true;
}

static bool block_parked(pthread_mutex_t *lock, struct wait_blocked *blocked, uint64_t deadline)
{
	pthread_mutex_unlock(lock);
	bool told = chan_park(&blocked->parker, blocked->spun ? NULL : blocked->site, deadline);
	pthread_mutex_lock(lock);
	if (told || chan_wait_state(&blocked->wait) == WAIT_QUEUED)
		return told;
	/* It was woken, but its waker has not yet come to tell it. */
	pthread_mutex_unlock(lock);
	chan_park(&blocked->parker, blocked->site, CHAN_FOREVER);
	pthread_mutex_lock(lock);
	return true;
}

bool chan_wait_block(pthread_mutex_t *lock, struct wait_blocked *blocked, uint64_t deadline)
{
	return blocked->site == NULL ? block_on_cond(lock, blocked, deadline) : block_parked(lock, blocked, deadline);
}

enum chan_status chan_wait_in(pthread_mutex_t *lock, struct list *queue, struct spin_site *site, uint64_t deadline)
{
	struct wait_blocked blocked;

	if (deadline == CHAN_NOW)
		return CHAN_EMPTY;
	chan_wait_blocked_init(&blocked, site);
	list_append(queue, &blocked.wait.queue);
	bool woken = chan_wait_block(lock, &blocked, deadline);
	if (!woken)
		list_unlink(&blocked.wait.queue);
	chan_wait_blocked_end(&blocked);
	return woken ? CHAN_OK : CHAN_TIMEOUT;
}

struct wait *chan_wait_arm(struct chan_waiter *waiter, void *handle, struct list *armed, unsigned event)
{
	struct wait *w = chan_wait_of_waiter(waiter);

	wait_init(w, handle);
	w->event = (unsigned short)event;
	list_append(armed, &w->siblings);
	return w;
}

void chan_wait_wake(struct wait *w, struct list *wakes)
{
	list_unlink(&w->queue);
	if (w->handle != NULL) {
		set_state(w, WAIT_PICKED);
		list_append(wakes, &w->queue);
		return;
	}
	set_state(w, WAIT_WOKEN);
	struct wait_blocked *blocked = LIST_ENTRY(w, struct wait_blocked, wait);
	if (blocked->site == NULL)
		pthread_cond_signal(&blocked->cond);
	else
		list_prepend(wakes, &w->queue);
}

void chan_wait_wake_all(struct list *queue, struct list *wakes)
{
	while (!list_empty(queue))
		chan_wait_wake(chan_wait_first(queue), wakes);
}

/* Moves the parked threads from the head of `wakes` (I3) to `parked`, oldest first. Under the
 * lock. */
static void take_parked(struct list *wakes, struct list *parked)
{
	while (!list_empty(wakes) && chan_wait_first(wakes)->handle == NULL) {
		struct list *node = wakes->next;

		list_unlink(node);
		list_prepend(parked, node);
	}
}

/* With no lock held. No other thread knows the list, but each wait is gone as soon as its thread
 * was told. */
static void unpark_all(const struct list *parked)
{
	const struct list *next;

	for (const struct list *node = parked->next; node != parked; node = next) {
		next = node->next;
		chan_unpark(&LIST_ENTRY(LIST_ENTRY(node, struct wait, queue), struct wait_blocked, wait)->parker);
	}
}

static void call_back(pthread_mutex_t *lock, struct list *wakes)
{
	while (!list_empty(wakes)) {
		struct wait *w = chan_wait_first(wakes);
		struct chan_waiter *waiter = waiter_of_wait(w);

		list_unlink(&w->queue);
		set_state(w, WAIT_RUNNING);
		pthread_mutex_unlock(lock);
		waiter->wake(waiter);
		/* A1: the callback is over; from here on the waiter may be gone (I2) */
		set_state(w, WAIT_WOKEN);
		pthread_mutex_lock(lock);
	}
}

void chan_wait_deliver(pthread_mutex_t *lock, struct list *wakes)
{
	struct list parked = WAKES_NONE(parked);

	take_parked(wakes, &parked);
	if (!list_empty(&parked)) {
		pthread_mutex_unlock(lock);
		unpark_all(&parked);
		pthread_mutex_lock(lock);
	}
	call_back(lock, wakes);
}

void chan_wait_unlock(pthread_mutex_t *lock, struct list *wakes)
{
	struct list parked = WAKES_NONE(parked);

	take_parked(wakes, &parked);
	if (!list_empty(wakes) && !list_empty(&parked)) {
		pthread_mutex_unlock(lock);
		unpark_all(&parked);
		list_init(&parked);
		pthread_mutex_lock(lock);
	}
	call_back(lock, wakes);
	pthread_mutex_unlock(lock);
	unpark_all(&parked);
}

enum wait_state chan_wait_disarm(pthread_mutex_t *lock, struct wait *w)
{
	enum wait_state found = chan_wait_state(w);
	unsigned turn = 0;

	list_unlink(&w->siblings);
	list_unlink(&w->queue);
	if (found == WAIT_RUNNING) {
		pthread_mutex_unlock(lock);
		while (chan_wait_state(w) != WAIT_WOKEN) /* R1: the callback has returned */
			chan_give_way(&turn);            /* callbacks do not block */
		pthread_mutex_lock(lock);
	}
	return found;
}
