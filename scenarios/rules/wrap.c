/* SPDX-License-Identifier: MIT
 *
 * wrap.c - rule X-5: nothing depends on where the counters stand. Each test starts them shortly
 * before the wrap of 8, 16, 31, 32, 63 and 64 bits, and half a ring before it.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static const uint64_t wraps[] = {UINT64_C(1) << 8,  UINT64_C(1) << 16, UINT64_C(1) << 31,
                                 UINT64_C(1) << 32, UINT64_C(1) << 63, 0};

/* Runs a test with each start. */
static void at_each_wrap(struct test *t, void (*run)(struct test *t))
{
	for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++)
		for (uint64_t before = 1; before <= 8; before *= 2) {
			t->start = wraps[i] - before;
			run(t);
			handles_drop(t);
		}
}

static void queue_round(struct test *t)
{
	static const size_t capacities[] = {1, 3, 4};
	for (size_t c = 0; c < 3; c++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		uint64_t next = 0;
		open_channel(t, capacities[c], &tx, &rx);
		for (int round = 0; round < 12; round++) {
			for (uint64_t i = 0; i < capacities[c]; i++)
				want(CHAN_OK, try_send(t, tx, next + i));
			if (t->kind == KIND_MPSC)
				want(CHAN_FULL, try_send(t, tx, 99));
			if (t->mpsc->receiver_get != NULL)
				want_u64(capacities[c], rx_get(t, rx, CHAN_LEN));
			for (uint64_t i = 0; i < capacities[c]; i++)
				want_recv(t, rx, next + i);
			next += capacities[c];
			want_none(t, rx, CHAN_EMPTY);
		}
	}
}

static void queue(struct test *t)
{
	at_each_wrap(t, queue_round);
}

static void permit_round(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 3, &tx, &rx);
	for (uint64_t round = 0; round < 8; round++) {
		want(CHAN_OK, try_reserve(t, tx, 2, &permit));
		want(CHAN_OK, try_send(t, tx, round));
		want(CHAN_FULL, try_send(t, tx, 99));
		permit_send(t, &permit, round + 100);
		permit_release(t, &permit);
		want_recv(t, rx, round);
		want_recv(t, rx, round + 100);
		want_none(t, rx, CHAN_EMPTY);
	}
}

static void permits(struct test *t)
{
	at_each_wrap(t, permit_round);
}

static void broadcast_round(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *slow;
	uint64_t value = 0, missed = 0;
	open_channel(t, 4, &tx, &rx);
	slow = subscribe(t, tx);
	for (uint64_t i = 0; i < 20; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		want_recv(t, rx, i);
	}
	want(CHAN_LAGGED, t->broadcast->recv(slow, &value, &missed, CHAN_NOW));
	want_u64(16, missed);
	for (uint64_t i = 16; i < 20; i++)
		want_recv(t, slow, i);
	want_none(t, slow, CHAN_EMPTY);
	tx_drop(t, &tx);
	want_none(t, slow, CHAN_CLOSED);
}

static void broadcast(struct test *t)
{
	at_each_wrap(t, broadcast_round);
}

static void watch_round(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *late;
	open_channel(t, 0, &tx, &rx);
	for (uint64_t i = 1; i < 12; i++) {
		want(CHAN_EMPTY, t->watch->changed(rx, CHAN_NOW));
		late = subscribe(t, tx);
		want(CHAN_EMPTY, t->watch->changed(late, CHAN_NOW));
		want(CHAN_OK, try_send(t, tx, i));
		want(CHAN_OK, t->watch->changed(late, CHAN_NOW));
		want(CHAN_OK, t->watch->changed(rx, CHAN_NOW));
		step("mark_changed");
		t->watch->mark_changed(rx);
		want(CHAN_OK, t->watch->changed(rx, CHAN_NOW));
	}
	tx_drop(t, &tx);
	want(CHAN_CLOSED, t->watch->changed(rx, CHAN_NOW));
}

static void watch(struct test *t)
{
	at_each_wrap(t, watch_round);
}

const struct rule wrap_rules[] = {
	{"X-5", RULE_QUEUES, "Counters may wrap.", {{"messages", queue, "", TEST_START}}},
	{"X-5",
         RULE_MPSC,
         "Counters may wrap, with permits out.",
         {{"permits", permits, "reserve permit_send permit_release", TEST_START}}},
	{"X-5", RULE_BROADCAST, "Counters may wrap, and lag is still exact.", {{"lag", broadcast, "", TEST_START}}},
	{"X-5", RULE_WATCH, "Versions may wrap.", {{"versions", watch, "subscribe mark_changed", TEST_START}}},
	{0},
};
