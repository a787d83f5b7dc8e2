/* SPDX-License-Identifier: MIT
 *
 * run.h - runs one test of one rule for one implementation, in a child process.
 */
#ifndef CHANBENCH_CHECK_RUN_H
#define CHANBENCH_CHECK_RUN_H

#include "harness/check/rule.h"

struct test_case {
	const struct impl_info *info;
	enum kind kind;
	const struct rule *rule;
	const struct rule_test *test;
	bool hooks; /* broadcast, watch: elements have hooks */
};

enum verdict { PASSED, FAILED, DECLARED, NOT_OFFERED, UNTESTABLE, VERDICT_COUNT };

/* "passed" ... */
extern const char *const verdict_names[VERDICT_COUNT];

#define STEPS_MAX 16

struct outcome {
	enum verdict verdict;
	bool hung;    /* it was killed because it made no progress, or never ended */
	bool machine; /* the child could not even be started */

	uint64_t elapsed_ns;

	/* FAILED (and DECLARED, where it failed): */
	char expected[512];
	char seen[512];
	char where[128];   /* "file.c:12"; empty when it crashed or hung */
	char output[4096]; /* the last of what the child printed (sanitizer reports, assertions) */

	/* The last steps that were done: steps[(step_count - 1) % STEPS_MAX] is the newest. */
	char steps[STEPS_MAX][512];
	size_t step_count;

	/* NOT_OFFERED, UNTESTABLE: what is missing. DECLARED: what the implementation says.
	 * PASSED: what was measured */
	char why[512];
};

/* Runs the test. A test that reports nothing for `timeout_ns` hangs. */
void case_run(const struct test_case *test_case, uint64_t timeout_ns, struct outcome *outcome);

/* Does not run the test: it failed for that reason, unless it could not have run anyway. */
void case_skip(const struct test_case *test_case, const char *why, struct outcome *outcome);

#endif
