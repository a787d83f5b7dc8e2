/* SPDX-License-Identifier: MIT
 *
 * watch.h - an input as a sequence of operations on a watch channel and on its model.
 *
 * An input begins with the configuration: the tally's bytes (tally.h), whether there is memory.
 * Then, until it ends, steps (sequence.h): a byte that says whether a callback is to call back, one
 * that says which operation, then one for each handle and number. What is not offered, or not
 * allowed now, is passed over. Afterwards all handles are dropped.
 */
#ifndef CHANBENCH_FUZZ_RUN_WATCH_H
#define CHANBENCH_FUZZ_RUN_WATCH_H

#include "fuzz/common/sequence.h"
#include "fuzz/model/watch.h"

struct watch_run {
	struct sequence q;
	const struct chan_watch_ops *ops;
	struct watch_model model;
	struct table senders, receivers;
	unsigned asked;              /* properties, so far */
	unsigned using_tx, using_rx; /* what the step works through; TABLE_NONE */
};

/* --- writing --- */

/* What modify is to do, and its function: it checks the value, calls back, and puts another in
 * its place. */
struct watch_modification {
	struct watch_run *run;
	uint64_t from, to;
	bool notify;
	unsigned calls;
};

bool watch_modify_value(void *value, void *arg);

void watch_send(struct watch_run *r, struct bytes *in);
void watch_send_replace(struct watch_run *r, struct bytes *in);
void watch_modify(struct watch_run *r, struct bytes *in);

/* --- reading --- */

/* What wait_for's predicate is to say, and the predicate: it checks the value, and calls back. */
struct watch_predicate {
	struct watch_run *run;
	uint64_t value;
	bool holds;
	unsigned calls;
};

bool watch_holds(const void *value, void *arg);

void watch_sender_borrow(struct watch_run *r, struct bytes *in);
void watch_borrow(struct watch_run *r, struct bytes *in, bool update);
void watch_changed(struct watch_run *r, struct bytes *in);
void watch_has_changed(struct watch_run *r, struct bytes *in);
void watch_wait_for(struct watch_run *r, struct bytes *in);
void watch_mark(struct watch_run *r, struct bytes *in, bool changed);
void watch_closed(struct watch_run *r, struct bytes *in);
void watch_arm(struct watch_run *r, struct bytes *in, bool sender);
void watch_disarm(struct watch_run *r, struct bytes *in);

/* --- handles --- */

void watch_sender_clone(struct watch_run *r, struct bytes *in);
void watch_receiver_clone(struct watch_run *r, struct bytes *in);
void watch_subscribe(struct watch_run *r, struct bytes *in);
void watch_sender_drop(struct watch_run *r, struct bytes *in);
void watch_receiver_drop(struct watch_run *r, struct bytes *in);

/* One property of each handle, in turn. */
void watch_check_properties(struct watch_run *r);

#endif
