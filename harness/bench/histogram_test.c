/* SPDX-License-Identifier: MIT
 *
 * histogram_test.c - against percentiles of the sorted values themselves.
 */
#include "harness/bench/histogram.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct histogram histogram, other;

static uint64_t random_state = 88172645463325252u;

static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void test_percentiles(void **state)
{
	(void)state;
	static const double percents[] = {0, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100};
	enum { N = 30000 };
	static uint64_t values[N];
	for (unsigned bits = 1; bits <= 64; bits++) {
		histogram_init(&histogram);
		for (size_t i = 0; i < N; i++) {
			/* spread over the magnitudes up to `bits` */
			values[i] = random_u64() >> (64 - bits + random_u64() % bits);
			histogram_record(&histogram, values[i]);
		}
		qsort(values, N, sizeof values[0], ascending);
		for (size_t p = 0; p < sizeof percents / sizeof percents[0]; p++) {
			size_t rank = (size_t)ceil(percents[p] / 100 * (double)N);
			uint64_t exact = values[rank == 0 ? 0 : rank - 1];
			uint64_t got = histogram_percentile(&histogram, percents[p]);
			assert_true(got >= exact);
			assert_true(got - exact <= exact / 128);
		}
		assert_int_equal(histogram.min, values[0]);
		assert_int_equal(histogram.max, values[N - 1]);
		assert_int_equal(histogram_percentile(&histogram, 100), values[N - 1]);
	}
}

static void test_edges(void **state)
{
	(void)state;
	histogram_init(&histogram);
	assert_int_equal(histogram_percentile(&histogram, 50), 0);
	for (uint64_t v = 0; v < 256; v++)
		histogram_record(&histogram, v);
	for (unsigned i = 1; i <= 256; i++) /* exact below 256 */
		assert_int_equal(histogram_percentile(&histogram, i * 100.0 / 256), i - 1);
	histogram_init(&histogram);
	histogram_record(&histogram, UINT64_MAX);
	histogram_record(&histogram, (uint64_t)1 << 63);
	assert_true(histogram_percentile(&histogram, 100) == UINT64_MAX);
	assert_true(histogram_percentile(&histogram, 1) >= (uint64_t)1 << 63);
	assert_true(histogram_percentile(&histogram, 1) < ((uint64_t)1 << 63) + ((uint64_t)1 << 57));
}

static void test_merge(void **state)
{
	(void)state;
	static struct histogram both;
	histogram_init(&histogram);
	histogram_init(&other);
	histogram_init(&both);
	for (int i = 0; i < 1000; i++) {
		uint64_t v = random_u64() % 100000;
		histogram_record(i % 3 == 0 ? &histogram : &other, v);
		histogram_record(&both, v);
	}
	histogram_merge(&histogram, &other);
	assert_memory_equal(&histogram, &both, sizeof both);
}

static void test_text(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size = 0;
	histogram_init(&histogram);
	for (uint64_t v = 1; v <= 100; v++)
		histogram_record(&histogram, v);
	FILE *file = open_memstream(&text, &size);
	assert_non_null(file);
	assert_int_equal(histogram_write(&histogram, 1, file), 0);
	fclose(file);
	assert_non_null(strstr(text, "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
	assert_non_null(strstr(text, "\n      50.000 0.500000000000         50           2.00\n"));
	assert_non_null(strstr(text, "\n     100.000 1.000000000000        100\n"));
	assert_non_null(strstr(text, "#[Mean    =       50.500, StdDeviation   =       28.866]\n"));
	assert_non_null(strstr(text, "#[Max     =      100.000, Total count    =          100]\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
