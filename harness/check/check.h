/* SPDX-License-Identifier: MIT
 *
 * check.h - `chanbench check`: the rules of the contract as tests.
 *
 * A rule (rule.h) has an id, one line that says it, and tests. Each test runs for each
 * implementation and each kind that the rule speaks of, as a CMocka test in a process of its own
 * under a watchdog (run.c): one that hangs or crashes has broken that rule and nothing else. Tests
 * are written with the steps of expect.h and actor.h; what blocks is observed (quiesce.h).
 *
 * What can come out of one test, per implementation:
 *
 *   passed       it did what the rule says
 *   failed       it did not, or crashed, or hung; shown in full: the rule, what was done, what was
 *                expected, what was seen
 *   declared     the implementation says that it does not keep this rule; the test ran, and is
 *                never counted as passed
 *   not offered  it lacks a function or a property that the test needs
 *   untestable   the test could not be made here (counters cannot be started near their wrap,
 *                threads never come to rest)
 */
#ifndef CHANBENCH_CHECK_CHECK_H
#define CHANBENCH_CHECK_CHECK_H

#include "harness/bench/names.h"
#include "harness/check/rule.h"
#include "harness/options.h"

/* Its exit status is EXIT_VERDICT when any test failed. */
extern const struct command check_command;

/* The command line. */
enum check_format { FORMAT_TEXT, FORMAT_TAP, FORMAT_JUNIT, FORMAT_JSON, FORMAT_MARKDOWN };

struct check_options {
	struct options given; /* --plugin is read from here */
	struct names impls;   /* none: all */
	struct names rules;   /* ids and patterns ("B-*"); none: all */
	unsigned kinds;       /* bit k: enum kind k */
	uint64_t timeout_ns;
	uint64_t repeat; /* how often all of it is run, at most */
	bool list;
	bool matrix;
	bool strict_peers; /* a peer that fails fails the run */
	enum check_format format;
	const char *out; /* NULL: the standard output */
};

/* Whether the rule was asked for. */
bool check_options_rule(const struct check_options *options, const char *id);

#endif
