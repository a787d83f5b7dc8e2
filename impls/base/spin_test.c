/* SPDX-License-Identifier: MIT */
#include "impls/base/park.h"
#include "impls/testing/elements.h"

static struct spin_site site;

static int fresh(void **state)
{
	(void)state;
	atomic_store(&site.misses, 0);
	atomic_store(&site.yields, 0);
	atomic_store(&chan_spin_budget, 30000);
	atomic_store(&chan_spin_looks, UINT32_MAX);
	atomic_store(&chan_crowd_until, 0);
	return 0;
}

/* How many looks a whole spin has; `spin` is then as it is at its end. */
static int whole(struct spin *spin, const chan_last_cpu_t *peer, uint64_t deadline)
{
	int looks = 0;

	chan_spin_begin(spin, &site, peer, false, 0);
	chan_spin_until(spin, deadline);
	while (chan_spin(spin))
		looks++;
	return looks;
}

static void the_environment_limits_the_looks(void **state)
{
	struct spin spin;

	(void)state;
	setenv("CHANBENCH_SPIN", "1", 1);
	chan_spin_setup(); /* the first of this process */
	assert_int_equal(whole(&spin, NULL, CHAN_FOREVER), 1);
	atomic_store(&chan_spin_looks, 0);
	assert_int_equal(whole(&spin, NULL, CHAN_FOREVER), 0);
	setenv("CHANBENCH_SPIN", "7", 1);
	chan_spin_setup(); /* not again */
	assert_int_equal(whole(&spin, NULL, CHAN_FOREVER), 0);
}

static void it_ends_by_the_clock(void **state)
{
	chan_last_cpu_t elsewhere = CHAN_LAST_CPU_MASK; /* the last CPU there can be */
	struct spin spin;

	(void)state;
	for (int i = 0; i < 100; i++) {
		atomic_store(&chan_crowd_until, 0);
		uint64_t begin = chan_now();
		whole(&spin, &elsewhere, CHAN_FOREVER);
		/* It ends early when strangers had the CPU. Else the last waits are not yet
		 * asked of the clock. */
		uint64_t least = spin.budget == 0 ? CHAN_CROWD_LEAST : spin.budget - 1024;
		assert_true(chan_now() - begin >= least);
		assert_true(spin.gone >= spin.budget);
	}
}

static void it_ends_by_the_deadline(void **state)
{
	chan_last_cpu_t elsewhere = CHAN_LAST_CPU_MASK; /* the last CPU there can be */
	struct spin spin;

	(void)state;
	atomic_store(&chan_spin_budget, 4000000000u);
	assert_int_equal(whole(&spin, &elsewhere, 1), 0);
	uint64_t deadline = chan_deadline_in(1000000);
	atomic_store(&chan_crowd_until, 0);
	assert_true(whole(&spin, &elsewhere, deadline) > 0 || chan_crowd_is());
	/* strangers end it, too */
	assert_true(spin.begun + spin.gone >= deadline || chan_crowd_is());
	assert_true(spin.budget <= 1000000);

	/* Also where what others ran is not counted. */
	chan_spin_begin(&spin, &site, &elsewhere, true, 0);
	chan_spin_until(&spin, chan_deadline_in(1000000));
	spin.budget = UINT32_MAX;
	while (chan_spin(&spin))
		;
	assert_int_equal(spin.budget, 0);
}

/* A wait that slept for `ns`. */
static void sleep_for(uint64_t ns)
{
	struct spin spin;

	chan_spin_begin(&spin, &site, NULL, false, 0);
	chan_spin_until(&spin, chan_deadline_in(1)); /* asks the clock */
	spin.begun -= ns;
	chan_spin_end(&spin, true);
}

static uint32_t budget_now(void)
{
	struct spin spin;

	atomic_store(&chan_crowd_until, 0);
	chan_spin_begin(&spin, &site, NULL, false, 0);
	return spin.budget;
}

static void what_does_not_pay_is_cut_and_comes_back(void **state)
{
	struct spin spin;

	(void)state;
	assert_int_equal(budget_now(), 30000);
	sleep_for(1000000);
	assert_int_equal(budget_now(), 15000);
	for (int i = 0; i < 10; i++)
		sleep_for(1000000);
	assert_int_equal(budget_now(), 30000 / 16);
	chan_spin_begin(&spin, &site, NULL, false, 0);
	chan_spin_end(&spin, false);
	assert_int_equal(budget_now(), 30000 / 8);
	/* whatever this machine takes, it would have been soon enough */
	atomic_store(&chan_spin_budget, 4000000000u);
	sleep_for(0);
	assert_int_equal(budget_now(), 4000000000u);
}

static void the_budget_follows_what_sleepers_learn(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		chan_spin_learn(1);
	uint32_t least = budget_now();
	chan_spin_learn(UINT64_MAX);
	assert_true(budget_now() > least);
	for (int i = 0; i < 100; i++)
		chan_spin_learn(UINT64_MAX);
	uint32_t most = budget_now();
	assert_true(least >= 10000 && most > least && most <= 60000);
	for (int i = 0; i < 100; i++)
		chan_spin_learn(most / 2);
	assert_true(budget_now() < most && budget_now() > least);
}

static void spin_on_one_cpu(void *arg)
{
	chan_last_cpu_t nowhere = 0, here = 0, elsewhere = CHAN_LAST_CPU_MASK;
	struct spin spin;

	(void)arg;
	pin_to_cpu(nth_cpu(0));
	chan_last_cpu_note(&here);
	MUST((int)(here & CHAN_LAST_CPU_MASK) == nth_cpu(0) && chan_cpu() == sched_getcpu());
	MUST(whole(&spin, NULL, CHAN_FOREVER) <= 4);
	MUST(whole(&spin, &nowhere, CHAN_FOREVER) <= 4);
	MUST(whole(&spin, &here, CHAN_FOREVER) <= 4);
	atomic_store(&chan_crowd_until, 0);
	MUST(whole(&spin, &elsewhere, CHAN_FOREVER) > 4 || chan_crowd_is());
}

static void on_one_cpu_there_is_nothing_to_spin_for(void **state)
{
	struct sleeper s;

	(void)state;
	sleeper_start(&s, spin_on_one_cpu, NULL);
	sleeper_join(&s);
}

/* Whether the first thing that a wait does is to yield: only that asks the clock at once. */
static bool yields_first(const chan_last_cpu_t *peer, bool eager)
{
	struct spin spin;

	atomic_store(&chan_crowd_until, 0);
	chan_spin_begin(&spin, &site, peer, eager, 0);
	return chan_spin(&spin) && spin.begun != 0;
}

static void who_is_answered_after_yields_only_yields_at_once(void **state)
{
	chan_last_cpu_t elsewhere = CHAN_LAST_CPU_MASK;
	struct spin spin;
	int pauses = 0;

	(void)state;
	assert_false(yields_first(&elsewhere, true));
	for (int i = 0; i < 4; i++) {
		assert_int_equal(atomic_load(&site.yields), i);
		chan_spin_begin(&spin, &site, &elsewhere, true, 0);
		spin.switched = true;
		chan_spin_end(&spin, false);
	}
	for (int i = 0; i < 160; i++)
		pauses += !yields_first(&elsewhere, true);
	assert_int_equal(pauses, 10);
	assert_false(yields_first(&elsewhere, false));
	chan_spin_begin(&spin, &site, &elsewhere, true, 0);
	chan_spin_end(&spin, false);
	assert_int_equal(atomic_load(&site.yields), 0);
	assert_false(yields_first(&elsewhere, true));
}

struct seen {
	struct sleeper thread;
	struct parker parker; /* it lives until it was told */
	chan_last_cpu_t place;
};

static void be_seen(void *arg)
{
	struct seen *seen = arg;
	struct spin spin;

	pin_to_cpu(nth_cpu(1));
	chan_last_cpu_note(&seen->place);
	chan_spin_begin(&spin, &site, NULL, true, 0);
	MUST(chan_park(&seen->parker, NULL, CHAN_FOREVER));
}

static void look_for_them(void *arg)
{
	struct seen *seen = arg;

	pin_to_cpu(nth_cpu(0));
	MUST(yields_first(&seen[0].place, true));
	MUST(!yields_first(&seen[0].place, false));
	MUST(!yields_first(&seen[1].place, true));
}

static void who_was_seen_where_another_was_seen_since_is_not_waited_for(void **state)
{
	static struct seen seen[2];
	struct sleeper s;

	(void)state;
	if (nth_cpu(1) < 0) {
		print_message("there is one CPU only\n");
		skip();
	}
	for (int i = 0; i < 2; i++) {
		chan_parker_init(&seen[i].parker);
		sleeper_start(&seen[i].thread, be_seen, &seen[i]);
		sleeper_await(&seen[i].thread);
	}
	sleeper_start(&s, look_for_them, seen);
	sleeper_join(&s);
	for (int i = 0; i < 2; i++) {
		chan_unpark(&seen[i].parker);
		sleeper_join(&seen[i].thread);
	}
}

static void strangers_are_learnt_at_once_and_forgotten_again(void **state)
{
	int tries = 0;

	(void)state;
	atomic_store(&chan_crowd_until, 0); /* what other tests have met */
	assert_false(chan_crowd_learn(CHAN_CROWD_LEAST - 1));
	assert_false(chan_crowd_is());
	assert_true(chan_crowd_learn(1000000000));
	assert_true(chan_crowd_is());
	while (atomic_load(&chan_crowd_until) != 0) {
		atomic_store(&chan_crowd_until, 1); /* that time has gone by */
		assert_false(chan_crowd_is());      /* one may try */
		if (tries == 0)
			assert_true(chan_crowd_is()); /* and the next may not, for half a second */
		assert_false(chan_crowd_learn(1000));
		assert_true(++tries < 20);
	}
	assert_true(tries > 1);
	assert_false(chan_crowd_is());
}

static void a_crowd_that_stays_is_tried_less_and_less(void **state)
{
	uint64_t first, later;

	(void)state;
	while (chan_crowd_learn(CHAN_CROWD_LEAST - 1), atomic_load(&chan_crowd_until) != 0)
		;
	chan_crowd_learn(1000000);
	first = atomic_load(&chan_crowd_until), later = chan_now();
	first = first > later ? first - later : 0; /* this thread may have been away meanwhile */
	for (int i = 0; i < 10; i++)
		chan_crowd_learn(1000000);
	later = chan_now();
	chan_crowd_learn(1000000);
	later = atomic_load(&chan_crowd_until) - later;
	assert_true(later > first && later <= 500000000);
}

static void among_strangers_nobody_yields(void **state)
{
	chan_last_cpu_t elsewhere = CHAN_LAST_CPU_MASK, here = 0;
	struct spin spin;

	(void)state;
	chan_last_cpu_note(&here);
	chan_crowd_learn(1000000000);
	assert_int_equal(whole(&spin, NULL, CHAN_FOREVER), 0);
	assert_int_equal(whole(&spin, &here, CHAN_FOREVER), 0);
	/* it was not seen to run there */
	assert_int_equal(whole(&spin, &elsewhere, CHAN_FOREVER), 0);
	assert_false(spin.switched);
}

static void what_others_run_is_charged_in_the_end(void **state)
{
	struct spin spin;

	(void)state;
	atomic_store(&chan_crowd_until, 0);
	chan_spin_begin(&spin, &site, NULL, true, 0);
	assert_true(chan_spin(&spin));
	spin.gone = spin.pauses + 1024; /* the next look asks the clock, after a yield */
	assert_true(chan_spin(&spin));
	assert_true(spin.begun != 0);
	spin.budget = UINT32_MAX;
	spin.looks = UINT32_MAX;
	spin.gone = 1500000;
	spin.begun = chan_now() - 1500000;
	spin.credit = 1000000; /* a yield of real strangers may have used it */
	for (int i = 0; i < 100000 && spin.gone < 3000000; i++) {
		/* Real strangers would end the wait. */
		atomic_store(&chan_crowd_until, 0);
		spin.budget = UINT32_MAX;
		spin.begun -= 100000; /* each yield takes others 100 us */
		chan_spin(&spin);
	}
	assert_true(spin.gone >= 3000000);     /* in the end they are charged */
	assert_int_equal(spin.credit / 64, 0); /* and there is no credit left */
}

static void a_peer_that_is_stopped_is_waited_for_asleep(void **state)
{
	unsigned turn = 0;

	(void)state;
	chan_crowd_learn(1000000000);
	while (turn < 63)
		chan_give_way(&turn);
	uint64_t begin = chan_now();
	for (int i = 0; i < 20; i++)
		chan_give_way(&turn);
	assert_true(chan_now() - begin >= 20 * 50000);
	atomic_store(&chan_crowd_until, 0);
	begin = chan_now();
	for (int i = 0; i < 20; i++)
		chan_give_way(&turn); /* after some yields also where there are no strangers */
	assert_true(chan_now() - begin >= 20 * 50000);
}

static void the_pace_finds_the_rhythm(void **state)
{
	struct poll poll = {0};

	(void)state;
	poll_gained(&poll, 1, 100);
	assert_int_equal(poll.ns, 0);
	for (uint32_t before = 0, i = 0; i < 5; i++, before = poll.ns) {
		poll_gained(&poll, 2, 100);
		assert_true(poll.ns > before);
	}
	for (int i = 0; i < 100; i++)
		poll_gained(&poll, 30, 100);
	assert_true(poll.ns >= CHAN_POLL_MAX && poll.ns < 2 * CHAN_POLL_MAX);
	uint32_t before = poll.ns;
	poll_gained(&poll, 0, 100);
	assert_int_equal(poll.ns, before / 2);
	for (int i = 0; i < 100; i++)
		poll_gained(&poll, 1, 100);
	assert_int_equal(poll.ns, 0);
	poll_wait(&poll); /* also of 0 it comes back */
	poll.ns = 64;
	poll_gained(&poll, 9, 10);
	assert_int_equal(poll.ns, 128);
	poll_gained(&poll, 10, 10);
	assert_int_equal(poll.ns, 64);
	poll_gained(&poll, 2, 1); /* one was put in behind it meanwhile */
	assert_int_equal(poll.ns, 32);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_environment_limits_the_looks),
		TEST(it_ends_by_the_clock),
		TEST(it_ends_by_the_deadline),
		TEST(what_does_not_pay_is_cut_and_comes_back),
		TEST(the_budget_follows_what_sleepers_learn),
		TEST(on_one_cpu_there_is_nothing_to_spin_for),
		TEST(who_is_answered_after_yields_only_yields_at_once),
		TEST(who_was_seen_where_another_was_seen_since_is_not_waited_for),
		TEST(strangers_are_learnt_at_once_and_forgotten_again),
		TEST(a_crowd_that_stays_is_tried_less_and_less),
		TEST(among_strangers_nobody_yields),
		TEST(what_others_run_is_charged_in_the_end),
		TEST(a_peer_that_is_stopped_is_waited_for_asleep),
		TEST(the_pace_finds_the_rhythm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
