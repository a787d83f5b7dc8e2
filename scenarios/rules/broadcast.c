/* SPDX-License-Identifier: MIT
 *
 * broadcast.c - rules B-1 to B-10, B-20 to B-25: who sees what, and the end.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static void bad_capacities(struct test *t)
{
	static const size_t bad[] = {0, CHAN_BROADCAST_CAPACITY_MAX + 1, SIZE_MAX};
	for (size_t i = 0; i < 3; i++) {
		struct chan_config config = plain_config(t, bad[i]);
		struct chan_sender *tx = NULL;
		struct chan_receiver *rx = NULL;
		want(CHAN_INVALID, try_open(t, &config, &tx, &rx));
		want_true(tx == NULL && rx == NULL);
	}
}

/* How many messages a receiver can be behind without losing one, when so many were asked for. */
static uint64_t retained(struct test *t, size_t capacity)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t missed = 0, value = 0;
	open_channel(t, capacity, &tx, &rx);
	for (uint64_t i = 0; i < 4 * capacity; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want(CHAN_LAGGED, t->broadcast->recv(rx, &value, &missed, CHAN_NOW));
	return 4 * capacity - missed;
}

static void rounded_up(struct test *t)
{
	want_u64(1, retained(t, 1));
	want_u64(2, retained(t, 2));
	want_u64(4, retained(t, 3));
	want_u64(8, retained(t, 5));
	want_u64(16, retained(t, 16));
	want_u64(128, retained(t, 100));
}

static void capacities_told(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 5, &tx, &rx);
	want_u64(5, tx_get(t, tx, CHAN_CAPACITY));
	want_u64(8, tx_get(t, tx, CHAN_MAX_CAPACITY));
}

static void never_waits(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	for (uint64_t i = 0; i < 100; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want_none(t, rx, CHAN_LAGGED);
	want_recv(t, rx, 98);
	want_recv(t, rx, 99);
	want_none(t, rx, CHAN_EMPTY);
}

static void receivers_counted(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	size_t n = 99;
	uint64_t value = 1;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, t->broadcast->send(tx, &value, &n));
	want_u64(1, n);
	rx2 = subscribe(t, tx);
	for (int i = 0; i < 3; i++) /* one of them has lagged: it counts */
		want(CHAN_OK, t->broadcast->send(tx, &value, &n));
	want_u64(2, n);
	rx_drop(t, &rx2);
	want(CHAN_OK, t->broadcast->send(tx, &value, &n));
	want_u64(1, n);
}

static void nobody_listens(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 5;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	rx_drop(t, &rx);
	want(CHAN_CLOSED, t->broadcast->send(tx, &value, NULL));
	want_u64(5, value);
	rx = subscribe(t, tx);
	want_none(t, rx, CHAN_EMPTY);
	want(CHAN_OK, try_send(t, tx, 6));
	want_recv(t, rx, 6);
	want_none(t, rx, CHAN_EMPTY);
}

static void opened_without_receiver(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, NULL);
	want(CHAN_CLOSED, try_send(t, tx, 1));
	want(CHAN_OK, try_closed(t, tx));
	want_u64(1, tx_get(t, tx, CHAN_IS_CLOSED));
	rx = subscribe(t, tx);
	want(CHAN_EMPTY, try_closed(t, tx));
	want_u64(0, tx_get(t, tx, CHAN_IS_CLOSED));
	want(CHAN_OK, try_send(t, tx, 2));
	want_recv(t, rx, 2);
}

static void one_order(struct test *t)
{
	struct chan_sender *tx[3];
	struct chan_receiver *rx, *rx2;
	struct actor *actors[3];
	uint64_t one = 0, two = 0;
	open_channel(t, 512, &tx[0], &rx);
	rx2 = subscribe(t, tx[0]);
	tx[1] = tx_clone(t, tx[0]);
	tx[2] = tx_clone(t, tx[0]);
	for (size_t i = 0; i < 3; i++)
		actors[i] = actor_start();
	for (uint64_t i = 0; i < rounds(100); i++) {
		for (uint64_t p = 0; p < 3; p++)
			actor_send(actors[p], t, tx[p], p << 32 | i, CHAN_NOW);
		for (uint64_t p = 0; p < 3; p++)
			want_returns(actors[p], CHAN_OK);
	}
	for (unsigned i = 0; i < 3 * rounds(100); i++) {
		want(CHAN_OK, try_recv(t, rx, &one));
		want(CHAN_OK, try_recv(t, rx2, &two));
		want_u64(one, two);
	}
}

static void subscribed_from_here(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *late;
	open_channel(t, 4, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	late = subscribe(t, tx);
	want(CHAN_OK, try_send(t, tx, 2));
	want_recv(t, rx, 1);
	want_recv(t, rx, 2);
	want_recv(t, late, 2);
	want_none(t, late, CHAN_EMPTY);
}

static struct chan_receiver *resubscribe(struct test *t, struct chan_receiver *rx)
{
	struct chan_receiver *out = NULL;
	want(CHAN_OK, t->broadcast->resubscribe(rx, &out));
	return keep_receiver(out);
}

static void resubscribed_at_tail(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *late;
	uint64_t value = 0, missed = 0;
	open_channel(t, 2, &tx, &rx);
	for (uint64_t i = 0; i < 3; i++)
		want(CHAN_OK, try_send(t, tx, i));
	late = resubscribe(t, rx);
	want_none(t, late, CHAN_EMPTY);
	want(CHAN_LAGGED, t->broadcast->recv(rx, &value, &missed, CHAN_NOW));
	want_u64(1, missed);
	want_recv(t, rx, 1);
	want(CHAN_OK, try_send(t, tx, 3));
	want_recv(t, late, 3);
	want_recv(t, rx, 2);
	want_recv(t, rx, 3);
}

static void resubscribed_when_closed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *late;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	tx_drop(t, &tx);
	late = resubscribe(t, rx);
	want_none(t, late, CHAN_CLOSED);
	want(CHAN_CLOSED, recv_until(t, late, NULL, CHAN_FOREVER));
	want_recv(t, rx, 1);
}

static void exactly_once(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	open_channel(t, 4, &tx, &rx);
	rx2 = subscribe(t, tx);
	for (uint64_t i = 0; i < 20; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		want_recv(t, rx, i);
		if (i % 4 == 3)
			for (uint64_t k = i - 3; k <= i; k++)
				want_recv(t, rx2, k);
	}
	want_none(t, rx, CHAN_EMPTY);
	want_none(t, rx2, CHAN_EMPTY);
}

static void retained_then_closed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 0, missed = 0;
	open_channel(t, 2, &tx, &rx);
	for (uint64_t i = 0; i < 5; i++)
		want(CHAN_OK, try_send(t, tx, i));
	tx_drop(t, &tx);
	want(CHAN_LAGGED, t->broadcast->recv(rx, &value, &missed, CHAN_FOREVER));
	want_u64(3, missed);
	want_recv(t, rx, 3);
	want_recv(t, rx, 4);
	for (int i = 0; i < 3; i++)
		want(CHAN_CLOSED, recv_until(t, rx, NULL, CHAN_FOREVER));
	want_none(t, rx, CHAN_CLOSED);
}

static void close_takes_no_slot(struct test *t)
{
	static const size_t sizes[] = {1, 2, 4};
	for (size_t s = 0; s < 3; s++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, sizes[s], &tx, &rx);
		for (uint64_t i = 0; i < sizes[s]; i++)
			want(CHAN_OK, try_send(t, tx, i));
		tx_drop(t, &tx);
		for (uint64_t i = 0; i < sizes[s]; i++)
			want_recv(t, rx, i);
		want_none(t, rx, CHAN_CLOSED);
	}
}

static void last_sender_wakes_all(struct test *t)
{
	struct chan_sender *tx, *tx2;
	struct chan_receiver *rx, *rx2;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 2, &tx, &rx);
	tx2 = tx_clone(t, tx);
	rx2 = subscribe(t, tx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	actor_recv(b, t, rx2, CHAN_FOREVER);
	want_blocked(a);
	want_blocked(b);
	tx_drop(t, &tx);
	want_blocked(a);
	want_blocked(b);
	tx_drop(t, &tx2);
	want_returns(a, CHAN_CLOSED);
	want_returns(b, CHAN_CLOSED);
}

static void send_wakes_all(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx[3];
	struct actor *actors[3];
	open_channel(t, 2, &tx, &rx[0]);
	rx[1] = subscribe(t, tx);
	rx[2] = subscribe(t, tx);
	for (size_t i = 0; i < 3; i++)
		actors[i] = actor_start();
	for (uint64_t round = 1; round <= 3; round++) {
		for (size_t i = 0; i < 3; i++) {
			actor_recv(actors[i], t, rx[i], CHAN_FOREVER);
			want_blocked(actors[i]);
		}
		want(CHAN_OK, try_send(t, tx, round));
		for (size_t i = 0; i < 3; i++)
			want_gets(actors[i], round);
	}
}

static void at_the_tail(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	want_none(t, rx, CHAN_EMPTY);
	want(CHAN_OK, try_send(t, tx, 1));
	want_recv(t, rx, 1);
	want_none(t, rx, CHAN_EMPTY);
	tx_drop(t, &tx);
	want_none(t, rx, CHAN_CLOSED);
}

static void closed_with_unread(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(0, rx_get(t, rx, CHAN_IS_CLOSED));
	tx_drop(t, &tx);
	want_u64(1, rx_get(t, rx, CHAN_IS_CLOSED));
	want_recv(t, rx, 1);
}

const struct rule broadcast_rules[] = {
	{"B-1",
         RULE_BROADCAST,
         "Capacity 0, and one over the limit, are invalid.",
         {{"0, limit + 1, the largest", bad_capacities, "", 0}}},
	{"B-2",
         RULE_BROADCAST,
         "The capacity is rounded up to a power of two, and so many messages are kept.",
         {{"1 to 100", rounded_up, "", 0}, {"as told", capacities_told, "sender_get", 0}}},
	{"B-3", RULE_BROADCAST, "A send never waits: it overwrites the oldest.", {{"100 into 2", never_waits, "", 0}}},
	{"B-4",
         RULE_BROADCAST,
         "A send tells how many receivers there are, lagging or not.",
         {{"1, 2, 1", receivers_counted, "", 0}}},
	{"B-5",
         RULE_BROADCAST,
         "A send to nobody fails and harms nothing; nobody ever sees that value.",
         {{"drop, subscribe", nobody_listens, "", 0}}},
	{"B-6",
         RULE_BROADCAST,
         "All receivers see one order of sends.",
         {{"three senders", one_order, "sender_clone", 0}}},
	{"B-7",
         RULE_BROADCAST,
         "A new receiver sees what is sent from then on, and nothing older.",
         {{"between two sends", subscribed_from_here, "", 0}}},
	{"B-8",
         RULE_BROADCAST,
         "resubscribe starts at the tail and leaves the old receiver where it was.",
         {{"lagging", resubscribed_at_tail, "resubscribe", 0}}},
	{"B-9",
         RULE_BROADCAST,
         "resubscribe on a closed channel gives a receiver that is closed.",
         {{"unread message", resubscribed_when_closed, "resubscribe", 0}}},
	{"B-10",
         RULE_BROADCAST,
         "A receiver that keeps up gets each message exactly once.",
         {{"two receivers", exactly_once, "", 0}}},
	{"B-20",
         RULE_BROADCAST,
         "When all senders are gone what is kept is received, after the lag, then closed for ever.",
         {{"lagging", retained_then_closed, "", 0}}},
	{"B-21",
         RULE_BROADCAST,
         "The close takes no slot: a full ring is still read in full.",
         {{"1, 2, 4", close_takes_no_slot, "", 0}}},
	{"B-22",
         RULE_BROADCAST,
         "The last sender's drop wakes all receivers.",
         {{"two of each", last_sender_wakes_all, "sender_clone", 0}}},
	{"B-23",
         RULE_BROADCAST,
         "Every send wakes all receivers that wait.",
         {{"three receivers", send_wakes_all, "", 0}}},
	{"B-24",
         RULE_BROADCAST,
         "At the tail a try is empty while there are senders, closed after.",
         {{"one receiver", at_the_tail, "", 0}}},
	{"B-25",
         RULE_BROADCAST,
         "A receiver sees closed as soon as no sender is left, unread messages or not.",
         {{"unread message", closed_with_unread, "receiver_get", 0}}},
	{"B-37",
         RULE_BROADCAST,
         "A sender opened without receivers is closed until the first subscribes.",
         {{"no receiver", opened_without_receiver, "closed sender_get", 0}}},
	{0},
};
