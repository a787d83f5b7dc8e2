/* SPDX-License-Identifier: MIT
 *
 * posix_mq.c - a POSIX message queue: messages with priorities in the kernel. Any number on both
 * sides. Elements: wire.h.
 *
 * Capacity: it is exact as far as the kernel allows it (fs.mqueue.msg_max: 10 for most users;
 * RLIMIT_MSGQUEUE), and smaller where it does not. Choices: mq_send and mq_receive wait without a
 * deadline, mq_timedsend and mq_timedreceive with one. They take it from the wall clock, so it is
 * converted at each wait. Added: the queue has no end. A message of lower priority than all others
 * wakes receivers, and taking messages out wakes senders.
 */
#include "impls/peers/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>

struct mq_channel {
	struct peer peer;
	mqd_t queue;
};

enum { WAKE, MESSAGE }; /* priorities: a wake comes after all messages */

static struct timespec wall_clock(uint64_t deadline)
{
	struct timespec at;
	uint64_t now = chan_now(), left = deadline > now ? deadline - now : 0;
	clock_gettime(CLOCK_REALTIME, &at);
	left += (uint64_t)at.tv_nsec;
	at.tv_sec += (time_t)(left / 1000000000u);
	at.tv_nsec = (long)(left % 1000000000u);
	return at;
}

static enum chan_status mq_take(struct mq_channel *c, void *msg, uint64_t deadline)
{
	const struct timespec past = {0, 0};
	size_t size = wire_size(&c->peer);
	void *box = NULL;
	unsigned priority = MESSAGE;
	ssize_t n;

	if (deadline == CHAN_FOREVER) {
		n = mq_receive(c->queue, wire_in(&c->peer, msg, &box), size, &priority);
	} else {
		struct timespec at = deadline == CHAN_NOW ? past : wall_clock(deadline);
		n = mq_timedreceive(c->queue, wire_in(&c->peer, msg, &box), size, &priority, &at);
	}
	if (n < 0 || priority == WAKE)
		return CHAN_EMPTY;
	wire_accept(&c->peer, msg, &box);
	return CHAN_OK;
}

/* A queue in which only wakes are left is empty. */
static enum chan_status take(void *channel, void *msg)
{
	return mq_take(channel, msg, CHAN_NOW);
}

static void wake_senders(void *channel)
{
	struct mq_channel *c = channel;
	if (take(c, c->peer.scratch) == CHAN_OK && c->peer.destroy != NULL)
		c->peer.destroy(c->peer.scratch, c->peer.context);
}

static void wake_receivers(void *channel)
{
	static const char bytes[WIRE_MAX];
	const struct timespec past = {0, 0};
	struct mq_channel *c = channel;
	mq_timedsend(c->queue, bytes, wire_size(&c->peer), WAKE, &past);
}

static void dispose(void *channel)
{
	mq_close(((struct mq_channel *)channel)->queue);
	peer_free(channel);
}

static const struct peer_hooks hooks = {
	.take = take, .wake_senders = wake_senders, .wake_receivers = wake_receivers, .dispose = dispose};

static enum chan_status mq_open_channel(const struct chan_config *config, struct chan_sender **tx,
                                        struct chan_receiver **rx)
{
	static unsigned number;
	enum chan_status status;
	struct mq_channel *c = peer_new(sizeof *c, config, tx, rx, true, &hooks, &status);
	const size_t most = 65536; /* of the kernel, for anybody */
	char name[64];

	if (c == NULL)
		return status;
	snprintf(name, sizeof name, "/channel.%ld.%u", (long)getpid(),
	         __atomic_fetch_add(&number, 1, __ATOMIC_RELAXED));
	struct mq_attr attributes = {.mq_maxmsg = (long)(config->capacity < most ? config->capacity : most),
	                             .mq_msgsize = (long)wire_size(&c->peer)};
	do
		c->queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
	while (c->queue == (mqd_t)-1 && (errno == EINVAL || errno == EMFILE || errno == ENOMEM) &&
	       (attributes.mq_maxmsg -= attributes.mq_maxmsg / 8 + 1) > 0);
	if (c->queue == (mqd_t)-1)
		return peer_give_up(c, CHAN_NOMEM);
	mq_unlink(name);
	c->peer.capacity = (size_t)attributes.mq_maxmsg;
	return peer_open(c, tx, rx);
}

static enum chan_status put(struct peer_handle *handle, const void *msg, uint64_t deadline)
{
	const struct timespec past = {0, 0};
	struct mq_channel *c = (struct mq_channel *)handle->peer;
	size_t size = wire_size(&c->peer);
	void *box;
	const void *data = wire_out(&c->peer, msg, &box);
	int failed;

	if (data == NULL)
		return CHAN_NOMEM;
	if (deadline == CHAN_FOREVER) {
		failed = mq_send(c->queue, data, size, MESSAGE);
	} else {
		struct timespec at = deadline == CHAN_NOW ? past : wall_clock(deadline);
		failed = mq_timedsend(c->queue, data, size, MESSAGE, &at);
	}
	if (failed == 0)
		return CHAN_OK;
	wire_undo(&c->peer, &box);
	return CHAN_FULL;
}

static enum chan_status get(struct peer_handle *handle, void *msg, uint64_t deadline)
{
	return mq_take((struct mq_channel *)handle->peer, msg, deadline);
}

static enum chan_status mq_send_message(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	return peer_send((struct peer_handle *)tx, msg, deadline, put, put);
}

static enum chan_status mq_receive_message(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return peer_recv((struct peer_handle *)rx, msg, deadline, get, get);
}

static const struct chan_mpsc_ops mq_ops = {
	.open = mq_open_channel,
	.send = mq_send_message,
	.recv = mq_receive_message,
	.sender_clone = peer_sender_clone,
	.receiver_clone = peer_receiver_clone,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_posix_mq = {
	.name = "posix_mq",
	.family = "posix_mq",
	.version = PEER_VERSION,
	.summary = "a POSIX message queue",
	.flags = CHAN_PEER | CHAN_UNCOUNTED,
	.mpsc = &mq_ops,
	.package = PEER_PACKAGE,
};
