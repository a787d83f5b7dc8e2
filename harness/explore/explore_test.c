/* SPDX-License-Identifier: MIT
 *
 * explore_test.c - the programs of under_test/defects.c: each defect is found, as what it is and
 * soon enough; the same program without it passes; what was found is found again by its replay
 * string, in a fresh process, too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness/explore/under_test/testing.h"
#include "harness/explore/under_test/defects.h"

#define BROKEN ((void *)1)
#define SEEDS  21

static struct explore_options with(enum explore_strategy strategy, uint64_t schedules)
{
	struct explore_options options = EXPLORE_DEFAULTS;
	options.strategy = strategy;
	options.schedules = schedules;
	options.shorten = false;
	return options;
}

/* ---- how soon ---- */

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* The median, over seeds, of the executions it takes to find a defect; `schedules` + 1 counts as
 * never. */
static uint64_t median(int (*program)(void *), struct explore_options options, enum explore_verdict verdict)
{
	uint64_t needed[SEEDS];
	for (unsigned i = 0; i < SEEDS; i++) {
		struct explore_result result;
		options.seed = i + 1;
		testing_run(program, BROKEN, &options, &result);
		if (result.verdict != EXPLORE_OK)
			assert_string_equal(explore_verdict_name(result.verdict), explore_verdict_name(verdict));
		needed[i] = result.verdict == EXPLORE_OK ? options.schedules + 1 : result.executions;
		explore_result_free(&result);
	}
	qsort(needed, SEEDS, sizeof(needed[0]), ascending);
	return needed[SEEDS / 2];
}

static const struct {
	const char *name;
	int (*program)(void *);
	enum explore_verdict verdict;
	enum explore_strategy strategy;
	unsigned depth, bound;
	uint64_t at_most;
} searches[] = {
	{"a relaxed publish", relaxed_publish, EXPLORE_RACE, EXPLORE_RANDOM, 1, EXPLORE_UNBOUNDED, 1},
	{"check, then wait", check_then_wait, EXPLORE_DEADLOCK, EXPLORE_RANDOM, 1, EXPLORE_UNBOUNDED, 3},
	{"check, then wait", check_then_wait, EXPLORE_DEADLOCK, EXPLORE_PCT, 3, EXPLORE_UNBOUNDED, 7},
	{"if around wait", if_around_wait, EXPLORE_ASSERT, EXPLORE_RANDOM, 1, EXPLORE_UNBOUNDED, 11},
	{"if around wait", if_around_wait, EXPLORE_ASSERT, EXPLORE_PCT, 3, EXPLORE_UNBOUNDED, 174},
	{"if around wait", if_around_wait, EXPLORE_ASSERT, EXPLORE_DFS, 1, EXPLORE_UNBOUNDED, 118},
	{"Chase-Lev fence", chase_lev_fence, EXPLORE_ASSERT, EXPLORE_RANDOM, 1, EXPLORE_UNBOUNDED, 54},
	{"Chase-Lev fence", chase_lev_fence, EXPLORE_ASSERT, EXPLORE_DFS, 1, 1, 40},
	{"a rare order", rare_order, EXPLORE_ASSERT, EXPLORE_PCT, 2, EXPLORE_UNBOUNDED, 44},
	{"a rare order", rare_order, EXPLORE_ASSERT, EXPLORE_DFS, 1, 1, 29},
};

static void rare_for_the_random_walk(void **state)
{
	(void)state;
	assert_int_equal(median(rare_order, with(EXPLORE_RANDOM, 5000), EXPLORE_ASSERT), 5001);
}

static void found_soon(void **state)
{
	unsigned late = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
		struct explore_options options = with(searches[i].strategy, 5000);
		options.depth = searches[i].depth;
		options.bound = searches[i].bound;
		uint64_t needed = median(searches[i].program, options, searches[i].verdict);
		print_message("%-20s strategy %d: %lu executions (at most %lu)\n", searches[i].name,
		              (int)searches[i].strategy, needed, searches[i].at_most);
		late += needed > searches[i].at_most;
	}
	assert_int_equal(late, 0);
}

/* The fence is invisible to a search that interleaves only. */
static void fence_needs_weak_memory(void **state)
{
	struct explore_options options = with(EXPLORE_DFS, 0);
	struct explore_result result;
	(void)state;
	options.memory = EXPLORE_SC;
	testing_run(chase_lev_fence, BROKEN, &options, &result);
	assert_int_equal(result.verdict, EXPLORE_OK);
	assert_true(result.exhausted);
	explore_result_free(&result);
}

/* ---- what each is called ---- */

static const struct {
	const char *name;
	int (*program)(void *);
	enum explore_verdict verdict;
	const char *says; /* in the message */
} defects[] = {
	{"relaxed_publish", relaxed_publish, EXPLORE_RACE, "write by T1 at defects.c:"},
	{"check_then_wait", check_then_wait, EXPLORE_DEADLOCK, "T1 waits in futex wait of word at defects.c:"},
	{"if_around_wait", if_around_wait, EXPLORE_ASSERT, "'items > 0' is false"},
	{"chase_lev_fence", chase_lev_fence, EXPLORE_ASSERT, "is false"},
	{"rare_order", rare_order, EXPLORE_ASSERT, "'all != ROUNDS' is false"},
	{"leaks", leaks, EXPLORE_LEAK, "4 bytes allocated by T1 at defects.c:"},
	{"frees_early", frees_early, EXPLORE_USE_AFTER_FREE, "defects.c:"},
	{"frees_then_uses", frees_then_uses, EXPLORE_USE_AFTER_FREE, "read by T0 at defects.c:"},
	{"frees_untouched", frees_untouched, EXPLORE_USE_AFTER_FREE, "to freed memory"},
	{"reads_beyond", reads_beyond, EXPLORE_CRASH, "outside of any block"},
	{"frees_twice", frees_twice, EXPLORE_DOUBLE_FREE, "second free by T"},
	{"initialises_late", initialises_late, EXPLORE_RACE, "atomic read by T2 at defects.c:"},
	{"spins_plainly", spins_plainly, EXPLORE_HANG, "T1 computes at defects.c:"},
	{"spins_for_ever", spins_for_ever, EXPLORE_LIVELOCK, "no end after"},
	{"crashes", crashes, EXPLORE_CRASH, "T2 crashes"},
	{"overflows_stack", overflows_stack, EXPLORE_CRASH, "stack overflow of T1"},
	{"sleeps_instead", sleeps_instead, EXPLORE_RACE, "data race at plain, 4 bytes"},
	{"keeps_state", keeps_state, EXPLORE_ASSERT, "'before != 1' is false"},
};
#define DEFECTS (sizeof(defects) / sizeof(defects[0]))

static void called_by_name(void **state)
{
	struct explore_options options = with(EXPLORE_AUTO, 50000);
	(void)state;
	options.shorten = true;
	for (size_t i = 0; i < DEFECTS; i++) {
		struct explore_result result;
		testing_run(defects[i].program, BROKEN, &options, &result);
		print_message("%-17s %s after %lu: %s\n", defects[i].name, explore_verdict_name(result.verdict),
		              result.failed_after, result.replay == NULL ? "" : result.replay);
		assert_string_equal(explore_verdict_name(result.verdict), explore_verdict_name(defects[i].verdict));
		if (strstr(result.message, defects[i].says) == NULL)
			fail_msg("'%s' is not in: %s", defects[i].says, result.message);
		assert_true(strstr(result.trace, "T0 ") != NULL || strstr(result.trace, "T1 ") != NULL);
		assert_true(strstr(result.trace, "<-- here") != NULL || result.verdict == EXPLORE_DEADLOCK);
		explore_result_free(&result);
	}
}

static void correct_ones_pass(void **state)
{
	const enum explore_strategy strategies[] = {EXPLORE_RANDOM, EXPLORE_PCT, EXPLORE_DFS, EXPLORE_AUTO};
	(void)state;
	for (size_t i = 0; i < DEFECTS; i++) {
		for (size_t s = 0; s < 4; s++) {
			struct explore_options options = with(strategies[s], 20000);
			struct explore_result result;
			testing_run(defects[i].program, NULL, &options, &result);
			if (result.verdict != EXPLORE_OK)
				fail_msg("%s, strategy %zu: %s\n%s", defects[i].name, s, result.message, result.trace);
			assert_true(result.exhausted || result.truncated != NULL);
			explore_result_free(&result);
		}
	}
}

/* ---- exhaustion ---- */

static void reduction_finds_all_states(void **state)
{
	struct explore_options options = with(EXPLORE_DFS, 0);
	struct explore_result reduced, bounded;
	(void)state;
	testing_run(ring_of_two, NULL, &options, &reduced);
	assert_int_equal(reduced.verdict, EXPLORE_OK);
	assert_true(reduced.exhausted);
	options.bound = 1000; /* which is none, but switches the reduction off */
	options.schedules = 3000000;
	testing_run(ring_of_two, NULL, &options, &bounded);
	assert_int_equal(bounded.verdict, EXPLORE_OK);
	assert_true(bounded.exhausted);
	print_message("%lu executions with reduction, %lu without: %lu and %lu states\n", reduced.executions,
	              bounded.executions, reduced.states, bounded.states);
	assert_int_equal(reduced.states, bounded.states);
	assert_true(reduced.executions * 100 < bounded.executions);
	explore_result_free(&reduced);
	explore_result_free(&bounded);
}

static void truncation_is_said(void **state)
{
	struct explore_options options = with(EXPLORE_DFS, 10);
	struct explore_result result;
	(void)state;
	testing_run(ring_of_two, NULL, &options, &result);
	assert_false(result.exhausted);
	assert_string_equal(result.truncated, "schedules");
	explore_result_free(&result);
	options.schedules = 0;
	options.bound = 0;
	testing_run(ring_of_two, NULL, &options, &result);
	assert_true(result.exhausted);
	assert_string_equal(result.truncated, "bound");
	explore_result_free(&result);
}

static void no_memory_is_said(void **state)
{
	struct explore_options options = with(EXPLORE_DFS, 1);
	struct explore_result result;
	(void)state;
	options.steps = 10000000;
	testing_run(counts_for_ever, NULL, &options, &result);
	assert_int_equal(result.verdict, EXPLORE_UNSUPPORTED);
	assert_non_null(strstr(result.message, "needs more than 512 MiB of state"));
	explore_result_free(&result);
}

/* ---- the same again ---- */

static void same_seed_same_result(void **state)
{
	const enum explore_strategy strategies[] = {EXPLORE_RANDOM, EXPLORE_PCT, EXPLORE_DFS, EXPLORE_AUTO};
	(void)state;
	for (size_t s = 0; s < 4; s++) {
		struct explore_options options = with(strategies[s], 3000);
		struct explore_result first, second;
		options.seed = 77;
		testing_run(ring_of_four, NULL, &options, &first);
		testing_run(ring_of_four, NULL, &options, &second);
		assert_int_equal(first.steps, second.steps);
		assert_int_equal(first.states, second.states);
		explore_result_free(&first);
		explore_result_free(&second);
		testing_run(chase_lev_fence, BROKEN, &options, &first);
		testing_run(chase_lev_fence, BROKEN, &options, &second);
		assert_int_equal(first.executions, second.executions);
		assert_string_equal(first.replay, second.replay);
		assert_string_equal(first.trace, second.trace);
		explore_result_free(&first);
		explore_result_free(&second);
	}
}

/* In the process that replays: no more than the string is known. */
static int replay(const char *name, const char *string)
{
	for (size_t i = 0; i < DEFECTS; i++) {
		if (strcmp(defects[i].name, name) != 0)
			continue;
		struct explore_options options = EXPLORE_DEFAULTS;
		struct explore_result result;
		options.replay = string;
		if (explore_run(defects[i].program, BROKEN, &options, &result) != 0) {
			printf("refused: %s\n", result.message);
			return 2;
		}
		printf("%s", explore_verdict_name(result.verdict));
		return 0;
	}
	return 3;
}

static void in_fresh_process(const char *name, const char *string, char *said, size_t size)
{
	char command[8192];
	assert_true((size_t)snprintf(command, sizeof(command), "/proc/%d/exe --replay %s %s", (int)getpid(), name,
	                             string) < sizeof(command));
	FILE *output = popen(command, "r");
	assert_non_null(output);
	size_t length = fread(said, 1, size - 1, output);
	said[length] = '\0';
	pclose(output);
}

static void replays_elsewhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < DEFECTS; i++) {
		struct explore_options options = with(EXPLORE_AUTO, 50000);
		struct explore_result result;
		char said[256];
		if (defects[i].verdict == EXPLORE_LIVELOCK || defects[i].verdict == EXPLORE_HANG)
			continue; /* long strings, long waits */
		options.shorten = true;
		testing_run(defects[i].program, BROKEN, &options, &result);
		in_fresh_process(defects[i].name, result.replay, said, sizeof(said));
		assert_string_equal(said, explore_verdict_name(defects[i].verdict));
		if (result.replay_short != NULL) {
			assert_true(strlen(result.replay_short) <= strlen(result.replay));
			in_fresh_process(defects[i].name, result.replay_short, said, sizeof(said));
			assert_string_equal(said, explore_verdict_name(defects[i].verdict));
		}
		explore_result_free(&result);
	}
}

static void refuses_what_is_not_its_own(void **state)
{
	char good[64], other[64];
	(void)state;
	snprintf(good, sizeof(good), "x1-%016lx-c-1-2a", explore_fingerprint());
	snprintf(other, sizeof(other), "x1-%016lx-c-1-2a", explore_fingerprint() + 1);
	const struct {
		const char *string, *says;
	} cases[] = {
		{good, NULL},
		{other, "other code"},
		{"x2-0-c-1-2a", "another version"},
		{"hello", "not one of the explorer's"},
		{"x1-", "damaged"},
		{"", "not one of the explorer's"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct explore_options options = EXPLORE_DEFAULTS;
		struct explore_result result;
		options.replay = cases[i].string;
		int status = explore_run(relaxed_publish, NULL, &options, &result);
		assert_int_equal(status, cases[i].says == NULL ? 0 : -1);
		if (cases[i].says != NULL && strstr(result.message, cases[i].says) == NULL)
			fail_msg("'%s': %s", cases[i].string, result.message);
		explore_result_free(&result);
	}
}

static void bytes_are_a_schedule(void **state)
{
	const uint8_t bytes[] = {2, 0, 0, 1, 7, 255, 3};
	struct explore_options options = with(EXPLORE_BYTES, 0);
	struct explore_result result;
	(void)state;
	options.bytes = bytes;
	options.bytes_count = sizeof(bytes);
	testing_run(ring_of_two, NULL, &options, &result);
	assert_int_equal(result.verdict, EXPLORE_OK);
	assert_int_equal(result.executions, 1);
	explore_result_free(&result);
	options.bytes_count = 0;
	testing_run(relaxed_publish, BROKEN, &options, &result);
	assert_int_equal(result.verdict, EXPLORE_RACE); /* in every schedule in which both happen */
	explore_result_free(&result);
}

/* ---- weakening ---- */

static void weakening_a_site_is_noticed(void **state)
{
	const struct explore_site *sites;
	struct explore_options options = with(EXPLORE_DFS, 0);
	struct explore_result result;
	unsigned killed = 0;
	(void)state;
	testing_run(relaxed_publish, NULL, &options, &result);
	assert_int_equal(result.verdict, EXPLORE_OK);
	explore_result_free(&result);
	size_t count = explore_sites(&sites);
	for (size_t i = 0; i < count; i++) {
		char where[256];
		explore_site_describe(sites[i].pc, where, sizeof(where));
		if (strstr(where, "publish") == NULL && strstr(where, "look") == NULL)
			continue;
		options.weaken = sites[i];
		options.weaken_to = __ATOMIC_RELAXED;
		testing_run(relaxed_publish, NULL, &options, &result);
		print_message("%s: %s\n", where, explore_verdict_name(result.verdict));
		killed += result.verdict == EXPLORE_RACE;
		explore_result_free(&result);
	}
	assert_int_equal(killed, 2); /* the release and the acquire */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_soon),
		cmocka_unit_test(rare_for_the_random_walk),
		cmocka_unit_test(fence_needs_weak_memory),
		cmocka_unit_test(called_by_name),
		cmocka_unit_test(correct_ones_pass),
		cmocka_unit_test(reduction_finds_all_states),
		cmocka_unit_test(truncation_is_said),
		cmocka_unit_test(no_memory_is_said),
		cmocka_unit_test(same_seed_same_result),
		cmocka_unit_test(replays_elsewhere),
		cmocka_unit_test(refuses_what_is_not_its_own),
		cmocka_unit_test(bytes_are_a_schedule),
		cmocka_unit_test(weakening_a_site_is_noticed),
	};
	if (argc == 4 && strcmp(argv[1], "--replay") == 0)
		return replay(argv[2], argv[3]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
