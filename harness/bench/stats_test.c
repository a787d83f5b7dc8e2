/* SPDX-License-Identifier: MIT */
#include "harness/bench/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct samples make(const double *values, const uint32_t *processes, size_t n)
{
	struct samples samples = {0};
	for (size_t i = 0; i < n; i++)
		assert_true(samples_add(&samples, values[i], processes != NULL ? processes[i] : (uint32_t)i));
	return samples;
}

static void test_median(void **state)
{
	static const double values[] = {5, 1, 4, 2, 3, 100};
	(void)state;
	struct samples odd = make(values, NULL, 5), even = make(values, NULL, 6), none = {0};
	assert_true(stats_median(&odd) == 3);
	assert_true(stats_median(&even) == 3.5);
	assert_true(stats_min(&even) == 1 && stats_max(&even) == 100);
	assert_true(isnan(stats_median(&none)) && isnan(stats_min(&none)));
	assert_true(odd.value[0] == 5); /* it sorts a copy */
	samples_free(&odd);
	samples_free(&even);
}

static void test_interval_of_constants_has_no_width(void **state)
{
	static const double values[] = {7, 7, 7, 7};
	(void)state;
	struct samples samples = make(values, NULL, 4), none = {0};
	struct interval interval = stats_median_interval(&samples);
	assert_true(interval.low == 7 && interval.high == 7);
	assert_true(isnan(stats_median_interval(&none).low));
	samples_free(&samples);
}

/* Nine independent values: the median is not above the k-th of them with the probability that at
 * least 5 of 9 draws (with replacement) are among the k smallest. P(Bin(9, 1/9) >= 5) = 0.0012,
 * P(Bin(9, 2/9) >= 5) = 0.029: so the 2.5 % point is the second value, and the 97.5 % point, by
 * symmetry, the eighth. */
static void test_interval_of_nine_known_values(void **state)
{
	static const double values[] = {10, 20, 30, 40, 50, 60, 70, 80, 90};
	(void)state;
	struct samples samples = make(values, NULL, 9);
	struct interval interval = stats_median_interval(&samples), again = stats_median_interval(&samples);
	assert_true(interval.low == 20 && interval.high == 80);
	assert_true(again.low == interval.low && again.high == interval.high);
	samples_free(&samples);
}

/* Three processes that disagree, 21 trials each. If each trial stood for itself, the median
 * would be in the middle process but for P(Bin(63, 1/3) >= 32) = 0.3 % on each side. But with
 * 7/27 = 26 % two of three drawn processes are the lowest one. */
static void test_processes_are_clusters(void **state)
{
	struct samples clustered = {0}, apart = {0};
	(void)state;
	for (uint32_t i = 0; i < 63; i++) {
		assert_true(samples_add(&clustered, 10 + 40 * (i % 3), i % 3));
		assert_true(samples_add(&apart, 10 + 40 * (i % 3), i));
	}
	struct interval wide = stats_median_interval(&clustered), narrow = stats_median_interval(&apart);
	assert_true(wide.low == 10 && wide.high == 90);
	assert_true(narrow.low == 50 && narrow.high == 50);
	samples_free(&clustered);
	samples_free(&apart);
}

static void test_ratio(void **state)
{
	static const double values[] = {98, 99, 100, 101, 102};
	static const double twice[] = {196, 198, 200, 202, 204};
	(void)state;
	struct samples under = make(values, NULL, 5), over = make(twice, NULL, 5), none = {0};
	struct interval interval = stats_ratio_interval(&over, &under);
	assert_true(interval.low > 1.9 && interval.low < 2 && interval.high > 2 && interval.high < 2.1);
	interval = stats_ratio_interval(&under, &under);
	assert_true(interval.low < 1 && interval.high > 1);
	assert_true(isnan(stats_ratio_interval(&over, &none).low));
	assert_true(isnan(stats_ratio_interval(&none, &over).low));
	samples_free(&under);
	samples_free(&over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_median),
		cmocka_unit_test(test_interval_of_constants_has_no_width),
		cmocka_unit_test(test_interval_of_nine_known_values),
		cmocka_unit_test(test_processes_are_clusters),
		cmocka_unit_test(test_ratio),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
