/* SPDX-License-Identifier: MIT */
#include "harness/check/run.h"

#include "harness/check/expect.h"
#include "harness/check/test.h"
#include "harness/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const char *const verdict_names[VERDICT_COUNT] = {"passed", "failed", "declared", "not offered", "untestable"};

/* A test that makes progress but never ends is killed after so many timeouts. */
#define TOTAL_FACTOR 12

/* ------------------------------------------------------------------------------------------
 * In the child
 */

/* CMocka turns a crash into a jump out of the signal's handler. In another thread than the test's
 * that is worse than the crash. So the handlers that were there before (a sanitizer's, or the
 * default) are put back while a test runs. */
static const int crashes[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS};
#define CRASHES (sizeof(crashes) / sizeof(crashes[0]))
static struct sigaction crash_actions[CRASHES];

/* LeakSanitizer, where it is linked in. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* AddressSanitizer and ThreadSanitizer call these where they are linked in. Memory that cannot be
 * had is then NULL, as without them, and not the end of the process. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

struct running {
	const struct test_case *test_case;
	const struct chan_impl *impl;
};

static void run_in_cmocka(void **state)
{
	struct running *running = *state;
	for (size_t i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &crash_actions[i], NULL);
	rule_test_run(running->test_case->test, running->impl, running->test_case->kind, running->test_case->hooks);
}

static int run_child(int pipe, void *arg)
{
	const struct test_case *test_case = arg;
	char error[512];
	struct running running = {.test_case = test_case};
	const struct CMUnitTest tests[] = {{test_case->rule->id, run_in_cmocka, NULL, NULL, &running}};

	/* What the C library says before it aborts goes to stderr, not to the terminal. */
	setenv("LIBC_FATAL_STDERR_", "1", 1);
	expect_report_to(pipe);
	step("load %s", test_case->info->name);
	running.impl = impl_load(test_case->info->name, test_case->info->plugin, error, sizeof(error));
	if (running.impl == NULL) {
		fprintf(stderr, "%s\n", error);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < CRASHES; i++)
		sigaction(crashes[i], NULL, &crash_actions[i]);
	int failed = cmocka_run_group_tests_name(test_case->rule->id, tests, NULL, NULL);
	if (failed != 0)
		return failed;
	if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0)
		return EXIT_FAILURE;
	dprintf(pipe, "ended\n");
	return EXIT_SUCCESS;
}

/* ------------------------------------------------------------------------------------------
 * In the parent
 */

struct listening {
	struct outcome *outcome;
	bool ended, failed;
};

static bool after(const char *line, const char *word, const char **rest)
{
	size_t length = strlen(word);
	if (strncmp(line, word, length) != 0 || line[length] != ' ')
		return false;
	*rest = line + length + 1;
	return true;
}

static void hear(const char *line, void *arg)
{
	struct listening *listening = arg;
	struct outcome *outcome = listening->outcome;
	const char *rest;
	if (after(line, "step", &rest)) {
		snprintf(outcome->steps[outcome->step_count++ % STEPS_MAX], sizeof(outcome->steps[0]), "%s", rest);
	} else if (after(line, "expected", &rest)) {
		snprintf(outcome->expected, sizeof(outcome->expected), "%s", rest);
	} else if (after(line, "seen", &rest)) {
		snprintf(outcome->seen, sizeof(outcome->seen), "%s", rest);
	} else if (after(line, "failed", &rest)) {
		snprintf(outcome->where, sizeof(outcome->where), "%s", rest);
		listening->failed = true;
	} else if (after(line, "missing", &rest)) {
		outcome->verdict = NOT_OFFERED;
		snprintf(outcome->why, sizeof(outcome->why), "%s", rest);
	} else if (after(line, "measured", &rest)) {
		snprintf(outcome->why, sizeof(outcome->why), "%s", rest);
	} else if (after(line, "untestable", &rest)) {
		outcome->verdict = UNTESTABLE;
		snprintf(outcome->why, sizeof(outcome->why), "%s", rest);
	} else if (strcmp(line, "ended") == 0) {
		listening->ended = true;
	}
}

/* Whether the test can run at all. If not, the outcome says why. */
static bool runnable(const struct test_case *test_case, struct outcome *outcome)
{
	const char *lacks = rule_test_lacks(test_case->test, test_case->info, test_case->kind);
	if (lacks != NULL) {
		outcome->verdict = NOT_OFFERED;
		snprintf(outcome->why, sizeof(outcome->why), "%s", lacks);
		return false;
	}
	if (!rule_test_can_start(test_case->test, test_case->info)) {
		outcome->verdict = UNTESTABLE;
		snprintf(outcome->why, sizeof(outcome->why), "its counters cannot be started near their wrap");
		return false;
	}
	return true;
}

/* A rule that the implementation does not claim to keep has no other verdict. */
static void apply_deviations(const struct test_case *test_case, struct outcome *outcome)
{
	const char *why = info_deviation(test_case->info, test_case->rule->id);
	if (why == NULL)
		return;
	outcome->verdict = DECLARED;
	snprintf(outcome->why, sizeof(outcome->why), "%s", why);
}

void case_skip(const struct test_case *test_case, const char *why, struct outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	if (!runnable(test_case, outcome))
		return;
	outcome->verdict = FAILED;
	snprintf(outcome->expected, sizeof(outcome->expected), "the test is run");
	snprintf(outcome->seen, sizeof(outcome->seen), "%s", why);
	apply_deviations(test_case, outcome);
}

/* A thread that waits by trying again and again never comes to rest, and most tests look for rest.
 * Waiting longer for it is no use. */
#define SPINNER_TIMEOUT_NS 2000000000u

void case_run(const struct test_case *test_case, uint64_t timeout_ns, struct outcome *outcome)
{
	const bool spins = (test_case->info->flags & CHAN_SPINS) != 0;
	memset(outcome, 0, sizeof(*outcome));
	if (!runnable(test_case, outcome))
		return;
	if (spins && timeout_ns > SPINNER_TIMEOUT_NS)
		timeout_ns = SPINNER_TIMEOUT_NS;
	struct listening listening = {.outcome = outcome};
	struct child_result result;
	const struct child_spec spec = {.body = run_child,
	                                .arg = (void *)(uintptr_t)test_case,
	                                .on_line = hear,
	                                .on_line_arg = &listening,
	                                .silence_ns = timeout_ns,
	                                .total_ns = timeout_ns * TOTAL_FACTOR};
	child_run(&spec, &result);
	snprintf(outcome->output, sizeof(outcome->output), "%s", result.output);
	outcome->elapsed_ns = result.elapsed_ns;
	outcome->hung = result.end == CHILD_HUNG || result.end == CHILD_OVERDUE;
	outcome->machine = result.end == CHILD_NOT_STARTED;
	bool good = result.end == CHILD_EXITED && result.code == 0 && listening.ended;
	if (!good || listening.failed) {
		outcome->verdict = FAILED;
		if (!listening.failed) {
			snprintf(outcome->expected, sizeof(outcome->expected), "the test ends");
			child_describe(&result, outcome->seen, sizeof(outcome->seen));
		}
	}
	if (outcome->hung && spins) {
		outcome->hung = false;
		outcome->verdict = UNTESTABLE;
		snprintf(outcome->why, sizeof(outcome->why), "it spins: whether it waits or hangs cannot be seen");
	}
	apply_deviations(test_case, outcome);
}
