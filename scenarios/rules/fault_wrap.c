/* SPDX-License-Identifier: MIT
 *
 * fault_wrap.c - rule X-5 in depth: what is compared, and not only counted, while counters wrap;
 * and counters of 8 and 16 bits, which are brought to their wrap by using them, wherever they
 * start.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

/* More than 2^16, and 2^8 many times; odd, so that no ring's size divides it. */
#define MANY UINT64_C(70001)

static void many_messages(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t got = 0;
	open_channel(t, 3, &tx, &rx);
	step("%llu messages, two at a time", (unsigned long long)MANY);
	for (uint64_t i = 0; i < MANY; i += 2) {
		for (uint64_t k = 0; k < 2; k++)
			want_status(CHAN_OK, try_send(t, tx, i + k), __FILE__, __LINE__);
		for (uint64_t k = 0; k < 2; k++) {
			want_status(CHAN_OK, try_recv(t, rx, &got), __FILE__, __LINE__);
			want_number(i + k, got, __FILE__, __LINE__);
		}
		want_status(CHAN_EMPTY, try_recv(t, rx, &got), __FILE__, __LINE__);
	}
}

static void many_versions(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	step("%llu versions", (unsigned long long)MANY);
	for (uint64_t i = 1; i < MANY; i++) {
		want_status(CHAN_OK, try_send(t, tx, i), __FILE__, __LINE__);
		want_status(CHAN_OK, t->watch->changed(rx, CHAN_NOW), __FILE__, __LINE__);
		want_status(CHAN_EMPTY, t->watch->changed(rx, CHAN_NOW), __FILE__, __LINE__);
	}
	/* As many as a counter of 8 or 16 bits needs to come round to where it was. */
	for (uint64_t round = 256; round <= 65536; round *= 256) {
		for (uint64_t i = 0; i < round; i++)
			want_status(CHAN_OK, try_send(t, tx, i), __FILE__, __LINE__);
		want(CHAN_OK, t->watch->changed(rx, CHAN_NOW));
	}
}

/* How far a slow receiver is behind is exact, also when it is more than a short counter holds. */
static void much_lag(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	for (uint64_t round = 256; round <= 65536; round *= 256) {
		uint64_t missed = 0, value;
		open_channel(t, 4, &tx, &rx);
		step("%llu messages into 4 slots", (unsigned long long)(round + 4));
		for (uint64_t i = 0; i < round + 4; i++)
			want_status(CHAN_OK, try_send(t, tx, i), __FILE__, __LINE__);
		want(CHAN_LAGGED, t->broadcast->recv(rx, &value, &missed, CHAN_NOW));
		want_u64(round, missed);
		want_recv(t, rx, round);
	}
}

/* ------------------------------------------------------------------------------------------
 * Started before the wrap
 */

static const uint64_t wraps[] = {UINT64_C(1) << 8,  UINT64_C(1) << 16, UINT64_C(1) << 31,
                                 UINT64_C(1) << 32, UINT64_C(1) << 63, 0};

static struct actor *a[3];

static void at_each_wrap(struct test *t, void (*run)(struct test *t))
{
	for (int i = 0; i < 3; i++)
		a[i] = actor_start();
	for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++)
		for (uint64_t before = 1; before <= 3; before++) {
			t->start = wraps[i] - before;
			run(t);
			handles_drop(t);
		}
}

/* Senders that queue across the wrap are served in turn. */
static void queued_round(struct test *t)
{
	struct chan_sender *tx, *clones[3];
	struct chan_receiver *rx;
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 0));
	for (uint64_t i = 0; i < 3; i++) {
		clones[i] = tx_clone(t, tx);
		actor_send(a[i], t, clones[i], i + 1, CHAN_FOREVER);
		want_blocked(a[i]);
	}
	for (uint64_t i = 0; i < 3; i++) {
		want_recv(t, rx, i);
		want_returns(a[i], CHAN_OK);
	}
	want_recv(t, rx, 3);
	want_none(t, rx, CHAN_EMPTY);
}

static void queued(struct test *t)
{
	at_each_wrap(t, queued_round);
}

/* A receiver that waits on this side of the wrap gets what is sent on the other; one that has
 * stayed behind is told exactly. */
static void behind_round(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *slow;
	uint64_t value = 0, missed = 0;
	open_channel(t, 2, &tx, &rx);
	slow = subscribe(t, tx);
	for (uint64_t i = 0; i < 6; i++) {
		actor_recv(a[0], t, rx, CHAN_FOREVER);
		want(CHAN_OK, try_send(t, tx, i));
		want_gets(a[0], i);
	}
	want(CHAN_LAGGED, t->broadcast->recv(slow, &value, &missed, CHAN_NOW));
	want_u64(4, missed);
	want_recv(t, slow, 4);
	want_recv(t, slow, 5);
	want_none(t, slow, CHAN_EMPTY);
}

static void behind(struct test *t)
{
	at_each_wrap(t, behind_round);
}

static void woken_round(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 0, &tx, &rx);
	for (uint64_t i = 1; i < 6; i++) {
		bool unseen = false;
		actor_recv(a[0], t, rx, CHAN_FOREVER);
		want_blocked(a[0]);
		want(CHAN_OK, try_send(t, tx, i));
		want_returns(a[0], CHAN_OK);
		uint64_t value = 0;
		want(CHAN_OK, t->watch->borrow(rx, &value, &unseen));
		want_true(!unseen);
		want_u64(i, value);
	}
}

static void woken(struct test *t)
{
	at_each_wrap(t, woken_round);
}

const struct rule fault_wrap_rules[] = {
	{"X-5",
         RULE_QUEUES | RULE_BROADCAST,
         "Counters may wrap, and short ones do.",
         {{"70001 messages", many_messages, "", TEST_LONG}}},
	{"X-5",
         RULE_WATCH,
         "Versions may wrap, and short ones do.",
         {{"70001 versions", many_versions, "", TEST_PLAIN | TEST_LONG}}},
	{"X-5",
         RULE_BROADCAST,
         "Lag is exact, however far behind.",
         {{"65536 behind", much_lag, "", TEST_PLAIN | TEST_LONG}}},
	{"X-5",
         RULE_MPSC,
         "Counters may wrap, with senders in the queue.",
         {{"queued senders", queued, "sender_clone", TEST_START}}},
	{"X-5",
         RULE_BROADCAST,
         "Counters may wrap, with a receiver behind.",
         {{"waiting and behind", behind, "", TEST_START}}},
	{"X-5", RULE_WATCH, "Versions may wrap, with a receiver waiting.", {{"waiting", woken, "", TEST_START}}},
	{0},
};
