/* SPDX-License-Identifier: MIT
 *
 * watch.h - what a watch channel does, in one thread, written down from its rules (W-1 to W-35) and
 * from nothing else.
 *
 * Versions are not counted: all that anybody can see of them is whether a receiver has one that it
 * has not seen, so that is what the model remembers, a bit a receiver.
 *
 * Senders and receivers are the caller's numbers, receivers below WATCH_MODEL_RECEIVERS; the first
 * of each is 0. A read is about the value that stands in the model; whether its copy succeeds is
 * the caller's hook's affair: `clone_fails` says that it will not.
 *
 * STATE IS DATA. Copy the struct to remember a state; two states are the same exactly when their
 * bytes are.
 */
#ifndef CHANBENCH_FUZZ_MODEL_WATCH_H
#define CHANBENCH_FUZZ_MODEL_WATCH_H

#include "fuzz/model/waiting.h"

enum { WATCH_MODEL_RECEIVERS = 64 };

struct watch_model {
	uint64_t value;
	size_t senders;
	uint64_t receivers; /* those there are, a bit each */
	uint64_t unseen;    /* those among them that have not seen the current version */
	struct model_waiting waiting;
};

void watch_model_open(struct watch_model *m, uint64_t initial);

enum chan_status watch_model_send(struct watch_model *m, struct model_step *step, uint64_t value);
void watch_model_send_replace(struct watch_model *m, struct model_step *step, uint64_t value, uint64_t *previous);

/* modify whose function leaves `value` in place and returns `notify`. */
void watch_model_modify(struct watch_model *m, struct model_step *step, uint64_t value, bool notify);

/* `*unseen` is set when CHAN_OK. */
enum chan_status watch_model_borrow(const struct watch_model *m, unsigned rx, bool clone_fails, bool *unseen);
enum chan_status watch_model_borrow_and_update(struct watch_model *m, unsigned rx, bool clone_fails, bool *unseen);
enum chan_status watch_model_changed(struct watch_model *m, unsigned rx, uint64_t deadline);
enum chan_status watch_model_has_changed(const struct watch_model *m, unsigned rx);

/* `holds`: what the predicate says of the current value, on which it is always called. */
enum chan_status watch_model_wait_for(struct watch_model *m, unsigned rx, bool holds, bool clone_fails,
                                      uint64_t deadline);
void watch_model_mark_changed(struct watch_model *m, struct model_step *step, unsigned rx);
void watch_model_mark_unchanged(struct watch_model *m, unsigned rx);

/* `rx` becomes a receiver. */
void watch_model_receiver_clone(struct watch_model *m, unsigned from, unsigned rx);
void watch_model_subscribe(struct watch_model *m, unsigned rx);
void watch_model_sender_clone(struct watch_model *m);

/* The value ends with the last handle (W-32, D-11). */
void watch_model_sender_drop(struct watch_model *m, struct model_step *step, unsigned tx);
void watch_model_receiver_drop(struct watch_model *m, struct model_step *step, unsigned rx);

enum chan_status watch_model_closed(const struct watch_model *m, uint64_t deadline);

enum chan_arm watch_model_arm_changed(struct watch_model *m, unsigned rx, unsigned waiter);
enum chan_arm watch_model_arm_closed(struct watch_model *m, unsigned tx, unsigned waiter);
bool watch_model_disarm(struct watch_model *m, unsigned waiter);

/* The answer of any sender, or of any receiver; CHAN_UNKNOWN where no rule says anything. */
uint64_t watch_model_get(const struct watch_model *m, bool receiver, enum chan_property property);

#endif
