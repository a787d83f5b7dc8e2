/* SPDX-License-Identifier: MIT
 *
 * rule.h - the tests of `chanbench check` (scenarios/rules) as subjects of the explorer.
 *
 * A test tells its actors one at a time what to do, and looks at what came of it when nobody moves
 * any more. Here it waits for that by explore_settle, where it looks in /proc otherwise: so how the
 * threads come to rest is the schedule's choice, and what the rule says must hold each time.
 * Deadlines of more than a second come only when nobody can go on: the tests count on that much of
 * a machine. Nearer ones come whenever they like.
 *
 * Explored is every test but those that say by a flag why it cannot be (enum test_flags).
 */
#ifndef CHANBENCH_EXPLORE_DRIVER_RULE_H
#define CHANBENCH_EXPLORE_DRIVER_RULE_H

#include "harness/check/rule.h"
#include "harness/explore/driver/driver.h"

/* As driver_subjects, for the tests that can be explored on one implementation. False: `each`
 * has stopped it. */
bool driver_rules(const struct chan_impl *impl, const struct impl_info *info,
                  bool (*each)(const struct driver_subject *subject, void *arg), void *arg);

/* "rules/mpsc/M-22/blocked_sender", "rules/watch/D-8/late_hooks+hooks" */
void driver_rule_name(const struct driver_subject *subject, char *text, size_t size);

void driver_rule_run(const struct driver_subject *subject);

/* Whose words a broken expectation has. */
void driver_rule_is(const struct rule *rule);

#endif
