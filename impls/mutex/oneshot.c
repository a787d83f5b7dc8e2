/* SPDX-License-Identifier: MIT
 *
 * oneshot.c - the oneshot channel of the mutex family: one value, once.
 *
 * WHAT IT IS. One allocation that holds the channel, both handles and the value. Four facts are the
 * state, all under the mutex of core.h: whether the sender is still there (core.senders), whether a
 * receiver would still take the value (not chan_core_closed), whether a value lies in it (`full`),
 * and whether the receiver has had its result (`terminated`).
 *
 * INVARIANTS (whenever the mutex is free)
 *
 * I1  `full` is set once, by send, if and only if the channel is not closed at that moment. So the
 *     value belongs either to the caller of send or to the channel, and a close before or after
 *     that does not change it any more (O-11).
 * I2  Once `full`, only the receiver touches the value: it takes it (recv) or destroys it (drop),
 *     in its own thread (O-17, O-18).
 * I3  `terminated` implies not `full`.
 *
 * LINEARIZATION. Each operation takes effect in its critical section. One that blocks does so in
 * its last, in which it found its predicate true or the deadline past.
 *
 * WHERE EACH WAKE COMES FROM. A receiver is woken by send and by the sender's drop, each of which
 * ends the sender. closed() is woken by close and by the receiver's drop.
 */
#include "impls/base/core.h"
#include "impls/mutex/mutex.h"

#include <stdlib.h>

struct oneshot {
	struct core core;
	struct handle tx, rx;
	void *value; /* in the same allocation */
	bool full;
	bool terminated;
};

static struct oneshot *channel_of(const struct handle *h)
{
	return (struct oneshot *)h->core;
}

static void end(struct core *core)
{
	chan_core_fini(core);
	free(core);
}

static enum chan_status oneshot_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	struct layout layout;
	struct oneshot *ch;
	void *memory;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	enum chan_status status = chan_config_layout(config, &layout);
	if (status != CHAN_OK)
		return status;

	size_t align = layout.align < _Alignof(struct oneshot) ? _Alignof(struct oneshot) : layout.align;
	size_t offset = (sizeof *ch + align - 1) & ~(align - 1);
	if (posix_memalign(&memory, align, offset + layout.stride) != 0)
		return CHAN_NOMEM;

	ch = memory;
	chan_core_init(&ch->core, config, &layout, CORE_WAITS, end);
	chan_handle_init(&ch->tx, &ch->core);
	chan_handle_init(&ch->rx, &ch->core);
	ch->core.senders = ch->core.receivers = 1;
	ch->value = (char *)memory + offset;
	ch->full = false;
	ch->terminated = false;
	*tx = (struct chan_sender *)&ch->tx;
	*rx = (struct chan_receiver *)&ch->rx;
	return CHAN_OK;
}

/* Ends the sender, with the value at `msg` if `sending`. CHAN_OK, or CHAN_CLOSED: no value was
 * taken over. */
static enum chan_status finish(struct handle *h, const char *operation, bool sending, const void *msg)
{
	struct oneshot *ch = channel_of(h);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status = CHAN_CLOSED;

	chan_handle_enter(h, operation);
	chan_handle_disarm_all(h);
	if (sending && !chan_core_closed(core)) {
		chan_layout_copy(&core->layout, ch->value, msg);
		ch->full = true;
		status = CHAN_OK;
	}
	core->senders = 0;
	chan_wait_wake_all(&core->recv_queue, &wakes);
	chan_handle_leave(h, &wakes);
	chan_core_unref(core);
	return status;
}

static enum chan_status oneshot_send(struct chan_sender **tx, const void *msg)
{
	struct handle *h = (struct handle *)*tx;

	if (h == NULL)
		return CHAN_INVALID;
	*tx = NULL;
	if (msg == NULL && h->core->layout.size != 0) {
		finish(h, "send", false, NULL);
		return CHAN_INVALID;
	}
	return finish(h, "send", true, msg);
}

static void oneshot_sender_drop(struct chan_sender **tx)
{
	struct handle *h = (struct handle *)*tx;

	if (h == NULL)
		return;
	*tx = NULL;
	finish(h, "sender_drop", false, NULL);
}

static enum chan_status oneshot_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct handle *h = (struct handle *)rx;
	struct oneshot *ch = channel_of(h);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status = CHAN_OK;

	if (msg == NULL && core->layout.size != 0)
		return CHAN_INVALID;
	chan_handle_enter(h, "recv");
	if (ch->terminated) {
		status = deadline == CHAN_NOW ? CHAN_CLOSED : CHAN_INVALID; /* O-15 */
		goto out;
	}
	while (!ch->full && core->senders != 0 && !chan_core_closed(core)) {
		status = chan_core_wait(core, &core->recv_queue, deadline);
		if (status != CHAN_OK)
			goto out;
	}
	if (ch->full)
		chan_layout_copy(&core->layout, msg, ch->value);
	else
		status = CHAN_CLOSED;
	ch->full = false;
	ch->terminated = true;
out:
	chan_handle_leave(h, &wakes);
	return status;
}

static void oneshot_close(struct chan_receiver *rx)
{
	struct handle *h = (struct handle *)rx;
	struct core *core = h->core;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "close");
	core->closed = true;
	chan_wait_wake_all(&core->closed_queue, &wakes);
	/* armed ones: a receive would now complete */
	chan_wait_wake_all(&core->recv_queue, &wakes);
	chan_handle_leave(h, &wakes);
}

static void oneshot_receiver_drop(struct chan_receiver **rx)
{
	struct handle *h = (struct handle *)*rx;
	struct list wakes = WAKES_NONE(wakes);

	if (h == NULL)
		return;
	*rx = NULL;

	struct oneshot *ch = channel_of(h);
	struct core *core = &ch->core;
	chan_handle_enter(h, "receiver_drop");
	chan_handle_disarm_all(h);
	core->receivers = 0;
	bool unread = ch->full; /* if so, the sender is gone and the value this thread's alone */
	chan_wait_wake_all(&core->closed_queue, &wakes);
	chan_handle_leave(h, &wakes);
	if (unread && core->config.destroy != NULL)
		core->config.destroy(ch->value, core->config.context);
	chan_core_unref(core);
}

static enum chan_arm oneshot_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct handle *h = (struct handle *)rx;
	struct oneshot *ch = channel_of(h);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "arm_recv");
	/* a value that was sent has ended its sender */
	bool ready = core->senders == 0 || chan_core_closed(core);
	if (!ready)
		chan_handle_arm(h, &core->recv_queue, waiter);
	chan_handle_leave(h, &wakes);
	return ready ? CHAN_READY : CHAN_ARMED;
}

static uint64_t oneshot_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	struct oneshot *ch = channel_of((const struct handle *)rx);
	struct core *core = &ch->core;
	uint64_t answer;

	pthread_mutex_lock(&core->lock);
	if (property == CHAN_LEN)
		answer = ch->full;
	else if (property == CHAN_IS_TERMINATED)
		answer = ch->terminated;
	else
		answer = chan_core_get(core, false, property);
	pthread_mutex_unlock(&core->lock);
	return answer;
}

const struct chan_oneshot_ops chan_mutex_oneshot_ops = {
	.open = oneshot_open,
	.send = oneshot_send,
	.recv = oneshot_recv,
	.sender_drop = oneshot_sender_drop,
	.receiver_drop = oneshot_receiver_drop,
	.close = oneshot_close,
	.closed = chan_core_wait_closed,
	.arm_recv = oneshot_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_core_disarm,
	.sender_get = chan_core_sender_get,
	.receiver_get = oneshot_receiver_get,
};
