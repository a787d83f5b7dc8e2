/* SPDX-License-Identifier: MIT
 *
 * broadcast.h - what a broadcast channel does, written down from the rules (B-1 to B-44) and from nothing else.
 *
 * How models are used stands at oneshot.h. Positions count the messages sent, from 0; message p stays in place p mod retained, until
 * p + retained takes it. For each place it is written down who has still to read it, a bit a receiver: with that a value is
 * alive exactly while somebody is owed it (B-30 to B-32), and what a sender is asked for is the places that are owed (B-27).
 *
 * Receivers are numbers below MODEL_BROADCAST_RECEIVERS that open, subscribe and resubscribe hand out, the lowest that is
 * free; whoever uses the model sees to it that there is one.
 */
#ifndef CHANBENCH_FUZZ_MODEL_BROADCAST_H
#define CHANBENCH_FUZZ_MODEL_BROADCAST_H

#include "fuzz/model/ended.h"
#include "impls/channel.h"

enum { MODEL_BROADCAST_RETAINED = 128, MODEL_BROADCAST_RECEIVERS = 32 };

struct model_broadcast {
	size_t capacity; /* as asked for */
	size_t retained; /* as it is */
	size_t senders, weaks;
	uint32_t receivers; /* those there are, a bit each */
	uint64_t tail;      /* how many messages were sent */
	uint64_t next[MODEL_BROADCAST_RECEIVERS];
	uint64_t value[MODEL_BROADCAST_RETAINED];
	uint32_t owed[MODEL_BROADCAST_RETAINED];
};

/* Capacity from 1 to MODEL_BROADCAST_RETAINED; receiver 0, or none. */
void model_broadcast_open(struct model_broadcast *m, size_t capacity, bool receiver);

enum chan_status model_broadcast_send(struct model_broadcast *m, uint64_t value, size_t *receivers,
                                      struct model_ended *ended);

/* `clone_fails`: the hook will, if it is called. `*cloned` is set to whether it is called (where there is one): then `*value` is what it is called
 * for, also when it fails. */
enum chan_status model_broadcast_recv(struct model_broadcast *m, unsigned receiver, bool clone_fails, uint64_t *value,
                                      bool *cloned, uint64_t *missed, uint64_t deadline, struct model_ended *ended);

/* subscribe and resubscribe: a receiver that stands at the tail (B-7, B-8). */
unsigned model_broadcast_subscribe(struct model_broadcast *m);
void model_broadcast_receiver_drop(struct model_broadcast *m, unsigned receiver, struct model_ended *ended);

void model_broadcast_sender_clone(struct model_broadcast *m);
void model_broadcast_sender_drop(struct model_broadcast *m);
void model_broadcast_downgrade(struct model_broadcast *m); /* and weak_clone */
enum chan_status model_broadcast_upgrade(struct model_broadcast *m);
void model_broadcast_weak_drop(struct model_broadcast *m);

enum chan_status model_broadcast_closed(const struct model_broadcast *m, uint64_t deadline);

bool model_broadcast_recv_ready(const struct model_broadcast *m, unsigned receiver);
bool model_broadcast_closed_ready(const struct model_broadcast *m);

/* A weak sender knows what a sender knows. */
uint64_t model_broadcast_sender_get(const struct model_broadcast *m, enum chan_property property);
uint64_t model_broadcast_receiver_get(const struct model_broadcast *m, unsigned receiver, enum chan_property property);

#endif
