/* SPDX-License-Identifier: MIT
 *
 * mpsc_arm.c - waiters without a thread: arms and disarms against what would fire them.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx;
	struct armed armed;
	unsigned before;
	enum chan_status status;
};

static void open_armed(struct scene *s, const struct program_env *env)
{
	s->ops = env->mpsc;
	mpsc_open(s->ops, 1, &s->tx, &s->rx);
	armed_open(&s->armed);
}

static void close_down(struct scene *s)
{
	s->ops->sender_drop(&s->tx);
	s->ops->sender_drop(&s->other_tx);
	s->ops->receiver_drop(&s->rx);
	sem_destroy(&s->armed.bell);
}

static void send_one(void *arg)
{
	struct scene *s = arg;
	s->before = 1;
	expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
}

static void wait_armed(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	if (s->ops->arm_recv(s->rx, &s->armed.waiter) == CHAN_ARMED) {
		armed_await(&s->armed);
		expect("P-4", s->before == 1); /* what was done before the event */
		expect("S-9", s->ops->disarm(&s->armed.waiter) && s->armed.woken == 1);
	}
	expect("M-46", mpsc_recv(s->ops, s->rx, &number, CHAN_NOW) == CHAN_OK);
}

static void run_arm_against_send(const struct program_env *env, bool cloned)
{
	struct scene s = {.before = 0};
	open_armed(&s, env);
	if (cloned)
		s.other_tx = mpsc_clone(s.ops, s.tx);
	program_together(&s, send_one, wait_armed);
	close_down(&s);
}

static void arm_against_send(const struct program_env *env)
{
	run_arm_against_send(env, false);
}

static void arm_against_clone(const struct program_env *env)
{
	run_arm_against_send(env, true);
}

static void arm_and_disarm(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	bool fired = true;
	if (s->ops->arm_recv(s->rx, &s->armed.waiter) == CHAN_ARMED) {
		fired = s->ops->disarm(&s->armed.waiter);
		/* fired, its wake may have been cancelled */
		expect("S-9", s->armed.woken <= (fired ? 1u : 0u));
		s->armed.waiter.wake = NULL; /* its memory is ours again */
	}
	if (fired)
		expect("M-46", mpsc_recv(s->ops, s->rx, &number, CHAN_NOW) == CHAN_OK);
	else
		expect("M-46", mpsc_recv(s->ops, s->rx, &number, CHAN_FOREVER) == CHAN_OK);
}

static void disarm_against_send(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_armed(&s, env);
	program_together(&s, send_one, arm_and_disarm);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * An armed sender is a queued sender.
 */

static void recv_one(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	expect("M-46", mpsc_recv(s->ops, s->rx, &number, CHAN_FOREVER) == CHAN_OK);
}

static void try_to_barge(void *arg)
{
	struct scene *s = arg;
	expect("M-22", mpsc_send(s->ops, s->other_tx, 9, CHAN_NOW) == CHAN_FULL);
}

/* Channel full, `armed` queued through tx. */
static void open_queued(struct scene *s, const struct program_env *env)
{
	open_armed(s, env);
	s->other_tx = mpsc_clone(s->ops, s->tx);
	expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
	expect("M-22", s->ops->arm_send(s->tx, &s->armed.waiter) == CHAN_ARMED);
}

static void no_barging(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_queued(&s, env);
	program_together(&s, recv_one, try_to_barge);
	expect("M-22", mpsc_send(s.ops, s.tx, 2, CHAN_NOW) == CHAN_OK && s.armed.woken == 1);
	expect("M-24", s.ops->disarm(&s.armed.waiter));
	close_down(&s);
}

static void disarm_it(void *arg)
{
	struct scene *s = arg;
	(void)s->ops->disarm(&s->armed.waiter);
}

static void send_blocked(void *arg)
{
	struct scene *s = arg;
	expect("M-26", mpsc_send(s->ops, s->other_tx, 2, CHAN_FOREVER) == CHAN_OK);
}

/* The slot that is freed goes to the armed sender, which does not want it any more, and so to
 * the one that waits. */
static void disarm_passes_slot_on(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_queued(&s, env);
	program_together(&s, recv_one, disarm_it, send_blocked);
	close_down(&s);
}

static void drop_armed(void *arg)
{
	struct scene *s = arg;
	s->ops->sender_drop(&s->tx);
}

static void drop_passes_slot_on(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_queued(&s, env);
	program_together(&s, recv_one, drop_armed, send_blocked);
	close_down(&s);
}

static void close_it(void *arg)
{
	struct scene *s = arg;
	s->ops->close(s->rx);
	expect("M-48", mpsc_drain(s->ops, s->rx) == 1);
}

/* A slot that an armed sender owns keeps the closed channel from being idle until the disarm. */
static void disarm_against_close(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_queued(&s, env);
	program_together(&s, close_it, disarm_it);
	close_down(&s);
}

#define ARMS "arm_recv arm_send disarm"

const struct program programs_mpsc_arm[] = {
	{"arm_against_send", ON_MPSC | ON_UNBOUNDED, "arm_recv disarm", "X-1 P-4 S-9",
         "an armed receiver is told of the message, once", arm_against_send},
	{"arm_against_clone", ON_MPSC | ON_UNBOUNDED, "arm_recv disarm sender_clone", "X-1 P-4 S-9",
         "the same, of one of two senders", arm_against_clone},
	{"disarm_against_send", ON_MPSC | ON_UNBOUNDED, "arm_recv disarm", "S-9 M-46",
         "after a disarm nobody touches the waiter; fired means there was a message", disarm_against_send},
	{"no_barging", ON_MPSC, ARMS " sender_clone", "M-22 M-24",
         "a freed slot is the queued sender's, not the quick one's", no_barging},
	{"disarm_passes_slot_on", ON_MPSC, ARMS " sender_clone", "M-26 X-1",
         "a disarmed sender's slot goes to the next", disarm_passes_slot_on},
	{"drop_passes_slot_on", ON_MPSC, ARMS " sender_clone", "M-26 D-14", "a dropped sender's slot goes to the next",
         drop_passes_slot_on},
	{"disarm_against_close", ON_MPSC, ARMS " sender_clone close", "M-49 M-50",
         "the receiver of a closed channel waits for an armed sender's slot", disarm_against_close},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
