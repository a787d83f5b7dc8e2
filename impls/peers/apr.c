/* SPDX-License-Identifier: MIT
 *
 * apr.c - apr_queue of the Apache Portable Runtime (APR-util): a ring of pointers behind a mutex
 * and two condition variables. Any number on both sides; the capacity is exact.
 *
 * Choices: a message is a box from malloc, because APR's pools cannot give back a single one.
 * apr_queue_push and apr_queue_pop wait, after their try forms. This version has no waiting with a
 * deadline, so that is retried with sched_yield. Added: at the end apr_queue_interrupt_all wakes
 * the threads that block. (apr_queue_term would lose what is still in the queue.)
 */
#include "impls/peers/peer.h"

#include <apr_general.h>
#include <apr_queue.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

struct apr_channel {
	struct peer peer;
	apr_pool_t *pool;
	apr_queue_t *queue;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void initialize(void)
{
	apr_initialize();
}

static enum chan_status take(void *channel, void *msg)
{
	struct apr_channel *c = channel;
	void *box;
	if (apr_queue_trypop(c->queue, &box) != APR_SUCCESS)
		return CHAN_EMPTY;
	peer_unbox(&c->peer, box, msg);
	return CHAN_OK;
}

static void wake(void *channel)
{
	apr_queue_interrupt_all(((struct apr_channel *)channel)->queue);
}

static void dispose(void *channel)
{
	apr_pool_destroy(((struct apr_channel *)channel)->pool);
	peer_free(channel);
}

static const struct peer_hooks hooks = {.take = take, .wake_senders = wake, .wake_receivers = wake, .dispose = dispose};

static enum chan_status apr_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	enum chan_status status;
	struct apr_channel *c = peer_new(sizeof *c, config, tx, rx, true, &hooks, &status);
	if (c == NULL)
		return status;
	/* It multiplies the capacity by the size of a pointer, in 32 bits, and does not expect
	 * malloc to fail. */
	if (config->capacity > UINT_MAX / sizeof(void *))
		return peer_give_up(c, CHAN_NOMEM);
	pthread_once(&once, initialize);
	if (apr_pool_create_unmanaged_ex(&c->pool, NULL, NULL) != APR_SUCCESS)
		return peer_give_up(c, CHAN_NOMEM);
	if (apr_queue_create(&c->queue, (unsigned)config->capacity, c->pool) != APR_SUCCESS) {
		apr_pool_destroy(c->pool);
		return peer_give_up(c, CHAN_NOMEM);
	}
	c->peer.capacity = config->capacity;
	return peer_open(c, tx, rx);
}

static enum chan_status push(struct peer_handle *handle, const void *msg,
                             apr_status_t (*how)(apr_queue_t *queue, void *data))
{
	struct apr_channel *c = (struct apr_channel *)handle->peer;
	void *box = peer_box(&c->peer, msg);
	if (box == NULL)
		return CHAN_NOMEM;
	if (how(c->queue, box) == APR_SUCCESS)
		return CHAN_OK;
	free(box); /* full, or interrupted */
	return CHAN_FULL;
}

static enum chan_status try_push(struct peer_handle *handle, const void *msg, uint64_t deadline)
{
	(void)deadline;
	return push(handle, msg, apr_queue_trypush);
}

static enum chan_status block_push(struct peer_handle *handle, const void *msg, uint64_t deadline)
{
	if (deadline == CHAN_FOREVER)
		return push(handle, msg, apr_queue_push);
	sched_yield();
	return CHAN_FULL;
}

static enum chan_status try_pop(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	(void)deadline;
	return take(handle->peer, msg);
}

static enum chan_status block_pop(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	struct apr_channel *c = (struct apr_channel *)handle->peer;
	void *box;
	if (deadline == CHAN_FOREVER && apr_queue_pop(c->queue, &box) == APR_SUCCESS) {
		peer_unbox(&c->peer, box, msg);
		return CHAN_OK;
	}
	if (deadline != CHAN_FOREVER)
		sched_yield();
	return CHAN_EMPTY;
}

static enum chan_status apr_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	return peer_send((struct peer_handle *)tx, msg, deadline, try_push, block_push);
}

static enum chan_status apr_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return peer_recv((struct peer_handle *)rx, msg, deadline, try_pop, block_pop);
}

static const struct chan_mpsc_ops apr_ops = {
	.open = apr_open,
	.send = apr_send,
	.recv = apr_recv,
	.sender_clone = peer_sender_clone,
	.receiver_clone = peer_receiver_clone,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_apr = {
	.name = "apr",
	.family = "apr",
	.version = PEER_VERSION,
	.summary = "apr_queue of APR-util: a ring of pointers behind a mutex and two condition variables",
	.flags = CHAN_PEER | CHAN_UNCOUNTED,
	.mpsc = &apr_ops,
	.package = PEER_PACKAGE,
};
