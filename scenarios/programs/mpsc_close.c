/* SPDX-License-Identifier: MIT
 *
 * mpsc_close.c - closing from the receiving side, against whatever the senders do at that moment.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx;
	struct chan_receiver *rx;
	unsigned sent, received, before;
};

static void send_until_closed(void *arg)
{
	struct scene *s = arg;
	for (unsigned i = 1; i <= 2; i++) {
		enum chan_status status = mpsc_send(s->ops, s->tx, i, CHAN_FOREVER);
		expect("M-34", status == CHAN_OK || status == CHAN_CLOSED);
		expect("M-14", status == CHAN_CLOSED || s->sent == i - 1);
		s->sent += status == CHAN_OK;
	}
}

static void close_and_drain(void *arg)
{
	struct scene *s = arg;
	s->ops->close(s->rx);
	s->received = mpsc_drain(s->ops, s->rx);
}

static void run_close_against_send(const struct program_env *env, size_t capacity)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, capacity, &s.tx, &s.rx);
	program_together(&s, send_until_closed, close_and_drain);
	expect("M-48", s.received == s.sent);
	expect("M-18", mpsc_send(s.ops, s.tx, 3, CHAN_FOREVER) == CHAN_CLOSED);
	s.ops->receiver_drop(&s.rx);
	s.ops->sender_drop(&s.tx);
}

static void close_against_send(const struct program_env *env)
{
	run_close_against_send(env, 2);
}

static void close_against_full(const struct program_env *env)
{
	run_close_against_send(env, 1);
}

/* ------------------------------------------------------------------------------------------
 * A sender that waits for a slot must hear of the close: nobody else will wake it.
 */

static void send_blocked(void *arg)
{
	struct scene *s = arg;
	expect("M-32", mpsc_send(s->ops, s->tx, 2, CHAN_FOREVER) == CHAN_CLOSED);
	expect("M-70", s->before == 1);
}

static void only_close(void *arg)
{
	struct scene *s = arg;
	s->before = 1;
	s->ops->close(s->rx);
}

static void close_wakes_sender(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_together(&s, send_blocked, only_close);
	expect("M-48", mpsc_drain(s.ops, s.rx) == 1);
	s.ops->sender_drop(&s.tx);
	s.ops->receiver_drop(&s.rx);
}

/* ------------------------------------------------------------------------------------------
 * The receiver goes
 */

static void only_drop(void *arg)
{
	struct scene *s = arg;
	s->before = 1;
	s->ops->receiver_drop(&s->rx);
}

static void send_two(void *arg)
{
	struct scene *s = arg;
	for (unsigned i = 1; i <= 2; i++) {
		enum chan_status status = mpsc_send(s->ops, s->tx, i, CHAN_FOREVER);
		expect("M-19", status == CHAN_OK || status == CHAN_CLOSED);
		if (status == CHAN_CLOSED)
			expect("M-70", s->before == 1);
	}
}

static void receiver_drop_against_send(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	program_together(&s, send_two, only_drop);
	expect("M-18", mpsc_send(s.ops, s.tx, 3, CHAN_NOW) == CHAN_CLOSED);
	s.ops->sender_drop(&s.tx);
}

/* ------------------------------------------------------------------------------------------
 * closed()
 */

static void wait_closed(void *arg)
{
	struct scene *s = arg;
	expect("M-71", s->ops->closed(s->tx, CHAN_FOREVER) == CHAN_OK);
	expect("M-70", s->before == 1);
}

static void run_closed(const struct program_env *env, void (*ending)(void *))
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_together(&s, wait_closed, ending);
	s.ops->sender_drop(&s.tx);
	s.ops->receiver_drop(&s.rx);
}

static void closed_against_close(const struct program_env *env)
{
	run_closed(env, only_close);
}

static void closed_against_drop(const struct program_env *env)
{
	run_closed(env, only_drop);
}

const struct program programs_mpsc_close[] = {
	{"close_against_send", ON_MPSC | ON_UNBOUNDED, "close", "M-18 M-34 M-48 U-3",
         "each send was before the close and is received, or fails", close_against_send},
	{"close_against_full", ON_MPSC, "close", "M-33 M-34 M-48 M-49", "the same with a slot for one of them",
         close_against_full},
	{"close_wakes_sender", ON_MPSC, "close", "M-32 M-70", "a sender that waits for a slot gets CLOSED",
         close_wakes_sender},
	{"receiver_drop_against_send", ON_MPSC | ON_UNBOUNDED, NULL, "M-19 M-32 D-2 D-4 M-70",
         "what was sent to a receiver that goes is destroyed", receiver_drop_against_send},
	{"closed_against_close", ON_MPSC | ON_UNBOUNDED, "close closed", "M-71 M-72 M-73",
         "who waits for the close hears of it, messages or not", closed_against_close},
	{"closed_against_drop", ON_MPSC | ON_UNBOUNDED, "closed", "M-71 M-73", "the same for the receiver's drop",
         closed_against_drop},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
