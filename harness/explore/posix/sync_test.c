/* SPDX-License-Identifier: MIT
 *
 * test.c - what stands in for libc, by programs that use it: right ones are exhausted and show
 * every outcome they have, wrong ones are found, by each strategy, and fail the same way when they
 * are replayed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "harness/explore/under_test/testing.h"
#include "harness/explore/under_test/cases.h"

#define RANDOM_SCHEDULES 20000

static unsigned seen;

static void note(void *arg)
{
	(void)arg;
	seen |= 1u << outcome;
}

static int run(void *program)
{
	((const struct explore_case *)program)->program();
	return 0;
}

static bool explore(const struct explore_case *c, enum explore_strategy strategy, struct explore_result *result)
{
	struct explore_options options = EXPLORE_DEFAULTS;
	options.strategy = strategy;
	options.schedules = strategy == EXPLORE_DFS ? 0 : RANDOM_SCHEDULES;
	options.after = note;
	if (c->never_spurious)
		options.spurious = 0;
	seen = 0;
	testing_run(run, (void *)(uintptr_t)c, &options, result);
	if (result->verdict == c->verdict && (c->outcomes != 0 || strstr(result->message, c->message) != NULL))
		return true;
	print_error("%s: %s instead of %s\n%s\n%s\n", c->name, explore_verdict_name(result->verdict),
	            explore_verdict_name(c->verdict), result->message == NULL ? "" : result->message,
	            result->trace == NULL ? "" : result->trace);
	return false;
}

static bool replay(const struct explore_case *c, const char *schedule)
{
	struct explore_options options = EXPLORE_DEFAULTS;
	struct explore_result result;
	options.replay = schedule;
	testing_run(run, (void *)(uintptr_t)c, &options, &result);
	bool same = result.verdict == c->verdict;
	if (!same)
		print_error("%s: replayed, it is %s\n", c->name, explore_verdict_name(result.verdict));
	explore_result_free(&result);
	return same;
}

static bool right(const struct explore_case *c)
{
	struct explore_result result;
	bool good = explore(c, EXPLORE_DFS, &result);
	if (good && (!result.exhausted || seen != c->outcomes)) {
		print_error("%s: %s after %llu executions (%s), outcomes %#x instead of %#x\n", c->name,
		            result.exhausted ? "exhausted" : "truncated", (unsigned long long)result.executions,
		            result.truncated == NULL ? "nothing cut off" : result.truncated, seen, c->outcomes);
		good = false;
	}
	explore_result_free(&result);
	if (good) {
		good = explore(c, EXPLORE_RANDOM, &result);
		explore_result_free(&result);
	}
	return good;
}

static bool wrong(const struct explore_case *c)
{
	static const enum explore_strategy strategies[] = {EXPLORE_DFS, EXPLORE_RANDOM, EXPLORE_PCT};
	bool good = true;
	for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]) && good; i++) {
		struct explore_result result;
		good = explore(c, strategies[i], &result) && replay(c, result.replay);
		explore_result_free(&result);
	}
	return good;
}

static void test_all(void **state)
{
	const struct explore_case *c = *state;
	unsigned failed = 0;
	for (; c->name != NULL; c++)
		failed += !(c->outcomes != 0 ? right(c) : wrong(c));
	assert_int_equal(failed, 0);
}

#define TABLE(name)                                                                                                    \
	{                                                                                                              \
#name, test_all, NULL, NULL, (void *)(uintptr_t)(name##_cases)                                         \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE(mutex), TABLE(rwlock), TABLE(condition), TABLE(semaphore), TABLE(futex),   TABLE(thread),
		TABLE(c11),   TABLE(clock),  TABLE(eventfd),   TABLE(memory),    TABLE(process), TABLE(settle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
