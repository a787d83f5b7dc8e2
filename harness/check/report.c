/* SPDX-License-Identifier: MIT */
#include "harness/check/report.h"

#include "harness/check/matrix.h"

#include <string.h>

static const char *variant(const struct test_case *test_case)
{
	return test_case->hooks ? ", elements with hooks" : "";
}

/* What the child printed, without CMocka's own account of the test. */
static void print_output(FILE *out, const char *output)
{
	const char *line = output;
	bool head = false;
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");
		if (length > 0 && line[0] != '[') {
			if (!head)
				fprintf(out, "  printed:\n");
			head = true;
			fprintf(out, "    %.*s\n", (int)length, line);
		}
		line += length;
		line += *line == '\n';
	}
}

void report_failure(FILE *out, const struct test_case *test_case, const struct outcome *outcome)
{
	size_t count = outcome->step_count, first = count > STEPS_MAX ? count - STEPS_MAX : 0;
	fprintf(out, "FAILED  %s  %s  %s: %s%s\n", test_case->info->name, kind_names[test_case->kind],
	        test_case->rule->id, test_case->test->what, variant(test_case));
	fprintf(out, "  rule:     %s\n", test_case->rule->text);
	fprintf(out, "  done:\n");
	if (first > 0)
		fprintf(out, "    ... (%zu steps before)\n", first);
	for (size_t i = first; i < count; i++)
		fprintf(out, "    %s\n", outcome->steps[i % STEPS_MAX]);
	fprintf(out, "  expected: %s\n", outcome->expected);
	fprintf(out, "  seen:     %s\n", outcome->seen);
	if (outcome->where[0] != '\0')
		fprintf(out, "  at:       %s\n", outcome->where);
	else
		print_output(out, outcome->output);
	fprintf(out, "\n");
}

static bool same_reason(const struct report *report, size_t i, size_t k)
{
	const struct test_case *a = &report->cases[i], *b = &report->cases[k];
	const struct outcome *x = &report->outcomes[i], *y = &report->outcomes[k];
	return a->info == b->info && a->kind == b->kind && x->verdict == y->verdict && strcmp(x->why, y->why) == 0;
}

/* Prints one line for all rules of an implementation and kind that have the same verdict and reason
 * as case `first`. Prints nothing when an earlier case has told it. */
static void list_reason(FILE *out, const struct report *report, size_t first)
{
	const char *last = "";
	for (size_t i = 0; i < first; i++)
		if (same_reason(report, i, first))
			return;
	fprintf(out, "%s  %s  %s (%s):", report->cases[first].info->name, kind_names[report->cases[first].kind],
	        verdict_names[report->outcomes[first].verdict], report->outcomes[first].why);
	for (size_t i = first; i < report->count; i++) {
		const char *id = report->cases[i].rule->id;
		if (!same_reason(report, i, first) || strcmp(last, id) == 0)
			continue;
		fprintf(out, " %s", id);
		last = id;
	}
	fprintf(out, "\n");
}

static void list_reasons(FILE *out, const struct report *report)
{
	bool any = false;
	for (size_t i = 0; i < report->count; i++) {
		enum verdict verdict = report->outcomes[i].verdict;
		bool told = verdict != PASSED || report->outcomes[i].why[0] != '\0';
		if (verdict == FAILED || !told)
			continue;
		list_reason(out, report, i);
		any = true;
	}
	if (any)
		fprintf(out, "\n");
}

static void print_counts(FILE *out, const struct report *report)
{
	fprintf(out, "%-24s %-10s", "implementation", "kind");
	for (int v = 0; v < VERDICT_COUNT; v++)
		fprintf(out, " %11s", verdict_names[v]);
	fprintf(out, "\n");
	for (size_t i = 0; i < report->count;) {
		const struct test_case *test_case = &report->cases[i];
		size_t counts[VERDICT_COUNT] = {0};
		for (; i < report->count && report->cases[i].info == test_case->info &&
		       report->cases[i].kind == test_case->kind;
		     i++)
			counts[report->outcomes[i].verdict]++;
		fprintf(out, "%-24s %-10s", test_case->info->name, kind_names[test_case->kind]);
		for (int v = 0; v < VERDICT_COUNT; v++)
			fprintf(out, " %11zu", counts[v]);
		fprintf(out, "\n");
	}
}

void report_print(FILE *out, const struct report *report, const struct matrix *matrix)
{
	size_t total[VERDICT_COUNT] = {0};
	list_reasons(out, report);
	if (matrix != NULL)
		matrix_print(out, matrix);
	else
		print_counts(out, report);
	for (size_t i = 0; i < report->count; i++)
		total[report->outcomes[i].verdict]++;
	fprintf(out, "\n%zu tests:", report->count);
	for (int v = 0, n = 0; v < VERDICT_COUNT; v++)
		if (total[v] > 0)
			fprintf(out, "%s %zu %s", n++ > 0 ? "," : "", total[v], verdict_names[v]);
	fprintf(out, "\n");
}
