/* SPDX-License-Identifier: MIT
 *
 * Selects over everything that can be waited for, of every kind, in one call. One event makes one
 * of them complete; the others must have no effect (S-1, S-10, S-11).
 */
#include "impls/select.h"
#include "impls/testing/elements.h"

enum branch_of {
	ON_SEND,
	ON_RESERVE,
	ON_RECV,
	ON_CLOSED,
	ON_UNBOUNDED_RECV,
	ON_ONESHOT_RECV,
	ON_ONESHOT_CLOSED,
	ON_BROADCAST_RECV,
	ON_BROADCAST_CLOSED,
	ON_CHANGED,
	ON_WATCH_CLOSED,
	BRANCHES
};

struct handles {
	struct chan_sender *tx;
	struct chan_receiver *rx;
};

static struct pair full_a, full_b, empty, open;
static struct handles unbounded, oneshot, oneshot_open, broadcast, broadcast_open, watch, watch_open;
static struct chan_permit permit;
static uint64_t one = 1, got[4];
static struct chan_branch branches[BRANCHES];

static bool has_every_kind(void)
{
	return impl->unbounded != NULL && impl->oneshot != NULL && impl->broadcast != NULL && impl->watch != NULL;
}

static int setup(void **state)
{
	(void)state;
	if (!has_every_kind())
		skip();
	const struct chan_config config = {.size = sizeof(uint64_t), .capacity = 2};
	full_a = pair_open(1);
	full_b = pair_open(1);
	empty = pair_open(1);
	open = pair_open(1);
	put(&full_a, 10);
	put(&full_b, 11);
	MUST(impl->unbounded->open(&config, &unbounded.tx, &unbounded.rx) == CHAN_OK);
	MUST(impl->oneshot->open(&config, &oneshot.tx, &oneshot.rx) == CHAN_OK);
	MUST(impl->oneshot->open(&config, &oneshot_open.tx, &oneshot_open.rx) == CHAN_OK);
	MUST(impl->broadcast->open(&config, &broadcast.tx, &broadcast.rx) == CHAN_OK);
	MUST(impl->broadcast->open(&config, &broadcast_open.tx, &broadcast_open.rx) == CHAN_OK);
	MUST(impl->watch->open(&config, &one, &watch.tx, &watch.rx) == CHAN_OK);
	MUST(impl->watch->open(&config, &one, &watch_open.tx, &watch_open.rx) == CHAN_OK);
	branches[ON_SEND] = chan_on_send(impl->mpsc, full_a.tx, &one);
	branches[ON_RESERVE] = chan_on_reserve(impl->mpsc, full_b.tx, &permit);
	branches[ON_RECV] = chan_on_recv(impl->mpsc, empty.rx, got);
	branches[ON_CLOSED] = chan_on_closed(impl->mpsc, open.tx);
	branches[ON_UNBOUNDED_RECV] = chan_on_recv(impl->unbounded, unbounded.rx, got + 1);
	branches[ON_ONESHOT_RECV] = chan_on_oneshot_recv(impl->oneshot, oneshot.rx, got + 2);
	branches[ON_ONESHOT_CLOSED] = chan_on_oneshot_closed(impl->oneshot, oneshot_open.tx);
	branches[ON_BROADCAST_RECV] = chan_on_broadcast_recv(impl->broadcast, broadcast.rx, got + 3);
	branches[ON_BROADCAST_CLOSED] = chan_on_broadcast_closed(impl->broadcast, broadcast_open.tx);
	branches[ON_CHANGED] = chan_on_changed(impl->watch, watch.rx);
	branches[ON_WATCH_CLOSED] = chan_on_watch_closed(impl->watch, watch_open.tx);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_close(&full_a);
	pair_close(&full_b);
	pair_close(&empty);
	pair_close(&open);
	impl->unbounded->sender_drop(&unbounded.tx);
	impl->unbounded->receiver_drop(&unbounded.rx);
	impl->oneshot->sender_drop(&oneshot.tx);
	impl->oneshot->receiver_drop(&oneshot.rx);
	impl->oneshot->sender_drop(&oneshot_open.tx);
	impl->oneshot->receiver_drop(&oneshot_open.rx);
	impl->broadcast->sender_drop(&broadcast.tx);
	impl->broadcast->receiver_drop(&broadcast.rx);
	impl->broadcast->sender_drop(&broadcast_open.tx);
	impl->broadcast->receiver_drop(&broadcast_open.rx);
	impl->watch->sender_drop(&watch.tx);
	impl->watch->receiver_drop(&watch.rx);
	impl->watch->sender_drop(&watch_open.tx);
	impl->watch->receiver_drop(&watch_open.rx);
	return 0;
}

/* Makes that one branch complete. */
static void cause(enum branch_of which)
{
	switch (which) {
	case ON_SEND:
		MUST(take(&full_a) == 10);
		break;
	case ON_RESERVE:
		MUST(take(&full_b) == 11);
		break;
	case ON_RECV:
		MUST(put(&empty, 20) == CHAN_OK);
		break;
	case ON_CLOSED:
		impl->mpsc->receiver_drop(&open.rx);
		break;
	case ON_UNBOUNDED_RECV:
		MUST(impl->unbounded->send(unbounded.tx, &one, CHAN_NOW) == CHAN_OK);
		break;
	case ON_ONESHOT_RECV:
		MUST(impl->oneshot->send(&oneshot.tx, &one) == CHAN_OK);
		break;
	case ON_ONESHOT_CLOSED:
		impl->oneshot->receiver_drop(&oneshot_open.rx);
		break;
	case ON_BROADCAST_RECV:
		MUST(impl->broadcast->send(broadcast.tx, &one, NULL) == CHAN_OK);
		break;
	case ON_BROADCAST_CLOSED:
		impl->broadcast->receiver_drop(&broadcast_open.rx);
		break;
	case ON_CHANGED:
		MUST(impl->watch->send(watch.tx, &one) == CHAN_OK);
		break;
	default:
		impl->watch->receiver_drop(&watch_open.rx);
	}
}

struct call {
	enum chan_status status;
	size_t chosen;
};

static void call_main(void *arg)
{
	struct call *c = (struct call *)arg;
	c->status = chan_select(branches, BRANCHES, CHAN_FOREVER, 0, &c->chosen);
}

/* What has been caused completes, and nothing else does, now and afterwards. */
static void expect(enum branch_of which, bool chosen_before)
{
	size_t chosen;
	for (size_t i = 0; i < BRANCHES; i++) {
		branches[i].disabled = chosen_before && i == (size_t)which;
		branches[i].status = CHAN_INVALID;
	}
	if (!chosen_before) {
		assert_int_equal(chan_select(branches, BRANCHES, CHAN_NOW, 0, &chosen), CHAN_OK);
		assert_int_equal(chosen, which);
		for (size_t i = 0; i < BRANCHES; i++)
			assert_int_equal(branches[i].status, i == (size_t)which ? CHAN_OK : CHAN_INVALID);
		branches[which].disabled = true;
	}
	assert_int_equal(chan_select(branches, BRANCHES, CHAN_NOW, 0, &chosen), CHAN_EMPTY);
	branches[which].disabled = false;
	if (which == ON_RESERVE)
		impl->mpsc->permit_release(&permit);
	assert_int_equal(take(&full_a), which == ON_SEND ? 1 : 10);
	assert_int_equal(take(&full_b), which == ON_RESERVE ? UINT64_MAX : 11);
	assert_int_equal(put(&full_a, 1), CHAN_OK); /* no loser keeps a slot */
	assert_int_equal(put(&full_b, 1), CHAN_OK);
}

static void each_completes_when_it_can_at_once(void **state)
{
	for (enum branch_of which = 0; which < BRANCHES; which++) {
		setup(state);
		cause(which);
		expect(which, false);
		teardown(state);
	}
}

static void each_wakes_a_select_that_sleeps(void **state)
{
	for (enum branch_of which = 0; which < BRANCHES; which++) {
		struct call call = {CHAN_INVALID, CHAN_NO_BRANCH};
		struct sleeper s;
		setup(state);
		sleeper_start(&s, call_main, &call);
		sleeper_await(&s);
		cause(which);
		sleeper_join(&s);
		assert_int_equal(call.status, CHAN_OK);
		assert_int_equal(call.chosen, which);
		assert_int_equal(branches[which].status, CHAN_OK);
		expect(which, true);
		teardown(state);
	}
}

/* S-18, S-2: the end of the other side is an event like any other. */
static void disconnection_wakes_a_select_that_sleeps(void **state)
{
	const enum branch_of ends[] = {ON_SEND,         ON_RESERVE,        ON_RECV,   ON_UNBOUNDED_RECV,
	                               ON_ONESHOT_RECV, ON_BROADCAST_RECV, ON_CHANGED};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct call call = {CHAN_INVALID, CHAN_NO_BRANCH};
		struct sleeper s;
		setup(state);
		sleeper_start(&s, call_main, &call);
		sleeper_await(&s);
		if (ends[i] == ON_SEND)
			impl->mpsc->receiver_drop(&full_a.rx);
		else if (ends[i] == ON_RESERVE)
			impl->mpsc->receiver_drop(&full_b.rx);
		else if (ends[i] == ON_RECV)
			impl->mpsc->sender_drop(&empty.tx);
		else if (ends[i] == ON_UNBOUNDED_RECV)
			impl->unbounded->sender_drop(&unbounded.tx);
		else if (ends[i] == ON_ONESHOT_RECV)
			impl->oneshot->sender_drop(&oneshot.tx);
		else if (ends[i] == ON_BROADCAST_RECV)
			impl->broadcast->sender_drop(&broadcast.tx);
		else
			impl->watch->sender_drop(&watch.tx);
		sleeper_join(&s);
		assert_int_equal(call.status, CHAN_OK);
		assert_int_equal(call.chosen, ends[i]);
		assert_int_equal(branches[ends[i]].status, CHAN_CLOSED);
		teardown(state);
	}
}

static void lag_completes_and_is_counted(void **state)
{
	size_t chosen;
	setup(state);
	for (uint64_t v = 0; v < 5; v++)
		MUST(impl->broadcast->send(broadcast.tx, &v, NULL) == CHAN_OK);
	assert_int_equal(chan_select(branches, BRANCHES, CHAN_NOW, 0, &chosen), CHAN_OK);
	assert_int_equal(chosen, ON_BROADCAST_RECV);
	assert_int_equal(branches[chosen].status, CHAN_LAGGED);
	assert_int_equal(branches[chosen].missed, 3);
	for (uint64_t v = 3; v < 5; v++) {
		assert_int_equal(chan_select(branches, BRANCHES, CHAN_NOW, 0, &chosen), CHAN_OK);
		assert_int_equal(branches[chosen].status, CHAN_OK);
		assert_int_equal(got[3], v);
	}
	teardown(state);
}

/* S-11: a version and a message that lost are still there. */
static void losers_mark_and_move_nothing(void **state)
{
	size_t chosen;
	setup(state);
	cause(ON_RECV);
	cause(ON_ONESHOT_RECV);
	cause(ON_BROADCAST_RECV);
	cause(ON_CHANGED);
	for (int i = 0; i < 4; i++) {
		const enum branch_of order[] = {ON_RECV, ON_ONESHOT_RECV, ON_BROADCAST_RECV, ON_CHANGED};
		assert_int_equal(chan_select(branches, BRANCHES, CHAN_NOW, CHAN_BIASED, &chosen), CHAN_OK);
		assert_int_equal(chosen, order[i]);
		assert_int_equal(branches[chosen].status, CHAN_OK);
		branches[chosen].disabled = true;
	}
	teardown(state);
}

static bool select_inside(void *v, void *arg)
{
	size_t *chosen = (size_t *)arg;
	(void)v;
	MUST(chan_select(&branches[ON_CHANGED], 1, CHAN_FOREVER, 0, chosen) == CHAN_INVALID);
	return false;
}

static void is_refused_inside_a_callback_of_the_same_channel(void **state)
{
	size_t chosen = 9;
	if (!has_every_kind() || impl->watch->modify == NULL)
		skip();
	setup(state);
	assert_int_equal(impl->watch->modify(watch.tx, select_inside, &chosen, NULL), CHAN_OK);
	assert_int_equal(chosen, 0);
	teardown(state);
}

static void needs_every_kind(void **state)
{
	setup(state);
	assert_true(chan_select_lacks(branches, BRANCHES) == CHAN_NO_BRANCH);
	teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_every_kind),
		cmocka_unit_test(each_completes_when_it_can_at_once),
		cmocka_unit_test(each_wakes_a_select_that_sleeps),
		cmocka_unit_test(disconnection_wakes_a_select_that_sleeps),
		cmocka_unit_test(lag_completes_and_is_counted),
		cmocka_unit_test(losers_mark_and_move_nothing),
		cmocka_unit_test(is_refused_inside_a_callback_of_the_same_channel),
	};
	return testing_run(tests, sizeof tests / sizeof tests[0]);
}
