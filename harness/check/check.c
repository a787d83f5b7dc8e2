/* SPDX-License-Identifier: MIT */
#include "harness/check/check.h"

#include "harness/check/options.h"
#include "harness/check/report.h"
#include "harness/check/run.h"
#include "harness/child.h"
#include "harness/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void list_rules(const struct check_options *options)
{
	size_t rules = 0, tests = 0;
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL; rule++) {
			if ((rule->kinds & options->kinds) == 0 ||
			    (options->rules != NULL && !rule_list_names(options->rules, rule->id)))
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
static int check_names(const char *list, const struct impl_set *set)
{
	const char *word;
	size_t length;
	while (list != NULL && (length = list_next(&list, &word)) > 0) {
		char name[128];
		snprintf(name, sizeof(name), "%.*s", (int)length, word);
		if (impl_set_find(set, name) != NULL)
			continue;
		const char **names = calloc(set->count, sizeof(*names));
		for (size_t i = 0; names != NULL && i < set->count; i++)
			names[i] = set->infos[i].name;
		const char *nearest = names != NULL ? say_nearest(name, names, set->count) : NULL;
		if (nearest != NULL)
			say("unknown implementation '%s'; did you mean '%s'?", name, nearest);
		else
			say("unknown implementation '%s'; 'chanbench list' shows all", name);
		free(names);
		return -1;
	}
	return 0;
}

static bool selected(const char *list, const char *name)
{
	const char *word;
	size_t length;
	if (list == NULL)
		return true;
	while ((length = list_next(&list, &word)) > 0)
		if (strlen(name) == length && memcmp(name, word, length) == 0)
			return true;
	return false;
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
			    !selected(options->impls, info->name))
				continue;
			for (const struct rule *const *table = rule_tables; *table != NULL; table++)
				for (const struct rule *rule = *table; rule->id != NULL; rule++)
					if ((rule->kinds >> k & 1) != 0 &&
					    (options->rules == NULL || rule_list_names(options->rules, rule->id)))
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
	int status = EXIT_USAGE;

	if (check_options_parse(argc, argv, &options) != 0)
		return EXIT_USAGE;
	if (options.help || options.list) {
		options.help ? check_options_help() : list_rules(&options);
		return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_MACHINE;
	}
	if (impl_set_open(&set, options.plugins, options.plugin_count) != 0)
		return EXIT_USAGE;
	if (check_names(options.impls, &set) != 0)
		goto done;
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
	return status;
}
