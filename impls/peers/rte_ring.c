/* SPDX-License-Identifier: MIT
 *
 * rte_ring.c - DPDK's rte_ring: an array with a head and a tail for each side. It is used without
 * DPDK's environment (EAL): the ring lies in memory of ours. It cannot wait, so full and empty are
 * retried with sched_yield.
 *
 * Capacity: exact (RING_F_EXACT_SZ). Elements lie in the ring by value, in words of 4 bytes
 * (rte_ring_*_elem); elements of more than 64 bytes are boxes from malloc. Choices: producers run
 * in RTS mode ("relaxed tail sync"), which DPDK's guide names for threads that can be preempted. In
 * the default mode all producers wait for one that was preempted. A single consumer is SC. Several
 * are MC, the default, because a ring cannot be switched to RTS later.
 */
#include "impls/peers/peer.h"

#include <limits.h>

#include <rte_config.h>

#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdlib.h>

enum { BY_VALUE = 64 };

struct rte_channel {
	struct peer peer;
	struct rte_ring *ring;
	unsigned element; /* bytes of an entry */
	bool boxed;
};

static enum chan_status take(void *channel, void *msg)
{
	struct rte_channel *c = channel;
	uint64_t words[BY_VALUE / 8];
	int failed;

	if (__atomic_load_n(&c->peer.shared, __ATOMIC_RELAXED))
		failed = rte_ring_mc_dequeue_elem(c->ring, words, c->element);
	else if (c->element == 8)
		failed = rte_ring_sc_dequeue_elem(c->ring, words, 8);
	else
		failed = rte_ring_sc_dequeue_elem(c->ring, words, c->element);
	if (failed != 0)
		return CHAN_EMPTY;
	if (c->boxed)
		peer_unbox(&c->peer, (void *)(uintptr_t)words[0], msg);
	else
		peer_copy(&c->peer, msg, words);
	return CHAN_OK;
}

static void dispose(void *channel)
{
	free(((struct rte_channel *)channel)->ring);
	peer_free(channel);
}

static const struct peer_hooks hooks = {.take = take, .dispose = dispose};

static enum chan_status rte_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	enum chan_status status;
	struct rte_channel *c = peer_new(sizeof *c, config, tx, rx, true, &hooks, &status);
	size_t slots = 2;
	if (c == NULL)
		return status;
	c->boxed = config->size > BY_VALUE;
	c->element = c->boxed ? sizeof(uint64_t) : (unsigned)((c->peer.layout.stride + 3) & ~(size_t)3);
	while (slots <= config->capacity && slots <= RTE_RING_SZ_MASK / 2)
		slots *= 2;
	ssize_t size = slots > config->capacity ? rte_ring_get_memsize_elem(c->element, (unsigned)slots) : -1;
	if (size > 0)
		c->ring = aligned_alloc(RTE_CACHE_LINE_SIZE, (size_t)size);
	if (c->ring == NULL)
		return peer_give_up(c, CHAN_NOMEM);
	if (rte_ring_init(c->ring, "channel", (unsigned)config->capacity, RING_F_EXACT_SZ | RING_F_MP_RTS_ENQ) != 0) {
		free(c->ring);
		return peer_give_up(c, CHAN_NOMEM);
	}
	c->peer.capacity = rte_ring_get_capacity(c->ring);
	return peer_open(c, tx, rx);
}

static enum chan_status try_enqueue(struct peer_handle *handle, const void *msg, uint64_t deadline)
{
	struct rte_channel *c = (struct rte_channel *)handle->peer;
	uint64_t words[BY_VALUE / 8];
	int failed;
	(void)deadline;

	if (c->boxed) {
		void *box = peer_box(&c->peer, msg);
		if (box == NULL)
			return CHAN_NOMEM;
		words[0] = (uintptr_t)box;
		if (rte_ring_enqueue_elem(c->ring, words, sizeof words[0]) == 0)
			return CHAN_OK;
		free(box);
		return CHAN_FULL;
	}
	peer_copy(&c->peer, words, msg);
	if (c->element == 8)
		failed = rte_ring_enqueue_elem(c->ring, words, 8);
	else
		failed = rte_ring_enqueue_elem(c->ring, words, c->element);
	return failed == 0 ? CHAN_OK : CHAN_FULL;
}

static enum chan_status try_dequeue(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	(void)deadline;
	return take(handle->peer, msg);
}

static enum chan_status rte_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	return peer_send((struct peer_handle *)tx, msg, deadline, try_enqueue, NULL);
}

static enum chan_status rte_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return peer_recv((struct peer_handle *)rx, msg, deadline, try_dequeue, NULL);
}

/* Batches are the ring's bursts, straight from and to the caller's array where its elements lie
 * as the ring's do. */
static enum chan_status enqueue_burst(struct peer_handle *handle, const void *msgs, size_t n, size_t *done)
{
	struct rte_channel *c = (struct rte_channel *)handle->peer;
	if (n != 0)
		*done += rte_ring_enqueue_burst_elem(c->ring, msgs, c->element, n > UINT_MAX ? UINT_MAX : (unsigned)n,
		                                     NULL);
	return CHAN_OK;
}

static enum chan_status dequeue_burst(struct peer_handle *handle, void *msgs, size_t n, size_t *done)
{
	struct rte_channel *c = (struct rte_channel *)handle->peer;
	unsigned want = n > UINT_MAX ? UINT_MAX : (unsigned)n;
	*done += __atomic_load_n(&c->peer.shared, __ATOMIC_RELAXED)
	                 ? rte_ring_mc_dequeue_burst_elem(c->ring, msgs, c->element, want, NULL)
	                 : rte_ring_sc_dequeue_burst_elem(c->ring, msgs, c->element, want, NULL);
	return CHAN_OK;
}

static bool as_in_ring(const struct rte_channel *c)
{
	return !c->boxed && c->element == c->peer.layout.size;
}

/* One by one, for elements that do not. */
static enum chan_status enqueue_each(struct peer_handle *handle, const void *msgs, size_t n, size_t *done)
{
	enum chan_status status = CHAN_OK;
	for (size_t i = 0; i < n && status == CHAN_OK; i++) {
		status = try_enqueue(handle, (const char *)msgs + i * handle->peer->layout.size, CHAN_NOW);
		*done += status == CHAN_OK;
	}
	return status == CHAN_FULL ? CHAN_OK : status;
}

static enum chan_status dequeue_each(struct peer_handle *handle, void *msgs, size_t n, size_t *done)
{
	for (size_t i = 0; i < n && take(handle->peer, (char *)msgs + i * handle->peer->layout.size) == CHAN_OK; i++)
		++*done;
	return CHAN_OK;
}

static enum chan_status rte_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
                                      uint64_t deadline)
{
	struct peer_handle *handle = (struct peer_handle *)tx;
	if (as_in_ring((struct rte_channel *)handle->peer))
		return peer_send_many(handle, msgs, n, sent, deadline, enqueue_burst);
	return peer_send_many(handle, msgs, n, sent, deadline, enqueue_each);
}

static enum chan_status rte_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                      uint64_t deadline)
{
	struct peer_handle *handle = (struct peer_handle *)rx;
	if (as_in_ring((struct rte_channel *)handle->peer))
		return peer_recv_many(handle, msgs, limit, received, deadline, dequeue_burst, NULL);
	return peer_recv_many(handle, msgs, limit, received, deadline, dequeue_each, NULL);
}

static const struct chan_mpsc_ops rte_ops = {
	.open = rte_open,
	.send = rte_send,
	.recv = rte_recv,
	.sender_clone = peer_sender_clone,
	.receiver_clone = peer_receiver_clone,
	.send_many = rte_send_many,
	.recv_many = rte_recv_many,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_rte_ring = {
	.name = "rte_ring",
	.family = "rte_ring",
	.version = PEER_VERSION,
	.summary = "DPDK's rte_ring with relaxed tail sync: an array with a head and a tail for each side",
	.flags = CHAN_PEER | CHAN_SPINS,
	.mpsc = &rte_ops,
	.package = PEER_PACKAGE,
};
