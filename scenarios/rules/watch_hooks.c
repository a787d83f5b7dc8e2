/* SPDX-License-Identifier: MIT
 *
 * watch_hooks.c - rules W-32, W-33, D-11: the life of the values in a watch channel. The initial
 * value is 0.
 */
#include "scenarios/rules/tally.h"
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static struct tally tally;

static void open_tally(struct test *t, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct chan_config config = tally_config(t, &tally, 0);
	open_config(t, &config, tx, rx);
}

static void lives_to_the_end(struct test *t)
{
	for (int first = 0; first < 2; first++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_tally(t, &tx, &rx);
		want(CHAN_OK, try_send(t, tx, 1));
		want_u64(1, tally.of[0]);
		if (first == 0)
			tx_drop(t, &tx);
		else
			rx_drop(t, &rx);
		want_u64(0, tally.of[1]);
		if (first == 0)
			rx_drop(t, &rx);
		else
			tx_drop(t, &tx);
		want_u64(1, tally.of[1]);
		want_u64(2 + tally.clones, tally_count(&tally));
	}
}

static void replaced_once(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, &tx, &rx);
	for (uint64_t i = 1; i < 50; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		want_u64(1, tally.of[i - 1]);
		want_u64(0, tally.of[i]);
	}
	rx_drop(t, &rx);
	want(CHAN_CLOSED, try_send(t, tx, 60));
	want_u64(0, tally.of[60]);
}

static void borrow_in_destroy(struct tally *l, uint64_t value)
{
	uint64_t got = 0;
	enum chan_status status = l->test->watch->borrow(l->rx, &got, NULL);
	if (status != CHAN_OK || got != value + 1)
		l->status = status == CHAN_OK ? CHAN_EMPTY : status;
}

static void destroyed_without_lock(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, &tx, &rx);
	tally.also = borrow_in_destroy;
	tally.rx = rx;
	for (uint64_t i = 1; i < 5; i++)
		want(CHAN_OK, try_send(t, tx, i));
	tally.also = NULL;
	want(CHAN_OK, tally.status);
}

static void given_back(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 1, previous = 9;
	open_tally(t, &tx, &rx);
	want(CHAN_OK, t->watch->send_replace(tx, &value, &previous));
	want_u64(0, previous);
	want_destroyed(&tally, 0);
}

static void clone_fails(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 9;
	open_tally(t, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	tally.fail_clone = true;
	want(CHAN_NOMEM, t->watch->borrow(rx, &value, NULL));
	want(CHAN_NOMEM, t->watch->borrow_and_update(rx, &value, NULL));
	tally.fail_clone = false;
	want(CHAN_OK, t->watch->changed(rx, CHAN_NOW));
	want(CHAN_OK, t->watch->borrow(rx, &value, NULL));
	want_u64(1, value);
}

static void call_from_clone(struct tally *l)
{
	uint64_t value = 50;
	l->status = l->test->watch->send(l->tx, &value);
}

static void clone_is_pinned(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 9;
	open_tally(t, &tx, &rx);
	tally.on_clone = call_from_clone;
	tally.tx = tx;
	want(CHAN_OK, t->watch->borrow(rx, &value, NULL));
	tally.on_clone = NULL;
	want_u64(0, value);
	want(CHAN_INVALID, tally.status);
	want(CHAN_EMPTY, t->watch->changed(rx, CHAN_NOW));
}

const struct rule watch_hooks_rules[] = {
	{"W-32",
         RULE_WATCH,
         "The value lives until the last handle of either side is gone.",
         {{"both orders", lives_to_the_end, "", TEST_HOOKS}}},
	{"W-33",
         RULE_WATCH,
         "A replaced value is destroyed with no lock held.",
         {{"borrow from destroy", destroyed_without_lock, "", TEST_HOOKS}}},
	{"W-3",
         RULE_WATCH,
         "A borrow whose clone fails marks nothing seen.",
         {{"clone fails", clone_fails, "borrow_and_update", TEST_HOOKS}}},
	{"D-8",
         RULE_WATCH,
         "clone may not call the channel, and does not deadlock.",
         {{"send from clone", clone_is_pinned, "", TEST_HOOKS}}},
	{"D-11",
         RULE_WATCH,
         "Each value is destroyed once, by its replacement or at the end, unless it was given back.",
         {{"50 sends", replaced_once, "", TEST_HOOKS}, {"send_replace", given_back, "send_replace", TEST_HOOKS}}},
	{0},
};
