/* SPDX-License-Identifier: MIT
 *
 * oneshot.h - what a oneshot channel does, in one thread, written down from its rules (O-1 to O-22)
 * and from nothing else.
 *
 * As with every model here (step.h), nothing blocks: what would wait says what its deadline makes
 * it say, CHAN_EMPTY or CHAN_TIMEOUT, and has done nothing. Which handles are still there is the
 * caller's to know: the model is not asked about those that were dropped or used up. There is one
 * of each, so they have no numbers.
 *
 * STATE IS DATA. Copy the struct to remember a state; two states are the same exactly when their
 * bytes are.
 *
 *   struct oneshot_model m;
 *   oneshot_model_open(&m);
 *   oneshot_model_send(&m, step, 7);               CHAN_OK
 *   oneshot_model_receiver_drop(&m, step);         step->expected.destroyed: 7
 */
#ifndef CHANBENCH_FUZZ_MODEL_ONESHOT_H
#define CHANBENCH_FUZZ_MODEL_ONESHOT_H

#include "fuzz/model/waiting.h"

struct oneshot_model {
	bool sender;     /* it was neither used nor dropped */
	bool receiver;   /* it was not dropped */
	bool closed;     /* by the receiver */
	bool sent;       /* a value was taken over: it lies here, or has */
	bool full;       /* it lies here */
	bool terminated; /* the receiver has had its result */
	uint64_t value;
	struct model_waiting waiting;
};

void oneshot_model_open(struct oneshot_model *m);

enum chan_status oneshot_model_send(struct oneshot_model *m, struct model_step *step, uint64_t value);
enum chan_status oneshot_model_recv(struct oneshot_model *m, uint64_t *value, uint64_t deadline);
void oneshot_model_sender_drop(struct oneshot_model *m, struct model_step *step);
void oneshot_model_receiver_drop(struct oneshot_model *m, struct model_step *step);
void oneshot_model_close(struct oneshot_model *m, struct model_step *step);
enum chan_status oneshot_model_closed(const struct oneshot_model *m, uint64_t deadline);

enum chan_arm oneshot_model_arm_recv(struct oneshot_model *m, unsigned waiter);
enum chan_arm oneshot_model_arm_closed(struct oneshot_model *m, unsigned waiter);
bool oneshot_model_disarm(struct oneshot_model *m, unsigned waiter);

/* The answer of the sender, or of the receiver; CHAN_UNKNOWN where no rule says anything. */
uint64_t oneshot_model_get(const struct oneshot_model *m, bool receiver, enum chan_property property);

#endif
