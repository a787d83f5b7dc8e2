/* SPDX-License-Identifier: MIT
 *
 * driver.c - the main of an explorable program: reads what is asked, explores one subject, and
 * writes the result as lines to descriptor 3.
 *
 * A line of the result is a word, a space, a value. What has several lines repeats its word. The
 * last line is "end".
 *
 * The options are parsed here and not by harness/cli/options.c. The program is linked with the
 * explorer's runtime and with code under test, perhaps a stranger's: it takes as little of the
 * harness as it can. No user writes these options either. `chanbench explore` has checked them, and
 * passes NAME=VALUE.
 */
#include "harness/explore/driver/driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------
 * Options
 */

static const char *const strategy_names[] = {"auto", "random", "pct", "dfs"};
static const char *const memory_names[] = {"c11", "sc"};

static bool number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

static bool one_of(const char *text, const char *const *names, size_t count, int *which)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0) {
			*which = (int)i;
			return true;
		}
	return false;
}

static bool read_option(const char *name, const char *value, struct explore_options *options)
{
	uint64_t n = 0;
	int which = 0;

	if (strcmp(name, "replay") == 0) {
		options->replay = value;
		return true;
	}
	if (strcmp(name, "strategy") == 0) {
		bool known = one_of(value, strategy_names, 4, &which);
		options->strategy = (enum explore_strategy)which;
		return known;
	}
	if (strcmp(name, "memory") == 0) {
		bool known = one_of(value, memory_names, 2, &which);
		options->memory = (enum explore_memory)which;
		return known;
	}
	if (strcmp(name, "seconds") == 0) {
		char *end;
		options->seconds = strtod(value, &end);
		return *end == '\0' && options->seconds >= 0;
	}
	if (!number(value, &n))
		return false;
	if (strcmp(name, "depth") == 0)
		options->depth = (unsigned)n;
	else if (strcmp(name, "bound") == 0)
		options->bound = (unsigned)n;
	else if (strcmp(name, "spurious") == 0)
		options->spurious = (unsigned)n;
	else if (strcmp(name, "schedules") == 0)
		options->schedules = n;
	else if (strcmp(name, "seed") == 0)
		options->seed = n;
	else
		return false;
	return true;
}

/* Reads "NAME=VALUE". False after a line on stderr. */
static bool take_option(const char *text, struct explore_options *options)
{
	const char *equals = strchr(text, '=');
	char name[32];

	if (equals != NULL && (size_t)(equals - text) < sizeof name) {
		snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
		if (read_option(name, equals + 1, options))
			return true;
	}
	fprintf(stderr, "explorable: wrong option '%s'\n", text);
	return false;
}

/* ------------------------------------------------------------------------------------------
 * The result
 */

static void text_lines(FILE *out, const char *word, const char *text)
{
	while (text != NULL && *text != '\0') {
		size_t length = strcspn(text, "\n");
		fprintf(out, "%s %.*s\n", word, (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static void report(FILE *out, const struct explore_result *result)
{
	fprintf(out, "verdict %s\n", explore_verdict_name(result->verdict));
	fprintf(out, "executions %" PRIu64 "\n", result->executions);
	fprintf(out, "redundant %" PRIu64 "\n", result->redundant);
	fprintf(out, "steps %" PRIu64 "\n", result->steps);
	fprintf(out, "states %" PRIu64 "\n", result->states);
	fprintf(out, "failed_after %" PRIu64 "\n", result->failed_after);
	fprintf(out, "exhausted %d\n", result->exhausted);
	fprintf(out, "elapsed %.6f\n", result->elapsed);
	text_lines(out, "truncated", result->truncated);
	text_lines(out, "replay", result->replay);
	text_lines(out, "replay_short", result->replay_short);
	text_lines(out, "message", result->message);
	text_lines(out, "trace", result->trace);
	fprintf(out, "end\n");
	fflush(out);
}

/* ------------------------------------------------------------------------------------------
 * The commands
 */

enum { RESULT_FD = 3, STATUS_GOOD = 0, STATUS_WRONG = 2 };

/* A rule's test is longer than a program: before it counts as a livelock. */
enum { RULE_STEPS = 200000 };

static bool print_subject(const struct driver_subject *subject, void *out)
{
	char name[256];

	driver_subject_name(subject, name, sizeof name);
	fprintf(out, "%s\n", name);
	return true;
}

static int run(FILE *out, struct driver_subject *subject, const struct explore_options *options)
{
	struct explore_result result;

	if (explore_run(driver_subject_run, subject, options, &result) != 0) {
		fprintf(out, "refused %s\nend\n", result.message);
		fflush(out);
	} else {
		report(out, &result);
	}
	explore_result_free(&result);
	return STATUS_GOOD;
}

/* Where it is run must not matter: of the environment the program finds what is meant for it,
 * and where addr2line is. */
static void leave_environment(void)
{
	static const char own[] = "CHANBENCH_", path[] = "PATH=";
	char **kept = environ;

	for (char **variable = environ; *variable != NULL; variable++)
		if (strncmp(*variable, own, sizeof own - 1) == 0 || strncmp(*variable, path, sizeof path - 1) == 0)
			*kept++ = *variable;
	*kept = NULL;
}

int main(int argc, char **argv)
{
	struct explore_options options = EXPLORE_DEFAULTS;
	struct driver_subject subject;
	const char *killed = "";
	size_t skip = 0;
	FILE *out = fdopen(RESULT_FD, "w");

	if (out == NULL || argc < 2) {
		fprintf(stderr, "explorable: this is run by 'chanbench explore'\n");
		return STATUS_WRONG;
	}
	if (strcmp(argv[1], "list") == 0) {
		driver_subjects(print_subject, out);
		return fclose(out) == 0 ? STATUS_GOOD : STATUS_WRONG;
	}
	if (argc < 3 || !driver_subject_find(argv[2], &subject)) {
		fprintf(stderr, "explorable: there is no '%s' here\n", argc < 3 ? "" : argv[2]);
		return STATUS_WRONG;
	}
	leave_environment();
	for (int i = 3; i < argc; i++)
		if (strncmp(argv[i], "skip=", 5) == 0)
			skip = strtoul(argv[i] + 5, NULL, 10);
		else if (strncmp(argv[i], "killed=", 7) == 0)
			killed = argv[i] + 7;
		else if (!take_option(argv[i], &options))
			return STATUS_WRONG;
	if (subject.rule != NULL)
		options.steps = RULE_STEPS;
	if (strcmp(argv[1], "run") == 0)
		return run(out, &subject, &options);
	if (strcmp(argv[1], "weaken") == 0)
		return driver_weaken(out, &subject, &options, skip, killed);
	fprintf(stderr, "explorable: unknown command '%s'\n", argv[1]);
	return STATUS_WRONG;
}
