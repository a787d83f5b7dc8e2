/* SPDX-License-Identifier: MIT
 *
 * broadcast_recv.c - receiving. Overview and labels: broadcast.h.
 */
#include "impls/base/words.h"
#include "impls/futex/broadcast.h"
#include "impls/mutex/broadcast.h"

#define TAKEN_AT_ONCE 16  /* looks at a slot that is being written, before the sender is taken not to run */
#define ASK_EVERY     64  /* messages: how often a receiver asks for the tail, to know how far it may fetch */
#define PLEA_LOOKS    32  /* how long a plea waits to be seen */
#define PLEA_PAYS     16  /* messages that it must have brought, or half a ring if that is less ... */
#define SILENCE_MOST  255 /* ... else fewer lags plead */

enum found {
	FOUND_MESSAGE,
	FOUND_NOTHING,
	FOUND_LOST,   /* overwritten, or about to be */
	FOUND_WRITING /* a sender is in the middle of it */
};

/* What a receiver at `position` makes of a stamp. By distance: positions wrap. */
static inline enum found judge(uint64_t stamp, uint64_t position)
{
	int64_t distance = (int64_t)(stamp - 2 * position);

	if (distance == 0)
		return FOUND_MESSAGE;
	if (distance == 1)
		return FOUND_WRITING;
	return distance < 0 ? FOUND_NOTHING : FOUND_LOST;
}

/* Where the tail is, and so how far ahead there is something to fetch. */
static uint64_t ask_the_tail(struct chan_futex_broadcast_receiver *r)
{
	/* R3 */
	uint64_t tail = atomic_load_explicit(&chan_futex_broadcast_of(&r->handle)->tail, memory_order_acquire);

	r->fetch_until = tail - FUTEX_AHEAD;
	return tail;
}

/* Looks at the slot of the receiver's position; a message that is there goes to `msg`, and is
 * passed. */
static inline enum found read_next(struct chan_futex_broadcast_receiver *r, void *msg)
{
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);
	struct futex_slot *slot = chan_futex_broadcast_slot(&r->ring, position);
	/* R1 */
	enum found found = judge(atomic_load_explicit(&slot->stamp, memory_order_acquire), position);

	if (found != FOUND_MESSAGE)
		return found;
	if ((int64_t)(r->fetch_until - position) > 0)
		__builtin_prefetch(chan_futex_broadcast_slot(&r->ring, position + FUTEX_AHEAD));
	else if (position % ASK_EVERY == 0)
		ask_the_tail(r);
	chan_words_load(msg, slot->words, r->ring.size); /* R4 */
	if (atomic_load_explicit(&slot->stamp, memory_order_relaxed) != 2 * position)
		return FOUND_LOST;
	atomic_store_explicit(&r->next, position + 1, memory_order_release); /* A6 */
	return FOUND_MESSAGE;
}

static inline enum found look(const struct chan_futex_broadcast_receiver *r)
{
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);

	return judge(atomic_load_explicit(&chan_futex_broadcast_slot(&r->ring, position)->stamp,
	                                  memory_order_acquire), /* R1 */
	             position);
}

/* Never 1: that much gets a receiver of any speed. */
static uint64_t plea_pays(const struct futex_ring *ring)
{
	uint64_t half = (ring->mask + 1) / 2;

	return half > PLEA_PAYS ? PLEA_PAYS : half < 2 ? 2 : half;
}

/* It has been overtaken, and about to be again: between the lag and the next receive there must
 * be no send. Asks the sender for a little time, and waits until it has heard; unless that has
 * not helped lately. */
static void plead(struct chan_futex_broadcast_receiver *r)
{
	struct futex_broadcast *ch = chan_futex_broadcast_of(&r->handle);
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);

	if (r->pleaded)
		r->silence = position - r->lagged_at >= plea_pays(&r->ring) ? 0
		             : r->silence < SILENCE_MOST                    ? 2 * r->silence + 1
		                                                            : r->silence;
	r->pleaded = r->silent == 0 && atomic_load_explicit(&ch->owner, memory_order_relaxed) != NULL;
	if (!r->pleaded) {
		r->silent -= r->silent > 0;
		return;
	}
	r->silent = r->silence;
	atomic_store_explicit(&ch->plea, true, memory_order_relaxed);
	uint32_t looks = atomic_load_explicit(&chan_spin_looks, memory_order_relaxed);
	for (uint32_t n = 0; n < PLEA_LOOKS && n < looks; n++) {
		if (!atomic_load_explicit(&ch->plea, memory_order_relaxed))
			break;
		chan_relax();
	}
}

/* Goes on at the oldest message. False: the tail does not say yet that anything is lost. */
static bool jump(struct chan_futex_broadcast_receiver *r, uint64_t *missed)
{
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);
	uint64_t retained = r->ring.mask + 1;

	uint64_t tail = ask_the_tail(r);
	if (tail - position <= retained)
		return false;
	if (missed != NULL)
		*missed = tail - retained - position;
	r->lagged_at = tail - retained;
	atomic_store_explicit(&r->next, tail - retained, memory_order_release); /* A6 */
	return true;
}

/* Both acquires are for who does not look again; all who receive do. */
bool chan_futex_broadcast_ready(const struct chan_futex_broadcast_receiver *r)
{
	return look(r) != FOUND_NOTHING ||
	       /* R5 */
	       atomic_load_explicit(&chan_futex_broadcast_of(&r->handle)->ended, memory_order_acquire);
}

/* Until there is something, or the deadline. Spins, then sleeps. */
static enum chan_status await(struct chan_futex_broadcast_receiver *r, uint64_t deadline)
{
	struct futex_broadcast *ch = chan_futex_broadcast_of(&r->handle);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status = CHAN_OK;
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);
	struct spin spin;

	poll_gained(&r->poll, position - r->waited_at, SIZE_MAX);
	r->waited_at = position;
	chan_spin_begin(&spin, &ch->site, NULL, true, r->poll.ns);
	chan_spin_until(&spin, deadline);
	while (!chan_futex_broadcast_ready(r) && chan_spin(&spin))
		;
	bool sleeps = !chan_futex_broadcast_ready(r);
	if (sleeps) {
		chan_handle_enter(&r->handle, "recv");
		chan_futex_broadcast_stop(ch, NULL);
		if (!chan_futex_broadcast_ready(r))
			status = chan_core_wait(core, &core->recv_queue, deadline);
		chan_handle_leave(&r->handle, &wakes);
	}
	chan_spin_end(&spin, sleeps);
	return status;
}

static enum chan_status recv_slow(struct chan_futex_broadcast_receiver *r, void *msg, uint64_t *missed,
                                  uint64_t deadline)
{
	struct futex_broadcast *ch = chan_futex_broadcast_of(&r->handle);

	bool asked = false;

	for (unsigned looks = 0;; looks++) {
		/* R5, before the look */
		bool ended = atomic_load_explicit(&ch->ended, memory_order_acquire);
		enum found found = read_next(r, msg);

		if (found == FOUND_MESSAGE)
			return CHAN_OK;
		if (found == FOUND_LOST && !asked) {
			plead(r);
			asked = true;
		}
		if (found == FOUND_NOTHING) {
			if (ended)
				return CHAN_CLOSED;
			if (deadline == CHAN_NOW)
				return CHAN_EMPTY;
			enum chan_status status = await(r, deadline);
			if (status != CHAN_OK)
				return status;
		} else if (found == FOUND_LOST && jump(r, missed)) {
			return CHAN_LAGGED;
		} else if (looks < TAKEN_AT_ONCE) {
			chan_relax();
		} else {
			sched_yield();
		}
	}
}

enum chan_status chan_futex_broadcast_recv(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline)
{
	struct handle *h = (struct handle *)rx;

	if (chan_futex_broadcast_hooked(h))
		return chan_mutex_broadcast_recv(rx, msg, missed, deadline);
	struct chan_futex_broadcast_receiver *r = (struct chan_futex_broadcast_receiver *)rx;
	if (msg == NULL && r->ring.size != 0)
		return CHAN_INVALID;
	owner_check_enter(&h->owner, "recv");
	enum chan_status status = read_next(r, msg) == FOUND_MESSAGE ? CHAN_OK : recv_slow(r, msg, missed, deadline);
	owner_check_leave(&h->owner);
	return status;
}
