/* SPDX-License-Identifier: MIT
 *
 * broadcast_lag.c - rules B-11 to B-19, B-26 to B-29: lag, counted exactly.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

/* The next receive says that exactly so many were lost. */
static void want_lag(struct test *t, struct chan_receiver *rx, uint64_t count)
{
	uint64_t value = 4711, missed = 0;
	step("receive (expecting to have missed %llu)", (unsigned long long)count);
	want_status(CHAN_LAGGED, t->broadcast->recv(rx, &value, &missed, CHAN_NOW), __FILE__, __LINE__);
	want_number(count, missed, __FILE__, __LINE__);
	want_u64(4711, value);
}

static void send_range(struct test *t, struct chan_sender *tx, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		want(CHAN_OK, try_send(t, tx, i));
}

static void boundary(struct test *t)
{
	static const size_t capacities[] = {1, 2, 3, 4, 16};
	for (size_t c = 0; c < 5; c++) {
		struct chan_sender *tx;
		struct chan_receiver *rx, *rx2;
		uint64_t kept = 1;
		while (kept < capacities[c])
			kept *= 2;
		open_channel(t, capacities[c], &tx, &rx);
		send_range(t, tx, 0, kept);
		want_recv(t, rx, 0); /* exactly so many behind: nothing lost */
		rx2 = subscribe(t, tx);
		send_range(t, tx, kept, 2 * kept + 1);
		want_lag(t, rx2, 1); /* one more: lost one */
		want_recv(t, rx2, kept + 1);
		want_lag(t, rx, kept);
	}
}

static void counted(struct test *t)
{
	for (uint64_t over = 1; over < 20; over += 3) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 4, &tx, &rx);
		send_range(t, tx, 0, 4 + over);
		want_lag(t, rx, over);
		for (uint64_t i = over; i < over + 4; i++)
			want_recv(t, rx, i);
		want_none(t, rx, CHAN_EMPTY);
	}
}

static void documents_example(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	send_range(t, tx, 0, 5);
	want_lag(t, rx, 3);
	want_recv(t, rx, 3);
	want_recv(t, rx, 4);
}

static void lag_again(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	send_range(t, tx, 0, 5);
	want_lag(t, rx, 3);
	send_range(t, tx, 5, 6);
	want_lag(t, rx, 1);
	want_recv(t, rx, 4);
	send_range(t, tx, 6, 10);
	want_lag(t, rx, 3);
	want_recv(t, rx, 8);
	want_recv(t, rx, 9);
	want_none(t, rx, CHAN_EMPTY);
}

static void per_receiver(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *slow, *fast, *late;
	open_channel(t, 2, &tx, &slow);
	fast = subscribe(t, tx);
	for (uint64_t i = 0; i < 4; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		want_recv(t, fast, i);
	}
	late = subscribe(t, tx);
	send_range(t, tx, 4, 6);
	want_lag(t, slow, 4);
	want_recv(t, fast, 4);
	want_recv(t, late, 4);
	want_recv(t, slow, 4);
}

static void catches_up(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	send_range(t, tx, 0, 3);
	want_lag(t, rx, 1);
	want_recv(t, rx, 1);
	want_recv(t, rx, 2);
	send_range(t, tx, 3, 5);
	want_recv(t, rx, 3);
	want_recv(t, rx, 4);
	send_range(t, tx, 5, 9);
	want_lag(t, rx, 2);
	want_recv(t, rx, 7);
}

static void identity(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t seed = 99, sent = 0, received = 0, lost = 0, value = 0, missed = 0;
	open_channel(t, 8, &tx, &rx);
	for (int i = 0; i < 600; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (seed >> 63) {
			want(CHAN_OK, try_send(t, tx, sent));
			sent++;
			if (seed >> 55 & 1)
				continue;
			for (uint64_t k = seed >> 58 & 7; k > 0; k--, sent++)
				want(CHAN_OK, try_send(t, tx, sent));
			continue;
		}
		enum chan_status status = t->broadcast->recv(rx, &value, &missed, CHAN_NOW);
		if (status == CHAN_LAGGED) {
			lost += missed;
		} else if (status == CHAN_OK) {
			want_u64(received + lost, value);
			received++;
		} else {
			want(CHAN_EMPTY, status);
			want_u64(sent, received + lost);
		}
		want_u64(sent, received + lost + rx_get(t, rx, CHAN_LEN));
	}
}

static void same_in_all_forms(struct test *t)
{
	const uint64_t deadlines[] = {CHAN_NOW, 1, chan_deadline_in(UINT64_C(3600000000000)), CHAN_FOREVER};
	for (size_t i = 0; i < 4; i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		uint64_t value = 0, missed = 0;
		open_channel(t, 1, &tx, &rx);
		send_range(t, tx, 0, 2);
		tx_drop(t, &tx);
		want(CHAN_LAGGED, t->broadcast->recv(rx, &value, &missed, deadlines[i]));
		want_u64(1, missed);
		want(CHAN_OK, t->broadcast->recv(rx, &value, &missed, deadlines[i]));
		want_u64(1, value);
		want(CHAN_CLOSED, t->broadcast->recv(rx, &value, NULL, deadlines[i]));
	}
}

static void stays_subscribed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	size_t n = 0;
	uint64_t value = 9;
	open_channel(t, 1, &tx, &rx);
	send_range(t, tx, 0, 2);
	/* `missed` may be NULL */
	want(CHAN_LAGGED, t->broadcast->recv(rx, &value, NULL, CHAN_NOW));
	want(CHAN_OK, t->broadcast->send(tx, &value, &n));
	want_u64(1, n);
	want_lag(t, rx, 1);
	want_recv(t, rx, 9);
}

static void length_of_receiver(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	want_u64(0, rx_get(t, rx, CHAN_LEN));
	for (uint64_t i = 1; i <= 5; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		want_u64(i, rx_get(t, rx, CHAN_LEN));
	}
	want_lag(t, rx, 3);
	want_u64(2, rx_get(t, rx, CHAN_LEN));
	want_recv(t, rx, 4);
	want_u64(1, rx_get(t, rx, CHAN_LEN));
	want_recv(t, rx, 5);
	want_u64(0, rx_get(t, rx, CHAN_LEN));
	tx_drop(t, &tx);
	want_u64(0, rx_get(t, rx, CHAN_LEN));
}

static void length_of_sender(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	open_channel(t, 4, &tx, &rx);
	want_u64(0, tx_get(t, tx, CHAN_LEN));
	rx2 = subscribe(t, tx);
	send_range(t, tx, 0, 3);
	want_u64(3, tx_get(t, tx, CHAN_LEN));
	for (uint64_t i = 0; i < 3; i++)
		want_recv(t, rx, i);
	want_u64(3, tx_get(t, tx, CHAN_LEN));
	want_recv(t, rx2, 0);
	want_u64(2, tx_get(t, tx, CHAN_LEN));
	rx_drop(t, &rx2);
	want_u64(0, tx_get(t, tx, CHAN_LEN));
	send_range(t, tx, 3, 10);
	want_u64(4, tx_get(t, tx, CHAN_LEN));
	subscribe(t, tx);
	want_u64(4, tx_get(t, tx, CHAN_LEN));
	rx_drop(t, &rx);
	want_u64(0, tx_get(t, tx, CHAN_LEN));
}

static void receiver_count(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2, *rx3 = NULL;
	open_channel(t, 4, &tx, &rx);
	want_u64(1, tx_get(t, tx, CHAN_RECEIVERS));
	rx2 = subscribe(t, tx);
	want_u64(2, tx_get(t, tx, CHAN_RECEIVERS));
	want(CHAN_OK, t->broadcast->resubscribe(rx, &rx3));
	keep_receiver(rx3);
	want_u64(3, tx_get(t, tx, CHAN_RECEIVERS));
	rx_drop(t, &rx2);
	rx_drop(t, &rx3);
	rx_drop(t, &rx);
	want_u64(0, tx_get(t, tx, CHAN_RECEIVERS));
}

static void lag_lands_on_oldest(struct test *t)
{
	for (uint64_t kept = 1; kept <= 16; kept *= 2)
		for (uint64_t over = 1; over <= 3; over++) {
			struct chan_sender *tx;
			struct chan_receiver *rx;
			open_channel(t, kept, &tx, &rx);
			send_range(t, tx, 0, kept + over);
			want_lag(t, rx, over);
			for (uint64_t i = over; i < kept + over; i++)
				want_recv(t, rx, i);
			want_none(t, rx, CHAN_EMPTY);
			rx_drop(t, &rx);
			tx_drop(t, &tx);
		}
}

static void empty_is_length_zero(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	open_channel(t, 4, &tx, &rx);
	for (uint64_t i = 0; i < 6; i++) {
		want_u64(0, tx_get(t, tx, CHAN_LEN));
		rx2 = subscribe(t, tx);
		want_u64(0, tx_get(t, tx, CHAN_LEN));
		want(CHAN_OK, try_send(t, tx, i));
		want_recv(t, rx, i);
		want_u64(1, tx_get(t, tx, CHAN_LEN));
		rx_drop(t, &rx2); /* nobody is owed it any more */
	}
	want_u64(0, tx_get(t, tx, CHAN_LEN));
	rx_drop(t, &rx);
	want_u64(0, tx_get(t, tx, CHAN_LEN));
}

/* Positions before and after 2^64: distances are right, comparisons are not fooled. */
static void positions_wrap(struct test *t)
{
	for (uint64_t before = 0; before <= 12; before++) {
		struct chan_sender *tx;
		struct chan_receiver *rx, *late;
		t->start = 0 - before;
		open_channel(t, 4, &tx, &rx);
		send_range(t, tx, 0, 5);
		late = subscribe(t, tx);
		send_range(t, tx, 5, 11);
		want_lag(t, rx, 7);
		want_lag(t, late, 2);
		for (uint64_t i = 7; i < 11; i++) {
			want_recv(t, rx, i);
			want_recv(t, late, i);
		}
		want_none(t, rx, CHAN_EMPTY);
		send_range(t, tx, 11, 13);
		want_recv(t, rx, 11);
		tx_drop(t, &tx);
		want_recv(t, rx, 12);
		want_none(t, rx, CHAN_CLOSED);
		handles_drop(t);
	}
}

const struct rule broadcast_lag_rules[] = {
	{"B-11",
         RULE_BROADCAST,
         "A receiver as far behind as messages are kept has lost none; one further, one.",
         {{"1 to 16", boundary, "", 0}}},
	{"B-12",
         RULE_BROADCAST,
         "The number of lost messages is exact.",
         {{"1 to 19", counted, "", 0}, {"capacity 2, five sends", documents_example, "", 0}}},
	{"B-13",
         RULE_BROADCAST,
         "After a lag the receiver stands at the oldest message that is kept, and gets it next.",
         {{"1 to 16 kept", lag_lands_on_oldest, "", 0}}},
	{"B-14",
         RULE_BROADCAST,
         "After a lag the next one counts from the oldest message kept then.",
         {{"three lags", lag_again, "", 0}}},
	{"B-15", RULE_BROADCAST, "Lag is each receiver's own.", {{"slow, fast, late", per_receiver, "", 0}}},
	{"B-16", RULE_BROADCAST, "A receiver that has caught up starts afresh.", {{"two lags", catches_up, "", 0}}},
	{"B-17",
         RULE_BROADCAST,
         "Received, lost and unread add up to what was sent.",
         {{"600 random steps", identity, "receiver_get", 0}}},
	{"B-18",
         RULE_BROADCAST,
         "Every form of receive reports lag alike, and before closed.",
         {{"four deadlines", same_in_all_forms, "", 0}}},
	{"B-19", RULE_BROADCAST, "A lagging receiver stays subscribed.", {{"send after lag", stays_subscribed, "", 0}}},
	{"B-26",
         RULE_BROADCAST,
         "A receiver's length counts overwritten messages too, until it was told of them.",
         {{"five into two", length_of_receiver, "receiver_get", 0}}},
	{"B-27",
         RULE_BROADCAST,
         "A sender's length counts the messages still owed to a receiver.",
         {{"two receivers", length_of_sender, "sender_get", 0}}},
	{"B-28",
         RULE_BROADCAST,
         "A sender's length is 0 exactly when no receiver is owed anything.",
         {{"six messages", empty_is_length_zero, "sender_get", 0}}},
	{"B-42",
         RULE_BROADCAST,
         "Positions are 64 bits and are compared by their distance.",
         {{"around 2^64", positions_wrap, "", TEST_START}}},
	{"B-29",
         RULE_BROADCAST,
         "The number of receivers follows subscribe, resubscribe and drop.",
         {{"three receivers", receiver_count, "resubscribe sender_get", 0}}},
	{0},
};
