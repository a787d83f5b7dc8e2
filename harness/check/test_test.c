/* SPDX-License-Identifier: MIT */
#include "harness/check/test.h"

#include "harness/check/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct test given;

static void take(struct test *test)
{
	given = *test;
	given.mpsc = malloc(sizeof(*given.mpsc)); /* the table lives as long as the test */
	assert_non_null(given.mpsc);
	memcpy((void *)(uintptr_t)given.mpsc, test->mpsc, sizeof(*given.mpsc));
}

static const struct rule_test plain = {"a full channel, closed", take, "close", TEST_START};

static const struct chan_impl *built_in(const char *name, struct impl_set *set)
{
	char error[256];
	assert_int_equal(impl_set_open(set, NULL, 0), 0);
	const struct impl_info *info = impl_set_find(set, name);
	assert_non_null(info);
	return impl_load(info->name, info->plugin, error, sizeof(error));
}

static void forms(void **state)
{
	(void)state;
	const struct rule_test hooks = {"x", take, "", TEST_HOOKS}, without = {"x", take, "", TEST_PLAIN};
	assert_true(rule_test_has_form(&plain, KIND_MPSC, false));
	assert_false(rule_test_has_form(&plain, KIND_MPSC, true));
	assert_true(rule_test_has_form(&plain, KIND_WATCH, false));
	assert_true(rule_test_has_form(&plain, KIND_WATCH, true));
	assert_false(rule_test_has_form(&hooks, KIND_BROADCAST, false));
	assert_true(rule_test_has_form(&hooks, KIND_BROADCAST, true));
	assert_false(rule_test_has_form(&without, KIND_BROADCAST, true));
}

static void slugs(void **state)
{
	(void)state;
	const struct rule_test odd = {"(1 ns) to -- 16 ms", take, "", 0};
	char text[64], little[8];
	rule_test_slug(&plain, false, text, sizeof(text));
	assert_string_equal(text, "a_full_channel_closed");
	rule_test_slug(&plain, true, text, sizeof(text));
	assert_string_equal(text, "a_full_channel_closed+hooks");
	rule_test_slug(&odd, false, text, sizeof(text));
	assert_string_equal(text, "1_ns_to_16_ms");
	rule_test_slug(&plain, true, little, sizeof(little));
	assert_string_equal(little, "a_full_");
}

static void unexplored(void **state)
{
	(void)state;
	const unsigned flags[] = {TEST_FAULT, TEST_SIGNALS, TEST_HEAP, TEST_LONG};
	assert_null(rule_test_unexplored(&plain));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const struct rule_test test = {"x", take, "", flags[i] | TEST_PLAIN};
		assert_non_null(rule_test_unexplored(&test));
	}
}

/* It sees the minimum and what it needs, and nothing else. */
static void its_table(void **state)
{
	(void)state;
	struct impl_set set;
	const struct chan_impl *impl = built_in("mutex", &set);
	assert_non_null(impl);
	rule_test_run(&plain, impl, KIND_MPSC, false);
	assert_ptr_equal(given.mpsc->send, impl->mpsc->send);
	assert_ptr_equal(given.mpsc->close, impl->mpsc->close);
	assert_null(given.mpsc->reserve);
	assert_null(given.broadcast);
	free((void *)(uintptr_t)given.mpsc);
	impl_set_close(&set);
}

static void lacking(void **state)
{
	(void)state;
	const struct rule_test needy = {"x", take, "close reserve", 0};
	struct impl_info info = {.name = "little"};
	assert_true(info_offer(&info, KIND_MPSC, "close"));
	assert_null(rule_test_lacks(&plain, &info, KIND_MPSC));
	assert_string_equal(rule_test_lacks(&needy, &info, KIND_MPSC), "reserve");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(slugs),
	                                   cmocka_unit_test(unexplored), cmocka_unit_test(its_table),
	                                   cmocka_unit_test(lacking)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
