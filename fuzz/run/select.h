/* SPDX-License-Identifier: MIT
 *
 * select.h - an input as operations on one channel of each kind, and as selects over their handles.
 *
 * An input is a sequence of operations: a byte says which, further ones what is to be chosen. There
 * is at most one channel of each kind at a time, with one sender and one receiver (of the mpsc
 * kinds two senders, so that there can be a queue of them). It is there from the first operation
 * that names it (short inputs name few, and opening costs more than all else they do); one that has
 * ended can be opened again. Messages are numbers of eight bytes without hooks: what becomes of
 * messages is the other targets' affair, here it is which operation takes place, and that no other
 * one does.
 *
 * A SELECT. Each enabled branch is tried on a copy of its model, to see whether it is ready. One
 * that is must be chosen (biased: the first), its operation is then done on the model, and
 * everything must agree: status, value, missed messages, who was woken. When none is ready none may
 * be chosen, and nothing may have happened.
 */
#ifndef CHANBENCH_FUZZ_RUN_SELECT_H
#define CHANBENCH_FUZZ_RUN_SELECT_H

#include "fuzz/common/tally.h"
#include "fuzz/common/waiters.h"
#include "fuzz/model/broadcast.h"
#include "fuzz/model/mpsc.h"
#include "fuzz/model/oneshot.h"
#include "fuzz/model/watch.h"
#include "harness/any.h"

enum { SELECT_BRANCHES = 8, SELECT_SENDERS = 2 };

/* The numbers of the kinds: a channel of each. */
enum select_channel {
	BOUNDED = KIND_MPSC,
	UNBOUNDED = KIND_UNBOUNDED,
	ONESHOT = KIND_ONESHOT,
	BROADCAST = KIND_BROADCAST,
	WATCH = KIND_WATCH,
	CHANNELS = KIND_COUNT
};

struct select_run {
	const struct chan_impl *impl;
	struct model_step step;
	struct tally tally;
	struct waiters waiters;

	/* The handles of each channel; NULL: dropped, or the channel is not open. */
	struct {
		struct chan_sender *tx[SELECT_SENDERS];
		struct chan_receiver *rx;
		bool named; /* by an operation of this input */
	} channels[CHANNELS];
	struct chan_permit permit; /* of the bounded channel's first sender */

	struct mpsc_model queues[2]; /* by BOUNDED, UNBOUNDED */
	struct oneshot_model oneshot;
	struct broadcast_model broadcast;
	struct watch_model watch;

	/* What each waiter was armed on. */
	struct {
		enum select_channel channel;
		bool sender;
		unsigned handle;
	} owners[MODEL_WAITERS];
};

/* --- single operations --- */

void select_open(struct select_run *r, struct bytes *in);
void select_send(struct select_run *r, struct bytes *in);
void select_recv(struct select_run *r, struct bytes *in);
void select_permit(struct select_run *r, struct bytes *in);
void select_close(struct select_run *r, struct bytes *in);
void select_sender_drop(struct select_run *r, enum select_channel channel, unsigned tx);
void select_receiver_drop(struct select_run *r, enum select_channel channel);
void select_arm(struct select_run *r, struct bytes *in);
void select_disarm(struct select_run *r, struct bytes *in);

/* What every channel says of its state, without changing it. */
void select_check(struct select_run *r);

void select_select(struct select_run *r, struct bytes *in);

#endif
