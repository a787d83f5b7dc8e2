/* SPDX-License-Identifier: MIT
 *
 * broadcast_handles.c - rules B-36 to B-44: closed(), weak senders, identity.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static void closed_waits(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	rx2 = subscribe(t, tx);
	want(CHAN_EMPTY, try_closed(t, tx));
	actor_closed(a, t, tx, CHAN_FOREVER);
	want_blocked(a);
	rx_drop(t, &rx);
	want_blocked(a);
	rx_drop(t, &rx2);
	want_returns(a, CHAN_OK);
	want(CHAN_OK, try_closed(t, tx));
	rx = subscribe(t, tx);
	actor_closed(a, t, tx, CHAN_FOREVER);
	want_blocked(a);
	rx_drop(t, &rx);
	want_returns(a, CHAN_OK);
}

static void reopened(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	for (uint64_t i = 0; i < 3; i++) {
		rx_drop(t, &rx);
		want(CHAN_CLOSED, try_send(t, tx, 99));
		rx = subscribe(t, tx);
		want_none(t, rx, CHAN_EMPTY);
		want(CHAN_OK, try_send(t, tx, i));
		want_recv(t, rx, i);
	}
}

static void weak_senders(struct test *t)
{
	struct chan_sender *tx, *strong = NULL;
	struct chan_receiver *rx;
	struct chan_weak *weak, *second;
	open_channel(t, 2, &tx, &rx);
	weak = downgrade(t, tx);
	second = weak_clone(t, weak);
	want_u64(2, weak_get(t, weak, CHAN_WEAK_SENDERS));
	want_u64(1, weak_get(t, weak, CHAN_SENDERS));
	want(CHAN_OK, upgrade(t, second, &strong));
	want_u64(2, weak_get(t, weak, CHAN_SENDERS));
	tx_drop(t, &tx);
	want(CHAN_OK, try_send(t, strong, 1));
	tx_drop(t, &strong);
	want_recv(t, rx, 1);
	want_none(t, rx, CHAN_CLOSED);
	want(CHAN_CLOSED, upgrade(t, weak, &strong));
	weak_drop(t, &weak);
	want_u64(1, weak_get(t, second, CHAN_WEAK_SENDERS));
}

static void overflow_and_drop(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	for (unsigned round = 0; round < rounds(50); round++) {
		struct chan_receiver *other = subscribe(t, tx);
		for (uint64_t i = 0; i < 5; i++) {
			actor_send(a, t, tx, i, CHAN_NOW);
			try_recv(t, other, NULL);
			want_returns(a, CHAN_OK);
		}
		actor_send(a, t, tx, 9, CHAN_NOW);
		rx_drop(t, &other);
		want_returns(a, CHAN_OK);
	}
	want_none(t, rx, CHAN_LAGGED);
}

static void identity(struct test *t)
{
	struct chan_sender *tx, *tx2;
	struct chan_receiver *rx, *rx2;
	open_channel(t, 2, &tx, &rx);
	open_channel(t, 2, &tx2, &rx2);
	want_u64(tx_get(t, tx, CHAN_IDENTITY), rx_get(t, subscribe(t, tx), CHAN_IDENTITY));
	want_u64(tx_get(t, tx, CHAN_IDENTITY), rx_get(t, rx, CHAN_IDENTITY));
	want_true(tx_get(t, tx, CHAN_IDENTITY) != tx_get(t, tx2, CHAN_IDENTITY));
	want_true(rx_get(t, rx, CHAN_IDENTITY) != rx_get(t, rx2, CHAN_IDENTITY));
}

#define WEAK "downgrade upgrade weak_drop weak_clone weak_get"

const struct rule broadcast_handles_rules[] = {
	{"B-36",
         RULE_BROADCAST,
         "closed() waits until there is no receiver; a new one makes it wait again.",
         {{"two receivers", closed_waits, "closed", 0}}},
	{"B-38",
         RULE_BROADCAST,
         "A receiver that subscribes after the last one went reopens the channel.",
         {{"three rounds", reopened, "", 0}}},
	{"B-39",
         RULE_BROADCAST,
         "A weak sender does not hold the channel open, and is upgraded while there is a sender.",
         {{"upgrade and drop", weak_senders, WEAK, 0}}},
	{"B-43",
         RULE_BROADCAST,
         "Sends, receives and drops race without harm while the ring overflows.",
         {{"50 rounds", overflow_and_drop, "", 0}}},
	{"B-44",
         RULE_BROADCAST,
         "Handles of one channel have the same identity, those of two channels do not.",
         {{"two channels", identity, "sender_get receiver_get", 0}}},
	{0},
};
