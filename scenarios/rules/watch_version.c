/* SPDX-License-Identifier: MIT
 *
 * watch_version.c - rules W-2, W-6, W-8, W-11, W-13, W-22, W-28: versions, and what does not make
 * one.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static enum chan_status try_changed(struct test *t, struct chan_receiver *rx)
{
	return t->watch->changed(rx, CHAN_NOW);
}

/* Exactly one change for what was just done. */
static void want_one_change(struct test *t, struct chan_receiver *rx)
{
	want(CHAN_OK, try_changed(t, rx));
	want(CHAN_EMPTY, try_changed(t, rx));
}

static bool add(void *value, void *arg)
{
	*(uint64_t *)value += 1;
	return *(bool *)arg;
}

static void one_a_write(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_EMPTY, try_changed(t, rx));
	for (uint64_t i = 0; i < 5; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		want_one_change(t, rx);
	}
	rx_drop(t, &rx);
	want(CHAN_CLOSED, try_send(t, tx, 9)); /* stored nothing: no version either */
}

static void one_a_modification(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	bool yes = true, no = false;
	uint64_t value = 7, previous = 0;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, t->watch->modify(tx, add, &yes, NULL));
	want_one_change(t, rx);
	want(CHAN_OK, t->watch->modify(tx, add, &no, NULL));
	want(CHAN_EMPTY, try_changed(t, rx));
	want(CHAN_OK, t->watch->send_replace(tx, &value, &previous));
	want_u64(2, previous);
	want_one_change(t, rx);
}

static enum chan_status do_last_write(struct job *job)
{
	enum chan_status status = job->test->watch->send(job->tx, &job->value);
	job->test->watch->sender_drop(&job->tx);
	return status;
}

/* The sender writes and goes while the receiver waits, or before it does: the value is seen
 * first, then closed. */
static void final_value(struct test *t)
{
	struct actor *a = actor_start();
	for (uint64_t i = 1; i <= rounds(100); i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		uint64_t value = 0;
		open_channel(t, 0, &tx, &rx);
		forget(tx);
		actor_run(
			a,
			&(struct job){.run = do_last_write, .test = t, .tx = tx, .value = i, .deadline = CHAN_FOREVER},
			"write %d, drop the sender", (int)i);
		want(CHAN_OK, t->watch->changed(rx, CHAN_FOREVER));
		want(CHAN_OK, t->watch->borrow(rx, &value, NULL));
		want_u64(i, value);
		want(CHAN_CLOSED, t->watch->changed(rx, CHAN_FOREVER));
		want_returns(a, CHAN_OK);
		rx_drop(t, &rx);
	}
}

static void flag_after_close(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *seen;
	uint64_t value = 0;
	bool unseen = false;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	seen = subscribe(t, tx);
	want(CHAN_OK, t->watch->borrow(rx, &value, &unseen));
	want_true(unseen);
	tx_drop(t, &tx);
	want(CHAN_OK, t->watch->borrow(rx, &value, &unseen));
	want_true(unseen && value == 1);
	want(CHAN_OK, t->watch->borrow(seen, &value, &unseen));
	want_true(!unseen && value == 1);
	want(CHAN_OK, try_changed(t, rx));
	want(CHAN_OK, t->watch->borrow(rx, &value, &unseen));
	want_true(!unseen && value == 1);
}

/* Everything but a new version happens to a receiver that waits for one. */
static void only_a_version(struct test *t)
{
	struct chan_sender *tx, *tx2;
	struct chan_receiver *rx, *other;
	bool no = false;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	other = subscribe(t, tx);
	want(CHAN_EMPTY, try_changed(t, other));
	rx_drop(t, &other);
	tx2 = tx_clone(t, tx);
	tx_drop(t, &tx2);
	want(CHAN_OK, t->watch->modify(tx, add, &no, NULL));
	want_blocked(a);
	want(CHAN_OK, try_send(t, tx, 5));
	want_returns(a, CHAN_OK);
	want(CHAN_EMPTY, try_changed(t, rx));
}

static enum chan_status do_writes(struct job *job)
{
	enum chan_status status = CHAN_OK;
	for (uint64_t i = 1; i <= job->n && status == CHAN_OK; i++)
		status = job->test->watch->send(job->tx, &i);
	return status;
}

#define WRITES rounds(2000)

static void never_back(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 0, last = 0, changes = 0;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	actor_run(a, &(struct job){.run = do_writes, .test = t, .tx = tx, .n = WRITES, .deadline = CHAN_FOREVER},
	          "write 1 to %u", WRITES);
	step("wait for changes, borrow");
	for (; last < WRITES; last = value, changes++) {
		if (t->watch->changed(rx, CHAN_FOREVER) != CHAN_OK || t->watch->borrow(rx, &value, NULL) != CHAN_OK)
			broken_because("CHAN_OK", "a failure");
		if (value < last)
			broken_because("a value as new as the last one, or newer", "an older one");
	}
	want_returns(a, CHAN_OK);
	want_true(changes <= WRITES);
	/* the version may have been borrowed before it was marked seen: one change may be left,
	 * not two */
	try_changed(t, rx);
	want(CHAN_EMPTY, try_changed(t, rx));
}

static void failed_modification(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	bool no = false, told = true, unseen = true;
	uint64_t value = 9;
	open_channel(t, 0, &tx, &rx);
	for (uint64_t i = 1; i <= 3; i++) {
		want(CHAN_OK, t->watch->modify(tx, add, &no, &told));
		want_true(!told);
		want(CHAN_OK, t->watch->borrow(rx, &value, &unseen));
		want_u64(i, value); /* what it wrote is there */
		want_true(!unseen); /* and is no version */
		want(CHAN_EMPTY, try_changed(t, rx));
	}
	want(CHAN_OK, try_send(t, tx, 50)); /* nothing is stuck */
	want_one_change(t, rx);
	want(CHAN_OK, t->watch->borrow(rx, &value, NULL));
	want_u64(50, value);
}

static void closed_looks_again(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	rx2 = subscribe(t, tx);
	actor_closed(a, t, tx, CHAN_FOREVER);
	want_blocked(a);
	rx_drop(t, &rx);
	want_blocked(a);
	rx_drop(t, &rx2);
	want_returns(a, CHAN_OK);
	rx = subscribe(t, tx);
	want(CHAN_EMPTY, try_closed(t, tx));
	actor_closed(a, t, tx, in_ms(3));
	want_returns(a, CHAN_TIMEOUT);
	actor_closed(a, t, tx, CHAN_FOREVER);
	want_blocked(a);
	rx_drop(t, &rx);
	want_returns(a, CHAN_OK);
}

const struct rule watch_version_rules[] = {
	{"W-2",
         RULE_WATCH,
         "Each write that notifies makes one version, and nothing else makes one.",
         {{"five sends", one_a_write, "", 0}, {"modify, send_replace", one_a_modification, "modify send_replace", 0}}},
	{"W-6",
         RULE_WATCH,
         "A last write before the sender goes is always seen, then closed.",
         {{"100 races", final_value, "", 0}}},
	{"W-8",
         RULE_WATCH,
         "A borrow tells whether the value is unseen, also after the close.",
         {{"send, drop, borrow", flag_after_close, "subscribe", 0}}},
	{"W-11",
         RULE_WATCH,
         "changed() returns only for a version that was not seen.",
         {{"all but a version", only_a_version, "subscribe sender_clone modify", 0}}},
	{"W-13", RULE_WATCH, "What a receiver has seen never goes back.", {{"2000 writes", never_back, "", 0}}},
	{"W-22",
         RULE_WATCH,
         "A modification that fails leaves what it wrote, makes no version, and harms nothing.",
         {{"three failures", failed_modification, "modify", 0}}},
	{"W-28",
         RULE_WATCH,
         "closed() returns when there is no receiver, and waits again when there is one.",
         {{"two receivers, one more", closed_looks_again, "closed subscribe", 0}}},
	{0},
};
