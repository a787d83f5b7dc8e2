/* SPDX-License-Identifier: MIT
 *
 * mpsc_permit.c - rules M-35 to M-45: slots reserved before there is a message.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static void reserve_waits(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	actor_reserve(a, t, tx, 1, &permit, CHAN_FOREVER);
	want_blocked(a);
	want_recv(t, rx, 1);
	want_returns(a, CHAN_OK);
	want_u64(1, permit.count);
	permit_send(t, &permit, 2);
	want_u64(0, permit.count);
	want_recv(t, rx, 2);
}

static void send_after_close(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_reserve(t, tx, 2, &permit));
	close_rx(t, rx);
	permit_send(t, &permit, 1);
	want_recv(t, rx, 1);
	want_none(t, rx, CHAN_EMPTY);
	permit_send(t, &permit, 2);
	want_recv(t, rx, 2);
	want_none(t, rx, CHAN_CLOSED);
}

static void release_wakes(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct chan_permit permit;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_reserve(t, tx, 1, &permit));
	actor_send(a, t, other, 2, CHAN_FOREVER);
	want_blocked(a);
	permit_release(t, &permit);
	want_returns(a, CHAN_OK);
	want_recv(t, rx, 2);
}

static void try_reserve_takes(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit, second = {.count = 77};
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_reserve(t, tx, 1, &permit));
	want(CHAN_FULL, try_reserve(t, tx, 1, &second));
	want_u64(77, second.count);
	want(CHAN_FULL, try_send(t, tx, 1));
	permit_release(t, &permit);
	want(CHAN_OK, try_reserve(t, tx, 1, &second));
	permit_release(t, &second);
	close_rx(t, rx);
	want(CHAN_CLOSED, try_reserve(t, tx, 1, &second));
}

static void too_many(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit = {.count = 77};
	open_channel(t, 3, &tx, &rx);
	want(CHAN_INVALID, t->mpsc->reserve(tx, 4, &permit, CHAN_FOREVER));
	want(CHAN_INVALID, t->mpsc->reserve(tx, SIZE_MAX, &permit, CHAN_FOREVER));
	want(CHAN_INVALID, t->mpsc->reserve(tx, 4, &permit, in_ms(1)));
	want_u64(77, permit.count);
	want(CHAN_OK, t->mpsc->reserve(tx, 3, &permit, CHAN_FOREVER));
	permit_release(t, &permit);
}

static void try_many(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 4, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_FULL, try_reserve(t, tx, 4, &permit));
	want(CHAN_FULL, try_reserve(t, tx, 5, &permit));
	want(CHAN_FULL, try_reserve(t, tx, SIZE_MAX, &permit));
	want(CHAN_OK, try_reserve(t, tx, 3, &permit));
	want_u64(3, permit.count);
	permit_release(t, &permit);
	close_rx(t, rx);
	want(CHAN_CLOSED, try_reserve(t, tx, 4, &permit));
	want(CHAN_FULL, try_reserve(t, tx, 5, &permit));
}

static void none(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit = {.count = 77};
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_reserve(t, tx, 0, &permit));
	want_u64(0, permit.count);
	want(CHAN_OK, t->mpsc->reserve(tx, 0, &permit, CHAN_FOREVER));
	permit_release(t, &permit);
	close_rx(t, rx);
	want(CHAN_CLOSED, try_reserve(t, tx, 0, &permit));
	want(CHAN_CLOSED, t->mpsc->reserve(tx, 0, &permit, CHAN_FOREVER));
}

static void remainder_returns(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 5, &tx, &rx);
	want(CHAN_OK, try_reserve(t, tx, 5, &permit));
	permit_send(t, &permit, 1);
	permit_send(t, &permit, 2);
	want_u64(3, permit.count);
	permit_release(t, &permit);
	for (uint64_t i = 3; i <= 5; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want(CHAN_FULL, try_send(t, tx, 6));
	for (uint64_t i = 1; i <= 5; i++)
		want_recv(t, rx, i);
}

static void order_of_sends(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 3, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_reserve(t, tx, 1, &permit));
	want(CHAN_OK, try_send(t, other, 1));
	permit_send(t, &permit, 2);
	want(CHAN_OK, try_send(t, other, 3));
	for (uint64_t i = 1; i <= 3; i++)
		want_recv(t, rx, i);
}

static void owned_gives_back(struct test *t)
{
	struct chan_sender *tx, *back = NULL;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 1, &tx, &rx);
	struct chan_sender *was = tx;
	want(CHAN_OK, chan_reserve_owned(t->mpsc, &tx, &permit, NULL, CHAN_NOW));
	want_true(tx == NULL);
	want_none(t, rx, CHAN_EMPTY);
	step("send with the owned permit");
	chan_owned_send(t->mpsc, &permit, &(uint64_t){1}, &back);
	want_true(back == was);
	want_recv(t, rx, 1);
	want(CHAN_OK, chan_reserve_owned(t->mpsc, &back, &permit, NULL, CHAN_NOW));
	step("release the owned permit");
	chan_owned_release(t->mpsc, &permit, &back);
	want_true(back == was);
	want(CHAN_OK, try_send(t, back, 2));
	want_recv(t, rx, 2);
}

static void owned_fails(struct test *t)
{
	struct chan_sender *tx, *back = NULL;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 1, &tx, &rx);
	struct chan_sender *was = tx;
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_FULL, chan_reserve_owned(t->mpsc, &tx, &permit, &back, CHAN_NOW));
	want_true(tx == NULL && back == was);
	want_recv(t, rx, 1);
	want(CHAN_OK, try_send(t, back, 2));
}

static void send_after_receiver_drop(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_reserve(t, tx, 2, &permit));
	rx_drop(t, &rx);
	permit_send(t, &permit, 1);
	permit_release(t, &permit);
	want(CHAN_CLOSED, try_send(t, tx, 2));
}

#define PERMIT "reserve permit_send permit_release"

const struct rule mpsc_permit_rules[] = {
	{"M-35",
         RULE_MPSC,
         "A reservation waits as a send does; what is sent with it neither waits nor fails.",
         {{"capacity 1", reserve_waits, PERMIT, 0}}},
	{"M-36",
         RULE_MPSC,
         "A permit still sends after the receiver has closed, and the message is received.",
         {{"close", send_after_close, PERMIT " close", 0}}},
	{"M-37",
         RULE_MPSC,
         "A permit still sends after the receiver is gone; nobody gets it.",
         {{"receiver dropped", send_after_receiver_drop, PERMIT, 0}}},
	{"M-38",
         RULE_MPSC,
         "A permit that is released gives its slot to the next sender.",
         {{"waiting sender", release_wakes, PERMIT " sender_clone", 0}}},
	{"M-39",
         RULE_MPSC,
         "A try to reserve gives a permit, full or closed; a permit occupies its slot.",
         {{"capacity 1", try_reserve_takes, PERMIT " close", 0}}},
	{"M-40",
         RULE_MPSC,
         "Reserving more than the capacity is invalid, at once.",
         {{"four of three", too_many, PERMIT, 0}}},
	{"M-41",
         RULE_MPSC,
         "A try to reserve more than there is, or than there can be, is full; closed only within the capacity.",
         {{"capacity 4", try_many, PERMIT " close", 0}}},
	{"M-42",
         RULE_MPSC,
         "Reserving nothing succeeds even when full, and fails when closed.",
         {{"full", none, PERMIT " close", 0}}},
	{"M-43",
         RULE_MPSC,
         "A permit of several slots sends one by one; what is left returns.",
         {{"two of five", remainder_returns, PERMIT, 0}}},
	{"M-44",
         RULE_MPSC,
         "An owned permit counts as its sender and gives it back.",
         {{"send, release", owned_gives_back, PERMIT, 0}}},
	{"M-45",
         RULE_MPSC,
         "An owned reservation that fails gives the sender back.",
         {{"full", owned_fails, PERMIT, 0}}},
	{"M-66",
         RULE_MPSC,
         "A permit's message takes its place when it is sent, not when it was reserved.",
         {{"a send in between", order_of_sends, PERMIT " sender_clone", 0}}},
	{0},
};
