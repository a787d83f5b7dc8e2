/* SPDX-License-Identifier: MIT */
#include "impls/select.h"
#include "impls/testing/elements.h"

#include <signal.h>

static struct pair a, b;
static uint64_t got[4], value = 7;
static size_t chosen;

static int setup(void **state)
{
	(void)state;
	a = pair_open(1);
	b = pair_open(1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_close(&a);
	pair_close(&b);
	return 0;
}

static enum chan_status now(struct chan_branch *branches, size_t n)
{
	return chan_select(branches, n, CHAN_NOW, CHAN_BIASED, &chosen);
}

/* --- bad calls (S-6) --- */

static void refuses_what_can_never_complete(void **state)
{
	(void)state;
	struct chan_branch branches[] = {chan_on_recv(impl->mpsc, a.rx, got), chan_on_recv(impl->mpsc, b.rx, got)};
	assert_int_equal(chan_select(branches, 0, CHAN_FOREVER, 0, &chosen), CHAN_INVALID);
	assert_true(chosen == CHAN_NO_BRANCH);
	assert_int_equal(chan_select(branches, 2, CHAN_NOW, 2, NULL), CHAN_INVALID);
	branches[0].disabled = branches[1].disabled = true;
	assert_int_equal(chan_select(branches, 2, CHAN_FOREVER, 0, &chosen), CHAN_INVALID);
	assert_true(chosen == CHAN_NO_BRANCH);
}

static void names_the_branch_that_is_not_offered(void **state)
{
	(void)state;
	struct chan_mpsc_ops poor = *impl->mpsc;
	poor.arm_recv = NULL;
	poor.reserve = NULL;
	struct chan_permit permit;
	struct chan_branch branches[] = {chan_on_recv(impl->mpsc, a.rx, got), chan_on_recv(&poor, b.rx, got),
	                                 chan_on_reserve(&poor, b.tx, &permit)};
	assert_int_equal(chan_select_lacks(branches, 1), CHAN_NO_BRANCH);
	assert_int_equal(chan_select_lacks(branches, 3), 1);
	assert_int_equal(chan_select_lacks(branches + 2, 1), 0);
	assert_int_equal(put(&a, 1), CHAN_OK);
	assert_int_equal(now(branches, 3), CHAN_INVALID);
	assert_int_equal(chosen, 1);
	assert_int_equal(take(&a), 1); /* nothing was done */
	poor = *impl->mpsc;
	poor.disarm = NULL;
	branches[0] = chan_on_recv(&poor, a.rx, got);
	assert_int_equal(chan_select_lacks(branches, 1), 0);
}

static void leaves_disabled_branches_alone(void **state)
{
	(void)state;
	struct chan_branch branches[] = {chan_on_recv(impl->mpsc, a.rx, got), chan_on_recv(impl->mpsc, b.rx, got + 1)};
	branches[0].disabled = true;
	assert_int_equal(put(&a, 1), CHAN_OK);
	assert_int_equal(now(branches, 2), CHAN_EMPTY);
	assert_int_equal(put(&b, 2), CHAN_OK);
	assert_int_equal(now(branches, 2), CHAN_OK);
	assert_int_equal(chosen, 1);
	assert_int_equal(got[1], 2);
	assert_int_equal(take(&a), 1);
}

/* --- time (S-12, S-13, S-14, S-16, S-17) --- */

static void completes_first_and_looks_at_the_clock_second(void **state)
{
	(void)state;
	struct chan_branch branch = chan_on_recv(impl->mpsc, a.rx, got);
	assert_int_equal(chan_select(&branch, 1, 1, 0, &chosen), CHAN_TIMEOUT);
	assert_true(chosen == CHAN_NO_BRANCH);
	assert_int_equal(put(&a, 5), CHAN_OK);
	assert_int_equal(chan_select(&branch, 1, 1, 0, &chosen), CHAN_OK);
	assert_int_equal(got[0], 5);
	impl->mpsc->sender_drop(&a.tx);
	assert_int_equal(chan_select(&branch, 1, 1, 0, &chosen), CHAN_OK);
	assert_int_equal(branch.status, CHAN_CLOSED); /* S-2 */
}

static void times_out_not_early_and_again_and_again(void **state)
{
	(void)state;
	struct chan_branch branches[] = {chan_on_recv(impl->mpsc, a.rx, got), chan_on_recv(impl->mpsc, b.rx, got + 1)};
	for (int i = 0; i < 50; i++) {
		uint64_t deadline = chan_deadline_in(200000);
		assert_int_equal(chan_select(branches, 2, deadline, 0, &chosen), CHAN_TIMEOUT);
		assert_true(chan_now() >= deadline);
	}
	assert_int_equal(put(&b, 3), CHAN_OK);
	assert_int_equal(chan_select(branches, 2, chan_deadline_in(200000), 0, &chosen), CHAN_OK);
	assert_int_equal(got[1], 3);
}

struct call {
	struct chan_branch *branches;
	size_t count;
	uint64_t deadline;
	enum chan_status status;
	size_t chosen;
};

static void call_main(void *arg)
{
	struct call *c = (struct call *)arg;
	c->status = chan_select(c->branches, c->count, c->deadline, 0, &c->chosen);
}

static _Atomic int signals;

static void on_signal(int signal)
{
	(void)signal;
	atomic_fetch_add(&signals, 1);
}

static void sleeps_through_signals_and_huge_timeouts(void **state)
{
	(void)state;
	const uint64_t deadlines[] = {CHAN_FOREVER, CHAN_FOREVER - 1, UINT64_MAX / 2, chan_deadline_in(UINT64_MAX - 1)};
	/* no SA_RESTART: the futex call sees EINTR */
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGUSR1, &action, NULL);
	for (size_t i = 0; i < 4; i++) {
		struct chan_branch branch = chan_on_recv(impl->mpsc, a.rx, got);
		struct call call = {&branch, 1, deadlines[i], CHAN_OK, 0};
		struct sleeper s;
		sleeper_start(&s, call_main, &call);
		for (int k = 0; k < 3; k++) {
			sleeper_await(&s);
			int before = atomic_load(&signals);
			pthread_kill(s.thread, SIGUSR1);
			while (atomic_load(&signals) == before)
				usleep(100);
		}
		sleeper_await(&s);
		assert_int_equal(put(&a, i), CHAN_OK);
		sleeper_join(&s);
		assert_int_equal(call.status, CHAN_OK);
		assert_int_equal(got[0], i);
	}
}

/* --- the choice (S-4, S-5) --- */

static void chooses_fairly_among_the_ready(void **state)
{
	(void)state;
	enum { K = 8, ROUNDS = 8000 };
	struct pair p[K];
	struct chan_branch branches[K];
	unsigned hits[K] = {0};
	for (int i = 0; i < K; i++) {
		p[i] = pair_open(1);
		branches[i] = chan_on_recv(impl->mpsc, p[i].rx, got);
		if (i < 3 || i == 6) /* the ready ones are not evenly spread */
			put(&p[i], 1);
	}
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(chan_select(branches, K, CHAN_NOW, 0, &chosen), CHAN_OK);
		hits[chosen]++;
		put(&p[chosen], 1);
	}
	for (int i = 0; i < K; i++) {
		assert_true(hits[i] >= (i < 3 || i == 6 ? ROUNDS / 4 * 8 / 10 : 0));
		assert_int_equal(chan_select(branches, K, CHAN_NOW, CHAN_BIASED, &chosen), CHAN_OK);
		assert_int_equal(chosen, 0);
		put(&p[0], 1);
	}
	for (int i = 0; i < K; i++)
		pair_close(&p[i]);
}

/* --- the same channel more than once (S-7) --- */

static void allows_duplicates(void **state)
{
	(void)state;
	struct chan_branch branches[] = {chan_on_recv(impl->mpsc, a.rx, got), chan_on_recv(impl->mpsc, a.rx, got + 1),
	                                 chan_on_send(impl->mpsc, b.tx, &value),
	                                 chan_on_send(impl->mpsc, b.tx, &value)};
	for (int i = 0; i < 20; i++) {
		struct call call = {branches, 4, CHAN_FOREVER, CHAN_INVALID, 9};
		struct sleeper s;
		assert_int_equal(put(&b, 1), CHAN_OK); /* full: neither can go on */
		sleeper_start(&s, call_main, &call);
		sleeper_await(&s);
		if (i % 2) {
			assert_int_equal(put(&a, 40), CHAN_OK);
			sleeper_join(&s);
			assert_true(call.chosen < 2 && got[call.chosen] == 40);
			assert_int_equal(take(&b), 1);
		} else {
			assert_int_equal(take(&b), 1);
			sleeper_join(&s);
			assert_true(call.chosen == 2 || call.chosen == 3);
			assert_int_equal(take(&b), 7);
		}
		assert_int_equal(call.status, CHAN_OK);
		assert_int_equal(take(&a), UINT64_MAX); /* neither twice, nor a slot lost */
		assert_int_equal(take(&b), UINT64_MAX);
	}
}

static void sends_and_receives_on_one_channel(void **state)
{
	(void)state;
	struct chan_branch branches[] = {chan_on_send(impl->mpsc, a.tx, &value), chan_on_recv(impl->mpsc, a.rx, got)};
	for (int i = 0; i < 10; i++) {
		assert_int_equal(chan_select(branches, 2, CHAN_FOREVER, 0, &chosen), CHAN_OK);
		assert_int_equal(chosen, i % 2);
	}
	/* Neither can: the only slot is reserved. */
	if (impl->mpsc->reserve == NULL)
		skip();
	struct chan_permit permit;
	assert_int_equal(impl->mpsc->reserve(a.tx, 1, &permit, CHAN_NOW), CHAN_OK);
	assert_int_equal(now(branches, 2), CHAN_EMPTY);
	impl->mpsc->permit_release(&permit);
	assert_int_equal(now(branches, 2), CHAN_OK);
	assert_int_equal(chosen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_what_can_never_complete, setup, teardown),
		cmocka_unit_test_setup_teardown(names_the_branch_that_is_not_offered, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_disabled_branches_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(completes_first_and_looks_at_the_clock_second, setup, teardown),
		cmocka_unit_test_setup_teardown(times_out_not_early_and_again_and_again, setup, teardown),
		cmocka_unit_test_setup_teardown(sleeps_through_signals_and_huge_timeouts, setup, teardown),
		cmocka_unit_test_setup_teardown(chooses_fairly_among_the_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(allows_duplicates, setup, teardown),
		cmocka_unit_test_setup_teardown(sends_and_receives_on_one_channel, setup, teardown),
	};
	return testing_run(tests, sizeof tests / sizeof tests[0]);
}
