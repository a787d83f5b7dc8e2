/* SPDX-License-Identifier: MIT
 *
 * mpsc_ends.c - handles that come and go: the last sender, clones, weak ones, and who frees the
 * channel.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx;
	struct chan_weak *weak;
	unsigned sent, received;
};

static void drain(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	s->received = mpsc_drain(s->ops, s->rx);
	expect("M-53", mpsc_recv(s->ops, s->rx, &number, CHAN_FOREVER) == CHAN_CLOSED);
}

static void send_and_drop(void *arg)
{
	struct scene *s = arg;
	expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
	s->ops->sender_drop(&s->tx);
}

static void drop_other(void *arg)
{
	struct scene *s = arg;
	s->ops->sender_drop(&s->other_tx);
}

static void last_sender_drop(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	program_together(&s, send_and_drop, drain);
	expect("M-69", s.received == 1);
	s.ops->receiver_drop(&s.rx);
}

static void two_last_senders(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	program_together(&s, send_and_drop, drop_other, drain);
	expect("M-47", s.received == 1);
	s.ops->receiver_drop(&s.rx);
}

/* ------------------------------------------------------------------------------------------
 * A clone is made while the other goes: the count is never 0.
 */

static void clone_and_send(void *arg)
{
	struct scene *s = arg;
	struct chan_sender *clone = mpsc_clone(s->ops, s->tx);
	s->ops->sender_drop(&s->tx);
	expect("M-17", mpsc_send(s->ops, clone, 1, CHAN_FOREVER) == CHAN_OK);
	s->ops->sender_drop(&clone);
}

static void clone_against_drop(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	program_together(&s, clone_and_send, drop_other);
	expect("M-47", mpsc_drain(s.ops, s.rx) == 1);
	s.ops->receiver_drop(&s.rx);
}

/* ------------------------------------------------------------------------------------------
 * Weak senders
 */

static void drop_first(void *arg)
{
	struct scene *s = arg;
	s->ops->sender_drop(&s->tx);
}

static void upgrade_and_send(void *arg)
{
	struct scene *s = arg;
	struct chan_sender *tx = NULL;
	enum chan_status status = s->ops->upgrade(s->weak, &tx);
	expect("M-75", status == CHAN_OK || status == CHAN_CLOSED);
	if (status == CHAN_OK) {
		expect("M-75", mpsc_send(s->ops, tx, 1, CHAN_FOREVER) == CHAN_OK);
		s->ops->sender_drop(&tx);
		s->sent = 1;
	}
	s->ops->weak_drop(&s->weak);
}

/* The receiver waits meanwhile: it gets CLOSED once, and never a message after it. */
static void upgrade_against_last_drop(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	expect("M-74", s.ops->downgrade(s.tx, &s.weak) == CHAN_OK);
	program_together(&s, drop_first, upgrade_and_send, drain);
	expect("M-75", s.received == s.sent);
	s.ops->receiver_drop(&s.rx);
}

static void upgrade_twice(void *arg)
{
	struct scene *s = arg;
	struct chan_sender *tx = NULL;
	bool closed = false;
	for (int i = 0; i < 2; i++) {
		enum chan_status status = s->ops->upgrade(s->weak, &tx);
		expect("M-75", status == CHAN_CLOSED || !closed);
		closed = status == CHAN_CLOSED;
		if (status == CHAN_OK)
			s->ops->sender_drop(&tx);
	}
}

static void upgrade_fails_for_ever(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	struct chan_sender *tx = NULL;
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	expect("M-74", s.ops->downgrade(s.tx, &s.weak) == CHAN_OK);
	program_together(&s, drop_first, upgrade_twice);
	expect("M-75", s.ops->upgrade(s.weak, &tx) == CHAN_CLOSED);
	s.ops->weak_drop(&s.weak);
	s.ops->receiver_drop(&s.rx);
}

/* ------------------------------------------------------------------------------------------
 * Everybody goes at once: exactly one frees, and what is inside is destroyed once.
 */

static void drop_receiver(void *arg)
{
	struct scene *s = arg;
	s->ops->receiver_drop(&s->rx);
}

static void drop_weak(void *arg)
{
	struct scene *s = arg;
	s->ops->weak_drop(&s->weak);
}

static void both_sides_drop(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_together(&s, drop_first, drop_receiver);
}

static void all_drop(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	expect("M-74", s.ops->downgrade(s.tx, &s.weak) == CHAN_OK);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_together(&s, drop_first, drop_receiver, drop_weak);
}

const struct program programs_mpsc_ends[] = {
	{"last_sender_drop", ON_MPSC | ON_UNBOUNDED, NULL, "M-47 M-52 M-53 M-69",
         "the last sender's drop wakes the receiver, after its message", last_sender_drop},
	{"two_last_senders", ON_MPSC | ON_UNBOUNDED, "sender_clone", "M-47 M-52",
         "two drop at once: one of them closes", two_last_senders},
	{"clone_against_drop", ON_MPSC | ON_UNBOUNDED, "sender_clone", "M-47 M-77", "a clone keeps the channel open",
         clone_against_drop},
	{"upgrade_against_last_drop", ON_MPSC | ON_UNBOUNDED, "downgrade upgrade weak_drop", "M-75 M-52",
         "an upgrade gives a sender that is heard, or none", upgrade_against_last_drop},
	{"upgrade_fails_for_ever", ON_MPSC | ON_UNBOUNDED, "downgrade upgrade weak_drop", "M-75",
         "once there was no sender there is none again", upgrade_fails_for_ever},
	{"both_sides_drop", ON_MPSC | ON_UNBOUNDED, NULL, "D-2 D-6 D-13", "sender and receiver drop at once",
         both_sides_drop},
	{"all_drop", ON_MPSC | ON_UNBOUNDED, "downgrade weak_drop", "D-6 D-13 M-78", "the same with a weak sender",
         all_drop},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
