/* SPDX-License-Identifier: MIT
 *
 * watch.c - some threads write, the others read and wait, with receivers that come and go.
 *
 * Each reading thread keeps its first receiver to the end. In a patient round the writers wait
 * before they leave until each of those has read the newest value: a reader that was not woken
 * shows as a hang.
 */
#include "harness/stress/round.h"

#include "impls/select.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS = 4 }; /* receivers a thread; the number of one is thread * SLOTS + slot */

struct own {
	const struct chan_watch_ops *ops;
	unsigned writers;
	bool patient;
	uint64_t initial;
	/* the value that a thread's first receiver read last */
	atomic_uint_fast64_t read[THREADS_MAX];
	struct chan_receiver *rx[THREADS_MAX][SLOTS];
};

static bool open_round(struct round *round)
{
	struct own *own = calloc(1, sizeof *own);
	struct worker *first = &round->workers[0];
	bool good = true;
	round->own = own;
	if (own == NULL) {
		round_fail(round, "out of memory");
		return false;
	}
	own->ops = round->impl->watch;
	own->writers =
		own->ops->sender_clone == NULL ? 1 : 1 + (unsigned)random_below(&round->random, round->threads - 1);
	if (own->ops->receiver_clone == NULL)
		round->threads = own->writers + 1;
	round_choose_config(round, true);
	own->patient =
		own->ops->sender_borrow != NULL && round->config.size >= 8 && random_below(&round->random, 2) == 0;
	round->may_vanish = true;
	round->history.senders = own->writers;
	own->initial = round->history.initial = value_make(first, first->in);
	if (own->ops->open(&round->config, first->in, &first->tx, &own->rx[own->writers][0]) != CHAN_OK) {
		round_fail(round, "open failed");
		return false;
	}
	for (unsigned i = 1; i < round->threads && good; i++) {
		if (i < own->writers)
			good = own->ops->sender_clone(first->tx, &round->workers[i].tx) == CHAN_OK;
		else if (i > own->writers)
			good = own->ops->receiver_clone(own->rx[own->writers][0], &own->rx[i][0]) == CHAN_OK;
	}
	for (unsigned i = own->writers; i < round->threads && good; i++) {
		round->history.receivers |= UINT64_C(1) << i * SLOTS;
		round->workers[i].rx = own->rx[i][0];
	}
	if (!good)
		round_fail(round, "a handle could not be made");
	return good;
}

static uint8_t number(const struct worker *worker, size_t slot)
{
	return (uint8_t)(worker->index * SLOTS + slot);
}

/* A copy that came out of the channel. */
static uint64_t read_value(struct worker *worker)
{
	return worker->round->hooks ? value_end(worker->round, worker->out, VALUE_RECEIVED)
	                            : value_look(worker->round, worker->out);
}

/* ------------------------------------------------------------------------------------------
 * Writing
 */

struct change {
	struct worker *worker;
	struct op *op;
	bool notify;
};

/* Ends the value that is there and puts another in its place. */
static bool change(void *value, void *arg)
{
	struct change *c = arg;
	struct round *round = c->worker->round;
	c->op->extra = round->hooks ? value_end(round, value, VALUE_DESTROYED) : value_look(round, value);
	memcpy(value, c->worker->in, round->config.size);
	return c->notify;
}

static void write_one(struct worker *worker)
{
	const struct own *own = worker->round->own;
	size_t which = worker_random(worker, 6);
	uint64_t value = value_make(worker, worker->in);
	enum chan_status status = CHAN_OK;
	struct op *op;
	if (which == 0 && own->ops->send_replace != NULL) {
		op = op_begin(worker, OP_REPLACE, WAIT_NEVER);
		status = own->ops->send_replace(worker->tx, worker->in, worker->out);
		op_end(worker, op, status);
		op->extra = status == CHAN_OK ? read_value(worker) : 0;
	} else if (which < 3 && own->ops->modify != NULL) {
		bool modified = false;
		op = op_begin(worker, OP_MODIFY, WAIT_NEVER);
		struct change c = {worker, op, which == 1 || worker_random(worker, 2) == 0};
		status = own->ops->modify(worker->tx, change, &c, &modified);
		op_end(worker, op, status);
		op->flag = modified;
		if (status == CHAN_OK && modified != c.notify)
			round_fail(worker->round, "modify said %d, its function %d", modified, c.notify);
	} else {
		op = op_begin(worker, OP_SEND, WAIT_NEVER);
		status = own->ops->send(worker->tx, worker->in);
		op_end(worker, op, status);
	}
	op->value = value;
	if (status != CHAN_OK)
		value_end(worker->round, worker->in, VALUE_RETURNED);
}

/* A write that all readers are told of. */
static void write_last(struct worker *worker)
{
	const struct own *own = worker->round->own;
	uint64_t value = value_make(worker, worker->in);
	struct op *op = op_begin(worker, OP_SEND, WAIT_NEVER);
	op->value = value;
	enum chan_status status = own->ops->send(worker->tx, worker->in);
	op_end(worker, op, status);
	if (status != CHAN_OK)
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
	struct chan_sender *tx = NULL;
	struct op *op = op_begin(worker, OP_SENDER_CLONE, WAIT_NEVER);
	enum chan_status status = ((struct own *)worker->round->own)->ops->sender_clone(worker->tx, &tx);
	op_end(worker, op, status);
	if (status != CHAN_OK)
		return;
	drop_sender(worker);
	worker->tx = tx;
}

static uint64_t sender_borrow(struct worker *worker)
{
	const struct own *own = worker->round->own;
	struct op *op = op_begin(worker, OP_SENDER_BORROW, WAIT_NEVER);
	enum chan_status status = own->ops->sender_borrow(worker->tx, worker->out);
	op_end(worker, op, status);
	return op->value = status == CHAN_OK ? read_value(worker) : 0;
}

/* ------------------------------------------------------------------------------------------
 * Reading
 */

static bool is_wanted(const void *value, void *arg)
{
	const struct op *op = arg;
	uint64_t number_of;
	memcpy(&number_of, value, sizeof number_of);
	return (number_of & UINT32_MAX) % WAIT_FOR_MODULUS == op->extra;
}

static void wait_for(struct worker *worker, size_t slot)
{
	const struct own *own = worker->round->own;
	enum op_wait wait = worker_random(worker, 2) == 0 ? WAIT_NOW : WAIT_TIMED;
	uint64_t deadline = wait == WAIT_NOW ? CHAN_NOW : chan_deadline_in(worker_random(worker, 100000));
	uint64_t wanted = worker_random(worker, WAIT_FOR_MODULUS);
	struct op *op = op_begin(worker, OP_WAIT_FOR, wait);
	op->handle = number(worker, slot);
	op->extra = wanted;
	enum chan_status status =
		own->ops->wait_for(own->rx[worker->index][slot], is_wanted, op, worker->out, deadline);
	op_end(worker, op, status);
	if (status != CHAN_OK)
		return;
	op->value = read_value(worker);
	if ((op->value & UINT32_MAX) % WAIT_FOR_MODULUS != wanted)
		round_fail(worker->round,
		           "wait_for returned %" PRIu64 ".%" PRIu64 ", for which its predicate does not hold",
		           op->value >> 32, op->value & UINT32_MAX);
}

static enum chan_status borrow(struct worker *worker, size_t slot, bool update)
{
	struct own *own = worker->round->own;
	struct chan_receiver *rx = own->rx[worker->index][slot];
	bool unseen = false;
	struct op *op = op_begin(worker, update ? OP_UPDATE : OP_BORROW, WAIT_NEVER);
	op->handle = number(worker, slot);
	enum chan_status status = update ? own->ops->borrow_and_update(rx, worker->out, &unseen)
	                                 : own->ops->borrow(rx, worker->out, &unseen);
	op_end(worker, op, status);
	op->flag = unseen;
	if (status != CHAN_OK)
		return status;
	op->value = read_value(worker);
	if (slot == 0)
		atomic_store_explicit(&own->read[worker->index], op->value, memory_order_relaxed);
	return status;
}

static enum chan_status changed(struct worker *worker, size_t slot, uint64_t deadline, enum op_wait wait)
{
	const struct own *own = worker->round->own;
	struct chan_receiver *rx = own->rx[worker->index][slot];
	bool selects = own->ops->arm_changed != NULL && own->ops->disarm != NULL && worker_random(worker, 4) == 0;
	struct op *op = op_begin(worker, OP_CHANGED, wait);
	enum chan_status status;
	op->handle = number(worker, slot);
	if (selects) {
		struct chan_branch branch = chan_on_changed(own->ops, rx);
		status = chan_select(&branch, 1, deadline, 0, NULL);
		status = status == CHAN_OK ? branch.status : status;
	} else {
		status = own->ops->changed(rx, deadline);
	}
	op_end(worker, op, status);
	return status;
}

static void mark(struct worker *worker, size_t slot)
{
	const struct own *own = worker->round->own;
	bool seen = worker_random(worker, 2) == 0;
	if (own->ops->mark_changed == NULL || own->ops->mark_unchanged == NULL)
		return;
	struct op *op = op_begin(worker, seen ? OP_MARK_UNCHANGED : OP_MARK_CHANGED, WAIT_NEVER);
	op->handle = number(worker, slot);
	(seen ? own->ops->mark_unchanged : own->ops->mark_changed)(own->rx[worker->index][slot]);
	op_end(worker, op, CHAN_OK);
}

static void has_changed(struct worker *worker, size_t slot)
{
	const struct own *own = worker->round->own;
	if (own->ops->has_changed == NULL)
		return;
	struct op *op = op_begin(worker, OP_HAS_CHANGED, WAIT_NEVER);
	op->handle = number(worker, slot);
	op_end(worker, op, own->ops->has_changed(own->rx[worker->index][slot]));
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

/* Something with a receiver, waiting or not. */
static void read_some(struct worker *worker, size_t slot, bool may_wait)
{
	const struct own *own = worker->round->own;
	size_t which = worker_random(worker, 12);
	enum op_wait wait;
	uint64_t deadline = worker_deadline(worker, &wait);
	if (which < 3)
		borrow(worker, slot, false);
	else if (which < 5 && own->ops->borrow_and_update != NULL)
		borrow(worker, slot, true);
	else if (which == 5)
		has_changed(worker, slot);
	else if (which == 6)
		mark(worker, slot);
	else if (which < 9 && own->ops->wait_for != NULL && worker->round->config.size >= sizeof(uint64_t))
		wait_for(worker, slot);
	else if (may_wait) {
		/* A receiver that waits for ever has read what was there before: writers wait
		 * for that. */
		while (wait == WAIT_FOREVER && borrow(worker, slot, false) == CHAN_NOMEM)
			;
		changed(worker, slot, deadline, wait);
	} else
		changed(worker, slot, CHAN_NOW, WAIT_NOW);
}

static void come_and_go(struct worker *worker, size_t slot)
{
	struct own *own = worker->round->own;
	struct chan_receiver **rx = &own->rx[worker->index][slot];
	bool writes = worker->index < own->writers;
	if (*rx != NULL) {
		read_some(worker, slot, false);
		if (worker_random(worker, 2) == 0)
			drop_receiver(worker, slot);
		return;
	}
	if (writes ? own->ops->subscribe == NULL : own->ops->receiver_clone == NULL)
		return;
	struct op *op = op_begin(worker, writes ? OP_SUBSCRIBE : OP_RECEIVER_CLONE, WAIT_NEVER);
	op->handle = number(worker, 0);
	op->other = number(worker, slot);
	enum chan_status status =
		writes ? own->ops->subscribe(worker->tx, rx) : own->ops->receiver_clone(own->rx[worker->index][0], rx);
	op_end(worker, op, status);
	if (status != CHAN_OK)
		round_fail(worker->round, "a receiver could not be made: %s", status_name(status));
}

/* ------------------------------------------------------------------------------------------
 * Threads
 */

/* Until each has read the newest value; whoever wrote it waits here, too. Asking again and again
 * is no operation for the record, nor a sign of life. */
static void await_readers(struct worker *worker)
{
	struct own *own = worker->round->own;
	for (unsigned i = own->writers; i < worker->round->threads;) {
		uint64_t newest = 0;
		if (atomic_load(&worker->round->failed))
			return;
		if (own->ops->sender_borrow(worker->tx, worker->out) == CHAN_OK)
			newest = read_value(worker);
		if (newest != 0 && atomic_load_explicit(&own->read[i], memory_order_relaxed) == newest)
			i++;
		else
			usleep(50);
	}
}

static void write_all(struct worker *worker)
{
	struct own *own = worker->round->own;
	while (worker_more(worker)) {
		size_t which = worker_random(worker, 16);
		if (which == 0)
			come_and_go(worker, 1 + worker_random(worker, SLOTS - 1));
		else if (which == 1 && own->ops->sender_clone != NULL)
			renew_sender(worker);
		else if (which < 4 && own->ops->sender_borrow != NULL)
			sender_borrow(worker);
		else if (which == 4 && own->ops->closed != NULL) {
			struct op *op = op_begin(worker, OP_CLOSED, WAIT_TIMED);
			op_end(worker, op,
			       own->ops->closed(worker->tx, chan_deadline_in(worker_random(worker, 20000))));
		} else if (which == 5 && own->ops->sender_get != NULL) {
			struct op *op = op_begin(worker, OP_SENDER_IS_CLOSED, WAIT_NEVER);
			op->value = own->ops->sender_get(worker->tx, CHAN_IS_CLOSED);
			op_end(worker, op, CHAN_OK);
		} else
			write_one(worker);
		worker_pause(worker);
	}
	if (own->patient) {
		write_last(worker);
		await_readers(worker);
	}
	drop_sender(worker);
}

static void read_all(struct worker *worker)
{
	enum chan_status status;
	while (worker_more(worker)) {
		if (worker_random(worker, 8) == 0)
			come_and_go(worker, 1 + worker_random(worker, SLOTS - 1));
		else
			read_some(worker, 0, true);
		worker_pause(worker);
	}
	do {
		while (borrow(worker, 0, false) == CHAN_NOMEM)
			; /* its clone failed */
		status = changed(worker, 0, CHAN_FOREVER, WAIT_FOREVER);
	} while (status != CHAN_CLOSED && !atomic_load(&worker->round->failed));
}

static void work(struct worker *worker)
{
	struct own *own = worker->round->own;
	if (worker->index < own->writers)
		write_all(worker);
	else
		read_all(worker);
	for (size_t slot = 0; slot < SLOTS; slot++)
		if (own->rx[worker->index][slot] != NULL)
			drop_receiver(worker, slot);
}

static void close_round(struct round *round)
{
	free(round->own);
}

/* From a hook or a wake: reads or writes on this very channel. */
static void reenter(struct worker *worker)
{
	const struct own *own = worker->round->own;
	_Alignas(64) unsigned char element[ELEMENT_MAX];
	if (worker->tx != NULL && worker->made + 1 < worker->round->tally.per_thread) {
		value_make(worker, element);
		if (own->ops->send(worker->tx, element) != CHAN_OK)
			value_end(worker->round, element, VALUE_RETURNED);
	} else if (worker->rx != NULL) {
		if (own->ops->borrow(worker->rx, element, NULL) == CHAN_OK && worker->round->hooks)
			value_end(worker->round, element, VALUE_RECEIVED);
	}
}

/* From `clone`: nothing that changes the channel may work. */
static void refused(struct worker *worker)
{
	const struct own *own = worker->round->own;
	_Alignas(64) unsigned char element[ELEMENT_MAX] = {0};
	enum chan_status status = CHAN_INVALID;
	if (worker->tx != NULL)
		status = own->ops->send(worker->tx, element);
	else if (worker->rx != NULL)
		status = own->ops->changed(worker->rx, CHAN_NOW);
	if (status != CHAN_INVALID)
		round_fail(worker->round, "a call from inside clone returned %s, not INVALID", status_name(status));
}

const struct scenario stress_watch = {.kind = KIND_WATCH,
                                      .open = open_round,
                                      .work = work,
                                      .close = close_round,
                                      .reenter = reenter,
                                      .refused = refused};
