/* SPDX-License-Identifier: MIT
 *
 * ck_ring.c - Concurrency Kit's ck_ring: an array with a head and a tail for each side. A producer
 * claims an index, and then waits until the producers before it have published theirs. The ring
 * never blocks, so full and empty are retried with sched_yield. But a producer that is preempted
 * between its two steps keeps all the others spinning inside the library.
 *
 * Capacity: a ring of N slots, N a power of two and at least 4, holds N - 1. The smallest ring that
 * holds what was asked for is taken. Choices: elements of 8 and of up to 64 bytes are stored by
 * value (CK_RING_PROTOTYPE), larger ones as boxes from malloc. Producers and the receiver use the
 * mpsc form; once there are several receivers, these use the mpmc form.
 */
#include "impls/peers/peer.h"

#include <ck_ring.h>
#include <stdlib.h>

struct e8 {
	unsigned char bytes[8];
};
struct e64 {
	unsigned char bytes[64];
};
struct boxed {
	void *box;
};
CK_RING_PROTOTYPE(e8, e8)
CK_RING_PROTOTYPE(e64, e64)
CK_RING_PROTOTYPE(boxed, boxed)

struct ck_channel {
	struct peer peer;
	ck_ring_t ring;
	void *slots;
};

#define ENQUEUE(type) ck_ring_enqueue_mpsc_##type(&c->ring, c->slots, &element)
#define DEQUEUE(type)                                                                                                  \
	(__atomic_load_n(&c->peer.shared, __ATOMIC_RELAXED)                                                            \
	         ? ck_ring_dequeue_mpmc_##type(&c->ring, c->slots, &element)                                           \
	         : ck_ring_dequeue_mpsc_##type(&c->ring, c->slots, &element))

static enum chan_status take(void *channel, void *msg)
{
	struct ck_channel *c = channel;
	size_t size = c->peer.layout.size;

	if (size == 8) {
		struct e8 element;
		if (!DEQUEUE(e8))
			return CHAN_EMPTY;
		memcpy(msg, element.bytes, 8);
	} else if (size <= 64) {
		struct e64 element;
		if (!DEQUEUE(e64))
			return CHAN_EMPTY;
		peer_copy(&c->peer, msg, element.bytes);
	} else {
		struct boxed element;
		if (!DEQUEUE(boxed))
			return CHAN_EMPTY;
		peer_unbox(&c->peer, element.box, msg);
	}
	return CHAN_OK;
}

static void dispose(void *channel)
{
	free(((struct ck_channel *)channel)->slots);
	peer_free(channel);
}

static const struct peer_hooks hooks = {.take = take, .dispose = dispose};

static enum chan_status ck_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	enum chan_status status;
	struct ck_channel *c = peer_new(sizeof *c, config, tx, rx, true, &hooks, &status);
	size_t slots = 4;
	if (c == NULL)
		return status;
	while (slots - 1 < config->capacity && slots <= (size_t)1 << 30)
		slots *= 2;
	size_t size = config->size == 8 ? 8 : config->size <= 64 ? 64 : sizeof(void *);
	if (slots - 1 >= config->capacity)
		c->slots = aligned_alloc(64, (slots * size + 63) & ~(size_t)63);
	if (c->slots == NULL)
		return peer_give_up(c, CHAN_NOMEM);
	ck_ring_init(&c->ring, (unsigned)slots);
	c->peer.capacity = slots - 1;
	return peer_open(c, tx, rx);
}

static enum chan_status try_push(struct peer_handle *handle, const void *msg, uint64_t deadline)
{
	struct ck_channel *c = (struct ck_channel *)handle->peer;
	size_t size = c->peer.layout.size;
	(void)deadline;

	if (size == 8) {
		struct e8 element;
		memcpy(element.bytes, msg, 8);
		return ENQUEUE(e8) ? CHAN_OK : CHAN_FULL;
	}
	if (size <= 64) {
		struct e64 element;
		peer_copy(&c->peer, element.bytes, msg);
		return ENQUEUE(e64) ? CHAN_OK : CHAN_FULL;
	}
	struct boxed element = {peer_box(&c->peer, msg)};
	if (element.box == NULL)
		return CHAN_NOMEM;
	if (ENQUEUE(boxed))
		return CHAN_OK;
	free(element.box);
	return CHAN_FULL;
}

static enum chan_status try_pop(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	(void)deadline;
	return take(handle->peer, msg);
}

static enum chan_status ck_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	return peer_send((struct peer_handle *)tx, msg, deadline, try_push, NULL);
}

static enum chan_status ck_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return peer_recv((struct peer_handle *)rx, msg, deadline, try_pop, NULL);
}

static const struct chan_mpsc_ops ck_ops = {
	.open = ck_open,
	.send = ck_send,
	.recv = ck_recv,
	.sender_clone = peer_sender_clone,
	.receiver_clone = peer_receiver_clone,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_ck_ring = {
	.name = "ck_ring",
	.family = "ck_ring",
	.version = PEER_VERSION,
	.summary = "Concurrency Kit's ck_ring: a ring whose producers claim a slot, and publish in turn",
	.flags = CHAN_PEER | CHAN_SPINS,
	.mpsc = &ck_ops,
	.package = PEER_PACKAGE,
};
