/* SPDX-License-Identifier: MIT
 *
 * run.c - one subject, explored in a child: what the explorable program is told, and what it
 * answers.
 */
#include "harness/explore/command/command.h"

#include "harness/child.h"
#include "harness/say.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* beyond the limit that the child keeps itself: to shorten a failure, to read symbols */
	GRACE_SECONDS = 120,
	REPLAY_SECONDS = 600, /* one schedule */
};

/* ------------------------------------------------------------------------------------------
 * What the explorable program is told
 */

bool explore_arguments(const struct explore_target *target, const char *verb, const struct explore_subject *subject,
                       const struct explore_asked *asked, double seconds, char *argv[EXPLORE_ARGUMENTS_MAX])
{
	int n = 0;

	memset(argv, 0, EXPLORE_ARGUMENTS_MAX * sizeof *argv);
	bool made = (argv[n++] = strdup(target->program)) != NULL && (argv[n++] = strdup(verb)) != NULL &&
	            (argv[n++] = strdup(subject->name)) != NULL &&
	            asprintf(&argv[n++], "strategy=%s", asked->strategy) > 0 &&
	            asprintf(&argv[n++], "memory=%s", asked->memory) > 0 &&
	            asprintf(&argv[n++], "seed=%" PRIu64, asked->seed) > 0 &&
	            asprintf(&argv[n++], "schedules=%" PRIu64, asked->schedules) > 0 &&
	            asprintf(&argv[n++], "seconds=%.6f", seconds) > 0;
	if (made && asked->depth != NULL)
		made = asprintf(&argv[n++], "depth=%s", asked->depth) > 0;
	if (made && asked->bound != NULL)
		made = asprintf(&argv[n++], "bound=%s", asked->bound) > 0;
	if (made && asked->replay != NULL)
		made = asprintf(&argv[n++], "replay=%s", asked->replay) > 0;
	if (!made) {
		say("out of memory");
		explore_arguments_free(argv);
	}
	return made;
}

void explore_arguments_free(char *argv[EXPLORE_ARGUMENTS_MAX])
{
	for (int i = 0; i < EXPLORE_ARGUMENTS_MAX; i++) {
		free(argv[i]);
		argv[i] = NULL;
	}
}

/* ------------------------------------------------------------------------------------------
 * What it answers (driver/driver.c)
 */

struct reading {
	struct explore_outcome *outcome;
	bool ended, no_memory;
	char refused[512];
};

static void number(const char *value, uint64_t *to)
{
	*to = strtoull(value, NULL, 10);
}

/* A text of several lines comes line by line. */
static void append(struct reading *reading, char **text, const char *line)
{
	char *grown;

	if (asprintf(&grown, "%s%s%s", *text, **text != '\0' ? "\n" : "", line) < 0) {
		reading->no_memory = true;
		return;
	}
	free(*text);
	*text = grown;
}

static void take_line(const char *line, void *arg)
{
	struct reading *reading = arg;
	struct explore_outcome *o = reading->outcome;
	const char *space = strchr(line, ' ');
	char word[32];

	if (strcmp(line, "end") == 0)
		reading->ended = true;
	if (space == NULL)
		return;
	const char *value = space + 1;
	snprintf(word, sizeof word, "%.*s", (int)(space - line), line);
	if (strcmp(word, "verdict") == 0)
		snprintf(o->verdict, sizeof o->verdict, "%s", value);
	else if (strcmp(word, "executions") == 0)
		number(value, &o->executions);
	else if (strcmp(word, "redundant") == 0)
		number(value, &o->redundant);
	else if (strcmp(word, "states") == 0)
		number(value, &o->states);
	else if (strcmp(word, "failed_after") == 0)
		number(value, &o->failed_after);
	else if (strcmp(word, "exhausted") == 0)
		o->exhausted = value[0] == '1';
	else if (strcmp(word, "elapsed") == 0)
		o->elapsed = strtod(value, NULL);
	else if (strcmp(word, "truncated") == 0)
		append(reading, &o->truncated, value);
	else if (strcmp(word, "replay") == 0)
		append(reading, &o->replay, value);
	else if (strcmp(word, "replay_short") == 0)
		append(reading, &o->replay_short, value);
	else if (strcmp(word, "message") == 0)
		append(reading, &o->message, value);
	else if (strcmp(word, "trace") == 0)
		append(reading, &o->trace, value);
	else if (strcmp(word, "refused") == 0)
		snprintf(reading->refused, sizeof reading->refused, "%s", value);
}

/* "mutex:mpsc/send_recv:SCHEDULE", to be given to --replay. */
static bool complete_replay(const struct explore_subject *subject, char **replay)
{
	char *whole;

	if (**replay == '\0')
		return true;
	if (asprintf(&whole, "%s:%s:%s", subject->impl, subject->program, *replay) < 0)
		return false;
	free(*replay);
	*replay = whole;
	return true;
}

/* A process that died without an answer is a verdict: the program under test has reached what it
 * must not. */
static void from_end(const struct child_result *result, struct explore_outcome *outcome)
{
	char how[128], *message;

	child_describe(result, how, sizeof how);
	snprintf(outcome->verdict, sizeof outcome->verdict, "%s",
	         result->end == CHILD_OVERDUE || result->end == CHILD_HUNG ? "hang" : "crash");
	if (asprintf(&message, "the process of the exploration %s%s%s", how, result->output[0] != '\0' ? ": " : "",
	             result->output) < 0)
		return;
	free(outcome->message);
	outcome->message = message;
}

int explore_run_subject(const struct explore_target *target, const struct explore_subject *subject,
                        const struct explore_asked *asked, double seconds, struct explore_outcome *outcome)
{
	struct reading reading = {.outcome = outcome};
	struct child_result result;
	char *argv[EXPLORE_ARGUMENTS_MAX];

	*outcome = (struct explore_outcome){.verdict = "ok",
	                                    .truncated = strdup(""),
	                                    .replay = strdup(""),
	                                    .replay_short = strdup(""),
	                                    .message = strdup(""),
	                                    .trace = strdup("")};
	if (outcome->truncated == NULL || outcome->replay == NULL || outcome->replay_short == NULL ||
	    outcome->message == NULL || outcome->trace == NULL) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	if (!explore_arguments(target, "run", subject, asked, seconds, argv))
		return EXIT_MACHINE;
	double limit = asked->replay != NULL ? (double)REPLAY_SECONDS
	               : seconds > 0         ? seconds + (double)GRACE_SECONDS
	                                     : 0;
	struct child_spec spec = {.argv = (const char *const *)argv,
	                          .on_line = take_line,
	                          .on_line_arg = &reading,
	                          .total_ns = (uint64_t)(limit * 1e9)};
	child_run(&spec, &result);
	explore_arguments_free(argv);
	if (result.end == CHILD_INTERRUPTED)
		return 128 + child_interrupted();
	if (reading.refused[0] != '\0') {
		say("%s %s: %s", subject->impl, subject->program, reading.refused);
		return EXIT_USAGE;
	}
	if (result.end == CHILD_NOT_STARTED || (result.end == CHILD_EXITED && !reading.ended)) {
		char how[128];
		child_describe(&result, how, sizeof how);
		say("%s %s: the explorable program %s%s%s", subject->impl, subject->program, how,
		    result.output[0] != '\0' ? ": " : "", result.output);
		return EXIT_MACHINE;
	}
	if (!reading.ended)
		from_end(&result, outcome);
	if (reading.no_memory || !complete_replay(subject, &outcome->replay) ||
	    !complete_replay(subject, &outcome->replay_short)) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	return EXIT_GOOD;
}

void explore_outcome_free(struct explore_outcome *outcome)
{
	free(outcome->truncated);
	free(outcome->replay);
	free(outcome->replay_short);
	free(outcome->message);
	free(outcome->trace);
}
