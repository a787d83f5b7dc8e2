/* SPDX-License-Identifier: MIT
 *
 * glib.c - GLib's GAsyncQueue: a list of pointers behind a mutex and a condition variable.
 * Unbounded, any number on both sides.
 *
 * Choices: a message is a box from malloc, as GLib's own pointers are. A receive tries try_pop
 * first. Then it waits in g_async_queue_pop, or with a deadline in g_async_queue_timeout_pop, which
 * counts microseconds (rounded up). Added: at the end a pointer that stands for no message is
 * pushed, to wake receivers.
 */
#include "impls/peers/peer.h"

#include <glib.h>

struct glib_channel {
	struct peer peer;
	GAsyncQueue *queue;
};

static char nothing;

static enum chan_status accept_box(const struct peer *peer, void *box, void *msg)
{
	if (box == NULL || box == &nothing)
		return CHAN_EMPTY;
	peer_unbox(peer, box, msg);
	return CHAN_OK;
}

static enum chan_status take(void *channel, void *msg)
{
	struct glib_channel *c = channel;
	void *box;
	do
		box = g_async_queue_try_pop(c->queue);
	while (box == &nothing);
	return accept_box(&c->peer, box, msg);
}

static void wake_receivers(void *channel)
{
	g_async_queue_push(((struct glib_channel *)channel)->queue, &nothing);
}

static void dispose(void *channel)
{
	g_async_queue_unref(((struct glib_channel *)channel)->queue);
	peer_free(channel);
}

static const struct peer_hooks hooks = {.take = take, .wake_receivers = wake_receivers, .dispose = dispose};

static enum chan_status glib_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	enum chan_status status;
	struct glib_channel *c = peer_new(sizeof *c, config, tx, rx, false, &hooks, &status);
	if (c == NULL)
		return status;
	c->queue = g_async_queue_new();
	return peer_open(c, tx, rx);
}

static enum chan_status try_push(struct peer_handle *handle, const void *msg, uint64_t deadline)
{
	struct glib_channel *c = (struct glib_channel *)handle->peer;
	void *box = peer_box(&c->peer, msg);
	(void)deadline;
	if (box == NULL)
		return CHAN_NOMEM;
	g_async_queue_push(c->queue, box);
	return CHAN_OK;
}

static enum chan_status try_pop(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	(void)deadline;
	return take(handle->peer, msg);
}

static enum chan_status pop(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	struct glib_channel *c = (struct glib_channel *)handle->peer;
	void *box;
	if (deadline == CHAN_FOREVER) {
		box = g_async_queue_pop(c->queue);
	} else {
		uint64_t now = chan_now();
		box = g_async_queue_timeout_pop(c->queue, deadline > now ? (deadline - now + 999) / 1000 : 0);
	}
	return accept_box(&c->peer, box, msg);
}

static enum chan_status glib_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	return peer_send((struct peer_handle *)tx, msg, deadline, try_push, NULL);
}

static enum chan_status glib_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return peer_recv((struct peer_handle *)rx, msg, deadline, try_pop, pop);
}

static const struct chan_mpsc_ops glib_ops = {
	.open = glib_open,
	.send = glib_send,
	.recv = glib_recv,
	.sender_clone = peer_sender_clone,
	.receiver_clone = peer_receiver_clone,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_glib = {
	.name = "glib",
	.family = "glib",
	.version = PEER_VERSION,
	.summary = "GLib's GAsyncQueue: pointers in a list behind a mutex and a condition variable",
	.flags = CHAN_PEER,
	.unbounded = &glib_ops,
	.package = PEER_PACKAGE,
};
