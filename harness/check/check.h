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

/* argv[0] is "check". Returns the exit status (harness/say.h): 1 when any test failed. */
int check_main(int argc, char **argv);

#endif
