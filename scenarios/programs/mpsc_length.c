/* SPDX-License-Identifier: MIT
 *
 * mpsc_length.c - what a sender is told of the length while others send, receive and go.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx, *other_rx;
	bool batches, shared; /* which way it goes */
	atomic_bool done;
};

static void close_down(struct scene *s)
{
	s->ops->sender_drop(&s->tx);
	s->ops->sender_drop(&s->other_tx);
	s->ops->receiver_drop(&s->rx);
	s->ops->receiver_drop(&s->other_rx);
}

static void open_with_one(struct scene *s, const struct program_env *env)
{
	s->ops = env->mpsc;
	mpsc_open(s->ops, 2, &s->tx, &s->rx);
	s->other_tx = mpsc_clone(s->ops, s->tx);
	expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_NOW) == CHAN_OK);
}

/* ------------------------------------------------------------------------------------------
 * A message comes, then another goes: at no moment there was none.
 */

/* One, as a batch where that is asked for: some implementations go another way then. */
static void send_number(struct scene *s, unsigned number)
{
	struct message *message = message_new(number);
	size_t sent;
	if (s->batches)
		expect("M-17", s->ops->send_many(s->tx, &message, 1, &sent, CHAN_NOW) == CHAN_OK);
	else
		expect("M-17", s->ops->send(s->tx, &message, CHAN_NOW) == CHAN_OK);
}

static void recv_number(struct scene *s, unsigned number)
{
	struct message *message = NULL;
	size_t received;
	if (s->batches)
		expect("M-59", s->ops->recv_many(s->rx, &message, 1, &received, CHAN_NOW) == CHAN_OK);
	else
		expect("M-46", s->ops->recv(s->rx, &message, CHAN_NOW) == CHAN_OK);
	expect("M-65", message_end(message) == number);
}

static void send_second(void *arg)
{
	struct scene *s = arg;
	send_number(s, 2);
	program_raise(&s->done);
}

static void recv_first(void *arg)
{
	struct scene *s = arg;
	if (program_raised(&s->done))
		recv_number(s, 1);
}

static void ask_length(void *arg)
{
	struct scene *s = arg;
	uint64_t length = s->ops->sender_get(s->other_tx, CHAN_LEN);
	expect("M-9", length == CHAN_UNKNOWN || (length >= 1 && length <= 2));
}

static void run_length(struct scene *s, const struct program_env *env)
{
	open_with_one(s, env);
	if (s->shared)
		expect("P-1", s->ops->receiver_clone(s->rx, &s->other_rx) == CHAN_OK);
	program_together(s, send_second, recv_first, ask_length);
	close_down(s);
}

static void length_against_recv(const struct program_env *env)
{
	struct scene s = {.shared = false};
	run_length(&s, env);
}

static void length_against_batches(const struct program_env *env)
{
	struct scene s = {.batches = true};
	run_length(&s, env);
}

static void length_against_receivers(const struct program_env *env)
{
	struct scene s = {.shared = true};
	run_length(&s, env);
}

/* The other way round: one goes, then another comes, and there were never two. An implementation
 * that reads two counters one after the other has to look twice; of a bounded channel no rule
 * asks that. */
static void recv_before(void *arg)
{
	struct scene *s = arg;
	recv_number(s, 1);
	program_raise(&s->done);
}

static void send_after(void *arg)
{
	struct scene *s = arg;
	if (program_raised(&s->done))
		send_number(s, 2);
}

static void ask_short_length(void *arg)
{
	struct scene *s = arg;
	uint64_t length = s->ops->sender_get(s->other_tx, CHAN_LEN);
	expect("M-9", length == CHAN_UNKNOWN || length <= 1);
}

static void run_short_length(struct scene *s, const struct program_env *env)
{
	open_with_one(s, env);
	program_together(s, recv_before, send_after, ask_short_length);
	close_down(s);
}

static void length_against_send(const struct program_env *env)
{
	struct scene s = {.shared = false};
	run_short_length(&s, env);
}

static void length_against_batch(const struct program_env *env)
{
	struct scene s = {.batches = true};
	run_short_length(&s, env);
}

/* Two receivers try for the one message that comes: who asks sees it or not, and never fewer
 * than none. What the one who took it knew of the message it may have from the other. */
static void send_only(void *arg)
{
	struct scene *s = arg;
	send_number(s, 1);
}

static void try_recv(struct scene *s, struct chan_receiver *rx)
{
	unsigned number;
	enum chan_status status = mpsc_recv(s->ops, rx, &number, CHAN_NOW);
	expect("M-54", status == CHAN_OK || status == CHAN_EMPTY);
}

static void try_first(void *arg)
{
	struct scene *s = arg;
	try_recv(s, s->rx);
}

static void try_other(void *arg)
{
	struct scene *s = arg;
	try_recv(s, s->other_rx);
}

static void length_against_two_receivers(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	program_together(&s, send_only, try_first, try_other, ask_short_length);
	close_down(&s);
}

static void send_or_not(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = mpsc_send(s->ops, s->tx, 2, CHAN_NOW);
	expect("M-18", status == CHAN_OK || status == CHAN_FULL || status == CHAN_CLOSED);
}

static void drop_receiver(void *arg)
{
	struct scene *s = arg;
	s->ops->receiver_drop(&s->rx);
}

static void ask_any_length(void *arg)
{
	struct scene *s = arg;
	uint64_t length = s->ops->sender_get(s->other_tx, CHAN_LEN);
	expect("M-8", length == CHAN_UNKNOWN || length <= 2);
}

/* What the receiver leaves is taken out one by one. */
static void length_against_drop(const struct program_env *env)
{
	struct scene s = {.shared = false};
	open_with_one(&s, env);
	program_together(&s, send_or_not, drop_receiver, ask_any_length);
	close_down(&s);
}

const struct program programs_mpsc_length[] = {
	{"length_against_recv", ON_MPSC | ON_UNBOUNDED, "sender_clone sender_get", "M-8 M-9",
         "one comes, then one goes: the length was never 0", length_against_recv},
	{"length_against_receivers", ON_MPSC | ON_UNBOUNDED, "sender_clone receiver_clone sender_get", "M-8 M-9 P-1",
         "the same with several receivers", length_against_receivers},
	{"length_against_batches", ON_MPSC | ON_UNBOUNDED, "sender_clone send_many recv_many sender_get", "M-8 M-9",
         "the same with batches", length_against_batches},
	{"length_against_send", ON_UNBOUNDED, "sender_clone sender_get", "M-8 M-9",
         "one goes, then one comes: the length was never 2", length_against_send},
	{"length_against_batch", ON_UNBOUNDED, "sender_clone send_many recv_many sender_get", "M-8 M-9",
         "the same with batches", length_against_batch},
	{"length_against_two_receivers", ON_MPSC | ON_UNBOUNDED, "sender_clone receiver_clone sender_get",
         "M-8 M-9 P-1", "two receivers try for the only message: the length is 0 or 1", length_against_two_receivers},
	{"length_against_drop", ON_MPSC | ON_UNBOUNDED, "sender_clone sender_get", "M-8",
         "what the receiver leaves is destroyed: the length is never below zero", length_against_drop},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
