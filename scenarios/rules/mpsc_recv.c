/* SPDX-License-Identifier: MIT
 *
 * mpsc_recv.c - rules M-46 to M-66: receiving, closing and draining, batches, order.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static void recv_waits(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	for (uint64_t i = 1; i <= 3; i++) {
		actor_recv(a, t, rx, CHAN_FOREVER);
		want_blocked(a);
		want(CHAN_OK, try_send(t, tx, i));
		want_gets(a, i);
	}
}

static void buffered_before_closed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 4, &tx, &rx);
	for (uint64_t i = 0; i < 4; i++)
		want(CHAN_OK, try_send(t, tx, i));
	tx_drop(t, &tx);
	for (uint64_t i = 0; i < 4; i++)
		want(CHAN_OK, recv_until(t, rx, NULL, CHAN_FOREVER));
	want(CHAN_CLOSED, recv_until(t, rx, NULL, CHAN_FOREVER));
}

static void drained_after_close(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 4, &tx, &rx);
	for (uint64_t i = 0; i < 4; i++)
		want(CHAN_OK, try_send(t, tx, i));
	close_rx(t, rx);
	for (uint64_t i = 0; i < 4; i++)
		want_recv(t, rx, i);
	want(CHAN_CLOSED, recv_until(t, rx, NULL, CHAN_FOREVER));
}

static void last_sender_wakes(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	tx_drop(t, &tx);
	want_blocked(a);
	tx_drop(t, &other);
	want_returns(a, CHAN_CLOSED);
}

static void close_wakes_receiver(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	tx_drop(t, &tx);
	want_returns(a, CHAN_CLOSED);
}

static void sticky(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	tx_drop(t, &tx);
	want_recv(t, rx, 1);
	for (int i = 0; i < 3; i++) {
		want_none(t, rx, CHAN_CLOSED);
		want(CHAN_CLOSED, recv_until(t, rx, NULL, CHAN_FOREVER));
		want(CHAN_CLOSED, recv_until(t, rx, NULL, in_ms(1)));
	}
}

static void try_recv_says(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	want_none(t, rx, CHAN_EMPTY);
	want(CHAN_OK, try_send(t, tx, 1));
	want_recv(t, rx, 1);
	want_none(t, rx, CHAN_EMPTY);
	close_rx(t, rx);
	want_none(t, rx, CHAN_CLOSED);
}

static void close_twice(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_send(t, tx, 2));
	close_rx(t, rx);
	close_rx(t, rx);
	want_recv(t, rx, 1);
	close_rx(t, rx);
	want_recv(t, rx, 2);
	want_none(t, rx, CHAN_CLOSED);
	close_rx(t, rx);
	want_none(t, rx, CHAN_CLOSED);
}

static void many_limit_zero(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	size_t n = 9;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, t->mpsc->recv_many(rx, NULL, 0, &n, CHAN_FOREVER));
	want_u64(0, n);
	want(CHAN_OK, try_send(t, tx, 1));
	n = 9;
	want(CHAN_OK, t->mpsc->recv_many(rx, NULL, 0, &n, CHAN_NOW));
	want_u64(0, n);
	tx_drop(t, &tx);
	want_recv(t, rx, 1);
	n = 9;
	want(CHAN_OK, t->mpsc->recv_many(rx, NULL, 0, &n, CHAN_FOREVER));
	want_u64(0, n);
}

static void many_takes_what_is_there(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t values[8] = {0};
	size_t n = 0;
	struct actor *a = actor_start();
	open_channel(t, 10, &tx, &rx);
	actor_recv_many(a, t, rx, values, 8, CHAN_FOREVER);
	want_blocked(a);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(1, want_returns(a, CHAN_OK)->n);
	want_u64(1, values[0]);
	for (uint64_t i = 2; i <= 6; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want(CHAN_OK, t->mpsc->recv_many(rx, values, 3, &n, CHAN_FOREVER));
	want_u64(3, n);
	for (uint64_t i = 0; i < 3; i++)
		want_u64(2 + i, values[i]);
	values[2] = 77;
	want(CHAN_OK, t->mpsc->recv_many(rx, values, 8, &n, CHAN_FOREVER));
	want_u64(2, n);
	want_true(values[0] == 5 && values[1] == 6);
	want_u64(77, values[2]);
}

static void many_closed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t values[8];
	size_t n = 9;
	open_channel(t, 10, &tx, &rx);
	want(CHAN_EMPTY, t->mpsc->recv_many(rx, values, 8, &n, CHAN_NOW));
	want_u64(0, n);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_send(t, tx, 2));
	tx_drop(t, &tx);
	want(CHAN_OK, t->mpsc->recv_many(rx, values, 8, &n, CHAN_FOREVER));
	want_u64(2, n);
	want(CHAN_CLOSED, t->mpsc->recv_many(rx, values, 8, &n, CHAN_FOREVER));
	want_u64(0, n);
}

static void many_frees_slots(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t values[8];
	size_t n = 0;
	struct actor *actors[4];
	open_channel(t, 3, &tx, &rx);
	for (uint64_t i = 0; i < 3; i++)
		want(CHAN_OK, try_send(t, tx, i));
	for (uint64_t i = 0; i < 4; i++) {
		actors[i] = actor_start();
		actor_send(actors[i], t, tx_clone(t, tx), 10 + i, CHAN_FOREVER);
		want_blocked(actors[i]);
	}
	want(CHAN_OK, t->mpsc->recv_many(rx, values, 2, &n, CHAN_NOW));
	want_u64(2, n);
	settle();
	uint64_t done = 0;
	for (size_t i = 0; i < 4; i++)
		done += actor_done(actors[i]);
	want_u64(2, done);
	want(CHAN_OK, t->mpsc->recv_many(rx, values, 8, &n, CHAN_NOW));
	for (size_t i = 0; i < 4; i++)
		want_returns(actors[i], CHAN_OK);
}

static void gives_up(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	for (uint64_t i = 0; i < 3; i++) {
		actor_recv(a, t, rx, in_ms(5));
		want_returns(a, CHAN_TIMEOUT);
	}
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_send(t, tx, 2));
	actor_recv(a, t, rx, in_ms(3600000));
	want_gets(a, 1);
	want_recv(t, rx, 2);
}

#define EACH rounds(200)

static void per_producer(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *actors[3];
	uint64_t arrays[3][200], next[3] = {0}, value = 0;
	open_channel(t, 4, &tx, &rx);
	for (uint64_t p = 0; p < 3; p++) {
		for (uint64_t i = 0; i < EACH; i++)
			arrays[p][i] = p << 32 | i;
		actors[p] = actor_start();
		actor_send_many(actors[p], t, tx_clone(t, tx), arrays[p], EACH, CHAN_FOREVER);
	}
	for (unsigned i = 0; i < 3 * EACH; i++) {
		want(CHAN_OK, recv_until(t, rx, &value, CHAN_FOREVER));
		want_true(value >> 32 < 3);
		want_u64(next[value >> 32]++, value & UINT32_MAX);
	}
	for (uint64_t p = 0; p < 3; p++)
		want_u64(EACH, want_returns(actors[p], CHAN_OK)->n);
}

static void across_producers(struct test *t)
{
	struct chan_sender *tx[3];
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 100, &tx[0], &rx);
	tx[1] = tx_clone(t, tx[0]);
	tx[2] = tx_clone(t, tx[0]);
	for (uint64_t i = 0; i < 90; i++) {
		if (i % 2 == 0) {
			want(CHAN_OK, try_send(t, tx[i % 3], i));
		} else {
			actor_send(a, t, tx[i % 3], i, CHAN_FOREVER);
			want_returns(a, CHAN_OK);
		}
	}
	for (uint64_t i = 0; i < 90; i++)
		want_recv(t, rx, i);
}

static void send_many_order(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t values[6] = {1, 2, 3, 4, 5, 6};
	size_t sent = 99;
	open_channel(t, 4, &tx, &rx);
	want(CHAN_FULL, t->mpsc->send_many(tx, values, 6, &sent, CHAN_NOW));
	want_u64(4, sent);
	want_recv(t, rx, 1);
	want_recv(t, rx, 2);
	want(CHAN_OK, t->mpsc->send_many(tx, values + 4, 2, &sent, CHAN_NOW));
	want_u64(2, sent);
	for (uint64_t i = 3; i <= 6; i++)
		want_recv(t, rx, i);
	want(CHAN_OK, t->mpsc->send_many(tx, NULL, 0, &sent, CHAN_FOREVER));
	want_u64(0, sent);
	close_rx(t, rx);
	want(CHAN_CLOSED, t->mpsc->send_many(tx, NULL, 0, &sent, CHAN_FOREVER));
	want(CHAN_CLOSED, t->mpsc->send_many(tx, values, 6, &sent, CHAN_FOREVER));
	want_u64(0, sent);
	want_none(t, rx, CHAN_CLOSED);
}

static void send_many_waits(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t values[6] = {1, 2, 3, 4, 5, 6};
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	actor_send_many(a, t, tx, values, 6, CHAN_FOREVER);
	for (uint64_t i = 1; i <= 4; i++) {
		want_blocked(a);
		want_recv(t, rx, i);
	}
	want_u64(6, want_returns(a, CHAN_OK)->n);
	want_recv(t, rx, 5);
	want_recv(t, rx, 6);
	actor_send_many(a, t, tx, values, 6, CHAN_FOREVER);
	want_blocked(a);
	close_rx(t, rx);
	want_u64(2, want_returns(a, CHAN_CLOSED)->n);
	want_recv(t, rx, 1);
	want_recv(t, rx, 2);
	want_none(t, rx, CHAN_CLOSED);
}

const struct rule mpsc_recv_rules[] = {
	{"M-46",
         RULE_QUEUES,
         "A receive gives the next message, and waits while there is none.",
         {{"three messages", recv_waits, "", 0}}},
	{"M-47",
         RULE_QUEUES,
         "All that was sent before the last sender went is received before closed.",
         {{"four messages", buffered_before_closed, "", 0}}},
	{"M-48",
         RULE_QUEUES,
         "All that was sent before a close is received before closed.",
         {{"four messages", drained_after_close, "close", 0}}},
	{"M-52",
         RULE_QUEUES,
         "The last sender's drop wakes a waiting receiver, an earlier one does not.",
         {{"one sender", close_wakes_receiver, "", 0}, {"two senders", last_sender_wakes, "sender_clone", 0}}},
	{"M-53", RULE_QUEUES, "Once closed, every later receive gives closed.", {{"again and again", sticky, "", 0}}},
	{"M-54",
         RULE_QUEUES,
         "A try to receive gives empty while something may still come, and closed when not.",
         {{"empty, closed", try_recv_says, "close", 0}}},
	{"M-57",
         RULE_QUEUES,
         "A second close does nothing, and a close drops no message.",
         {{"four closes", close_twice, "close", 0}}},
	{"M-58",
         RULE_QUEUES,
         "Receiving up to 0 messages gives 0 at once, open or closed.",
         {{"limit 0", many_limit_zero, "recv_many", 0}}},
	{"M-59",
         RULE_QUEUES,
         "Receiving many waits for one, then takes what is there, up to the limit, in order.",
         {{"limits 8 and 3", many_takes_what_is_there, "recv_many", 0}}},
	{"M-60",
         RULE_QUEUES,
         "Receiving many gives 0 with closed only when all was received.",
         {{"closed", many_closed, "recv_many", 0}}},
	{"M-61",
         RULE_MPSC,
         "Receiving many frees as many slots as messages were taken.",
         {{"two of three", many_frees_slots, "recv_many sender_clone", 0}}},
	{"M-63", RULE_QUEUES, "A receive that gave up has taken nothing.", {{"three timeouts", gives_up, "", 0}}},
	{"M-65",
         RULE_QUEUES,
         "Messages of one sender arrive in the order sent.",
         {{"three producers", per_producer, "sender_clone send_many", 0}}},
	{"M-66",
         RULE_QUEUES,
         "A message whose send had returned before another's began is received first.",
         {{"three senders, two threads", across_producers, "sender_clone", 0}}},
	{"M-65",
         RULE_MPSC,
         "Sending many is as many sends: in order, those that were sent are counted, the rest stays.",
         {{"try", send_many_order, "send_many close", 0}, {"waiting", send_many_waits, "send_many close", 0}}},
	{0},
};
