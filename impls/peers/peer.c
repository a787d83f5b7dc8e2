/* SPDX-License-Identifier: MIT */
#include "impls/peers/peer.h"

#include <stdalign.h>
#include <stdlib.h>

/* As asked for; else the largest that divides the size, up to that of any type. */
static size_t align_of(const struct chan_config *config)
{
	size_t lowest_bit = config->size & (~config->size + 1);

	if (config->align != 0)
		return config->align;
	if (lowest_bit > alignof(max_align_t))
		return alignof(max_align_t);
	return lowest_bit != 0 ? lowest_bit : 1;
}

void *peer_alloc(const struct peer *peer, size_t count)
{
	size_t align = peer->layout.align < sizeof(void *) ? sizeof(void *) : peer->layout.align;
	void *memory;

	if (count > SIZE_MAX / peer->layout.stride)
		return NULL;
	return posix_memalign(&memory, align, count * peer->layout.stride) == 0 ? memory : NULL;
}

void *peer_new(size_t size, const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx,
               bool bounded, const struct peer_hooks *hooks, enum chan_status *status)
{
	struct peer *peer;

	*status = CHAN_INVALID;
	if (tx == NULL || rx == NULL || !chan_config_valid(config, bounded ? CHAN_CAPACITY_MAX : 0))
		return NULL;
	*status = CHAN_NOMEM;
	peer = aligned_alloc(alignof(struct peer), (size + alignof(struct peer) - 1) & ~(alignof(struct peer) - 1));
	if (peer == NULL)
		return NULL;
	memset(peer, 0, size);
	peer->layout.size = config->size;
	peer->layout.align = align_of(config);
	peer->layout.stride = config->size != 0 ? config->size : 1;
	peer->hooks = hooks;
	peer->destroy = config->destroy;
	peer->context = config->context;
	peer->scratch = peer_alloc(peer, 1);
	if (peer->scratch == NULL) {
		free(peer);
		return NULL;
	}
	*status = CHAN_OK;
	return peer;
}

void peer_free(void *channel)
{
	free(((struct peer *)channel)->scratch);
	free(channel);
}

enum chan_status peer_give_up(void *channel, enum chan_status status)
{
	peer_free(channel);
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Handles
 */

static struct peer_handle *attach(struct peer *peer, bool sender)
{
	struct peer_handle *handle = malloc(sizeof *handle);
	if (handle == NULL)
		return NULL;
	*handle = (struct peer_handle){.peer = peer};
	if (peer->hooks->attach != NULL && peer->hooks->attach(peer, handle, sender) != CHAN_OK) {
		free(handle);
		return NULL;
	}
	__atomic_fetch_add(sender ? &peer->senders : &peer->receivers, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&peer->handles, 1, __ATOMIC_RELAXED);
	return handle;
}

static void detach(struct peer_handle *handle, bool sender)
{
	if (handle->peer->hooks->detach != NULL)
		handle->peer->hooks->detach(handle->peer, handle, sender);
	free(handle);
}

void peer_drain(struct peer *peer)
{
	while (peer->hooks->take(peer, peer->scratch) == CHAN_OK)
		if (peer->destroy != NULL)
			peer->destroy(peer->scratch, peer->context);
}

static void release(struct peer *peer)
{
	if (__atomic_sub_fetch(&peer->handles, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	peer_drain(peer);
	peer->hooks->dispose(peer);
}

enum chan_status peer_open(void *channel, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct peer *peer = channel;
	struct peer_handle *sender = attach(peer, true);
	struct peer_handle *receiver = sender != NULL ? attach(peer, false) : NULL;

	if (receiver != NULL) {
		*tx = (struct chan_sender *)sender;
		*rx = (struct chan_receiver *)receiver;
		return CHAN_OK;
	}
	if (sender != NULL)
		detach(sender, true);
	peer->hooks->dispose(peer);
	return CHAN_NOMEM;
}

enum chan_status peer_sender_clone(struct chan_sender *tx, struct chan_sender **out)
{
	struct peer_handle *handle = attach(((struct peer_handle *)tx)->peer, true);
	if (handle == NULL)
		return CHAN_NOMEM;
	*out = (struct chan_sender *)handle;
	return CHAN_OK;
}

enum chan_status peer_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	struct peer *peer = ((struct peer_handle *)rx)->peer;
	struct peer_handle *handle = attach(peer, false);
	if (handle == NULL)
		return CHAN_NOMEM;
	/* The thread that clones the only receiver does not receive with it, and no other thread
	 * receives. */
	if (!__atomic_load_n(&peer->shared, __ATOMIC_RELAXED))
		__atomic_store_n(&peer->shared, true, __ATOMIC_RELAXED);
	*out = (struct chan_receiver *)handle;
	return CHAN_OK;
}

/* The last of one side has left. A thread that blocks on the other side is made to look again:
 * it finds the count at 0, and blocks no more. */
static void end(struct peer *peer, bool senders)
{
	void (*wake)(void *channel) = senders ? peer->hooks->wake_receivers : peer->hooks->wake_senders;
	size_t *blocked = senders ? &peer->receiving : &peer->sending;

	if (peer->hooks->ended != NULL)
		peer->hooks->ended(peer, senders);
	while (wake != NULL && __atomic_load_n(blocked, __ATOMIC_SEQ_CST) != 0) {
		wake(peer);
		sched_yield();
	}
	if (!senders)
		peer_drain(peer);
}

static void drop(struct peer_handle *handle, bool sender)
{
	struct peer *peer = handle->peer;
	detach(handle, sender);
	if (__atomic_sub_fetch(sender ? &peer->senders : &peer->receivers, 1, __ATOMIC_SEQ_CST) == 0)
		end(peer, sender);
	release(peer);
}

void peer_sender_drop(struct chan_sender **tx)
{
	struct peer_handle *handle = (struct peer_handle *)*tx;
	*tx = NULL;
	if (handle != NULL)
		drop(handle, true);
}

void peer_receiver_drop(struct chan_receiver **rx)
{
	struct peer_handle *handle = (struct peer_handle *)*rx;
	*rx = NULL;
	if (handle != NULL)
		drop(handle, false);
}

/* ------------------------------------------------------------------------------------------ */

static uint64_t get(struct peer *peer, enum chan_property property, bool sender)
{
	switch (property) {
	case CHAN_MAX_CAPACITY:
		return peer->capacity != 0 ? peer->capacity : CHAN_UNKNOWN;
	case CHAN_IS_CLOSED:
		return sender ? __atomic_load_n(&peer->receivers, __ATOMIC_ACQUIRE) == 0 : CHAN_UNKNOWN;
	case CHAN_SENDERS:
		return __atomic_load_n(&peer->senders, __ATOMIC_ACQUIRE);
	case CHAN_RECEIVERS:
		return __atomic_load_n(&peer->receivers, __ATOMIC_ACQUIRE);
	case CHAN_IDENTITY:
		return (uintptr_t)peer;
	default:
		return CHAN_UNKNOWN;
	}
}

uint64_t peer_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	return get(((const struct peer_handle *)tx)->peer, property, true);
}

uint64_t peer_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	return get(((const struct peer_handle *)rx)->peer, property, false);
}

/* ------------------------------------------------------------------------------------------
 * Boxes
 */

void *peer_box(const struct peer *peer, const void *msg)
{
	void *box = peer->layout.align <= alignof(max_align_t) ? malloc(peer->layout.stride) : peer_alloc(peer, 1);
	if (box != NULL)
		peer_copy(peer, box, msg);
	return box;
}

void peer_unbox(const struct peer *peer, void *box, void *msg)
{
	peer_copy(peer, msg, box);
	free(box);
}
