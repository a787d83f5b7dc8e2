/* SPDX-License-Identifier: MIT
 *
 * driver.h - the inside of an explorable program: what it can run, and how.
 *
 * An explorable program is code under test, compiled for the explorer, linked with the explorer's
 * runtime and this driver. The code under test is one of: implementations of the contract (a
 * registry of ours, or a plug-in's table) together with the programs of scenarios/programs and the
 * tests of scenarios/rules; or a program with a `main` of its own. The driver finds out which by
 * what was linked.
 *
 * It is not for users: `chanbench explore` runs it as a child and reads lines from its descriptor
 * 3.
 *
 *   explorable list                                one line a subject: "IMPLEMENTATION
 *                                                  KIND/PROGRAM", "IMPLEMENTATION
 *                                                  rules/KIND/RULE/TEST", or "- main"
 *   explorable run SUBJECT OPTION...               explores one subject; the result as lines
 * *   explorable weaken SUBJECT OPTION...            each atomic call site of it, one step weaker
 *                                                  (weaken.c)
 *
 * SUBJECT is a line of the list. OPTION is NAME=VALUE: strategy, memory, depth, bound, spurious,
 * schedules, seconds, seed, replay; and for weaken skip=N (begin at the N-th way) and killed=WAYS
 * (leave these out).
 *
 * Exit status: 0 when there is a result, whatever it is; 2 for a request that is wrong.
 */
#ifndef CHANBENCH_EXPLORE_DRIVER_H
#define CHANBENCH_EXPLORE_DRIVER_H

#include "harness/check/rule.h"
#include "harness/explore/driver/program.h"
#include "harness/explore/explore.h"

#include <stdio.h>

/* What one exploration runs. */
struct driver_subject {
	const struct chan_impl *impl; /* NULL: the program's own main */
	enum kind kind;
	const struct program *program; /* NULL: a rule's test */
	const struct rule *rule;
	const struct rule_test *test;
	bool hooks; /* broadcast, watch: elements have hooks */
};

/* Calls `each` for every program (or main) there is, in a fixed order; stops when it returns
 * false. */
void driver_programs(bool (*each)(const struct driver_subject *subject, void *arg), void *arg);

/* The same for these and the tests of rules. */
void driver_subjects(bool (*each)(const struct driver_subject *subject, void *arg), void *arg);

/* "mutex mpsc/send_recv" */
void driver_subject_name(const struct driver_subject *subject, char *text, size_t size);

/* The one of that name. */
bool driver_subject_find(const char *name, struct driver_subject *subject);

/* To be given to explore_run, with a struct driver_subject. */
int driver_subject_run(void *subject);

/* Whose words a broken expectation has, from now on (rule_expect.c). */
void driver_rule_is(const struct rule *rule);

/* Explores the subject once to learn its sites, then once a site and way of weakening it; those
 * before `skip` and those in `killed` are left out. */
int driver_weaken(FILE *out, struct driver_subject *subject, const struct explore_options *options, size_t skip,
                  const char *killed);

#endif
