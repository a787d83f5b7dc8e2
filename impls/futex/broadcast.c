/* SPDX-License-Identifier: MIT
 *
 * broadcast.c - opening a broadcast channel, handles that come and go, readiness, properties.
 * Overview: broadcast.h.
 */
#include "impls/futex/broadcast.h"
#include "impls/futex/futex.h"
#include "impls/mutex/broadcast.h"
#include "impls/mutex/mutex.h"

#include <stdlib.h>

static void end(struct core *core)
{
	struct futex_broadcast *ch = (struct futex_broadcast *)core;

	chan_core_fini(core);
	free(ch->memory);
}

/* A ring of `retained` slots in `memory`, none of which holds a position from `start` on. */
static void ring_init(struct futex_ring *ring, const struct layout *layout, size_t stride, size_t retained,
                      void *memory, uint64_t start)
{
	ring->size = layout->size;
	ring->stride = stride;
	ring->mask = retained - 1;
	ring->slots = memory;
	for (uint64_t p = start; p != start + retained; p++)
		atomic_init(&chan_futex_broadcast_slot(ring, p)->stamp, 2 * (p - retained));
}

/* A receiver that is not counted yet, and has no hold. */
static struct chan_futex_broadcast_receiver *receiver_init(void *memory, struct futex_broadcast *ch)
{
	struct chan_futex_broadcast_receiver *r = memset(memory, 0, sizeof *r);

	chan_handle_begin(&r->handle, &ch->core);
	r->ring = ch->ring;
	r->silent = 1;
	return r;
}

/* The same in memory of its own, with a hold. NULL when out of memory. */
static struct chan_futex_broadcast_receiver *receiver_new(struct futex_broadcast *ch)
{
	void *memory;

	if (posix_memalign(&memory, FUTEX_LINE, sizeof(struct chan_futex_broadcast_receiver)) != 0)
		return NULL;
	chan_core_ref(&ch->core);
	return receiver_init(memory, ch);
}

/* The place of the first receiver. No other can come to lie there. */
static struct chan_futex_broadcast_receiver *receiver_first(struct futex_broadcast *ch)
{
	return (struct chan_futex_broadcast_receiver *)(ch + 1);
}

/* It sees what is sent from now on. Under the lock, with sends stopped. */
static void receiver_join(struct futex_broadcast *ch, struct chan_futex_broadcast_receiver *r)
{
	atomic_init(&r->next, atomic_load_explicit(&ch->tail, memory_order_relaxed));
	list_append(&ch->everyone, &r->others);
	ch->core.receivers++;
}

static uint32_t grace_of(size_t retained)
{
	if (retained >= FUTEX_GRACE_MOST / FUTEX_GRACE_SLOT)
		return FUTEX_GRACE_MOST;
	uint32_t ns = FUTEX_GRACE_SLOT * (uint32_t)retained;
	return ns < FUTEX_GRACE_LEAST ? FUTEX_GRACE_LEAST : ns;
}

static enum chan_status broadcast_open(const struct chan_config *config, struct chan_sender **tx,
                                       struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status;
	size_t retained = 1, bytes, stride;

	if (config == NULL || tx == NULL)
		return CHAN_INVALID;
	if (config->clone != NULL)
		return chan_mutex_broadcast_open(config, CORE_PARKS, tx, rx);
	if ((status = chan_config_bounded(config, CHAN_BROADCAST_CAPACITY_MAX, &layout)) != CHAN_OK ||
	    (status = chan_config_copied(config, &layout)) != CHAN_OK)
		return status;
	while (retained < config->capacity)
		retained *= 2;

	stride = sizeof(struct futex_slot) + (layout.size + 7) / 8 * 8;
	if (__builtin_mul_overflow(retained, stride, &bytes))
		return CHAN_INVALID;

	size_t before =
		sizeof(struct futex_broadcast) + (rx != NULL ? sizeof(struct chan_futex_broadcast_receiver) : 0);
	void *memory = bytes < SIZE_MAX / 2 ? malloc(FUTEX_LINE - 1 + before + bytes) : NULL;
	if (memory == NULL)
		return CHAN_NOMEM;
	void *line = (char *)memory + (-(uintptr_t)memory & (FUTEX_LINE - 1));
	struct futex_broadcast *ch = memset(line, 0, sizeof *ch);
	ch->memory = memory;
	chan_core_init(&ch->core, config, &layout, CORE_PARKS, end);
	list_init(&ch->everyone);
	atomic_init(&ch->tail, config->start);
	ch->grace = grace_of(retained);
	ring_init(&ch->ring, &layout, stride, retained, (char *)line + before, config->start);
	chan_handle_begin(&ch->sender, &ch->core);
	ch->core.senders = 1;
	*tx = (struct chan_sender *)&ch->sender;
	if (rx != NULL) {
		receiver_join(ch, receiver_init(receiver_first(ch), ch));
		*rx = (struct chan_receiver *)receiver_first(ch);
		ch->count = 1;
		atomic_init(&ch->owner, &ch->sender);
	}
	atomic_init(&ch->core.refs, rx != NULL ? 2 : 1);
	return CHAN_OK;
}

static enum chan_status subscribe(struct handle *from, struct chan_receiver **out)
{
	struct futex_broadcast *ch = chan_futex_broadcast_of(from);
	struct list wakes = WAKES_NONE(wakes);

	if (out == NULL)
		return CHAN_INVALID;
	struct chan_futex_broadcast_receiver *r = receiver_new(ch);
	if (r == NULL)
		return CHAN_NOMEM;
	chan_handle_enter(from, "subscribe");
	chan_futex_broadcast_stop(ch, from);
	receiver_join(ch, r);
	chan_handle_leave(from, &wakes);
	*out = (struct chan_receiver *)r;
	return CHAN_OK;
}

static enum chan_status broadcast_subscribe(struct chan_sender *tx, struct chan_receiver **out)
{
	struct handle *h = (struct handle *)tx;

	return chan_futex_broadcast_hooked(h) ? chan_mutex_broadcast_ops.subscribe(tx, out) : subscribe(h, out);
}

static enum chan_status broadcast_resubscribe(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct handle *h = (struct handle *)rx;

	return chan_futex_broadcast_hooked(h) ? chan_mutex_broadcast_ops.resubscribe(rx, out) : subscribe(h, out);
}

static void broadcast_receiver_drop(struct chan_receiver **rx)
{
	struct handle *h = (struct handle *)*rx;
	struct list wakes = WAKES_NONE(wakes);

	if (h == NULL)
		return;
	if (chan_futex_broadcast_hooked(h)) {
		chan_mutex_broadcast_ops.receiver_drop(rx);
		return;
	}
	*rx = NULL;

	struct chan_futex_broadcast_receiver *r = (struct chan_futex_broadcast_receiver *)h;
	struct futex_broadcast *ch = chan_futex_broadcast_of(h);
	struct core *core = &ch->core;
	chan_handle_enter(h, "receiver_drop");
	chan_handle_disarm_all(h);
	chan_futex_broadcast_stop(ch, NULL);
	list_unlink(&r->others);
	if (--core->receivers == 0)
		chan_wait_wake_all(&core->closed_queue, &wakes);
	chan_handle_leave(h, &wakes);
	if (r != receiver_first(ch))
		free(r);
	chan_core_unref(core);
}

static void broadcast_sender_drop(struct chan_sender **tx)
{
	struct handle *h = (struct handle *)*tx;
	struct list wakes = WAKES_NONE(wakes);

	if (h == NULL)
		return;
	if (chan_futex_broadcast_hooked(h)) {
		chan_core_sender_drop(tx);
		return;
	}
	*tx = NULL;

	struct futex_broadcast *ch = chan_futex_broadcast_of(h);
	struct core *core = &ch->core;
	chan_handle_enter(h, "sender_drop");
	chan_handle_disarm_all(h);
	chan_futex_broadcast_stop(ch, h);
	if (--core->senders == 0) {
		atomic_store_explicit(&ch->ended, true, memory_order_release); /* A5 */
		chan_wait_wake_all(&core->recv_queue, &wakes);
	}
	chan_handle_leave(h, &wakes);
	if (h != &ch->sender)
		free(h);
	chan_core_unref(core);
}

/* ------------------------------------------------------------------------------------------
 * Readiness, properties
 */

static enum chan_arm broadcast_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)rx;
	struct list wakes = WAKES_NONE(wakes);

	if (chan_futex_broadcast_hooked(h))
		return chan_mutex_broadcast_ops.arm_recv(rx, waiter);
	struct chan_futex_broadcast_receiver *r = (struct chan_futex_broadcast_receiver *)h;
	struct futex_broadcast *ch = chan_futex_broadcast_of(h);
	if (chan_futex_broadcast_ready(r))
		return CHAN_READY;
	chan_handle_enter(h, "arm_recv");
	chan_futex_broadcast_stop(ch, NULL);
	bool ready = chan_futex_broadcast_ready(r);
	if (!ready)
		chan_handle_arm(h, &ch->core.recv_queue, waiter);
	chan_handle_leave(h, &wakes);
	return ready ? CHAN_READY : CHAN_ARMED;
}

/* How far a receiver is behind. Its position is read first: the tail has passed it. */
static uint64_t behind(const struct futex_broadcast *ch, const struct chan_futex_broadcast_receiver *r)
{
	uint64_t next = atomic_load_explicit(&r->next, memory_order_acquire); /* R6 */

	return atomic_load_explicit(&ch->tail, memory_order_acquire) - next; /* R3 */
}

/* What the one who is furthest behind has still to read, as far as it is kept: that is what is
 * owed to anybody (B-27). Under the lock. */
static uint64_t owed(const struct futex_broadcast *ch)
{
	uint64_t most = 0;

	for (const struct list *l = ch->everyone.next; l != &ch->everyone; l = l->next) {
		uint64_t distance = behind(ch, LIST_ENTRY(l, struct chan_futex_broadcast_receiver, others));
		most = distance > most ? distance : most;
	}
	return most > ch->ring.mask ? ch->ring.mask + 1 : most;
}

static uint64_t broadcast_get(struct futex_broadcast *ch, const struct chan_futex_broadcast_receiver *r,
                              enum chan_property property)
{
	uint64_t answer;

	pthread_mutex_lock(&ch->core.lock);
	switch (property) {
	case CHAN_LEN:
		answer = r != NULL ? behind(ch, r) : owed(ch);
		break;
	case CHAN_CAPACITY:
		answer = ch->core.config.capacity;
		break;
	case CHAN_MAX_CAPACITY:
		answer = ch->ring.mask + 1;
		break;
	default:
		answer = chan_core_get(&ch->core, r == NULL, property);
	}
	pthread_mutex_unlock(&ch->core.lock);
	return answer;
}

static uint64_t broadcast_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	const struct handle *h = (const struct handle *)tx;

	return chan_futex_broadcast_hooked(h) ? chan_mutex_broadcast_ops.sender_get(tx, property)
	                                      : broadcast_get(chan_futex_broadcast_of(h), NULL, property);
}

static uint64_t broadcast_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	const struct handle *h = (const struct handle *)rx;

	return chan_futex_broadcast_hooked(h)
	               ? chan_mutex_broadcast_ops.receiver_get(rx, property)
	               : broadcast_get(chan_futex_broadcast_of(h), (const struct chan_futex_broadcast_receiver *)h,
	                               property);
}

static uint64_t broadcast_weak_get(const struct chan_weak *weak, enum chan_property property)
{
	const struct handle *h = (const struct handle *)weak;

	return chan_futex_broadcast_hooked(h) ? chan_mutex_broadcast_ops.weak_get(weak, property)
	                                      : broadcast_get(chan_futex_broadcast_of(h), NULL, property);
}

const struct chan_broadcast_ops chan_futex_broadcast_ops = {
	.open = broadcast_open,
	.send = chan_futex_broadcast_send,
	.recv = chan_futex_broadcast_recv,
	.subscribe = broadcast_subscribe,
	.sender_drop = broadcast_sender_drop,
	.receiver_drop = broadcast_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.resubscribe = broadcast_resubscribe,
	.closed = chan_core_wait_closed,
	.arm_recv = broadcast_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_core_disarm,
	.sender_get = broadcast_sender_get,
	.receiver_get = broadcast_receiver_get,
	.weak_get = broadcast_weak_get,
};
