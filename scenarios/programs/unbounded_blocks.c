/* SPDX-License-Identifier: MIT
 *
 * unbounded_blocks.c - the ends of blocks, reached within a few messages: the elements are so large
 * that few of them, or only one, go into a block of memory of a few KiB. What is sent is their
 * first bytes, a message; the rest is copied, so that an explorer sees who writes into memory from
 * which another still reads.
 */
#include "scenarios/programs/programs.h"

#include "harness/explore/look.h"

#include <stdalign.h>
#include <string.h>

enum {
	ALONE = 1104, /* bytes: two of them take more than half of 4096 */
	THREE = 704   /* two do not: a block of three, or of a few more */
};

/* Our blocks of one have a position for their cell and one for their end, and stamp the cell
 * with eight times its position, plus 1. From here on the stamp of the second message looks like
 * memory that nobody has written. */
#define START (0x0101010101010101u * EXPLORE_FRESH / 8 - 2)

struct scene {
	const struct chan_mpsc_ops *ops;
	size_t size;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx, *other_rx, *third_rx;
	unsigned received, other_received, third_received;
};

static void open_large(struct scene *s, const struct program_env *env, size_t size)
{
	struct chan_config config = {
		.size = size, .align = alignof(struct message *), .destroy = message_destroy, .start = START};
	s->ops = env->mpsc;
	s->size = size;
	expect("M-1", s->ops->open(&config, &s->tx, &s->rx) == CHAN_OK);
}

static void send(struct scene *s, struct chan_sender *tx, unsigned number)
{
	struct message *message = message_new(number);
	alignas(struct message *) char large[ALONE] = {0};
	memcpy(large, &message, sizeof message);
	expect("U-1", s->ops->send(tx, large, CHAN_FOREVER) == CHAN_OK);
}

/* 0: nothing. */
static unsigned try_recv(struct scene *s, struct chan_receiver *rx)
{
	struct message *message;
	alignas(struct message *) char large[ALONE];
	enum chan_status status = s->ops->recv(rx, large, CHAN_NOW);
	program_saw(status);
	expect("M-54", status == CHAN_OK || status == CHAN_EMPTY);
	if (status != CHAN_OK)
		return 0;
	memcpy(&message, large, sizeof message);
	return message_end(message);
}

static void close_down(struct scene *s)
{
	s->ops->sender_drop(&s->tx);
	s->ops->sender_drop(&s->other_tx);
	s->ops->receiver_drop(&s->rx);
	s->ops->receiver_drop(&s->other_rx);
	s->ops->receiver_drop(&s->third_rx);
}

/* ------------------------------------------------------------------------------------------
 * The receiver gives a block back, and the sender writes into it again.
 */

static void send_two_more(void *arg)
{
	struct scene *s = arg;
	send(s, s->tx, 2);
	send(s, s->tx, 3);
}

static void recv_two(void *arg)
{
	struct scene *s = arg;
	expect("M-65", try_recv(s, s->rx) == 1);
	unsigned second = try_recv(s, s->rx);
	expect("M-65", second == 0 || second == 2);
}

static void block_used_again(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_large(&s, env, ALONE);
	send(&s, s.tx, 1);
	program_together(&s, send_two_more, recv_two);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * One sender takes the last place of a block, another the first of the next.
 */

static void send_one(void *arg)
{
	struct scene *s = arg;
	send(s, s->tx, 3);
}

static void send_other(void *arg)
{
	struct scene *s = arg;
	send(s, s->other_tx, 4);
}

static void block_after_block(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_large(&s, env, THREE);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	send(&s, s.tx, 1);
	send(&s, s.tx, 2);
	program_together(&s, send_one, send_other);
	expect("M-65", try_recv(&s, s.rx) == 1 && try_recv(&s, s.rx) == 2);
	expect("U-8", try_recv(&s, s.rx) + try_recv(&s, s.rx) == 7);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * Two receivers read the last messages of a block; who is the last of them gives it back, and a
 * sender wants one.
 */

static void recv_one(void *arg)
{
	struct scene *s = arg;
	s->received = try_recv(s, s->rx);
}

static void recv_other(void *arg)
{
	struct scene *s = arg;
	s->other_received = try_recv(s, s->other_rx);
}

static void block_read_by_two(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_large(&s, env, THREE);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	for (unsigned i = 1; i <= 5; i++)
		send(&s, s.tx, i);
	expect("M-65", try_recv(&s, s.rx) == 1);
	program_together(&s, recv_one, recv_other, send_one);
	expect("P-2", s.received + s.other_received == 5);
	close_down(&s);
}

/* The block in which they go on is put there meanwhile. A third may know of the message in it
 * before the one who takes it. */
static void recv_third(void *arg)
{
	struct scene *s = arg;
	s->third_received = try_recv(s, s->third_rx);
}

static void block_followed_by_three(const struct program_env *env)
{
	struct scene s = {.received = 0};
	struct program_thread threads[3];
	open_large(&s, env, ALONE);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.third_rx) == CHAN_OK);
	program_start(&threads[0], recv_one, &s);
	program_start(&threads[1], recv_other, &s);
	program_start(&threads[2], recv_third, &s);
	send(&s, s.tx, 1);
	send(&s, s.tx, 2);
	program_join(threads, 3);
	expect("D-1", s.received + s.other_received + s.third_received <= 3);
	close_down(&s);
}

/* One of two receivers takes a message and goes; the other, which is alone from then on, goes on
 * behind it. */
static void recv_one_and_drop(void *arg)
{
	struct scene *s = arg;
	s->received = try_recv(s, s->rx);
	s->ops->receiver_drop(&s->rx);
}

static void recv_two_others(void *arg)
{
	struct scene *s = arg;
	unsigned first = try_recv(s, s->other_rx);
	unsigned second = try_recv(s, s->other_rx);
	expect("M-65", first != 0 && (second == 0 || first < second));
	s->other_received = first + second;
}

static void block_left_by_one_of_two(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_large(&s, env, ALONE);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	send(&s, s.tx, 1);
	send(&s, s.tx, 2);
	program_together(&s, recv_one_and_drop, recv_two_others);
	expect("P-2", s.received + s.other_received == 3);
	close_down(&s);
}

/* The same, while the one that stays waits: it finds nothing at first. */
static void send_recv_and_drop(void *arg)
{
	struct scene *s = arg;
	send(s, s->tx, 1);
	recv_one_and_drop(s);
}

static void recv_in_time(void *arg)
{
	struct scene *s = arg;
	struct message *message;
	alignas(struct message *) char large[ALONE];
	enum chan_status status = s->ops->recv(s->other_rx, large, program_soon());
	expect("M-63", status == CHAN_OK || status == CHAN_TIMEOUT);
	if (status != CHAN_OK)
		return;
	memcpy(&message, large, sizeof message);
	s->other_received = message_end(message);
}

static void block_left_to_one_who_waits(const struct program_env *env)
{
	struct scene s = {.received = 0};
	open_large(&s, env, ALONE);
	expect("P-1", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	program_together(&s, send_recv_and_drop, recv_in_time);
	expect("P-2", s.received + s.other_received == 1);
	close_down(&s);
}

const struct program programs_unbounded_blocks[] = {
	{"block_used_again", ON_UNBOUNDED, NULL, "M-65 M-67 U-7", "a block is written again when it has been read",
         block_used_again},
	{"block_after_block", ON_UNBOUNDED, "sender_clone", "M-65 U-8", "two senders on two sides of a boundary",
         block_after_block},
	{"block_read_by_two", ON_UNBOUNDED, "receiver_clone", "M-65 P-1 P-2", "the last to read a block gives it back",
         block_read_by_two},
	{"block_followed_by_three", ON_UNBOUNDED, "receiver_clone", "D-1 P-1", "three receivers come into a new block",
         block_followed_by_three},
	{"block_left_by_one_of_two", ON_UNBOUNDED, "receiver_clone", "M-65 P-1 P-2",
         "the last receiver goes on where another has stopped", block_left_by_one_of_two},
	{"block_left_to_one_who_waits", ON_UNBOUNDED, "receiver_clone", "M-63 P-1",
         "the last receiver waits where another has stopped", block_left_to_one_who_waits},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
