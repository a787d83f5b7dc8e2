/* SPDX-License-Identifier: MIT
 *
 * condvar.c - the bounded queue as most people write it: a ring, one mutex, two condition
 * variables. It takes any number of threads on both sides. A woken thread has to take the mutex
 * again, and may find that another one was faster ("barging"): nobody is served in turn.
 *
 * Choices: every send signals `not_empty` and every receive `not_full`, as textbooks do. The end is
 * the queue's own: `closed` flags under the mutex, and a broadcast.
 */
#include "impls/peers/peer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct condvar_channel {
	struct peer peer;
	pthread_mutex_t lock;
	pthread_cond_t not_full, not_empty;
	size_t head, count, capacity, stride;
	unsigned char *slots;
};

static void put(struct condvar_channel *c, const void *msg)
{
	size_t at = c->head + c->count;
	peer_copy(&c->peer, c->slots + (at < c->capacity ? at : at - c->capacity) * c->stride, msg);
	c->count++;
	pthread_cond_signal(&c->not_empty);
}

static void get(struct condvar_channel *c, void *msg)
{
	peer_copy(&c->peer, msg, c->slots + c->head * c->stride);
	c->head = c->head + 1 < c->capacity ? c->head + 1 : 0;
	c->count--;
	pthread_cond_signal(&c->not_full);
}

static enum chan_status take(void *channel, void *msg)
{
	struct condvar_channel *c = channel;
	pthread_mutex_lock(&c->lock);
	bool any = c->count > 0;
	if (any)
		get(c, msg);
	pthread_mutex_unlock(&c->lock);
	return any ? CHAN_OK : CHAN_EMPTY;
}

/* The counts of handles are changed without the mutex: taking it before the broadcast is what
 * orders the two. */
static void wake_all(void *channel, bool senders)
{
	struct condvar_channel *c = channel;
	pthread_mutex_lock(&c->lock);
	pthread_cond_broadcast(senders ? &c->not_empty : &c->not_full);
	pthread_mutex_unlock(&c->lock);
}

static void dispose(void *channel)
{
	struct condvar_channel *c = channel;
	pthread_cond_destroy(&c->not_empty);
	pthread_cond_destroy(&c->not_full);
	pthread_mutex_destroy(&c->lock);
	free(c->slots);
	peer_free(c);
}

static const struct peer_hooks hooks = {.take = take, .dispose = dispose, .ended = wake_all};

static enum chan_status condvar_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	enum chan_status status;
	struct condvar_channel *c = peer_new(sizeof *c, config, tx, rx, true, &hooks, &status);
	pthread_condattr_t monotonic;
	if (c == NULL)
		return status;
	c->stride = c->peer.layout.stride;
	c->capacity = c->peer.capacity = config->capacity;
	c->slots = peer_alloc(&c->peer, config->capacity);
	if (c->slots == NULL)
		return peer_give_up(c, CHAN_NOMEM);
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->not_full, &monotonic);
	pthread_cond_init(&c->not_empty, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return peer_open(c, tx, rx);
}

/* Whether to look again; false: the deadline has come. */
static bool wait_for(struct condvar_channel *c, pthread_cond_t *condition, uint64_t deadline)
{
	if (deadline == CHAN_FOREVER)
		return pthread_cond_wait(condition, &c->lock) == 0;
	const struct timespec at = peer_timespec(deadline);
	return pthread_cond_timedwait(condition, &c->lock, &at) != ETIMEDOUT;
}

static enum chan_status condvar_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	struct condvar_channel *c = (struct condvar_channel *)((struct peer_handle *)tx)->peer;
	enum chan_status status = CHAN_OK;
	bool late = false;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		if (__atomic_load_n(&c->peer.receivers, __ATOMIC_ACQUIRE) == 0)
			status = CHAN_CLOSED;
		else if (c->count < c->capacity)
			put(c, msg);
		else if (deadline == CHAN_NOW || late)
			status = late ? CHAN_TIMEOUT : CHAN_FULL;
		else {
			late = !wait_for(c, &c->not_full, deadline);
			continue;
		}
		break;
	}
	pthread_mutex_unlock(&c->lock);
	return status;
}

static enum chan_status condvar_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct condvar_channel *c = (struct condvar_channel *)((struct peer_handle *)rx)->peer;
	enum chan_status status = CHAN_OK;
	bool late = false;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		bool ended = __atomic_load_n(&c->peer.senders, __ATOMIC_ACQUIRE) == 0;
		if (c->count > 0)
			get(c, msg);
		else if (ended)
			status = CHAN_CLOSED;
		else if (deadline == CHAN_NOW || late)
			status = late ? CHAN_TIMEOUT : CHAN_EMPTY;
		else {
			late = !wait_for(c, &c->not_empty, deadline);
			continue;
		}
		break;
	}
	pthread_mutex_unlock(&c->lock);
	return status;
}

static const struct chan_mpsc_ops condvar_ops = {
	.open = condvar_open,
	.send = condvar_send,
	.recv = condvar_recv,
	.sender_clone = peer_sender_clone,
	.receiver_clone = peer_receiver_clone,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_condvar = {
	.name = "condvar",
	.family = "condvar",
	.version = PEER_VERSION,
	.summary = "a ring, one mutex and two condition variables, with barging: as most people write it",
	.flags = CHAN_PEER,
	.mpsc = &condvar_ops,
	.package = PEER_PACKAGE,
};
