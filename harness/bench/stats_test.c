/* SPDX-License-Identifier: MIT */
#include "harness/bench/stats.h"

#include "harness/bench/random.h"

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
	struct samples samples = make(values, NULL, 4), none = {0}, one = make(values, (uint32_t[]){3, 3}, 2);
	struct interval interval = stats_median_interval(&samples);
	assert_true(fabs(interval.low - 7) < 1e-9 && fabs(interval.high - 7) < 1e-9);
	assert_true(isnan(stats_median_interval(&none).low));
	/* one process has nothing to differ from */
	assert_true(isnan(stats_median_interval(&one).low));
	samples_free(&samples);
	samples_free(&one);
}

/* Logarithms 0, 1, 2 with a standard deviation of 1: t(0.975, 2) = 4.303 over the root of 3. */
static void test_interval_of_known_values(void **state)
{
	const double values[] = {1, exp(1), exp(2)};
	(void)state;
	struct samples samples = make(values, NULL, 3);
	struct interval interval = stats_median_interval(&samples);
	assert_true(fabs(log(interval.low) - (1 - 4.303 / sqrt(3))) < 1e-9);
	assert_true(fabs(log(interval.high) - (1 + 4.303 / sqrt(3))) < 1e-9);
	samples_free(&samples);
}

/* More trials in the same processes are no more evidence. */
static void test_processes_are_the_unit(void **state)
{
	struct samples many = {0}, few = {0}, apart = {0};
	(void)state;
	for (uint32_t i = 0; i < 63; i++) {
		assert_true(samples_add(&many, 10 + 40 * (i % 3), i % 3));
		assert_true(samples_add(&apart, 10 + 40 * (i % 3), i));
		assert_true(i >= 3 || samples_add(&few, 10 + 40 * (i % 3), i % 3));
	}
	struct interval wide = stats_median_interval(&many), same = stats_median_interval(&few),
			narrow = stats_median_interval(&apart);
	assert_true(wide.low == same.low && wide.high == same.high);
	assert_true(wide.low < 10 && wide.high > 90 && narrow.low > 20 && narrow.high < 60);
	samples_free(&many);
	samples_free(&few);
	samples_free(&apart);
}

/* 5 and 5 that are wholly apart: 2 of the 252 ways; the interval is the outermost pairs, since
 * 1/252 is below 0.5 % and 2/252 is not. 4 and 4 have no 99 % interval: 1/70. */
static void test_ratio(void **state)
{
	static const double values[] = {98, 99, 100, 101, 102};
	static const double twice[] = {196, 198, 200, 202, 204};
	struct stats_ratio r;
	(void)state;
	struct samples under = make(values, NULL, 5), over = make(twice, NULL, 5), none = {0};
	assert_true(stats_ratio(&over, &under, &r));
	assert_true(fabs(r.ratio - 2) < 1e-3 && fabs(r.p - 2.0 / 252) < 1e-9);
	assert_true(fabs(r.interval.low - 196.0 / 102) < 1e-9 && fabs(r.interval.high - 204.0 / 98) < 1e-9);
	assert_true(stats_ratio(&under, &under, &r));
	assert_true(r.p > 0.99 && r.interval.low < 1 && r.interval.high > 1);
	under.count = 4;
	over.count = 4;
	assert_true(stats_ratio(&over, &under, &r));
	assert_true(isinf(r.interval.high) && r.interval.low == 0 && fabs(r.p - 2.0 / 70) < 1e-9);
	assert_true(stats_ratio(&over, &none, &r) && isnan(r.ratio) && isnan(r.p));
	assert_true(stats_ratio(&none, &over, &r) && isnan(r.ratio));
	samples_free(&under);
	samples_free(&over);
}

/* {1, 2, 2} and {2, 3, 3}: midranks 1, 3, 3, 3, 5.5, 5.5. The sum of the first is 7; of the 20 ways
 * to draw three, 3 have it (1 with two of the three threes), and as many are as far above 10.5. */
static void test_ties(void **state)
{
	struct stats_ratio r;
	(void)state;
	struct samples a = make((double[]){1, 2, 2}, NULL, 3), b = make((double[]){2, 3, 3}, NULL, 3);
	assert_true(stats_ratio(&a, &b, &r) && fabs(r.p - 6.0 / 20) < 1e-9);
	samples_free(&a);
	samples_free(&b);
}

/* R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "BH") is 0.02 0.04 0.04 0.02. */
static void test_adjust(void **state)
{
	double p[] = {0.01, NAN, 0.04, 0.03, 0.005};
	static const double wanted[] = {0.02, 0, 0.04, 0.04, 0.02};
	(void)state;
	assert_true(stats_adjust(p, 5));
	assert_true(isnan(p[1]));
	for (size_t i = 0; i < 5; i++)
		assert_true(i == 1 || fabs(p[i] - wanted[i]) < 1e-12);
}

static double normal(uint64_t *random)
{
	double sum = -6;
	for (int i = 0; i < 12; i++)
		sum += (double)random_below(random, 1u << 30) / (1u << 30);
	return sum;
}

/* Pairs of cells that are the same: how many in a thousand have an interval without 1 in it. */
static double flagged(size_t processes, size_t trials, double between, double within)
{
	enum { CELLS = 4000 };
	uint64_t random = 7;
	size_t count = 0;

	for (size_t cell = 0; cell < CELLS; cell++) {
		struct samples of[2] = {{0}, {0}};
		struct stats_ratio r;
		for (size_t side = 0; side < 2; side++)
			for (size_t p = 0; p < processes; p++) {
				double lucky = between * normal(&random);
				for (size_t t = 0; t < trials; t++)
					assert_true(samples_add(&of[side], exp(lucky + within * normal(&random)),
					                        (uint32_t)p));
			}
		assert_true(stats_ratio(&of[0], &of[1], &r));
		count += r.interval.low > 1 || r.interval.high < 1;
		samples_free(&of[0]);
		samples_free(&of[1]);
	}
	print_message("%zu x %zu, process %.0f %%, trial %.0f %%: %.2f %% flagged\n", processes, trials, 100 * between,
	              100 * within, 100.0 * (double)count / CELLS);
	return 1000.0 * (double)count / CELLS;
}

/* A nominal 1 % is at most 1 %, whether processes differ as much as trials or much more; 0.47 %
 * is three standard deviations of 4000 cells. */
static void test_keeps_its_word(void **state)
{
	(void)state;
	assert_true(flagged(8, 1, 0.09, 0.09) < 10 + 4.7);
	assert_true(flagged(8, 1, 0.29, 0.03) < 10 + 4.7);
	assert_true(flagged(8, 3, 0, 0.09) < 10 + 4.7);
	assert_true(flagged(6, 2, 0.09, 0.09) < 10 + 4.7);
	assert_true(flagged(8, 3, 0.29, 0.03) < 10 + 4.7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_median),
		cmocka_unit_test(test_interval_of_constants_has_no_width),
		cmocka_unit_test(test_interval_of_known_values),
		cmocka_unit_test(test_processes_are_the_unit),
		cmocka_unit_test(test_ratio),
		cmocka_unit_test(test_ties),
		cmocka_unit_test(test_adjust),
		cmocka_unit_test(test_keeps_its_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
