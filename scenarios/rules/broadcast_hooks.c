/* SPDX-License-Identifier: MIT
 *
 * broadcast_hooks.c - rules B-30 to B-35, D-8: who destroys what, when, and how often it is cloned.
 */
#include "scenarios/rules/tally.h"
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static struct tally tally;

static void open_tally(struct test *t, size_t capacity, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct chan_config config = tally_config(t, &tally, capacity);
	open_config(t, &config, tx, rx);
}

static void drop_pays_debts(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	open_tally(t, 4, &tx, &rx);
	rx2 = subscribe(t, tx);
	for (uint64_t i = 0; i < 4; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want_recv(t, rx2, 0);
	want_recv(t, rx2, 1);
	want_destroyed(&tally, 0); /* the other is owed all of them */
	rx_drop(t, &rx);
	want_destroyed_in_order(&tally, 2);
	rx_drop(t, &rx2);
	want_destroyed_in_order(&tally, 4);
}

static void lagging_drop(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, 2, &tx, &rx);
	for (uint64_t i = 0; i < 5; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want_destroyed_in_order(&tally, 3);
	rx_drop(t, &rx);
	want_destroyed_in_order(&tally, 5);
}

static void last_reader_destroys(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	open_tally(t, 4, &tx, &rx);
	rx2 = subscribe(t, tx);
	want(CHAN_OK, try_send(t, tx, 0));
	want(CHAN_OK, try_send(t, tx, 1));
	want_recv(t, rx, 0);
	want_destroyed(&tally, 0);
	want_recv(t, rx2, 0);
	want_destroyed_in_order(&tally, 1);
	want_recv(t, rx2, 1);
	want_destroyed_in_order(&tally, 1);
	want_recv(t, rx, 1);
	want_destroyed_in_order(&tally, 2);
}

static void latecomers_owe_nothing(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, 4, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 0));
	subscribe(t, tx);
	want_recv(t, rx, 0);
	want_destroyed_in_order(&tally, 1);
}

static void own_clones(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx[3];
	open_tally(t, 4, &tx, &rx[0]);
	rx[1] = subscribe(t, tx);
	rx[2] = subscribe(t, tx);
	want(CHAN_OK, try_send(t, tx, 7));
	for (uint64_t i = 0; i < 3; i++) {
		/* moved out to the last one, or cloned for it and destroyed: every value ends
		 * once either way */
		want_recv(t, rx[i], 7);
		want_true(tally.clones + 1 - tally_count(&tally) == (i < 2 ? i + 2 : 3));
	}
}

static unsigned cloning, collisions;

static void watch_clones(struct tally *l)
{
	(void)l;
	if (__atomic_fetch_add(&cloning, 1, __ATOMIC_SEQ_CST) != 0)
		__atomic_fetch_add(&collisions, 1, __ATOMIC_SEQ_CST);
	for (volatile unsigned i = rounds(20000); i > 0; i--)
		;
	__atomic_fetch_sub(&cloning, 1, __ATOMIC_SEQ_CST);
}

static void clones_one_by_one(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx[4];
	struct actor *actors[4];
	open_tally(t, 1, &tx, &rx[0]);
	for (size_t i = 1; i < 4; i++)
		rx[i] = subscribe(t, tx);
	for (size_t i = 0; i < 4; i++)
		actors[i] = actor_start();
	tally.on_clone = watch_clones;
	for (uint64_t round = 0; round < rounds(30); round++) {
		for (size_t i = 0; i < 4; i++)
			actor_recv(actors[i], t, rx[i], CHAN_FOREVER);
		want(CHAN_OK, try_send(t, tx, round));
		for (size_t i = 0; i < 4; i++)
			want_gets(actors[i], round);
	}
	want_u64(0, collisions);
	tally.on_clone = NULL;
}

static void clone_fails(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	open_tally(t, 4, &tx, &rx);
	rx2 = subscribe(t, tx); /* so that there is something to clone for both */
	for (uint64_t i = 0; i < 3; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want_recv(t, rx, 0);
	tally.fail_clone = true;
	want_none(t, rx, CHAN_NOMEM);
	tally.fail_clone = false;
	want_recv(t, rx, 2);
	want_none(t, rx, CHAN_EMPTY);
	for (uint64_t i = 0; i < 3; i++)
		want_recv(t, rx2, i);
	want_destroyed_in_order(&tally, 3);
}

static void overwritten_once(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, 4, &tx, &rx);
	for (uint64_t i = 0; i < 100; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		want_destroyed(&tally, i < 4 ? 0 : i - 3);
	}
	want_destroyed_in_order(&tally, 96);
	tx_drop(t, &tx);
	want_destroyed(&tally, 96);
	rx_drop(t, &rx);
	want_destroyed_in_order(&tally, 100);
}

static void send_again(struct tally *l, uint64_t value)
{
	uint64_t next = value + 100;
	if (value < 4) {
		enum chan_status status = l->test->broadcast->send(l->tx, &next, NULL);
		if (status != CHAN_OK)
			l->status = status;
	}
}

static void reentrant(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	open_tally(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	tally.also = send_again;
	tally.tx = other;
	for (uint64_t i = 0; i < 6; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want(CHAN_OK, tally.status);
	tally.also = NULL;
	rx_drop(t, &rx);
	for (uint64_t i = 0; i < 6; i++)
		want_u64(1, tally.of[i]);
	for (uint64_t i = 0; i < 4; i++)
		want_u64(1, tally.of[100 + i]);
	want_destroyed(&tally, 10);
}

static void call_from_clone(struct tally *l)
{
	uint64_t value = 50;
	l->status = l->test->broadcast->send(l->tx, &value, NULL);
}

static void clone_is_pinned(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	open_tally(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	subscribe(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	tally.on_clone = call_from_clone;
	tally.tx = other;
	want_recv(t, rx, 1);
	tally.on_clone = NULL;
	want(CHAN_INVALID, tally.status);
	want_none(t, rx, CHAN_EMPTY);
}

/* Three receivers, one of which lags and one of which goes: at the end there is nothing left of
 * what the channel had. */
static void everything_ends(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx[3];
	uint64_t received = 0;
	open_tally(t, 4, &tx, &rx[0]);
	rx[1] = subscribe(t, tx);
	rx[2] = subscribe(t, tx);
	for (uint64_t i = 0; i < 60; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		received += try_recv(t, rx[0], NULL) == CHAN_OK;
		if (i % 7 == 0)
			received += try_recv(t, rx[1], NULL) == CHAN_OK;
		if (i == 30)
			rx_drop(t, &rx[2]);
	}
	tx_drop(t, &tx);
	rx_drop(t, &rx[1]);
	rx_drop(t, &rx[0]);
	want_true(received > 60);
	/* the original of each was destroyed or moved to its last reader, each copy went to a
	 * reader */
	want_u64(60 + tally.clones, received + tally_count(&tally));
}

const struct rule broadcast_hooks_rules[] = {
	{"B-30",
         RULE_BROADCAST,
         "A receiver's drop counts as having read all; what nobody else is owed is destroyed then.",
         {{"two receivers", drop_pays_debts, "", TEST_HOOKS}, {"lagging", lagging_drop, "", TEST_HOOKS}}},
	{"B-31",
         RULE_BROADCAST,
         "A message is destroyed when the last receiver it is owed to has got it.",
         {{"two receivers", last_reader_destroys, "", TEST_HOOKS}}},
	{"B-32",
         RULE_BROADCAST,
         "A receiver that subscribes after a send is not owed it.",
         {{"late receiver", latecomers_owe_nothing, "", TEST_HOOKS}}},
	{"B-33",
         RULE_BROADCAST,
         "Each receiver gets a copy of its own, and a message is never cloned by two at once.",
         {{"three receivers", own_clones, "", TEST_HOOKS}, {"four threads", clones_one_by_one, "", TEST_HOOKS}}},
	{"B-34",
         RULE_BROADCAST,
         "A clone that fails counts as received: the next message follows.",
         {{"second of three", clone_fails, "", TEST_HOOKS}}},
	{"B-35",
         RULE_BROADCAST,
         "What is overwritten is destroyed, once.",
         {{"100 into 4", overwritten_once, "", TEST_HOOKS}}},
	{"D-10",
         RULE_BROADCAST,
         "Copies are the receivers', originals the channel's: all of both end once.",
         {{"fast, lagging, gone", everything_ends, "", TEST_HOOKS}}},
	{"B-41",
         RULE_BROADCAST,
         "destroy may send on the channel; clone may not, and does not deadlock.",
         {{"destroy", reentrant, "sender_clone", TEST_HOOKS}, {"clone", clone_is_pinned, "sender_clone", TEST_HOOKS}}},
	{0},
};
