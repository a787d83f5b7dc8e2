/* SPDX-License-Identifier: MIT
 *
 * mpsc_claims.c - several senders claim what one receiver frees, each in a way of its own: a send
 * that waits until its deadline, a select, a reservation, tries. A slot is given to one of them,
 * whenever the deadlines come, and none is lost.
 *
 * In each order in which the operations can have taken effect, as many claims are met as slots were
 * freed, or fewer; the messages of those that were met are there, and nothing else is; and what
 * nobody claimed is free.
 */
#include "impls/select.h"

#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx;
	size_t slots;
	unsigned met, others_met; /* claims, each by a thread of its own */
};

static void open_full(struct scene *s, const struct program_env *env, size_t slots)
{
	s->ops = env->mpsc;
	s->slots = slots;
	mpsc_open(s->ops, slots, &s->tx, &s->rx);
	s->other_tx = mpsc_clone(s->ops, s->tx);
	for (size_t i = 0; i < slots; i++)
		expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_NOW) == CHAN_OK);
}

/* ------------------------------------------------------------------------------------------
 * Claims
 */

static void send_in_time(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = mpsc_send(s->ops, s->tx, 2, program_soon());
	expect("M-29", status == CHAN_OK || status == CHAN_TIMEOUT);
	s->met = status == CHAN_OK;
}

/* Its waiter may be granted the slot when the deadline has come: it gives it back, and tries
 * again. */
static void select_in_time(void *arg)
{
	struct scene *s = arg;
	struct message *message = message_new(2);
	struct chan_branch branch = chan_on_send(s->ops, s->tx, &message);
	enum chan_status status = chan_select(&branch, 1, program_soon(), CHAN_BIASED, NULL);
	program_saw(status);
	expect("S-15", status == CHAN_OK || status == CHAN_TIMEOUT);
	expect("S-2", status != CHAN_OK || branch.status == CHAN_OK);
	s->met = status == CHAN_OK;
	if (status != CHAN_OK)
		message_end(message);
}

static void send_reserved(struct scene *s, struct chan_permit *permit)
{
	struct message *message = message_new(2);
	s->ops->permit_send(permit, &message);
}

/* Bit by bit, as slots become free. */
static void reserve_all_in_time(void *arg)
{
	struct scene *s = arg;
	struct chan_permit permit;
	enum chan_status status = s->ops->reserve(s->tx, s->slots, &permit, program_soon());
	program_saw(status);
	expect("M-29", status == CHAN_OK || status == CHAN_TIMEOUT);
	while (status == CHAN_OK && permit.count > 0) {
		send_reserved(s, &permit);
		s->met++;
	}
}

static void try_twice(void *arg)
{
	struct scene *s = arg;
	struct chan_permit permit;
	enum chan_status status = mpsc_send(s->ops, s->other_tx, 2, CHAN_NOW);
	expect("M-20", status == CHAN_OK || status == CHAN_FULL);
	s->others_met = status == CHAN_OK;
	status = s->ops->reserve(s->other_tx, 1, &permit, CHAN_NOW);
	program_saw(status);
	expect("M-39", status == CHAN_OK || status == CHAN_FULL);
	if (status == CHAN_OK) {
		send_reserved(s, &permit);
		s->others_met++;
	}
}

/* ------------------------------------------------------------------------------------------ */

static void run_claims(const struct program_env *env, size_t slots, void (*claim)(void *))
{
	struct scene s = {.met = 0};
	struct program_thread threads[2];
	unsigned number;
	open_full(&s, env, slots);
	program_start(&threads[0], claim, &s);
	program_start(&threads[1], try_twice, &s);
	for (size_t i = 0; i < slots; i++)
		expect("M-46", mpsc_recv(s.ops, s.rx, &number, CHAN_NOW) == CHAN_OK && number == 1);
	program_join(threads, 2);
	unsigned met = s.met + s.others_met;
	expect("M-24", met <= slots);
	for (size_t free = met; free < slots; free++)
		expect("M-26", mpsc_send(s.ops, s.tx, 3, CHAN_NOW) == CHAN_OK);
	expect("M-20", mpsc_send(s.ops, s.tx, 3, CHAN_NOW) == CHAN_FULL);
	for (size_t i = 0; i < slots; i++)
		expect("M-28", mpsc_recv(s.ops, s.rx, &number, CHAN_NOW) == CHAN_OK && number == (i < met ? 2 : 3));
	for (size_t i = 0; i < slots; i++)
		expect("M-21", mpsc_send(s.ops, s.tx, 4, CHAN_NOW) == CHAN_OK);
	s.ops->sender_drop(&s.tx);
	s.ops->sender_drop(&s.other_tx);
	s.ops->receiver_drop(&s.rx);
}

static void claims_with_send(const struct program_env *env)
{
	run_claims(env, 1, send_in_time);
}

static void claims_with_select(const struct program_env *env)
{
	run_claims(env, 1, select_in_time);
}

static void claims_with_reserve(const struct program_env *env)
{
	run_claims(env, 2, reserve_all_in_time);
}

/* The same against a close: who was in time is received, and nobody else. */
static void claim_until_closed(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = mpsc_send(s->ops, s->tx, 2, program_soon());
	expect("M-34", status == CHAN_OK || status == CHAN_TIMEOUT || status == CHAN_CLOSED);
	s->met = status == CHAN_OK;
}

static void reserve_until_closed(void *arg)
{
	struct scene *s = arg;
	struct chan_permit permit;
	enum chan_status status = s->ops->reserve(s->other_tx, 1, &permit, CHAN_NOW);
	program_saw(status);
	expect("M-39", status == CHAN_OK || status == CHAN_FULL || status == CHAN_CLOSED);
	if (status == CHAN_OK) {
		s->others_met = 1;
		send_reserved(s, &permit);
	}
}

static void claims_against_close(const struct program_env *env)
{
	struct scene s = {.met = 0};
	struct program_thread threads[2];
	unsigned number;
	open_full(&s, env, 1);
	program_start(&threads[0], claim_until_closed, &s);
	program_start(&threads[1], reserve_until_closed, &s);
	expect("M-46", mpsc_recv(s.ops, s.rx, &number, CHAN_NOW) == CHAN_OK && number == 1);
	s.ops->close(s.rx);
	unsigned received = mpsc_drain(s.ops, s.rx);
	program_join(threads, 2);
	expect("M-24", received <= 1);
	expect("M-48", received == s.met + s.others_met);
	s.ops->sender_drop(&s.tx);
	s.ops->sender_drop(&s.other_tx);
	s.ops->receiver_drop(&s.rx);
}

const struct program programs_mpsc_claims[] = {
	{"claims_with_send", ON_MPSC, "sender_clone reserve permit_send", "M-21 M-24 M-26 M-28 M-29",
         "a timed send, a try and a reservation claim one slot", claims_with_send},
	{"claims_with_select", ON_MPSC, "sender_clone reserve permit_send arm_send disarm", "M-21 M-24 M-26 S-8 S-15",
         "a timed select, a try and a reservation claim one slot", claims_with_select},
	{"claims_with_reserve", ON_MPSC, "sender_clone reserve permit_send", "M-21 M-24 M-26 M-35",
         "a timed reservation of two, a try and a reservation claim two slots", claims_with_reserve},
	{"claims_against_close", ON_MPSC, "sender_clone reserve permit_send close", "M-24 M-34 M-48",
         "a timed send and a reservation claim one slot, and the channel is closed", claims_against_close},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
