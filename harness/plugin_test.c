/* SPDX-License-Identifier: MIT */
#include "harness/info.h"

#include "harness/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *fixture(const char *flaw)
{
	static char path[2][PATH_MAX];
	static int next;
	next ^= 1;
	snprintf(path[next], sizeof path[next], "%s/libfixture_%s.so", FIXTURES, flaw);
	return path[next];
}

static void test_built_in_alone(void **state)
{
	struct impl_set set;
	(void)state;
	assert_int_equal(impl_set_open(&set, NULL, 0), 0);
	assert_true(set.count > 0);
	for (size_t i = 0; i < set.count; i++) {
		char error[256];
		assert_string_equal(set.infos[i].plugin, "");
		assert_ptr_equal(impl_set_find(&set, set.infos[i].name), &set.infos[i]);
		assert_string_equal(impl_load(set.infos[i].name, "", error, sizeof error)->name, set.infos[i].name);
	}
	assert_null(impl_set_find(&set, "fixture"));
	impl_set_close(&set);
}

static void test_good(void **state)
{
	struct impl_set set;
	char error[256];
	const char *file = fixture("GOOD");
	(void)state;
	assert_int_equal(impl_set_open(&set, &file, 1), 0);
	const struct impl_info *info = impl_set_find(&set, "fixture");
	assert_ptr_equal(info, &set.infos[set.count - 1]);
	assert_string_equal(info->family, "fixtures");
	assert_string_equal(info->version, "3.1");
	assert_string_equal(info->summary, "sends nothing");
	assert_int_equal(info->flags, CHAN_HONOURS_START);
	assert_int_equal(info->deviation_count, 1);
	assert_string_equal(info->deviations[0].rule, "M-22");
	assert_true(info_offers(info, KIND_MPSC, "receiver_drop"));
	assert_false(info_offers(info, KIND_MPSC, "sender_clone"));
	const struct chan_impl *impl = impl_load("fixture", info->plugin, error, sizeof error);
	assert_non_null(impl);
	assert_string_equal(impl->name, "fixture");
	assert_null(impl_load("other", info->plugin, error, sizeof error));
	assert_string_equal(error, "has no implementation 'other'");
	impl_set_close(&set);
}

struct attempt {
	const char *files[2];
	size_t count;
};

static int open_set(int pipe, void *arg)
{
	const struct attempt *attempt = arg;
	struct impl_set set;
	(void)pipe;
	return impl_set_open(&set, attempt->files, attempt->count) == 0 ? 0 : 1;
}

/* Opening a set with these plug-ins fails and says this, in one line. */
static void expect_refusal(struct attempt attempt, const char *text)
{
	struct child_result result;
	struct child_spec spec = {.body = open_set, .arg = &attempt};
	child_run(&spec, &result);
	assert_int_equal(result.end, CHILD_EXITED);
	assert_int_equal(result.code, 1);
	if (strstr(result.output, text) == NULL)
		fail_msg("'%s' is not in: %s", text, result.output);
	assert_ptr_equal(strchr(result.output, '\n'), result.output + strlen(result.output) - 1);
}

static void test_flaws(void **state)
{
	static const struct {
		const char *flaw, *text;
	} flaws[] = {
		{"SYMBOL", "is no plug-in: it does not define chan_plugin"},
		{"MAGIC", "is no plug-in: its chan_plugin begins with 0x46464646"},
		{"VERSION", "was built against version 42 of the contract, and this is version 2"},
		{"EMPTY", "holds no implementation"},
		{"MINIMUM", "fixture: its mpsc lacks receiver_drop"},
		{"TAKEN", "an implementation named 'null', and that name is taken"},
		{"CRASH", "cannot be loaded: the process that loads it crashed (SIGABRT)"},
		{"EXIT", "cannot be loaded: the process that loads it exited with status"},
		{"HANG", "hangs when it is loaded"},
		{"TABLE", "cannot be loaded: the process that loads it "},
	};
	(void)state;
	for (size_t i = 0; i < sizeof flaws / sizeof flaws[0]; i++)
		expect_refusal((struct attempt){{fixture(flaws[i].flaw)}, 1}, flaws[i].text);
}

static void test_what_is_no_plugin_at_all(void **state)
{
	(void)state;
	expect_refusal((struct attempt){{"/nowhere/at/all.so"}, 1}, "No such file or directory");
	expect_refusal((struct attempt){{"/tmp"}, 1}, "is not a file");
	expect_refusal((struct attempt){{"/proc/self/status"}, 1}, "cannot be loaded");
	expect_refusal((struct attempt){{fixture("GOOD"), fixture("GOOD")}, 2},
	               "named 'fixture', and that name is taken by");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_in_alone),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_flaws),
		cmocka_unit_test(test_what_is_no_plugin_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
