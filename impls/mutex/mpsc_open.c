/* SPDX-License-Identifier: MIT
 *
 * mpsc.c - the bounded kind, and the store of messages of both. The overview is in base/mpsc.h.
 */
#include "impls/mutex/mpsc_open.h"
#include "impls/mutex/mutex.h"

#include <stdlib.h>

static struct queue *messages(const struct mpsc *ch)
{
	return &((struct mutex_mpsc *)(uintptr_t)ch)->messages;
}

static size_t len(const struct mpsc *ch)
{
	return chan_mutex_queue_len(messages(ch));
}

static bool push(struct mpsc *ch, const void *msg)
{
	return chan_mutex_queue_push(messages(ch), msg);
}

static size_t take_out(struct handle *rx, void *msgs, size_t limit)
{
	struct queue *q = messages(mpsc_of(rx));
	size_t n = chan_mutex_queue_len(q);

	if (n > limit)
		n = limit;
	for (size_t i = 0; i < n; i++)
		chan_mutex_queue_pop(q, q->layout.size == 0 ? NULL : (char *)msgs + i * q->layout.size);
	return n;
}

static void *front(struct mpsc *ch)
{
	return chan_mutex_queue_front(messages(ch));
}

static void pop(struct mpsc *ch)
{
	chan_mutex_queue_pop(messages(ch), NULL);
}

static void free_all(struct mpsc *ch)
{
	chan_mutex_queue_close(messages(ch));
	free(ch);
}

static const struct mpsc_store store = {
	.len = len, .push = push, .take = take_out, .front = front, .pop = pop, .free = free_all};

enum chan_status chan_mutex_mpsc_open(const struct chan_config *config, const struct layout *layout, size_t capacity,
                                      struct chan_sender **tx, struct chan_receiver **rx)
{
	struct mutex_mpsc *ch = calloc(1, sizeof *ch);

	if (ch == NULL)
		return CHAN_NOMEM;
	if (!chan_mutex_queue_open(&ch->messages, layout, capacity, config->start)) {
		free(ch);
		return CHAN_NOMEM;
	}
	chan_mpsc_init(&ch->mpsc, config, layout, capacity, &store, CORE_WAITS);
	return chan_mpsc_open(&ch->mpsc, tx, rx);
}

static enum chan_status open_bounded(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	status = chan_config_bounded(config, CHAN_CAPACITY_MAX, &layout);
	return status == CHAN_OK ? chan_mutex_mpsc_open(config, &layout, config->capacity, tx, rx) : status;
}

const struct chan_mpsc_ops chan_mutex_mpsc_ops = {
	.open = open_bounded,
	.send = chan_mpsc_send,
	.recv = chan_mpsc_recv,
	.sender_drop = chan_mpsc_sender_drop,
	.receiver_drop = chan_mpsc_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.receiver_clone = chan_mpsc_receiver_clone,
	.send_many = chan_mpsc_send_many,
	.recv_many = chan_mpsc_recv_many,
	.reserve = chan_mpsc_reserve,
	.permit_send = chan_mpsc_permit_send,
	.permit_release = chan_mpsc_permit_release,
	.close = chan_mpsc_close,
	.closed = chan_core_wait_closed,
	.arm_send = chan_mpsc_arm_send,
	.arm_recv = chan_mpsc_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_mpsc_disarm,
	.sender_get = chan_mpsc_sender_get,
	.receiver_get = chan_mpsc_receiver_get,
	.weak_get = chan_core_weak_get,
};
