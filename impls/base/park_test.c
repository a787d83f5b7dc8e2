/* SPDX-License-Identifier: MIT */
#include "impls/base/park.h"
#include "impls/testing/elements.h"

#define ROUNDS 20000

static struct spin_site site;

static void told_before_it_waits(void **state)
{
	struct parker p;

	(void)state;
	chan_parker_init(&p);
	assert_false(chan_parker_woken(&p));
	chan_unpark(&p);
	assert_true(chan_parker_woken(&p));
	assert_true(chan_park(&p, NULL, CHAN_FOREVER));
	assert_true(chan_park(&p, &site, 1)); /* told wins over late */
}

static void the_deadline_is_kept(void **state)
{
	struct spin_site *sites[] = {NULL, &site};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct parker p;
		chan_parker_init(&p);
		assert_false(chan_park(&p, sites[i], 1));
		uint64_t deadline = chan_deadline_in(2000000);
		assert_false(chan_park(&p, sites[i], deadline));
		assert_true(chan_now() >= deadline);
		chan_unpark(&p);
		assert_true(chan_park(&p, sites[i], CHAN_FOREVER));
	}
}

struct parked {
	struct parker parker;
	struct spin_site *site;
	int gift, got;
};

static void park_for_ever(void *arg)
{
	struct parked *p = arg;

	MUST(chan_park(&p->parker, p->site, CHAN_FOREVER));
	p->got = p->gift; /* what was done before the unpark is seen (also by ThreadSanitizer) */
}

static void a_sleeper_is_woken(void **state)
{
	struct spin_site *sites[] = {NULL, &site};
	struct sleeper s;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct parked p = {.site = sites[i]};
		chan_parker_init(&p.parker);
		sleeper_start(&s, park_for_ever, &p);
		sleeper_await(&s);
		p.gift = 7;
		chan_unpark(&p.parker);
		sleeper_join(&s);
		assert_int_equal(p.got, 7);
	}
}

/* Parkers come and go on a stack, as they do in channels: their memory is given back as soon as
 * the park has returned. */
struct post {
	_Atomic(struct parker *) from; /* taken by who tells it */
	atomic_ullong told;
};

static void tell_all(void *arg)
{
	struct post *post = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct parker *p;
		while ((p = atomic_exchange_explicit(&post->from, NULL, memory_order_acquire)) == NULL)
			sched_yield();
		for (int n = i % 8; n > 0; n--) /* before, during and after the spin */
			chan_relax_for(8000);
		chan_unpark(p);
	}
}

static void the_memory_is_given_back_at_once(void **state)
{
	struct post post;
	struct sleeper s;

	(void)state;
	chan_spin_setup();
	atomic_init(&post.from, NULL);
	sleeper_start(&s, tell_all, &post);
	for (int i = 0; i < ROUNDS; i++) {
		struct parker p;
		chan_parker_init(&p);
		atomic_store_explicit(&post.from, &p, memory_order_release);
		assert_true(chan_park(&p, i % 3 == 0 ? NULL : &site, CHAN_FOREVER));
		memset(&p, 0xEE, sizeof p);
	}
	sleeper_join(&s);
}

/* Deadlines that come about when the news does: who gave up and was found meanwhile is told all
 * the same. */
static void deadlines_race_with_news(void **state)
{
	struct post post;
	struct sleeper s;
	int late = 0, told = 0;

	(void)state;
	atomic_init(&post.from, NULL);
	sleeper_start(&s, tell_all, &post);
	for (int i = 0; i < ROUNDS; told++) {
		struct parker p;
		struct parker *mine = &p;
		chan_parker_init(&p);
		atomic_store_explicit(&post.from, &p, memory_order_release);
		if (!chan_park(&p, i % 2 == 0 ? NULL : &site, chan_deadline_in((uint64_t)(i % 16) * 4000))) {
			late++;
			if (atomic_compare_exchange_strong(&post.from, &mine, NULL))
				continue; /* nobody knows it any more */
			assert_true(chan_park(&p, NULL, CHAN_FOREVER));
		}
		i++;
	}
	sleeper_join(&s);
	assert_true(late > 0 && told > late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_before_it_waits),     cmocka_unit_test(the_deadline_is_kept),
		cmocka_unit_test(a_sleeper_is_woken),       cmocka_unit_test(the_memory_is_given_back_at_once),
		cmocka_unit_test(deadlines_race_with_news),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
