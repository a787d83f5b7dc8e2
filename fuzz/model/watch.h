/* SPDX-License-Identifier: MIT
 *
 * watch.h - what a watch channel does, written down from the rules (W-1 to W-35) and from nothing else.
 *
 * How models are used stands at oneshot.h. Versions are not counted: all that anybody can see of them is whether a receiver has one
 * that it has not seen, so that is what the model remembers, a bit a receiver.
 *
 * Receivers are numbers below MODEL_WATCH_RECEIVERS that open, clone and subscribe hand out, the lowest that is free; whoever uses the
 * model sees to it that there is one.
 *
 * A read says which value is copied. Whether the copy succeeds is the caller's hook's affair: `clone_fails` says that it will not.
 */
#ifndef CHANBENCH_FUZZ_MODEL_WATCH_H
#define CHANBENCH_FUZZ_MODEL_WATCH_H

#include "fuzz/model/ended.h"
#include "impls/channel.h"

enum { MODEL_WATCH_RECEIVERS = 32 };

struct model_watch {
	uint64_t value;
	size_t senders;
	uint32_t receivers; /* those there are, a bit each */
	uint32_t unseen;    /* those that have not seen the current version */
};

void model_watch_open(struct model_watch *m, uint64_t initial);

enum chan_status model_watch_send(struct model_watch *m, uint64_t value, struct model_ended *ended);
void model_watch_send_replace(struct model_watch *m, uint64_t value, uint64_t *previous);

/* modify whose function leaves `value` in place and returns `notify`. */
void model_watch_modify(struct model_watch *m, uint64_t value, bool notify);

enum chan_status model_watch_borrow(const struct model_watch *m, unsigned receiver, bool clone_fails, bool *unseen);
enum chan_status model_watch_borrow_and_update(struct model_watch *m, unsigned receiver, bool clone_fails,
                                               bool *unseen);
enum chan_status model_watch_changed(struct model_watch *m, unsigned receiver, uint64_t deadline);
enum chan_status model_watch_has_changed(const struct model_watch *m, unsigned receiver);

/* `holds`: what the predicate says of the current value, for which it is always called, once. */
enum chan_status model_watch_wait_for(struct model_watch *m, unsigned receiver, bool holds, bool clone_fails,
                                      uint64_t deadline);
void model_watch_mark_changed(struct model_watch *m, unsigned receiver);
void model_watch_mark_unchanged(struct model_watch *m, unsigned receiver);

unsigned model_watch_receiver_clone(struct model_watch *m, unsigned receiver);
unsigned model_watch_subscribe(struct model_watch *m);
void model_watch_sender_clone(struct model_watch *m);

/* The value ends with the last handle (W-32, D-11). */
void model_watch_sender_drop(struct model_watch *m, struct model_ended *ended);
void model_watch_receiver_drop(struct model_watch *m, unsigned receiver, struct model_ended *ended);

enum chan_status model_watch_closed(const struct model_watch *m, uint64_t deadline);

bool model_watch_changed_ready(const struct model_watch *m, unsigned receiver);
bool model_watch_closed_ready(const struct model_watch *m);

uint64_t model_watch_sender_get(const struct model_watch *m, enum chan_property property);
uint64_t model_watch_receiver_get(const struct model_watch *m, enum chan_property property);

#endif
