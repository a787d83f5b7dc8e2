/* SPDX-License-Identifier: MIT */
#include "harness/check/matrix.h"

#include "harness/say.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int matrix_open(struct matrix *matrix, const struct check_options *options, const struct report *report)
{
	*matrix = (struct matrix){.report = report};
	if (catalogue_open(&matrix->catalogue) != 0)
		return -1;
	matrix->rows = calloc(matrix->catalogue.count + 1, sizeof(const struct catalogue_entry *));
	matrix->columns = calloc(report->count + 1, sizeof(const struct impl_info *));
	if (matrix->rows == NULL || matrix->columns == NULL) {
		say("out of memory");
		matrix_close(matrix);
		return -1;
	}
	for (size_t i = 0; i < matrix->catalogue.count; i++) {
		const struct catalogue_entry *entry = &matrix->catalogue.entries[i];
		if ((entry->kinds & options->kinds) != 0 && check_options_rule(options, entry->id))
			matrix->rows[matrix->row_count++] = entry;
	}
	for (size_t i = 0; i < report->count; i++)
		if (i == 0 || report->cases[i].info != report->cases[i - 1].info)
			matrix->columns[matrix->column_count++] = report->cases[i].info;
	return 0;
}

void matrix_close(struct matrix *matrix)
{
	free(matrix->columns);
	free(matrix->rows);
	catalogue_close(&matrix->catalogue);
	*matrix = (struct matrix){0};
}

static bool offers_any(const struct impl_info *info, unsigned kinds)
{
	for (int k = 0; k < KIND_COUNT; k++)
		if ((kinds >> k & 1) != 0 && info->offered[k] != 0)
			return true;
	return false;
}

/* What came of it, and why when it is not all passed ("" otherwise). */
static enum verdict matrix_at(const struct matrix *matrix, size_t row, size_t column, const char **why)
{
	static const enum verdict order[] = {FAILED, DECLARED, PASSED, UNTESTABLE, NOT_OFFERED};
	const struct catalogue_entry *entry = matrix->rows[row];
	const struct outcome *of[VERDICT_COUNT] = {NULL};
	*why = "";
	for (size_t i = 0; i < matrix->report->count; i++) {
		const struct test_case *test_case = &matrix->report->cases[i];
		const struct outcome *outcome = &matrix->report->outcomes[i];
		if (test_case->info == matrix->columns[column] && strcmp(test_case->rule->id, entry->id) == 0 &&
		    of[outcome->verdict] == NULL)
			of[outcome->verdict] = outcome;
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const struct outcome *outcome = of[order[i]];
		if (outcome == NULL)
			continue;
		const struct outcome *part = of[UNTESTABLE] != NULL ? of[UNTESTABLE] : of[NOT_OFFERED];
		if (order[i] == FAILED)
			*why = outcome->seen;
		else if (order[i] != PASSED)
			*why = outcome->why;
		else if (part != NULL) /* of some tests, or in one of its kinds */
			*why = part->why;
		return order[i];
	}
	if (entry->tests == 0 && offers_any(matrix->columns[column], entry->kinds)) {
		*why = entry->note->untestable;
		return UNTESTABLE;
	}
	*why = "no kind that it speaks of";
	return NOT_OFFERED;
}

static int width_of(const struct impl_info *info)
{
	size_t length = strlen(info->name);
	return length < 11 ? 11 : (int)length;
}

void matrix_print(FILE *out, const struct matrix *matrix)
{
	size_t counts[VERDICT_COUNT];
	const char *why;
	fprintf(out, "%-6s", "rule");
	for (size_t c = 0; c < matrix->column_count; c++)
		fprintf(out, " %-*s", width_of(matrix->columns[c]), matrix->columns[c]->name);
	fprintf(out, " text\n");
	for (size_t r = 0; r < matrix->row_count; r++) {
		fprintf(out, "%-6s", matrix->rows[r]->id);
		for (size_t c = 0; c < matrix->column_count; c++)
			fprintf(out, " %-*s", width_of(matrix->columns[c]),
			        verdict_names[matrix_at(matrix, r, c, &why)]);
		fprintf(out, " %s\n", matrix->rows[r]->text);
	}
	for (size_t r = 0; r < matrix->row_count; r++)
		if (matrix->rows[r]->tests == 0)
			fprintf(out, "%s%s has no test: %s\n", r > 0 ? "" : "\n", matrix->rows[r]->id,
			        matrix->rows[r]->note->untestable);
	fprintf(out, "\n");
	for (size_t c = 0; c < matrix->column_count; c++) {
		memset(counts, 0, sizeof(counts));
		for (size_t r = 0; r < matrix->row_count; r++)
			counts[matrix_at(matrix, r, c, &why)]++;
		fprintf(out, "%s: of %zu rules", matrix->columns[c]->name, matrix->row_count);
		for (int v = 0, n = 0; v < VERDICT_COUNT; v++)
			if (counts[v] > 0)
				fprintf(out, "%s %zu %s", n++ > 0 ? "," : "", counts[v], verdict_names[v]);
		fprintf(out, "\n");
	}
}

static json_t *row_json(const struct matrix *matrix, size_t r)
{
	const struct catalogue_entry *entry = matrix->rows[r];
	json_t *kinds = json_array(), *results = json_object(), *reasons = json_object();
	for (int k = 0; k < KIND_COUNT; k++)
		if ((entry->kinds >> k & 1) != 0)
			json_array_append_new(kinds, json_string(kind_names[k]));
	for (size_t c = 0; c < matrix->column_count; c++) {
		const char *why, *name = matrix->columns[c]->name;
		json_object_set_new(results, name, json_string(verdict_names[matrix_at(matrix, r, c, &why)]));
		if (why[0] != '\0')
			json_object_set_new(reasons, name, json_sprintf("%s", why));
	}
	return json_pack("{s:s,s:s,s:o,s:o,s:o}", "id", entry->id, "text", entry->text, "kinds", kinds, "results",
	                 results, "reasons", reasons);
}

char *matrix_json(const struct matrix *matrix)
{
	json_t *rules = json_array();
	bool whole = true;
	for (size_t r = 0; r < matrix->row_count; r++)
		whole &= json_array_append_new(rules, row_json(matrix, r)) == 0;
	json_t *root = json_pack("{s:o}", "rules", rules);
	char *text = whole && root != NULL ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	return text;
}
