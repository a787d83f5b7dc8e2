/* SPDX-License-Identifier: MIT
 *
 * eventfd_ring.c - a ring behind a mutex with two eventfds to poll: the queue of programs with an
 * event loop. Any number on both sides; the capacity is exact.
 *
 * Choices: an eventfd is readable while its side has something to do, "not empty" or "not full". It
 * is written at the change alone, so a queue that is neither empty nor full costs no system call.
 * A thread that finds nothing to do resets it, under the mutex, and polls. At the end both stay
 * readable for good.
 */
#include "impls/peers/wire.h"

#include <pthread.h>
#include <sys/eventfd.h>

struct eventfd_channel {
	struct peer peer;
	pthread_mutex_t lock;
	int not_full, not_empty;
	size_t head, count, capacity, stride;
	unsigned char *slots;
};

static void set(int fd)
{
	const uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof one);
	(void)n; /* it can only be readable already */
}

static void reset(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof count);
	(void)n; /* it may have been reset by somebody else */
}

static enum chan_status try_put(struct peer_handle *handle, const void *msg, uint64_t deadline)
{
	struct eventfd_channel *c = (struct eventfd_channel *)handle->peer;
	enum chan_status status = CHAN_OK;
	(void)deadline;

	pthread_mutex_lock(&c->lock);
	if (c->count < c->capacity) {
		size_t at = c->head + c->count;
		at = at < c->capacity ? at : at - c->capacity;
		peer_copy(&c->peer, c->slots + at * c->stride, msg);
		if (c->count++ == 0)
			set(c->not_empty);
	} else {
		status = CHAN_FULL;
		if (__atomic_load_n(&c->peer.receivers, __ATOMIC_ACQUIRE) != 0)
			reset(c->not_full);
	}
	pthread_mutex_unlock(&c->lock);
	return status;
}

static enum chan_status take(void *channel, void *msg)
{
	struct eventfd_channel *c = channel;
	enum chan_status status = CHAN_OK;

	pthread_mutex_lock(&c->lock);
	if (c->count > 0) {
		peer_copy(&c->peer, msg, c->slots + c->head * c->stride);
		c->head = c->head + 1 < c->capacity ? c->head + 1 : 0;
		if (c->count-- == c->capacity)
			set(c->not_full);
	} else {
		status = CHAN_EMPTY;
		if (__atomic_load_n(&c->peer.senders, __ATOMIC_ACQUIRE) != 0)
			reset(c->not_empty);
	}
	pthread_mutex_unlock(&c->lock);
	return status;
}

/* Under the mutex: after whoever saw the count before it fell to 0 has reset. */
static void ended(void *channel, bool senders)
{
	struct eventfd_channel *c = channel;
	pthread_mutex_lock(&c->lock);
	set(senders ? c->not_empty : c->not_full);
	pthread_mutex_unlock(&c->lock);
}

static void dispose(void *channel)
{
	struct eventfd_channel *c = channel;
	if (c->not_full >= 0)
		close(c->not_full);
	if (c->not_empty >= 0)
		close(c->not_empty);
	pthread_mutex_destroy(&c->lock);
	free(c->slots);
	peer_free(c);
}

static const struct peer_hooks hooks = {.take = take, .ended = ended, .dispose = dispose};

static enum chan_status eventfd_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	enum chan_status status;
	struct eventfd_channel *c = peer_new(sizeof *c, config, tx, rx, true, &hooks, &status);
	if (c == NULL)
		return status;
	c->stride = c->peer.layout.stride;
	c->capacity = c->peer.capacity = config->capacity;
	pthread_mutex_init(&c->lock, NULL);
	c->not_full = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	c->not_empty = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	c->slots = peer_alloc(&c->peer, config->capacity);
	if (c->not_full >= 0 && c->not_empty >= 0 && c->slots != NULL)
		return peer_open(c, tx, rx);
	dispose(c);
	return CHAN_NOMEM;
}

static enum chan_status poll_put(struct peer_handle *handle, const void *msg, uint64_t deadline)
{
	(void)msg;
	wire_wait(((struct eventfd_channel *)handle->peer)->not_full, POLLIN, deadline);
	return CHAN_FULL;
}

static enum chan_status try_take(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	(void)deadline;
	return take(handle->peer, msg);
}

static enum chan_status poll_take(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	(void)msg;
	wire_wait(((struct eventfd_channel *)handle->peer)->not_empty, POLLIN, deadline);
	return CHAN_EMPTY;
}

static enum chan_status eventfd_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	return peer_send((struct peer_handle *)tx, msg, deadline, try_put, poll_put);
}

static enum chan_status eventfd_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return peer_recv((struct peer_handle *)rx, msg, deadline, try_take, poll_take);
}

static const struct chan_mpsc_ops eventfd_ops = {
	.open = eventfd_open,
	.send = eventfd_send,
	.recv = eventfd_recv,
	.sender_clone = peer_sender_clone,
	.receiver_clone = peer_receiver_clone,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_eventfd_ring = {
	.name = "eventfd_ring",
	.family = "eventfd_ring",
	.version = PEER_VERSION,
	.summary = "a ring behind a mutex, with eventfds to poll: the queue of event loops",
	.flags = CHAN_PEER | CHAN_UNCOUNTED,
	.mpsc = &eventfd_ops,
	.package = PEER_PACKAGE,
};
