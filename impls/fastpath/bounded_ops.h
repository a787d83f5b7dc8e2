/* SPDX-License-Identifier: MIT
 *
 * lane_ops.h - the operations of a bounded channel with a ring in front of the lock: a template.
 * The overview is in lane.h.
 *
 * Included once in a program unit, after `struct ring` and what is done with one:
 *
 *   ring_open, ring_close                              its memory
 *   ring_send_single, ring_send_many, ring_take        without the lock; 0 messages: there seems to
 *                                                      be no room, or nothing
 *   ring_len, ring_seen                                without the lock
 *   ring_push, ring_front, ring_pop                    under the lock
 *   ring_block_senders, ring_admit_senders                            several senders locked out,
 *   under the lock
 *   ring_many_senders, ring_many_receivers             from one to several, under the lock
 *
 * It defines LANE_OPS, the members of a table of mpsc.
 */
#ifndef CHANBENCH_BASE_LANE_OPS_H
#define CHANBENCH_BASE_LANE_OPS_H

#include "impls/fastpath/bounded_store.h"

/* ------------------------------------------------------------------------------------------
 * Handles
 */

static enum chan_status lane_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct layout layout;
	struct lane *lane;
	void *memory;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	enum chan_status status = chan_config_bounded(config, CHAN_CAPACITY_MAX, &layout);
	if (status != CHAN_OK)
		return status;
	if (posix_memalign(&memory, 64, sizeof *lane) != 0)
		return CHAN_NOMEM;
	lane = memset(memory, 0, sizeof *lane);
	if (!ring_open(&lane->ring, &layout, config->capacity, config->start)) {
		free(lane);
		return CHAN_NOMEM;
	}
	atomic_init(&lane->sender_at, 0);
	atomic_init(&lane->receiver_at, 0);
	chan_mpsc_init(&lane->mpsc, config, &layout, config->capacity, &lane_store, CORE_PARKS);
	lane->mpsc.core.handle_size = sizeof(struct lane_handle);
	status = chan_mpsc_open(&lane->mpsc, tx, rx);
	if (status == CHAN_OK) {
		((struct lane_handle *)*tx)->seen = ring_seen(&lane->ring);
		((struct lane_handle *)*rx)->seen = ring_seen(&lane->ring);
	}
	return status;
}

/* From one to several senders, or receivers: `many` is the bit. */
static void lane_many(struct handle *h, uint32_t many)
{
	struct lane *lane = lane_of(h);
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "clone");
	uint32_t gate = atomic_load_explicit(&lane->gate, memory_order_relaxed);
	if (!(gate & many)) {
		if (many == STATE_MANY_SENDERS) {
			lane_block_senders(&lane->mpsc, false);
			ring_many_senders(&lane->ring);
		} else {
			ring_many_receivers(&lane->ring);
		}
		atomic_fetch_or_explicit(&lane->gate, many, memory_order_release); /* A2 */
	}
	chan_mpsc_leave(h, &wakes);
}

static enum chan_status lane_sender_clone(struct chan_sender *tx, struct chan_sender **out)
{
	struct handle *h = (struct handle *)tx;

	lane_many(h, STATE_MANY_SENDERS);
	enum chan_status status = chan_core_sender_clone(tx, out);
	if (status == CHAN_OK)
		((struct lane_handle *)*out)->seen = ring_seen(&lane_of(h)->ring);
	return status;
}

static enum chan_status lane_upgrade(struct chan_weak *weak, struct chan_sender **out)
{
	struct handle *h = (struct handle *)weak;

	lane_many(h, STATE_MANY_SENDERS);
	enum chan_status status = chan_core_upgrade(weak, out);
	if (status == CHAN_OK)
		((struct lane_handle *)*out)->seen = ring_seen(&lane_of(h)->ring);
	return status;
}

static enum chan_status lane_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct handle *h = (struct handle *)rx;

	lane_many(h, STATE_MANY_RECEIVERS);
	enum chan_status status = chan_mpsc_receiver_clone(rx, out);
	if (status == CHAN_OK)
		((struct lane_handle *)*out)->seen = ring_seen(&lane_of(h)->ring);
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Sending
 */

/* Sends up to `n` messages without the lock. 0: there seems to be no room; or `*shut`. One
 * sender, as far as the caller has seen. */
static CHAN_INLINE size_t lane_try_send_single(struct lane *lane, struct lane_handle *h, const void *msgs, size_t n,
                                               bool *shut)
{
	size_t sent = 0;

	atomic_store_explicit(&lane->busy, 1, memory_order_relaxed);
	chan_fence_light();
	*shut = (fastpath_state(&lane->gate) & (STATE_SENDERS_BLOCKED | STATE_MANY_SENDERS)) != 0;
	if (!CHAN_RARELY(*shut))
		sent = ring_send_single(&lane->ring, msgs, n, &h->seen, &lane->gate);
	atomic_store_explicit(&lane->busy, 0, memory_order_release); /* A1 */
	return sent;
}

static inline size_t lane_try_send(struct lane *lane, struct lane_handle *h, const void *msgs, size_t n, bool *shut)
{
	if (fastpath_state(&lane->gate) & STATE_MANY_SENDERS)
		return ring_send_many(&lane->ring, msgs, n, &h->seen, &lane->gate, shut);
	return lane_try_send_single(lane, h, msgs, n, shut);
}

/* One sender and one receiver. */
static inline bool lane_is_pair(const struct lane *lane)
{
	return (fastpath_state(&lane->gate) & (STATE_MANY_SENDERS | STATE_MANY_RECEIVERS)) == 0;
}

/* Spins until some of `n` messages were sent. 0: it has been long enough, or they are locked
 * out, or it is full and CHAN_NOW (`*full`); or it is better to queue at once: on one CPU, where
 * the receiver then takes a message of each sender in one go, instead of one with each round of
 * yields. */
static CHAN_APART size_t lane_spin_send(struct lane *lane, struct lane_handle *h, const void *msgs, size_t n,
                                        uint64_t deadline, bool *full)
{
	bool shut = false;
	size_t sent = 0;
	unsigned looks = 0;

	if (deadline == CHAN_NOW) {
		while (sent == 0 && !shut) {
			*full = ring_len(&lane->ring, fastpath_state(&lane->gate)) >= lane->mpsc.capacity;
			if (*full)
				return 0;
			lane_await_peer(&looks);
			sent = lane_try_send(lane, h, msgs, n, &shut);
		}
		return sent;
	}
	if (lane->mpsc.capacity <= LANE_FEW && chan_spin_on_one_cpu())
		return 0;
	struct spin spin;
	chan_spin_begin(&spin, &lane->senders, &lane->receiver_at, lane_is_pair(lane), h->poll.ns);
	while (sent == 0 && !shut && chan_spin(&spin))
		sent = lane_try_send(lane, h, msgs, n, &shut);
	if (sent > 0) {
		size_t len = ring_len(&lane->ring, fastpath_state(&lane->gate));
		poll_gained(&h->poll, lane->mpsc.capacity - len + sent, lane->mpsc.capacity);
	}
	chan_spin_end(&spin, sent == 0 && !shut);
	return sent;
}

/* There was no room, or the lane is `shut`: waits, sends up to `n` messages, at least one;
 * `*sent` is how many. */
static CHAN_APART enum chan_status lane_send_later(struct lane *lane, struct lane_handle *h, const void *msgs, size_t n,
                                                   size_t *sent, uint64_t deadline, bool shut)
{
	bool full = false;

	*sent = shut ? 0 : lane_spin_send(lane, h, msgs, n, deadline, &full);
	owner_check_leave(&h->handle.owner);
	if (full)
		return CHAN_FULL;
	if (*sent == 0)
		return chan_mpsc_send_many((struct chan_sender *)h, msgs, 1, sent, deadline);
	chan_fence_light();
	if (fastpath_state(&lane->gate) & STATE_RECEIVER_WAITS)
		chan_mpsc_sent(&h->handle, *sent);
	return CHAN_OK;
}

/* The same from the start, where there are several senders. */
static CHAN_APART enum chan_status lane_send_among(struct lane *lane, struct lane_handle *h, const void *msgs, size_t n,
                                                   size_t *sent, uint64_t deadline)
{
	bool shut = false;

	*sent = ring_send_many(&lane->ring, msgs, n, &h->seen, &lane->gate, &shut);
	if (*sent == 0)
		return lane_send_later(lane, h, msgs, n, sent, deadline, shut);
	owner_check_leave(&h->handle.owner);
	chan_fence_light();
	if (CHAN_RARELY(fastpath_state(&lane->gate) & STATE_RECEIVER_WAITS))
		chan_mpsc_sent(&h->handle, *sent);
	return CHAN_OK;
}

/* Sends up to `n` messages, at least one; `*sent` is how many. */
static CHAN_INLINE enum chan_status lane_send_some(struct handle *handle, const void *msgs, size_t n, size_t *sent,
                                                   uint64_t deadline)
{
	struct lane *lane = lane_of(handle);
	struct lane_handle *h = (struct lane_handle *)handle;
	bool shut;

	owner_check_enter(&handle->owner, "send");
	if (fastpath_state(&lane->gate) & STATE_MANY_SENDERS)
		return lane_send_among(lane, h, msgs, n, sent, deadline);
	*sent = lane_try_send_single(lane, h, msgs, n, &shut);
	if (CHAN_RARELY(*sent == 0))
		return lane_send_later(lane, h, msgs, n, sent, deadline, shut);
	owner_check_leave(&handle->owner);
	chan_fence_light();
	if (CHAN_RARELY(fastpath_state(&lane->gate) & STATE_RECEIVER_WAITS))
		chan_mpsc_sent(handle, *sent);
	else
		chan_last_cpu_note(&lane->sender_at);
	return CHAN_OK;
}

static enum chan_status lane_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	size_t sent;

	if (msg == NULL && h->core->layout.size != 0)
		return CHAN_INVALID;
	return lane_send_some(h, msg, 1, &sent, deadline);
}

static enum chan_status lane_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
                                       uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	size_t size = h->core->layout.size;
	enum chan_status status = CHAN_OK;

	*sent = 0;
	if (msgs == NULL && n != 0 && size != 0)
		return CHAN_INVALID;
	if (n == 0)
		return chan_mpsc_send_many(tx, msgs, n, sent, deadline);
	while (status == CHAN_OK && *sent < n) {
		size_t some;

		status = lane_send_some(h, size == 0 ? NULL : (const char *)msgs + *sent * size, n - *sent, &some,
		                        deadline);
		*sent += some;
	}
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Receiving
 */

/* Spins until some messages were taken. 0: it has been long enough, or it may have ended, or it
 * is empty and CHAN_NOW (`*empty`). */
static CHAN_APART size_t lane_spin_recv(struct lane *lane, struct lane_handle *h, void *msgs, size_t limit,
                                        uint64_t deadline, bool *empty)
{
	size_t n = 0;
	unsigned looks = 0;
	bool ending = false;

	if (deadline == CHAN_NOW) {
		while (n == 0) {
			uint32_t gate = fastpath_state(&lane->gate);

			*empty = ring_len(&lane->ring, gate) == 0;
			if (*empty && fastpath_state(&lane->gate) & STATE_ENDING)
				*empty = false, ending = true;
			if (*empty || ending)
				return 0;
			lane_await_peer(&looks);
			n = lane_take_some(lane, h, msgs, limit);
		}
		return n;
	}
	struct spin spin;
	chan_spin_begin(&spin, &lane->receivers, &lane->sender_at, lane_is_pair(lane), h->poll.ns);
	while (n == 0 && !ending && chan_spin(&spin)) {
		n = lane_take_some(lane, h, msgs, limit);
		ending = (fastpath_state(&lane->gate) & STATE_ENDING) != 0;
	}
	h->handle.spun = n == 0 && !ending;
	if (n > 0)
		poll_gained(&h->poll, n + ring_len(&lane->ring, fastpath_state(&lane->gate)), lane->mpsc.capacity);
	chan_spin_end(&spin, n == 0 && !ending);
	return n;
}

/* There was nothing. */
static CHAN_APART enum chan_status lane_receive_later(struct lane *lane, struct lane_handle *h, void *msgs,
                                                      size_t limit, size_t *received, uint64_t deadline)
{
	struct handle *handle = &h->handle;
	bool empty = false;

	*received = lane_spin_recv(lane, h, msgs, limit, deadline, &empty);
	owner_check_leave(&handle->owner);
	if (*received == 0 && !(empty && list_empty(&handle->armed)))
		return chan_mpsc_recv_many((struct chan_receiver *)handle, msgs, limit, received, deadline);
	if (empty)
		return CHAN_EMPTY;
	chan_fence_light();
	if (fastpath_state(&lane->gate) & (STATE_SENDER_WAITS | STATE_ENDING) || !list_empty(&handle->armed))
		chan_mpsc_taken(handle, *received);
	return CHAN_OK;
}

static CHAN_INLINE enum chan_status lane_receive(struct handle *handle, void *msgs, size_t limit, size_t *received,
                                                 uint64_t deadline)
{
	struct lane *lane = lane_of(handle);
	struct lane_handle *h = (struct lane_handle *)handle;

	owner_check_enter(&handle->owner, "recv");
	*received = lane_take_some(lane, h, msgs, limit);
	if (CHAN_RARELY(*received == 0))
		return lane_receive_later(lane, h, msgs, limit, received, deadline);
	owner_check_leave(&handle->owner);
	chan_fence_light();
	uint32_t gate = fastpath_state(&lane->gate);
	if (CHAN_RARELY(gate & (STATE_SENDER_WAITS | STATE_ENDING) || !list_empty(&handle->armed)))
		chan_mpsc_taken(handle, *received);
	else if (!(gate & STATE_MANY_RECEIVERS))
		chan_last_cpu_note(&lane->receiver_at);
	return CHAN_OK;
}

static enum chan_status lane_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct handle *h = (struct handle *)rx;
	size_t received;

	if (msg == NULL && h->core->layout.size != 0)
		return CHAN_INVALID;
	return lane_receive(h, msg, 1, &received, deadline);
}

static enum chan_status lane_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                       uint64_t deadline)
{
	struct handle *h = (struct handle *)rx;

	*received = 0;
	if (limit == 0)
		return CHAN_OK;
	if (msgs == NULL && h->core->layout.size != 0)
		return CHAN_INVALID;
	return lane_receive(h, msgs, limit, received, deadline);
}

/* ------------------------------------------------------------------------------------------
 * The table
 */

#define LANE_OPS                                                                                                       \
	{                                                                                                              \
		.open = lane_open, .send = lane_send, .recv = lane_recv, .sender_drop = chan_mpsc_sender_drop,         \
		.receiver_drop = chan_mpsc_receiver_drop, .sender_clone = lane_sender_clone,                           \
		.downgrade = chan_core_downgrade, .upgrade = lane_upgrade, .weak_clone = chan_core_weak_clone,         \
		.weak_drop = chan_core_weak_drop, .receiver_clone = lane_receiver_clone, .send_many = lane_send_many,  \
		.recv_many = lane_recv_many, .reserve = chan_mpsc_reserve, .permit_send = chan_mpsc_permit_send,       \
		.permit_release = chan_mpsc_permit_release, .close = chan_mpsc_close, .closed = chan_core_wait_closed, \
		.arm_send = chan_mpsc_arm_send, .arm_recv = chan_mpsc_arm_recv, .arm_closed = chan_core_arm_closed,    \
		.disarm = chan_mpsc_disarm, .sender_get = chan_mpsc_sender_get,                                        \
		.receiver_get = chan_mpsc_receiver_get, .weak_get = chan_core_weak_get,                                \
	}

#endif
