/* SPDX-License-Identifier: MIT
 *
 * urcu_wfcqueue.c - wfcqueue of liburcu: a linked queue with a wait-free enqueue (one exchange).
 * Unbounded; many senders, and one receiver. (Several dequeuers would have to exclude each other
 * with a mutex, and that would be another queue.) It cannot wait, so empty is retried with
 * sched_yield.
 *
 * Choices: the node stands in front of its message, in a box from malloc, which is the way the
 * queue is made for. Head and tail lie in cache lines of their own, as its header advises. The
 * dequeue is the non-blocking one, because the blocking one sleeps for 10 ms when it meets an
 * enqueue that is halfway. _LGPL_SOURCE inlines the library's functions, as its authors recommend
 * for code with a compatible licence, which this is.
 */
#define _LGPL_SOURCE
#include "impls/peers/peer.h"

#include <stdlib.h>
#include <urcu/wfcqueue.h>

struct node {
	struct cds_wfcq_node link;
	unsigned char msg[]; /* copied in and out: it needs no alignment */
};

struct urcu_channel {
	struct peer peer;
	struct __cds_wfcq_head head __attribute__((aligned(64)));
	struct cds_wfcq_tail tail __attribute__((aligned(64)));
};

static enum chan_status take(void *channel, void *msg)
{
	struct urcu_channel *c = channel;
	struct cds_wfcq_node *link = __cds_wfcq_dequeue_nonblocking(&c->head, &c->tail);
	if (link == NULL || link == CDS_WFCQ_WOULDBLOCK)
		return CHAN_EMPTY;
	peer_copy(&c->peer, msg, ((struct node *)link)->msg);
	free(link);
	return CHAN_OK;
}

static const struct peer_hooks hooks = {.take = take, .dispose = peer_free};

static enum chan_status urcu_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	enum chan_status status;
	struct urcu_channel *c = peer_new(sizeof *c, config, tx, rx, false, &hooks, &status);
	if (c == NULL)
		return status;
	__cds_wfcq_init(&c->head, &c->tail);
	return peer_open(c, tx, rx);
}

static enum chan_status enqueue(struct peer_handle *handle, const void *msg, uint64_t deadline)
{
	struct urcu_channel *c = (struct urcu_channel *)handle->peer;
	struct node *node = malloc(sizeof *node + c->peer.layout.size);
	(void)deadline;
	if (node == NULL)
		return CHAN_NOMEM;
	peer_copy(&c->peer, node->msg, msg);
	cds_wfcq_node_init(&node->link);
	cds_wfcq_enqueue(&c->head, &c->tail, &node->link);
	return CHAN_OK;
}

static enum chan_status dequeue(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	(void)deadline;
	return take(handle->peer, msg);
}

static enum chan_status urcu_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	return peer_send((struct peer_handle *)tx, msg, deadline, enqueue, NULL);
}

static enum chan_status urcu_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return peer_recv((struct peer_handle *)rx, msg, deadline, dequeue, NULL);
}

static const struct chan_mpsc_ops urcu_ops = {
	.open = urcu_open,
	.send = urcu_send,
	.recv = urcu_recv,
	.sender_clone = peer_sender_clone,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_urcu_wfcqueue = {
	.name = "urcu_wfcqueue",
	.family = "urcu_wfcqueue",
	.version = PEER_VERSION,
	.summary = "wfcqueue of liburcu: a linked queue with a wait-free enqueue, one receiver",
	.flags = CHAN_PEER | CHAN_SPINS,
	.unbounded = &urcu_ops,
	.package = PEER_PACKAGE,
};
