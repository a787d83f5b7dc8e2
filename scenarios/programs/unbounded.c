/* SPDX-License-Identifier: MIT
 *
 * unbounded.c - the places where an unbounded queue gets and gives back memory: every 2^k messages.
 *
 * The main thread brings the channel near the boundary of a block of 32 (as many as the
 * implementations that allocate in blocks use, or a divisor of it), alone and so without choices;
 * then two threads cross it. The positions begin where they then are also near the boundary of a
 * block that has 255 messages in 256 positions, as ours.
 */
#include "scenarios/programs/programs.h"

enum { BLOCK = 32, START = 223 };

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx;
	unsigned received;
};

/* `count` messages have gone through. */
static void open_after(struct scene *s, const struct program_env *env, unsigned count)
{
	struct chan_config config = {.size = sizeof(struct message *), .destroy = message_destroy, .start = START};
	unsigned number;
	s->ops = env->mpsc;
	expect("M-1", s->ops->open(&config, &s->tx, &s->rx) == CHAN_OK);
	for (unsigned i = 0; i < count; i++) {
		expect("U-1", mpsc_send(s->ops, s->tx, 0, CHAN_FOREVER) == CHAN_OK);
		expect("U-4", mpsc_recv(s->ops, s->rx, &number, CHAN_NOW) == CHAN_OK);
	}
}

static void send_two(void *arg)
{
	struct scene *s = arg;
	expect("U-1", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
	expect("U-1", mpsc_send(s->ops, s->tx, 2, CHAN_FOREVER) == CHAN_OK);
	s->ops->sender_drop(&s->tx);
}

static void drain(void *arg)
{
	struct scene *s = arg;
	unsigned number, next = 1;
	while (mpsc_recv(s->ops, s->rx, &number, CHAN_FOREVER) == CHAN_OK)
		expect("M-65", number == next++);
	s->received = next - 1;
}

static void block_boundary(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_after(&s, env, BLOCK - 1);
	program_together(&s, send_two, drain);
	expect("U-4", s.received == 2);
	s.ops->receiver_drop(&s.rx);
}

static void send_one(void *arg)
{
	struct scene *s = arg;
	expect("U-1", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
}

static void send_other(void *arg)
{
	struct scene *s = arg;
	expect("U-1", mpsc_send(s->ops, s->other_tx, 2, CHAN_FOREVER) == CHAN_OK);
}

/* Both need the new block. */
static void block_boundary_two_senders(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_after(&s, env, BLOCK - 1);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	program_together(&s, send_one, send_other);
	s.ops->sender_drop(&s.tx);
	s.ops->sender_drop(&s.other_tx);
	expect("U-8", mpsc_drain(s.ops, s.rx) == 2);
	s.ops->receiver_drop(&s.rx);
}

static void drop_receiver(void *arg)
{
	struct scene *s = arg;
	s->ops->receiver_drop(&s->rx);
}

static void send_to_the_end(void *arg)
{
	struct scene *s = arg;
	for (unsigned i = 0; i < 2; i++) {
		enum chan_status status = mpsc_send(s->ops, s->tx, i, CHAN_FOREVER);
		expect("U-1", status == CHAN_OK || status == CHAN_CLOSED);
	}
	s->ops->sender_drop(&s->tx);
}

static void block_boundary_drop(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_after(&s, env, BLOCK - 1);
	program_together(&s, send_to_the_end, drop_receiver);
}

const struct program programs_unbounded[] = {
	{"block_boundary", ON_UNBOUNDED, NULL, "U-4 U-7 U-8", "a block begins between two messages that are received",
         block_boundary},
	{"block_boundary_two_senders", ON_UNBOUNDED, "sender_clone", "U-8", "two senders begin a block at once",
         block_boundary_two_senders},
	{"block_boundary_drop", ON_UNBOUNDED, NULL, "U-8 D-2 D-6", "a block begins while the receiver goes",
         block_boundary_drop},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
