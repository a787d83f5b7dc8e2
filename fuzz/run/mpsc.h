/* SPDX-License-Identifier: MIT
 *
 * mpsc.h - an input as a sequence of operations on an mpsc or unbounded channel and on its model.
 *
 * An input begins with the configuration: four bytes for the ledger (ledger.h), bounded one for the
 * capacity, and one that now and then lets an allocation of `open` fail, and then one more. Then,
 * until it ends, operations: a byte that says which (the low five bits, see `operations` in mpsc.c)
 * and, where it takes a deadline, whether CHAN_NOW or one that has passed (the highest bit); then a
 * byte for each handle, and for each number. What the implementation does not offer, or the
 * contract does not allow now, is passed over. Afterwards all handles are dropped, in an order that
 * also comes from the input.
 *
 * A STEP. mpsc_begin; the call; mpsc_called with its status; the model's operation; mpsc_agree with
 * the model's status.
 *
 * CALLBACKS THAT CALL BACK. The operation `nest` stores what the next wake, or destruction of a
 * message, is to do: send, receive, clone, arm or close. Whether it comes inside the step's
 * operation, or inside a callback of it, the channel has done the operation by then; so the model
 * does the one after the other. (That is not so for batches, which may fire between their elements:
 * not there.)
 */
#ifndef CHANBENCH_FUZZ_RUN_MPSC_H
#define CHANBENCH_FUZZ_RUN_MPSC_H

#include "fuzz/common/ledger.h"
#include "fuzz/common/table.h"
#include "fuzz/common/waiters.h"
#include "fuzz/model/mpsc.h"

enum { MPSC_PERMITS = 32, MPSC_PAST = 1 /* a deadline: the first nanosecond of the clock */ };

struct mpsc_permit {
	struct chan_permit permit;
	unsigned sender;
	bool owned; /* the sender is inside */
	bool live;  /* may have a count of 0 */
};

enum mpsc_nested_action {
	NEST_NOTHING,
	NEST_SEND,
	NEST_RECV,
	NEST_CLONE,
	NEST_ARM_SEND,
	NEST_ARM_RECV,
	NEST_CLOSE,
	NEST_ACTIONS
};

/* What a callback is to do, and what came of it. */
struct mpsc_nested {
	enum mpsc_nested_action action;
	uint8_t choice; /* of the handle */
	bool allowed;   /* in this step */
	bool done;
	unsigned handle;
	uint64_t message;
	struct fuzz_waiter *waiter;
	enum chan_status status;
	enum chan_arm arm;
};

struct mpsc_run {
	const struct chan_mpsc_ops *ops;
	struct mpsc_model model;
	struct model_step step;
	struct ledger ledger;
	struct waiters waiters;
	struct table senders, receivers, weaks;
	struct mpsc_permit permits[MPSC_PERMITS];
	unsigned permit_count, permits_live;
	uint64_t identity; /* of the channel; 0: not yet seen */
	unsigned fail;     /* the allocation of the next step that is to fail; 0: none */
	struct mpsc_nested nested;
};

/* Runs one input. */
void mpsc_run(const struct chan_impl *impl, const struct chan_mpsc_ops *ops, bool bounded, struct bytes *in);

/* The frame of a step. `nests`: callbacks of it may do what is stored. */
void mpsc_begin(struct mpsc_run *r, bool nests);

/* After the call. `allocates`: the rules let it return CHAN_NOMEM. Returns `seen`. */
enum chan_status mpsc_called(struct mpsc_run *r, enum chan_status seen, bool allocates);
void mpsc_agree(struct mpsc_run *r, enum chan_status expected, enum chan_status seen);

/* The hooks that do what is stored, and the comparison of what came of it, after the model has
 * done the step's operation (and its wakes nest: their order says nothing then). */
void mpsc_in_callback(void *context);
void mpsc_on_wake(struct fuzz_waiter *waiter, void *context);
void mpsc_nested_agree(struct mpsc_run *r);

/* An operation of the table: takes its bytes, does its steps. */
typedef void mpsc_operation(struct mpsc_run *r, struct bytes *in, uint64_t deadline);

mpsc_operation mpsc_do_send, mpsc_do_recv, mpsc_do_send_many, mpsc_do_recv_many;
mpsc_operation mpsc_do_reserve, mpsc_do_reserve_owned, mpsc_do_permit_send, mpsc_do_permit_release;
mpsc_operation mpsc_do_sender_clone, mpsc_do_sender_drop, mpsc_do_receiver_clone, mpsc_do_receiver_drop;
mpsc_operation mpsc_do_downgrade, mpsc_do_upgrade, mpsc_do_weak_clone, mpsc_do_weak_drop;
mpsc_operation mpsc_do_close, mpsc_do_closed;
mpsc_operation mpsc_do_arm_send, mpsc_do_arm_recv, mpsc_do_arm_closed, mpsc_do_disarm;

/* The permit that the input chooses; NULL: there is none. */
struct mpsc_permit *mpsc_pick_permit(struct mpsc_run *r, struct bytes *in);

/* How many live permits hold that sender. */
unsigned mpsc_permits_of(const struct mpsc_run *r, unsigned sender);

/* The waiters armed on a handle were disarmed by its drop. Before the model is told of it. */
void mpsc_waiters_ended(struct mpsc_run *r, unsigned handle, bool receiver);

#endif
