/* SPDX-License-Identifier: MIT
 *
 * mpsc_permit.c - permits against close: whatever makes a closed channel idle must wake the
 * receiver that waits for it.
 *
 * Rule M-50 knows eight ways. Each is a program here: the channel is closed with something
 * outstanding, the receiver drains it, and another thread ends what is outstanding in that way. A
 * way that forgets the wake is a deadlock.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	size_t want; /* slots of the reserve that is queued */
	bool timed;
	unsigned received, sent;
};

static void close_and_drain(void *arg)
{
	struct scene *s = arg;
	s->ops->close(s->rx);
	s->received = mpsc_drain(s->ops, s->rx);
}

/* With `slots` reserved through tx. */
static void open_with_permit(struct scene *s, const struct program_env *env, size_t capacity, size_t slots)
{
	s->ops = env->mpsc;
	mpsc_open(s->ops, capacity, &s->tx, &s->rx);
	expect("M-35", s->ops->reserve(s->tx, slots, &s->permit, CHAN_FOREVER) == CHAN_OK);
}

static void run_against_close(struct scene *s, void (*way)(void *), unsigned messages)
{
	program_together(s, way, close_and_drain);
	expect("M-49", s->received == messages);
	s->ops->sender_drop(&s->tx);
	s->ops->receiver_drop(&s->rx);
}

static void release(void *arg)
{
	struct scene *s = arg;
	s->ops->permit_release(&s->permit);
}

static void permit_dropped(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	open_with_permit(&s, env, 1, 1);
	run_against_close(&s, release, 0);
}

static void send_with_permit(void *arg)
{
	struct scene *s = arg;
	struct message *message = message_new(1);
	s->ops->permit_send(&s->permit, &message);
}

static void permit_sent(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	open_with_permit(&s, env, 1, 1);
	run_against_close(&s, send_with_permit, 1);
}

static void send_then_release(void *arg)
{
	send_with_permit(arg);
	release(arg);
}

static void permit_set_dropped(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	open_with_permit(&s, env, 2, 2);
	run_against_close(&s, send_then_release, 1);
}

/* ------------------------------------------------------------------------------------------
 * Owned permits: the sender goes with them
 */

static void open_with_owned(struct scene *s, const struct program_env *env)
{
	s->ops = env->mpsc;
	mpsc_open(s->ops, 1, &s->tx, &s->rx);
	expect("M-44", chan_reserve_owned(s->ops, &s->tx, &s->permit, &s->tx, CHAN_FOREVER) == CHAN_OK);
}

static void owned_drop(void *arg)
{
	struct scene *s = arg;
	chan_owned_release(s->ops, &s->permit, NULL);
}

static void owned_permit_dropped(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	open_with_owned(&s, env);
	run_against_close(&s, owned_drop, 0);
}

static void owned_release(void *arg)
{
	struct scene *s = arg;
	chan_owned_release(s->ops, &s->permit, &s->tx);
}

static void owned_permit_released(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	open_with_owned(&s, env);
	run_against_close(&s, owned_release, 0);
}

static void owned_send(void *arg)
{
	struct scene *s = arg;
	struct message *message = message_new(1);
	chan_owned_send(s->ops, &s->permit, &message, &s->tx);
}

static void owned_permit_sent(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	open_with_owned(&s, env);
	run_against_close(&s, owned_send, 1);
}

/* ------------------------------------------------------------------------------------------
 * A queued reserve that fails, or that is cancelled. Another sender's message fills the channel, so
 * that it queues; the close and the receiver's drain race with it.
 */

static void reserve_queued(void *arg)
{
	struct scene *s = arg;
	struct chan_permit permit = {.count = 0};
	enum chan_status status =
		s->ops->reserve(s->other_tx, s->want, &permit, s->timed ? program_soon() : CHAN_FOREVER);
	expect("M-33", status == CHAN_CLOSED || status == CHAN_OK || (s->timed && status == CHAN_TIMEOUT));
	if (status == CHAN_OK)
		s->ops->permit_release(&permit);
	s->ops->sender_drop(&s->other_tx);
}

static void run_queued(const struct program_env *env, size_t capacity, bool timed)
{
	struct scene s = {.ops = env->mpsc, .want = capacity, .timed = timed};
	mpsc_open(s.ops, capacity, &s.tx, &s.rx);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	run_against_close(&s, reserve_queued, 1);
}

static void queued_reserve_fails(const struct program_env *env)
{
	run_queued(env, 1, false);
}

static void queued_reserve_many_fails(const struct program_env *env)
{
	run_queued(env, 2, false);
}

static void queued_reserve_cancelled(const struct program_env *env)
{
	run_queued(env, 1, true);
}

static void queued_reserve_many_cancelled(const struct program_env *env)
{
	run_queued(env, 2, true);
}

/* ------------------------------------------------------------------------------------------
 * Permits without a close
 */

static void permit_after_receiver_drop(void *arg)
{
	struct scene *s = arg;
	s->ops->receiver_drop(&s->rx);
}

/* Never fails; the message is destroyed, by whomever. */
static void permit_against_receiver_drop(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	open_with_permit(&s, env, 1, 1);
	program_together(&s, send_with_permit, permit_after_receiver_drop);
	s.ops->sender_drop(&s.tx);
}

static void send_blocked(void *arg)
{
	struct scene *s = arg;
	expect("M-38", mpsc_send(s->ops, s->other_tx, 2, CHAN_FOREVER) == CHAN_OK);
	s->ops->sender_drop(&s->other_tx);
}

static void release_wakes_sender(const struct program_env *env)
{
	struct scene s = {.sent = 0};
	open_with_permit(&s, env, 1, 1);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	program_together(&s, release, send_blocked);
	s.ops->sender_drop(&s.tx);
	expect("M-38", mpsc_drain(s.ops, s.rx) == 1);
	s.ops->receiver_drop(&s.rx);
}

#define PERMITS "reserve permit_send permit_release"

const struct program programs_mpsc_permit[] = {
	{"permit_dropped", ON_MPSC, PERMITS " close", "M-38 M-49 M-50", "the last permit is given back",
         permit_dropped},
	{"permit_sent", ON_MPSC, PERMITS " close", "M-36 M-49 M-50", "the last permit sends", permit_sent},
	{"permit_set_dropped", ON_MPSC, PERMITS " close", "M-43 M-50", "a set of permits sends one, gives one back",
         permit_set_dropped},
	{"owned_permit_dropped", ON_MPSC, PERMITS " close", "M-44 M-50", "the last owned permit goes, with its sender",
         owned_permit_dropped},
	{"owned_permit_released", ON_MPSC, PERMITS " close", "M-44 M-50", "the last owned permit gives its slot back",
         owned_permit_released},
	{"owned_permit_sent", ON_MPSC, PERMITS " close", "M-44 M-50", "the last owned permit sends", owned_permit_sent},
	{"queued_reserve_fails", ON_MPSC, PERMITS " close sender_clone", "M-33 M-50", "a queued reserve fails",
         queued_reserve_fails},
	{"queued_reserve_many_fails", ON_MPSC, PERMITS " close sender_clone", "M-33 M-50",
         "a queued reserve that holds part of what it wants fails", queued_reserve_many_fails},
	{"queued_reserve_cancelled", ON_MPSC, PERMITS " close sender_clone", "M-26 M-50", "a queued reserve gives up",
         queued_reserve_cancelled},
	{"queued_reserve_many_cancelled", ON_MPSC, PERMITS " close sender_clone", "M-26 M-50",
         "a queued reserve that holds part of what it wants gives up", queued_reserve_many_cancelled},
	{"permit_against_receiver_drop", ON_MPSC, PERMITS, "M-37 D-4", "a permit sends to a receiver that goes",
         permit_against_receiver_drop},
	{"release_wakes_sender", ON_MPSC, PERMITS " sender_clone", "M-38",
         "a slot given back goes to who waits for one", release_wakes_sender},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
