/* SPDX-License-Identifier: MIT
 *
 * broadcast.c - the broadcast channel of the mutex family: every receiver sees every message, or is
 * told how many it missed.
 *
 * WHAT IT IS. A ring of R slots under one mutex (core.h), after Tokio's broadcast. R is the
 * capacity rounded up to a power of two (B-2). Positions have 64 bits and only rise: `tail` is
 * where the next send writes, and each receiver has `next`, where it reads. Position p lies in slot
 * p mod R. R divides 2^64, so this stays right when positions wrap, and so do distances; only
 * distances are compared (B-42).
 *
 * Each slot counts its debt: the receivers that were there at its send, have not read it, and were
 * not dropped (B-27, B-32). The value ends when the debt becomes 0, at that moment (B-31).
 *
 * SENDING
 *   S1  While the slot at `tail` is busy, the sender waits for it (B-35).
 *   S2  It moves the old value out into a scratch, writes its own, sets the debt to the number of
 *       receivers, advances `tail`, and wakes all receivers.
 *   S3  It destroys the old value after it has released the mutex. So `destroy` may send on this
 *       channel, also where the ring has one slot.
 *
 * RECEIVING
 *   R1  While next = tail, the receiver waits for a message, or sees that all senders are gone.
 *   R2  While its slot is busy, it waits for it (B-33).
 *   R3  If tail - next > R it has lost the difference, exactly, and goes on at tail - R.
 *   R4  Else it copies the value and pays its part of the debt. With a `clone` hook it copies
 *       without the mutex, and its slot is `busy` meanwhile.
 *   R5  If it paid last it destroys the value, after it has released the mutex.
 *
 * A receiver's drop pays for all that the receiver has not read. It never waits for a busy slot: it
 * pays its part, and the receiver that clones pays last. Calls from inside the hook on the same
 * channel are refused (inside.h), since they might wait for themselves.
 *
 *
 * INVARIANTS (whenever the mutex is free)
 *
 * I1  The debt of a slot is the number of receivers whose `next` has not passed its position, and
 *     of those that clone it.
 * I2  `owed` is the number of slots whose debt is not 0.
 * I3  There is a value in a slot if and only if it is `held`. With a destroy hook, a slot without
 *     debt is not held, unless memory ran out (NOTES).
 *
 * WHO EXCLUDES WHOM on one slot. The mutex excludes all but a clone, which runs without it:
 *
 *                    a clone runs (busy)                     no clone runs
 *   another clone    waits on `idle`                         the mutex
 *   an overwrite     waits on `idle`                         the mutex
 *   a drop           pays; the debt of the clone keeps the   the mutex
 *                    value
 *
 * LINEARIZATION. A send takes effect where it advances `tail`, a receive where it advances `next`
 * or finds that it cannot, and every other operation in its one critical section.
 *
 * WHERE EACH WAKE COMES FROM. All receivers are woken by each send (B-23) and by the last sender's
 * drop (B-22). closed() is woken by the last receiver's drop. An operation that waits for a busy
 * slot is woken by the end of the clone, through `idle`. One condition variable serves all slots,
 * and each operation looks at its own.
 *
 * NOTES. Out of memory: a send that cannot have a scratch is CHAN_NOMEM. A receive cannot be, for
 * by the contract that would lose the message. Its value stays held instead, until it is
 * overwritten or the channel ends. A drop can neither fail nor leave anything behind, so each
 * receiver brings a `spare` element for it. Scratches of up to 256 bytes need no memory.
 */
#include "impls/base/core.h"
#include "impls/base/scratch.h"
#include "impls/mutex/mutex.h"

#include <stdlib.h>

struct slot {
	size_t debt;
	bool held;
	bool busy;
};

struct broadcast {
	struct core core;
	struct slot *slots;
	char *elements;
	size_t retained; /* R */
	size_t owed;
	uint64_t tail;
	pthread_cond_t idle;
};

struct broadcast_receiver {
	struct handle handle;
	uint64_t next;
	void *spare; /* NULL where nothing is to be destroyed */
};

static struct broadcast *broadcast_of(const struct handle *h)
{
	return (struct broadcast *)h->core;
}

static struct slot *slot_at(struct broadcast *ch, uint64_t position)
{
	return &ch->slots[position & (ch->retained - 1)];
}

static void *element_of(struct broadcast *ch, const struct slot *slot)
{
	return ch->elements + (size_t)(slot - ch->slots) * ch->core.layout.stride;
}

/* The position itself, or the oldest one that is still in the ring. */
static uint64_t retained_from(const struct broadcast *ch, uint64_t position)
{
	return ch->tail - position > ch->retained ? ch->tail - ch->retained : position;
}

/* ------------------------------------------------------------------------------------------
 * Sending and receiving, and the end of values
 */

/* Moves the value out of its slot, to be destroyed later. False: there was none, or nothing has
 * to be done with it. */
static bool move_out(struct broadcast *ch, struct slot *slot, void *to)
{
	if (!slot->held || to == NULL)
		return false;
	chan_layout_copy(&ch->core.layout, to, element_of(ch, slot));
	slot->held = false;
	return true;
}

/* Pays one receiver's part of a slot's debt. True: it was the last part, and the value, which is
 * to be destroyed, now lies at `to`. Under the lock. */
static bool pay_debt(struct broadcast *ch, struct slot *slot, void *to)
{
	if (--slot->debt > 0)
		return false;
	ch->owed--;
	return move_out(ch, slot, to);
}

static enum chan_status broadcast_send(struct chan_sender *tx, const void *msg, size_t *receivers)
{
	struct handle *h = (struct handle *)tx;
	struct broadcast *ch = broadcast_of(h);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	void (*destroy)(void *, void *) = core->config.destroy;
	void *context = core->config.context;
	bool overwritten = false;
	struct scratch old;

	if (inside_callback_of(core) || (msg == NULL && core->layout.size != 0))
		return CHAN_INVALID;
	old.element = NULL;
	if (destroy != NULL && !scratch_get(&old, &core->layout))
		return CHAN_NOMEM;

	chan_handle_enter(h, "send");
	while (core->receivers > 0 && slot_at(ch, ch->tail)->busy)
		pthread_cond_wait(&ch->idle, &core->lock);
	size_t count = core->receivers;
	if (count > 0) {
		struct slot *slot = slot_at(ch, ch->tail);
		if (slot->debt == 0)
			ch->owed++;
		overwritten = move_out(ch, slot, old.element);
		chan_layout_copy(&core->layout, element_of(ch, slot), msg);
		slot->held = true;
		slot->debt = count;
		ch->tail++;
		chan_wait_wake_all(&core->recv_queue, &wakes);
	}
	if (receivers != NULL)
		*receivers = count;
	chan_handle_leave(h, &wakes);

	if (overwritten)
		destroy(old.element, context);
	scratch_put(&old);
	return count > 0 ? CHAN_OK : CHAN_CLOSED;
}

/* Takes the copy of the slot's value that is this receiver's, and pays for it; `*ended`: the
 * original now lies at `to`. Under the lock; with a hook it is released meanwhile. */
static enum chan_status copy_out(struct broadcast *ch, struct slot *slot, void *msg, void *to, bool *ended)
{
	const struct chan_config *config = &ch->core.config;
	struct inside inside;
	int failed = 0;

	if (config->clone == NULL) {
		chan_layout_copy(&ch->core.layout, msg, element_of(ch, slot));
	} else {
		slot->busy = true;
		pthread_mutex_unlock(&ch->core.lock);
		inside_enter(&inside, &ch->core);
		failed = config->clone(msg, element_of(ch, slot), config->context);
		inside_leave(&inside);
		pthread_mutex_lock(&ch->core.lock);
		slot->busy = false;
		pthread_cond_broadcast(&ch->idle);
	}
	*ended = pay_debt(ch, slot, to);
	return failed ? CHAN_NOMEM : CHAN_OK;
}

static enum chan_status broadcast_recv(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline)
{
	struct broadcast_receiver *r = (struct broadcast_receiver *)rx;
	struct broadcast *ch = broadcast_of(&r->handle);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	void (*destroy)(void *, void *) = core->config.destroy;
	void *context = core->config.context;
	enum chan_status status = CHAN_OK;
	struct scratch original;
	bool ended = false;

	if (inside_callback_of(core) || (msg == NULL && core->layout.size != 0))
		return CHAN_INVALID;
	original.element = NULL;
	if (destroy != NULL)
		scratch_get(&original, &core->layout); /* or not: see OUT OF MEMORY */

	chan_handle_enter(&r->handle, "recv");
	while (r->next == ch->tail && status == CHAN_OK)
		status = core->senders == 0 ? CHAN_CLOSED : chan_core_wait(core, &core->recv_queue, deadline);
	while (status == CHAN_OK && ch->tail - r->next <= ch->retained && slot_at(ch, r->next)->busy)
		pthread_cond_wait(&ch->idle, &core->lock);
	if (status == CHAN_OK && ch->tail - r->next > ch->retained) {
		uint64_t oldest = retained_from(ch, r->next);
		if (missed != NULL)
			*missed = oldest - r->next;
		r->next = oldest;
		status = CHAN_LAGGED;
	} else if (status == CHAN_OK) {
		status = copy_out(ch, slot_at(ch, r->next++), msg, original.element, &ended);
	}
	chan_handle_leave(&r->handle, &wakes);

	if (ended)
		destroy(original.element, context);
	scratch_put(&original);
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Opening, and receivers that come and go
 */

static void end(struct core *core)
{
	struct broadcast *ch = (struct broadcast *)core;

	for (size_t i = 0; core->config.destroy != NULL && i < ch->retained; i++)
		if (ch->slots[i].held)
			core->config.destroy(element_of(ch, &ch->slots[i]), core->config.context);
	free(ch->elements);
	free(ch->slots);
	pthread_cond_destroy(&ch->idle);
	chan_core_fini(core);
	free(ch);
}

/* A receiver at the tail, made but not counted yet. NULL when out of memory. */
static struct broadcast_receiver *receiver_new(struct core *core)
{
	struct broadcast_receiver *r = chan_handle_new(core, sizeof *r);

	if (r == NULL || core->config.destroy == NULL)
		return r;
	r->spare = chan_config_alloc(&core->layout, 1);
	if (r->spare != NULL)
		return r;
	free(r);
	chan_core_unref(core);
	return NULL;
}

enum chan_status chan_mutex_broadcast_open(const struct chan_config *config, enum core_sleep sleep,
                                           struct chan_sender **tx, struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status;
	size_t retained = 1;

	if (config == NULL || tx == NULL)
		return CHAN_INVALID;
	if ((status = chan_config_bounded(config, CHAN_BROADCAST_CAPACITY_MAX, &layout)) != CHAN_OK ||
	    (status = chan_config_copied(config, &layout)) != CHAN_OK)
		return status;
	while (retained < config->capacity)
		retained *= 2;
	if (retained > SIZE_MAX / layout.stride || retained > SIZE_MAX / sizeof(struct slot))
		return CHAN_INVALID;

	struct broadcast *ch = calloc(1, sizeof *ch);
	if (ch == NULL)
		return CHAN_NOMEM;
	chan_core_init(&ch->core, config, &layout, sleep, end);
	chan_core_ref(&ch->core); /* so that undoing a receiver does not end it */
	pthread_cond_init(&ch->idle, NULL);
	ch->retained = retained;
	ch->tail = config->start;
	ch->slots = calloc(retained, sizeof *ch->slots);
	ch->elements = chan_config_alloc(&layout, retained);
	struct handle *sender = chan_handle_new(&ch->core, sizeof *sender);
	struct broadcast_receiver *receiver = rx != NULL ? receiver_new(&ch->core) : NULL;
	if (ch->slots == NULL || ch->elements == NULL || sender == NULL || (rx != NULL && receiver == NULL))
		goto no_memory;
	ch->core.senders = 1;
	*tx = (struct chan_sender *)sender;
	if (rx != NULL) {
		ch->core.receivers = 1;
		receiver->next = ch->tail;
		*rx = (struct chan_receiver *)receiver;
	}
	chan_core_unref(&ch->core);
	return CHAN_OK;

no_memory:
	if (receiver != NULL)
		free(receiver->spare);
	free(receiver);
	free(sender);
	if (ch->slots == NULL)
		ch->retained = 0;
	end(&ch->core);
	return CHAN_NOMEM;
}

static enum chan_status broadcast_open(const struct chan_config *config, struct chan_sender **tx,
                                       struct chan_receiver **rx)
{
	return chan_mutex_broadcast_open(config, CORE_WAITS, tx, rx);
}

static enum chan_status subscribe(struct handle *from, struct chan_receiver **out)
{
	struct broadcast *ch = broadcast_of(from);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core) || out == NULL)
		return CHAN_INVALID;
	struct broadcast_receiver *r = receiver_new(&ch->core);
	if (r == NULL)
		return CHAN_NOMEM;
	chan_handle_enter(from, "subscribe");
	r->next = ch->tail;
	ch->core.receivers++;
	chan_handle_leave(from, &wakes);
	*out = (struct chan_receiver *)r;
	return CHAN_OK;
}

static enum chan_status broadcast_subscribe(struct chan_sender *tx, struct chan_receiver **out)
{
	return subscribe((struct handle *)tx, out);
}

static enum chan_status broadcast_resubscribe(struct chan_receiver *rx, struct chan_receiver **out)
{
	return subscribe((struct handle *)rx, out);
}

static void broadcast_receiver_drop(struct chan_receiver **rx)
{
	struct broadcast_receiver *r = (struct broadcast_receiver *)*rx;
	struct list wakes = WAKES_NONE(wakes);

	if (r == NULL)
		return;
	*rx = NULL;

	struct broadcast *ch = broadcast_of(&r->handle);
	struct core *core = &ch->core;
	chan_handle_enter(&r->handle, "receiver_drop");
	chan_handle_disarm_all(&r->handle);
	uint64_t stop = ch->tail; /* what is sent from now on is not owed to it */
	if (--core->receivers == 0)
		chan_wait_wake_all(&core->closed_queue, &wakes);
	chan_wait_deliver(&core->lock, &wakes); /* before a destroy that may take its time */
	for (uint64_t p = retained_from(ch, r->next); stop - p - 1 < ch->retained; p = retained_from(ch, p + 1)) {
		if (!pay_debt(ch, slot_at(ch, p), r->spare))
			continue;
		/* Meanwhile others send, and p + 1 may be overwritten. */
		pthread_mutex_unlock(&core->lock);
		core->config.destroy(r->spare, core->config.context);
		pthread_mutex_lock(&core->lock);
	}
	chan_handle_leave(&r->handle, &wakes);
	free(r->spare);
	free(r);
	chan_core_unref(core);
}

/* ------------------------------------------------------------------------------------------
 * Readiness, properties
 */

static enum chan_arm broadcast_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct broadcast_receiver *r = (struct broadcast_receiver *)rx;
	struct broadcast *ch = broadcast_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);

	if (inside_callback_of(&ch->core))
		return CHAN_NOT_ARMED;
	chan_handle_enter(&r->handle, "arm_recv");
	bool ready = r->next != ch->tail || ch->core.senders == 0;
	if (!ready)
		chan_handle_arm(&r->handle, &ch->core.recv_queue, waiter);
	chan_handle_leave(&r->handle, &wakes);
	return ready ? CHAN_READY : CHAN_ARMED;
}

static uint64_t broadcast_get(struct broadcast *ch, const struct broadcast_receiver *r, enum chan_property property)
{
	uint64_t answer;

	pthread_mutex_lock(&ch->core.lock);
	switch (property) {
	case CHAN_LEN:
		answer = r != NULL ? ch->tail - r->next : ch->owed;
		break;
	case CHAN_CAPACITY:
		answer = ch->core.config.capacity;
		break;
	case CHAN_MAX_CAPACITY:
		answer = ch->retained;
		break;
	default:
		answer = chan_core_get(&ch->core, r == NULL, property);
	}
	pthread_mutex_unlock(&ch->core.lock);
	return answer;
}

static uint64_t broadcast_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	return broadcast_get(broadcast_of((const struct handle *)tx), NULL, property);
}

static uint64_t broadcast_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	const struct broadcast_receiver *r = (const struct broadcast_receiver *)rx;

	return broadcast_get(broadcast_of(&r->handle), r, property);
}

static uint64_t broadcast_weak_get(const struct chan_weak *weak, enum chan_property property)
{
	return broadcast_get(broadcast_of((const struct handle *)weak), NULL, property);
}

const struct chan_broadcast_ops chan_mutex_broadcast_ops = {
	.open = broadcast_open,
	.send = broadcast_send,
	.recv = broadcast_recv,
	.subscribe = broadcast_subscribe,
	.sender_drop = chan_core_sender_drop,
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
