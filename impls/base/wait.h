/* SPDX-License-Identifier: MIT
 *
 * wait.h - the waits for a channel: blocked threads and armed waiters, in one queue.
 *
 * A channel has one mutex, and a queue of `struct wait` for each thing that can be waited for. A
 * blocked thread has its wait on its stack, with something of its own to sleep on, so that a wake
 * reaches the thread that it is meant for. An armed `struct chan_waiter` has its wait inside
 * itself. To the channel the two are the same: an event picks the waits that it serves, in order,
 * and wakes them.
 *
 * AN OPERATION THAT WAKES
 *
 *   struct list wakes = WAKES_NONE(wakes);
 *   pthread_mutex_lock(&ch->lock);
 *   ...                                    the predicate changes
 *   chan_wait_wake(wait, &wakes);          it is signalled here, under the lock, or put aside
 *   chan_wait_unlock(&ch->lock, &wakes);   unlocks; wakes and calls back, with no lock held, what
 *                                          was put aside
 *
 * AN OPERATION THAT BLOCKS
 *
 *   struct wait_blocked blocked;
 *   chan_wait_blocked_init(&blocked, site);
 *   list_append(&ch->queue, &blocked.wait.queue);
 *   if (!chan_wait_block(&ch->lock, &blocked, deadline))
 *           list_unlink(&blocked.wait.queue);    the deadline came, and nobody had woken it
 *   chan_wait_blocked_end(&blocked);
 *
 * HOW A BLOCKED THREAD SLEEPS is chosen at chan_wait_blocked_init. With a `site` it is parked
 * (park.h), after a spin. Without one it sleeps on a condition variable, which is signalled under
 * the lock. A parked thread is told only after the lock has been released, for it would run into
 * the lock. Until then its wait stands in the `wakes` list of the thread that woke it. If its
 * deadline comes meanwhile, the thread stays for the little that is left.
 *
 * THE LIFE OF A WAIT is its `state`. All changes but the last are made under the channel's lock.
 *
 *   QUEUED   it stands in the channel's queue
 *   PICKED   armed only: an event has picked it; it stands in the `wakes` list of the thread that
 *            will call it
 *   RUNNING  armed only: its callback runs, on that thread, with no lock held; it stands in no list
 *   WOKEN    it is over
 *
 *   blocked:  QUEUED -> WOKEN
 *   armed:    QUEUED -> PICKED -> RUNNING -> WOKEN; a disarm ends it in any of these states
 *
 * DELIVERY. Parked threads are told first. Then callbacks are called one by one, with the lock
 * free. Meanwhile the waits that are still PICKED can be disarmed: a disarm unlinks its wait from
 * whichever list it stands in.
 *
 * INVARIANTS
 *   I1  Every wait in a channel's queue is QUEUED. A wait that was woken stands in it no more.
 *   I2  After an armed wait is WOKEN, the channel does not touch the waiter any more.
 *   I3  `wakes` holds the waits of parked threads before those of armed waiters.
 *
 * WHO EXCLUDES WHOM
 *
 *               wake     deliver              disarm
 *   wake        lock     lock                 lock
 *   deliver              lock, own `wakes`    lock; while RUNNING, the disarm waits for WOKEN
 *   disarm                                    one thread owns the handle
 *
 * ORDER
 *   A1 -> R1  WOKEN is stored (release) after the callback has returned -> chan_wait_disarm reads
 *             it (acquire): the callback happens-before the return of the waiter's memory.
 *   What passes between waits otherwise is ordered by the channel's lock.
 */
#ifndef CHANBENCH_BASE_WAIT_H
#define CHANBENCH_BASE_WAIT_H

#include "impls/base/park.h"
#include "impls/channel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* ------------------------------------------------------------------------------------------
 * Lists: intrusive and doubly linked, so that a wait is unlinked from the middle in constant time
 *
 * They are not synchronised: the owner of a list holds the lock that guards it. A node stands in at
 * most one list. list_unlink needs no head and may be called again, so a waiter that gives up is
 * unlinked from whichever list it stands in by then.
 */

struct list {
	struct list *next, *prev;
};

/* The struct of type `type` whose member `member` is the node. */
#define LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

/* For the head of a list. For a node it says that the node is in none. */
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
	list_append(head->next, node); /* before the first */
}

static inline void list_unlink(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* ------------------------------------------------------------------------------------------
 * Waits
 */

enum wait_state { WAIT_QUEUED, WAIT_PICKED, WAIT_RUNNING, WAIT_WOKEN };

/* An armed wait stands in the words of a struct chan_waiter, which the compiler must not take for
 * words only. */
struct __attribute__((may_alias)) wait {
	struct list queue;    /* in the channel's queue, or in a wakes list */
	struct list siblings; /* armed: in the list of the waits that are armed on its handle */
	void *handle;         /* armed: that handle, as its kind knows it; NULL: a blocked thread */
	_Atomic unsigned short state;
	unsigned short event; /* what it waits for, as its kind numbers it */
	/* For its kind. Bounded mpsc: the slots it wants, and those assigned so far. Watch:
	 * `want` is the version seen. */
	size_t want, granted;
};

_Static_assert(sizeof(struct wait) <= sizeof(((struct chan_waiter *)0)->impl), "a wait stands inside a waiter");

struct wait_blocked {
	struct wait wait;
	struct spin_site *site; /* NULL: it sleeps on `cond` */
	bool spun;              /* set by a caller that has spun already: it parks at once */
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

/* Makes the wait of a blocking operation. The caller sets `event` and `want`, and puts it in a
 * queue. Its thread will park, after a spin as `site` remembers it; where `site` is NULL it will
 * sleep on a condition variable. */
void chan_wait_blocked_init(struct wait_blocked *blocked, struct spin_site *site);
void chan_wait_blocked_end(struct wait_blocked *blocked);

/* Blocks the calling thread until its wait has been woken or the deadline has come, which is never
 * CHAN_NOW. It is called, and returns, with `lock` held. True: the wait was woken, also if the
 * deadline came at the same time. */
bool chan_wait_block(pthread_mutex_t *lock, struct wait_blocked *blocked, uint64_t deadline);

/* All of it, for an operation that waits at the end of `queue` until it is woken, and then looks
 * again. CHAN_OK: it was woken. CHAN_TIMEOUT: the deadline came. CHAN_EMPTY: the deadline is
 * CHAN_NOW, and there was no wait. */
enum chan_status chan_wait_in(pthread_mutex_t *lock, struct list *queue, struct spin_site *site, uint64_t deadline);

/* Prepares the wait of `waiter`, for `event`, and registers it with `handle`, whose armed waits are
 * `armed`. The caller appends it to a queue. Under the lock. */
struct wait *chan_wait_arm(struct chan_waiter *waiter, void *handle, struct list *armed, unsigned event);

/* Wakes one wait, and takes it from its queue. A thread on a condition variable is signalled; any
 * other wait goes to `wakes` (I3). Under the lock. */
void chan_wait_wake(struct wait *wait, struct list *wakes);

/* Wakes everybody in the queue. Under the lock. */
void chan_wait_wake_all(struct list *queue, struct list *wakes);

/* Unparks and calls back what is in `wakes`, with the lock released. It is called, and returns,
 * with the lock held, for callers that go on afterwards. The channel may have changed meanwhile. */
void chan_wait_deliver(pthread_mutex_t *lock, struct list *wakes);

/* Unlocks, and unparks and calls back what is in `wakes`. The lock is taken again between two
 * callbacks, so the caller must keep the channel alive until this has returned. */
void chan_wait_unlock(pthread_mutex_t *lock, struct list *wakes);

/* Ends the registration of an armed wait: takes it from its lists, and waits until a running
 * callback has returned. It is called, and returns, with the lock held, and releases it for that
 * wait. It must not be called from inside a callback.
 *
 * Returns the state in which the wait was found. QUEUED: it had not fired. PICKED or later: it
 * had fired, that is, the event was given to it. A callback that was not begun is cancelled. The
 * caller passes on what the wait was given and did not use. */
enum wait_state chan_wait_disarm(pthread_mutex_t *lock, struct wait *wait);

#endif
