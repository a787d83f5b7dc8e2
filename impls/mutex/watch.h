/* SPDX-License-Identifier: MIT
 *
 * watch.h - the watch channel of the mutex family: one value that is always there.
 *
 * OVERVIEW. The value lies in one place and is read and written under the mutex of core.h. What
 * runs the caller's code on it (clone, modify's function, wait_for's predicate) must not hold the
 * mutex, so it pins the value instead: whoever finds it pinned waits, readers and writers alike,
 * until it is unpinned. So calls for one value are never concurrent (B-33), and a writer never
 * changes what is being read. Calls on the same channel from inside are refused before they could
 * wait (mark.h).
 *
 * INVARIANTS
 *   - `value` is alive from open to the end of the last handle (W-32). It is touched under the
 *     mutex while not `pinned`, or without the mutex by the one operation that pinned it.
 *   - `version` has changed exactly when the readers were woken. `edits` has changed whenever the
 *     value may have.
 *   - A receiver has an unseen version iff its `seen` differs from `version`: only equality counts,
 *     so the wrap of 64 bits means nothing, and version - 1 will do for "unseen" (W-14).
 *
 * LINEARIZATION. Writes: the critical section that changes the version (modify: the value is not
 * readable before it). Reads: the one in which the value was found unpinned; version and value
 * agree there (W-3, W-34).
 *
 * WAKES. Readers: by each notifying write, all of them (W-12); by the last sender's drop. closed():
 * by the last receiver's drop. Whoever waits for a pin: by the unpinning, through `unpinned`; a
 * condition variable for all, since any of them may be next.
 *
 *   watch.c         opening, receivers that come and go, readiness; the table
 *   watch_write.c   sending and modifying
 *   watch_read.c    borrowing, and waiting for a change
 */
#ifndef CHANBENCH_MUTEX_WATCH_H
#define CHANBENCH_MUTEX_WATCH_H

#include "impls/base/core.h"

struct watch {
	struct core core;
	void *value;
	uint64_t version;
	uint64_t edits;
	bool pinned;
	pthread_cond_t unpinned;
};

struct watch_receiver {
	struct handle handle;
	uint64_t seen;
};

static inline struct watch *watch_of(const struct handle *h)
{
	return (struct watch *)h->core;
}

/* --- the pin; all under the lock --- */

static inline void watch_await_unpinned(struct watch *ch)
{
	while (ch->pinned)
		pthread_cond_wait(&ch->unpinned, &ch->core.lock);
}

/* Pins the value, which is not pinned, and releases the lock; what runs between this and `unpin`
 * runs the caller's code. */
static inline void watch_pin(struct watch *ch, struct inside *mark)
{
	ch->pinned = true;
	pthread_mutex_unlock(&ch->core.lock);
	inside_enter(mark, &ch->core);
}

static inline void watch_unpin(struct watch *ch, struct inside *mark)
{
	inside_leave(mark);
	pthread_mutex_lock(&ch->core.lock);
	ch->pinned = false;
	pthread_cond_broadcast(&ch->unpinned);
}

/* ---- watch.c ---- */

/* As open; `sleep` says how the threads sleep. For families whose channels with hooks are of
 * this one. */
enum chan_status chan_mutex_watch_open(const struct chan_config *config, const void *initial, enum core_sleep sleep,
                                       struct chan_sender **tx, struct chan_receiver **rx);

/* ---- watch_write.c ---- */

enum chan_status chan_mutex_watch_send(struct chan_sender *tx, const void *msg);
enum chan_status chan_mutex_watch_send_replace(struct chan_sender *tx, const void *msg, void *previous);
enum chan_status chan_mutex_watch_modify(struct chan_sender *tx, bool (*f)(void *value, void *arg), void *arg,
                                         bool *modified);

/* ---- watch_read.c ---- */

enum chan_status chan_mutex_watch_sender_borrow(struct chan_sender *tx, void *value);
enum chan_status chan_mutex_watch_borrow(struct chan_receiver *rx, void *value, bool *unseen);
enum chan_status chan_mutex_watch_borrow_and_update(struct chan_receiver *rx, void *value, bool *unseen);
enum chan_status chan_mutex_watch_changed(struct chan_receiver *rx, uint64_t deadline);
enum chan_status chan_mutex_watch_has_changed(struct chan_receiver *rx);
enum chan_status chan_mutex_watch_wait_for(struct chan_receiver *rx, bool (*pred)(const void *value, void *arg),
                                           void *arg, void *value, uint64_t deadline);
void chan_mutex_watch_mark_changed(struct chan_receiver *rx);
void chan_mutex_watch_mark_unchanged(struct chan_receiver *rx);

#endif
