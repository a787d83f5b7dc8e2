/* SPDX-License-Identifier: MIT
 *
 * mpsc_send.c - rules M-17 to M-20 and M-28 to M-34: sending, giving up, and what a close does to
 * senders.
 */
#include "scenarios/rules/tally.h"
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static struct tally tally;

static void waits_for_slot(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	actor_send(a, t, tx, 1, CHAN_FOREVER);
	want_returns(a, CHAN_OK);
	actor_send(a, t, tx, 2, CHAN_FOREVER);
	want_blocked(a);
	want_recv(t, rx, 1);
	want_returns(a, CHAN_OK);
	want_recv(t, rx, 2);
}

static void closed_send(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 7;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	close_rx(t, rx);
	want(CHAN_CLOSED, t->mpsc->send(tx, &value, CHAN_FOREVER));
	want(CHAN_CLOSED, t->mpsc->send(tx, &value, CHAN_NOW));
	want_u64(7, value);
	want_recv(t, rx, 1);
	want_none(t, rx, CHAN_CLOSED);
}

static void send_after_receiver_drop(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	rx_drop(t, &rx);
	want(CHAN_CLOSED, send_until(t, tx, 1, CHAN_FOREVER));
	want(CHAN_CLOSED, send_until(t, tx, 1, in_ms(1)));
	want(CHAN_CLOSED, try_send(t, tx, 1));
}

static void try_send_full(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 9;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_send(t, tx, 2));
	want(CHAN_FULL, t->mpsc->send(tx, &value, CHAN_NOW));
	want_u64(9, value);
	want_recv(t, rx, 1);
	want(CHAN_OK, try_send(t, tx, 3));
	want_recv(t, rx, 2);
	want_recv(t, rx, 3);
}

static void closed_over_full(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	close_rx(t, rx);
	want(CHAN_CLOSED, try_send(t, tx, 2));
	want(CHAN_CLOSED, send_until(t, tx, 2, in_ms(1)));
}

static void not_sent(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 2;
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_TIMEOUT, t->mpsc->send(tx, &value, in_ms(5)));
	want_u64(2, value);
	want_recv(t, rx, 1);
	want_none(t, rx, CHAN_EMPTY);
	want(CHAN_OK, t->mpsc->send(tx, &value, in_ms(5)));
	want_recv(t, rx, 2);
}

static void past_deadline_sends(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, send_until(t, tx, 1, 1));
	want(CHAN_TIMEOUT, send_until(t, tx, 2, 1));
	want_recv(t, rx, 1);
	want(CHAN_OK, send_until(t, tx, 3, chan_now()));
	want_recv(t, rx, 3);
}

static void close_ends_timed_send(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	actor_send(a, t, tx, 2, in_ms(3600000));
	want_blocked(a);
	close_rx(t, rx);
	settle();
	want_true(actor_done(a));
	want_returns(a, CHAN_CLOSED);
	want_recv(t, rx, 1);
	want_none(t, rx, CHAN_CLOSED);
}

/* Three senders and a reservation wait; then the channel is closed in one way or the other. */
static void close_wakes_all(struct test *t, bool drop)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *actors[3];
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 0));
	for (uint64_t i = 0; i < 3; i++) {
		actors[i] = actor_start();
		actor_send(actors[i], t, tx_clone(t, tx), i + 1, CHAN_FOREVER);
		want_blocked(actors[i]);
	}
	if (drop)
		rx_drop(t, &rx);
	else
		close_rx(t, rx);
	for (uint64_t i = 0; i < 3; i++)
		want_returns(actors[i], CHAN_CLOSED);
	if (!drop) {
		want_recv(t, rx, 0);
		want_none(t, rx, CHAN_CLOSED);
	}
}

static void close_wakes_senders(struct test *t)
{
	close_wakes_all(t, false);
}

static void drop_wakes_senders(struct test *t)
{
	close_wakes_all(t, true);
}

static void close_wakes_reservations(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct chan_permit one = {.count = 0}, two = {.count = 0};
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_send(t, tx, 2));
	actor_reserve(a, t, tx, 2, &one, CHAN_FOREVER);
	want_blocked(a);
	actor_reserve(b, t, other, 1, &two, CHAN_FOREVER);
	want_blocked(b);
	close_rx(t, rx);
	want_returns(a, CHAN_CLOSED);
	want_returns(b, CHAN_CLOSED);
	want_u64(0, one.count);
	want_u64(0, two.count);
}

static void close_fires_armed(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct counter one, two;
	open_channel(t, 1, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(CHAN_ARMED, arm_send(t, tx, &one));
	want_u64(CHAN_ARMED, arm_send(t, other, &two));
	close_rx(t, rx);
	want_u64(1, fired(&one));
	want_u64(1, fired(&two));
	want(CHAN_CLOSED, try_send(t, tx, 2));
	want(CHAN_CLOSED, try_send(t, other, 2));
	want_true(disarm(t, &one));
	want_true(disarm(t, &two));
}

static void assigned_then_closed(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct counter c;
	open_channel(t, 1, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(CHAN_ARMED, arm_send(t, other, &c));
	want_recv(t, rx, 1);
	want_u64(1, fired(&c));
	close_rx(t, rx);
	want(CHAN_CLOSED, try_send(t, other, 2));
	want_true(disarm(t, &c));
	want_none(t, rx, CHAN_CLOSED);
}

static void acquired_before_close(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	for (unsigned i = 0; i < rounds(100); i++) {
		enum chan_status status;
		open_channel(t, 1, &tx, &rx);
		actor_send(a, t, tx, 5, CHAN_FOREVER);
		close_rx(t, rx); /* races with the send */
		actor_join(a, &status, __FILE__, __LINE__);
		if (status == CHAN_OK)
			want_recv(t, rx, 5);
		else
			want(CHAN_CLOSED, status);
		want_none(t, rx, CHAN_CLOSED);
		tx_drop(t, &tx);
		rx_drop(t, &rx);
	}
}

static void ok_promises_nothing(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_config config = tally_config(t, &tally, 4);
	open_config(t, &config, &tx, &rx);
	for (uint64_t i = 0; i < 3; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want_recv(t, rx, 0);
	rx_drop(t, &rx);
	want_u64(1, tally.of[1]); /* sent, and never received */
	want_u64(1, tally.of[2]);
	want(CHAN_CLOSED, send_until(t, tx, 3, CHAN_FOREVER));
	tx_drop(t, &tx);
	want_u64(0, tally.of[3]); /* not sent: still its sender's */
	want_destroyed(&tally, 2);
}

static void timed_says(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 2;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, t->mpsc->send(tx, &(uint64_t){1}, in_ms(3600000)));
	want(CHAN_TIMEOUT, t->mpsc->send(tx, &value, in_ms(3)));
	want_u64(2, value);
	actor_send(a, t, tx, 3, in_ms(3600000));
	want_blocked(a);
	want_recv(t, rx, 1);
	want_returns(a, CHAN_OK);
	rx_drop(t, &rx);
	want(CHAN_CLOSED, t->mpsc->send(tx, &value, in_ms(3600000)));
	want_u64(2, value);
}

const struct rule mpsc_send_rules[] = {
	{"M-17",
         RULE_MPSC,
         "A send waits while the channel is full, and goes on when a slot is free.",
         {{"capacity 1", waits_for_slot, "", 0}}},
	{"M-18",
         RULE_QUEUES,
         "A send on a closed channel fails, and its value is never received.",
         {{"close", closed_send, "close", 0}, {"receiver dropped", send_after_receiver_drop, "", 0}}},
	{"M-19",
         RULE_QUEUES,
         "A send that succeeded promises no receipt; one that failed promises that there is none.",
         {{"receiver dropped", ok_promises_nothing, "", 0}}},
	{"M-20",
         RULE_MPSC,
         "A try never blocks: full leaves the value with the caller, and closed wins over full.",
         {{"full", try_send_full, "", 0}, {"closed and full", closed_over_full, "close", 0}}},
	{"M-28",
         RULE_MPSC,
         "A send that gave up sent nothing; the value is still the caller's.",
         {{"timeout", not_sent, "", 0}}},
	{"M-29",
         RULE_MPSC,
         "A send with a deadline succeeds, times out or is closed; unless it succeeds the value stays.",
         {{"all three", timed_says, "", 0}}},
	{"M-30",
         RULE_MPSC,
         "A send that can complete does, however old its deadline.",
         {{"past deadline", past_deadline_sends, "", 0}}},
	{"M-31",
         RULE_MPSC,
         "A close ends a timed send as closed, not as timed out.",
         {{"close while it waits", close_ends_timed_send, "close", 0}}},
	{"M-32",
         RULE_MPSC,
         "A close wakes all waiting senders, and all of them fail.",
         {{"close", close_wakes_senders, "sender_clone close", 0},
          {"receiver dropped", drop_wakes_senders, "sender_clone", 0},
          {"reservations", close_wakes_reservations, "sender_clone reserve close", 0},
          {"armed senders", close_fires_armed, "sender_clone close arm_send disarm", 0}}},
	{"M-33",
         RULE_MPSC,
         "A sender that was given a slot and has not used it fails once the channel is closed.",
         {{"armed sender", assigned_then_closed, "sender_clone close arm_send disarm", 0}}},
	{"M-34",
         RULE_QUEUES,
         "A send that races with a close is either received or fails.",
         {{"100 races", acquired_before_close, "close", 0}}},
	{0},
};
