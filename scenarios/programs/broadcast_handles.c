/* SPDX-License-Identifier: MIT
 *
 * broadcast_handles.c - receivers and senders that come and go while messages are sent.
 */
#include "scenarios/programs/broadcast.h"

enum { PHASE_UNKNOWN, PHASE_REOPENED, PHASE_CLOSED };

struct scene {
	struct broadcast_scene base;
	atomic_int phase;
	atomic_bool sent, subscribed;
	struct chan_weak *weak;
	uint64_t owed_least;
};

static void send_one(void *arg)
{
	struct scene *s = arg;
	/* Written before `subscribed`, so the message is the new receiver's when it is read
	 * true. */
	bool later = program_raised(&s->subscribed);

	expect("B-4", broadcast_send(&s->base, s->base.tx, later ? 2 : 1) == CHAN_OK);
	program_raise(&s->sent);
}

static void subscribe_and_look(void *arg)
{
	struct scene *s = arg;
	struct broadcast_scene *b = &s->base;
	bool before = program_raised(&s->sent);
	unsigned number = 0;
	expect("B-7", b->ops->subscribe(b->other_tx, &b->other_rx) == CHAN_OK);
	program_raise(&s->subscribed);
	enum chan_status status = broadcast_recv(b, b->other_rx, &number, NULL, CHAN_NOW);
	expect("B-7", status == CHAN_EMPTY || (status == CHAN_OK && !before));
	b->received = status == CHAN_OK;
}

static void subscribe_against_send(const struct program_env *env)
{
	struct scene s = {.sent = false};
	unsigned number, again;
	broadcast_open(&s.base, env, 2, false);
	expect("B-44", s.base.ops->sender_clone(s.base.tx, &s.base.other_tx) == CHAN_OK);
	program_together(&s.base, send_one, subscribe_and_look);
	expect("B-10", broadcast_recv(&s.base, s.base.rx, &number, NULL, CHAN_NOW) == CHAN_OK);
	if (number == 2 && s.base.received == 0)
		expect("B-7", broadcast_recv(&s.base, s.base.other_rx, &again, NULL, CHAN_NOW) == CHAN_OK);
	broadcast_close_down(&s.base);
}

/* ------------------------------------------------------------------------------------------
 * A receiver goes while its message comes: what nobody is owed any more is destroyed.
 */

static void send_perhaps(void *arg)
{
	struct scene *s = arg;
	enum chan_status status = broadcast_send(&s->base, s->base.tx, 1);
	expect("B-5", status == CHAN_OK || status == CHAN_CLOSED);
}

static void drop_receiver(void *arg)
{
	struct scene *s = arg;
	s->base.ops->receiver_drop(&s->base.rx);
}

static void receiver_drop_against_send(const struct program_env *env)
{
	struct scene s = {.sent = false};
	broadcast_open(&s.base, env, 1, true);
	program_together(&s.base, send_perhaps, drop_receiver);
	expect("B-5", broadcast_send(&s.base, s.base.tx, 2) == CHAN_CLOSED);
	broadcast_close_down(&s.base);
}

static void drop_other(void *arg)
{
	struct scene *s = arg;
	s->base.ops->receiver_drop(&s->base.other_rx);
}

static void recv_one(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	expect("B-10", broadcast_recv(&s->base, s->base.rx, &number, NULL, CHAN_FOREVER) == CHAN_OK && number == 1);
}

/* The message is owed to both; one takes it, the other goes. */
static void drop_against_recv(const struct program_env *env)
{
	struct scene s = {.sent = false};
	broadcast_open(&s.base, env, 1, true);
	expect("B-7", s.base.ops->subscribe(s.base.tx, &s.base.other_rx) == CHAN_OK);
	expect("B-4", broadcast_send(&s.base, s.base.tx, 1) == CHAN_OK);
	program_together(&s.base, recv_one, drop_other);
	broadcast_close_down(&s.base);
}

/* ------------------------------------------------------------------------------------------
 * closed() and the receivers
 */

static void wait_closed(void *arg)
{
	struct scene *s = arg;
	expect("B-36", s->base.ops->closed(s->base.other_tx, CHAN_FOREVER) == CHAN_OK);
}

static void closed_against_drop(const struct program_env *env)
{
	struct scene s = {.sent = false};
	broadcast_open(&s.base, env, 1, false);
	expect("B-44", s.base.ops->sender_clone(s.base.tx, &s.base.other_tx) == CHAN_OK);
	program_together(&s.base, wait_closed, drop_receiver);
	broadcast_close_down(&s.base);
}

/* Looks again after it was woken (B-36): a receiver that came after the wake and before the
 * woken thread has gone on keeps it waiting. Only where that can be told; else a short moment
 * without receivers may count. */
static void wait_closed_again(void *arg)
{
	struct scene *s = arg;
	wait_closed(s);
	expect("B-36", atomic_load_explicit(&s->phase, memory_order_relaxed) != PHASE_REOPENED);
}

static void closed_against_reopen(const struct program_env *env)
{
	struct scene s = {.sent = false};
	struct broadcast_scene *b = &s.base;
	struct program_thread closer;
	uint64_t before, after;
	unsigned number;
	broadcast_open(b, env, 1, false);
	expect("B-44", b->ops->sender_clone(b->tx, &b->other_tx) == CHAN_OK);
	program_start(&closer, wait_closed_again, &s);
	bool waited = program_blocked(&closer, &before);
	b->ops->receiver_drop(&b->rx);
	expect("B-38", b->ops->subscribe(b->tx, &b->rx) == CHAN_OK);
	program_blocked(&closer, &after);
	if (waited && after == before)
		atomic_store_explicit(&s.phase, PHASE_REOPENED, memory_order_relaxed);
	expect("B-38", broadcast_send(b, b->tx, 1) == CHAN_OK);
	expect("B-38", broadcast_recv(b, b->rx, &number, NULL, CHAN_NOW) == CHAN_OK);
	atomic_store_explicit(&s.phase, PHASE_CLOSED, memory_order_relaxed);
	b->ops->receiver_drop(&b->rx);
	program_join(&closer, 1);
	broadcast_close_down(b);
}

/* ------------------------------------------------------------------------------------------
 * Weak senders
 */

static void upgrade_and_send(void *arg)
{
	struct scene *s = arg;
	struct chan_sender *tx = NULL;
	if (s->base.ops->upgrade(s->weak, &tx) == CHAN_OK) {
		expect("B-39", broadcast_send(&s->base, tx, 1) == CHAN_OK);
		s->base.ops->sender_drop(&tx);
		s->base.sent = 1;
	}
	s->base.ops->weak_drop(&s->weak);
}

static void drop_sender(void *arg)
{
	struct scene *s = arg;
	s->base.ops->sender_drop(&s->base.tx);
}

static void upgrade_against_last_drop(const struct program_env *env)
{
	struct scene s = {.sent = false};
	unsigned number;
	broadcast_open(&s.base, env, 1, false);
	expect("B-39", s.base.ops->downgrade(s.base.tx, &s.weak) == CHAN_OK);
	program_together(&s.base, upgrade_and_send, drop_sender);
	if (s.base.sent == 1)
		expect("B-20", broadcast_recv(&s.base, s.base.rx, &number, NULL, CHAN_NOW) == CHAN_OK);
	expect("B-39", broadcast_recv(&s.base, s.base.rx, &number, NULL, CHAN_NOW) == CHAN_CLOSED);
	broadcast_close_down(&s.base);
}

static void all_drop(const struct program_env *env)
{
	struct scene s = {.sent = false};
	broadcast_open(&s.base, env, 1, true);
	expect("B-4", broadcast_send(&s.base, s.base.tx, 1) == CHAN_OK);
	program_together(&s.base, drop_sender, drop_receiver);
}

/* ------------------------------------------------------------------------------------------
 * The only sender gets company while it sends, and goes after it has sent. (It may have a way of
 * its own as long as it is alone.)
 */

static void send_first(void *arg)
{
	struct scene *s = arg;
	expect("B-3", broadcast_send(&s->base, s->base.tx, 1) == CHAN_OK);
}

static void send_second(void *arg)
{
	struct scene *s = arg;
	expect("B-3", broadcast_send(&s->base, s->base.other_tx, 2) == CHAN_OK);
}

static void second_sender(const struct program_env *env)
{
	struct scene s = {.sent = false};
	unsigned first = 0, second = 0;
	broadcast_open(&s.base, env, 2, false);
	expect("B-44", s.base.ops->sender_clone(s.base.tx, &s.base.other_tx) == CHAN_OK);
	program_together(&s.base, send_first, send_second);
	expect("B-10", broadcast_recv(&s.base, s.base.rx, &first, NULL, CHAN_NOW) == CHAN_OK);
	expect("B-10", broadcast_recv(&s.base, s.base.rx, &second, NULL, CHAN_NOW) == CHAN_OK);
	expect("B-10", first + second == 3);
	broadcast_close_down(&s.base);
}

static void send_and_go(void *arg)
{
	struct scene *s = arg;
	send_first(s);
	s->base.ops->sender_drop(&s->base.tx);
}

static void try_recv_first(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	expect("B-20", broadcast_recv(&s->base, s->base.rx, &number, NULL, CHAN_NOW) != CHAN_CLOSED);
}

static void end_after_message(const struct program_env *env)
{
	struct scene s = {.sent = false};
	broadcast_open(&s.base, env, 2, false);
	program_together(&s.base, send_and_go, try_recv_first);
	broadcast_close_down(&s.base);
}

/* ------------------------------------------------------------------------------------------
 * What is owed to a receiver, asked while it receives
 */

static void send_last(void *arg)
{
	struct scene *s = arg;
	expect("B-3", broadcast_send(&s->base, s->base.tx, 3) == CHAN_OK);
}

static void try_recv(void *arg)
{
	struct scene *s = arg;
	unsigned number;
	(void)broadcast_recv(&s->base, s->base.rx, &number, NULL, CHAN_NOW);
}

static void ask_length(void *arg)
{
	struct scene *s = arg;
	uint64_t length = s->base.ops->sender_get(s->base.other_tx, CHAN_LEN);
	expect("B-27", length == CHAN_UNKNOWN || (length >= s->owed_least && length <= 1));
}

/* `before` were sent into a ring of `capacity`, of which it has received none. */
static void run_length(struct scene *s, const struct program_env *env, size_t capacity, unsigned before)
{
	struct program_thread asks;
	broadcast_open(&s->base, env, capacity, false);
	expect("B-44", s->base.ops->sender_clone(s->base.tx, &s->base.other_tx) == CHAN_OK);
	for (unsigned i = 1; i <= before; i++)
		expect("B-3", broadcast_send(&s->base, s->base.tx, i) == CHAN_OK);
	program_start(&asks, ask_length, s);
	program_together(&s->base, send_last, try_recv);
	program_join(&asks, 1);
	broadcast_close_down(&s->base);
}

static void length_against_recv(const struct program_env *env)
{
	struct scene s = {.owed_least = 0};
	run_length(&s, env, 2, 0);
}

/* It is told of what it lost, and the one message that is kept is owed to it all the time. */
static void length_against_lag(const struct program_env *env)
{
	struct scene s = {.owed_least = 1};
	run_length(&s, env, 1, 2);
}

const struct program programs_broadcast_handles[] = {
	{"subscribe_against_send", ON_BROADCAST, "sender_clone", "B-7",
         "a new receiver sees what is sent after it, not what was sent before", subscribe_against_send},
	{"receiver_drop_against_send", ON_BROADCAST, NULL, "B-5 B-30", "the last receiver goes while a message comes",
         receiver_drop_against_send},
	{"drop_against_recv", ON_BROADCAST, NULL, "B-30 B-31 B-33",
         "one takes its copy while the other, owed one, goes", drop_against_recv},
	{"closed_against_drop", ON_BROADCAST, "sender_clone closed", "B-36",
         "who waits for the last receiver's drop hears", closed_against_drop},
	{"closed_against_reopen", ON_BROADCAST, "sender_clone closed", "B-36 B-38",
         "the last receiver goes, and another comes and goes", closed_against_reopen},
	{"upgrade_against_last_drop", ON_BROADCAST, "downgrade upgrade weak_drop", "B-39",
         "an upgrade gives a sender that is heard, or none", upgrade_against_last_drop},
	{"second_sender", ON_BROADCAST, "sender_clone", "B-6 B-10", "another sends while the first does",
         second_sender},
	{"end_after_message", ON_BROADCAST, NULL, "B-20", "the end comes after what was sent before it",
         end_after_message},
	{"length_against_recv", ON_BROADCAST, "sender_clone sender_get", "B-27",
         "one is sent and received: never more than one is owed", length_against_recv},
	{"length_against_lag", ON_BROADCAST, "sender_clone sender_get", "B-26 B-27",
         "a receiver in a ring of one lags: one is owed to it all the time", length_against_lag},
	{"all_drop", ON_BROADCAST, NULL, "B-30 B-35 D-10 D-13", "both sides go at once with a message inside",
         all_drop},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
