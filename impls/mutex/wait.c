/* SPDX-License-Identifier: MIT */
#include "impls/mutex/wait.h"

#include <errno.h>
#include <sched.h>

static struct chan_waiter *waiter_of_wait(struct wait *w)
{
	return LIST_ENTRY(w, struct chan_waiter, impl);
}

/* Under the lock; whoever reads the state without it (mutex_wait_disarm) uses acquire. */
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
	w->flag = 0;
	w->want = 0;
	w->got = 0;
}

void mutex_wait_blocked_init(struct wait_blocked *blocked)
{
	pthread_condattr_t monotonic;

	wait_init(&blocked->wait, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* steps of the wall clock have no influence (S-13) */
	pthread_cond_init(&blocked->cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void mutex_wait_blocked_end(struct wait_blocked *blocked)
{
	pthread_cond_destroy(&blocked->cond);
}

bool mutex_wait_block(pthread_mutex_t *lock, struct wait_blocked *blocked, uint64_t deadline)
{
	const struct timespec until = {
		.tv_sec = (time_t)(deadline / 1000000000u),
		.tv_nsec = (long)(deadline % 1000000000u),
	};

	while (mutex_wait_state(&blocked->wait) == WAIT_QUEUED) {
		if (deadline == CHAN_FOREVER)
			pthread_cond_wait(&blocked->cond, lock);
		else if (chan_now() >= deadline)
			return false;
		else
			pthread_cond_timedwait(&blocked->cond, lock, &until);
	}
	return true;
}

enum chan_status mutex_wait_in(pthread_mutex_t *lock, struct list *queue, uint64_t deadline)
{
	struct wait_blocked blocked;

	if (deadline == CHAN_NOW)
		return CHAN_EMPTY;
	mutex_wait_blocked_init(&blocked);
	list_append(queue, &blocked.wait.queue);
	bool woken = mutex_wait_block(lock, &blocked, deadline);
	if (!woken)
		list_unlink(&blocked.wait.queue);
	mutex_wait_blocked_end(&blocked);
	return woken ? CHAN_OK : CHAN_TIMEOUT;
}

struct wait *mutex_wait_arm(struct chan_waiter *waiter, void *handle, struct list *armed, unsigned event)
{
	struct wait *w = mutex_wait_of_waiter(waiter);

	wait_init(w, handle);
	w->event = (unsigned short)event;
	list_append(armed, &w->siblings);
	return w;
}

void mutex_wait_wake(struct wait *w, struct list *firing)
{
	list_unlink(&w->queue);
	if (w->handle != NULL) {
		set_state(w, WAIT_PICKED);
		list_append(firing, &w->queue);
	} else {
		set_state(w, WAIT_WOKEN);
		pthread_cond_signal(&LIST_ENTRY(w, struct wait_blocked, wait)->cond);
	}
}

void mutex_wait_wake_all(struct list *queue, struct list *firing)
{
	while (!list_empty(queue))
		mutex_wait_wake(mutex_wait_first(queue), firing);
}

void mutex_wait_fire(pthread_mutex_t *lock, struct list *firing)
{
	while (!list_empty(firing)) {
		struct wait *w = mutex_wait_first(firing);
		struct chan_waiter *waiter = waiter_of_wait(w);

		list_unlink(&w->queue);
		set_state(w, WAIT_RUNNING);
		pthread_mutex_unlock(lock);
		waiter->wake(waiter);
		set_state(w, WAIT_WOKEN); /* A1, pairs with R1: from here on the waiter may be gone */
		pthread_mutex_lock(lock);
	}
}

void mutex_wait_unlock(pthread_mutex_t *lock, struct list *firing)
{
	mutex_wait_fire(lock, firing);
	pthread_mutex_unlock(lock);
}

enum wait_state mutex_wait_disarm(pthread_mutex_t *lock, struct wait *w)
{
	enum wait_state found = mutex_wait_state(w);

	list_unlink(&w->siblings);
	list_unlink(&w->queue);
	if (found == WAIT_RUNNING) {
		pthread_mutex_unlock(lock);
		while (mutex_wait_state(w) != WAIT_WOKEN) /* R1 */
			sched_yield();                    /* callbacks do not block */
		pthread_mutex_lock(lock);
	}
	return found;
}
