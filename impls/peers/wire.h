/* SPDX-License-Identifier: MIT
 *
 * wire.h - elements that go through the kernel: pipes, sockets, message queues.
 *
 * An element of 1 to 4096 bytes goes as it is, for a pipe writes so much as one piece. A larger one
 * goes as a pointer to a box from malloc, as threads of one process would do it. An element of no
 * bytes goes as a single byte.
 */
#ifndef CHANBENCH_PEERS_WIRE_H
#define CHANBENCH_PEERS_WIRE_H

#include "impls/peers/peer.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { WIRE_MAX = 4096 };

static inline bool wire_boxed(const struct peer *peer)
{
	return peer->layout.size > WIRE_MAX;
}

/* Bytes of a message on its way. */
static inline size_t wire_size(const struct peer *peer)
{
	return wire_boxed(peer) ? sizeof(void *) : peer->layout.stride;
}

/* What to write for `msg`; `*box` is for wire_out and wire_undo alone. NULL: out of memory. */
static inline const void *wire_out(const struct peer *peer, const void *msg, void **box)
{
	*box = NULL;
	if (!wire_boxed(peer))
		return peer->layout.size != 0 ? msg : (const void *)box;
	*box = peer_box(peer, msg);
	return *box != NULL ? box : NULL;
}

/* It was not written after all. */
static inline void wire_undo(const struct peer *peer, void **box)
{
	if (wire_boxed(peer))
		free(*box);
}

/* Where to read to, and what makes a message of it. */
static inline void *wire_in(const struct peer *peer, void *msg, void **box)
{
	return wire_boxed(peer) || peer->layout.size == 0 ? (void *)box : msg;
}

static inline void wire_accept(const struct peer *peer, void *msg, void **box)
{
	if (wire_boxed(peer))
		peer_unbox(peer, *box, msg);
}

/* Waits until one of `events` may have come, at the longest to the deadline. False: the deadline
 * has come. */
static inline bool wire_wait(int fd, short events, uint64_t deadline)
{
	struct pollfd poll = {.fd = fd, .events = events};
	if (deadline == CHAN_FOREVER) {
		ppoll(&poll, 1, NULL, NULL);
		return true;
	}
	uint64_t now = chan_now(), left = deadline > now ? deadline - now : 0;
	const struct timespec rest = peer_timespec(left);
	if (left != 0)
		ppoll(&poll, 1, &rest, NULL);
	return left != 0;
}

#endif
