/* SPDX-License-Identifier: MIT
 *
 * verify_imitation_test.c - the checker against histories of waits, hand-overs, late deadlines and operations cut in two: what is right is
 * accepted, and so is each beginning of it; one wrong result is found, and it is the one that is named.
 */
#include "harness/stress/imitation_testing.h"
#include "harness/stress/verify_testing.h"

#include <inttypes.h>

enum { SEEDS = 300, OPERATIONS = 120 };
#define LIMIT UINT64_C(20000000)

static struct imitation play;
static struct op ops[IMITATED];
static struct history history;
static struct verify_result result;

static enum search_verdict check(void)
{
	verify(&history, LIMIT, NULL, &result);
	return result.verdict;
}

static void complain(const char *what, uint64_t seed)
{
	fputs(result.text, stderr); /* longer than a message of cmocka */
	fail_msg("seed %" PRIu64 ": %s", seed, what);
}

static void test_right(void **state)
{
	size_t seen[CHAN_NOMEM + 1] = {0}, late = 0, probes = 0, chained = 0;
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		uint64_t random = seed;
		imitate(&play, seed, OPERATIONS, ops, &history);
		if (check() != SEARCH_GOOD)
			complain("a right history was found wrong", seed);
		test_beginnings(&history, &random, 10);
		probes += play.probes;
		for (size_t i = 0; i < history.count; i++) {
			seen[ops[i].status]++;
			late += ops[i].code == OP_SEND && ops[i].status == CHAN_OK && ops[i].slots > 0;
			chained += ops[i].chained;
		}
	}
	/* All that is to be tested took place, and often. */
	assert_true(seen[CHAN_FULL] > 500 && seen[CHAN_TIMEOUT] > 500 && seen[CHAN_CLOSED] > 500 &&
	            seen[CHAN_EMPTY] > 500 && late > 500 && chained > 500 && probes > SEEDS);
}

static void test_wrong(void **state)
{
	size_t named = 0, tried = 0;
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		imitate(&play, seed, OPERATIONS, ops, &history);
		for (size_t i = 0; i < play.probes && i < 4; i++, tried++) {
			char line[256], text[300];
			ops[history.count++] = play.wrong[i];
			op_print(&play.wrong[i], KIND_MPSC, line, sizeof line);
			if (check() != SEARCH_BAD)
				complain("a wrong result was not found", seed);
			snprintf(text, sizeof text, "> %s\n", line);
			if (strncmp(result.text, "no order of these operations", 28) == 0 &&
			    strstr(result.text, text) == NULL)
				fail_msg("seed %" PRIu64 ": %s is wrong, not what is marked: %s", seed, line,
				         result.text);
			named += strstr(result.text, text) != NULL;
			history.count--;
		}
	}
	assert_true(tried > SEEDS && named > SEEDS / 2); /* others are found without a search, and said otherwise */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_right), cmocka_unit_test(test_wrong)};
	return cmocka_run_group_tests_name("verify imitation", tests, NULL, NULL);
}
