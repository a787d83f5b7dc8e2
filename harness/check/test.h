/* SPDX-License-Identifier: MIT
 *
 * test.h - one test of a rule: in which forms it exists, whether an implementation has what it
 * needs, and how it is run.
 *
 * Two programs run tests, and each brings its own functions for what a test tells and waits for.
 * `chanbench check` runs each test in a child, where a step is a line to the parent and rest is
 * looked for in /proc (expect_child.c, quiesce.c). The explorer runs each under every schedule
 * (harness/explore/driver/rule_expect.c).
 */
#ifndef CHANBENCH_CHECK_TEST_H
#define CHANBENCH_CHECK_TEST_H

#include "harness/check/rule.h"

/* Whether the test is there for that kind with elements that have hooks, or have none. */
bool rule_test_has_form(const struct rule_test *test, enum kind kind, bool hooks);

/* The function beyond the minimum that the test needs and the implementation lacks. The text is
 * valid until the next call. NULL: the implementation has all of them. */
const char *rule_test_lacks(const struct rule_test *test, const struct impl_info *info, enum kind kind);

/* Whether the implementation lets counters begin where the test wants them to. */
bool rule_test_can_start(const struct rule_test *test, const struct impl_info *info);

/* Why the explorer leaves the test out. NULL: it does not. */
const char *rule_test_unexplored(const struct rule_test *test);

/* Its name as one word, "blocked_sender", or "blocked_sender+hooks"; unique within the rule. */
void rule_test_slug(const struct rule_test *test, bool hooks, char *text, size_t size);

/* Runs it in the calling thread. It returns when the rule was kept: the other ends of a test are
 * those of expect.h. */
void rule_test_run(const struct rule_test *test, const struct chan_impl *impl, enum kind kind, bool hooks);

#endif
