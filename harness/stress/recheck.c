/* SPDX-License-Identifier: MIT */
#include "harness/stress/recheck.h"

#include "harness/say.h"
#include "harness/stress/history_file.h"
#include "harness/stress/verify.h"

#include <inttypes.h>
#include <stdio.h>

int recheck(const char *path)
{
	static struct verify_result result;
	struct saved_history saved;
	char error[512];
	if (!history_load(path, &saved, error, sizeof error)) {
		say("%s", error);
		return EXIT_USAGE;
	}
	printf("%s %s, round with --seed=%" PRIu64 ", %zu operations: ", saved.impl, kind_names[saved.history.kind],
	       saved.seed, saved.history.count);
	fflush(stdout);
	verify(&saved.history, VERIFY_CONFIGURATIONS, NULL, &result);
	history_unload(&saved);
	switch (result.verdict) {
	case SEARCH_GOOD:
		printf("ok (%" PRIu64 " configurations)\n", result.configurations);
		return EXIT_GOOD;
	case SEARCH_BAD:
		printf("HISTORY\n%s", result.text);
		return EXIT_VERDICT;
	case SEARCH_UNDECIDED:
		printf("undecided\n");
		say("the check was given up after %" PRIu64 " configurations", result.configurations);
		return EXIT_MACHINE;
	default:
		printf("not checked\n");
		say("out of memory for the check of a history");
		return EXIT_MACHINE;
	}
}
