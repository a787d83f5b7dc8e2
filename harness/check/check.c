/* SPDX-License-Identifier: MIT */
#include "harness/check/check.h"

#include "harness/check/options.h"
#include "harness/check/report.h"
#include "harness/check/run.h"
#include "harness/child.h"
#include "harness/cli/commands.h"
#include "harness/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void list_rules(const struct check_options *options)
{
	size_t rules = 0, tests = 0;
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL; rule++) {
			if ((rule->kinds & options->kinds) == 0 || !check_options_rule(options, rule->id))
				continue;
			rules++;
			printf("%s (", rule->id);
			for (int k = 0, n = 0; k < KIND_COUNT; k++)
				if ((rule->kinds >> k & 1) != 0)
					printf("%s%s", n++ > 0 ? ", " : "", kind_names[k]);
			printf(")  %s\n", rule->text);
			for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++, tests++)
				printf("    %s\n", rule->tests[i].what);
		}
	printf("%zu rules, %zu tests\n", rules, tests);
}

/* Says which name of --impl is unknown. */
static int check_names(const struct names *names, const struct impl_set *set)
{
	const char **known = calloc(set->count + 1, sizeof(*known));
	if (known == NULL) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	for (size_t i = 0; i < set->count; i++)
		known[i] = set->infos[i].name;
	int failed = names_check("implementation", names, known, set->count);
	free(known);
	return failed != 0 ? EXIT_USAGE : EXIT_GOOD;
}

static bool selected(const struct names *names, const char *name)
{
	return names->count == 0 || names_index(names, name) < names->count;
}

/* The tests of one rule for one implementation's kind: their number; they are written to `cells` unless it is NULL. */
static size_t plan_rule(const struct impl_info *info, enum kind kind, const struct rule *rule, struct cell *cells)
{
	size_t count = 0;
	for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++) {
		const struct rule_test *test = &rule->tests[i];
		bool has_hooks = kind == KIND_BROADCAST || kind == KIND_WATCH;
		for (int hooks = 0; hooks <= (has_hooks ? 1 : 0); hooks++) {
			if (has_hooks && (test->flags & (hooks ? TEST_PLAIN : TEST_HOOKS)) != 0)
				continue;
			if (cells != NULL)
				cells[count] = (struct cell){info, kind, rule, test, hooks != 0};
			count++;
		}
	}
	return count;
}

static size_t plan(const struct check_options *options, const struct impl_set *set, struct cell *cells)
{
	size_t count = 0;
	for (size_t i = 0; i < set->count; i++)
		for (int k = 0; k < KIND_COUNT; k++) {
			const struct impl_info *info = &set->infos[i];
			if (info->offered[k] == 0 || (options->kinds >> k & 1) == 0 ||
			    !selected(&options->impls, info->name))
				continue;
			for (const struct rule *const *table = rule_tables; *table != NULL; table++)
				for (const struct rule *rule = *table; rule->id != NULL; rule++)
					if ((rule->kinds >> k & 1) != 0 && check_options_rule(options, rule->id))
						count += plan_rule(info, (enum kind)k, rule,
						                   cells != NULL ? cells + count : NULL);
		}
	return count;
}

/* Where it is, on a terminal. */
static void progress(const struct report *report, size_t total)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (report->count == total) {
		fprintf(stderr, "\r\033[K");
		return;
	}
	const struct cell *cell = &report->cells[report->count];
	fprintf(stderr, "\r\033[K%zu of %zu  %s %s %s", report->count + 1, total, cell->info->name,
	        kind_names[cell->kind], cell->rule->id);
}

static int run_all(const struct check_options *options, struct report *report, size_t total)
{
	int status = EXIT_GOOD;
	child_catch_interrupts();
	while (report->count < total) {
		struct outcome *outcome = &report->outcomes[report->count];
		const struct cell *cell = &report->cells[report->count];
		progress(report, total);
		cell_run(cell, options->timeout_ns, outcome);
		if (child_interrupted() != 0)
			break;
		report->count++;
		if (outcome->machine) {
			say("the process for a test %s", outcome->seen);
			return EXIT_MACHINE;
		}
		if (outcome->verdict == FAILED) {
			if (isatty(STDERR_FILENO))
				fprintf(stderr, "\r\033[K");
			report_failure(stdout, cell, outcome);
			fflush(stdout);
			status = EXIT_VERDICT;
		}
	}
	progress(report, report->count);
	report_summary(stdout, report);
	if (child_interrupted() != 0) {
		say("interrupted: %zu of %zu tests ran", report->count, total);
		return 128 + child_interrupted();
	}
	return status;
}

int check_main(int argc, char **argv)
{
	struct check_options options;
	struct impl_set set = {NULL, 0};
	struct cell *cells = NULL;
	struct outcome *outcomes = NULL;
	int status = check_options_read(&options, argc, argv);

	if (status >= 0)
		goto done;
	if (options.list) {
		list_rules(&options);
		status = fflush(stdout) == 0 ? EXIT_GOOD : EXIT_MACHINE;
		goto done;
	}
	if ((status = open_implementations(&options.given, &set)) != EXIT_GOOD ||
	    (status = check_names(&options.impls, &set)) != EXIT_GOOD)
		goto done;
	status = EXIT_USAGE;
	size_t total = plan(&options, &set, NULL);
	if (total == 0) {
		say("nothing to check: no selected implementation has a kind that a selected rule speaks of");
		goto done;
	}
	cells = calloc(total, sizeof(*cells));
	outcomes = calloc(total, sizeof(*outcomes));
	if (cells == NULL || outcomes == NULL) {
		say("out of memory");
		status = EXIT_MACHINE;
		goto done;
	}
	plan(&options, &set, cells);
	struct report report = {cells, outcomes, 0};
	status = run_all(&options, &report, total);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say("the report could not be written");
		status = EXIT_MACHINE;
	}
done:
	free(outcomes);
	free(cells);
	impl_set_close(&set);
	check_options_free(&options);
	return status;
}
