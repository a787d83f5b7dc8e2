/* SPDX-License-Identifier: MIT
 *
 * lane_store.h - a bounded channel with a ring in front of the lock: what it is made of, and its
 * ring as the store of mpsc.h.
 *
 * A part of the template that lane_ops.h is, which says what has to be there before it; the
 * overview is in lane.h.
 */
#ifndef CHANBENCH_BASE_LANE_STORE_H
#define CHANBENCH_BASE_LANE_STORE_H

#include "impls/base/fence.h"
#include "impls/fastpath/bounded.h"
#include "impls/mutex/mpsc.h"

struct lane {
	struct mpsc mpsc;
	alignas(64) fastpath_state_t gate; /* written under the lock, and seldom */
	alignas(64) struct spin_site senders, receivers;
	chan_last_cpu_t sender_at, receiver_at; /* of the last of them that was seen to work */
	alignas(64) _Atomic uint32_t
		/* the single sender is between its look at the gate and the end of its send */
		busy;
	struct ring ring;
};

/* Of a sender or a receiver, on lines of its own. */
struct lane_handle {
	struct handle handle;
	uint64_t seen; /* the ring's: what it knows of the other side */
	struct poll poll;
};

static inline struct lane *lane_of(const struct handle *h)
{
	return (struct lane *)h->core;
}

static inline struct lane *lane_of_mpsc(const struct mpsc *ch)
{
	return (struct lane *)(uintptr_t)ch;
}

/* ------------------------------------------------------------------------------------------
 * The store of mpsc.h: under the lock
 */

static size_t lane_len(const struct mpsc *ch)
{
	const struct lane *lane = lane_of_mpsc(ch);

	return ring_len(&lane->ring, fastpath_state(&lane->gate));
}

static bool lane_push(struct mpsc *ch, const void *msg)
{
	struct lane *lane = lane_of_mpsc(ch);

	ring_push(&lane->ring, msg, &lane->gate);
	return true;
}

/* The rest of a batch of which `n` messages were taken: until there is none. A message that is
 * still being put in is waited for: those behind it may have been sent long ago, and who takes
 * what is there must not leave them (M-58). */
static CHAN_APART size_t lane_take_rest(struct lane *lane, struct lane_handle *h, void *msgs, size_t n, size_t limit)
{
	size_t size = lane->mpsc.core.layout.size;
	unsigned looks = 0;

	while (n < limit && ring_len(&lane->ring, fastpath_state(&lane->gate)) > 0) {
		size_t more = ring_take(&lane->ring, size == 0 ? NULL : (char *)msgs + n * size, limit - n, &h->seen,
		                        &lane->gate);
		if (more == 0)
			lane_await_peer(&looks);
		n += more;
	}
	return n;
}

/* Takes up to `limit` messages; 0: there is none, or the next one is still being put in. */
static CHAN_INLINE size_t lane_take_some(struct lane *lane, struct lane_handle *h, void *msgs, size_t limit)
{
	size_t n = ring_take(&lane->ring, msgs, limit, &h->seen, &lane->gate);

	return CHAN_RARELY(n != 0 && n < limit) ? lane_take_rest(lane, h, msgs, n, limit) : n;
}

static size_t lane_take(struct handle *rx, void *msgs, size_t limit)
{
	return lane_take_some(lane_of(rx), (struct lane_handle *)rx, msgs, limit);
}

static void *lane_front(struct mpsc *ch)
{
	struct lane *lane = lane_of_mpsc(ch);

	return ring_front(&lane->ring, &lane->gate);
}

static void lane_pop(struct mpsc *ch)
{
	struct lane *lane = lane_of_mpsc(ch);

	ring_pop(&lane->ring, &lane->gate);
}

static void lane_free(struct mpsc *ch)
{
	struct lane *lane = lane_of_mpsc(ch);

	ring_close(&lane->ring);
	free(lane);
}

static void lane_block_senders(struct mpsc *ch, bool sender)
{
	struct lane *lane = lane_of_mpsc(ch);
	uint32_t gate = atomic_load_explicit(&lane->gate, memory_order_relaxed);
	unsigned looks = 0;

	if (gate & STATE_MANY_SENDERS) {
		ring_block_senders(&lane->ring);
		/* else it is here, or cannot begin */
	} else if (!sender && !(gate & STATE_SENDERS_BLOCKED)) {
		/* A2: a sender that is in the middle of its send reads the gate again, and
		 * STATE_MANY_RECEIVERS may be in this one. */
		atomic_store_explicit(&lane->gate, gate | STATE_SENDERS_BLOCKED, memory_order_release);
		chan_fence_heavy();
		while (atomic_load_explicit(&lane->busy, memory_order_acquire) != 0) /* R1 */
			lane_await_peer(&looks);
	}
}

static bool lane_publish_state(struct mpsc *ch)
{
	struct lane *lane = lane_of_mpsc(ch);
	uint32_t old = atomic_load_explicit(&lane->gate, memory_order_relaxed);
	uint32_t gate = old & (STATE_MANY_SENDERS | STATE_MANY_RECEIVERS);
	bool seized = chan_mpsc_senders_blocked(ch);

	if (gate & STATE_MANY_SENDERS) {
		if (!seized)
			ring_admit_senders(&lane->ring);
	} else if (seized) {
		gate |= STATE_SENDERS_BLOCKED;
	}
	if (!list_empty(&ch->core.recv_queue))
		gate |= STATE_RECEIVER_WAITS;
	if (!list_empty(&ch->send_queue))
		gate |= STATE_SENDER_WAITS;
	if (chan_mpsc_ending(ch))
		gate |= STATE_ENDING;
	if (gate != old)
		atomic_store_explicit(&lane->gate, gate, memory_order_release); /* A2 */
	uint32_t set = gate & ~old;
	if (set & (STATE_RECEIVER_WAITS | STATE_SENDER_WAITS) || (set & STATE_ENDING && gate & STATE_RECEIVER_WAITS)) {
		chan_fence_heavy();
		return true;
	}
	return false;
}

static const struct mpsc_store lane_store = {.len = lane_len,
                                             .push = lane_push,
                                             .take = lane_take,
                                             .front = lane_front,
                                             .pop = lane_pop,
                                             .free = lane_free,
                                             .block_senders = lane_block_senders,
                                             .publish_state = lane_publish_state};

#endif
