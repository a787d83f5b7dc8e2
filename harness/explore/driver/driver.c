/* SPDX-License-Identifier: MIT */
#include "harness/explore/driver/driver.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
		driver_report(out, &result);
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
		else if (!driver_option(argv[i], &options))
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
