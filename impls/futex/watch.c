/* SPDX-License-Identifier: MIT
 *
 * watch.c - a watch channel of bytes: readers that write nothing, a writer that waits for nobody.
 * Elements with hooks go to the locked channel (ENTRIES, at the end).
 *
 * OVERVIEW. The value lies in a seqbuf (seqbuf.h): a sequence lock with several buffers, of atomic
 * words. A borrow copies the value from there and looks whether the copy is whole. It writes no
 * shared memory, takes no lock, and never waits for a writer. changed() and has_changed() compare
 * the version that lies beside the value with the version that the receiver has seen. All else is
 * rare, and is done under the lock of the channel (core.h): handles that come and go, waiting,
 * closed().
 *
 * FLAGS. A writer must know four things of the others. They are one word, which changes rarely, and
 * so stays in the writer's cache:
 *
 *   SHARED         there is more than one sender: write under the lock. A clone sets it before it
 *                  gives out the second sender.
 *   NO_RECEIVERS   a send stores nothing (W-18)
 *   NO_SENDERS     readers will see no other version
 *   ATTENTION      somebody waits in recv_queue, or a reader starves: write under the lock, and
 *                  wake
 *
 * WRITE
 *   1. Writes are one after another (W-30). A lone sender needs no lock for that: one thread at a
 *      time uses its handle, and a second sender could come only through that handle. So if no flag
 *      is set (R3), it writes at once; else it takes the lock, and waits while the value is
 *      `pinned`.
 *   2. Write the next value to the buffer that nobody reads (A2), and publish it (A1).
 *   3. Without the lock: light fence, then look at ATTENTION. If it is set take the lock.
 *   4. With the lock: wake all who wait and have not seen this version. Clear ATTENTION (A3) if
 *      nobody waits any more.
 *
 * READ
 *   1. Try to copy the newest value (R1, R2). The copy fails if it was overwritten meanwhile.
 *   2. After TRIES failures, or one more, take the lock and set ATTENTION (A3). A writer that
 *      begins after that waits for the lock; a writer that has begun publishes once, at most. So
 *      the second copy from here on is whole, and nobody starves.
 *
 * WAIT
 *   1. Spin while the version is the one that was seen and there is a sender.
 *   2. Take the lock, queue, set ATTENTION (A3), heavy fence; look again; sleep. A receiver says
 *      what it has seen (`want` of its wait), and is woken only for another version: a writer may
 *      come to the lock after a receiver has seen what it wrote.
 *
 * Steps 3 of a write and 2 of a wait are Dekker's question, with the fence on the side of the
 * sleeper (fence.h). So no wake is lost, and while nobody waits a writer makes no system call and
 * takes no lock.
 *
 *   lone writer                          a receiver that is to wait, under the lock
 *   -----------                          -----------------------------------------
 *   publish                              queue, and set ATTENTION
 *   chan_fence_light()                   chan_fence_heavy(), if it was not set
 *   ATTENTION? lock, wake, clear it      is there a version unseen? else sleep
 *
 * CALLBACKS. wait_for's predicate gets the caller's own copy. modify's function works on a copy,
 * too, which is then written: readers see it whole or not at all. The function runs with no lock
 * held. If there are several senders the value is `pinned` meanwhile: other writers wait, and only
 * they.
 *
 * INVARIANTS
 *   I1  One thread at a time writes the seqbuf: the holder of the only sender, or the holder of the
 *       lock while the value is not pinned, or the thread that pinned it.
 *   I2  A receiver has an unseen version iff its `seen` differs from the version. Only equality
 *       counts, so the wrap of 64 bits means nothing, and version - 1 will do for "unseen" (W-14).
 *   I3  A receiver in recv_queue has seen the version for which the last writer looked there.
 *       ATTENTION is set while a receiver is in it.
 *   I4  SHARED is set whenever there are two senders.
 *
 * WHO EXCLUDES WHOM
 *                             write, lone    write, locked    read, wait    modify's function
 *   write, lone               same handle    SHARED           -             same handle
 *   write, locked             SHARED         lock             -             pinned
 *   read, wait                -              -                -             -
 *   subscribe, sender_clone   same handle    lock             -             -
 *   other handles             -              lock             -             -
 * A write and a read (-) run at the same time: the seqbuf says whether the copy counts. Handles
 * that come and go exclude each other by the lock.
 *
 * LINEARIZATION. Writes: the store that publishes (seqbuf.h). Borrows, changed: the load that finds
 * the value. CHAN_EMPTY and CHAN_CLOSED: the load of the flags, which comes before the load that
 * finds nothing unseen. A lone send to nobody: its look at the flags; while it runs nobody else has
 * a handle through which that could be told from another moment. All else: its critical section.
 *
 * ORDER (A release, R acquire): A1 -> R1 and A2 -> R2 of seqbuf.h, and
 *   A3 -> R3  each change of the flags -> their load. NO_SENDERS and NO_RECEIVERS: what was done
 *             before the drop. SHARED cleared: the writes of the other senders.
 *
 * A PREEMPTED PEER. A lone writer stops nobody. One of several writers holds the lock for the time
 * of a copy: it stops other writers, handles that come and go, and properties; readers go on. A
 * reader stops nobody, unless it has been starving.
 */
#include "impls/base/compiler.h"
#include "impls/base/core.h"
#include "impls/base/fence.h"
#include "impls/base/scratch.h"
#include "impls/futex/futex.h"
#include "impls/futex/seqbuf.h"
#include "impls/mutex/mutex.h"

#include <stdlib.h>

/* What one side writes and another reads lies so far apart: lines are fetched in pairs. */
#define LINE 128

#define TRIES 32

enum { SHARED = 1, NO_RECEIVERS = 2, NO_SENDERS = 4, ATTENTION = 8 };

struct channel {
	struct core core;
	/* modify's function runs, and there are other senders; under the lock */
	bool pinned;
	pthread_cond_t unpinned; /* tells all writers, of whom any may be next */
	struct spin_site site;   /* of receivers that wait for a change */

	alignas(LINE) _Atomic unsigned flags;
	struct seqbuf_shape shape;

	alignas(LINE) struct seqbuf value; /* the last: its buffers follow */
};

struct receiver {
	struct handle handle;
	uint64_t seen;
};

static struct channel *channel_of(const struct handle *h)
{
	return (struct channel *)h->core;
}

static inline unsigned flags_of(const struct channel *ch)
{
	return atomic_load_explicit(&ch->flags, memory_order_acquire); /* R3: what the others did */
}

/* Both under the lock; only a clone sets SHARED without it. */
static void flags_set(struct channel *ch, unsigned flags)
{
	atomic_fetch_or_explicit(&ch->flags, flags, memory_order_release); /* A3: after the drop */
}

static void flags_clear(struct channel *ch, unsigned flags)
{
	/* A3: after its writes */
	atomic_fetch_and_explicit(&ch->flags, ~flags, memory_order_release);
}

/* From here on writers come through the lock, which the caller holds. A write that has begun may
 * still be published. */
static void attention_begin(struct channel *ch)
{
	if ((flags_of(ch) & ATTENTION) != 0)
		return; /* whoever set it has made the fence, too, before it released the lock */
	flags_set(ch, ATTENTION);
	chan_fence_heavy();
}

/* If nobody waits, writers need not come through the lock for that. Under the lock. */
static void attention_end(struct channel *ch)
{
	if (list_empty(&ch->core.recv_queue) && (flags_of(ch) & ATTENTION) != 0)
		flags_clear(ch, ATTENTION);
}

/* ------------------------------------------------------------------------------------------
 * Reading the value
 */

/* Reads with the writers kept out by ATTENTION. A write that has begun may still spoil the first
 * try; the second is whole at the latest. */
static void read_stopped(struct channel *ch, bool value, void *element, struct seqbuf_read *read)
{
	pthread_mutex_lock(&ch->core.lock);
	attention_begin(ch);
	while (!seqbuf_try_read(&ch->value, &ch->shape, value, element, read))
		chan_relax();
	attention_end(ch);
	pthread_mutex_unlock(&ch->core.lock);
}

/* The newest version and, if `value` asks for it, its value. */
static inline struct seqbuf_read read_newest(struct channel *ch, bool value, void *element)
{
	struct seqbuf_read read;

	for (int i = 0; i < TRIES; i++)
		if (seqbuf_try_read(&ch->value, &ch->shape, value, element, &read))
			return read;
	read_stopped(ch, value, element, &read);
	return read;
}

static uint64_t version_of(struct channel *ch)
{
	return read_newest(ch, false, NULL).version;
}

/* Whether changed() would not wait. */
static bool ready(const struct receiver *r)
{
	struct channel *ch = channel_of(&r->handle);

	return version_of(ch) != r->seen || (flags_of(ch) & NO_SENDERS) != 0;
}

/* ------------------------------------------------------------------------------------------
 * Writing
 */

/* Wakes all who have not seen the newest version. Under the lock. */
static void wake(struct channel *ch, struct list *wakes)
{
	struct list *queue = &ch->core.recv_queue;
	size_t version = (size_t)seqbuf_version(&ch->value, &ch->shape);

	for (struct list *next, *l = queue->next; l != queue; l = next) {
		struct wait *w = LIST_ENTRY(l, struct wait, queue);
		next = l->next;
		if (w->want != version)
			chan_wait_wake(w, wakes);
	}
	attention_end(ch);
}

static void publish(struct channel *ch, bool notify)
{
	seqbuf_publish(&ch->value, &ch->shape, seqbuf_version(&ch->value, &ch->shape) + (notify ? 1 : 0));
}

/* After a lone writer has published. */
static inline void tell(struct handle *h)
{
	struct channel *ch = channel_of(h);
	struct list wakes = WAKES_NONE(wakes);

	chan_fence_light(); /* publish before the look at ATTENTION */
	if ((atomic_load_explicit(&ch->flags, memory_order_relaxed) & ATTENTION) == 0)
		return;
	chan_handle_enter(h, "send");
	wake(ch, &wakes);
	chan_handle_leave(h, &wakes);
}

/* Takes the lock, and waits until no other writer is at work. */
static void enter_unpinned(struct handle *h, const char *operation)
{
	struct channel *ch = channel_of(h);

	chan_handle_enter(h, operation);
	while (ch->pinned)
		pthread_cond_wait(&ch->unpinned, &ch->core.lock);
}

static enum chan_status send_locked(struct handle *h, const void *msg)
{
	struct channel *ch = channel_of(h);
	struct list wakes = WAKES_NONE(wakes);

	enter_unpinned(h, "send");
	bool closed = chan_core_closed(&ch->core);
	if (!closed) {
		seqbuf_prepare(&ch->value, &ch->shape, msg);
		publish(ch, true);
		wake(ch, &wakes);
	}
	chan_handle_leave(h, &wakes);
	return closed ? CHAN_CLOSED : CHAN_OK;
}

static CHAN_INLINE enum chan_status bytes_send(struct handle *h, const void *msg)
{
	struct channel *ch = channel_of(h);

	if (inside_callback_of(&ch->core) || (msg == NULL && ch->shape.size != 0))
		return CHAN_INVALID;
	if (flags_of(ch) != 0)
		return send_locked(h, msg);
	owner_check_enter(&h->owner, "send");
	seqbuf_prepare(&ch->value, &ch->shape, msg);
	publish(ch, true);
	owner_check_leave(&h->owner);
	tell(h);
	return CHAN_OK;
}

static enum chan_status bytes_send_replace(struct handle *h, const void *msg, void *previous)
{
	struct channel *ch = channel_of(h);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core) || ((msg == NULL || previous == NULL) && ch->shape.size != 0))
		return CHAN_INVALID;
	enter_unpinned(h, "send_replace");
	seqbuf_prepare(&ch->value, &ch->shape, msg); /* first: `previous` may be where `msg` is */
	seqbuf_get(&ch->value, &ch->shape, previous);
	publish(ch, true);
	wake(ch, &wakes);
	chan_handle_leave(h, &wakes);
	return CHAN_OK;
}

/* If there are several senders, pins the value and says so. A lone sender has nobody to keep
 * away. */
static bool pin(struct handle *h)
{
	struct channel *ch = channel_of(h);
	bool shared = (flags_of(ch) & SHARED) != 0;

	if (shared) {
		enter_unpinned(h, "modify");
		ch->pinned = true;
		owner_check_leave(&h->owner);
		pthread_mutex_unlock(&ch->core.lock);
	}
	return shared;
}

/* Publishes what was prepared, and unpins the value if it was pinned. */
static void unpin(struct handle *h, bool shared, bool notify)
{
	struct channel *ch = channel_of(h);
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "modify");
	publish(ch, notify);
	if (shared) {
		ch->pinned = false;
		pthread_cond_broadcast(&ch->unpinned);
	}
	if (notify)
		wake(ch, &wakes);
	chan_handle_leave(h, &wakes);
}

static enum chan_status bytes_modify(struct handle *h, bool (*f)(void *value, void *arg), void *arg, bool *modified)
{
	struct channel *ch = channel_of(h);
	struct scratch copy;
	struct inside inside;

	if (inside_callback_of(&ch->core) || f == NULL)
		return CHAN_INVALID;
	if (!scratch_get(&copy, &ch->core.layout))
		return CHAN_NOMEM;

	owner_check_enter(&h->owner, "modify");
	bool shared = pin(h);
	seqbuf_get(&ch->value, &ch->shape, copy.element);
	inside_enter(&inside, &ch->core);
	bool changed = f(copy.element, arg);
	inside_leave(&inside);
	seqbuf_prepare(&ch->value, &ch->shape, copy.element);
	scratch_put(&copy);
	if (modified != NULL)
		*modified = changed;
	owner_check_leave(&h->owner);
	unpin(h, shared, changed);
	return CHAN_OK;
}

/* ------------------------------------------------------------------------------------------
 * Borrowing
 */

static enum chan_status bytes_sender_borrow(struct handle *h, void *value)
{
	struct channel *ch = channel_of(h);

	if (inside_callback_of(&ch->core) || (value == NULL && ch->shape.size != 0))
		return CHAN_INVALID;
	owner_check_enter(&h->owner, "sender_borrow");
	read_newest(ch, true, value);
	owner_check_leave(&h->owner);
	return CHAN_OK;
}

/* What both ways of borrowing do with what was read. */
static inline void borrowed(struct receiver *r, const struct seqbuf_read *read, bool *unseen, bool update)
{
	if (unseen != NULL)
		*unseen = read->version != r->seen;
	if (update)
		r->seen = read->version;
}

/* The rare borrows: from a callback of this very channel, without memory for the value, or after
 * the value was overwritten during the copy. */
static CHAN_APART enum chan_status borrow_apart(struct receiver *r, void *value, bool *unseen, bool update)
{
	struct channel *ch = channel_of(&r->handle);

	if (inside_callback_of(&ch->core) || (value == NULL && ch->shape.size != 0))
		return CHAN_INVALID;
	owner_check_enter(&r->handle.owner, "borrow");
	struct seqbuf_read read = read_newest(ch, true, value);
	borrowed(r, &read, unseen, update);
	owner_check_leave(&r->handle.owner);
	return CHAN_OK;
}

static CHAN_INLINE enum chan_status bytes_borrow(struct receiver *r, void *value, bool *unseen, bool update)
{
	struct channel *ch = channel_of(&r->handle);
	struct seqbuf_read read;

	if (inside_callback_of(&ch->core) || value == NULL)
		return borrow_apart(r, value, unseen, update);
	owner_check_enter(&r->handle.owner, "borrow");
	bool whole = seqbuf_try_read(&ch->value, &ch->shape, true, value, &read);
	if (whole)
		borrowed(r, &read, unseen, update);
	owner_check_leave(&r->handle.owner);
	return whole ? CHAN_OK : borrow_apart(r, value, unseen, update);
}

/* ------------------------------------------------------------------------------------------
 * Waiting for a change
 */

/* Sleeps until it is woken for a version other than the one that was seen, or for the last
 * sender's drop. Under the lock. */
static enum chan_status sleep_in_queue(struct receiver *r, uint64_t deadline)
{
	struct core *core = r->handle.core;
	struct wait_blocked blocked;

	chan_wait_blocked_init(&blocked, core->sleep);
	blocked.wait.want = (size_t)r->seen;
	list_append(&core->recv_queue, &blocked.wait.queue);
	attention_begin(channel_of(&r->handle));
	bool is_ready = ready(r);
	bool woken = !is_ready && chan_wait_block(&core->lock, &blocked, deadline);
	if (!woken)
		list_unlink(&blocked.wait.queue);
	chan_wait_blocked_end(&blocked);
	return is_ready || woken ? CHAN_OK : CHAN_TIMEOUT;
}

/* Waits until it is worth to look again, or until the deadline, which is not CHAN_NOW. */
static enum chan_status await(struct receiver *r, uint64_t deadline)
{
	struct channel *ch = channel_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status = CHAN_OK;
	struct spin spin;

	chan_spin_begin(&spin, &ch->site, NULL, true, 0);
	chan_spin_until(&spin, deadline);
	while (!ready(r) && chan_spin(&spin))
		;
	bool sleeps = !ready(r);
	if (sleeps) {
		chan_handle_enter(&r->handle, "changed");
		status = sleep_in_queue(r, deadline);
		chan_handle_leave(&r->handle, &wakes);
	}
	chan_spin_end(&spin, sleeps);
	return status;
}

static enum chan_status changed(struct receiver *r, uint64_t deadline)
{
	struct channel *ch = channel_of(&r->handle);

	for (;;) {
		/* R3, before the version: then that is the last */
		bool no_senders = (flags_of(ch) & NO_SENDERS) != 0;
		uint64_t version = version_of(ch);

		if (version != r->seen) {
			r->seen = version;
			return CHAN_OK;
		}
		if (no_senders)
			return CHAN_CLOSED;
		if (deadline == CHAN_NOW)
			return CHAN_EMPTY;
		enum chan_status status = await(r, deadline);
		if (status != CHAN_OK)
			return status;
	}
}

static enum chan_status bytes_changed(struct receiver *r, uint64_t deadline)
{
	if (inside_callback_of(r->handle.core))
		return CHAN_INVALID;
	owner_check_enter(&r->handle.owner, "changed");
	enum chan_status status = changed(r, deadline);
	owner_check_leave(&r->handle.owner);
	return status;
}

static enum chan_status bytes_has_changed(struct receiver *r)
{
	struct channel *ch = channel_of(&r->handle);

	if (inside_callback_of(&ch->core))
		return CHAN_INVALID;
	if ((flags_of(ch) & NO_SENDERS) != 0)
		return CHAN_CLOSED; /* W-7: unseen or not */
	return version_of(ch) != r->seen ? CHAN_OK : CHAN_EMPTY;
}

/* The predicate has refused the write with the number `tried`. Waits for another value to try:
 * CHAN_OK. A value that modify wrote without notifying is none, unless it is the last that there
 * will be (W-24). */
static enum chan_status await_other(struct receiver *r, uint64_t tried, uint64_t deadline)
{
	struct channel *ch = channel_of(&r->handle);
	enum chan_status status = CHAN_OK;

	while (status == CHAN_OK) {
		/* R3, before the read: then that is the last */
		bool no_senders = (flags_of(ch) & NO_SENDERS) != 0;
		struct seqbuf_read newest = read_newest(ch, false, NULL);

		if (newest.version != r->seen || (no_senders && newest.number != tried))
			return CHAN_OK;
		if (no_senders)
			return CHAN_CLOSED;
		status = deadline == CHAN_NOW ? CHAN_EMPTY : await(r, deadline);
	}
	return status;
}

static enum chan_status wait_for(struct receiver *r, bool (*pred)(const void *value, void *arg), void *arg, void *value,
                                 uint64_t deadline)
{
	struct channel *ch = channel_of(&r->handle);
	enum chan_status status;
	struct inside inside;
	bool holds;

	do {
		struct seqbuf_read read = read_newest(ch, true, value);

		r->seen = read.version; /* W-25: tried is seen */
		inside_enter(&inside, &ch->core);
		holds = pred(value, arg);
		inside_leave(&inside);
		status = holds ? CHAN_OK : await_other(r, read.number, deadline);
	} while (status == CHAN_OK && !holds);
	return status;
}

static enum chan_status bytes_wait_for(struct receiver *r, bool (*pred)(const void *value, void *arg), void *arg,
                                       void *value, uint64_t deadline)
{
	struct core *core = r->handle.core;
	char none;

	if (inside_callback_of(core) || pred == NULL || (value == NULL && core->layout.size != 0))
		return CHAN_INVALID;
	owner_check_enter(&r->handle.owner, "wait_for");
	enum chan_status status = wait_for(r, pred, arg, core->layout.size != 0 ? value : &none, deadline);
	owner_check_leave(&r->handle.owner);
	return status;
}

static enum chan_arm bytes_arm_changed(struct receiver *r, struct chan_waiter *waiter)
{
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(r->handle.core))
		return CHAN_NOT_ARMED;
	if (ready(r))
		return CHAN_READY;
	chan_handle_enter(&r->handle, "arm_changed");
	attention_begin(channel_of(&r->handle));
	bool is_ready = ready(r);
	if (!is_ready) {
		chan_handle_arm(&r->handle, &r->handle.core->recv_queue, waiter);
		chan_wait_of_waiter(waiter)->want = (size_t)r->seen;
	}
	chan_handle_leave(&r->handle, &wakes);
	return is_ready ? CHAN_READY : CHAN_ARMED;
}

static void bytes_mark_changed(struct receiver *r)
{
	struct channel *ch = channel_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core))
		return;
	r->seen = version_of(ch) - 1;
	/* What is armed on this very handle would now complete. */
	chan_handle_enter(&r->handle, "mark_changed");
	for (struct list *l = r->handle.armed.next; l != &r->handle.armed; l = l->next) {
		struct wait *w = LIST_ENTRY(l, struct wait, siblings);
		if (chan_wait_state(w) == WAIT_QUEUED)
			chan_wait_wake(w, &wakes);
	}
	chan_handle_leave(&r->handle, &wakes);
}

static void bytes_mark_unchanged(struct receiver *r)
{
	struct channel *ch = channel_of(&r->handle);

	if (!inside_callback_of(&ch->core))
		r->seen = version_of(ch);
}

/* ------------------------------------------------------------------------------------------
 * Opening, handles that come and go
 */

static void end(struct core *core)
{
	struct channel *ch = (struct channel *)core;

	pthread_cond_destroy(&ch->unpinned);
	chan_core_fini(core);
	free(ch);
}

/* A channel without handles; NULL when out of memory. */
static struct channel *channel_new(const struct chan_config *config, const struct layout *layout, const void *initial)
{
	struct seqbuf_shape shape;
	void *memory;

	seqbuf_shape(&shape, layout->size);
	size_t bytes = offsetof(struct channel, value) + seqbuf_bytes(&shape);
	if (posix_memalign(&memory, LINE, bytes) != 0)
		return NULL;
	struct channel *ch = memset(memory, 0, bytes);
	chan_core_init(&ch->core, config, layout, CORE_PARKS, end);
	pthread_cond_init(&ch->unpinned, NULL);
	ch->shape = shape;
	seqbuf_init(&ch->value, &ch->shape, initial, config->start);
	return ch;
}

static enum chan_status bytes_open(const struct chan_config *config, const void *initial, struct chan_sender **tx,
                                   struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status = chan_config_copied(config, &layout);

	if (status != CHAN_OK)
		return status;
	struct channel *ch = channel_new(config, &layout, initial);
	if (ch == NULL)
		return CHAN_NOMEM;
	struct handle *sender = chan_handle_new(&ch->core, sizeof *sender);
	struct receiver *receiver = chan_handle_new(&ch->core, sizeof *receiver);
	if (sender == NULL || receiver == NULL)
		goto no_memory;
	receiver->seen = config->start;
	ch->core.senders = ch->core.receivers = 1;
	*tx = (struct chan_sender *)sender;
	*rx = (struct chan_receiver *)receiver;
	return CHAN_OK;

no_memory:
	free(receiver);
	free(sender);
	end(&ch->core);
	return CHAN_NOMEM;
}

static enum chan_status bytes_sender_clone(struct handle *h, struct chan_sender **out)
{
	enum chan_status status = chan_core_sender_clone((struct chan_sender *)h, out);

	if (status == CHAN_OK)
		flags_set(channel_of(h), SHARED); /* I4 */
	return status;
}

static void bytes_sender_drop(struct handle *h)
{
	struct channel *ch = channel_of(h);
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "sender_drop");
	chan_handle_disarm_all(h);
	if (--ch->core.senders == 1)
		flags_clear(ch, SHARED);
	if (ch->core.senders == 0) {
		flags_set(ch, NO_SENDERS);
		chan_wait_wake_all(&ch->core.recv_queue, &wakes);
	}
	chan_handle_leave(h, &wakes);
	free(h);
	chan_core_unref(&ch->core);
}

/* A receiver made through `from`. It has seen what `like` has or, if that is NULL, the current
 * version. */
static enum chan_status receiver_new(struct handle *from, const struct receiver *like, struct chan_receiver **out)
{
	struct channel *ch = channel_of(from);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core) || out == NULL)
		return CHAN_INVALID;
	struct receiver *r = chan_handle_new(&ch->core, sizeof *r);
	if (r == NULL)
		return CHAN_NOMEM;
	chan_handle_enter(from, "subscribe");
	/* Through the only sender or under the lock: there is no writer at work. */
	r->seen = like != NULL ? like->seen : seqbuf_version(&ch->value, &ch->shape);
	if (ch->core.receivers++ == 0)
		flags_clear(ch, NO_RECEIVERS);
	chan_handle_leave(from, &wakes);
	*out = (struct chan_receiver *)r;
	return CHAN_OK;
}

static void bytes_receiver_drop(struct receiver *r)
{
	struct channel *ch = channel_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(&r->handle, "receiver_drop");
	chan_handle_disarm_all(&r->handle);
	if (--ch->core.receivers == 0) {
		flags_set(ch, NO_RECEIVERS);
		chan_wait_wake_all(&ch->core.closed_queue, &wakes);
	}
	chan_handle_leave(&r->handle, &wakes);
	free(r);
	chan_core_unref(&ch->core);
}

/* ------------------------------------------------------------------------------------------
 * ENTRIES. A value with hooks cannot be cloned while it is overwritten: it must be pinned. So a
 * channel that is opened with a `clone` hook is one of the locked channel (impls/mutex), whose
 * threads park. Each entry decides once which of the two the handle is of. Nothing above looks.
 */

static CHAN_INLINE bool hooked(const void *handle)
{
	return CHAN_RARELY(((const struct handle *)handle)->core->config.clone != NULL);
}

static enum chan_status watch_open(const struct chan_config *config, const void *initial, struct chan_sender **tx,
                                   struct chan_receiver **rx)
{
	if (config == NULL || tx == NULL || rx == NULL || (initial == NULL && config->size != 0))
		return CHAN_INVALID;
	return config->clone != NULL ? chan_mutex_watch_open(config, initial, CORE_PARKS, tx, rx)
	                             : bytes_open(config, initial, tx, rx);
}

static enum chan_status watch_send(struct chan_sender *tx, const void *msg)
{
	return hooked(tx) ? chan_mutex_watch_ops.send(tx, msg) : bytes_send((struct handle *)tx, msg);
}

static enum chan_status watch_borrow(struct chan_receiver *rx, void *value, bool *unseen)
{
	return hooked(rx) ? chan_mutex_watch_ops.borrow(rx, value, unseen)
	                  : bytes_borrow((struct receiver *)rx, value, unseen, false);
}

static enum chan_status watch_borrow_and_update(struct chan_receiver *rx, void *value, bool *unseen)
{
	return hooked(rx) ? chan_mutex_watch_ops.borrow_and_update(rx, value, unseen)
	                  : bytes_borrow((struct receiver *)rx, value, unseen, true);
}

static enum chan_status watch_changed(struct chan_receiver *rx, uint64_t deadline)
{
	return hooked(rx) ? chan_mutex_watch_ops.changed(rx, deadline) : bytes_changed((struct receiver *)rx, deadline);
}

static enum chan_status watch_has_changed(struct chan_receiver *rx)
{
	return hooked(rx) ? chan_mutex_watch_ops.has_changed(rx) : bytes_has_changed((struct receiver *)rx);
}

static enum chan_status watch_wait_for(struct chan_receiver *rx, bool (*pred)(const void *value, void *arg), void *arg,
                                       void *value, uint64_t deadline)
{
	return hooked(rx) ? chan_mutex_watch_ops.wait_for(rx, pred, arg, value, deadline)
	                  : bytes_wait_for((struct receiver *)rx, pred, arg, value, deadline);
}

static enum chan_status watch_send_replace(struct chan_sender *tx, const void *msg, void *previous)
{
	return hooked(tx) ? chan_mutex_watch_ops.send_replace(tx, msg, previous)
	                  : bytes_send_replace((struct handle *)tx, msg, previous);
}

static enum chan_status watch_modify(struct chan_sender *tx, bool (*f)(void *value, void *arg), void *arg,
                                     bool *modified)
{
	return hooked(tx) ? chan_mutex_watch_ops.modify(tx, f, arg, modified)
	                  : bytes_modify((struct handle *)tx, f, arg, modified);
}

static enum chan_status watch_sender_borrow(struct chan_sender *tx, void *value)
{
	return hooked(tx) ? chan_mutex_watch_ops.sender_borrow(tx, value)
	                  : bytes_sender_borrow((struct handle *)tx, value);
}

static void watch_mark_changed(struct chan_receiver *rx)
{
	if (hooked(rx))
		chan_mutex_watch_ops.mark_changed(rx);
	else
		bytes_mark_changed((struct receiver *)rx);
}

static void watch_mark_unchanged(struct chan_receiver *rx)
{
	if (hooked(rx))
		chan_mutex_watch_ops.mark_unchanged(rx);
	else
		bytes_mark_unchanged((struct receiver *)rx);
}

static enum chan_status watch_sender_clone(struct chan_sender *tx, struct chan_sender **out)
{
	return hooked(tx) ? chan_mutex_watch_ops.sender_clone(tx, out) : bytes_sender_clone((struct handle *)tx, out);
}

static enum chan_status watch_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct receiver *r = (struct receiver *)rx;

	return hooked(rx) ? chan_mutex_watch_ops.receiver_clone(rx, out) : receiver_new(&r->handle, r, out);
}

static enum chan_status watch_subscribe(struct chan_sender *tx, struct chan_receiver **out)
{
	return hooked(tx) ? chan_mutex_watch_ops.subscribe(tx, out) : receiver_new((struct handle *)tx, NULL, out);
}

static void watch_sender_drop(struct chan_sender **tx)
{
	struct handle *h = (struct handle *)*tx;

	if (h == NULL || hooked(h)) {
		chan_mutex_watch_ops.sender_drop(tx);
		return;
	}
	*tx = NULL;
	bytes_sender_drop(h);
}

static void watch_receiver_drop(struct chan_receiver **rx)
{
	struct receiver *r = (struct receiver *)*rx;

	if (r == NULL || hooked(r)) {
		chan_mutex_watch_ops.receiver_drop(rx);
		return;
	}
	*rx = NULL;
	bytes_receiver_drop(r);
}

static enum chan_arm watch_arm_changed(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	return hooked(rx) ? chan_mutex_watch_ops.arm_changed(rx, waiter)
	                  : bytes_arm_changed((struct receiver *)rx, waiter);
}

const struct chan_watch_ops chan_futex_watch_ops = {
	.open = watch_open,
	.send = watch_send,
	.borrow = watch_borrow,
	.changed = watch_changed,
	.sender_drop = watch_sender_drop,
	.receiver_drop = watch_receiver_drop,
	.send_replace = watch_send_replace,
	.modify = watch_modify,
	.sender_borrow = watch_sender_borrow,
	.borrow_and_update = watch_borrow_and_update,
	.has_changed = watch_has_changed,
	.wait_for = watch_wait_for,
	.mark_changed = watch_mark_changed,
	.mark_unchanged = watch_mark_unchanged,
	.sender_clone = watch_sender_clone,
	.receiver_clone = watch_receiver_clone,
	.subscribe = watch_subscribe,
	.closed = chan_core_wait_closed,
	.arm_changed = watch_arm_changed,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_core_disarm,
	.sender_get = chan_core_sender_get,
	.receiver_get = chan_core_receiver_get,
};
