/* SPDX-License-Identifier: MIT
 *
 * oneshot.c - rules O: one value, once.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

/* Sends and consumes: `*tx` is NULL whatever the status. */
static enum chan_status send_once(struct test *t, struct chan_sender **tx, uint64_t value)
{
	forget(*tx);
	enum chan_status status = t->oneshot->send(tx, &value);
	want_true(*tx == NULL && value != 0);
	return status;
}

static void send_then_recv(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want_none(t, rx, CHAN_EMPTY);
	want(CHAN_OK, send_once(t, &tx, 5));
	want_recv(t, rx, 5);
	want_none(t, rx, CHAN_CLOSED);
}

static void recv_waits(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	want(CHAN_OK, send_once(t, &tx, 5));
	want_gets(a, 5);
}

static void send_to_nobody(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	rx_drop(t, &rx);
	want(CHAN_CLOSED, send_once(t, &tx, 5));
}

static void send_to_closed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	close_rx(t, rx);
	want(CHAN_CLOSED, send_once(t, &tx, 5));
	want_none(t, rx, CHAN_CLOSED);
}

static void closed_receive(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	close_rx(t, rx);
	want(CHAN_CLOSED, recv_until(t, rx, NULL, CHAN_FOREVER));
}

static void sender_dropped(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	tx_drop(t, &tx);
	want_returns(a, CHAN_CLOSED);
	open_channel(t, 0, &tx, &rx);
	tx_drop(t, &tx);
	want_none(t, rx, CHAN_CLOSED);
	want_none(t, rx, CHAN_CLOSED);
}

static void close_keeps_value(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, send_once(t, &tx, 5));
	close_rx(t, rx);
	want_recv(t, rx, 5);
	want_none(t, rx, CHAN_CLOSED);
}

static void close_again(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, send_once(t, &tx, 5));
	close_rx(t, rx);
	close_rx(t, rx);
	want_recv(t, rx, 5);
	close_rx(t, rx);
	want_none(t, rx, CHAN_CLOSED);
}

static void close_races(struct test *t)
{
	struct actor *a = actor_start();
	for (unsigned i = 0; i < rounds(100); i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		enum chan_status received;
		open_channel(t, 0, &tx, &rx);
		actor_recv(a, t, rx, CHAN_NOW);
		enum chan_status sent = send_once(t, &tx, 5);
		actor_join(a, &received, __FILE__, __LINE__);
		want(CHAN_OK, sent);
		if (received == CHAN_EMPTY)
			want_recv(t, rx, 5);
		else
			want(CHAN_OK, received);
		want_none(t, rx, CHAN_CLOSED);
		rx_drop(t, &rx);
	}
}

static enum chan_status do_close(struct job *job)
{
	job->test->oneshot->close(job->rx);
	return CHAN_OK;
}

static void close_against_send(struct test *t)
{
	struct actor *a = actor_start();
	for (unsigned i = 0; i < rounds(200); i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 0, &tx, &rx);
		actor_run(a, &(struct job){.run = do_close, .test = t, .rx = rx, .deadline = CHAN_FOREVER}, "close");
		enum chan_status sent = send_once(t, &tx, 5);
		want_returns(a, CHAN_OK);
		if (sent == CHAN_OK)
			want_recv(t, rx, 5);
		else
			want(CHAN_CLOSED, sent);
		want_none(t, rx, CHAN_CLOSED);
		rx_drop(t, &rx);
	}
}

static void closed_waits(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	want(CHAN_EMPTY, try_closed(t, tx));
	actor_closed(a, t, tx, CHAN_FOREVER);
	want_blocked(a);
	rx_drop(t, &rx);
	want_returns(a, CHAN_OK);
	want(CHAN_OK, try_closed(t, tx));
}

static void closed_by_close(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	actor_closed(a, t, tx, CHAN_FOREVER);
	want_blocked(a);
	want_u64(0, tx_get(t, tx, CHAN_IS_CLOSED));
	close_rx(t, rx);
	want_returns(a, CHAN_OK);
	want_u64(1, tx_get(t, tx, CHAN_IS_CLOSED));
	want(CHAN_CLOSED, send_once(t, &tx, 5));
}

static void terminated(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want_u64(0, rx_get(t, rx, CHAN_IS_TERMINATED));
	want_none(t, rx, CHAN_EMPTY);
	want_u64(0, rx_get(t, rx, CHAN_IS_TERMINATED));
	want(CHAN_OK, send_once(t, &tx, 5));
	want_u64(0, rx_get(t, rx, CHAN_IS_TERMINATED));
	want_recv(t, rx, 5);
	want_u64(1, rx_get(t, rx, CHAN_IS_TERMINATED));

	open_channel(t, 0, &tx, &rx);
	tx_drop(t, &tx);
	want_u64(0, rx_get(t, rx, CHAN_IS_TERMINATED));
	want_none(t, rx, CHAN_CLOSED);
	want_u64(1, rx_get(t, rx, CHAN_IS_TERMINATED));

	open_channel(t, 0, &tx, &rx);
	close_rx(t, rx);
	want_u64(0, rx_get(t, rx, CHAN_IS_TERMINATED));
	want_none(t, rx, CHAN_CLOSED);
	want_u64(1, rx_get(t, rx, CHAN_IS_TERMINATED));
}

static void after_the_end(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, send_once(t, &tx, 5));
	want_recv(t, rx, 5);
	want(CHAN_INVALID, recv_until(t, rx, NULL, CHAN_FOREVER));
	want(CHAN_INVALID, recv_until(t, rx, NULL, in_ms(1)));
	want_none(t, rx, CHAN_CLOSED);

	open_channel(t, 0, &tx, &rx);
	tx_drop(t, &tx);
	want(CHAN_CLOSED, recv_until(t, rx, NULL, CHAN_FOREVER));
	want(CHAN_INVALID, recv_until(t, rx, NULL, CHAN_FOREVER));
	want_none(t, rx, CHAN_CLOSED);
}

static void emptiness(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want_u64(0, rx_get(t, rx, CHAN_LEN));
	want(CHAN_OK, send_once(t, &tx, 5));
	want_u64(1, rx_get(t, rx, CHAN_LEN));
	close_rx(t, rx);
	want_u64(1, rx_get(t, rx, CHAN_LEN));
	want_recv(t, rx, 5);
	want_u64(0, rx_get(t, rx, CHAN_LEN));
}

static void another_thread_waits(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 0, &tx, &rx);
	actor_recv(a, t, rx, in_ms(5));
	want_returns(a, CHAN_TIMEOUT);
	actor_recv(b, t, rx, CHAN_FOREVER);
	want_blocked(b);
	want(CHAN_OK, send_once(t, &tx, 5));
	want_gets(b, 5);
}

static void dropped_with_waits(struct test *t)
{
	struct counter one, two;
	for (int first = 0; first < 2; first++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 0, &tx, &rx);
		want_u64(CHAN_ARMED, arm_recv(t, rx, &one));
		want_u64(CHAN_ARMED, arm_closed(t, tx, &two));
		if (first == 0)
			tx_drop(t, &tx);
		rx_drop(t, &rx);
		if (first != 0)
			tx_drop(t, &tx);
		want_u64(first == 0 ? 1 : 0, fired(&one));
		want_u64(first == 0 ? 0 : 1, fired(&two));
	}
}

static void timeout_keeps(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	for (int i = 0; i < 3; i++)
		want(CHAN_TIMEOUT, recv_until(t, rx, NULL, in_ms(2)));
	want(CHAN_OK, send_once(t, &tx, 5));
	want_recv(t, rx, 5);
}

static void try_says(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want_none(t, rx, CHAN_EMPTY);
	want(CHAN_OK, send_once(t, &tx, 5));
	want_recv(t, rx, 5);
	want_none(t, rx, CHAN_CLOSED); /* taken */
	open_channel(t, 0, &tx, &rx);
	want_none(t, rx, CHAN_EMPTY);
	tx_drop(t, &tx);
	want_none(t, rx, CHAN_CLOSED); /* never sent */
	want_none(t, rx, CHAN_CLOSED);
}

static void try_says_closed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	close_rx(t, rx);
	want_none(t, rx, CHAN_CLOSED); /* the sender is still there */
	want(CHAN_CLOSED, send_once(t, &tx, 5));
	want_none(t, rx, CHAN_CLOSED);
}

static void empty_is_no_end(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	for (int end = 0; end < 2; end++) {
		open_channel(t, 0, &tx, &rx);
		for (int i = 0; i < 3; i++)
			want_none(t, rx, CHAN_EMPTY);
		actor_recv(a, t, rx, CHAN_FOREVER); /* may still be waited for */
		want_blocked(a);
		if (end == 0) {
			want(CHAN_OK, send_once(t, &tx, 5));
			want_gets(a, 5);
		} else {
			tx_drop(t, &tx);
			want_returns(a, CHAN_CLOSED);
		}
		want(CHAN_INVALID, recv_until(t, rx, NULL, CHAN_FOREVER)); /* and no more */
		want_none(t, rx, CHAN_CLOSED);
	}
	open_channel(t, 0, &tx, &rx);
	want_none(t, rx, CHAN_EMPTY);
	tx_drop(t, &tx);
	want_none(t, rx, CHAN_CLOSED);
	want(CHAN_INVALID, recv_until(t, rx, NULL, in_ms(1)));
}

const struct rule oneshot_rules[] = {
	{"O-1",
         RULE_ONESHOT,
         "One value at most; a send consumes its sender.",
         {{"send and receive", send_then_recv, "", 0}}},
	{"O-2",
         RULE_ONESHOT,
         "A send to a receiver that closed or is gone fails and leaves the value.",
         {{"dropped", send_to_nobody, "", 0}, {"closed", send_to_closed, "close", 0}}},
	{"O-4",
         RULE_ONESHOT,
         "A receive waits for the value, or for the end.",
         {{"value", recv_waits, "", 0}, {"closed by itself", closed_receive, "close", 0}}},
	{"O-5",
         RULE_ONESHOT,
         "A sender dropped unsent wakes the receiver with closed.",
         {{"drop", sender_dropped, "", 0}}},
	{"O-6",
         RULE_ONESHOT,
         "A try to receive gives the value, or empty while one may still come, or closed.",
         {{"before, after, taken, dropped", try_says, "", 0}, {"closed by itself", try_says_closed, "close", 0}}},
	{"O-7",
         RULE_ONESHOT,
         "A try to receive sees every send that had returned.",
         {{"100 races", close_races, "", 0}}},
	{"O-8",
         RULE_ONESHOT,
         "Empty leaves the receiver as it was; the value or closed ends it.",
         {{"empty, then either", empty_is_no_end, "", 0}}},
	{"O-9",
         RULE_ONESHOT,
         "A value that was sent before the close is received.",
         {{"close", close_keeps_value, "close", 0}}},
	{"O-10",
         RULE_ONESHOT,
         "A second close, or one after the value was taken, does nothing.",
         {{"three closes", close_again, "close", 0}}},
	{"O-11",
         RULE_ONESHOT,
         "In a race of close and send either the sender has the value or the receiver gets it.",
         {{"200 races", close_against_send, "close", 0}}},
	{"O-12",
         RULE_ONESHOT,
         "A close or drop of the receiver wakes a sender that waits for it.",
         {{"drop", closed_waits, "closed", 0}}},
	{"O-13",
         RULE_ONESHOT,
         "A sender that sees closed will fail to send.",
         {{"close", closed_by_close, "close closed sender_get", 0}}},
	{"O-14",
         RULE_ONESHOT,
         "A receiver is terminated once a result has been handed out, and not before.",
         {{"value, drop, close", terminated, "close receiver_get", 0}}},
	{"O-15",
         RULE_ONESHOT,
         "After its result a try gives closed and a wait is invalid.",
         {{"value, drop", after_the_end, "", 0}}},
	{"O-16",
         RULE_ONESHOT,
         "It is empty but between the send and the receive.",
         {{"all states", emptiness, "close receiver_get", 0}}},
	{"O-20",
         RULE_ONESHOT,
         "After a wait that was given up another thread can wait and is woken.",
         {{"two threads", another_thread_waits, "", 0}}},
	{"O-21",
         RULE_ONESHOT,
         "Both ends can be dropped in any order while waiters are armed.",
         {{"both orders", dropped_with_waits, "arm_recv arm_closed disarm", 0}}},
	{"O-22",
         RULE_ONESHOT,
         "A receive that timed out leaves the value to a later one.",
         {{"three timeouts", timeout_keeps, "", 0}}},
	{0},
};
