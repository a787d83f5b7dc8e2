/* SPDX-License-Identifier: MIT
 *
 * test.h - one test of a rule: in which forms it exists, whether an implementation has what it
 * needs, and how it is run.
 *
 * Who runs tests stands between these and what they are told in: `chanbench check` runs each in a
 * child, where a step is a line to the parent and rest is looked for in /proc (expect_child.c,
 * quiesce.c); the explorer runs each under every schedule (harness/explore/driver/rule_expect.c,
 * rule.c).
 */
#ifndef CHANBENCH_CHECK_TEST_H
#define CHANBENCH_CHECK_TEST_H

#include "harness/check/rule.h"

/* Whether the test is there for that kind with elements that have hooks, or have none. */
bool rule_test_has_form(const struct rule_test *test, enum kind kind, bool hooks);

/* The function beyond the minimum that the implementation lacks for it (of static storage, until
 * the next call); NULL: it has all. */
const char *rule_test_lacks(const struct rule_test *test, const struct impl_info *info, enum kind kind);

/* Whether the counters begin where the test wants them to. */
bool rule_test_can_start(const struct rule_test *test, const struct impl_info *info);

/* Why the explorer leaves it out; NULL: it does not. */
const char *rule_test_unexplored(const struct rule_test *test);

/* Its name as one word, "blocked_sender", or "blocked_sender+hooks"; unique within the rule. */
void rule_test_slug(const struct rule_test *test, bool hooks, char *text, size_t size);

/* Runs it, in the calling thread. Returns when the rule was kept; what else can become of it is
 * expect.h's affair. */
void rule_test_run(const struct rule_test *test, const struct chan_impl *impl, enum kind kind, bool hooks);

#endif
