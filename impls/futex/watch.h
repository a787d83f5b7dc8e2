/* SPDX-License-Identifier: MIT
 *
 * watch.h - the watch channel of the futex and vyukov families: readers that write nothing, a
 * writer that waits for nobody.
 *
 * OVERVIEW. The value lies in a seqbuf (seqbuf.h): a sequence lock with several buffers, of atomic
 * words. A borrow copies it from there and looks whether the copy is whole; it writes no shared
 * memory, takes no lock, and never waits for a writer. changed() and has_changed() compare the
 * version that lies beside the value with the one that the receiver has seen. All else is rare, and
 * done under the lock of the channel (core.h): handles that come and go, who waits, closed().
 *
 * WHO WRITES. Writes are one after another (W-30). While there is one sender there is nothing to do
 * for that: a handle is used by one thread at a time, and only through that handle could there be a
 * second one. So it writes without a lock. From the moment at which it is cloned the channel is
 * SHARED, and writers take the lock; until one is left again.
 *
 * FLAGS. What a lone writer has to know of the others is one word, which is changed rarely, under
 * the lock, and so stays in its cache:
 *
 *   SHARED     there is more than one sender: write under the lock
 *   DESERTED   there is no receiver: a send stores nothing (W-18)
 *   ENDED      there is no sender: readers will see no other version
 *   ATTENTION  somebody waits in `readers`, or a reader starves: write under the lock, and wake
 *
 * A lone writer looks at the flags before it writes, and at ATTENTION once more after it has
 * published. Who sleeps: Dekker's question, with the fence on the side of the sleeper (fence.h):
 *
 *   writer                                  who is going to wait, under the lock
 *   ------                                  ------------------------------------
 *   publish                                 queue, and set ATTENTION
 *   chan_fence_light()                      chan_fence_heavy(), if it was not set
 *   ATTENTION? lock, wake, clear it         is there a version unseen? else sleep
 *
 * So no wake is lost, and nobody who writes makes a system call, or takes the lock, while nobody
 * waits. Who waits says what it has seen (`want` of its wait), and is woken only for another
 * version: a writer may come to the lock after a receiver has seen what it wrote.
 *
 * NOBODY STARVES. A copy fails when it was overwritten meanwhile. After TRIES failures, or one
 * more, a reader takes the lock and sets ATTENTION. A writer that begins after that waits for the
 * lock; one that has begun publishes once, at most. So the reader's second copy is whole.
 *
 * CALLBACKS. wait_for's predicate sees a copy, the caller's own. modify's function works on a copy
 * too, which is then written: readers see it whole or not at all. It runs with no lock held; with
 * several senders the value is `pinned` meanwhile, and other writers, only they, wait.
 *
 * WITH HOOKS a value cannot be read while it is overwritten; such a channel is one of the mutex
 * family, where the value has a pin, with threads that park. All functions here look first whether
 * it is one (chan_futex_watch_hooked).
 *
 * INVARIANTS
 *   - The seqbuf is written by one thread at a time: the holder of the only sender, or the holder
 *     of the lock while the value is not pinned, or who pinned it.
 *   - A receiver has an unseen version iff its `seen` differs from the version: only equality
 *     counts, so the wrap of 64 bits means nothing, and version - 1 will do for "unseen" (W-14).
 *   - Whoever stands in `readers` has seen the version for which the last writer looked there;
 *     ATTENTION is set while somebody does.
 *   - SHARED is set whenever there are two senders: it is set by the clone, before the second is
 *     given out.
 *
 * LINEARIZATION. Writes: the store that publishes (seqbuf.h). Borrows, changed: the load that finds
 * the value. CHAN_EMPTY and CHAN_CLOSED: the load of the flags, which comes before the load that
 * finds nothing unseen. A lone send to nobody: its look at the flags; while it runs nobody else has
 * a handle through which that could be told from another moment. All else: its critical section.
 *
 * ORDER, by label: A1, R1, A2, R2 of seqbuf.h, and
 *   A3 each change of the flags, R3 their load: ENDED and DESERTED, what was done before the drop;
 *   SHARED no more, the writes of the other senders.
 *
 * A PEER THAT STANDS in the middle of its operation: a lone writer stops nobody. One of several
 * writers holds the lock for the time of a copy: it stops other writers, handles that come and go,
 * and properties; readers go on. A reader stops nobody, unless it has been starving.
 *
 *   watch.c        opening, handles, readiness; the table
 *   watch_write.c  sending and modifying
 *   watch_read.c   borrowing, and waiting for a change
 */
#ifndef CHANBENCH_FUTEX_WATCH_H
#define CHANBENCH_FUTEX_WATCH_H

#include "impls/base/core.h"
#include "impls/futex/seqbuf.h"

#define WATCH_LINE 128 /* what one side writes and another reads lies so far apart: lines are fetched in pairs */

enum chan_futex_watch_flags { WATCH_SHARED = 1, WATCH_DESERTED = 2, WATCH_ENDED = 4, WATCH_ATTENTION = 8 };

struct futex_watch {
	struct core core;
	/* modify's function runs, and there are other senders; under the lock */
	bool pinned;
	pthread_cond_t unpinned; /* tells all writers, of whom any may be next */
	struct spin_site site;   /* of receivers that wait for a change */

	alignas(WATCH_LINE) _Atomic unsigned flags;
	struct seqbuf_shape shape;

	alignas(WATCH_LINE) struct seqbuf value; /* the last: its buffers follow */
};

struct chan_futex_watch_receiver {
	struct handle handle;
	uint64_t seen;
};

static inline struct futex_watch *chan_futex_watch_of(const struct handle *h)
{
	return (struct futex_watch *)h->core;
}

/* Whether this handle is of a channel with hooks, of the mutex family. */
static inline bool chan_futex_watch_hooked(const struct handle *h)
{
	return h->core->config.clone != NULL;
}

static inline unsigned chan_futex_watch_flags(const struct futex_watch *ch)
{
	return atomic_load_explicit(&ch->flags, memory_order_acquire); /* R3 */
}

/* Sets or clears flags. Under the lock; SHARED is set without it, by a clone. What others have
 * changed is seen by the load above. */
static inline void chan_futex_watch_set(struct futex_watch *ch, unsigned flags)
{
	atomic_fetch_or_explicit(&ch->flags, flags, memory_order_release); /* A3 */
}

static inline void chan_futex_watch_clear(struct futex_watch *ch, unsigned flags)
{
	atomic_fetch_and_explicit(&ch->flags, ~flags, memory_order_release); /* A3 */
}

/* ---- watch_write.c ---- */

enum chan_status chan_futex_watch_send(struct chan_sender *tx, const void *msg);
enum chan_status chan_futex_watch_send_replace(struct chan_sender *tx, const void *msg, void *previous);
enum chan_status chan_futex_watch_modify(struct chan_sender *tx, bool (*f)(void *value, void *arg), void *arg,
                                         bool *modified);

/* ---- watch_read.c ---- */

/* From here on writers come through the lock, which the caller holds; one that has begun may
 * publish once more. */
void chan_futex_watch_attend(struct futex_watch *ch);

/* Nobody has to come through the lock for those who wait, if nobody does. Under the lock. */
void chan_futex_watch_relent(struct futex_watch *ch);

/* The version of the newest value. */
uint64_t chan_futex_watch_version(struct futex_watch *ch);

/* Whether changed() would not wait. */
bool chan_futex_watch_ready(struct chan_futex_watch_receiver *r);

enum chan_status chan_futex_watch_sender_borrow(struct chan_sender *tx, void *value);
enum chan_status chan_futex_watch_borrow(struct chan_receiver *rx, void *value, bool *unseen);
enum chan_status chan_futex_watch_borrow_and_update(struct chan_receiver *rx, void *value, bool *unseen);
enum chan_status chan_futex_watch_changed(struct chan_receiver *rx, uint64_t deadline);
enum chan_status chan_futex_watch_has_changed(struct chan_receiver *rx);
enum chan_status chan_futex_watch_wait_for(struct chan_receiver *rx, bool (*pred)(const void *value, void *arg),
                                           void *arg, void *value, uint64_t deadline);
void chan_futex_watch_mark_changed(struct chan_receiver *rx);
void chan_futex_watch_mark_unchanged(struct chan_receiver *rx);

#endif
