/* SPDX-License-Identifier: MIT */
#include "harness/bench/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CELL "fan_in/mutex/capacity:32"

/* Two trials in each of eight processes around `rate`, within `spread` of it. */
static void add_cell(json_t *cells, const char *name, const char *member, double rate, double spread)
{
	json_t *rows = json_array();
	for (int i = 0; i < 16; i++) {
		json_t *row = json_pack("{s:s,s:i,s:s,s:f}", "name", name, "process", i / 2, "verdict", "ok", member,
		                        rate * (1 + spread * (i / 2 - 3.5) / 3.5));
		assert_int_equal(json_array_append_new(rows, row), 0);
	}
	assert_int_equal(json_object_set_new(cells, name, rows), 0);
}

static json_t *one_cell(const char *name, const char *member, double rate, double spread)
{
	json_t *cells = json_object();
	add_cell(cells, name, member, rate, spread);
	return cells;
}

static void break_cell(json_t *cells, const char *name, const char *verdict)
{
	json_t *row = json_array_get(json_object_get(cells, name), 7);
	json_object_set_new(row, "verdict", json_string(verdict));
	json_object_set_new(row, "error_occurred", json_true());
	json_object_del(row, "items_per_second");
}

static enum change changed(double before, double after, double spread, double floor)
{
	json_t *old_cells = one_cell(CELL, "items_per_second", before, spread),
	       *new_cells = one_cell(CELL, "items_per_second", after, spread);
	struct comparison c;
	assert_true(compare_cell(CELL, old_cells, new_cells, false, &c));
	assert_int_equal(c.change, CHANGE_SAME);
	assert_true(compare_judge(&c, 1, floor));
	assert_true(c.ratio.interval.low <= c.ratio.ratio && c.ratio.ratio <= c.ratio.interval.high);
	json_decref(old_cells);
	json_decref(new_cells);
	return c.change;
}

static void test_slower_needs_interval_and_floor(void **state)
{
	(void)state;
	assert_int_equal(changed(1e6, 0.7e6, 0.02, 0.05), CHANGE_SLOWER);
	assert_int_equal(changed(1e6, 1.4e6, 0.02, 0.05), CHANGE_FASTER);
	assert_int_equal(changed(1e6, 1e6, 0.02, 0.05), CHANGE_SAME);
	assert_int_equal(changed(1e6, 0.9e6, 0.02, 0.15), CHANGE_SAME); /* within the noise */
	assert_int_equal(changed(1e6, 0.9e6, 0.02, 0.05), CHANGE_SLOWER);
}

/* To have seen nothing is not to have seen that it is the same. */
static void test_blind(void **state)
{
	(void)state;
	assert_int_equal(changed(1e6, 1e6, 0.60, 0), CHANGE_BLIND);
	assert_int_equal(changed(1e6, 0.9e6, 0.60, 0), CHANGE_BLIND);
	assert_int_equal(changed(1e6, 0.7e6, 0.02, 0.50), CHANGE_BLIND);
}

/* One cell among many that has p = 0.002, as 1 in 500 has by chance, is no finding. */
static void test_one_of_many_is_perhaps(void **state)
{
	struct comparison many[100];
	(void)state;
	for (size_t i = 0; i < 100; i++)
		many[i] = (struct comparison){.change = CHANGE_SAME, .ratio = {1, {0.95, 1.05}, 0.7}};
	many[5].ratio = (struct stats_ratio){0.7, {0.6, 0.8}, 0.002};
	assert_true(compare_judge(many, 100, 0.05));
	assert_int_equal(many[5].change, CHANGE_PERHAPS);
	assert_int_equal(many[6].change, CHANGE_SAME);
	many[5].change = CHANGE_SAME;
	assert_true(compare_judge(many + 5, 1, 0.05));
	assert_int_equal(many[5].change, CHANGE_SLOWER);
}

static void test_latency_is_better_when_lower(void **state)
{
	static const char name[] = "fan_in/futex/rate:50000";
	json_t *old_cells = one_cell(name, "p50_ns", 1000, 0.02), *new_cells = one_cell(name, "p50_ns", 3000, 0.02);
	struct comparison c;
	(void)state;
	assert_true(compare_cell(name, old_cells, new_cells, false, &c) && compare_judge(&c, 1, 0.05));
	assert_int_equal(c.change, CHANGE_SLOWER);
	assert_true(compare_cell(name, new_cells, old_cells, false, &c) && compare_judge(&c, 1, 0.05));
	assert_int_equal(c.change, CHANGE_FASTER);
	json_decref(old_cells);
	json_decref(new_cells);
}

/* A machine that is three times as fast changes nothing; one cell that is not says so. */
static void test_ratios_to_mutex(void **state)
{
	static const char futex[] = "spsc/futex/size:8", mutex[] = "spsc/mutex/size:8", ours[] = "spsc/vyukov/size:8";
	json_t *old_cells = one_cell(mutex, "items_per_second", 1e6, 0.02),
	       *new_cells = one_cell(mutex, "items_per_second", 3e6, 0.02);
	struct comparison c;
	(void)state;
	add_cell(old_cells, futex, "items_per_second", 4e6, 0.02);
	add_cell(new_cells, futex, "items_per_second", 12e6, 0.02);
	add_cell(old_cells, ours, "items_per_second", 4e6, 0.02);
	add_cell(new_cells, ours, "items_per_second", 6e6, 0.02);
	assert_true(compare_cell(futex, old_cells, new_cells, true, &c) && compare_judge(&c, 1, 0.05));
	assert_int_equal(c.change, CHANGE_SAME);
	assert_true(fabs(c.old_median - 4) < 1e-6);
	assert_true(compare_cell(ours, old_cells, new_cells, true, &c) && compare_judge(&c, 1, 0.05));
	assert_int_equal(c.change, CHANGE_SLOWER);
	break_cell(new_cells, mutex, "hung");
	assert_true(compare_cell(futex, old_cells, new_cells, true, &c));
	assert_int_equal(c.change, CHANGE_UNCLEAR);
	json_decref(old_cells);
	json_decref(new_cells);
}

static enum change change_between(json_t *old_cells, json_t *new_cells)
{
	struct comparison c;
	assert_true(compare_cell(CELL, old_cells, new_cells, false, &c));
	/* a broken one has no number, however fast */
	assert_true(c.change != CHANGE_BROKEN || isnan(c.new_median));
	return c.change;
}

static void test_broken(void **state)
{
	json_t *good = one_cell(CELL, "items_per_second", 1e6, 0.02),
	       *bad = one_cell(CELL, "items_per_second", 9e6, 0.02), *none = json_object();
	(void)state;
	break_cell(bad, CELL, "lost 3 messages");
	assert_int_equal(change_between(good, bad), CHANGE_BROKEN);
	assert_int_equal(change_between(bad, good), CHANGE_REPAIRED);
	assert_int_equal(change_between(bad, bad), CHANGE_STILL_BROKEN);
	assert_int_equal(change_between(good, none), CHANGE_ONLY_OLD);
	assert_int_equal(change_between(none, good), CHANGE_ONLY_NEW);
	/* A cell that is new and broken must not pass for want of something to compare it with. */
	assert_int_equal(change_between(none, bad), CHANGE_BROKEN);
	json_decref(good);
	json_decref(bad);
	json_decref(none);
}

/* Three processes against eight, however many trials they have. */
static void test_too_few(void **state)
{
	json_t *cells = one_cell(CELL, "items_per_second", 1e6, 0.02), *few = json_deep_copy(cells);
	(void)state;
	while (json_array_size(json_object_get(few, CELL)) > 6)
		json_array_remove(json_object_get(few, CELL), 6);
	assert_int_equal(change_between(cells, few), CHANGE_UNCLEAR);
	json_decref(cells);
	json_decref(few);
}

static void test_floor(void **state)
{
	json_t *cells = json_object();
	size_t pairs = 0;
	(void)state;
	add_cell(cells, "fan_in/mutex/capacity:1", "items_per_second", 100, 0);
	add_cell(cells, "fan_in/mutex@aa/capacity:1", "items_per_second", 110, 0);
	add_cell(cells, "fan_in_more/mutex/capacity:2", "items_per_second", 100, 0);
	add_cell(cells, "fan_in_more/mutex@aa/capacity:2", "items_per_second", 200, 0);
	/* At a fixed rate it is the latency that tells, not the rate. */
	add_cell(cells, "spsc/mutex/rate:7", "p50_ns", 100, 0);
	add_cell(cells, "spsc/mutex@aa/rate:7", "p50_ns", 105, 0);
	assert_true(fabs(compare_floor(cells, NULL, &pairs) - log(1.1)) < 1e-9);
	assert_int_equal(pairs, 3);
	assert_true(compare_floor(NULL, NULL, &pairs) == 0);
	assert_int_equal(pairs, 0);
	json_decref(cells);
}

static void test_machines(void **state)
{
	json_t *a = json_pack("{s:s,s:i}", "cpu_model", "A", "num_cpus", 2),
	       *b = json_pack("{s:s,s:i}", "cpu_model", "B", "num_cpus", 2);
	(void)state;
	assert_null(compare_machines(a, a));
	assert_non_null(compare_machines(a, b));
	assert_null(compare_machines(a, NULL));
	json_decref(a);
	json_decref(b);
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
	json_t *cells = one_cell(CELL, "items_per_second", 1e6, 0.02);
	assert_null(compare_absurd(json_object_get(cells, CELL)));
	json_decref(cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slower_needs_interval_and_floor),
		cmocka_unit_test(test_blind),
		cmocka_unit_test(test_one_of_many_is_perhaps),
		cmocka_unit_test(test_ratios_to_mutex),
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_latency_is_better_when_lower),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_absurd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
