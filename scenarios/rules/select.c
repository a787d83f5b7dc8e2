/* SPDX-License-Identifier: MIT
 *
 * select.c - rules S-1 to S-11 and S-18: the arms of an implementation, as select uses them.
 */
#include "impls/select.h"

#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

/* A branch that receives (watch: sees a change) in whatever kind. */
static struct chan_branch on_recv(struct test *t, struct chan_receiver *rx, uint64_t *value)
{
	switch (t->kind) {
	case KIND_ONESHOT:
		return chan_on_oneshot_recv(t->oneshot, rx, value);
	case KIND_BROADCAST:
		return chan_on_broadcast_recv(t->broadcast, rx, value);
	case KIND_WATCH:
		return chan_on_changed(t->watch, rx);
	default:
		return chan_on_recv(t->mpsc, rx, value);
	}
}

/* A select in another thread. */
struct selecting {
	struct chan_branch *branches;
	size_t count, chosen;
};

static enum chan_status do_select(struct job *job)
{
	struct selecting *s = job->array;
	return chan_select(s->branches, s->count, job->deadline, 0, &s->chosen);
}

static void actor_select(struct actor *a, struct selecting *s)
{
	actor_run(a, &(struct job){.run = do_select, .array = s, .deadline = CHAN_FOREVER}, "select of %zu, for ever",
	          s->count);
}

/* Two channels, one of which gets something while a select waits on both: it completes, and the
 * other keeps its own. */
static void one_completes(struct test *t)
{
	struct actor *a = actor_start();
	for (size_t which = 0; which < 2; which++) {
		struct chan_sender *tx[2];
		struct chan_receiver *rx[2];
		uint64_t values[2] = {0, 0};
		open_channel(t, 2, &tx[0], &rx[0]);
		open_channel(t, 2, &tx[1], &rx[1]);
		struct chan_branch branches[2] = {on_recv(t, rx[0], &values[0]), on_recv(t, rx[1], &values[1])};
		struct selecting s = {branches, 2, 9};
		actor_select(a, &s);
		want_blocked(a);
		give(t, &tx[which], 7);
		want_returns(a, CHAN_OK);
		want_u64(which, s.chosen);
		want(CHAN_OK, branches[which].status);
		give(t, &tx[1 - which], 8);
		actor_recv(a, t, rx[1 - which], CHAN_FOREVER);
		want_returns(a, CHAN_OK);
	}
}

static void closed_is_ready(struct test *t)
{
	struct chan_sender *tx[2];
	struct chan_receiver *rx[2];
	uint64_t values[2];
	size_t chosen = 9;
	open_channel(t, 2, &tx[0], &rx[0]);
	open_channel(t, 2, &tx[1], &rx[1]);
	tx_drop(t, &tx[1]);
	struct chan_branch branches[2] = {on_recv(t, rx[0], &values[0]), on_recv(t, rx[1], &values[1])};
	want(CHAN_OK, chan_select(branches, 2, CHAN_FOREVER, 0, &chosen));
	want_u64(1, chosen);
	want(CHAN_CLOSED, branches[1].status);
}

/* An arm by itself says ready, registers nothing and calls nobody: with something to receive,
 * and closed. */
static void arm_says_ready(struct test *t)
{
	for (int gone = 0; gone < 2; gone++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		struct counter counter = {.fired = 0};
		open_channel(t, 2, &tx, &rx);
		if (gone)
			tx_drop(t, &tx);
		else
			give(t, &tx, 1);
		want_u64(CHAN_READY, arm_recv(t, rx, &counter));
		want_u64(0, fired(&counter));
		handles_drop(t);
	}
}

static void closed_while_waiting(struct test *t)
{
	struct chan_sender *tx[2];
	struct chan_receiver *rx[2];
	uint64_t values[2];
	struct actor *a = actor_start();
	open_channel(t, 2, &tx[0], &rx[0]);
	open_channel(t, 2, &tx[1], &rx[1]);
	struct chan_branch branches[2] = {on_recv(t, rx[0], &values[0]), on_recv(t, rx[1], &values[1])};
	struct selecting s = {branches, 2, 9};
	actor_select(a, &s);
	want_blocked(a);
	tx_drop(t, &tx[0]);
	want_returns(a, CHAN_OK);
	want_u64(0, s.chosen);
	want(CHAN_CLOSED, branches[0].status);
}

static void none_ready(struct test *t)
{
	struct chan_sender *tx[2];
	struct chan_receiver *rx[2];
	uint64_t values[2];
	size_t chosen = 9;
	open_channel(t, 2, &tx[0], &rx[0]);
	open_channel(t, 2, &tx[1], &rx[1]);
	struct chan_branch branches[2] = {on_recv(t, rx[0], &values[0]), on_recv(t, rx[1], &values[1])};
	want(CHAN_EMPTY, chan_select(branches, 2, CHAN_NOW, 0, &chosen));
	uint64_t deadline = in_ms(3);
	want(CHAN_TIMEOUT, chan_select(branches, 2, deadline, 0, &chosen));
	want_true(chan_now() >= deadline);
	give(t, &tx[0], 1);
	give(t, &tx[1], 2);
	want(CHAN_OK, chan_select(branches, 2, 1, CHAN_BIASED, &chosen));
	want_u64(0, chosen);
}

static void biased(struct test *t)
{
	struct chan_sender *tx[3];
	struct chan_receiver *rx[3];
	struct chan_branch branches[3];
	uint64_t values[3];
	size_t chosen = 9;
	for (size_t i = 0; i < 3; i++) {
		open_channel(t, 20, &tx[i], &rx[i]);
		branches[i] = on_recv(t, rx[i], &values[i]);
		for (uint64_t k = 0; k < 20; k++)
			want(CHAN_OK, try_send(t, tx[i], k));
	}
	for (size_t i = 0; i < 60; i++) {
		want(CHAN_OK, chan_select(branches, 3, i % 2 ? CHAN_NOW : CHAN_FOREVER, CHAN_BIASED, &chosen));
		want_u64(i / 20, chosen); /* the first until it has nothing, then the second */
	}
}

static void fair(struct test *t)
{
	struct chan_sender *tx[2];
	struct chan_receiver *rx[2];
	uint64_t values[2], count[2] = {0, 0};
	size_t chosen = 9;
	open_channel(t, 200, &tx[0], &rx[0]);
	open_channel(t, 200, &tx[1], &rx[1]);
	for (uint64_t i = 0; i < 200; i++) {
		want(CHAN_OK, try_send(t, tx[0], i));
		want(CHAN_OK, try_send(t, tx[1], i));
	}
	struct chan_branch branches[2] = {on_recv(t, rx[0], &values[0]), on_recv(t, rx[1], &values[1])};
	for (int i = 0; i < 100; i++) {
		want(CHAN_OK, chan_select(branches, 2, CHAN_NOW, 0, &chosen));
		count[chosen]++;
	}
	want_true(count[0] > 0 && count[1] > 0); /* fails by chance once in 2^99 runs */
}

static void disabled_branches(struct test *t)
{
	struct chan_sender *tx[2];
	struct chan_receiver *rx[2];
	uint64_t values[2];
	size_t chosen = 9;
	open_channel(t, 2, &tx[0], &rx[0]);
	open_channel(t, 2, &tx[1], &rx[1]);
	struct chan_branch branches[2] = {on_recv(t, rx[0], &values[0]), on_recv(t, rx[1], &values[1])};
	give(t, &tx[0], 1);
	give(t, &tx[1], 2);
	branches[0].disabled = true;
	want(CHAN_OK, chan_select(branches, 2, CHAN_FOREVER, CHAN_BIASED, &chosen));
	want_u64(1, chosen);
	branches[1].disabled = true;
	want(CHAN_INVALID, chan_select(branches, 2, CHAN_FOREVER, 0, &chosen));
	branches[0].disabled = false;
	want(CHAN_OK, chan_select(branches, 2, CHAN_FOREVER, 0, &chosen));
	want_u64(0, chosen);
}

/* One channel as send, receive, and receive again. */
static void same_channel(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t out = 5, in = 0, again = 0;
	size_t chosen = 9;
	open_channel(t, 1, &tx, &rx);
	struct chan_branch branches[3] = {chan_on_recv(t->mpsc, rx, &in), chan_on_send(t->mpsc, tx, &out),
	                                  chan_on_recv(t->mpsc, rx, &again)};
	want(CHAN_OK, chan_select(branches, 3, CHAN_FOREVER, 0, &chosen));
	want_u64(1, chosen); /* nothing to receive: only the send can */
	branches[1].disabled = true;
	want(CHAN_OK, chan_select(branches, 3, CHAN_FOREVER, 0, &chosen));
	want_u64(5, in + again);
	want(CHAN_EMPTY, chan_select(branches, 3, CHAN_NOW, 0, &chosen));
	want_none(t, rx, CHAN_EMPTY);
}

/* A select waits to send on one full channel and to receive from another; it receives. The slot
 * that is freed later is another sender's, and the value that it was to send is still its own. */
static void losing_send(struct test *t)
{
	struct chan_sender *full_tx, *other, *tx;
	struct chan_receiver *full_rx, *rx;
	uint64_t out = 5, in = 0;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 1, &full_tx, &full_rx);
	open_channel(t, 1, &tx, &rx);
	other = tx_clone(t, full_tx);
	want(CHAN_OK, try_send(t, other, 1));
	struct chan_branch branches[2] = {chan_on_send(t->mpsc, full_tx, &out), chan_on_recv(t->mpsc, rx, &in)};
	struct selecting s = {branches, 2, 9};
	actor_select(a, &s);
	want_blocked(a);
	actor_send(b, t, other, 2, CHAN_FOREVER);
	want_blocked(b);
	want(CHAN_OK, try_send(t, tx, 7));
	want_returns(a, CHAN_OK);
	want_u64(1, s.chosen);
	want_u64(7, in);
	want_u64(5, out);
	want_recv(t, full_rx, 1);
	want_returns(b, CHAN_OK);
	want_recv(t, full_rx, 2);
	want_none(t, full_rx, CHAN_EMPTY);
}

/* Two receivers of one channel: one in a select that is woken, and finds something better to do. */
static void wake_passed_on(struct test *t)
{
	struct actor *a = actor_start(), *b = actor_start();
	for (unsigned i = 0; i < rounds(30); i++) {
		struct chan_sender *tx, *tx2;
		struct chan_receiver *rx, *clone, *rx2;
		uint64_t in[2] = {0, 0};
		open_channel(t, 2, &tx, &rx);
		open_channel(t, 2, &tx2, &rx2);
		clone = rx_clone(t, rx);
		struct chan_branch branches[2] = {chan_on_recv(t->mpsc, rx2, &in[0]),
		                                  chan_on_recv(t->mpsc, rx, &in[1])};
		struct selecting s = {branches, 2, 9};
		actor_select(a, &s);
		want_blocked(a);
		actor_recv(b, t, clone, CHAN_FOREVER);
		want_blocked(b);
		want(CHAN_OK, try_send(t, tx, 1));
		/* the select may take this one: then the other is b's */
		want(CHAN_OK, try_send(t, tx2, 2));
		want_returns(a, CHAN_OK);
		if (s.chosen == 1)
			want(CHAN_OK, try_send(t, tx, 3));
		want_returns(b, CHAN_OK);
		handles_drop(t);
	}
}

/* After a select nobody touches its branches: they are filled with rubbish, and everything it
 * waited for happens. */
static void branches_are_free(struct test *t)
{
	struct chan_sender *tx[2];
	struct chan_receiver *rx[2];
	uint64_t values[2];
	size_t chosen = 9;
	open_channel(t, 2, &tx[0], &rx[0]);
	open_channel(t, 2, &tx[1], &rx[1]);
	struct chan_branch branches[2] = {on_recv(t, rx[0], &values[0]), on_recv(t, rx[1], &values[1])};
	want(CHAN_TIMEOUT, chan_select(branches, 2, in_ms(2), 0, &chosen));
	for (size_t i = 0; i < sizeof(branches); i++)
		((unsigned char *)branches)[i] = 0xa5;
	give(t, &tx[0], 1);
	give(t, &tx[1], 1);
	for (size_t i = 0; i < sizeof(branches); i++)
		want_status(CHAN_OK, ((unsigned char *)branches)[i] == 0xa5 ? CHAN_OK : CHAN_INVALID, __FILE__,
		            __LINE__);
}

/* Both are ready, one is chosen: the other's is still there afterwards, unread. */
static void losers_keep(struct test *t)
{
	for (unsigned i = 0; i < 10; i++) {
		struct chan_sender *tx[2];
		struct chan_receiver *rx[2];
		uint64_t values[2] = {0, 0};
		size_t chosen = 9;
		open_channel(t, 2, &tx[0], &rx[0]);
		open_channel(t, 2, &tx[1], &rx[1]);
		give(t, &tx[0], 10);
		give(t, &tx[1], 11);
		struct chan_branch branches[2] = {on_recv(t, rx[0], &values[0]), on_recv(t, rx[1], &values[1])};
		want(CHAN_OK, chan_select(branches, 2, CHAN_FOREVER, i % 2 ? CHAN_BIASED : 0, &chosen));
		want_true(chosen < 2);
		if (t->kind == KIND_WATCH) {
			want(CHAN_EMPTY, t->watch->changed(rx[chosen], CHAN_NOW));
			want(CHAN_OK, t->watch->changed(rx[1 - chosen], CHAN_NOW));
		} else {
			want_u64(10 + chosen, values[chosen]);
			want_none(t, rx[chosen], t->kind == KIND_ONESHOT ? CHAN_CLOSED : CHAN_EMPTY);
			want_recv(t, rx[1 - chosen], 11 - chosen);
		}
	}
}

#define EXCEPT_WATCH (RULE_QUEUES | RULE_ONESHOT | RULE_BROADCAST)

const struct rule select_rules[] = {
	{"S-1",
         EXCEPT_WATCH,
         "A select completes exactly one operation; the others have no effect.",
         {{"two receives", one_completes, "arm_recv disarm", 0}}},
	{"S-1",
         RULE_WATCH,
         "A select completes exactly one operation; the others have no effect.",
         {{"two changes", one_completes, "arm_changed disarm", 0}}},
	{"S-2",
         EXCEPT_WATCH,
         "What would give closed is ready.",
         {{"sender dropped", closed_is_ready, "arm_recv disarm", 0},
          {"the arm alone", arm_says_ready, "arm_recv disarm", 0}}},
	{"S-2",
         RULE_WATCH,
         "What would give closed is ready.",
         {{"sender dropped", closed_is_ready, "arm_changed disarm", 0},
          {"the arm alone", arm_says_ready, "arm_changed disarm", 0}}},
	{"S-3",
         EXCEPT_WATCH,
         "None is ready is said only when none is, and a timeout is not early.",
         {{"now, 3 ms, past", none_ready, "arm_recv disarm", 0}}},
	{"S-3",
         RULE_WATCH,
         "None is ready is said only when none is, and a timeout is not early.",
         {{"now, 3 ms, past", none_ready, "arm_changed disarm", 0}}},
	{"S-4",
         RULE_QUEUES | RULE_BROADCAST,
         "Of several that are ready none starves.",
         {{"two full channels", fair, "arm_recv disarm", 0}}},
	{"S-5",
         RULE_QUEUES | RULE_BROADCAST,
         "A biased select takes the first that is ready.",
         {{"three channels", biased, "arm_recv disarm", 0}}},
	{"S-6",
         EXCEPT_WATCH,
         "A disabled branch is left out; all disabled is invalid.",
         {{"one, then both", disabled_branches, "arm_recv disarm", 0}}},
	{"S-7",
         RULE_MPSC,
         "A channel may stand in a select several times, to send and to receive.",
         {{"send, receive, receive", same_channel, "arm_send arm_recv disarm", 0}}},
	{"S-8",
         RULE_QUEUES,
         "A wake that a select did not use is passed on.",
         {{"30 rounds", wake_passed_on, "receiver_clone arm_recv disarm", 0}}},
	{"S-9",
         EXCEPT_WATCH,
         "After a select nobody touches what it registered.",
         {{"overwritten branches", branches_are_free, "arm_recv disarm", 0}}},
	{"S-9",
         RULE_WATCH,
         "After a select nobody touches what it registered.",
         {{"overwritten branches", branches_are_free, "arm_changed disarm", 0}}},
	{"S-10",
         RULE_MPSC,
         "A send that lost has kept its value, and lost its place.",
         {{"full channel", losing_send, "sender_clone arm_send arm_recv disarm", 0}}},
	{"S-11",
         EXCEPT_WATCH,
         "A receive that lost has taken nothing and moved nothing.",
         {{"both ready, ten times", losers_keep, "arm_recv disarm", 0}}},
	{"S-11",
         RULE_WATCH,
         "A change that lost is still unseen.",
         {{"both ready, ten times", losers_keep, "arm_changed disarm", 0}}},
	{"S-18",
         EXCEPT_WATCH,
         "A close wakes a waiting select.",
         {{"sender dropped", closed_while_waiting, "arm_recv disarm", 0}}},
	{"S-18",
         RULE_WATCH,
         "A close wakes a waiting select.",
         {{"sender dropped", closed_while_waiting, "arm_changed disarm", 0}}},
	{0},
};
