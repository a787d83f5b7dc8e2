/* SPDX-License-Identifier: MIT
 *
 * mpsc_send.c - the sending half of the mpsc stress.
 *
 * A thread never waits for ever while it holds a permit or an armed waiter: that might be what it
 * waits for.
 */
#include "scenarios/stress/mpsc.h"

#include <sched.h>
#include <unistd.h>

static void settle_send(struct worker *worker, const void *element, enum chan_status status)
{
	if (status != CHAN_OK)
		value_end(worker->round, element, VALUE_RETURNED);
}

static void send_one(struct worker *worker, uint64_t deadline, enum op_wait wait)
{
	uint64_t value = value_make(worker, worker->in);
	struct op *op = op_begin(worker, OP_SEND, wait);
	op->value = value;
	enum chan_status status = mpsc_of(worker)->ops->send(worker->tx, worker->in, deadline);
	op_end(worker, op, status);
	settle_send(worker, worker->in, status);
}

static void send_many(struct worker *worker)
{
	size_t n = 1 + worker_random(worker, 6), size = worker->round->config.size, sent = SIZE_MAX;
	uint64_t values[BATCH_MAX];
	enum op_wait wait;
	uint64_t deadline = worker_deadline(worker, &wait);
	for (size_t i = 0; i < n; i++)
		values[i] = value_make(worker, worker->in + i * size);
	struct op *op = op_begin(worker, OP_SEND, wait);
	enum chan_status status = mpsc_of(worker)->ops->send_many(worker->tx, worker->in, n, &sent, deadline);
	op->value = values[0];
	op_end(worker, op, status);
	if (sent > n || (status == CHAN_OK) != (sent == n)) {
		round_fail(worker->round, "send_many of %zu returned %s and %zu sent", n, status_name(status), sent);
		return;
	}
	if (sent > 0)
		op->status = CHAN_OK;
	for (size_t i = 1; i < n && i <= sent; i++) {
		op = op_chain(worker, OP_SEND);
		op->value = values[i];
		op->status = (uint8_t)(i < sent ? CHAN_OK : status);
	}
	for (size_t i = sent; i < n; i++)
		value_end(worker->round, worker->in + i * size, VALUE_RETURNED);
}

static void send_from_permit(struct worker *worker, struct chan_permit *permit)
{
	uint64_t value = value_make(worker, worker->in);
	struct op *op = op_begin(worker, OP_PERMIT_SEND, WAIT_NEVER);
	op->value = value;
	mpsc_of(worker)->ops->permit_send(permit, worker->in);
	op_end(worker, op, CHAN_OK);
}

static void send_with_permits(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	size_t most = worker->round->config.capacity < 5 ? worker->round->config.capacity : 5;
	size_t n = worker_random(worker, 4) == 0 ? worker_random(worker, most + 1) : 1;
	struct chan_permit permit;
	enum op_wait wait;
	uint64_t deadline = worker_deadline(worker, &wait);
	struct op *op = op_begin(worker, OP_RESERVE, wait);
	op->slots = (uint32_t)n;
	enum chan_status status = ops->reserve(worker->tx, n, &permit, deadline);
	op_end(worker, op, status);
	if (status != CHAN_OK)
		return;
	while (permit.count > 0 && worker_random(worker, 4) != 0) {
		worker_pause(worker);
		send_from_permit(worker, &permit);
	}
	if (permit.count == 0)
		return;
	op = op_begin(worker, OP_PERMIT_RELEASE, WAIT_NEVER);
	op->slots = (uint32_t)permit.count;
	ops->permit_release(&permit);
	op_end(worker, op, CHAN_OK);
}

/* A permit that takes the sender along, and gives it back. */
static void send_owned(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	struct chan_permit permit;
	struct chan_sender *tx = worker->tx, *back = NULL;
	struct op *op = op_begin(worker, OP_RESERVE, WAIT_NOW);
	op->slots = 1;
	worker->tx = NULL;
	enum chan_status status = chan_reserve_owned(ops, &tx, &permit, &back, CHAN_NOW);
	op_end(worker, op, status);
	if (status == CHAN_OK && worker_random(worker, 2) == 0) {
		op = op_begin(worker, OP_PERMIT_RELEASE, WAIT_NEVER);
		op->slots = 1;
		chan_owned_release(ops, &permit, &back);
		op_end(worker, op, CHAN_OK);
	} else if (status == CHAN_OK) {
		op = op_begin(worker, OP_PERMIT_SEND, WAIT_NEVER);
		op->value = value_make(worker, worker->in);
		chan_owned_send(ops, &permit, worker->in, &back);
		op_end(worker, op, CHAN_OK);
	}
	worker->tx = back;
}

/* Waits in the queue without a thread that sleeps; what was granted is used, or passed on by the
 * disarm. */
static void arm_and_send(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	struct stress_waiter waiter;
	stress_waiter_init(&waiter);
	struct op *armed = op_begin(worker, OP_ARMED, WAIT_NEVER);
	armed->slots = 1;
	if (ops->arm_send(worker->tx, &waiter.waiter) != CHAN_ARMED) {
		op_end(worker, armed, CHAN_OK);
		return;
	}
	for (size_t patience = worker_random(worker, 60); patience > 0 && atomic_load(&waiter.fired) == 0; patience--)
		sched_yield();
	if (atomic_load(&waiter.fired) != 0 && worker_random(worker, 2) == 0) {
		uint64_t value = value_make(worker, worker->in);
		struct op *op = op_begin(worker, OP_SEND, WAIT_NOW);
		op->value = value;
		enum chan_status status = ops->send(worker->tx, worker->in, CHAN_NOW);
		op_end(worker, op, status);
		settle_send(worker, worker->in, status);
		/* A nested callback may have used the slot. */
		if (status == CHAN_FULL && worker->round->recorded)
			round_fail(worker->round, "thread %u: a send whose waiter owned a slot returned FULL",
			           worker->index);
	}
	ops->disarm(&waiter.waiter);
	op_end(worker, armed, CHAN_OK);
}

static void select_send(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	enum op_wait wait;
	uint64_t deadline = worker_deadline(worker, &wait), value = value_make(worker, worker->in);
	struct chan_branch branches[] = {chan_on_send(ops, worker->tx, worker->in), chan_on_closed(ops, worker->tx)};
	size_t chosen;
	struct op *op = op_begin(worker, OP_SEND, wait);
	op->value = value;
	/* its waiter may own one for a while, also with CHAN_NOW, and give it back to try again */
	op->slots = 1;
	enum chan_status status = chan_select(branches, 2, deadline, 0, &chosen);
	if (status == CHAN_OK && chosen == 0)
		status = branches[0].status;
	else if (status == CHAN_OK)
		status = CHAN_CLOSED; /* the other branch says the same */
	else if (status == CHAN_EMPTY)
		status = CHAN_FULL;
	op_end(worker, op, status);
	settle_send(worker, worker->in, status);
}

static void clone_and_drop(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	struct chan_sender *clone = NULL, *old;
	struct op *op = op_begin(worker, OP_SENDER_CLONE, WAIT_NEVER);
	enum chan_status status = ops->sender_clone(worker->tx, &clone);
	op_end(worker, op, status);
	if (status != CHAN_OK) {
		round_fail(worker->round, "sender_clone returned %s", status_name(status));
		return;
	}
	old = worker->tx;
	worker->tx = clone;
	op = op_begin(worker, OP_SENDER_DROP, WAIT_NEVER);
	ops->sender_drop(&old);
	op_end(worker, op, CHAN_OK);
}

static void drop(struct worker *worker)
{
	struct chan_sender *tx = worker->tx;
	struct op *op = op_begin(worker, OP_SENDER_DROP, WAIT_NEVER);
	worker->tx = NULL;
	mpsc_of(worker)->ops->sender_drop(&tx);
	op_end(worker, op, CHAN_OK);
}

/* Lets go and tries to get hold again. */
static void upgrade(struct worker *worker)
{
	struct chan_sender *tx = NULL;
	drop(worker);
	worker_pause(worker);
	struct op *op = op_begin(worker, OP_UPGRADE, WAIT_NEVER);
	enum chan_status status = mpsc_of(worker)->ops->upgrade(worker->weak, &tx);
	op_end(worker, op, status);
	worker->tx = status == CHAN_OK ? tx : NULL;
}

static void ask(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	static const enum chan_property properties[] = {CHAN_LEN, CHAN_CAPACITY, CHAN_IS_CLOSED};
	static const enum op_code codes[] = {OP_LEN, OP_CAPACITY, OP_SENDER_IS_CLOSED};
	size_t which = worker_random(worker, 3);
	if (which == 1 && !mpsc_of(worker)->bounded)
		which = 0;
	struct op *op = op_begin(worker, codes[which], WAIT_NEVER);
	op->value = ops->sender_get(worker->tx, properties[which]);
	op_end(worker, op, CHAN_OK);
	if (op->value == CHAN_UNKNOWN)
		op->code = OP_ARMED; /* it says nothing */
}

static void closed(struct worker *worker)
{
	struct op *op = op_begin(worker, OP_CLOSED, WAIT_TIMED);
	op_end(worker, op, mpsc_of(worker)->ops->closed(worker->tx, chan_deadline_in(worker_random(worker, 20000))));
}

static bool selects(const struct chan_mpsc_ops *ops)
{
	return ops->arm_send != NULL && ops->arm_closed != NULL && ops->closed != NULL && ops->disarm != NULL;
}

static void step(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	bool bounded = mpsc_of(worker)->bounded;
	size_t which = worker_random(worker, 32);
	enum op_wait wait;
	if (which < 4 && bounded && ops->reserve != NULL)
		send_with_permits(worker);
	else if (which == 4 && bounded && ops->reserve != NULL)
		send_owned(worker);
	else if (which < 7 && ops->send_many != NULL)
		send_many(worker);
	else if (which < 9 && bounded && ops->arm_send != NULL)
		arm_and_send(worker);
	else if (which < 11 && selects(ops))
		select_send(worker);
	else if (which == 11 && ops->sender_clone != NULL)
		clone_and_drop(worker);
	else if (which == 12 && worker->weak != NULL)
		upgrade(worker);
	else if (which < 16 && ops->sender_get != NULL)
		ask(worker);
	else if (which == 16 && ops->closed != NULL)
		closed(worker);
	else {
		uint64_t deadline = worker_deadline(worker, &wait);
		send_one(worker, deadline, wait);
	}
}

/* Until all that anybody sent has been received: a message that lies there while the receivers
 * sleep shows as a hang. */
static void await_receipt(struct worker *worker)
{
	struct tally *tally = &worker->round->tally;
	while (!atomic_load(&worker->round->failed)) {
		uint64_t ended = 0, made;
		for (int i = 0; i < VALUE_ENDS; i++)
			ended += atomic_load_explicit(&tally->ended[i], memory_order_relaxed);
		made = atomic_load_explicit(&tally->made, memory_order_relaxed);
		if (made == ended)
			return;
		usleep(50);
	}
}

void mpsc_produce(struct worker *worker)
{
	while (worker->tx != NULL && worker_more(worker)) {
		step(worker);
		worker_pause(worker);
	}
	if (mpsc_of(worker)->patient && worker->tx != NULL)
		await_receipt(worker);
	if (worker->tx != NULL)
		drop(worker);
}
