/* SPDX-License-Identifier: MIT
 *
 * mpsc_seen.c - who hears that a channel is over, full or empty has seen what was done before it
 * became so.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx, *third_tx;
	struct chan_receiver *rx, *other_rx;
	unsigned before; /* plain */
};

static void close_down(struct scene *s)
{
	s->ops->sender_drop(&s->tx);
	s->ops->sender_drop(&s->other_tx);
	s->ops->sender_drop(&s->third_tx);
	s->ops->receiver_drop(&s->rx);
	s->ops->receiver_drop(&s->other_rx);
}

/* ------------------------------------------------------------------------------------------
 * Over
 */

static void end_sending(void *arg)
{
	struct scene *s = arg;
	s->before = 1;
	s->ops->sender_drop(&s->tx);
}

static void try_to_the_end(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	if (mpsc_recv(s->ops, s->rx, &number, CHAN_NOW) == CHAN_CLOSED)
		expect("M-69", s->before == 1);
}

static void run_end(const struct program_env *env, bool cloned)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	if (cloned)
		expect("P-1", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	program_together(&s, end_sending, try_to_the_end);
	close_down(&s);
}

static void end_is_seen(const struct program_env *env)
{
	run_end(env, false);
}

static void end_is_seen_by_one_of_two(const struct program_env *env)
{
	run_end(env, true);
}

/* ------------------------------------------------------------------------------------------
 * Full: two have sent, and one of the threads locks the senders out for a moment.
 */

static void fill(void *arg)
{
	struct scene *s = arg;
	enum chan_status status;
	s->before = 1;
	status = mpsc_send(s->ops, s->tx, 1, CHAN_NOW);
	expect("M-20", status == CHAN_FULL || status == CHAN_OK);
}

/* In vain: there is one in it all the time. */
static void try_to_reserve(void *arg)
{
	struct scene *s = arg;
	struct chan_permit permit;
	expect("M-39", s->ops->reserve(s->third_tx, 2, &permit, CHAN_NOW) == CHAN_FULL);
}

static void try_to_fill(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = mpsc_send(s->ops, s->other_tx, 2, CHAN_NOW);
	expect("M-20", status == CHAN_FULL || status == CHAN_OK);
	if (status == CHAN_FULL)
		expect("M-70", s->before == 1);
}

static void full_is_seen(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	s.third_tx = mpsc_clone(s.ops, s.tx);
	expect("M-17", mpsc_send(s.ops, s.tx, 0, CHAN_NOW) == CHAN_OK);
	program_together(&s, fill, try_to_reserve, try_to_fill);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * Empty: the only message was another's.
 */

static void take_first(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	s->before = 1;
	expect("M-54", mpsc_recv(s->ops, s->rx, &number, CHAN_NOW) != CHAN_CLOSED);
}

static void try_to_take(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	enum chan_status status = mpsc_recv(s->ops, s->other_rx, &number, CHAN_NOW);
	if (status == CHAN_EMPTY)
		expect("M-70", s->before == 1);
}

static void empty_is_seen(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 2, &s.tx, &s.rx);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_NOW) == CHAN_OK);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	program_together(&s, take_first, try_to_take);
	close_down(&s);
}

const struct program programs_mpsc_seen[] = {
	{"full_is_seen", ON_MPSC, "sender_clone reserve", "M-70",
         "what was done before the send that has filled the channel", full_is_seen},
	{"empty_is_seen", ON_MPSC | ON_UNBOUNDED, "receiver_clone", "M-70",
         "what was done before the receive that has emptied the channel", empty_is_seen},
	{"end_is_seen", ON_MPSC | ON_UNBOUNDED, NULL, "M-69", "what was done before the last sender went", end_is_seen},
	{"end_is_seen_by_one_of_two", ON_MPSC | ON_UNBOUNDED, "receiver_clone", "M-69 P-1",
         "the same, by one of two receivers", end_is_seen_by_one_of_two},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
