/* SPDX-License-Identifier: MIT
 *
 * pipe.c - a POSIX pipe: elements are written and read as pieces of at most PIPE_BUF bytes, which
 * the kernel never mixes or splits between several writers and readers. Elements: wire.h.
 *
 * Capacity: a pipe is a power of two of pages, and a piece is not laid across two pages.
 * F_SETPIPE_SZ sets the smallest size that holds what was asked for, or the largest that may be had
 * (fs.pipe-max-size). Choices: reads and writes block. For CHAN_NOW and deadlines the same pipe is
 * opened once more without blocking, and polled. The end is the pipe's own: end of file, and EPIPE.
 * (SIGPIPE is ignored from the first open on, unless the program handles it.) An element that is
 * written at the very moment when the last receiver leaves is lost, as it is with pipes.
 */
#include "impls/peers/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

enum { PAGE = 4096 };

/* The pipe's ends, for waiting in the kernel and for not waiting there; -1: closed. */
struct pipe_channel {
	struct peer peer;
	int in[2], out[2];
};

enum { WAITING, POLLED };

static void close_both(int fds[2])
{
	for (int i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

static enum chan_status pipe_read(struct pipe_channel *c, int fd, void *msg)
{
	void *box = NULL;
	ssize_t n;
	do
		n = read(fd, wire_in(&c->peer, msg, &box), wire_size(&c->peer));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? CHAN_CLOSED : CHAN_EMPTY;
	wire_accept(&c->peer, msg, &box);
	return CHAN_OK;
}

static enum chan_status pipe_write(struct pipe_channel *c, int fd, const void *msg)
{
	void *box;
	const void *data = wire_out(&c->peer, msg, &box);
	ssize_t n;
	if (data == NULL)
		return CHAN_NOMEM;
	do
		n = write(fd, data, wire_size(&c->peer));
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return CHAN_OK;
	wire_undo(&c->peer, &box);
	return errno == EPIPE ? CHAN_CLOSED : CHAN_FULL;
}

static enum chan_status take(void *channel, void *msg)
{
	struct pipe_channel *c = channel;
	return c->in[POLLED] >= 0 ? pipe_read(c, c->in[POLLED], msg) : CHAN_EMPTY;
}

static void ended(void *channel, bool senders)
{
	struct pipe_channel *c = channel;
	if (senders) {
		close_both(c->out);
		return;
	}
	peer_drain(&c->peer); /* while there is still an end to read from */
	close_both(c->in);
}

static void dispose(void *channel)
{
	struct pipe_channel *c = channel;
	close_both(c->in);
	close_both(c->out);
	peer_free(c);
}

static const struct peer_hooks hooks = {.take = take, .ended = ended, .dispose = dispose};

static int open_again(int fd, int flags)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK | O_CLOEXEC);
}

static size_t set_capacity(const struct peer *peer, int fd, size_t wanted)
{
	size_t piece = wire_size(peer), on_a_page = PAGE / piece, pages = 1;
	while (pages * on_a_page < wanted && pages < (size_t)1 << 18)
		pages *= 2;
	/* A size that may not be had: half of it, and so on. */
	while (fcntl(fd, F_SETPIPE_SZ, (int)(pages * PAGE)) < 0 && pages > 1)
		pages /= 2;
	int size = fcntl(fd, F_GETPIPE_SZ);
	return size > 0 ? (size_t)size / PAGE * on_a_page : 0;
}

static enum chan_status pipe_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	enum chan_status status;
	struct pipe_channel *c = peer_new(sizeof *c, config, tx, rx, true, &hooks, &status);
	struct sigaction broken;
	int fds[2];

	if (c == NULL)
		return status;
	if (sigaction(SIGPIPE, NULL, &broken) == 0 && broken.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return peer_give_up(c, CHAN_NOMEM);
	c->in[WAITING] = fds[0];
	c->out[WAITING] = fds[1];
	c->in[POLLED] = open_again(fds[0], O_RDONLY);
	c->out[POLLED] = open_again(fds[1], O_WRONLY);
	c->peer.capacity = set_capacity(&c->peer, fds[1], config->capacity);
	if (c->in[POLLED] >= 0 && c->out[POLLED] >= 0)
		return peer_open(c, tx, rx);
	dispose(c);
	return CHAN_NOMEM;
}

static enum chan_status pipe_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	struct pipe_channel *c = (struct pipe_channel *)((struct peer_handle *)tx)->peer;
	if (__atomic_load_n(&c->peer.receivers, __ATOMIC_ACQUIRE) == 0)
		return CHAN_CLOSED; /* also while its last receiver is about to close it */
	if (deadline == CHAN_FOREVER)
		return pipe_write(c, c->out[WAITING], msg);
	for (;;) {
		enum chan_status status = pipe_write(c, c->out[POLLED], msg);
		if (status != CHAN_FULL || deadline == CHAN_NOW)
			return status;
		if (!wire_wait(c->out[POLLED], POLLOUT, deadline))
			return CHAN_TIMEOUT;
	}
}

static enum chan_status pipe_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct pipe_channel *c = (struct pipe_channel *)((struct peer_handle *)rx)->peer;
	if (deadline == CHAN_FOREVER)
		return pipe_read(c, c->in[WAITING], msg);
	for (;;) {
		enum chan_status status = pipe_read(c, c->in[POLLED], msg);
		if (status != CHAN_EMPTY || deadline == CHAN_NOW)
			return status;
		if (!wire_wait(c->in[POLLED], POLLIN, deadline))
			return CHAN_TIMEOUT;
	}
}

static const struct chan_mpsc_ops pipe_ops = {
	.open = pipe_open,
	.send = pipe_send,
	.recv = pipe_recv,
	.sender_clone = peer_sender_clone,
	.receiver_clone = peer_receiver_clone,
	PEER_ENTRIES,
};

const struct chan_impl chan_peer_pipe = {
	.name = "pipe",
	.family = "pipe",
	.version = PEER_VERSION,
	.summary = "a POSIX pipe, written and read in pieces that the kernel does not split",
	.flags = CHAN_PEER | CHAN_UNCOUNTED,
	.mpsc = &pipe_ops,
	.package = PEER_PACKAGE,
};
