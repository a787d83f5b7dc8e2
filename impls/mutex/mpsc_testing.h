/* SPDX-License-Identifier: MIT
 *
 * mpsc_testing.h - what the unit tests of the inside of mpsc and unbounded share: a channel of
 * items of the ledger with two senders, and calls that block in a thread of their own. Included
 * once, by a test program.
 */
#ifndef CHANBENCH_MUTEX_MPSC_TESTING_H
#define CHANBENCH_MUTEX_MPSC_TESTING_H

#include "impls/testing/items_testing.h"
#include "impls/mutex/mpsc.c"
#include "impls/mutex/queue.c"
#include "impls/mutex/mutex.h"

static const struct chan_mpsc_ops *const bounded = &chan_mutex_mpsc_ops;

static struct chan_sender *tx, *tx2;
static struct chan_receiver *rx;
static struct mpsc *channel;
#define MESSAGES (&((struct mutex_mpsc *)channel)->messages)

static void open_items(const struct chan_mpsc_ops *ops, size_t capacity)
{
	struct chan_config config = {
		.size = sizeof(struct item), .capacity = capacity, .start = UINT64_MAX - 2, .destroy = ledger_destroy};

	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	assert_int_equal(ops->sender_clone(tx, &tx2), CHAN_OK);
	channel = mpsc_of((struct handle *)tx);
}

static void drop_all(void)
{
	bounded->sender_drop(&tx);
	bounded->sender_drop(&tx2);
	bounded->receiver_drop(&rx);
}

/* Sends an item, or ends it where that fails. */
static enum chan_status send_item(struct chan_sender *s, uint64_t id, uint64_t deadline)
{
	struct item item = item_make(id);
	enum chan_status status = bounded->send(s, &item, deadline);

	if (status != CHAN_OK)
		item_end(&item);
	return status;
}

static enum chan_status recv_item(uint64_t *id, uint64_t deadline)
{
	struct item item;
	enum chan_status status = bounded->recv(rx, &item, deadline);

	if (status == CHAN_OK) {
		*id = item.id;
		item_end(&item);
	}
	return status;
}

static uint64_t slots_left(void)
{
	return bounded->receiver_get(rx, CHAN_CAPACITY);
}

/* An operation that blocks, in a thread that is seen to sleep. */
struct call {
	struct sleeper thread;
	struct chan_sender *sender; /* NULL: a receive */
	size_t reserve;             /* 0: a send */
	uint64_t deadline;
	struct chan_permit permit;
	enum chan_status status;
	uint64_t id;
};

static void call_body(void *arg)
{
	struct call *c = arg;

	if (c->sender == NULL)
		c->status = recv_item(&c->id, c->deadline);
	else if (c->reserve == 0)
		c->status = send_item(c->sender, c->id, c->deadline);
	else
		c->status = bounded->reserve(c->sender, c->reserve, &c->permit, c->deadline);
}

static void call_start(struct call *c)
{
	sleeper_start(&c->thread, call_body, c);
	sleeper_await(&c->thread);
}

static enum chan_status call_end(struct call *c)
{
	sleeper_join(&c->thread);
	return c->status;
}

#endif
