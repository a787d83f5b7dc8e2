/* SPDX-License-Identifier: MIT */
#include "impls/base/futex.h"
#include "impls/testing/elements.h"

#include <signal.h>

static _Atomic uint32_t word;
static atomic_int returned;

static void sleep_while_1(void *told)
{
	*(bool *)told = chan_futex_wait(&word, 1, CHAN_FOREVER);
	atomic_fetch_add(&returned, 1);
}

static void a_changed_word_is_not_slept_on(void **state)
{
	(void)state;
	atomic_store(&word, 2);
	assert_true(chan_futex_wait(&word, 1, CHAN_FOREVER));
	assert_true(chan_futex_wait(&word, 1, 1));
}

static void the_deadline_is_kept(void **state)
{
	(void)state;
	atomic_store(&word, 1);
	assert_false(chan_futex_wait(&word, 1, 1)); /* long past */

	uint64_t deadline = chan_deadline_in(3000000);
	while (chan_futex_wait(&word, 1, deadline))
		;
	assert_true(chan_now() > deadline);
}

static void sleep_100_years(void *told)
{
	*(bool *)told = chan_futex_wait(&word, 1, chan_deadline_in(100ull * 365 * 86400 * 1000000000));
	atomic_fetch_add(&returned, 1);
}

/* Its seconds do not fit into 32 bits. */
static void a_far_deadline_is_slept_for(void **state)
{
	struct sleeper s;
	bool told = false;

	(void)state;
	atomic_store(&word, 1);
	atomic_store(&returned, 0);
	sleeper_start(&s, sleep_100_years, &told);
	sleeper_await(&s);
	assert_int_equal(atomic_load(&returned), 0);
	chan_futex_wake(&word, 1);
	sleeper_join(&s);
	assert_true(told);
}

static void one_wake_wakes_one(void **state)
{
	struct sleeper s[2];
	bool told[2];

	(void)state;
	atomic_store(&word, 1);
	atomic_store(&returned, 0);
	for (int i = 0; i < 2; i++) {
		sleeper_start(&s[i], sleep_while_1, &told[i]);
		sleeper_await(&s[i]);
	}
	chan_futex_wake(&word, 1);
	while (atomic_load(&returned) == 0)
		sched_yield();
	/* Now the other, whichever it is, may still be on its way out, or asleep: it must be
	 * asleep. */
	for (int asleep = 0; asleep < 5;) {
		asleep = sleeper_look(&s[0]) >= 0 || sleeper_look(&s[1]) >= 0 ? asleep + 1 : 0;
		assert_int_equal(atomic_load(&returned), 1);
	}
	chan_futex_wake(&word, 1);
	for (int i = 0; i < 2; i++) {
		sleeper_join(&s[i]);
		assert_true(told[i]);
	}
}

static void ignore(int signal)
{
	(void)signal;
}

static void a_signal_is_no_deadline(void **state)
{
	const struct sigaction action = {.sa_handler = ignore};
	struct sleeper s;
	bool told = false;

	(void)state;
	atomic_store(&word, 1);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	sleeper_start(&s, sleep_while_1, &told);
	sleeper_await(&s);
	assert_int_equal(pthread_kill(s.thread, SIGUSR1), 0);
	sleeper_join(&s);
	assert_true(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_word_is_not_slept_on), cmocka_unit_test(the_deadline_is_kept),
		cmocka_unit_test(a_far_deadline_is_slept_for),    cmocka_unit_test(one_wake_wakes_one),
		cmocka_unit_test(a_signal_is_no_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
