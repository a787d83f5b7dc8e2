/* SPDX-License-Identifier: MIT
 *
 * peer.h - what adapters of other people's queues have in common.
 *
 * A peer is a queue that people would take instead of a channel. Its adapter offers the functions
 * of the library, used as the library's own documentation recommends. It adds only what the
 * contract's minimum needs and hardly any queue has:
 *
 *   handles       counted here: nobody's queue knows how many use it
 *   the end       a receiver that finds the queue empty looks whether a sender is left; a sender
 *                 looks for a receiver before each try. Threads that block inside the library are
 *                 counted (`sending`, `receiving`). So the last handle of the other side to leave
 *                 knows that it has to wake them, by whatever means the library has
 *   waiting       where the library cannot: the operation is tried again after sched_yield
 *                 (CHAN_SPINS)
 *   elements      of a size that is known only at open: copied into the queue where it stores
 *                 values, else into a box from malloc that the receiver frees
 *
 * A send that was in progress when the last receiver left may still succeed. Its value is destroyed
 * with the channel at the latest. An adapter that adds more says so at its head, with the versions
 * and the choices. The atomics are the compiler's, because C and C++ adapters share this header.
 *
 * Ownership: an adapter's channel begins with its `struct peer`; peer_open takes the channel over,
 * and the last handle's drop disposes of it.
 */
#ifndef CHANBENCH_PEERS_PEER_H
#define CHANBENCH_PEERS_PEER_H

#ifdef __cplusplus
extern "C" {
#endif

#include "impls/channel.h"

#include <sched.h>
#include <string.h>
#include <time.h>

struct peer_handle;

/* The steps that happen seldom, as functions. `channel` is the adapter's own structure. */
struct peer_hooks {
	/* Takes a message out without waiting, through no handle: CHAN_OK, or CHAN_EMPTY. */
	enum chan_status (*take)(void *channel, void *msg);

	/* Makes somebody who blocks in a send (in a receive) look again; called until none is
	 * left. NULL: nobody blocks there. */
	void (*wake_senders)(void *channel);
	void (*wake_receivers)(void *channel);

	/* All senders, or all receivers, have left: for queues that know an end of their own.
	 * NULL: nothing to do. */
	void (*ended)(void *channel, bool senders);

	/* Frees the channel; the queue is empty. */
	void (*dispose)(void *channel);

	/* Sets up a handle's `state`, and ends it. NULL: there is none. */
	enum chan_status (*attach)(void *channel, struct peer_handle *handle, bool sender);
	void (*detach)(void *channel, struct peer_handle *handle, bool sender);
};

struct peer {
	/* Read at every operation, written when handles come and go. */
	size_t senders __attribute__((aligned(64)));
	size_t receivers;
	size_t handles;
	bool shared; /* there has been more than one receiver */
	/* How an element lies in memory: its bytes, its alignment (never 0), and the bytes from one
	 * to the next, which are at least 1. */
	struct {
		size_t size, align, stride;
	} layout;
	size_t capacity; /* the true one; 0: unbounded or unknown */
	const struct peer_hooks *hooks;
	void (*destroy)(void *msg, void *context);
	void *context;
	void *scratch; /* an element: where it is destroyed */

	/* Threads that block inside the library. */
	size_t sending __attribute__((aligned(64)));
	size_t receiving;
};

struct peer_handle {
	struct peer *peer;
	void *state; /* the adapter's */
};

/* A channel of `size` bytes, zeroed but for its `struct peer`, after what open was given has
 * been checked. NULL: `*status` says why. Ends with peer_free. */
void *peer_new(size_t size, const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx,
               bool bounded, const struct peer_hooks *hooks, enum chan_status *status);
void peer_free(void *channel);

/* For an open that failed halfway: peer_free, and the status. */
enum chan_status peer_give_up(void *channel, enum chan_status status);

/* Makes the two handles of a channel that is ready. CHAN_OK: it is theirs. CHAN_NOMEM: it was
 * disposed of. */
enum chan_status peer_open(void *channel, struct chan_sender **tx, struct chan_receiver **rx);

/* Takes out what is there and destroys it; for whoever is the last receiver, or the last of all. */
void peer_drain(struct peer *peer);

/* Entries of struct chan_mpsc_ops, as they stand. */
enum chan_status peer_sender_clone(struct chan_sender *tx, struct chan_sender **out);
enum chan_status peer_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out);
void peer_sender_drop(struct chan_sender **tx);
void peer_receiver_drop(struct chan_receiver **rx);
uint64_t peer_sender_get(const struct chan_sender *tx, enum chan_property property);
uint64_t peer_receiver_get(const struct chan_receiver *rx, enum chan_property property);

/* What stands in every C adapter's table beside its own three functions. */
#define PEER_ENTRIES                                                                                                   \
	.sender_drop = peer_sender_drop, .receiver_drop = peer_receiver_drop, .sender_get = peer_sender_get,           \
	.receiver_get = peer_receiver_get

/* Memory for `count` elements; NULL when there is none. Freed by free(). */
void *peer_alloc(const struct peer *peer, size_t count);

/* Copies one element. Either pointer may be NULL when it has no bytes. */
static inline void peer_copy(const struct peer *peer, void *dst, const void *src)
{
	if (peer->layout.size == sizeof(uint64_t))
		memcpy(dst, src, sizeof(uint64_t)); /* a move, not a call */
	else if (peer->layout.size != 0)
		memcpy(dst, src, peer->layout.size);
}

/* A time or a span in the form that libraries take. */
static inline struct timespec peer_timespec(uint64_t ns)
{
	struct timespec ts = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
	return ts;
}

/* Boxes, for queues of pointers. NULL: out of memory. */
void *peer_box(const struct peer *peer, const void *msg);
void peer_unbox(const struct peer *peer, void *box, void *msg);

/* ------------------------------------------------------------------------------------------
 * Sending and receiving
 *
 * `try` makes one attempt: CHAN_OK; CHAN_FULL or CHAN_EMPTY; anything else ends the operation.
 * `block` waits inside the library, at the longest to the deadline: CHAN_OK: done; CHAN_FULL or
 * CHAN_EMPTY: look again. It is NULL where the library cannot wait. Both are constants, and these
 * two functions are compiled into their callers: nothing is called through a pointer.
 */
#define PEER_INLINE static inline __attribute__((always_inline))

typedef enum chan_status peer_send_fn(struct peer_handle *handle, const void *msg, uint64_t deadline);
typedef enum chan_status peer_recv_fn(struct peer_handle *handle, void *msg, uint64_t deadline);

PEER_INLINE enum chan_status peer_send(struct peer_handle *handle, const void *msg, uint64_t deadline,
                                       peer_send_fn *attempt, peer_send_fn *block)
{
	struct peer *peer = handle->peer;
	for (;;) {
		if (__atomic_load_n(&peer->receivers, __ATOMIC_ACQUIRE) == 0)
			return CHAN_CLOSED;
		enum chan_status status = attempt(handle, msg, CHAN_NOW);
		if (status != CHAN_FULL || deadline == CHAN_NOW)
			return status;
		if (deadline != CHAN_FOREVER && chan_now() >= deadline)
			return CHAN_TIMEOUT;
		if (block == NULL) {
			sched_yield();
			continue;
		}
		/* The last receiver takes its count down and then looks at ours. This side does it
		 * the other way round, so one of the two sees the other. */
		__atomic_fetch_add(&peer->sending, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&peer->receivers, __ATOMIC_SEQ_CST) != 0)
			status = block(handle, msg, deadline);
		__atomic_fetch_sub(&peer->sending, 1, __ATOMIC_SEQ_CST);
		if (status != CHAN_FULL)
			return status;
	}
}

PEER_INLINE enum chan_status peer_recv(struct peer_handle *handle, void *msg, uint64_t deadline, peer_recv_fn *attempt,
                                       peer_recv_fn *block)
{
	struct peer *peer = handle->peer;
	for (;;) {
		/* It looks first whether anybody can still send, and then whether something is
		 * there. */
		bool ended = __atomic_load_n(&peer->senders, __ATOMIC_ACQUIRE) == 0;
		enum chan_status status = attempt(handle, msg, CHAN_NOW);
		if (status != CHAN_EMPTY)
			return status;
		if (ended)
			return CHAN_CLOSED;
		if (deadline == CHAN_NOW)
			return CHAN_EMPTY;
		if (deadline != CHAN_FOREVER && chan_now() >= deadline)
			return CHAN_TIMEOUT;
		if (block == NULL) {
			sched_yield();
			continue;
		}
		__atomic_fetch_add(&peer->receiving, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&peer->senders, __ATOMIC_SEQ_CST) != 0)
			status = block(handle, msg, deadline);
		__atomic_fetch_sub(&peer->receiving, 1, __ATOMIC_SEQ_CST);
		if (status != CHAN_EMPTY)
			return status;
	}
}

/* ------------------------------------------------------------------------------------------
 * Batches, where the library has them
 *
 * `attempt` moves up to `n` elements without waiting and adds to `*done` how many; CHAN_OK, also
 * when they were none for want of slots or messages; anything else (CHAN_NOMEM) ends the operation.
 */
typedef enum chan_status peer_send_many_fn(struct peer_handle *handle, const void *msgs, size_t n, size_t *done);
typedef enum chan_status peer_recv_many_fn(struct peer_handle *handle, void *msgs, size_t n, size_t *done);

PEER_INLINE enum chan_status peer_send_many(struct peer_handle *handle, const void *msgs, size_t n, size_t *sent,
                                            uint64_t deadline, peer_send_many_fn *attempt)
{
	struct peer *peer = handle->peer;
	*sent = 0;
	for (;;) {
		size_t before = *sent;
		if (__atomic_load_n(&peer->receivers, __ATOMIC_ACQUIRE) == 0)
			return CHAN_CLOSED;
		enum chan_status status =
			attempt(handle, (const char *)msgs + before * peer->layout.size, n - before, sent);
		if (status != CHAN_OK || *sent == n)
			return status;
		if (deadline == CHAN_NOW)
			return CHAN_FULL;
		if (deadline != CHAN_FOREVER && chan_now() >= deadline)
			return CHAN_TIMEOUT;
		if (*sent == before)
			sched_yield();
	}
}

/* `block` as in peer_recv: waits for the first message alone. */
PEER_INLINE enum chan_status peer_recv_many(struct peer_handle *handle, void *msgs, size_t limit, size_t *received,
                                            uint64_t deadline, peer_recv_many_fn *attempt, peer_recv_fn *block)
{
	struct peer *peer = handle->peer;
	*received = 0;
	while (limit != 0) {
		bool ended = __atomic_load_n(&peer->senders, __ATOMIC_ACQUIRE) == 0;
		enum chan_status status = attempt(handle, msgs, limit, received);
		if (status != CHAN_OK || *received != 0)
			return status;
		if (ended)
			return CHAN_CLOSED;
		if (deadline == CHAN_NOW)
			return CHAN_EMPTY;
		if (deadline != CHAN_FOREVER && chan_now() >= deadline)
			return CHAN_TIMEOUT;
		if (block == NULL) {
			sched_yield();
			continue;
		}
		__atomic_fetch_add(&peer->receiving, 1, __ATOMIC_SEQ_CST);
		status = CHAN_EMPTY;
		if (__atomic_load_n(&peer->senders, __ATOMIC_SEQ_CST) != 0)
			status = block(handle, msgs, deadline);
		__atomic_fetch_sub(&peer->receiving, 1, __ATOMIC_SEQ_CST);
		*received = status == CHAN_OK;
		if (status != CHAN_EMPTY)
			return status;
	}
	return CHAN_OK;
}

#ifdef __cplusplus
}
#endif

#endif
