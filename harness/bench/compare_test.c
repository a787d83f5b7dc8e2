/* SPDX-License-Identifier: MIT */
#include "harness/bench/compare.h"

#include "harness/bench/summary.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CELL "fan_in/mutex/capacity:32"

/* Nine trials in three processes around `rate`, within `spread` of it. */
static void add_cell(json_t *rows, const char *name, const char *member, double rate, double spread)
{
	for (int i = 0; i < 9; i++) {
		json_t *row = json_pack("{s:s,s:i,s:s,s:f}", "name", name, "process", i / 3, "verdict", "ok", member,
		                        rate * (1 + spread * (i - 4) / 4));
		assert_int_equal(json_array_append_new(rows, row), 0);
	}
}

static void break_row(json_t *rows, size_t i, const char *verdict)
{
	json_t *row = json_array_get(rows, i);
	json_object_set_new(row, "verdict", json_string(verdict));
	json_object_set_new(row, "error_occurred", json_true());
	json_object_del(row, "items_per_second");
}

static enum change changed(double before, double after, double spread, double floor)
{
	json_t *old_rows = json_array(), *new_rows = json_array();
	struct comparison comparison;
	add_cell(old_rows, CELL, "items_per_second", before, spread);
	add_cell(new_rows, CELL, "items_per_second", after, spread);
	assert_true(compare_cell(CELL, old_rows, new_rows, floor, &comparison));
	assert_true(fabs(comparison.ratio - after / before) < 1e-9);
	assert_true(comparison.interval.low <= comparison.ratio && comparison.ratio <= comparison.interval.high);
	json_decref(old_rows);
	json_decref(new_rows);
	return comparison.change;
}

static void test_slower_needs_interval_and_floor(void **state)
{
	(void)state;
	assert_int_equal(changed(1e6, 0.7e6, 0.02, 0.05), CHANGE_SLOWER);
	assert_int_equal(changed(1e6, 1.4e6, 0.02, 0.05), CHANGE_FASTER);
	assert_int_equal(changed(1e6, 1e6, 0.02, 0.05), CHANGE_SAME);
	assert_int_equal(changed(1e6, 0.7e6, 0.02, 0.50), CHANGE_SAME); /* within the noise */
	assert_int_equal(changed(1e6, 1.4e6, 0.02, 0.50), CHANGE_SAME);
	assert_int_equal(changed(1e6, 0.9e6, 0.60, 0), CHANGE_SAME); /* the interval has 1 in it */
}

static void test_latency_is_better_when_lower(void **state)
{
	static const char name[] = "fan_in/mutex/rate:50000";
	json_t *old_rows = json_array(), *new_rows = json_array();
	struct comparison comparison;
	(void)state;
	add_cell(old_rows, name, "p50_ns", 1000, 0.02);
	add_cell(new_rows, name, "p50_ns", 3000, 0.02);
	assert_true(compare_cell(name, old_rows, new_rows, 0.05, &comparison));
	assert_int_equal(comparison.change, CHANGE_SLOWER);
	assert_true(compare_cell(name, new_rows, old_rows, 0.05, &comparison));
	assert_int_equal(comparison.change, CHANGE_FASTER);
	json_decref(old_rows);
	json_decref(new_rows);
}

static void test_broken(void **state)
{
	json_t *good = json_array(), *bad = json_array();
	struct comparison comparison;
	(void)state;
	add_cell(good, CELL, "items_per_second", 1e6, 0.02);
	add_cell(bad, CELL, "items_per_second", 9e6, 0.02);
	break_row(bad, 7, "lost 3 messages");
	assert_true(compare_cell(CELL, good, bad, 0, &comparison));
	assert_int_equal(comparison.change, CHANGE_BROKEN);
	assert_string_equal(comparison.verdict, "lost 3 messages");
	assert_true(isnan(comparison.new_median)); /* a broken one has no number, however fast */
	assert_true(compare_cell(CELL, bad, good, 0, &comparison));
	assert_int_equal(comparison.change, CHANGE_REPAIRED);
	assert_true(compare_cell(CELL, bad, bad, 0, &comparison));
	assert_int_equal(comparison.change, CHANGE_STILL_BROKEN);
	assert_true(compare_cell(CELL, good, NULL, 0, &comparison));
	assert_int_equal(comparison.change, CHANGE_ONLY_OLD);
	assert_true(compare_cell(CELL, NULL, good, 0, &comparison));
	assert_int_equal(comparison.change, CHANGE_ONLY_NEW);
	/* A cell that is new and broken must not pass for want of something to compare it with. */
	assert_true(compare_cell(CELL, NULL, bad, 0, &comparison));
	assert_int_equal(comparison.change, CHANGE_BROKEN);
	json_decref(good);
	json_decref(bad);
}

static void test_too_few(void **state)
{
	json_t *rows = json_array(), *few = json_array();
	struct comparison comparison;
	(void)state;
	add_cell(rows, CELL, "items_per_second", 1e6, 0.02);
	json_array_append(few, json_array_get(rows, 0));
	json_array_append(few, json_array_get(rows, 1));
	assert_true(compare_cell(CELL, rows, few, 0, &comparison));
	assert_int_equal(comparison.change, CHANGE_UNCLEAR);
	json_decref(rows);
	json_decref(few);
}

static void test_floor(void **state)
{
	json_t *rows = json_array();
	size_t pairs = 0;
	(void)state;
	add_cell(rows, "fan_in/mutex/capacity:1", "items_per_second", 100, 0);
	add_cell(rows, "fan_in/mutex@aa/capacity:1", "items_per_second", 110, 0);
	add_cell(rows, "fan_in/mutex/capacity:2", "items_per_second", 100, 0);
	add_cell(rows, "fan_in/mutex@aa/capacity:2", "items_per_second", 95, 0);
	add_cell(rows, "fan_in_more/mutex/capacity:2", "items_per_second", 100, 0);
	add_cell(rows, "fan_in_more/mutex@aa/capacity:2", "items_per_second", 200, 0);
	/* At a fixed rate it is the latency that tells, not the rate. */
	add_cell(rows, "spsc/mutex/rate:7", "p50_ns", 100, 0);
	add_cell(rows, "spsc/mutex@aa/rate:7", "p50_ns", 105, 0);
	json_t *cells = summary_by_cell(rows);
	assert_true(fabs(compare_floor(cells, NULL, "spsc", &pairs) - (log(1.1) + log(1 / 0.95)) / 2) < 1e-9);
	assert_int_equal(pairs, 4);
	assert_true(fabs(compare_floor(cells, NULL, "fan_in", &pairs) - log(1.1)) < 1e-9);
	assert_true(fabs(compare_floor(NULL, cells, "fan_in_more", &pairs) - log(2)) < 1e-9);
	/* A scenario without pairs of its own has the median of the others. */
	assert_true(fabs(compare_floor(cells, NULL, "watch", &pairs) - (log(1.1) + log(1 / 0.95)) / 2) < 1e-9);
	assert_true(compare_floor(NULL, NULL, "spsc", &pairs) == 0);
	assert_int_equal(pairs, 0);
	json_decref(cells);
	json_decref(rows);
}

static void test_absurd(void **state)
{
	static const char *const bad[] = {
		"[{\"name\":\"a\",\"items_per_second\":0}]",
		"[{\"name\":\"a\",\"items_per_second\":-1}]",
		"[{\"name\":\"a\",\"items_per_second\":1e300}]",
		"[{\"name\":\"a\",\"items_per_second\":\"5\"}]",
		"[{\"name\":\"a\",\"process\":-1}]",
		"[{\"name\":\"a\",\"process\":1.5}]",
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		json_t *rows = json_loads(bad[i], 0, NULL);
		assert_non_null(rows);
		assert_non_null(compare_absurd(rows));
		json_decref(rows);
	}
	json_t *rows = json_array();
	add_cell(rows, CELL, "items_per_second", 1e6, 0.02);
	assert_null(compare_absurd(rows));
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slower_needs_interval_and_floor),
		cmocka_unit_test(test_latency_is_better_when_lower),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_absurd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
