/* SPDX-License-Identifier: MIT
 *
 * oneshot.c - many channels, one after another: at each a sender and a receiver meet, and do what
 * they like as nearly at once as they can.
 */
#include "harness/stress/round.h"

#include "impls/select.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 256, PAIRS_MAX = THREADS_MAX / 2 };

struct pair {
	struct chan_sender *tx[CHANNELS];
	struct chan_receiver *rx[CHANNELS];
	atomic_size_t arrived;
};

struct own {
	const struct chan_oneshot_ops *ops;
	size_t channels;
	struct pair pairs[PAIRS_MAX];
};

static bool open_round(struct round *round)
{
	struct own *own = calloc(1, sizeof *own);
	round->own = own;
	if (own == NULL) {
		round_fail(round, "out of memory");
		return false;
	}
	own->ops = round->impl->oneshot;
	round->threads = round->threads / 2 * 2;
	round_choose_config(round, false);
	round->may_vanish = true;
	own->channels = round->workers[0].steps / 3 + 1 < CHANNELS ? round->workers[0].steps / 3 + 1 : CHANNELS;
	for (unsigned p = 0; p < round->threads / 2; p++)
		for (size_t i = 0; i < own->channels; i++)
			if (own->ops->open(&round->config, &own->pairs[p].tx[i], &own->pairs[p].rx[i]) != CHAN_OK) {
				round_fail(round, "open failed");
				return false;
			}
	return true;
}

static struct op *begin(struct worker *worker, enum op_code code, enum op_wait wait, size_t i)
{
	struct op *op = op_begin(worker, code, wait);
	op->channel = (uint32_t)(worker->index / 2 * CHANNELS + i);
	return op;
}

static void send_side(struct worker *worker, struct own *own, struct chan_sender **tx, size_t i)
{
	struct op *op;
	for (size_t asks = worker_random(worker, 3); asks > 0; asks--) {
		size_t which = worker_random(worker, 2);
		worker_pause(worker);
		if (which == 0 && own->ops->closed != NULL) {
			enum op_wait wait = worker_random(worker, 2) == 0 ? WAIT_NOW : WAIT_TIMED;
			op = begin(worker, OP_CLOSED, wait, i);
			op_end(worker, op,
			       own->ops->closed(*tx, wait == WAIT_NOW ? CHAN_NOW : chan_deadline_in(20000)));
		} else if (which == 1 && own->ops->sender_get != NULL) {
			op = begin(worker, OP_SENDER_IS_CLOSED, WAIT_NEVER, i);
			op->value = own->ops->sender_get(*tx, CHAN_IS_CLOSED);
			op_end(worker, op, CHAN_OK);
		}
	}
	worker_pause(worker);
	if (worker_random(worker, 5) == 0) {
		op = begin(worker, OP_SENDER_DROP, WAIT_NEVER, i);
		own->ops->sender_drop(tx);
		op_end(worker, op, CHAN_OK);
		return;
	}
	uint64_t value = value_make(worker, worker->in);
	op = begin(worker, OP_SEND, WAIT_NEVER, i);
	op->value = value;
	enum chan_status status = own->ops->send(tx, worker->in);
	op_end(worker, op, status);
	if (status != CHAN_OK)
		value_end(worker->round, worker->in, VALUE_RETURNED);
	if (*tx != NULL)
		round_fail(worker->round, "oneshot send left its sender");
}

/* Whether it has ended. */
static bool recv_once(struct worker *worker, struct own *own, struct chan_receiver *rx, size_t i)
{
	enum op_wait wait;
	uint64_t deadline = worker_deadline(worker, &wait);
	bool selects = own->ops->arm_recv != NULL && own->ops->disarm != NULL && worker_random(worker, 3) == 0;
	struct op *op = begin(worker, OP_RECV, wait, i);
	enum chan_status status;
	if (selects) {
		struct chan_branch branch = chan_on_oneshot_recv(own->ops, rx, worker->out);
		status = chan_select(&branch, 1, deadline, 0, NULL);
		status = status == CHAN_OK ? branch.status : status;
	} else {
		status = own->ops->recv(rx, worker->out, deadline);
	}
	op_end(worker, op, status);
	if (status == CHAN_OK)
		op->value = value_end(worker->round, worker->out, VALUE_RECEIVED);
	return status == CHAN_OK || status == CHAN_CLOSED;
}

static void recv_side(struct worker *worker, struct own *own, struct chan_receiver **rx, size_t i)
{
	struct op *op;
	bool ended = false;
	for (size_t steps = worker_random(worker, 4); steps > 0; steps--) {
		size_t which = worker_random(worker, 8);
		worker_pause(worker);
		if (which == 0 && own->ops->close != NULL) {
			op = begin(worker, OP_CLOSE, WAIT_NEVER, i);
			own->ops->close(*rx);
			op_end(worker, op, CHAN_OK);
		} else if (which == 1 && own->ops->receiver_get != NULL) {
			op = begin(worker, OP_IS_TERMINATED, WAIT_NEVER, i);
			op->value = own->ops->receiver_get(*rx, CHAN_IS_TERMINATED);
			op_end(worker, op, CHAN_OK);
			if (op->value == CHAN_UNKNOWN)
				op->code = OP_ARMED;
		} else if (!ended) {
			ended = recv_once(worker, own, *rx, i);
		}
	}
	op = begin(worker, OP_RECEIVER_DROP, WAIT_NEVER, i);
	own->ops->receiver_drop(rx);
	op_end(worker, op, CHAN_OK);
}

static void work(struct worker *worker)
{
	struct own *own = worker->round->own;
	struct pair *pair = &own->pairs[worker->index / 2];
	for (size_t i = 0; i < own->channels; i++) {
		atomic_fetch_add_explicit(&pair->arrived, 1, memory_order_relaxed);
		while (atomic_load_explicit(&pair->arrived, memory_order_relaxed) < 2 * (i + 1))
			sched_yield();
		if (worker->index % 2 == 0)
			send_side(worker, own, &pair->tx[i], i);
		else
			recv_side(worker, own, &pair->rx[i], i);
	}
}

static void close_round(struct round *round)
{
	free(round->own);
}

const struct scenario stress_oneshot = {.kind = KIND_ONESHOT, .open = open_round, .work = work, .close = close_round};
