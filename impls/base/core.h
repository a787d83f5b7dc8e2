/* SPDX-License-Identifier: MIT
 *
 * core.h - what every channel and every handle begins with: all that does not depend on the kind.
 *
 * A channel is a struct whose first member is its `struct core`. A handle is a `struct handle`, or
 * a struct that begins with one. The core does once what all kinds need: the life of the memory,
 * the counts of handles, strong and weak senders, closed(), armed waiters, and the frame of an
 * operation.
 *
 * THE FRAME OF AN OPERATION
 *
 *   struct list wakes = WAKES_NONE(wakes);
 *   1  if (inside_callback_of(core))       the call comes from inside a callback in which a value
 *              return CHAN_INVALID;        is pinned (channel.h, CALLBACKS)
 *   2  chan_handle_enter(h, "send");       enters the owner check, then takes the lock
 *   3  ...                                 the state changes; chan_wait_wake for each wait that it
 *                                          concerns
 *   4  chan_handle_leave(h, &wakes);       leaves the owner check, gives the lock back, and then
 *                                          wakes with no lock held
 *
 * After step 4 the operation does not touch its handle any more, because a callback may have
 * dropped it. An operation that still needs the channel takes a reference to it before step 4.
 *
 * INVARIANTS
 *   I1  `lock` guards everything here but `refs`.
 *   I2  `refs` counts the handles, of whatever sort, and the operations that run callbacks. The
 *       last reference frees the channel.
 *
 * LINEARIZATION. Each operation takes effect in the one critical section in which it finds its
 * predicate true.
 *
 * ORDER
 *   A1 -> R1  a reference is given up (release) -> the last one is given up (acquire): all that was
 *             done with the channel happens-before its freeing.
 *
 * NOTES. `refs` is atomic because the last act on a channel must not be to unlock a mutex that lies
 * in the channel. So a reference is given up after the unlock.
 */
#ifndef CHANBENCH_BASE_CORE_H
#define CHANBENCH_BASE_CORE_H

#include "impls/base/config.h"
#include "impls/base/fast.h"
#include "impls/base/inside.h"
#include "impls/base/wait.h"

struct core {
	pthread_mutex_t lock;
	_Atomic size_t refs;
	void (*end)(struct core *core); /* frees the channel; no handle is left */
	/* Called when the last sender goes, under the lock, before the receivers are woken. NULL:
	 * the kind need not know. */
	void (*no_senders)(struct core *core);
	/* how blocked threads sleep (wait.h): &site: parked; NULL: on condition variables */
	struct spin_site *sleep;
	struct spin_site site;

	struct chan_config config;
	struct layout layout;

	size_t handle_size; /* of a plain handle; a kind may make it larger than a struct handle */
	size_t senders, weaks, receivers;
	bool closed; /* close() was called */

	/* the waits for something to receive; a message wakes them, and the last sender's drop */
	struct list recv_queue;
	/* the waits in closed(), or armed for it; a close wakes them, and the last receiver's
	 * drop */
	struct list closed_queue;
};

struct handle {
	struct core *core;
	struct list armed; /* the waiters armed on it, by `siblings` */
	struct owner_check owner;
	struct wait *blocked; /* mpsc: the wait with which its thread is blocked, or NULL */
	bool spun;            /* mpsc: its receive has already spun, in vain */
};

/* --- the channel --- */

/* How the blocked threads of a channel sleep. */
enum core_sleep {
	CORE_WAITS, /* on condition variables */
	/* they spin, then sleep on a futex; fence.h is set up for kinds that look for them without
	 * the lock */
	CORE_PARKS
};

/* A core without references and handles. */
void chan_core_init(struct core *core, const struct chan_config *config, const struct layout *layout,
                    enum core_sleep sleep, void (*end)(struct core *core));

/* Undoes chan_core_init. `end` calls it before it frees the memory. */
void chan_core_fini(struct core *core);

void chan_core_ref(struct core *core);
void chan_core_unref(struct core *core);

/* No receiver will take anything any more, unless one subscribes. Under the lock. */
static inline bool chan_core_closed(const struct core *core)
{
	return core->closed || core->receivers == 0;
}

/* Blocks the calling thread at the end of `queue` until it is woken; then it looks again. The
 * status is that of chan_wait_in. Under the lock. */
static inline enum chan_status chan_core_wait(struct core *core, struct list *queue, uint64_t deadline)
{
	return chan_wait_in(&core->lock, queue, core->sleep, deadline);
}

/* The counts, the identity, and whether the channel is closed as a sender or a receiver sees it;
 * CHAN_UNKNOWN for any other property. Under the lock. */
uint64_t chan_core_get(const struct core *core, bool sender, enum chan_property property);

/* --- handles --- */

/* Makes a zeroed handle of `size` bytes that begins with a struct handle, and takes a reference for
 * it. Each handle is written by a thread of its own, so it shares no cache line with another. NULL
 * when out of memory. The caller frees it with free(). */
void *chan_handle_new(struct core *core, size_t size);

/* The same, in memory that the caller provides. */
void chan_handle_init(struct handle *h, struct core *core);

/* The same without the reference, which the caller counts: an atomic step costs as much as all the
 * rest here. */
static inline void chan_handle_begin(struct handle *h, struct core *core)
{
	h->core = core;
	list_init(&h->armed);
	h->blocked = NULL;
	h->spun = false;
	owner_check_init(&h->owner);
}

static inline void chan_handle_enter(struct handle *h, const char *operation)
{
	owner_check_enter(&h->owner, operation);
	pthread_mutex_lock(&h->core->lock);
}

/* As chan_wait_unlock; it is safe also if a callback drops the handle that the operation goes
 * through. `wakes` is not empty. */
void chan_core_unlock(struct core *core, struct list *wakes);

static inline void chan_handle_leave(struct handle *h, struct list *wakes)
{
	struct core *core = h->core;

	owner_check_leave(&h->owner);
	if (list_empty(wakes))
		pthread_mutex_unlock(&core->lock);
	else
		chan_core_unlock(core, wakes);
}

/* Disarms everything that is armed on the handle (D-14). Under the lock, which may be released in
 * between. */
void chan_handle_disarm_all(struct handle *h);

/* Arms `waiter` on the handle, in `queue`. Under the lock. */
void chan_handle_arm(struct handle *h, struct list *queue, struct chan_waiter *waiter);

/* Makes another plain handle of the same channel, counted in `*count`. CHAN_CLOSED: it would be a
 * sender, and there is none (M-75). */
enum chan_status chan_handle_clone(struct handle *from, size_t *count, const char *operation, struct handle **out);

/* --- entries of the tables, the same for each kind whose senders and weak senders are plain
 * handles --- */

enum chan_status chan_core_sender_clone(struct chan_sender *tx, struct chan_sender **out);
enum chan_status chan_core_downgrade(struct chan_sender *tx, struct chan_weak **out);
enum chan_status chan_core_upgrade(struct chan_weak *weak, struct chan_sender **out);
enum chan_status chan_core_weak_clone(struct chan_weak *weak, struct chan_weak **out);
void chan_core_sender_drop(struct chan_sender **tx);
void chan_core_weak_drop(struct chan_weak **weak);
uint64_t chan_core_sender_get(const struct chan_sender *tx, enum chan_property property);
uint64_t chan_core_receiver_get(const struct chan_receiver *rx, enum chan_property property);
uint64_t chan_core_weak_get(const struct chan_weak *weak, enum chan_property property);

enum chan_status chan_core_wait_closed(struct chan_sender *tx, uint64_t deadline);
enum chan_arm chan_core_arm_closed(struct chan_sender *tx, struct chan_waiter *waiter);

/* For kinds in which every event wakes everybody who waits for it, so that there is nothing to
 * pass on. */
bool chan_core_disarm(struct chan_waiter *waiter);

#endif
