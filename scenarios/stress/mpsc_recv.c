/* SPDX-License-Identifier: MIT
 *
 * mpsc_recv.c - the receiving half of the mpsc stress. After its steps a thread receives until
 * CHAN_CLOSED, so that nobody who sends waits for ever; unless the round is to end by the drop of
 * the receivers.
 */
#include "scenarios/stress/mpsc.h"

#include <sched.h>

static enum chan_status recv_one(struct worker *worker, uint64_t deadline, enum op_wait wait)
{
	struct op *op = op_begin(worker, OP_RECV, wait);
	enum chan_status status = mpsc_of(worker)->ops->recv(worker->rx, worker->out, deadline);
	op_end(worker, op, status);
	if (status == CHAN_OK)
		op->value = value_end(worker->round, worker->out, VALUE_RECEIVED);
	return status;
}

static enum chan_status recv_many(struct worker *worker, uint64_t deadline, enum op_wait wait)
{
	size_t limit = 1 + worker_random(worker, BATCH_MAX), received = SIZE_MAX;
	struct op *op = op_begin(worker, OP_RECV, wait);
	enum chan_status status = mpsc_of(worker)->ops->recv_many(worker->rx, worker->out, limit, &received, deadline);
	op_end(worker, op, status);
	if (received > limit || (status == CHAN_OK) != (received > 0)) {
		round_fail(worker->round, "recv_many of up to %zu returned %s and %zu received", limit,
		           status_name(status), received);
		return status;
	}
	for (size_t i = 0; i < received; i++) {
		if (i > 0)
			op = op_chain(worker, OP_RECV);
		op->value = value_end(worker->round, worker->out + i * worker->round->config.size, VALUE_RECEIVED);
	}
	if (received > 0 && received < limit)
		op_chain(worker, OP_DRAINED);
	return status;
}

static void arm_and_recv(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	struct stress_waiter waiter;
	stress_waiter_init(&waiter);
	struct op *armed = op_begin(worker, OP_ARMED, WAIT_NEVER);
	if (ops->arm_recv(worker->rx, &waiter.waiter) != CHAN_ARMED) {
		op_end(worker, armed, CHAN_OK);
		return;
	}
	for (size_t patience = worker_random(worker, 60); patience > 0 && atomic_load(&waiter.fired) == 0; patience--)
		sched_yield();
	if (worker_random(worker, 2) == 0)
		recv_one(worker, CHAN_NOW, WAIT_NOW);
	ops->disarm(&waiter.waiter);
	op_end(worker, armed, CHAN_OK);
}

static void select_recv(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	enum op_wait wait;
	uint64_t deadline = worker_deadline(worker, &wait);
	struct chan_branch branches[] = {chan_on_recv(ops, worker->rx, worker->out)};
	struct op *op = op_begin(worker, OP_RECV, wait);
	enum chan_status status = chan_select(branches, 1, deadline, 0, NULL);
	if (status == CHAN_OK)
		status = branches[0].status;
	op_end(worker, op, status);
	if (status == CHAN_OK)
		op->value = value_end(worker->round, worker->out, VALUE_RECEIVED);
}

static void drop(struct worker *worker)
{
	struct chan_receiver *rx = worker->rx;
	struct op *op = op_begin(worker, OP_RECEIVER_DROP, WAIT_NEVER);
	worker->rx = NULL;
	mpsc_of(worker)->ops->receiver_drop(&rx);
	op_end(worker, op, CHAN_OK);
}

static void clone_and_drop(struct worker *worker)
{
	struct chan_receiver *clone = NULL;
	struct op *op = op_begin(worker, OP_RECEIVER_CLONE, WAIT_NEVER);
	enum chan_status status = mpsc_of(worker)->ops->receiver_clone(worker->rx, &clone);
	op_end(worker, op, status);
	if (status != CHAN_OK) {
		round_fail(worker->round, "receiver_clone returned %s", status_name(status));
		return;
	}
	drop(worker);
	worker->rx = clone;
}

static void ask(struct worker *worker)
{
	bool len = worker_random(worker, 2) == 0;
	struct op *op = op_begin(worker, len ? OP_LEN : OP_IS_CLOSED, WAIT_NEVER);
	op->value = mpsc_of(worker)->ops->receiver_get(worker->rx, len ? CHAN_LEN : CHAN_IS_CLOSED);
	op_end(worker, op, CHAN_OK);
	if (op->value == CHAN_UNKNOWN)
		op->code = OP_ARMED; /* it says nothing */
}

static void close_channel(struct worker *worker)
{
	struct op *op = op_begin(worker, OP_CLOSE, WAIT_NEVER);
	mpsc_of(worker)->ops->close(worker->rx);
	op_end(worker, op, CHAN_OK);
}

static void step(struct worker *worker)
{
	const struct mpsc_round *own = mpsc_of(worker);
	const struct chan_mpsc_ops *ops = own->ops;
	size_t which = worker_random(worker, 16);
	enum op_wait wait;
	if (which < 3 && ops->recv_many != NULL) {
		uint64_t deadline = worker_deadline(worker, &wait);
		recv_many(worker, deadline, wait);
	} else if (which < 5 && ops->arm_recv != NULL) {
		arm_and_recv(worker);
	} else if (which == 5 && ops->arm_recv != NULL) {
		select_recv(worker);
	} else if (which == 6 && ops->receiver_clone != NULL) {
		clone_and_drop(worker);
	} else if (which == 7 && ops->receiver_get != NULL) {
		ask(worker);
	} else {
		uint64_t deadline = worker_deadline(worker, &wait);
		recv_one(worker, deadline, wait);
	}
}

/* Waits once more, without taking what it is woken for, and leaves: the wake must go to another
 * (P-5, S-8). */
static void leave(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	struct stress_waiter waiter;
	if (ops->arm_recv != NULL && worker_random(worker, 2) == 0) {
		stress_waiter_init(&waiter);
		struct op *armed = op_begin(worker, OP_ARMED, WAIT_NEVER);
		bool waits = ops->arm_recv(worker->rx, &waiter.waiter) == CHAN_ARMED;
		for (size_t patience = 200; waits && patience > 0 && atomic_load(&waiter.fired) == 0; patience--)
			sched_yield();
		if (waits)
			ops->disarm(&waiter.waiter);
		op_end(worker, armed, CHAN_OK);
	} else {
		recv_one(worker, chan_deadline_in(worker_random(worker, 100000)), WAIT_TIMED);
	}
	drop(worker);
}

void mpsc_consume(struct worker *worker)
{
	const struct mpsc_round *own = mpsc_of(worker);
	size_t closes_at = worker_random(worker, worker->steps + 1);
	bool closes = own->ending == BY_CLOSE && worker->index == own->producers;
	bool leaves = worker->index > own->producers && worker_random(worker, 2) == 0;
	while (worker_more(worker)) {
		if (closes && worker->steps == closes_at)
			close_channel(worker);
		step(worker);
		worker_pause(worker);
	}
	if (closes)
		close_channel(worker); /* again, if it was: nothing happens (M-57) */
	if (leaves) {
		leave(worker);
		return;
	}
	for (enum chan_status status = CHAN_OK; own->ending != BY_RECEIVERS && status != CHAN_CLOSED;) {
		if (atomic_load(&worker->round->failed))
			break;
		status = recv_one(worker, CHAN_FOREVER, WAIT_FOREVER);
	}
	drop(worker);
}
