/* SPDX-License-Identifier: MIT
 *
 * oneshot.h - what a oneshot channel does, written down from the rules (O-1 to O-22) and from nothing else.
 *
 * A model is a plain struct: copy it to remember a state, compare and hash its members to know one again. It knows no time and no
 * threads: an operation that would wait says what its deadline makes it say, CHAN_EMPTY or CHAN_TIMEOUT, and has done nothing. It calls nobody: a
 * waiter that is armed fires after the first operation that makes its operation ready. Handles that were dropped are not to be
 * used again; the caller sees to that.
 *
 *   struct model_oneshot m;
 *   struct model_ended ended = {0};
 *   model_oneshot_open(&m);
 *   model_oneshot_send(&m, 7);                         CHAN_OK
 *   model_oneshot_receiver_drop(&m, &ended);           ended: 7
 */
#ifndef CHANBENCH_FUZZ_MODEL_ONESHOT_H
#define CHANBENCH_FUZZ_MODEL_ONESHOT_H

#include "fuzz/model/ended.h"
#include "impls/channel.h"

struct model_oneshot {
	bool sender;     /* it was neither used nor dropped */
	bool receiver;   /* it was not dropped */
	bool closed;     /* by the receiver */
	bool sent;       /* a value was taken over, and lies here or has been here */
	bool full;       /* it lies here */
	bool terminated; /* the receiver has had its result */
	uint64_t value;
};

void model_oneshot_open(struct model_oneshot *m);

enum chan_status model_oneshot_send(struct model_oneshot *m, uint64_t value);
enum chan_status model_oneshot_recv(struct model_oneshot *m, uint64_t *value, uint64_t deadline);
void model_oneshot_sender_drop(struct model_oneshot *m);
void model_oneshot_receiver_drop(struct model_oneshot *m, struct model_ended *ended);
void model_oneshot_close(struct model_oneshot *m);
enum chan_status model_oneshot_closed(const struct model_oneshot *m, uint64_t deadline);

/* Whether arm_recv and arm_closed find their operation ready. */
bool model_oneshot_recv_ready(const struct model_oneshot *m);
bool model_oneshot_closed_ready(const struct model_oneshot *m);

/* CHAN_UNKNOWN where the rules do not say. */
uint64_t model_oneshot_sender_get(const struct model_oneshot *m, enum chan_property property);
uint64_t model_oneshot_receiver_get(const struct model_oneshot *m, enum chan_property property);

#endif
