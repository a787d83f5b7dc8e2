/* SPDX-License-Identifier: MIT
 *
 * mpsc_receivers.c - several receivers on one channel.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx;
	struct chan_receiver *rx, *other_rx;
	unsigned received, other_received;
};

static void open_two(struct scene *s, const struct program_env *env)
{
	s->ops = env->mpsc;
	mpsc_open(s->ops, 2, &s->tx, &s->rx);
	expect("P-1", s->ops->receiver_clone(s->rx, &s->other_rx) == CHAN_OK);
}

static void drop_receivers(struct scene *s)
{
	s->ops->receiver_drop(&s->rx);
	s->ops->receiver_drop(&s->other_rx);
}

static void drain(void *arg)
{
	struct scene *s = arg;
	s->received = mpsc_drain(s->ops, s->rx);
}

static void drain_other(void *arg)
{
	struct scene *s = arg;
	s->other_received = mpsc_drain(s->ops, s->other_rx);
}

static void send_one_and_drop(void *arg)
{
	struct scene *s = arg;
	expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
	s->ops->sender_drop(&s->tx);
}

static void two_receivers(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_two(&s, env);
	program_together(&s, drain, drain_other, send_one_and_drop);
	expect("P-1", s.received + s.other_received == 1);
	drop_receivers(&s);
}

/* ------------------------------------------------------------------------------------------
 * close by one of them ends the other's wait
 */

static void close_other(void *arg)
{
	struct scene *s = arg;
	s->ops->close(s->other_rx);
}

static void close_against_recv(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_two(&s, env);
	program_together(&s, drain, close_other);
	expect("P-6", s.received == 0);
	s.ops->sender_drop(&s.tx);
	drop_receivers(&s);
}

/* ------------------------------------------------------------------------------------------
 * A receiver that was woken and gives up passes the wake on.
 */

static void recv_in_time(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	enum chan_status status = mpsc_recv(s->ops, s->rx, &number, program_soon());
	expect("M-63", status == CHAN_OK || status == CHAN_TIMEOUT);
	s->received = status == CHAN_OK;
}

static void recv_other(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	expect("P-5", mpsc_recv(s->ops, s->other_rx, &number, CHAN_FOREVER) == CHAN_OK);
}

/* When the one has received the message, another is sent for the other; when it has not, the one
 * message must reach it. */
static void receiver_gives_up(const struct program_env *env)
{
	struct scene s = {.received = 0};
	struct program_thread threads[2];
	open_two(&s, env);
	program_start(&threads[0], recv_in_time, &s);
	program_start(&threads[1], recv_other, &s);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_join(threads, 1);
	if (s.received == 1)
		expect("M-17", mpsc_send(s.ops, s.tx, 2, CHAN_FOREVER) == CHAN_OK);
	program_join(threads + 1, 1);
	s.ops->sender_drop(&s.tx);
	drop_receivers(&s);
}

/* ------------------------------------------------------------------------------------------
 * The last receiver's drop is one, whichever it is.
 */

static void drop_first(void *arg)
{
	struct scene *s = arg;
	s->ops->receiver_drop(&s->rx);
}

static void drop_other(void *arg)
{
	struct scene *s = arg;
	s->ops->receiver_drop(&s->other_rx);
}

static void two_last_receivers(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_two(&s, env);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_together(&s, drop_first, drop_other);
	expect("P-3", mpsc_send(s.ops, s.tx, 2, CHAN_NOW) == CHAN_CLOSED);
	s.ops->sender_drop(&s.tx);
}

const struct program programs_mpsc_receivers[] = {
	{"two_receivers", ON_MPSC | ON_UNBOUNDED, "receiver_clone", "P-1 P-4 M-52",
         "one message goes to one of two; the end wakes both", two_receivers},
	{"close_against_recv", ON_MPSC | ON_UNBOUNDED, "receiver_clone close", "P-4 P-6 M-46",
         "a close ends the other receiver's wait", close_against_recv},
	{"receiver_gives_up", ON_MPSC | ON_UNBOUNDED, "receiver_clone", "P-5 M-63",
         "a receiver that gives up passes its wake on", receiver_gives_up},
	{"two_last_receivers", ON_MPSC | ON_UNBOUNDED, "receiver_clone", "P-3 D-2",
         "two drop at once: one of them closes and drains", two_last_receivers},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
