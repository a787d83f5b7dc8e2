/* SPDX-License-Identifier: MIT
 *
 * broadcast.h - what a broadcast channel does, in one thread, written down from its rules (B-1 to
 * B-44) and from nothing else.
 *
 * Positions count the messages sent, from 0; message p stays in place p mod retained, until p +
 * retained takes it. For each place it is written down who has still to read it, a bit a receiver:
 * with that a value is alive exactly while somebody is owed it (B-30 to B-32), and what a sender is
 * asked for is the number of places that are owed (B-27).
 *
 * Senders and receivers are the caller's numbers, receivers below BROADCAST_MODEL_RECEIVERS; the
 * first of each is 0.
 *
 * STATE IS DATA. Copy the struct to remember a state; two states are the same exactly when their
 * bytes are.
 */
#ifndef CHANBENCH_FUZZ_MODEL_BROADCAST_H
#define CHANBENCH_FUZZ_MODEL_BROADCAST_H

#include "fuzz/model/waiting.h"

enum { BROADCAST_MODEL_RETAINED = 128, BROADCAST_MODEL_RECEIVERS = 64 };

struct broadcast_model {
	size_t capacity; /* as asked for */
	size_t retained; /* as it is */
	size_t senders, weaks;
	uint64_t receivers; /* those there are, a bit each */
	uint64_t tail;      /* how many messages were sent */
	uint64_t next[BROADCAST_MODEL_RECEIVERS];
	uint64_t value[BROADCAST_MODEL_RETAINED]; /* 0 where nobody is owed it */
	uint64_t owed[BROADCAST_MODEL_RETAINED];
	struct model_waiting waiting;
};

/* Capacity 1 to BROADCAST_MODEL_RETAINED; with receiver 0, or without. */
void broadcast_model_open(struct broadcast_model *m, size_t capacity, bool receiver);

enum chan_status broadcast_model_send(struct broadcast_model *m, struct model_step *step, uint64_t value,
                                      size_t *receivers);

/* `clone_fails`: the hook will, if it is called. CHAN_OK and CHAN_NOMEM: it was called for
 * `*value` (or the bytes were copied). */
enum chan_status broadcast_model_recv(struct broadcast_model *m, struct model_step *step, unsigned rx, bool clone_fails,
                                      uint64_t *value, uint64_t *missed, uint64_t deadline);

/* subscribe and resubscribe: `rx` is a receiver that stands at the tail (B-7, B-8). */
void broadcast_model_subscribe(struct broadcast_model *m, unsigned rx);
void broadcast_model_receiver_drop(struct broadcast_model *m, struct model_step *step, unsigned rx);

void broadcast_model_sender_clone(struct broadcast_model *m);
void broadcast_model_sender_drop(struct broadcast_model *m, struct model_step *step, unsigned tx);
void broadcast_model_downgrade(struct broadcast_model *m); /* and weak_clone */
enum chan_status broadcast_model_upgrade(struct broadcast_model *m);
void broadcast_model_weak_drop(struct broadcast_model *m);

enum chan_status broadcast_model_closed(const struct broadcast_model *m, uint64_t deadline);

enum chan_arm broadcast_model_arm_recv(struct broadcast_model *m, unsigned rx, unsigned waiter);
enum chan_arm broadcast_model_arm_closed(struct broadcast_model *m, unsigned tx, unsigned waiter);
bool broadcast_model_disarm(struct broadcast_model *m, unsigned waiter);

/* CHAN_UNKNOWN where no rule says anything. A weak sender knows what a sender knows. */
uint64_t broadcast_model_sender_get(const struct broadcast_model *m, enum chan_property property);
uint64_t broadcast_model_receiver_get(const struct broadcast_model *m, unsigned rx, enum chan_property property);

#endif
