/* SPDX-License-Identifier: MIT */
#include "harness/options.h"

#include "harness/say.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct option table[] = {
	{"seed", "N", "", false}, {"quick", NULL, "", false}, {"param", "k=v", "", true}, {NULL, NULL, NULL, false}};
static const struct command command = {
	.name = "test", .usage = "", .summary = "", .examples = "", .options = table, .operands = 1};

static struct options options;

/* Reads these arguments, up to NULL. */
static int read_all(const char *const *arguments)
{
	const char *argv[16] = {"test"};
	int argc = 1;
	for (; arguments[argc - 1] != NULL; argc++)
		argv[argc] = arguments[argc - 1];
	return options_read(&options, &command, argc, (char **)(uintptr_t)argv);
}

#define READ(...) read_all((const char *const[]){__VA_ARGS__, NULL})

static void test_read(void **state)
{
	(void)state;
	assert_int_equal(READ("--seed=7", "file", "--param", "a=1", "--param=b=2", "--quick"), -1);
	assert_string_equal(options_get(&options, "seed"), "7");
	assert_string_equal(options_get(&options, "quick"), "");
	assert_string_equal(options_nth(&options, "param", 0), "a=1");
	assert_string_equal(options_nth(&options, "param", 1), "b=2");
	assert_null(options_nth(&options, "param", 2));
	assert_string_equal(options_nth(&options, NULL, 0), "file");
	options_close(&options);
	assert_int_equal(READ("--", "--seed"), -1);
	assert_string_equal(options_nth(&options, NULL, 0), "--seed");
	options_close(&options);
}

static void test_refused(void **state)
{
	(void)state;
	static const char *const bad[][4] = {
		{"f", "--sed=1", NULL},
		{"f", "--seed", NULL},
		{"f", "--seed=", NULL},
		{"f", "--seed", "--quick"},
		{"f", "--seed=1", "--seed=1"},
		{"f", "--quick", "--quick"},
		{"f", "--quick=1", NULL},
		{"f", "-q", NULL},
		{"f", "g", NULL},
		{"--quick", NULL, NULL},
		{"f", "--benchmark_out=x", NULL},
		{"f", "--benchmark_repetitions=3", NULL},
		{"f", "--see=1", NULL},
		{"f", "--seedy=1", NULL},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(read_all(bad[i]), EXIT_USAGE);
		options_close(&options);
	}
	assert_int_equal(READ("--nonsense", "--help"), EXIT_GOOD);
	options_close(&options);
}

static void expect_number(const char *text, int result, uint64_t number)
{
	uint64_t got = 5;
	assert_int_equal(READ("--seed", text, "f"), -1);
	assert_int_equal(options_number(&options, "seed", 1, 100, &got), result);
	assert_int_equal(got, number);
	options_close(&options);
}

static void expect_seconds(const char *text, int result, double seconds)
{
	double got = 5;
	assert_int_equal(READ("--seed", text, "f"), -1);
	assert_int_equal(options_seconds(&options, "seed", 0.1, 100, &got), result);
	assert_true(got == seconds);
	options_close(&options);
}

static void test_numbers(void **state)
{
	static const char *const bad[] = {
		"0", "101", "-1", "+1", "1x", " 1", "1 ", "0x1", "1.0", "99999999999999999999", "18446744073709551617"};
	static const char *const not_seconds[] = {"0",   "101",  "-1", "nan",   "inf", "1e1",
	                                          "0x1", "1.5s", ".",  "1.2.3", " 1"};
	uint64_t unchanged = 9;
	(void)state;
	expect_number("1", 0, 1);
	expect_number("100", 0, 100);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect_number(bad[i], -1, 5);
	expect_seconds("0.5", 0, 0.5);
	expect_seconds("20", 0, 20);
	for (size_t i = 0; i < sizeof not_seconds / sizeof not_seconds[0]; i++)
		expect_seconds(not_seconds[i], -1, 5);
	assert_int_equal(READ("f"), -1);
	assert_int_equal(options_number(&options, "seed", 1, 2, &unchanged), 0);
	assert_int_equal(unchanged, 9);
	options_close(&options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
