/* SPDX-License-Identifier: MIT
 *
 * mpsc_orders.c - two or three operations that meet while the channel is changing hands: while a sender or a receiver is cloned, while the
 * channel is closed. A channel that has a way of its own for one sender, or for one receiver, leaves it just then; what was done in the
 * old way must be seen by who goes the new one.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx, *other_rx, *third_rx;
	struct chan_waiter waiter;
	unsigned before, woken, sent, received;
	atomic_bool done;
};

/* ------------------------------------------------------------------------------------------------------------------
 * A receiver sleeps, the only message is taken by another, and a third closes: nobody else will wake the sleeper.
 */

static void note(struct chan_waiter *waiter)
{
	((struct scene *)(void *)((char *)waiter - offsetof(struct scene, waiter)))->woken++;
}

static void try_send(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = mpsc_send(s->ops, s->tx, 1, CHAN_NOW);

	expect("M-18", status == CHAN_OK || status == CHAN_CLOSED);
}

static void try_recv(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	enum chan_status status = mpsc_recv(s->ops, s->rx, &number, CHAN_NOW);

	expect("M-54", status == CHAN_OK || status == CHAN_EMPTY || status == CHAN_CLOSED);
}

static void close_third(void *arg)
{
	struct scene *s = arg;

	s->ops->close(s->third_rx);
}

static void close_against_taking(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc, .waiter.wake = note};
	struct program_thread threads[3];

	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.third_rx) == CHAN_OK);
	expect("M-46", s.ops->arm_recv(s.other_rx, &s.waiter) == CHAN_ARMED);
	program_start(&threads[0], try_send, &s);
	program_start(&threads[1], try_recv, &s);
	program_start(&threads[2], close_third, &s);
	program_join(threads, 3);
	expect("P-4", s.ops->disarm(&s.waiter) && s.woken == 1);
	s.ops->sender_drop(&s.tx);
	s.ops->receiver_drop(&s.rx);
	s.ops->receiver_drop(&s.other_rx);
	s.ops->receiver_drop(&s.third_rx);
}

const struct program programs_mpsc_orders[] = {
	{"close_against_taking", ON_MPSC | ON_UNBOUNDED, "receiver_clone arm_recv disarm close", "P-4 M-46",
         "a close wakes a receiver though another took the message meant for it", close_against_taking},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
