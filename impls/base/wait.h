/* SPDX-License-Identifier: MIT
 *
 * wait.h - who waits for a channel: blocked threads and armed waiters, in one queue.
 *
 * A channel has one mutex, and a queue of `struct wait` for each thing that can be waited for. A
 * blocked thread has its wait on its stack, with something of its own to sleep on, so that a wake
 * reaches the thread that it is meant for; an armed `struct chan_waiter` has its wait inside
 * itself. To the channel the two are the same: an event picks the waits that it serves, in order,
 * and wakes them.
 *
 * An operation that wakes somebody:
 *
 *   struct list wakes = WAKES_NONE(wakes);
 *   pthread_mutex_lock(&ch->lock);
 *   ...                                    the predicate changes
 *   chan_wait_wake(wait, &wakes);         signalled here, under the lock, or put aside
 *   chan_wait_unlock(&ch->lock, &wakes);  unlocks, and wakes and calls back what was put aside,
 *                                         with no lock held
 *
 * An operation that blocks:
 *
 *   struct wait_blocked blocked;
 *   chan_wait_blocked_init(&blocked, site);
 *   list_append(&ch->queue, &blocked.wait.queue);
 *   if (!chan_wait_block(&ch->lock, &blocked, deadline))   the deadline came and nobody had woken
 *                                                          it
 *           list_unlink(&blocked.wait.queue);
 *   chan_wait_blocked_end(&blocked);
 *
 * HOW A BLOCKED THREAD SLEEPS is its own choice, at chan_wait_blocked_init: on a condition
 * variable, which is signalled under the lock; or parked (park.h), after a spin. Who is parked is
 * told after the lock has been released, else it would run into it; until then its wait stands in
 * the `wakes` list of the thread that woke it, and if its deadline comes meanwhile it stays for the
 * little that is left.
 *
 * THE LIFE OF A WAIT (its state; all changes but the last under the channel's lock)
 *
 *   QUEUED   stands in the channel's queue
 *   PICKED   armed only: an event picked it; stands in the `wakes` list of the thread that will
 *            call it
 *   RUNNING  armed only: its callback runs, on that thread, with no lock held; it stands in no list
 *   WOKEN    over. For an armed wait this is stored, with release, after the callback has returned;
 *            it is the last touch of the waiter by the channel, and who disarms acquires it before
 *            giving the memory back
 *
 * Callbacks are called one by one with the lock free, after all who are parked have been told; the
 * waits that are still PICKED can be disarmed meanwhile by whoever armed them: a disarm unlinks
 * them from whichever list they stand in.
 */
#ifndef CHANBENCH_BASE_WAIT_H
#define CHANBENCH_BASE_WAIT_H

#include "impls/base/list.h"
#include "impls/base/park.h"
#include "impls/channel.h"

#include <pthread.h>
#include <stdatomic.h>

enum wait_state { WAIT_QUEUED, WAIT_PICKED, WAIT_RUNNING, WAIT_WOKEN };

/* Stands in the words of a struct chan_waiter, which the compiler must not take for words only. */
struct __attribute__((may_alias)) wait {
	struct list queue;    /* in the channel's queue, or in a wakes list */
	struct list siblings; /* armed: in the list of what is armed on its handle */
	void *handle;         /* armed: that handle, as its kind knows it; NULL: a blocked thread */
	_Atomic unsigned short state;
	unsigned short event; /* what it waits for, as its kind numbers it */
	size_t want, granted; /* bounded mpsc: slots wanted, and assigned so far */
};

_Static_assert(sizeof(struct wait) <= sizeof(((struct chan_waiter *)0)->impl), "a wait stands inside a waiter");

struct wait_blocked {
	struct wait wait;
	struct spin_site *site; /* NULL: it sleeps on `cond` */
	bool spun;              /* set by a caller who has spun already: it parks at once */
	union {
		pthread_cond_t cond;
		struct parker parker;
	};
};

/* An empty list of picked waits named `l`. */
#define WAKES_NONE(l)                                                                                                  \
	{                                                                                                              \
		&(l), &(l)                                                                                             \
	}

static inline struct wait *chan_wait_of_waiter(struct chan_waiter *waiter)
{
	return (struct wait *)waiter->impl;
}

static inline enum wait_state chan_wait_state(const struct wait *w)
{
	return (enum wait_state)atomic_load_explicit(&w->state, memory_order_acquire);
}

/* The first wait of a queue that is not empty. */
static inline struct wait *chan_wait_first(const struct list *queue)
{
	return LIST_ENTRY(queue->next, struct wait, queue);
}

/* A wait for a blocking operation; `event`, `want` and the queue are the caller's to set. It
 * will park, after a spin as `site` remembers it; or, where that is NULL, sleep on a condition
 * variable. */
void chan_wait_blocked_init(struct wait_blocked *blocked, struct spin_site *site);
void chan_wait_blocked_end(struct wait_blocked *blocked);

/* Blocks the calling thread until its wait has been woken or the deadline has come; called and
 * returns with `lock` held. True: woken (also if the deadline came at the same time). The
 * deadline is never CHAN_NOW. */
bool chan_wait_block(pthread_mutex_t *lock, struct wait_blocked *blocked, uint64_t deadline);

/* All of it, for an operation that waits at the end of `queue` until it is woken, and then looks
 * again. CHAN_OK: woken; CHAN_TIMEOUT: the deadline came; CHAN_EMPTY: the deadline is CHAN_NOW,
 * and it did not wait. */
enum chan_status chan_wait_in(pthread_mutex_t *lock, struct list *queue, struct spin_site *site, uint64_t deadline);

/* Prepares a waiter and registers it with the handle `handle`, whose armed waits are `armed`;
 * the caller appends it to a queue. Under the lock. */
struct wait *chan_wait_arm(struct chan_waiter *waiter, void *handle, struct list *armed, unsigned event);

/* Wakes one wait: takes it from its queue; a thread on a condition variable is signalled, all
 * others go to `wakes`, parked ones first. Under the lock. */
void chan_wait_wake(struct wait *wait, struct list *wakes);

/* Wakes everybody in the queue. Under the lock. */
void chan_wait_wake_all(struct list *queue, struct list *wakes);

/* Unparks and calls back what is in `wakes`, with the lock released; called and returns with it
 * held. For who goes on afterwards: the channel may have changed. */
void chan_wait_deliver(pthread_mutex_t *lock, struct list *wakes);

/* Unlocks, and unparks and calls back what is in `wakes`. Afterwards the lock has been given up
 * for good: the channel is touched again only between two callbacks, so the caller's handle must
 * still hold it. */
void chan_wait_unlock(pthread_mutex_t *lock, struct list *wakes);

/* Ends the registration of an armed wait: takes it from its lists, and waits until a running
 * callback has returned (for which the lock is released in between; called and returns with it
 * held). Returns the state in which it was found. QUEUED: it had not fired. From PICKED on it
 * had: the event was given to it (a callback that was not begun is cancelled), and what it did
 * not use is the caller's to pass on. Never from inside a callback. */
enum wait_state chan_wait_disarm(pthread_mutex_t *lock, struct wait *wait);

#endif
