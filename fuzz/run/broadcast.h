/* SPDX-License-Identifier: MIT
 *
 * broadcast.h - an input as a sequence of operations on a broadcast channel and on its model.
 *
 * An input begins with the configuration: the tally's bytes (tally.h), the capacity, whether
 * there is memory. Then, until it ends, steps (sequence.h): a byte that says whether a callback is
 * to call back, one that says which operation, then one for each handle and number. What is not
 * offered, or not allowed now, is passed over. Afterwards all handles are dropped.
 */
#ifndef CHANBENCH_FUZZ_RUN_BROADCAST_H
#define CHANBENCH_FUZZ_RUN_BROADCAST_H

#include "fuzz/common/sequence.h"
#include "fuzz/model/broadcast.h"

struct broadcast_run {
	struct sequence q;
	const struct chan_broadcast_ops *ops;
	struct broadcast_model model;
	struct table senders, receivers, weaks;
	unsigned asked;   /* properties, so far */
	unsigned cloning; /* the receiver that the step receives through; TABLE_NONE */
};

/* --- messages --- */

void broadcast_send(struct broadcast_run *r, struct bytes *in);
void broadcast_recv(struct broadcast_run *r, struct bytes *in);
void broadcast_send_some(struct broadcast_run *r, struct bytes *in);
void broadcast_closed(struct broadcast_run *r, struct bytes *in);
void broadcast_arm(struct broadcast_run *r, struct bytes *in, bool sender);
void broadcast_disarm(struct broadcast_run *r, struct bytes *in);

/* --- handles --- */

void broadcast_subscribe(struct broadcast_run *r, struct bytes *in, bool from_sender);
void broadcast_sender_clone(struct broadcast_run *r, struct bytes *in);
void broadcast_upgrade(struct broadcast_run *r, struct bytes *in);
void broadcast_weaken(struct broadcast_run *r, struct bytes *in, bool downgrade);
void broadcast_sender_drop(struct broadcast_run *r, struct bytes *in);
void broadcast_receiver_drop(struct broadcast_run *r, struct bytes *in);
void broadcast_weak_drop(struct broadcast_run *r, struct bytes *in);

/* The length on every handle, and the other properties on one each, in turn. Within a callback,
 * only what does not count messages. */
void broadcast_check_properties(struct broadcast_run *r);

#endif
