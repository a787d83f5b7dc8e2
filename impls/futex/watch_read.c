/* SPDX-License-Identifier: MIT
 *
 * watch_read.c - borrowing the value of a watch channel, and waiting for another. Overview and
 * labels: watch.h.
 */
#include "impls/base/fence.h"
#include "impls/futex/watch.h"
#include "impls/mutex/watch.h"

#define TRIES 32

void chan_futex_watch_attend(struct futex_watch *ch)
{
	if ((chan_futex_watch_flags(ch) & WATCH_ATTENTION) != 0)
		return; /* whoever set it has made the fence, too, before the lock was released */
	chan_futex_watch_set(ch, WATCH_ATTENTION);
	chan_fence_heavy();
}

void chan_futex_watch_relent(struct futex_watch *ch)
{
	if (list_empty(&ch->core.recv_queue) && (chan_futex_watch_flags(ch) & WATCH_ATTENTION) != 0)
		chan_futex_watch_clear(ch, WATCH_ATTENTION);
}

/* With the writer stopped, but for a write that it has begun: the second try is whole at the
 * latest. */
static void read_stopped(struct futex_watch *ch, bool value, void *element, struct seqbuf_read *read)
{
	pthread_mutex_lock(&ch->core.lock);
	chan_futex_watch_attend(ch);
	while (!seqbuf_try_read(&ch->value, &ch->shape, value, element, read))
		chan_relax();
	chan_futex_watch_relent(ch);
	pthread_mutex_unlock(&ch->core.lock);
}

/* The newest version and, if asked for, its value. */
static inline struct seqbuf_read read_newest(struct futex_watch *ch, bool value, void *element)
{
	struct seqbuf_read read;

	for (int i = 0; i < TRIES; i++)
		if (seqbuf_try_read(&ch->value, &ch->shape, value, element, &read))
			return read;
	read_stopped(ch, value, element, &read);
	return read;
}

uint64_t chan_futex_watch_version(struct futex_watch *ch)
{
	return read_newest(ch, false, NULL).version;
}

bool chan_futex_watch_ready(struct chan_futex_watch_receiver *r)
{
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);

	return chan_futex_watch_version(ch) != r->seen || (chan_futex_watch_flags(ch) & WATCH_ENDED) != 0;
}

/* ------------------------------------------------------------------------------------------
 * Borrowing
 */

enum chan_status chan_futex_watch_sender_borrow(struct chan_sender *tx, void *value)
{
	struct handle *h = (struct handle *)tx;
	struct futex_watch *ch = chan_futex_watch_of(h);

	if (chan_futex_watch_hooked(h))
		return chan_mutex_watch_sender_borrow(tx, value);
	if (inside_callback_of(&ch->core) || (value == NULL && ch->shape.size != 0))
		return CHAN_INVALID;
	owner_check_enter(&h->owner, "sender_borrow");
	read_newest(ch, true, value);
	owner_check_leave(&h->owner);
	return CHAN_OK;
}

/* What both ways of borrowing do with what was read. */
static inline void borrowed(struct chan_futex_watch_receiver *r, const struct seqbuf_read *read, bool *unseen,
                            bool update)
{
	if (unseen != NULL)
		*unseen = read->version != r->seen;
	if (update)
		r->seen = read->version;
}

/* A channel with hooks, a callback of this very channel, no value, or one that was overwritten
 * meanwhile. */
static CHAN_APART enum chan_status borrow_apart(struct chan_receiver *rx, void *value, bool *unseen, bool update)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)rx;
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);

	if (chan_futex_watch_hooked(&r->handle))
		return update ? chan_mutex_watch_borrow_and_update(rx, value, unseen)
		              : chan_mutex_watch_borrow(rx, value, unseen);
	if (inside_callback_of(&ch->core) || (value == NULL && ch->shape.size != 0))
		return CHAN_INVALID;
	owner_check_enter(&r->handle.owner, "borrow");
	struct seqbuf_read read = read_newest(ch, true, value);
	borrowed(r, &read, unseen, update);
	owner_check_leave(&r->handle.owner);
	return CHAN_OK;
}

static CHAN_INLINE enum chan_status borrow(struct chan_receiver *rx, void *value, bool *unseen, bool update)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)rx;
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);
	struct seqbuf_read read;

	if (chan_futex_watch_hooked(&r->handle) || inside_callback_of(&ch->core) || value == NULL)
		return borrow_apart(rx, value, unseen, update);
	owner_check_enter(&r->handle.owner, "borrow");
	bool whole = seqbuf_try_read(&ch->value, &ch->shape, true, value, &read);
	if (whole)
		borrowed(r, &read, unseen, update);
	owner_check_leave(&r->handle.owner);
	return whole ? CHAN_OK : borrow_apart(rx, value, unseen, update);
}

enum chan_status chan_futex_watch_borrow(struct chan_receiver *rx, void *value, bool *unseen)
{
	return borrow(rx, value, unseen, false);
}

enum chan_status chan_futex_watch_borrow_and_update(struct chan_receiver *rx, void *value, bool *unseen)
{
	return borrow(rx, value, unseen, true);
}

/* ------------------------------------------------------------------------------------------
 * Waiting for a change
 */

/* Sleeps until it is woken for a version other than the one that was seen, or for the end. Under
 * the lock. */
static enum chan_status sleep_in_queue(struct chan_futex_watch_receiver *r, uint64_t deadline)
{
	struct core *core = r->handle.core;
	struct wait_blocked blocked;

	chan_wait_blocked_init(&blocked, core->sleep);
	blocked.wait.want = (size_t)r->seen;
	list_append(&core->recv_queue, &blocked.wait.queue);
	chan_futex_watch_attend(chan_futex_watch_of(&r->handle));
	bool ready = chan_futex_watch_ready(r);
	bool woken = !ready && chan_wait_block(&core->lock, &blocked, deadline);
	if (!woken)
		list_unlink(&blocked.wait.queue);
	chan_wait_blocked_end(&blocked);
	return ready || woken ? CHAN_OK : CHAN_TIMEOUT;
}

/* Waits until it is worth to look again, or until the deadline, which is not CHAN_NOW. */
static enum chan_status await(struct chan_futex_watch_receiver *r, uint64_t deadline)
{
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status = CHAN_OK;
	struct spin spin;

	chan_spin_begin(&spin, &ch->site, NULL, true, 0);
	chan_spin_until(&spin, deadline);
	while (!chan_futex_watch_ready(r) && chan_spin(&spin))
		;
	bool sleeps = !chan_futex_watch_ready(r);
	if (sleeps) {
		chan_handle_enter(&r->handle, "changed");
		status = sleep_in_queue(r, deadline);
		chan_handle_leave(&r->handle, &wakes);
	}
	chan_spin_end(&spin, sleeps);
	return status;
}

static enum chan_status changed(struct chan_futex_watch_receiver *r, uint64_t deadline)
{
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);

	for (;;) {
		bool ended =
			/* before the version: then it is the last */
			(chan_futex_watch_flags(ch) & WATCH_ENDED) != 0;
		uint64_t version = chan_futex_watch_version(ch);

		if (version != r->seen) {
			r->seen = version;
			return CHAN_OK;
		}
		if (ended)
			return CHAN_CLOSED;
		if (deadline == CHAN_NOW)
			return CHAN_EMPTY;
		enum chan_status status = await(r, deadline);
		if (status != CHAN_OK)
			return status;
	}
}

enum chan_status chan_futex_watch_changed(struct chan_receiver *rx, uint64_t deadline)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)rx;

	if (chan_futex_watch_hooked(&r->handle))
		return chan_mutex_watch_changed(rx, deadline);
	if (inside_callback_of(r->handle.core))
		return CHAN_INVALID;
	owner_check_enter(&r->handle.owner, "changed");
	enum chan_status status = changed(r, deadline);
	owner_check_leave(&r->handle.owner);
	return status;
}

enum chan_status chan_futex_watch_has_changed(struct chan_receiver *rx)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)rx;
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);

	if (chan_futex_watch_hooked(&r->handle))
		return chan_mutex_watch_has_changed(rx);
	if (inside_callback_of(&ch->core))
		return CHAN_INVALID;
	if ((chan_futex_watch_flags(ch) & WATCH_ENDED) != 0)
		return CHAN_CLOSED; /* W-7: unseen or not */
	return chan_futex_watch_version(ch) != r->seen ? CHAN_OK : CHAN_EMPTY;
}

/* After write `tried` did not do: CHAN_OK, there is another to try. What modify changed without
 * notifying is not, unless it is the last value there will be (W-24). */
static enum chan_status await_other(struct chan_futex_watch_receiver *r, uint64_t tried, uint64_t deadline)
{
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);
	enum chan_status status = CHAN_OK;

	while (status == CHAN_OK) {
		/* before the look: then it is the last */
		bool ended = (chan_futex_watch_flags(ch) & WATCH_ENDED) != 0;
		struct seqbuf_read newest = read_newest(ch, false, NULL);

		if (newest.version != r->seen || (ended && newest.number != tried))
			return CHAN_OK;
		if (ended)
			return CHAN_CLOSED;
		status = deadline == CHAN_NOW ? CHAN_EMPTY : await(r, deadline);
	}
	return status;
}

static enum chan_status wait_for(struct chan_futex_watch_receiver *r, bool (*pred)(const void *value, void *arg),
                                 void *arg, void *value, uint64_t deadline)
{
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);
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

enum chan_status chan_futex_watch_wait_for(struct chan_receiver *rx, bool (*pred)(const void *value, void *arg),
                                           void *arg, void *value, uint64_t deadline)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)rx;
	struct core *core = r->handle.core;
	char none;

	if (chan_futex_watch_hooked(&r->handle))
		return chan_mutex_watch_wait_for(rx, pred, arg, value, deadline);
	if (inside_callback_of(core) || pred == NULL || (value == NULL && core->layout.size != 0))
		return CHAN_INVALID;
	owner_check_enter(&r->handle.owner, "wait_for");
	enum chan_status status = wait_for(r, pred, arg, core->layout.size != 0 ? value : &none, deadline);
	owner_check_leave(&r->handle.owner);
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Marks
 */

/* What is armed on this very handle would now complete. */
static void fire_armed(struct chan_futex_watch_receiver *r)
{
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(&r->handle, "mark_changed");
	for (struct list *l = r->handle.armed.next; l != &r->handle.armed; l = l->next) {
		struct wait *w = LIST_ENTRY(l, struct wait, siblings);
		if (chan_wait_state(w) == WAIT_QUEUED)
			chan_wait_wake(w, &wakes);
	}
	chan_handle_leave(&r->handle, &wakes);
}

void chan_futex_watch_mark_changed(struct chan_receiver *rx)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)rx;
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);

	if (chan_futex_watch_hooked(&r->handle)) {
		chan_mutex_watch_mark_changed(rx);
	} else if (!inside_callback_of(&ch->core)) {
		r->seen = chan_futex_watch_version(ch) - 1;
		fire_armed(r);
	}
}

void chan_futex_watch_mark_unchanged(struct chan_receiver *rx)
{
	struct chan_futex_watch_receiver *r = (struct chan_futex_watch_receiver *)rx;
	struct futex_watch *ch = chan_futex_watch_of(&r->handle);

	if (chan_futex_watch_hooked(&r->handle))
		chan_mutex_watch_mark_unchanged(rx);
	else if (!inside_callback_of(&ch->core))
		r->seen = chan_futex_watch_version(ch);
}
