/* SPDX-License-Identifier: MIT
 *
 * unbounded.c - rules U: what differs when there is no bound. The M rules that hold for both kinds
 * run for both.
 */
#include "scenarios/rules/tally.h"
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <malloc.h>

static void never_blocks(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	const uint64_t deadlines[] = {CHAN_NOW, 1, CHAN_FOREVER};
	open_channel(t, 0, &tx, &rx);
	step("send 3000 messages");
	for (uint64_t i = 0; i < 3000; i++)
		if (send_until(t, tx, i, deadlines[i % 3]) != CHAN_OK)
			broken_because("CHAN_OK", "a send failed");
	step("receive 3000 messages");
	for (uint64_t i = 0; i < 3000; i++) {
		uint64_t value = 0;
		if (try_recv(t, rx, &value) != CHAN_OK || value != i)
			broken_because("the next message", "another, or none");
	}
	want_none(t, rx, CHAN_EMPTY);
}

static void every_number(struct test *t)
{
	for (uint64_t n = 0; n <= 100; n++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 0, &tx, &rx);
		for (uint64_t i = 0; i < n; i++)
			want(CHAN_OK, try_send(t, tx, i));
		for (uint64_t i = 0; i < n; i++)
			want_recv(t, rx, i);
		want_none(t, rx, CHAN_EMPTY);
		tx_drop(t, &tx);
		want_none(t, rx, CHAN_CLOSED);
		rx_drop(t, &rx);
	}
}

static void memory_returns(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_config config = {.size = 1024, .start = t->start};
	static unsigned char element[1024];
	open_config(t, &config, &tx, &rx);
	size_t before = mallinfo2().uordblks;
	step("send and receive 4000 messages of 1 KiB");
	for (int i = 0; i < 4000; i++)
		if (t->mpsc->send(tx, element, CHAN_NOW) != CHAN_OK)
			broken_because("CHAN_OK", "a send failed");
	for (int i = 0; i < 4000; i++)
		if (t->mpsc->recv(rx, element, CHAN_NOW) != CHAN_OK)
			broken_because("CHAN_OK", "a receive failed");
	size_t kept = mallinfo2().uordblks;
	want_true(kept < before + 2000 * 1024);
}

static struct tally tally;

static void any_level(struct test *t)
{
	static const uint64_t levels[] = {0, 1, 31, 32, 33, 64, 65, 400};
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		for (int first = 0; first < 2; first++) {
			struct chan_sender *tx;
			struct chan_receiver *rx;
			struct chan_config config = tally_config(t, &tally, 0);
			open_config(t, &config, &tx, &rx);
			for (uint64_t k = 0; k < levels[i]; k++)
				if (try_send(t, tx, k) != CHAN_OK)
					broken_because("CHAN_OK", "a send failed");
			if (first == 0)
				tx_drop(t, &tx);
			rx_drop(t, &rx);
			want_destroyed_in_order(&tally, levels[i]);
			if (first != 0)
				tx_drop(t, &tx);
		}
}

#define BACKLOG 200000

static void long_backlog(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 0;
	open_channel(t, 0, &tx, &rx);
	step("send %d messages", BACKLOG);
	for (uint64_t i = 0; i < BACKLOG; i++)
		if (try_send(t, tx, i) != CHAN_OK)
			broken_because("CHAN_OK", "a send failed");
	step("receive them");
	for (uint64_t i = 0; i < BACKLOG; i++)
		if (try_recv(t, rx, &value) != CHAN_OK || value != i)
			broken_because("the next message", "another, or none");
	want_none(t, rx, CHAN_EMPTY);
}

static enum chan_status do_send_until_closed(struct job *job)
{
	enum chan_status status;
	for (job->n = 0; (status = job->test->mpsc->send(job->tx, &job->value, CHAN_FOREVER)) == CHAN_OK;)
		job->n++;
	return status;
}

/* What was sent by the time of the close is exactly what is received before closed. */
static void in_flight_is_delivered(struct test *t)
{
	struct actor *actors[2] = {actor_start(), actor_start()};
	for (unsigned round = 0; round < rounds(30); round++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		uint64_t received = 0, sent = 0;
		open_channel(t, 0, &tx, &rx);
		for (size_t i = 0; i < 2; i++)
			actor_run(actors[i],
			          &(struct job){.run = do_send_until_closed,
			                        .test = t,
			                        .tx = tx_clone(t, tx),
			                        .deadline = CHAN_FOREVER},
			          "send until closed");
		for (; received < rounds(20); received++)
			want_status(CHAN_OK, recv_until(t, rx, NULL, CHAN_FOREVER), __FILE__, __LINE__);
		close_rx(t, rx);
		step("receive until closed");
		while (recv_until(t, rx, NULL, CHAN_FOREVER) == CHAN_OK)
			received++;
		for (size_t i = 0; i < 2; i++)
			sent += want_returns(actors[i], CHAN_CLOSED)->n;
		want_u64(sent, received);
		want_none(t, rx, CHAN_CLOSED);
		handles_drop(t);
	}
}

static void batches(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t values[104];
	size_t n = 0, at = 0;
	open_channel(t, 0, &tx, &rx);
	for (uint64_t i = 0; i < 100; i++)
		want(CHAN_OK, try_send(t, tx, i));
	for (size_t i = 0; i < 104; i++)
		values[i] = 4711;
	for (size_t limit = 1; at < 100; at += n, limit += 7) {
		size_t left = 100 - at;
		want(CHAN_OK, t->mpsc->recv_many(rx, values + at, limit, &n, CHAN_FOREVER));
		want_u64(left < limit ? left : limit, n);
		want_u64(4711, values[at + n]); /* nothing beyond what was received */
	}
	for (uint64_t i = 0; i < 100; i++)
		want_u64(i, values[i]);
	want(CHAN_EMPTY, t->mpsc->recv_many(rx, values, 5, &n, CHAN_NOW));
	want_u64(0, n);
	tx_drop(t, &tx);
	want(CHAN_CLOSED, t->mpsc->recv_many(rx, values, 5, &n, CHAN_FOREVER));
	want_u64(0, n);
}

static void asked(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want_u64(tx_get(t, tx, CHAN_IDENTITY), rx_get(t, rx, CHAN_IDENTITY));
	for (uint64_t i = 0; i < 40; i++) {
		want_u64(i, rx_get(t, rx, CHAN_LEN));
		want(CHAN_OK, try_send(t, tx, i));
	}
	want_u64(0, rx_get(t, rx, CHAN_IS_CLOSED));
	want_u64(0, tx_get(t, tx, CHAN_IS_CLOSED));
	close_rx(t, rx);
	want_u64(1, rx_get(t, rx, CHAN_IS_CLOSED));
	want_u64(1, tx_get(t, tx, CHAN_IS_CLOSED));
	for (uint64_t i = 40; i > 0; i--) {
		want_u64(i, rx_get(t, rx, CHAN_LEN));
		want(CHAN_OK, try_recv(t, rx, NULL));
	}
	want_u64(0, rx_get(t, rx, CHAN_LEN));
	want_none(t, rx, CHAN_CLOSED);
}

const struct rule unbounded_rules[] = {
	{"U-1",
         RULE_UNBOUNDED,
         "A send never waits, however many messages there are.",
         {{"3000", never_blocks, "", 0}}},
	{"U-2",
         RULE_UNBOUNDED,
         "The backlog may be of any length.",
         {{"200000 messages", long_backlog, "", TEST_LONG}}},
	{"U-3",
         RULE_UNBOUNDED,
         "A send that the close did not stop is received before closed.",
         {{"two senders, 30 closes", in_flight_is_delivered, "close sender_clone", 0}}},
	{"U-4",
         RULE_UNBOUNDED,
         "n sends, n receives in order, empty, closed: for every n.",
         {{"0 to 100", every_number, "", 0}}},
	{"U-5",
         RULE_UNBOUNDED,
         "Receiving many is as with a bound, and writes what it received and nothing beyond.",
         {{"growing limits", batches, "recv_many", 0}}},
	{"U-6",
         RULE_UNBOUNDED,
         "Length, closedness and identity are as with a bound.",
         {{"40 messages", asked, "close sender_get receiver_get", 0}}},
	{"U-7",
         RULE_UNBOUNDED,
         "Memory returns as the messages are received.",
         {{"4 MiB", memory_returns, "", TEST_HEAP}}},
	{"U-8",
         RULE_UNBOUNDED,
         "Either side can go at any fill level, and nothing is lost or leaked.",
         {{"0 to 400", any_level, "", 0}}},
	{0},
};
