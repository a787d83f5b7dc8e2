/* SPDX-License-Identifier: MIT
 *
 * reduction_test.c - that the reductions of the depth-first search lose nothing: of many small
 * programs, made up at random but always the same ones, the reduced search finds exactly what the
 * search of everything finds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "harness/explore/under_test/small.h"
#include "harness/explore/under_test/testing.h"

#define OUTCOMES_MAX 4096

/* A bound of preemptions that is none, but switches the reductions off. */
#define UNREDUCED 1000

/* Executions of the search of everything. Programs that take more are left out. */
#define FEASIBLE 20000

/* What a program can come to. */
struct outcome {
	int saw[SMALL_THREADS][SMALL_STEPS], left[3];
};

struct outcomes {
	struct outcome item[OUTCOMES_MAX];
	size_t count;
};

static struct outcomes all, reduced;

static bool has(const struct outcomes *outcomes, const struct outcome *outcome)
{
	for (size_t i = 0; i < outcomes->count; i++) {
		if (memcmp(&outcomes->item[i], outcome, sizeof(*outcome)) == 0)
			return true;
	}
	return false;
}

static void note(void *arg)
{
	struct outcomes *outcomes = arg;
	struct outcome outcome;
	memcpy(outcome.saw, small_saw, sizeof(outcome.saw));
	memcpy(outcome.left, small_left, sizeof(outcome.left));
	if (has(outcomes, &outcome))
		return;
	assert_true(outcomes->count < OUTCOMES_MAX);
	outcomes->item[outcomes->count++] = outcome;
}

static uint64_t next(uint64_t *random)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return *random >> 33;
}

/* What a group of programs is made of. */
struct theme {
	const char *name;
	unsigned threads, steps;
	uint8_t kinds[8];
	unsigned count;    /* how many kinds */
	unsigned programs; /* how many are to be made */
	unsigned compared; /* of these, at least so many feasible */
};

static struct small make(const struct theme *theme, uint64_t seed)
{
	struct small small = {.threads = theme->threads, .steps = theme->steps};
	uint64_t random = seed * 0x9e3779b97f4a7c15u;
	for (unsigned t = 0; t < small.threads; t++) {
		for (unsigned s = 0; s < small.steps; s++) {
			small.step[t][s] = (struct small_step){.kind = theme->kinds[next(&random) % theme->count],
			                                       .variable = (uint8_t)(next(&random) % 2),
			                                       .value = (uint8_t)(next(&random) % 3)};
		}
	}
	return small;
}

static void print(const struct small *small)
{
	for (unsigned t = 0; t < small->threads; t++) {
		print_error("  T%u:", t + 1);
		for (unsigned s = 0; s < small->steps; s++)
			print_error(" kind %u of %c with %u;", small->step[t][s].kind, "xy"[small->step[t][s].variable],
			            small -> step[t][s].value);
		print_error("\n");
	}
}

static void print_outcome(const struct small *small, const struct outcome *outcome)
{
	print_error("missing:");
	for (unsigned t = 0; t < small->threads; t++) {
		for (unsigned i = 0; i < small->steps; i++)
			print_error(" %d", outcome->saw[t][i]);
		print_error(" |");
	}
	print_error(" x %d, y %d, count %d\n", outcome->left[0], outcome->left[1], outcome->left[2]);
}

static unsigned differences(const struct theme *theme, uint64_t seed, const struct small *small)
{
	unsigned missing = 0, extra = 0;
	for (size_t i = 0; i < all.count; i++) {
		if (has(&reduced, &all.item[i]))
			continue;
		print_outcome(small, &all.item[i]);
		missing++;
	}
	for (size_t i = 0; i < reduced.count; i++)
		extra += !has(&all, &reduced.item[i]);
	if (missing + extra == 0)
		return 0;
	print_error("%s %lu: of %zu outcomes %u are missing, and %u are there that should not be\n", theme->name, seed,
	            all.count, missing, extra);
	print(small);
	return 1;
}

/* False: everything is too much. */
static bool explore(const struct small *small, unsigned bound, uint64_t schedules, struct outcomes *outcomes,
                    uint64_t *executions)
{
	struct explore_options options = EXPLORE_DEFAULTS;
	struct explore_result result;
	options.strategy = EXPLORE_DFS;
	options.bound = bound;
	options.schedules = schedules;
	options.after = note;
	options.after_arg = outcomes;
	outcomes->count = 0;
	testing_run(small_run, (void *)(uintptr_t)small, &options, &result);
	if (result.verdict != EXPLORE_OK)
		print_error("%s\n%s\n", result.message, result.trace);
	assert_int_equal(result.verdict, EXPLORE_OK);
	bool exhausted = result.exhausted;
	*executions += result.executions;
	explore_result_free(&result);
	return exhausted;
}

static const struct theme themes[] = {
	{"loads and stores",
         2,
         4,
         {SMALL_LOAD_RELAXED, SMALL_LOAD_ACQUIRE, SMALL_STORE_RELAXED, SMALL_STORE_RELEASE},
         4,
         100,
         90},
	{"seq_cst",
         2,
         3,
         {SMALL_LOAD_SEQ_CST, SMALL_STORE_SEQ_CST, SMALL_LOAD_RELAXED, SMALL_STORE_RELAXED, SMALL_COMPARE_SEQ_CST},
         5,
         500,
         480},
	{"three threads",
         3,
         2,
         {SMALL_LOAD_RELAXED, SMALL_LOAD_ACQUIRE, SMALL_STORE_RELAXED, SMALL_STORE_RELEASE, SMALL_EXCHANGE},
         5,
         20,
         10},
	{"read-modify-writes",
         2,
         4,
         {SMALL_ADD, SMALL_EXCHANGE, SMALL_COMPARE, SMALL_STORE_RELAXED, SMALL_LOAD_ACQUIRE},
         5,
         60,
         50},
	{"fences",
         2,
         4,
         {SMALL_LOAD_RELAXED, SMALL_STORE_RELAXED, SMALL_FENCE_ACQUIRE, SMALL_FENCE_RELEASE, SMALL_FENCE_SEQ_CST},
         5,
         300,
         290},
	{"membarrier",
         2,
         4,
         {SMALL_LOAD_RELAXED, SMALL_STORE_RELAXED, SMALL_LOAD_ACQUIRE, SMALL_MEMBARRIER},
         4,
         100,
         90},
	{"membarrier of three",
         3,
         2,
         {SMALL_LOAD_RELAXED, SMALL_STORE_RELAXED, SMALL_STORE_RELEASE, SMALL_MEMBARRIER},
         4,
         35,
         30},
	{"mutex", 2, 2, {SMALL_LOCKED, SMALL_TRYLOCK, SMALL_LOAD_RELAXED, SMALL_STORE_RELAXED}, 4, 200, 190},
	{"futex", 2, 3, {SMALL_WAIT, SMALL_WAKE, SMALL_STORE_RELAXED, SMALL_LOAD_RELAXED}, 4, 200, 190},
	{"futex_waitv", 2, 3, {SMALL_WAIT_ANY, SMALL_WAKE, SMALL_WAKE, SMALL_STORE_RELAXED}, 4, 200, 190},
	{"futex_waitv of three", 3, 2, {SMALL_WAIT_ANY, SMALL_WAKE, SMALL_WAKE, SMALL_STORE_RELAXED}, 4, 30, 12},
	{"futex of three", 3, 2, {SMALL_WAIT, SMALL_WAKE, SMALL_STORE_RELAXED}, 3, 20, 5},
	{"everything",
         2,
         3,
         {SMALL_LOAD_ACQUIRE, SMALL_STORE_RELEASE, SMALL_COMPARE, SMALL_FENCE_SEQ_CST, SMALL_MEMBARRIER, SMALL_LOCKED,
          SMALL_WAIT, SMALL_WAKE},
         8,
         200,
         190},
};

static void same_outcomes(void **state)
{
	unsigned wrong = 0;
	(void)state;
	for (size_t t = 0; t < sizeof(themes) / sizeof(themes[0]); t++) {
		const struct theme *theme = &themes[t];
		uint64_t without = 0, with = 0;
		unsigned compared = 0;
		for (uint64_t seed = 1; seed <= theme->programs; seed++) {
			struct small small = make(theme, seed);
			if (!explore(&small, UNREDUCED, FEASIBLE, &all, &without))
				continue;
			assert_true(explore(&small, EXPLORE_UNBOUNDED, FEASIBLE, &reduced, &with));
			wrong += differences(theme, seed, &small);
			compared++;
		}
		print_message("%-20s %3u programs, %8lu executions without reduction, %6lu with\n", theme->name,
		              compared, without, with);
		assert_true(compared >= theme->compared);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_outcomes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
