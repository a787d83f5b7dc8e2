/* SPDX-License-Identifier: MIT
 *
 * params_test.c - one spelling each way, and every table of every scenario makes sense.
 */
#include "harness/bench/workload.h"

#include "harness/bench/trial.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct workload fan_in, backpressure, broadcast_lag, oneshot;

static bool takes(const struct workload *workload, enum param param, const char *text)
{
	uint64_t value = 77;
	const char *error = param_parse(workload, param, text, &value);
	if (error == NULL)
		return true;
	assert_non_null(strstr(error, param_name(param))); /* it says which one */
	assert_int_equal(value, 77);
	return false;
}

static void test_numbers(void **state)
{
	(void)state;
	assert_true(takes(&fan_in, PARAM_PRODUCERS, "1"));
	assert_true(takes(&fan_in, PARAM_PRODUCERS, "1024"));
	static const char *const bad[] = {"0",  "1025", "-1",   "+1",  " 1",  "1 ",
	                                  "1x", "",     "0x10", "1e3", "4.0", "99999999999999999999999"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(takes(&fan_in, PARAM_PRODUCERS, bad[i]));
	assert_true(takes(&fan_in, PARAM_SIZE, "8"));
	assert_false(takes(&fan_in, PARAM_SIZE, "0"));
	assert_false(takes(&fan_in, PARAM_SIZE, "12"));
	assert_true(takes(&fan_in, PARAM_RATE, "0"));
}

static void test_words(void **state)
{
	(void)state;
	uint64_t value;
	assert_null(param_parse(&fan_in, PARAM_CAPACITY, "unbounded", &value));
	assert_true(value == CAPACITY_UNBOUNDED);
	assert_false(takes(&fan_in, PARAM_CAPACITY, "0"));
	assert_false(takes(&fan_in, PARAM_CAPACITY, "Unbounded"));
	assert_false(takes(&backpressure, PARAM_CAPACITY, "unbounded")); /* it has no such kind */
	assert_true(takes(&backpressure, PARAM_MODE, "deadline"));
	assert_false(takes(&backpressure, PARAM_MODE, "0"));
	assert_false(takes(&fan_in, PARAM_MODE, "block"));
	assert_string_equal(param_parse(&backpressure, PARAM_MODE, "drop", &value),
	                    "mode of backpressure must be 'block' or 'try' or 'deadline', not 'drop'");
	assert_string_equal(param_parse(&fan_in, PARAM_SIZE, "12", &value),
	                    "size of fan_in must be 8 to 1048576, a multiple of 8, not '12'");
}

static void test_names(void **state)
{
	(void)state;
	for (enum param param = 0; param < PARAM_COUNT; param++)
		assert_int_equal(param_of_name(param_name(param)), param);
	assert_int_equal(param_of_name("capacities"), PARAM_COUNT);
}

/* Reads "name=value,value name=value"; calls each value's parser. */
static void check_preset(const struct workload *workload, const char *text)
{
	char copy[256], *words = NULL, *lists = NULL;
	assert_true(strlen(text) < sizeof copy);
	strcpy(copy, text);
	for (char *word = strtok_r(copy, " ", &words); word != NULL; word = strtok_r(NULL, " ", &words)) {
		char *equals = strchr(word, '=');
		assert_non_null(equals);
		*equals = '\0';
		enum param param = param_of_name(word);
		const struct workload_param *has = workload->params;
		while (has->param != PARAM_COUNT && has->param != param)
			has++;
		assert_int_not_equal(has->param, PARAM_COUNT);
		for (char *v = strtok_r(equals + 1, ",", &lists); v != NULL; v = strtok_r(NULL, ",", &lists)) {
			uint64_t value;
			char printed[64];
			assert_null(param_parse(workload, param, v, &value));
			param_print(workload, param, value, printed, sizeof printed);
			assert_string_equal(printed, v);
		}
	}
}

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; workloads[i] != NULL; i++) {
		const struct workload *workload = workloads[i];
		struct params params;
		const char *why = NULL;
		params_default(workload, &params);
		enum kind kind = workload->kind(&params, &why);
		assert_int_not_equal(kind, KIND_COUNT); /* the defaults go together */
		assert_non_null(strstr(workload->kinds, kind_names[kind]));
		for (const struct workload_param *p = workload->params; p->param != PARAM_COUNT; p++) {
			char printed[64];
			param_print(workload, p->param, params.v[p->param], printed, sizeof printed);
			assert_string_equal(printed, p->value);
		}
		assert_non_null(workload->presets[0].name);
		for (const struct preset *preset = workload->presets; preset->name != NULL; preset++)
			check_preset(workload, preset->params);
		size_t figures = 0;
		while (workload->figures != NULL && workload->figures[figures].member != NULL)
			figures++;
		assert_true(figures <= TRIAL_FIGURES);
	}
}

static void test_ranges(void **state)
{
	char text[96];
	(void)state;
	param_range_print(PARAM_SIZE, text, sizeof text);
	assert_string_equal(text, "8 to 1048576, a multiple of 8");
	param_range_print(PARAM_PRODUCERS, text, sizeof text);
	assert_string_equal(text, "1 to 1024");
	for (enum param param = 0; param < PARAM_COUNT; param++) {
		assert_string_equal(param_range(param)->name, param_name(param));
		assert_true(param_range(param)->unit[0] != '\0');
	}
	/* each has its place in `lagged` */
	assert_int_equal(param_range(PARAM_CONSUMERS)->max, TRIAL_RECEIVERS);
}

static void test_combinations(void **state)
{
	(void)state;
	struct params params;
	const char *why = NULL;
	params_default(&fan_in, &params);
	params.v[PARAM_RATE] = 1000;
	assert_int_equal(fan_in.kind(&params, &why), KIND_MPSC);
	params.v[PARAM_BATCH] = 2;
	assert_int_equal(fan_in.kind(&params, &why), KIND_COUNT);
	assert_non_null(why);
	params_default(&fan_in, &params);
	params.v[PARAM_CAPACITY] = CAPACITY_UNBOUNDED;
	assert_int_equal(fan_in.kind(&params, &why), KIND_UNBOUNDED);
	params_default(&broadcast_lag, &params);
	params.v[PARAM_SLOW] = params.v[PARAM_CONSUMERS] + 1;
	assert_int_equal(broadcast_lag.kind(&params, &why), KIND_COUNT);
	params_default(&oneshot, &params);
	params.v[PARAM_PRODUCERS] = 2;
	assert_int_equal(oneshot.kind(&params, &why), KIND_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_words),        cmocka_unit_test(test_names),
		cmocka_unit_test(test_tables),  cmocka_unit_test(test_combinations), cmocka_unit_test(test_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
