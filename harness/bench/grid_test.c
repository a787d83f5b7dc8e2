/* SPDX-License-Identifier: MIT */
#include "harness/bench/grid.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_count(double value, const char *text)
{
	char got[32];
	format_count(value, got, sizeof got);
	assert_string_equal(got, text);
}

static void test_numbers(void **state)
{
	char got[64];
	(void)state;
	expect_count(0, "0");
	expect_count(7, "7");
	expect_count(999, "999");
	expect_count(999.6, "1.00 k");
	expect_count(1000, "1.00 k");
	expect_count(12345, "12.3 k");
	expect_count(999499, "999 k");
	expect_count(999500, "1.00 M");
	expect_count(9996000, "10.0 M");
	expect_count(0.5, "0.50");
	expect_count(0.042, "0.042");
	expect_count(0.0001, "<0.001");
	expect_count(NAN, "");
	format_ns(1234, got, sizeof got);
	assert_string_equal(got, "1.23 us");
	format_ns(59.44, got, sizeof got);
	assert_string_equal(got, "59.4 ns");
	format_percent(0.924, got, sizeof got);
	assert_string_equal(got, "92.4 %");
	format_percent(0, got, sizeof got);
	assert_string_equal(got, "0 %");
	format_percent(NAN, got, sizeof got);
	assert_string_equal(got, "");
	format_range(950000, 1250000, got, sizeof got);
	assert_string_equal(got, "0.95 .. 1.25 M");
	format_range(NAN, 1, got, sizeof got);
	assert_string_equal(got, "");
}

static void expect_print(const struct grid *grid, int limit, const char *text)
{
	char *got = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&got, &size);
	assert_non_null(out);
	grid_print(grid, out, 1, limit);
	fclose(out);
	assert_string_equal(got, text);
	free(got);
}

static void test_columns(void **state)
{
	struct grid grid = {.rows = NULL};
	(void)state;
	grid_column(&grid, "name", true);
	grid_column(&grid, "empty", false);
	grid_column(&grid, "rate", false);
	grid_column(&grid, "p50", false);
	char(*row)[GRID_TEXT] = grid_row(&grid);
	assert_non_null(row);
	strcpy(row[0], "longest");
	strcpy(row[2], "5");
	strcpy(row[3], "12345");
	row = grid_row(&grid);
	assert_non_null(row);
	strcpy(row[0], "b");
	expect_print(&grid, 100, " name     rate    p50\n longest     5  12345\n b\n");
	/* What does not fit goes below, behind the name. */
	expect_print(&grid, 15, " name     rate\n longest     5\n b\n name       p50\n longest  12345\n");
	/* However narrow, each column appears. */
	expect_print(&grid, 1, " name     rate\n longest     5\n b\n name       p50\n longest  12345\n");
	grid_close(&grid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
