/* SPDX-License-Identifier: MIT
 *
 * command.h - `chanbench explore`: which programs on which implementations, each in a process of
 * its own; and what came of it.
 *
 * The code under test is never linked into chanbench: it stands in an explorable program
 * (driver/driver.h), for our own families one that the build made, for --plugin-source one that is
 * built on the spot. This is the part that the user sees.
 */
#ifndef CHANBENCH_EXPLORE_COMMAND_H
#define CHANBENCH_EXPLORE_COMMAND_H

#include "harness/bench/names.h"
#include "harness/check/rule.h"
#include "harness/options.h"

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

int explore_command(int argc, char **argv);

/* ------------------------------------------------------------------------------------------
 * What was asked (options.c)
 */

struct explore_asked {
	struct options given;
	/* programs: names or patterns; none: all but the tests of rules */
	struct names impls, programs;
	const char *source; /* --plugin-source, or NULL */
	const char *strategy, *memory;
	const char *depth, *bound; /* NULL: the explorer's own choice */
	uint64_t schedules;        /* of each; 0: no limit */
	double seconds;            /* in all; 0: no limit */
	uint64_t seed;
	/* Of --replay=IMPLEMENTATION:PROGRAM:SCHEDULE; NULL: explore. */
	char *replay_impl, *replay_program;
	const char *replay;
	bool weaken, list, json;
};

/* -1 to go on; else the exit status to leave with. End with explore_asked_free, whatever it
 * returned. */
int explore_asked_read(struct explore_asked *asked, int argc, char **argv);
void explore_asked_free(struct explore_asked *asked);

/* ------------------------------------------------------------------------------------------
 * The explorable program (target.c)
 */

struct explore_subject {
	char *name; /* as the explorable program lists it: "mutex mpsc/send_recv" */
	char *impl, *program;
};

struct explore_target {
	char program[PATH_MAX]; /* the explorable program */
	char folder[PATH_MAX];  /* to be removed at the end; "": none */
	struct explore_subject *subjects;
	size_t count;
};

/* Whether a program of this name was asked for. */
bool explore_asked_for(const struct explore_asked *asked, const char *program);

/* Finds or builds it, and keeps of its subjects those that were asked for. EXIT_GOOD, or the
 * status to leave with, after one line. */
int explore_target_open(struct explore_target *target, const struct explore_asked *asked);
void explore_target_close(struct explore_target *target);

/* ------------------------------------------------------------------------------------------
 * The tests of rules, by this build's tables (rules.c). Their names begin with "rules/".
 */

/* Calls `each` for every test in each of its forms. `why` it is not explored; NULL: it is. */
void explore_rules(void (*each)(const char *name, const struct rule *rule, const char *why, void *arg), void *arg);

/* The rule whose test has that name, or NULL. */
const struct rule *explore_rule_of(const char *name);

/* ------------------------------------------------------------------------------------------
 * One exploration (run.c)
 */

struct explore_outcome {
	char verdict[32]; /* "ok", "race", ... */
	uint64_t executions, redundant, states, failed_after;
	bool exhausted;
	double elapsed;
	/* never NULL; "" when there is none */
	char *truncated, *replay, *replay_short, *message, *trace;
};

/* Explores one subject for `seconds` (0: no limit), in a child. EXIT_GOOD with an outcome,
 * whatever it is; EXIT_USAGE after a line that says why it was refused; EXIT_MACHINE after one;
 * 128 + the signal when interrupted. End with explore_outcome_free. */
int explore_run_subject(const struct explore_target *target, const struct explore_subject *subject,
                        const struct explore_asked *asked, double seconds, struct explore_outcome *outcome);
void explore_outcome_free(struct explore_outcome *outcome);

/* The arguments that say how to explore, for the explorable program; each to be freed, ends with
 * NULL. */
enum { EXPLORE_ARGUMENTS_MAX = 16 };
bool explore_arguments(const struct explore_target *target, const char *verb, const struct explore_subject *subject,
                       const struct explore_asked *asked, double seconds, char *argv[EXPLORE_ARGUMENTS_MAX]);
void explore_arguments_free(char *argv[EXPLORE_ARGUMENTS_MAX]);

/* ------------------------------------------------------------------------------------------
 * What the user reads (report.c)
 */

void explore_print_head(void);
void explore_print_row(const struct explore_subject *subject, const struct explore_outcome *outcome);
void explore_print_failure(const struct explore_asked *asked, const struct explore_subject *subject,
                           const struct explore_outcome *outcome);
/* Prints it, and lets go of it. EXIT_GOOD, or EXIT_MACHINE after a line (also for NULL). */
int explore_print_json(json_t *root);
json_t *explore_json(const struct explore_subject *subject, const struct explore_outcome *outcome);

/* ------------------------------------------------------------------------------------------
 * --weaken (weaken.c). Returns the exit status.
 */
int explore_weaken(const struct explore_target *target, const struct explore_asked *asked);

#endif
