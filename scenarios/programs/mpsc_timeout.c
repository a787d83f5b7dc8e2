/* SPDX-License-Identifier: MIT
 *
 * mpsc_timeout.c - waits that give up, against what they waited for.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx;
	bool sent;
};

static void send_one(void *arg)
{
	struct scene *s = arg;
	expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
}

static void recv_in_time(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	enum chan_status status = mpsc_recv(s->ops, s->rx, &number, program_soon());
	expect("M-63", status == CHAN_OK || status == CHAN_TIMEOUT);
	if (status == CHAN_TIMEOUT)
		expect("S-15", mpsc_recv(s->ops, s->rx, &number, CHAN_FOREVER) == CHAN_OK);
	expect("M-46", number == 1);
}

static void timeout_against_delivery(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	program_together(&s, send_one, recv_in_time);
	s.ops->sender_drop(&s.tx);
	expect("D-1", mpsc_drain(s.ops, s.rx) == 0);
	s.ops->receiver_drop(&s.rx);
}

/* ------------------------------------------------------------------------------------------
 * A sender that gives up leaves the queue, and what it was given goes on.
 */

static void send_in_time(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = mpsc_send(s->ops, s->tx, 2, program_soon());
	expect("M-29", status == CHAN_OK || status == CHAN_TIMEOUT);
	s->sent = status == CHAN_OK;
}

static void recv_first(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	expect("M-46", mpsc_recv(s->ops, s->rx, &number, CHAN_FOREVER) == CHAN_OK && number == 1);
}

static void send_timeout_against_slot(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	unsigned number;
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_together(&s, send_in_time, recv_first);
	if (s.sent)
		expect("M-46", mpsc_recv(s.ops, s.rx, &number, CHAN_NOW) == CHAN_OK && number == 2);
	expect("M-28", mpsc_recv(s.ops, s.rx, &number, CHAN_NOW) == CHAN_EMPTY);
	expect("M-26", mpsc_send(s.ops, s.tx, 3, CHAN_NOW) == CHAN_OK);
	s.ops->receiver_drop(&s.rx);
	s.ops->sender_drop(&s.tx);
}

static void send_queued(void *arg)
{
	struct scene *s = arg;
	expect("M-26", mpsc_send(s->ops, s->other_tx, 3, CHAN_FOREVER) == CHAN_OK);
}

/* One slot is freed, once: the sender that waits for ever must get it, whether the other had it
 * for a moment or not. */
static void cancelled_sender(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	struct program_thread threads[3];
	unsigned number;
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_start(&threads[0], send_in_time, &s);
	program_start(&threads[1], send_queued, &s);
	recv_first(&s);
	program_join(threads, 1);
	/* A timed send that was in time has taken the slot. */
	if (s.sent)
		expect("M-46", mpsc_recv(s.ops, s.rx, &number, CHAN_FOREVER) == CHAN_OK);
	program_join(threads + 1, 1);
	s.ops->sender_drop(&s.tx);
	s.ops->sender_drop(&s.other_tx);
	expect("D-1", mpsc_drain(s.ops, s.rx) == 1);
	s.ops->receiver_drop(&s.rx);
}

static void close_it(void *arg)
{
	struct scene *s = arg;
	s->ops->close(s->rx);
}

static void send_in_time_closed(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = mpsc_send(s->ops, s->tx, 2, program_soon());
	expect("M-31", status == CHAN_CLOSED || status == CHAN_TIMEOUT);
}

static void timeout_against_close(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_together(&s, send_in_time_closed, close_it);
	/* Nobody is left in the queue: the channel is idle once its message is out. */
	expect("M-49", mpsc_drain(s.ops, s.rx) == 1);
	s.ops->sender_drop(&s.tx);
	s.ops->receiver_drop(&s.rx);
}

static void drop_sender(void *arg)
{
	struct scene *s = arg;
	s->ops->sender_drop(&s->tx);
}

static void recv_in_time_closed(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	enum chan_status status = mpsc_recv(s->ops, s->rx, &number, program_soon());
	expect("M-52", status == CHAN_CLOSED || status == CHAN_TIMEOUT);
	if (status == CHAN_TIMEOUT)
		expect("S-17", mpsc_recv(s->ops, s->rx, &number, CHAN_FOREVER) == CHAN_CLOSED);
}

static void timeout_against_last_drop(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	program_together(&s, drop_sender, recv_in_time_closed);
	s.ops->receiver_drop(&s.rx);
}

const struct program programs_mpsc_timeout[] = {
	{"timeout_against_delivery", ON_MPSC | ON_UNBOUNDED, NULL, "M-63 S-15 S-17",
         "a receive that gave up has taken nothing", timeout_against_delivery},
	{"send_timeout_against_slot", ON_MPSC, NULL, "M-26 M-28 M-29",
         "a send that gave up has sent nothing, and keeps no slot", send_timeout_against_slot},
	{"cancelled_sender", ON_MPSC, "sender_clone", "M-26 X-1", "the slot of one that gave up goes to the next",
         cancelled_sender},
	{"timeout_against_close", ON_MPSC, "close", "M-31 M-49",
         "a queued sender that gives up while the channel closes", timeout_against_close},
	{"timeout_against_last_drop", ON_MPSC | ON_UNBOUNDED, NULL, "M-52 S-17",
         "a receive that gave up can be repeated, and hears of the end", timeout_against_last_drop},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
