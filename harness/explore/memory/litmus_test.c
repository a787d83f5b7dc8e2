/* SPDX-License-Identifier: MIT
 *
 * litmus_test.c - each litmus test explored exhaustively: the outcomes found are exactly those the
 * model allows.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "harness/explore/under_test/testing.h"
#include "harness/explore/under_test/litmus.h"

#define VALUES 6

static bool found[VALUES * VALUES * VALUES * VALUES];

static size_t code(const int *r)
{
	size_t index = 0;
	for (int i = 0; i < LITMUS_REGISTERS; i++)
		index = index * VALUES + (size_t)r[i];
	return index;
}

static void note(void *arg)
{
	(void)arg;
	found[code(litmus_register)] = true;
}

/* Counts through all assignments of values to registers. */
static bool next(const struct litmus *litmus, int *at)
{
	for (int i = litmus->registers - 1; i >= 0; i--) {
		if (litmus->values[++at[i]] >= 0)
			return true;
		at[i] = 0;
	}
	return false;
}

static size_t compare(const struct litmus *litmus, unsigned *wrong)
{
	int at[LITMUS_REGISTERS] = {0};
	size_t outcomes = 0;
	do {
		int r[LITMUS_REGISTERS] = {0};
		for (int i = 0; i < litmus->registers; i++)
			r[i] = litmus->values[at[i]];
		bool allowed = litmus->allows(r);
		if (allowed != found[code(r)]) {
			print_error("%s: %d %d %d %d is %s\n", litmus->name, r[0], r[1], r[2], r[3],
			            allowed ? "allowed, and was not found" : "forbidden, and was found");
			(*wrong)++;
		}
		outcomes += found[code(r)];
		found[code(r)] = false;
	} while (next(litmus, at));
	for (size_t i = 0; i < sizeof(found); i++)
		*wrong += found[i]; /* something outside of all values */
	return outcomes;
}

static unsigned explore_all(const struct explore_options *options)
{
	unsigned wrong = 0;
	for (const struct litmus *litmus = litmus_tests; litmus->name != NULL; litmus++) {
		struct explore_result result;
		memset(found, 0, sizeof(found));
		testing_run(litmus_run, (void *)(uintptr_t)litmus, options, &result);
		if (result.verdict != EXPLORE_OK)
			print_error("%s: %s\n%s\n", litmus->name, result.message, result.trace);
		assert_int_equal(result.verdict, EXPLORE_OK);
		size_t outcomes = compare(litmus, &wrong);
		print_message("%-45s %3zu outcomes, %7lu executions (%lu redundant)%s%s\n", litmus->name, outcomes,
		              result.executions, result.redundant, result.exhausted ? "" : " truncated: ",
		              result.exhausted || result.truncated == NULL ? "" : result.truncated);
		explore_result_free(&result);
	}
	return wrong;
}

static void exhaustive(void **state)
{
	struct explore_options options = EXPLORE_DEFAULTS;
	options.strategy = EXPLORE_DFS;
	options.after = note;
	(void)state;
	assert_int_equal(explore_all(&options), 0);
}

static void random_walk(void **state)
{
	struct explore_options options = EXPLORE_DEFAULTS;
	options.strategy = EXPLORE_RANDOM;
	options.schedules = 30000;
	options.after = note;
	(void)state;
	assert_int_equal(explore_all(&options), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exhaustive),
		cmocka_unit_test(random_walk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
