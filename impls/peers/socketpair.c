/* SPDX-License-Identifier: MIT
 *
 * socketpair.c - a pair of connected Unix sockets that keep the bounds of messages
 * (SOCK_SEQPACKET). Any number of threads on both sides. Elements: wire.h.
 *
 * Capacity: the kernel counts the bytes of its own buffers, some hundreds for the smallest message.
 * The adapter asks what one message takes (SIOCOUTQ), and sets SO_SNDBUF for the capacity. The
 * kernel has a least and a greatest value for it (net.core.wmem_max). Choices: calls block;
 * MSG_DONTWAIT serves CHAN_NOW, and poll serves deadlines. The end is the sockets' own: end of
 * file, EPIPE and ECONNRESET. A message that is sent at the very moment when the last receiver
 * leaves is lost.
 */
#include "impls/peers/wire.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct socket_channel {
	struct peer peer;
	int in, out; /* -1: closed */
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static enum chan_status socket_read(struct socket_channel *c, void *msg, int flags)
{
	void *box = NULL;
	ssize_t n;
	do
		n = recv(c->in, wire_in(&c->peer, msg, &box), wire_size(&c->peer), flags);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? CHAN_EMPTY : CHAN_CLOSED;
	wire_accept(&c->peer, msg, &box);
	return CHAN_OK;
}

static enum chan_status socket_write(struct socket_channel *c, const void *msg, int flags)
{
	void *box;
	const void *data = wire_out(&c->peer, msg, &box);
	ssize_t n;
	if (data == NULL)
		return CHAN_NOMEM;
	do
		n = send(c->out, data, wire_size(&c->peer), flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return CHAN_OK;
	wire_undo(&c->peer, &box);
	return errno == EAGAIN ? CHAN_FULL : errno == ENOBUFS || errno == ENOMEM ? CHAN_NOMEM : CHAN_CLOSED;
}

static enum chan_status take(void *channel, void *msg)
{
	struct socket_channel *c = channel;
	return c->in >= 0 ? socket_read(c, msg, MSG_DONTWAIT) : CHAN_EMPTY;
}

static void ended(void *channel, bool senders)
{
	struct socket_channel *c = channel;
	if (senders) {
		close_end(&c->out);
		return;
	}
	peer_drain(&c->peer); /* while there is still an end to read from */
	close_end(&c->in);
}

static void dispose(void *channel)
{
	struct socket_channel *c = channel;
	close_end(&c->in);
	close_end(&c->out);
	peer_free(c);
}

static const struct peer_hooks hooks = {.take = take, .ended = ended, .dispose = dispose};

/* A message of that size is sent through and measured on its way. A send waits while the bytes
 * on their way are not less than SO_SNDBUF, which getsockopt tells in full, and setsockopt wants
 * by half. 0: it failed. */
static size_t set_capacity(const struct socket_channel *c, size_t wanted)
{
	static const unsigned char bytes[WIRE_MAX];
	unsigned char back[WIRE_MAX];
	int one = 0, limit = 0;
	socklen_t size = sizeof limit;

	if (send(c->out, bytes, wire_size(&c->peer), 0) <= 0 || ioctl(c->out, SIOCOUTQ, &one) != 0 || one <= 0 ||
	    recv(c->in, back, sizeof back, 0) <= 0)
		return 0;
	size_t most = (size_t)INT32_MAX / 2, half = wanted > most / (size_t)one ? most : wanted * (size_t)one / 2;
	limit = (int)half;
	if (setsockopt(c->out, SOL_SOCKET, SO_SNDBUF, &limit, sizeof limit) != 0 ||
	    getsockopt(c->out, SOL_SOCKET, SO_SNDBUF, &limit, &size) != 0)
		return 0;
	return ((size_t)limit + (size_t)one - 1) / (size_t)one;
}

static enum chan_status socket_open(const struct chan_config *config, struct chan_sender **tx,
                                    struct chan_receiver **rx)
{
	enum chan_status status;
	struct socket_channel *c = peer_new(sizeof *c, config, tx, rx, true, &hooks, &status);
	int fds[2];

	if (c == NULL)
		return status;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return peer_give_up(c, CHAN_NOMEM);
	c->in = fds[0];
	c->out = fds[1];
	c->peer.capacity = set_capacity(c, config->capacity);
	if (c->peer.capacity != 0)
		return peer_open(c, tx, rx);
	dispose(c);
	return CHAN_NOMEM;
}

static enum chan_status socket_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	struct socket_channel *c = (struct socket_channel *)((struct peer_handle *)tx)->peer;
	if (__atomic_load_n(&c->peer.receivers, __ATOMIC_ACQUIRE) == 0)
		return CHAN_CLOSED; /* also while its last receiver is about to close it */
	if (deadline == CHAN_FOREVER)
		return socket_write(c, msg, 0);
	for (;;) {
		enum chan_status status = socket_write(c, msg, MSG_DONTWAIT);
		if (status != CHAN_FULL || deadline == CHAN_NOW)
			return status;
		if (!wire_wait(c->out, POLLOUT, deadline))
			return CHAN_TIMEOUT;
	}
}

static enum chan_status socket_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct socket_channel *c = (struct socket_channel *)((struct peer_handle *)rx)->peer;
	if (deadline == CHAN_FOREVER)
		return socket_read(c, msg, 0);
	for (;;) {
		enum chan_status status = socket_read(c, msg, MSG_DONTWAIT);
		if (status != CHAN_EMPTY || deadline == CHAN_NOW)
			return status;
		if (!wire_wait(c->in, POLLIN, deadline))
			return CHAN_TIMEOUT;
	}
}

static const struct chan_mpsc_ops socket_ops = {
	.open = socket_open,
	.send = socket_send,
	.recv = socket_recv,
	.sender_clone = peer_sender_clone,
	.receiver_clone = peer_receiver_clone,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_socketpair = {
	.name = "socketpair",
	.family = "socketpair",
	.version = PEER_VERSION,
	.summary = "a pair of Unix sockets (SOCK_SEQPACKET)",
	.flags = CHAN_PEER | CHAN_UNCOUNTED,
	.mpsc = &socket_ops,
	.package = PEER_PACKAGE,
};
