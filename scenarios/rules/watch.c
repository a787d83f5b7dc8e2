/* SPDX-License-Identifier: MIT
 *
 * watch.c - rules W: a value, its version, and who has seen it.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

/* What a receiver borrows, and whether it had seen it. */
#define want_borrow(t, rx, value, unseen) want_borrowed(t, rx, value, unseen, __FILE__, __LINE__)

static void want_borrowed(struct test *t, struct chan_receiver *rx, uint64_t value, bool unseen, const char *file,
                          int line)
{
	uint64_t got = 4711;
	bool fresh = !unseen;
	step("borrow (expecting %llu, %s)", (unsigned long long)value, unseen ? "unseen" : "seen");
	want_status(CHAN_OK, t->watch->borrow(rx, &got, &fresh), file, line);
	want_number(value, got, file, line);
	want_number(unseen, fresh, file, line);
}

static enum chan_status try_changed(struct test *t, struct chan_receiver *rx)
{
	return t->watch->changed(rx, CHAN_NOW);
}

static void initial_is_seen(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want_borrow(t, rx, 0, false);
	want(CHAN_EMPTY, try_changed(t, rx));
	tx_drop(t, &tx);
	want_borrow(t, rx, 0, false);
	want(CHAN_CLOSED, try_changed(t, rx));
}

static void borrow_marks_nothing(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_borrow(t, rx, 1, true);
	want_borrow(t, rx, 1, true);
	want(CHAN_OK, try_changed(t, rx));
	want_borrow(t, rx, 1, false);
	want(CHAN_EMPTY, try_changed(t, rx));
	want(CHAN_OK, t->watch->borrow(rx, &(uint64_t){0}, NULL));
}

static void borrow_and_update_marks(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 0;
	bool unseen = false;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, t->watch->borrow_and_update(rx, &value, &unseen));
	want_true(value == 1 && unseen);
	want(CHAN_EMPTY, try_changed(t, rx));
	want(CHAN_OK, t->watch->borrow_and_update(rx, &value, &unseen));
	want_true(value == 1 && !unseen);
}

static void changed_waits(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_returns(a, CHAN_OK);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	want(CHAN_OK, try_send(t, tx, 2));
	want_returns(a, CHAN_OK);
	want_borrow(t, rx, 2, false);
}

static void closed_after_last_value(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	tx_drop(t, &tx);
	want(CHAN_OK, t->watch->changed(rx, CHAN_FOREVER));
	want_borrow(t, rx, 1, false);
	want(CHAN_CLOSED, t->watch->changed(rx, CHAN_FOREVER));
	want(CHAN_CLOSED, try_changed(t, rx));
}

static void drop_wakes(struct test *t)
{
	struct chan_sender *tx, *tx2;
	struct chan_receiver *rx, *rx2;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 0, &tx, &rx);
	tx2 = tx_clone(t, tx);
	rx2 = rx_clone(t, rx);
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

static void has_changed_says(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_EMPTY, t->watch->has_changed(rx));
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, t->watch->has_changed(rx));
	want(CHAN_OK, t->watch->has_changed(rx));
	want(CHAN_OK, try_changed(t, rx));
	want(CHAN_EMPTY, t->watch->has_changed(rx));
	want(CHAN_OK, try_send(t, tx, 2));
	tx_drop(t, &tx);
	want(CHAN_CLOSED, t->watch->has_changed(rx));
	want_borrow(t, rx, 2, true);
	want(CHAN_OK, try_changed(t, rx));
	want(CHAN_CLOSED, t->watch->has_changed(rx));
}

static void equal_is_a_change(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	for (int i = 0; i < 3; i++) {
		want(CHAN_OK, try_send(t, tx, 0));
		want(CHAN_OK, try_changed(t, rx));
		want(CHAN_EMPTY, try_changed(t, rx));
	}
}

static void coalesces(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	for (uint64_t i = 1; i <= 1000; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want(CHAN_OK, try_changed(t, rx));
	want_borrow(t, rx, 1000, false);
	want(CHAN_EMPTY, try_changed(t, rx));
}

static void send_wakes_all(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx[3];
	struct actor *actors[3];
	open_channel(t, 0, &tx, &rx[0]);
	rx[1] = rx_clone(t, rx[0]);
	rx[2] = rx_clone(t, rx[0]);
	for (size_t i = 0; i < 3; i++)
		actors[i] = actor_start();
	for (uint64_t round = 1; round <= 3; round++) {
		for (size_t i = 0; i < 3; i++) {
			actor_recv(actors[i], t, rx[i], CHAN_FOREVER);
			want_blocked(actors[i]);
		}
		want(CHAN_OK, try_send(t, tx, round));
		for (size_t i = 0; i < 3; i++)
			want_returns(actors[i], CHAN_OK);
	}
}

static void marked_changed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *other;
	open_channel(t, 0, &tx, &rx);
	other = rx_clone(t, rx);
	for (int i = 0; i < 3; i++) {
		step("mark_changed, twice");
		t->watch->mark_changed(rx);
		t->watch->mark_changed(rx);
		want_borrow(t, rx, 0, true);
		want(CHAN_OK, try_changed(t, rx));
		want(CHAN_EMPTY, try_changed(t, rx));
		want(CHAN_EMPTY, try_changed(t, other));
	}
}

static void marked_unchanged(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	step("mark_unchanged");
	t->watch->mark_unchanged(rx);
	want(CHAN_EMPTY, try_changed(t, rx));
	want_borrow(t, rx, 1, false);
	step("mark_changed, mark_unchanged");
	t->watch->mark_changed(rx);
	t->watch->mark_unchanged(rx);
	want(CHAN_EMPTY, try_changed(t, rx));
}

static void clone_copies_seen(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *fresh, *seen;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	fresh = rx_clone(t, rx);
	want(CHAN_OK, try_changed(t, rx));
	seen = rx_clone(t, rx);
	want(CHAN_OK, try_changed(t, fresh));
	want(CHAN_EMPTY, try_changed(t, seen));
	want(CHAN_EMPTY, try_changed(t, rx));
}

static void subscribe_has_seen(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *late;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	late = subscribe(t, tx);
	want_borrow(t, late, 1, false);
	want(CHAN_EMPTY, try_changed(t, late));
	rx_drop(t, &rx);
	rx_drop(t, &late);
	want(CHAN_CLOSED, try_send(t, tx, 2));
	late = subscribe(t, tx);
	want_borrow(t, late, 1, false); /* what was sent to nobody was not stored (W-18) */
	want(CHAN_OK, try_send(t, tx, 3));
	want_borrow(t, late, 3, true);
}

static void send_to_nobody(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 7, stored = 9;
	open_channel(t, 0, &tx, &rx);
	rx_drop(t, &rx);
	want(CHAN_CLOSED, t->watch->send(tx, &value));
	want_u64(7, value);
	want(CHAN_OK, t->watch->sender_borrow(tx, &stored));
	want_u64(0, stored);
}

static void timeout_marks_nothing(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct counter c;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_TIMEOUT, t->watch->changed(rx, in_ms(2)));
	want_u64(CHAN_ARMED, arm_recv(t, rx, &c));
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(1, fired(&c));
	want_true(disarm(t, &c));
	want_borrow(t, rx, 1, true);
	want(CHAN_OK, try_changed(t, rx));
}

static void closed_follows_receivers(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	want_u64(0, tx_get(t, tx, CHAN_IS_CLOSED));
	want(CHAN_EMPTY, try_closed(t, tx));
	actor_closed(a, t, tx, CHAN_FOREVER);
	want_blocked(a);
	rx_drop(t, &rx);
	want_returns(a, CHAN_OK);
	want_u64(1, tx_get(t, tx, CHAN_IS_CLOSED));
	rx = subscribe(t, tx);
	want_u64(0, tx_get(t, tx, CHAN_IS_CLOSED));
	want(CHAN_EMPTY, try_closed(t, tx));
}

static void counts(struct test *t)
{
	struct chan_sender *tx, *tx2;
	struct chan_receiver *rx, *rx2;
	open_channel(t, 0, &tx, &rx);
	want_u64(1, tx_get(t, tx, CHAN_RECEIVERS));
	want_u64(1, tx_get(t, tx, CHAN_SENDERS));
	tx2 = tx_clone(t, tx);
	rx2 = rx_clone(t, rx);
	want_u64(2, tx_get(t, tx, CHAN_RECEIVERS));
	want_u64(2, tx_get(t, tx2, CHAN_SENDERS));
	rx_drop(t, &rx2);
	tx_drop(t, &tx);
	want_u64(1, tx_get(t, tx2, CHAN_RECEIVERS));
	want_u64(1, tx_get(t, tx2, CHAN_SENDERS));
}

const struct rule watch_rules[] = {
	{"W-1",
         RULE_WATCH,
         "There is always a value; the first receiver has seen the initial one.",
         {{"open", initial_is_seen, "", 0}}},
	{"W-3",
         RULE_WATCH,
         "A borrow marks nothing seen; borrow_and_update marks what it read.",
         {{"borrow", borrow_marks_nothing, "", 0},
          {"borrow_and_update", borrow_and_update_marks, "borrow_and_update", 0}}},
	{"W-4",
         RULE_WATCH,
         "changed() returns at once for an unseen version, else waits for one.",
         {{"unseen, seen", changed_waits, "", 0}}},
	{"W-5",
         RULE_WATCH,
         "The last value before the last sender went is seen before closed.",
         {{"send and drop", closed_after_last_value, "", 0}}},
	{"W-7",
         RULE_WATCH,
         "has_changed() says closed when no sender is left, else whether there is an unseen version.",
         {{"all states", has_changed_says, "has_changed", 0}}},
	{"W-9", RULE_WATCH, "An equal value is a change.", {{"three times", equal_is_a_change, "", 0}}},
	{"W-10", RULE_WATCH, "Values may be skipped, but never the last.", {{"1000 sends", coalesces, "", 0}}},
	{"W-12",
         RULE_WATCH,
         "A write wakes all that wait.",
         {{"three receivers", send_wakes_all, "receiver_clone", 0}}},
	{"W-14",
         RULE_WATCH,
         "mark_changed makes the version unseen, for that receiver alone.",
         {{"three rounds", marked_changed, "mark_changed receiver_clone", 0}}},
	{"W-15",
         RULE_WATCH,
         "mark_unchanged makes the version seen.",
         {{"write, mark", marked_unchanged, "mark_changed mark_unchanged", 0}}},
	{"W-16",
         RULE_WATCH,
         "A cloned receiver has seen what its origin had.",
         {{"unseen, seen", clone_copies_seen, "receiver_clone", 0}}},
	{"W-17",
         RULE_WATCH,
         "A new receiver has seen the current version, and reopens the channel.",
         {{"subscribe twice", subscribe_has_seen, "subscribe", 0}}},
	{"W-18",
         RULE_WATCH,
         "A send to nobody fails and stores nothing.",
         {{"receiver dropped", send_to_nobody, "sender_borrow", 0}}},
	{"W-26",
         RULE_WATCH,
         "A changed() that gave up marks nothing seen.",
         {{"timeout, disarm", timeout_marks_nothing, "arm_changed disarm", 0}}},
	{"W-27",
         RULE_WATCH,
         "A sender sees closed while there is no receiver; subscribe reopens.",
         {{"drop, subscribe", closed_follows_receivers, "subscribe closed sender_get", 0}}},
	{"W-29",
         RULE_WATCH,
         "The last sender's drop, and no other, wakes all receivers.",
         {{"two of each", drop_wakes, "sender_clone receiver_clone", 0}}},
	{"W-35",
         RULE_WATCH,
         "The numbers of senders and receivers are exact.",
         {{"clones and drops", counts, "sender_clone receiver_clone sender_get", 0}}},
	{0},
};
