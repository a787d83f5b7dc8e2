/* SPDX-License-Identifier: MIT */
#include "harness/choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct impl_info infos[] = {{.name = "ours"}, {.name = "theirs", .peer = true, .flags = CHAN_SPINS}};
static struct impl_absent absent[] = {{.name = "gone", .cure = "not built: install it"}};
static const struct impl_set set = {.infos = infos, .count = 2, .absent = absent, .absent_count = 1};

/* 1: ours, 2: theirs; -1: refused. */
static int chosen(const char *text, const struct impl_set *of)
{
	struct names names;
	int which = -1;
	assert_int_equal(names_split(&names, text, "impl"), 0);
	if (choice_check(&names, of) == 0)
		which = choice_has(&names, &infos[0]) + 2 * choice_has(&names, &infos[1]);
	names_free(&names);
	return which;
}

static void names_and_groups(void **state)
{
	(void)state;
	assert_int_equal(chosen(NULL, &set), 1); /* peers only when they are asked for */
	assert_int_equal(chosen("ours", &set), 1);
	assert_int_equal(chosen("theirs", &set), 2);
	assert_int_equal(chosen("peers", &set), 2);
	assert_int_equal(chosen("ours,peers", &set), 3);
	assert_int_equal(chosen("all", &set), 3);
}

static void what_is_not_there_is_refused(void **state)
{
	const struct impl_set without = {.infos = infos, .count = 1, .absent = absent, .absent_count = 1};
	(void)state;
	assert_int_equal(chosen("gone", &set), -1);
	assert_int_equal(chosen("ours,gone", &set), -1);
	assert_int_equal(chosen("their", &set), -1);
	assert_int_equal(chosen("theirs+yield", &set), -1);
	assert_int_equal(chosen("peers", &without), -1);
}

/* What a driver runs is chosen to be measured, and never to be tested. */
static void drivers_are_not_tested(void **state)
{
	struct impl_info both[] = {{.name = "ours"}, {.name = "go", .peer = true, .driver.program = "driver-go"}};
	const struct impl_set with = {.infos = both, .count = 2};
	struct names names;
	(void)state;
	assert_int_equal(names_split(&names, "go", "impl"), 0);
	assert_int_equal(choice_check(&names, &with), 0);
	assert_true(choice_has(&names, &both[1]));
	assert_int_equal(choice_check_tested(&names, &with), -1);
	names_free(&names);
	assert_int_equal(names_split(&names, "all", "impl"), 0);
	assert_int_equal(choice_check_tested(&names, &with), 0);
	assert_true(choice_has_tested(&names, &both[0]));
	assert_false(choice_has_tested(&names, &both[1]));
	names_free(&names);
}

static void who_spins_is_shown_so(void **state)
{
	char text[64];
	(void)state;
	info_shown_name(&infos[0], text, sizeof text);
	assert_string_equal(text, "ours");
	info_shown_name(&infos[1], text, sizeof text);
	assert_string_equal(text, "theirs+yield");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_groups), cmocka_unit_test(what_is_not_there_is_refused),
		cmocka_unit_test(drivers_are_not_tested), cmocka_unit_test(who_spins_is_shown_so)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
