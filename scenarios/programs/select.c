/* SPDX-License-Identifier: MIT
 *
 * select.c - waiting for one of two channels: exactly one completes, and what the loser was given
 * goes on.
 */
#include "impls/select.h"

#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx[2];
	struct chan_receiver *rx[2], *other_rx;
	size_t chosen;
	unsigned ended;
};

static void open_two(struct scene *s, const struct program_env *env)
{
	s->ops = env->mpsc;
	mpsc_open(s->ops, 1, &s->tx[0], &s->rx[0]);
	mpsc_open(s->ops, 1, &s->tx[1], &s->rx[1]);
}

static void close_down(struct scene *s)
{
	for (int i = 0; i < 2; i++) {
		s->ops->sender_drop(&s->tx[i]);
		s->ops->receiver_drop(&s->rx[i]);
	}
	s->ops->receiver_drop(&s->other_rx);
}

static void send_first(void *arg)
{
	struct scene *s = arg;
	expect("M-17", mpsc_send(s->ops, s->tx[0], 1, CHAN_FOREVER) == CHAN_OK);
}

static void send_second(void *arg)
{
	struct scene *s = arg;
	expect("M-17", mpsc_send(s->ops, s->tx[1], 2, CHAN_FOREVER) == CHAN_OK);
}

/* Biased, so that the choice is the schedule's alone. */
static void select_recv(void *arg)
{
	struct scene *s = arg;
	struct message *got[2] = {NULL, NULL};
	struct chan_branch branches[] = {chan_on_recv(s->ops, s->rx[0], &got[0]),
	                                 chan_on_recv(s->ops, s->rx[1], &got[1])};
	expect("S-1", chan_select(branches, 2, CHAN_FOREVER, CHAN_BIASED, &s->chosen) == CHAN_OK && s->chosen < 2);
	expect("S-2", branches[s->chosen].status == CHAN_OK);
	expect("S-1", message_end(got[s->chosen]) == s->chosen + 1);
}

static void select_two_channels(const struct program_env *env)
{
	struct scene s = {.ended = 0};
	unsigned number;
	open_two(&s, env);
	program_together(&s, send_first, send_second, select_recv);
	expect("S-1", mpsc_recv(s.ops, s.rx[s.chosen], &number, CHAN_NOW) == CHAN_EMPTY);
	expect("S-1", mpsc_recv(s.ops, s.rx[1 - s.chosen], &number, CHAN_NOW) == CHAN_OK && number == 2 - s.chosen);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * The second channel has another receiver. When the select was woken for its message and took the
 * first channel's, the message must reach the other receiver, which sleeps.
 */

static void recv_second(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	s->ended = mpsc_recv(s->ops, s->other_rx, &number, CHAN_FOREVER) == CHAN_OK;
}

static void select_loser_woken(const struct program_env *env)
{
	struct scene s = {.ended = 0};
	struct program_thread threads[3];
	unsigned number;
	open_two(&s, env);
	expect("P-1", s.ops->receiver_clone(s.rx[1], &s.other_rx) == CHAN_OK);
	program_start(&threads[0], select_recv, &s);
	program_start(&threads[1], recv_second, &s);
	program_start(&threads[2], send_first, &s);
	send_second(&s);
	program_join(threads, 1);
	if (s.chosen == 1) /* then the other has no message to wait for */
		s.ops->sender_drop(&s.tx[1]);
	program_join(threads + 1, 2);
	expect("S-8", s.ended == (s.chosen == 0));
	if (s.chosen == 1)
		expect("S-1", mpsc_recv(s.ops, s.rx[0], &number, CHAN_NOW) == CHAN_OK);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * Deadlines and the end
 */

static void select_in_time(void *arg)
{
	struct scene *s = arg;
	struct message *got = NULL;
	struct chan_branch branches[] = {chan_on_recv(s->ops, s->rx[0], &got), chan_on_recv(s->ops, s->rx[1], &got)};
	enum chan_status status = chan_select(branches, 2, program_soon(), CHAN_BIASED, &s->chosen);
	expect("S-15", status == CHAN_OK || status == CHAN_TIMEOUT);
	if (status == CHAN_OK)
		message_end(got);
	s->ended = status == CHAN_OK;
}

static void select_timeout_against_send(const struct program_env *env)
{
	struct scene s = {.ended = 0};
	unsigned number;
	open_two(&s, env);
	program_together(&s, select_in_time, send_second);
	expect("S-15", mpsc_recv(s.ops, s.rx[1], &number, CHAN_NOW) == (s.ended ? CHAN_EMPTY : CHAN_OK));
	close_down(&s);
}

static void drop_second(void *arg)
{
	struct scene *s = arg;
	s->ops->sender_drop(&s->tx[1]);
}

static void select_end(void *arg)
{
	struct scene *s = arg;
	struct message *got;
	struct chan_branch branches[] = {chan_on_recv(s->ops, s->rx[0], &got), chan_on_recv(s->ops, s->rx[1], &got)};
	expect("S-18", chan_select(branches, 2, CHAN_FOREVER, CHAN_BIASED, &s->chosen) == CHAN_OK && s->chosen == 1);
	expect("S-18", branches[1].status == CHAN_CLOSED);
}

static void select_woken_by_end(const struct program_env *env)
{
	struct scene s = {.ended = 0};
	open_two(&s, env);
	program_together(&s, select_end, drop_second);
	close_down(&s);
}

const struct program programs_select[] = {
	{"select_two_channels", ON_MPSC | ON_UNBOUNDED, "arm_recv disarm", "S-1 S-9 S-11",
         "two messages come at once: one is taken, the other stays", select_two_channels},
	{"select_loser_woken", ON_MPSC | ON_UNBOUNDED, "arm_recv disarm receiver_clone", "S-8 P-5",
         "a select that was woken for a message and took another passes the wake on", select_loser_woken},
	{"select_timeout_against_send", ON_MPSC | ON_UNBOUNDED, "arm_recv disarm", "S-9 S-15",
         "a select that gave up has taken nothing", select_timeout_against_send},
	{"select_woken_by_end", ON_MPSC | ON_UNBOUNDED, "arm_recv disarm", "S-2 S-18", "the end of a channel counts",
         select_woken_by_end},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
