/* SPDX-License-Identifier: MIT
 *
 * mpsc_orders.c - two or three operations that meet while the channel is changing hands: while a
 * sender or a receiver is cloned, while the channel is closed. A channel that has a way of its own
 * for one sender, or for one receiver, leaves it just then; what was done in the old way must be
 * seen by who goes the new one.
 */
#include "scenarios/programs/programs.h"

#include "harness/explore/look.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx, *other_rx, *third_rx;
	struct chan_weak *weak;
	struct chan_waiter waiter;
	unsigned before, woken, sent;
};

/* A channel whose second message has a number, with one slot also a lap, that looks like memory
 * that nobody has written: what is looked at before it is set up seems to be that message. */
static void open_fresh(struct scene *s, const struct program_env *env)
{
	struct chan_config config = {.size = sizeof(struct message *),
	                             .capacity = 1,
	                             .destroy = message_destroy,
	                             .start = EXPLORE_FRESH - 1};
	s->ops = env->mpsc;
	expect("M-1", s->ops->open(&config, &s->tx, &s->rx) == CHAN_OK);
}

/* One slot, with a message in it. */
static void open_full(struct scene *s, const struct program_env *env)
{
	open_fresh(s, env);
	expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_NOW) == CHAN_OK);
}

static void close_down(struct scene *s)
{
	s->ops->sender_drop(&s->tx);
	s->ops->sender_drop(&s->other_tx);
	s->ops->receiver_drop(&s->rx);
	s->ops->receiver_drop(&s->other_rx);
	s->ops->receiver_drop(&s->third_rx);
}

static void note(struct chan_waiter *waiter)
{
	((struct scene *)(void *)((char *)waiter - offsetof(struct scene, waiter)))->woken++;
}

static void try_recv(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	enum chan_status status = mpsc_recv(s->ops, s->rx, &number, CHAN_NOW);
	expect("M-54", status == CHAN_OK || status == CHAN_EMPTY || status == CHAN_CLOSED);
}

/* ------------------------------------------------------------------------------------------
 * The sender becomes two while the receiver is at it.
 */

static void clone_and_try(void *arg)
{
	struct scene *s = arg;
	s->other_tx = mpsc_clone(s->ops, s->tx);
	s->sent += mpsc_send(s->ops, s->other_tx, 2, CHAN_NOW) == CHAN_OK;
}

static void try_recv_two(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	expect("M-46", mpsc_recv(s->ops, s->rx, &number, CHAN_NOW) == CHAN_OK && number == 1);
	enum chan_status status = mpsc_recv(s->ops, s->rx, &number, CHAN_NOW);
	expect("M-54", status == CHAN_EMPTY || (status == CHAN_OK && number == 2));
}

static void clone_against_recv(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	open_full(&s, env);
	program_together(&s, clone_and_try, try_recv_two);
	close_down(&s);
}

/* A sender is made of a weak one, and the last one's drop tells the receiver: it is another
 * thread than the one that made two of one. */
static void upgrade_and_drop(void *arg)
{
	struct scene *s = arg;
	struct chan_sender *tx = NULL;
	if (s->ops->upgrade(s->weak, &tx) == CHAN_OK)
		s->ops->sender_drop(&tx);
}

static void drop_sender(void *arg)
{
	struct scene *s = arg;
	s->ops->sender_drop(&s->tx);
}

static void try_recv_nothing(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	enum chan_status status = mpsc_recv(s->ops, s->rx, &number, CHAN_NOW);
	expect("M-54", status == CHAN_EMPTY || status == CHAN_CLOSED);
}

static void upgrade_against_recv(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	unsigned number;
	open_full(&s, env);
	expect("M-46", mpsc_recv(s.ops, s.rx, &number, CHAN_NOW) == CHAN_OK);
	expect("M-74", s.ops->downgrade(s.tx, &s.weak) == CHAN_OK);
	program_together(&s, upgrade_and_drop, drop_sender, try_recv_nothing);
	s.ops->weak_drop(&s.weak);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * The receiver becomes two, and one of them frees the slot that is sent into.
 */

static void clone_and_recv(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	expect("P-1", s->ops->receiver_clone(s->rx, &s->other_rx) == CHAN_OK);
	s->before = 1;
	expect("M-46", mpsc_recv(s->ops, s->other_rx, &number, CHAN_NOW) == CHAN_OK && number == 1);
}

static void try_send_into_freed(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = mpsc_send(s->ops, s->tx, 2, CHAN_NOW);
	expect("M-20", status == CHAN_OK || status == CHAN_FULL);
	if (status == CHAN_OK)
		expect("M-68", s->before == 1);
}

static void receiver_clone_against_send(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_full(&s, env);
	program_together(&s, clone_and_recv, try_send_into_freed);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * One slot is freed, and two senders try for it; one of them has others locked out for a moment.
 */

static void try_and_reserve(void *arg)
{
	struct scene *s = arg;
	struct chan_permit permit;
	s->sent += mpsc_send(s->ops, s->tx, 2, CHAN_NOW) == CHAN_OK;
	if (s->ops->reserve(s->tx, 1, &permit, CHAN_NOW) == CHAN_OK)
		s->ops->permit_release(&permit);
}

static void try_other(void *arg)
{
	struct scene *s = arg;
	s->before = mpsc_send(s->ops, s->other_tx, 2, CHAN_NOW) == CHAN_OK;
}

static void tries_for_one_slot(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	struct program_thread threads[2];
	unsigned number;
	open_full(&s, env);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	program_start(&threads[0], try_and_reserve, &s);
	program_start(&threads[1], try_other, &s);
	expect("M-46", mpsc_recv(s.ops, s.rx, &number, CHAN_NOW) == CHAN_OK);
	program_join(threads, 2);
	expect("M-24", s.sent + s.before <= 1);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * A receiver sleeps, the only message is taken by another, and a third closes: nobody else will
 * wake the sleeper.
 */

static void try_send(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = mpsc_send(s->ops, s->tx, 1, CHAN_NOW);
	expect("M-18", status == CHAN_OK || status == CHAN_CLOSED);
}

static void close_third(void *arg)
{
	struct scene *s = arg;
	s->ops->close(s->third_rx);
}

static void close_against_taking(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc, .waiter.wake = note};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.third_rx) == CHAN_OK);
	expect("M-46", s.ops->arm_recv(s.other_rx, &s.waiter) == CHAN_ARMED);
	program_together(&s, try_send, try_recv, close_third);
	expect("P-4", s.ops->disarm(&s.waiter) && s.woken == 1);
	close_down(&s);
}

const struct program programs_mpsc_orders[] = {
	{"clone_against_recv", ON_MPSC | ON_UNBOUNDED, "sender_clone", "M-54 M-67 M-77",
         "two senders are made of one while the receiver looks", clone_against_recv},
	{"upgrade_against_recv", ON_MPSC | ON_UNBOUNDED, "downgrade upgrade weak_drop", "M-54 M-75",
         "the same, and another than who did it ends the channel", upgrade_against_recv},
	{"receiver_clone_against_send", ON_MPSC, "receiver_clone", "M-20 M-68 P-1",
         "two receivers are made of one while the sender looks for a slot", receiver_clone_against_send},
	{"tries_for_one_slot", ON_MPSC, "sender_clone reserve permit_release", "M-20 M-24",
         "two try for one slot, and one of them tries to reserve another", tries_for_one_slot},
	{"close_against_taking", ON_MPSC | ON_UNBOUNDED, "receiver_clone arm_recv disarm close", "P-4 M-46",
         "a close wakes a receiver though another took the message meant for it", close_against_taking},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
