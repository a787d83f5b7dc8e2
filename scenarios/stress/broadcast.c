/* SPDX-License-Identifier: MIT
 *
 * broadcast.c - some threads send, the others have receivers that come and go; a sender takes a
 * receiver of its own now and then.
 *
 * Each receiving thread keeps its first receiver to the end. In a patient round the senders wait
 * before they leave until those have received or missed all that was sent: a receiver that was not
 * woken shows as a hang.
 */
#include "harness/stress/round.h"

#include "impls/select.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { SLOTS = 4 }; /* receivers a thread; the number of one is thread * SLOTS + slot */

struct own {
	const struct chan_broadcast_ops *ops;
	unsigned producers;
	bool patient;
	/* passed: received or missed by a thread's first receiver */
	atomic_uint_fast64_t sent, passed[THREADS_MAX];
	struct chan_receiver *rx[THREADS_MAX][SLOTS];
};

static bool open_round(struct round *round)
{
	static const size_t capacities[] = {1, 2, 3, 4, 5, 8, 16, 33, 64};
	struct own *own = calloc(1, sizeof *own);
	struct chan_sender *tx;
	bool good = true;
	round->own = own;
	if (own == NULL) {
		round_fail(round, "out of memory");
		return false;
	}
	own->ops = round->impl->broadcast;
	own->producers =
		own->ops->sender_clone == NULL ? 1 : 1 + (unsigned)random_below(&round->random, round->threads - 1);
	own->patient = random_below(&round->random, 2) == 0;
	round_choose_config(round, true);
	round->config.capacity = capacities[random_below(&round->random, sizeof capacities / sizeof *capacities)];
	round->may_vanish = true;
	round->history.capacity = round->config.capacity;
	round->history.senders = own->producers;
	if (own->ops->open(&round->config, &tx, NULL) != CHAN_OK) {
		round_fail(round, "open failed");
		return false;
	}
	for (unsigned i = 0; i < round->threads && good; i++) {
		if (i < own->producers) {
			good = i == 0 || own->ops->sender_clone(tx, &round->workers[i].tx) == CHAN_OK;
			if (own->ops->downgrade != NULL)
				good = good && own->ops->downgrade(tx, &round->workers[i].weak) == CHAN_OK;
			continue;
		}
		round->history.receivers |= UINT64_C(1) << i * SLOTS;
		good = own->ops->subscribe(tx, &own->rx[i][0]) == CHAN_OK;
		round->workers[i].rx = own->rx[i][0];
	}
	round->workers[0].tx = tx;
	if (!good)
		round_fail(round, "a handle could not be made");
	return good;
}

static uint8_t number(const struct worker *worker, size_t slot)
{
	return (uint8_t)(worker->index * SLOTS + slot);
}

static enum chan_status recv_one(struct worker *worker, size_t slot, uint64_t deadline, enum op_wait wait)
{
	struct own *own = worker->round->own;
	uint64_t missed = 0;
	enum chan_status status;
	bool selects = own->ops->arm_recv != NULL && own->ops->disarm != NULL && worker_random(worker, 4) == 0;
	struct op *op = op_begin(worker, OP_RECV, wait);
	op->handle = number(worker, slot);
	if (selects) {
		struct chan_branch branch = chan_on_broadcast_recv(own->ops, own->rx[worker->index][slot], worker->out);
		status = chan_select(&branch, 1, deadline, 0, NULL);
		status = status == CHAN_OK ? branch.status : status;
		missed = branch.missed;
	} else {
		status = own->ops->recv(own->rx[worker->index][slot], worker->out, &missed, deadline);
	}
	op_end(worker, op, status);
	op->extra = missed;
	if (status == CHAN_OK && worker->round->hooks)
		op->value = value_end(worker->round, worker->out, VALUE_RECEIVED);
	else if (status == CHAN_OK)
		op->value = value_look(worker->round, worker->out);
	if (status == CHAN_OK || status == CHAN_NOMEM)
		missed = 1;
	else if (status != CHAN_LAGGED)
		missed = 0;
	if (slot == 0)
		atomic_fetch_add_explicit(&own->passed[worker->index], missed, memory_order_relaxed);
	return status;
}

static void drop_receiver(struct worker *worker, size_t slot)
{
	struct own *own = worker->round->own;
	struct chan_receiver *rx = own->rx[worker->index][slot];
	struct op *op = op_begin(worker, OP_RECEIVER_DROP, WAIT_NEVER);
	op->handle = number(worker, slot);
	own->rx[worker->index][slot] = NULL;
	if (slot == 0)
		worker->rx = NULL;
	own->ops->receiver_drop(&rx);
	op_end(worker, op, CHAN_OK);
}

/* Takes another receiver, or uses and drops the one it has there. */
static void come_and_go(struct worker *worker, size_t slot)
{
	struct own *own = worker->round->own;
	struct chan_receiver **rx = &own->rx[worker->index][slot];
	bool sends = worker->index < own->producers;
	if (*rx != NULL) {
		for (size_t n = worker_random(worker, 4); n > 0; n--)
			recv_one(worker, slot, CHAN_NOW, WAIT_NOW);
		if (worker_random(worker, 2) == 0)
			drop_receiver(worker, slot);
		return;
	}
	if (!sends && own->ops->resubscribe == NULL)
		return;
	struct op *op = op_begin(worker, sends ? OP_SUBSCRIBE : OP_RESUBSCRIBE, WAIT_NEVER);
	op->handle = number(worker, 0);
	op->other = number(worker, slot);
	enum chan_status status =
		sends ? own->ops->subscribe(worker->tx, rx) : own->ops->resubscribe(own->rx[worker->index][0], rx);
	op_end(worker, op, status);
	if (status != CHAN_OK)
		round_fail(worker->round, "a receiver could not be made: %s", status_name(status));
}

static void send_one(struct worker *worker)
{
	struct own *own = worker->round->own;
	size_t receivers = 0;
	uint64_t value = value_make(worker, worker->in);
	struct op *op = op_begin(worker, OP_SEND, WAIT_NEVER);
	op->value = value;
	enum chan_status status = own->ops->send(worker->tx, worker->in, &receivers);
	op->extra = receivers;
	op_end(worker, op, status);
	if (status == CHAN_OK)
		atomic_fetch_add_explicit(&own->sent, 1, memory_order_relaxed);
	else
		value_end(worker->round, worker->in, VALUE_RETURNED);
}

static void drop_sender(struct worker *worker)
{
	struct chan_sender *tx = worker->tx;
	struct op *op = op_begin(worker, OP_SENDER_DROP, WAIT_NEVER);
	worker->tx = NULL;
	((struct own *)worker->round->own)->ops->sender_drop(&tx);
	op_end(worker, op, CHAN_OK);
}

static void renew_sender(struct worker *worker)
{
	const struct chan_broadcast_ops *ops = ((struct own *)worker->round->own)->ops;
	struct chan_sender *tx = NULL;
	bool weak = worker->weak != NULL && worker_random(worker, 2) == 0;
	if (weak)
		drop_sender(worker);
	worker_pause(worker);
	struct op *op = op_begin(worker, weak ? OP_UPGRADE : OP_SENDER_CLONE, WAIT_NEVER);
	enum chan_status status = weak ? ops->upgrade(worker->weak, &tx) : ops->sender_clone(worker->tx, &tx);
	op_end(worker, op, status);
	if (!weak && status == CHAN_OK)
		drop_sender(worker);
	if (status == CHAN_OK)
		worker->tx = tx;
}

static void ask(struct worker *worker)
{
	const struct own *own = worker->round->own;
	bool sends = worker->index < own->producers;
	if (sends ? own->ops->sender_get == NULL : own->ops->receiver_get == NULL)
		return;
	struct op *op = op_begin(worker, sends ? OP_SENDER_IS_CLOSED : OP_IS_CLOSED, WAIT_NEVER);
	op->handle = number(worker, 0);
	op->value = sends ? own->ops->sender_get(worker->tx, CHAN_IS_CLOSED)
	                  : own->ops->receiver_get(own->rx[worker->index][0], CHAN_IS_CLOSED);
	op_end(worker, op, CHAN_OK);
	if (op->value == CHAN_UNKNOWN)
		op->code = OP_ARMED;
}

static void produce(struct worker *worker)
{
	struct own *own = worker->round->own;
	while (worker->tx != NULL && worker_more(worker)) {
		size_t which = worker_random(worker, 16);
		if (which == 0)
			come_and_go(worker, 1 + worker_random(worker, SLOTS - 1));
		else if (which == 1 && own->ops->sender_clone != NULL)
			renew_sender(worker);
		else if (which == 2)
			ask(worker);
		else if (which == 3 && own->ops->closed != NULL) {
			struct op *op = op_begin(worker, OP_CLOSED, WAIT_TIMED);
			op_end(worker, op,
			       own->ops->closed(worker->tx, chan_deadline_in(worker_random(worker, 20000))));
		} else
			send_one(worker);
		worker_pause(worker);
	}
	for (unsigned i = own->producers; own->patient && worker->tx != NULL && i < worker->round->threads; i++)
		while (atomic_load_explicit(&own->passed[i], memory_order_relaxed) <
		               atomic_load_explicit(&own->sent, memory_order_relaxed) &&
		       !atomic_load(&worker->round->failed))
			usleep(50);
	if (worker->tx != NULL)
		drop_sender(worker);
}

static void consume(struct worker *worker)
{
	enum chan_status status = CHAN_OK;
	while (worker_more(worker)) {
		size_t which = worker_random(worker, 16);
		enum op_wait wait;
		uint64_t deadline = worker_deadline(worker, &wait);
		if (which < 2)
			come_and_go(worker, 1 + worker_random(worker, SLOTS - 1));
		else if (which == 2)
			ask(worker);
		else
			recv_one(worker, 0, deadline, wait);
		worker_pause(worker);
	}
	while (status != CHAN_CLOSED && !atomic_load(&worker->round->failed))
		status = recv_one(worker, 0, CHAN_FOREVER, WAIT_FOREVER);
}

static void work(struct worker *worker)
{
	struct own *own = worker->round->own;
	if (worker->index < own->producers)
		produce(worker);
	else
		consume(worker);
	for (size_t slot = 0; slot < SLOTS; slot++)
		if (own->rx[worker->index][slot] != NULL)
			drop_receiver(worker, slot);
}

static void close_round(struct round *round)
{
	struct own *own = round->own;
	for (unsigned i = 0; i < round->threads; i++)
		if (round->workers[i].weak != NULL)
			own->ops->weak_drop(&round->workers[i].weak);
	free(own);
}

/* From a hook or a wake: sends one more, or asks. */
static void reenter(struct worker *worker)
{
	struct own *own = worker->round->own;
	if (worker->tx != NULL && worker->made + 1 < worker->round->tally.per_thread) {
		_Alignas(64) unsigned char element[ELEMENT_MAX];
		value_make(worker, element);
		if (own->ops->send(worker->tx, element, NULL) == CHAN_OK)
			atomic_fetch_add_explicit(&own->sent, 1, memory_order_relaxed);
		else
			value_end(worker->round, element, VALUE_RETURNED);
	} else if (worker->rx != NULL && own->ops->receiver_get != NULL) {
		own->ops->receiver_get(worker->rx, CHAN_LEN);
	}
}

/* From `clone`: nothing that changes the channel may work. */
static void refused(struct worker *worker)
{
	struct own *own = worker->round->own;
	_Alignas(64) unsigned char element[ELEMENT_MAX] = {0};
	uint64_t missed;
	enum chan_status status = CHAN_INVALID;
	if (worker->tx != NULL)
		status = own->ops->send(worker->tx, element, NULL);
	else if (worker->rx != NULL)
		status = own->ops->recv(worker->rx, element, &missed, CHAN_NOW);
	if (status != CHAN_INVALID)
		round_fail(worker->round, "a call from inside clone returned %s, not INVALID", status_name(status));
}

const struct scenario stress_broadcast = {.kind = KIND_BROADCAST,
                                          .open = open_round,
                                          .work = work,
                                          .close = close_round,
                                          .reenter = reenter,
                                          .refused = refused};
