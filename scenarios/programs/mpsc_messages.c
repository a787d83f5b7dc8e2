/* SPDX-License-Identifier: MIT
 *
 * mpsc_messages.c - sending and receiving: delivery, order, visibility, backpressure.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_mpsc_ops *ops;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx;
	/* plain, written by the one side before what is to make it visible to the other */
	unsigned before;
	atomic_bool sent;
	unsigned got[2];
};

static void send_two(void *arg)
{
	struct scene *s = arg;
	s->before = 1;
	expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
	expect("M-17", mpsc_send(s->ops, s->tx, 2, CHAN_FOREVER) == CHAN_OK);
}

static void recv_two(void *arg)
{
	struct scene *s = arg;
	expect("M-46", mpsc_recv(s->ops, s->rx, &s->got[0], CHAN_FOREVER) == CHAN_OK);
	expect("M-67", s->before == 1);
	expect("M-46", mpsc_recv(s->ops, s->rx, &s->got[1], CHAN_FOREVER) == CHAN_OK);
	expect("M-65", s->got[0] == 1 && s->got[1] == 2);
}

static void run_send_recv(const struct program_env *env, size_t capacity)
{
	struct scene s = {.ops = env->mpsc};
	unsigned number;
	mpsc_open(s.ops, capacity, &s.tx, &s.rx);
	program_together(&s, send_two, recv_two);
	s.ops->sender_drop(&s.tx);
	expect("M-53", mpsc_recv(s.ops, s.rx, &number, CHAN_FOREVER) == CHAN_CLOSED);
	s.ops->receiver_drop(&s.rx);
}

static void send_recv(const struct program_env *env)
{
	run_send_recv(env, 2);
}

static void capacity_one(const struct program_env *env)
{
	run_send_recv(env, 1);
}

/* ------------------------------------------------------------------------------------------
 * Backpressure orders, too: what the receiver did before it freed the slot is seen by the sender
 * that gets it.
 */

static void send_into_freed(void *arg)
{
	struct scene *s = arg;
	expect("M-17", mpsc_send(s->ops, s->tx, 2, CHAN_FOREVER) == CHAN_OK);
	expect("M-68", s->before == 1);
}

static void free_one(void *arg)
{
	struct scene *s = arg;
	s->before = 1;
	expect("M-46", mpsc_recv(s->ops, s->rx, &s->got[0], CHAN_FOREVER) == CHAN_OK);
}

static void slot_hand_over(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	expect("M-17", mpsc_send(s.ops, s.tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_together(&s, send_into_freed, free_one);
	expect("M-65", mpsc_recv(s.ops, s.rx, &s.got[1], CHAN_NOW) == CHAN_OK && s.got[0] == 1 && s.got[1] == 2);
	s.ops->sender_drop(&s.tx);
	s.ops->receiver_drop(&s.rx);
}

/* ------------------------------------------------------------------------------------------
 * Two senders
 */

static void send_one(void *arg)
{
	struct scene *s = arg;
	expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
	program_raise(&s->sent);
}

static void send_other(void *arg)
{
	struct scene *s = arg;
	bool later = program_raised(&s->sent);
	expect("M-17", mpsc_send(s->ops, s->other_tx, later ? 3 : 2, CHAN_FOREVER) == CHAN_OK);
}

static void recv_any_two(void *arg)
{
	struct scene *s = arg;
	for (int i = 0; i < 2; i++)
		expect("M-46", mpsc_recv(s->ops, s->rx, &s->got[i], CHAN_FOREVER) == CHAN_OK);
}

/* Message 3 was sent after the send of 1 had returned, 2 maybe not. */
static void run_two_senders(const struct program_env *env, size_t capacity)
{
	struct scene s = {.ops = env->mpsc};
	unsigned number;
	mpsc_open(s.ops, capacity, &s.tx, &s.rx);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	program_together(&s, send_one, send_other, recv_any_two);
	expect("D-1", s.got[0] == 1 || s.got[1] == 1);
	expect("M-66", s.got[0] != 3);
	expect("M-54", mpsc_recv(s.ops, s.rx, &number, CHAN_NOW) == CHAN_EMPTY);
	s.ops->sender_drop(&s.tx);
	s.ops->receiver_drop(&s.rx);
	s.ops->sender_drop(&s.other_tx);
}

static void two_senders(const struct program_env *env)
{
	run_two_senders(env, 2);
}

static void two_senders_one_slot(const struct program_env *env)
{
	run_two_senders(env, 1);
}

/* ------------------------------------------------------------------------------------------
 * Trying
 */

static void try_send_two(void *arg)
{
	struct scene *s = arg;
	enum chan_status first = mpsc_send(s->ops, s->tx, 1, CHAN_NOW);
	enum chan_status second = mpsc_send(s->ops, s->tx, 2, CHAN_NOW);
	expect("M-21", first == CHAN_OK);
	expect("M-20", second == CHAN_OK || second == CHAN_FULL);
	s->before = second == CHAN_OK ? 2 : 1;
}

static void try_recv_two(void *arg)
{
	struct scene *s = arg;
	for (int i = 0; i < 2; i++) {
		enum chan_status status = mpsc_recv(s->ops, s->rx, &s->got[i], CHAN_NOW);
		expect("M-54", status == CHAN_OK || status == CHAN_EMPTY);
		if (status != CHAN_OK)
			s->got[i] = 0;
	}
}

static void try_send_try_recv(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	program_together(&s, try_send_two, try_recv_two);
	s.ops->sender_drop(&s.tx);
	unsigned left = mpsc_drain(s.ops, s.rx);
	expect("D-1", left + (s.got[0] != 0 ? 1u : 0u) + (s.got[1] != 0 ? 1u : 0u) == s.before);
	expect("M-65", s.got[0] == 0 || s.got[1] == 0 || s.got[0] < s.got[1]);
	s.ops->receiver_drop(&s.rx);
}

/* ------------------------------------------------------------------------------------------
 * What can be asked meanwhile
 */

static void ask_length(void *arg)
{
	struct scene *s = arg;
	expect("M-17", mpsc_send(s->ops, s->tx, 2, CHAN_FOREVER) == CHAN_OK);
	uint64_t length = s->ops->sender_get(s->tx, CHAN_LEN);
	expect("M-9", length == CHAN_UNKNOWN || length <= 3);
	expect("M-10", length != 0);
}

static void send_meanwhile(void *arg)
{
	struct scene *s = arg;
	expect("M-17", mpsc_send(s->ops, s->other_tx, 3, CHAN_FOREVER) == CHAN_OK);
}

/* Nobody receives, so a length of 0 is always wrong, though an earlier slot may be claimed and
 * not yet written. */
static void length(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 4, &s.tx, &s.rx);
	s.other_tx = mpsc_clone(s.ops, s.tx);
	program_together(&s, ask_length, send_meanwhile);
	expect("M-8", s.ops->receiver_get(s.rx, CHAN_LEN) == 2 || s.ops->receiver_get(s.rx, CHAN_LEN) == CHAN_UNKNOWN);
	s.ops->sender_drop(&s.tx);
	s.ops->sender_drop(&s.other_tx);
	s.ops->receiver_drop(&s.rx);
}

/* ------------------------------------------------------------------------------------------
 * Batches
 */

static void send_batch(void *arg)
{
	struct scene *s = arg;
	struct message *batch[2] = {message_new(1), message_new(2)};
	size_t sent;
	expect("M-17", s->ops->send_many(s->tx, batch, 2, &sent, CHAN_FOREVER) == CHAN_OK && sent == 2);
	s->ops->sender_drop(&s->tx);
}

static void recv_batches(void *arg)
{
	struct scene *s = arg;
	struct message *batch[2];
	size_t received;
	unsigned next = 1;
	while (s->ops->recv_many(s->rx, batch, 2, &received, CHAN_FOREVER) == CHAN_OK) {
		expect("M-59", received >= 1);
		for (size_t i = 0; i < received; i++)
			expect("M-62", message_end(batch[i]) == next++);
	}
	expect("M-60", received == 0 && next == 3);
}

static void batches(const struct program_env *env)
{
	struct scene s = {.ops = env->mpsc};
	mpsc_open(s.ops, 1, &s.tx, &s.rx);
	program_together(&s, send_batch, recv_batches);
	s.ops->receiver_drop(&s.rx);
}

const struct program programs_mpsc_messages[] = {
	{"send_recv", ON_MPSC | ON_UNBOUNDED, NULL, "M-17 M-46 M-65 M-67 M-53",
         "two messages sent and received, then the end", send_recv},
	{"capacity_one", ON_MPSC, NULL, "M-1 M-17 M-24", "the same through a single slot", capacity_one},
	{"slot_hand_over", ON_MPSC, NULL, "M-68", "what the receiver did is seen by the sender that gets its slot",
         slot_hand_over},
	{"two_senders", ON_MPSC | ON_UNBOUNDED, "sender_clone", "M-66 D-1",
         "a message sent after another's send returned comes after it", two_senders},
	{"two_senders_one_slot", ON_MPSC, "sender_clone", "M-66 M-24 X-1", "the same through a single slot",
         two_senders_one_slot},
	{"try_send_try_recv", ON_MPSC | ON_UNBOUNDED, NULL, "M-20 M-21 M-54 M-56",
         "nobody waits: all that was taken is accounted for", try_send_try_recv},
	{"length", ON_MPSC | ON_UNBOUNDED, "sender_clone sender_get receiver_get", "M-8 M-9 M-10",
         "not empty after a send, though another has claimed an earlier slot", length},
	{"batches", ON_MPSC | ON_UNBOUNDED, "send_many recv_many", "M-59 M-60 M-62",
         "two at once through a single slot, received as they come, in order", batches},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
