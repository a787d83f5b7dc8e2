/* SPDX-License-Identifier: MIT
 *
 * mpsc.c - mpsc and unbounded: some threads send in every way there is, the others receive in every
 * way there is.
 */
#include "scenarios/stress/mpsc.h"
#include "harness/stress/round.h"

#include <stdlib.h>

static uint64_t choose_capacity(struct round *round)
{
	static const uint64_t capacities[] = {1, 1, 2, 3, 4, 7, 8, 16, 31, 64};
	return capacities[random_below(&round->random, sizeof capacities / sizeof *capacities)];
}

/* Clones the first handles for the other threads. */
static bool deal_out(struct round *round, struct mpsc_round *own, struct chan_sender *tx, struct chan_receiver *rx)
{
	const struct chan_mpsc_ops *ops = own->ops;
	bool good = true;
	for (unsigned i = 0; i < round->threads; i++) {
		struct worker *worker = &round->workers[i];
		if (i == 0)
			worker->tx = tx;
		else if (i < own->producers)
			good &= ops->sender_clone(tx, &worker->tx) == CHAN_OK;
		else if (i == own->producers)
			worker->rx = rx;
		else
			good &= ops->receiver_clone(rx, &worker->rx) == CHAN_OK;
		if (i < own->producers && ops->downgrade != NULL)
			good &= ops->downgrade(worker->tx, &worker->weak) == CHAN_OK;
	}
	if (!good)
		round_fail(round, "a handle could not be cloned");
	return good;
}

static bool open_round(struct round *round, const struct chan_mpsc_ops *ops, bool bounded)
{
	struct mpsc_round *own = calloc(1, sizeof *own);
	struct chan_sender *tx;
	struct chan_receiver *rx;
	unsigned most = ops->receiver_clone != NULL ? round->threads - 1 : 1;

	round->own = own;
	if (own == NULL) {
		round_fail(round, "out of memory");
		return false;
	}
	own->ops = ops;
	own->bounded = bounded;
	own->producers = round->threads - 1 - (unsigned)random_below(&round->random, most);
	if (ops->sender_clone == NULL)
		own->producers = 1;
	if (ops->receiver_clone == NULL || ops->sender_clone == NULL)
		round->threads = ops->receiver_clone == NULL ? own->producers + 1 : round->threads;
	size_t ending = random_below(&round->random, 4);
	own->ending = ending == 2 && ops->close != NULL ? BY_CLOSE : ending == 3 ? BY_RECEIVERS : BY_SENDERS;
	own->patient = own->ending == BY_SENDERS && random_below(&round->random, 2) == 0;
	round_choose_config(round, false);
	round->config.capacity = choose_capacity(round);
	round->may_vanish = own->ending == BY_RECEIVERS;
	round->history.capacity = bounded ? round->config.capacity : UINT64_MAX / 2;
	round->history.senders = own->producers;
	round->history.receivers = round->threads - own->producers;
	enum chan_status status = ops->open(&round->config, &tx, &rx);
	if (status != CHAN_OK) {
		round_fail(round, "open returned %s", status_name(status));
		return false;
	}
	return deal_out(round, own, tx, rx);
}

static bool open_mpsc(struct round *round)
{
	return open_round(round, round->impl->mpsc, true);
}

static bool open_unbounded(struct round *round)
{
	return open_round(round, round->impl->unbounded, false);
}

static void work(struct worker *worker)
{
	if (worker->index < mpsc_of(worker)->producers)
		mpsc_produce(worker);
	else
		mpsc_consume(worker);
}

static void close_round(struct round *round)
{
	struct mpsc_round *own = round->own;
	for (unsigned i = 0; i < round->threads; i++)
		if (round->workers[i].weak != NULL)
			own->ops->weak_drop(&round->workers[i].weak);
	free(own);
}

/* From a hook or a wake: asks, and sends a value or takes one, on this very channel. */
static void reenter(struct worker *worker)
{
	const struct chan_mpsc_ops *ops = mpsc_of(worker)->ops;
	size_t size = worker->round->config.size;
	_Alignas(64) unsigned char element[ELEMENT_MAX];
	if (worker->tx != NULL) {
		if (ops->sender_get != NULL)
			ops->sender_get(worker->tx, CHAN_LEN);
		if (worker->made + 1 >= worker->round->tally.per_thread)
			return;
		value_make(worker, element);
		if (ops->send(worker->tx, element, CHAN_NOW) != CHAN_OK)
			value_end(worker->round, element, VALUE_RETURNED);
	} else if (worker->rx != NULL) {
		if (ops->receiver_get != NULL)
			ops->receiver_get(worker->rx, CHAN_LEN);
		if (ops->recv(worker->rx, size == 0 ? NULL : element, CHAN_NOW) == CHAN_OK)
			value_end(worker->round, element, VALUE_RECEIVED);
	}
}

const struct scenario stress_mpsc = {
	.kind = KIND_MPSC, .open = open_mpsc, .work = work, .close = close_round, .reenter = reenter};
const struct scenario stress_unbounded = {
	.kind = KIND_UNBOUNDED, .open = open_unbounded, .work = work, .close = close_round, .reenter = reenter};
