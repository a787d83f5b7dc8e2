/* SPDX-License-Identifier: MIT
 *
 * unbounded.h - the unbounded kind of the futex and the vyukov family, inside.
 *
 * OVERVIEW
 *
 * The messages are in a chain (chain.h), and sending and receiving are done there, without a lock:
 * one compare-and-swap a send, one load and one store a receive (several receivers: a
 * compare-and-swap). Everything else is done under the lock of core.h, as it is in every family:
 * sleeping, arming, closing, dropping. What the one has to know of the other are three flags in the
 * tail of the chain, which every send reads anyway, and a receive when it finds nothing:
 *
 *   CHAIN_WAITING   core.recv_queue is not empty         who sends comes to the lock to wake one
 *   CHAIN_CLOSED    the receiving side has closed     who sends is refused
 *   CHAIN_ORPHAN    there is no sender                who receives, and finds nothing, has come to
 *                                                     the end
 *
 *   unbounded.c        sending; the table
 *   unbounded_recv.c   receiving, and who waits for it
 *   unbounded_life.c   opening, closing, dropping; properties
 *
 * A receive that finds nothing spins, then takes the lock, joins core.recv_queue, sets
 * CHAIN_WAITING, and sleeps only if the tail then told that there is still nothing. A send that
 * comes later has read the flag.
 *
 *
 * INVARIANTS (whenever the lock is free)
 *
 * I1  CHAIN_WAITING is set if and only if core.recv_queue is not empty, CHAIN_CLOSED if and only if
 *     the channel is closed, CHAIN_ORPHAN if and only if there is no sender.
 * I2  Somebody waits for a message only while there is none, or each is spoken for: somebody was
 *     woken for it and has not yet come back, or its sender has claimed its cell and is on its way
 *     to wake. Nobody waits at the end of a channel (CHAIN_ENDING).
 * I3  `got` of an armed wait is 1 when it was woken for a message and its handle has not received
 *     since; else 0. Its disarm passes the wake on (P-5). What blocks on the same handle is woken
 *     with it, else its thread could wait behind itself.
 *
 * WHERE EACH WAKE COMES FROM. A receiver: by a message, one receiver for each (P-4); by the last
 * sender's drop, all; by close, all: from then on what is still being sent is waited for without
 * sleeping (U-3); by another that was woken for a message and is disarmed unused. closed(): by
 * close.
 */
#ifndef CHANBENCH_BASE_UNBOUNDED_H
#define CHANBENCH_BASE_UNBOUNDED_H

#include "impls/futex/blocks.h"
#include "impls/base/core.h"

/* Its handles, of whatever type, are plain struct handle. */
struct unbounded {
	struct core core; /* `shut` also once the last receiver is gone */
	struct chain chain;

	/* Of the only receiver; with several of them it is not used. */
	alignas(CHAIN_LINE) struct poll poll;
	size_t gained; /* messages since it last waited */
};

static inline struct unbounded *unbounded_of(const struct handle *h)
{
	return (struct unbounded *)h->core;
}

extern const struct chan_mpsc_ops chan_unbounded_ops;

/* --- unbounded_recv.c --- */

/* Wakes receivers that wait, one for each of up to `n` messages that are there. Under the lock. */
void chan_unbounded_call(struct unbounded *ch, size_t n, struct list *wakes);

/* After a receiver has left core.recv_queue, or all were woken (I1). Under the lock. */
void chan_unbounded_publish_state(struct unbounded *ch);

enum chan_status chan_unbounded_recv(struct chan_receiver *rx, void *msg, uint64_t deadline);
enum chan_status chan_unbounded_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                          uint64_t deadline);
enum chan_arm chan_unbounded_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter);
bool chan_unbounded_disarm(struct chan_waiter *waiter);

/* Before a receiver is dropped (D-14). */
void chan_unbounded_disarm_all(struct handle *h);

/* --- unbounded_life.c --- */

enum chan_status chan_unbounded_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx);
enum chan_status chan_unbounded_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out);
void chan_unbounded_receiver_drop(struct chan_receiver **rx);
void chan_unbounded_close(struct chan_receiver *rx);
uint64_t chan_unbounded_sender_get(const struct chan_sender *tx, enum chan_property property);
uint64_t chan_unbounded_receiver_get(const struct chan_receiver *rx, enum chan_property property);

#endif
