/* SPDX-License-Identifier: MIT */
#include "harness/bench/compare.h"

#include "harness/bench/grid.h"
#include "harness/bench/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const change_names[CHANGE_COUNT] = {
	[CHANGE_SAME] = "same",
	[CHANGE_FASTER] = "faster",
	[CHANGE_SLOWER] = "SLOWER",
	[CHANGE_BROKEN] = "BROKEN",
	[CHANGE_STILL_BROKEN] = "still broken",
	[CHANGE_REPAIRED] = "repaired",
	[CHANGE_ONLY_OLD] = "only in the old file",
	[CHANGE_ONLY_NEW] = "only in the new file",
	[CHANGE_UNCLEAR] = "unclear: too few trials",
};

/* Below this a bootstrap says nothing: it can only draw what it has. */
enum { TRIALS_MIN = 3 };

static size_t scenario_length(const char *name)
{
	return strcspn(name, "/");
}

static const char *control_of(json_t *rows)
{
	return json_string_value(json_object_get(json_array_get(rows, 0), "control"));
}

/* Whether the messages of this cell were sent at a fixed rate. */
static bool has_rate(const char *name)
{
	const char *rate = strstr(name, "/rate:");
	return rate != NULL && strcmp(rate, "/rate:0") != 0 && strncmp(rate, "/rate:0/", 8) != 0;
}

/* The figure that a cell of that name is compared by. */
static double median_of(const char *name, json_t *rows)
{
	if (strcmp(summary_verdict(rows), "ok") != 0)
		return NAN;
	return summary_median(rows, has_rate(name) ? "p50_ns" : "items_per_second");
}

/* Adds the difference of each A/A pair to `all`, and raises `*largest` to those of the scenario. */
static bool scan_pairs(json_t *cells, const char *scenario, struct samples *all, double *largest)
{
	const char *name;
	json_t *rows;

	json_object_foreach(cells, name, rows)
	{
		char first[1024];
		const char *mark = strstr(name, "@aa/");
		if (mark == NULL)
			continue;
		snprintf(first, sizeof first, "%.*s%s", (int)(mark - name), name, mark + 3);
		double difference = fabs(log(median_of(name, json_object_get(cells, first)) / median_of(name, rows)));
		if (!isfinite(difference))
			continue;
		if (!samples_add(all, difference, 0))
			return false;
		if (scenario_length(name) == strlen(scenario) && strncmp(name, scenario, strlen(scenario)) == 0)
			*largest = fmax(*largest, difference);
	}
	return true;
}

double compare_floor(json_t *old_cells, json_t *new_cells, const char *scenario, size_t *pairs)
{
	struct samples all = {0};
	double floor = 0;

	if (!scan_pairs(old_cells, scenario, &all, &floor) || !scan_pairs(new_cells, scenario, &all, &floor))
		floor = NAN;
	else if (all.count != 0)
		floor = fmax(floor, stats_median(&all));
	*pairs = all.count;
	samples_free(&all);
	return floor;
}

static bool take(json_t *rows, bool latency, struct samples *samples)
{
	if (latency)
		return summary_samples(rows, "p50_ns", samples);
	if (!summary_samples(rows, "items_per_second", samples))
		return false;
	if (samples->count != 0)
		return true;
	/* google-benchmark's own files may have times only. */
	if (!summary_samples(rows, "real_time", samples))
		return false;
	for (size_t i = 0; i < samples->count; i++)
		samples->value[i] = 1 / samples->value[i];
	return true;
}

static enum change judge(const struct comparison *c, double floor)
{
	if (c->interval.high < 1 && c->ratio < exp(-floor))
		return CHANGE_SLOWER;
	if (c->interval.low > 1 && c->ratio > exp(floor))
		return CHANGE_FASTER;
	return CHANGE_SAME;
}

bool compare_cell(const char *name, json_t *old_rows, json_t *new_rows, double floor, struct comparison *comparison)
{
	struct samples before = {0}, after = {0};
	bool complete = true;

	*comparison = (struct comparison){.old_median = NAN,
	                                  .new_median = NAN,
	                                  .ratio = NAN,
	                                  .interval = {NAN, NAN},
	                                  .latency = has_rate(name),
	                                  .verdict = new_rows != NULL ? summary_verdict(new_rows) : ""};
	bool old_good = old_rows != NULL && strcmp(summary_verdict(old_rows), "ok") == 0;
	bool new_good = strcmp(comparison->verdict, "ok") == 0;
	if (new_rows == NULL)
		comparison->change = CHANGE_ONLY_OLD;
	else if (!new_good) /* also where there is nothing to compare it with */
		comparison->change = old_rows == NULL || old_good ? CHANGE_BROKEN : CHANGE_STILL_BROKEN;
	else if (old_rows == NULL)
		comparison->change = CHANGE_ONLY_NEW;
	else if (!old_good)
		comparison->change = CHANGE_REPAIRED;
	else
		comparison->change = CHANGE_UNCLEAR;

	if (old_good)
		complete = take(old_rows, comparison->latency, &before);
	if (new_good)
		complete = complete && take(new_rows, comparison->latency, &after);
	comparison->old_median = stats_median(&before);
	comparison->new_median = stats_median(&after);
	if (comparison->change == CHANGE_UNCLEAR && before.count >= TRIALS_MIN && after.count >= TRIALS_MIN) {
		const struct samples *over = comparison->latency ? &before : &after;
		const struct samples *under = comparison->latency ? &after : &before;
		comparison->ratio = stats_median(over) / stats_median(under);
		comparison->interval = stats_ratio_interval(over, under);
		if (isfinite(comparison->ratio) && isfinite(comparison->interval.low) &&
		    isfinite(comparison->interval.high))
			comparison->change = judge(comparison, floor);
	}
	samples_free(&before);
	samples_free(&after);
	return complete;
}

const char *compare_absurd(json_t *rows)
{
	static char complaint[512];
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *rate = json_object_get(row, "items_per_second"), *process = json_object_get(row, "process");
		const char *what = NULL;
		/* No machine moves a message in less than a femtosecond. */
		if (rate != NULL && !(json_number_value(rate) > 0 && json_number_value(rate) < 1e15))
			what = "a rate that cannot be";
		else if (process != NULL && !(json_is_integer(process) && json_integer_value(process) >= 0 &&
		                              json_integer_value(process) <= 1000000))
			what = "a process that cannot be";
		if (what == NULL)
			continue;
		snprintf(complaint, sizeof complaint, "its row %zu (%.200s) has %s", i + 1,
		         json_string_value(json_object_get(row, "name")), what);
		return complaint;
	}
	return NULL;
}

/* ------------------------------------------------------------------------------------------
 * Printing
 */

static void print_contexts(json_t *old_context, json_t *new_context, FILE *out)
{
	static const char *const members[] = {"commit",   "compiler",  "compiler_flags",   "build_type", "sanitizers",
	                                      "libc",     "kernel",    "cpu_model",        "num_cpus",   "cpus_allowed",
	                                      "governor", "placement", "contract_version", "seconds"};
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		json_t *before = json_object_get(old_context, members[i]),
		       *after = json_object_get(new_context, members[i]);
		if (json_equal(before, after) || before == NULL || after == NULL)
			continue;
		char *old_text = json_dumps(before, JSON_ENCODE_ANY), *new_text = json_dumps(after, JSON_ENCODE_ANY);
		fprintf(out, "  %s: %.100s, then %.100s\n", members[i], old_text != NULL ? old_text : "?",
		        new_text != NULL ? new_text : "?");
		free(old_text);
		free(new_text);
	}
	const struct {
		const char *name;
		json_t *context;
	} runs[] = {{"old", old_context}, {"new", new_context}};
	for (size_t i = 0; i < 2; i++) {
		double load = json_number_value(json_object_get(runs[i].context, "others_load"));
		if (load > 0.05)
			fprintf(out,
			        "  other programs used %.0f %% of the CPUs during the %s run: its numbers are "
			        "doubtful\n",
			        100 * load, runs[i].name);
		if (json_is_true(json_object_get(runs[i].context, "interrupted")))
			fprintf(out, "  the %s run was interrupted\n", runs[i].name);
	}
}

static void print_line(const char *name, const struct comparison *c, double floor, FILE *out)
{
	char before[32], after[32], ratio[32] = "", interval[48] = "", noise[32] = "";

	(c->latency ? format_ns : format_count)(c->old_median, before, sizeof before);
	(c->latency ? format_ns : format_count)(c->new_median, after, sizeof after);
	if (isfinite(c->ratio)) {
		snprintf(ratio, sizeof ratio, "%.3f", c->ratio);
		snprintf(interval, sizeof interval, "%.3f .. %.3f", c->interval.low, c->interval.high);
		snprintf(noise, sizeof noise, "%.1f %%", 100 * (exp(floor) - 1));
	}
	fprintf(out, "  %-23s %9s %9s %7s  %-16s %8s  %s\n", change_names[c->change], before, after, ratio, interval,
	        noise, name);
	if (c->verdict[0] != '\0' && strcmp(c->verdict, "ok") != 0)
		fprintf(out, "      now: %s\n", c->verdict);
}

struct comparing {
	json_t *old_cells, *new_cells;
	FILE *out;
	size_t *counts;
	size_t pairs;
};

static bool compare_one(struct comparing *c, const char *name)
{
	struct comparison comparison;
	char scenario[256];

	snprintf(scenario, sizeof scenario, "%.*s", (int)scenario_length(name), name);
	double floor = compare_floor(c->old_cells, c->new_cells, scenario, &c->pairs);
	if (isnan(floor) || !compare_cell(name, json_object_get(c->old_cells, name),
	                                  json_object_get(c->new_cells, name), floor, &comparison))
		return false;
	c->counts[comparison.change]++;
	print_line(name, &comparison, floor, c->out);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Rows stand in a file in the order in which they were measured, which was shuffled. */
static bool compare_all(struct comparing *c)
{
	size_t most = json_object_size(c->old_cells) + json_object_size(c->new_cells), count = 0;
	const char **names = malloc((most + 1) * sizeof *names), *name;
	bool complete = names != NULL;
	json_t *rows;

	if (!complete)
		return false;
	json_object_foreach(c->old_cells, name, rows) if (control_of(rows) == NULL) names[count++] = name;
	json_object_foreach(c->new_cells, name,
	                    rows) if (control_of(rows) == NULL && json_object_get(c->old_cells, name) == NULL)
		names[count++] = name;
	qsort(names, count, sizeof *names, by_name);
	for (size_t i = 0; i < count && complete; i++)
		complete = compare_one(c, names[i]);
	free(names);
	return complete;
}

bool compare_print(json_t *old_file, json_t *new_file, FILE *out, size_t counts[CHANGE_COUNT])
{
	struct comparing c = {.old_cells = summary_by_cell(json_object_get(old_file, "benchmarks")),
	                      .new_cells = summary_by_cell(json_object_get(new_file, "benchmarks")),
	                      .out = out,
	                      .counts = counts};
	bool complete = c.old_cells != NULL && c.new_cells != NULL;

	print_contexts(json_object_get(old_file, "context"), json_object_get(new_file, "context"), out);
	fprintf(out, "  %-23s %9s %9s %7s  %-16s %8s  %s\n", "", "old", "new", "ratio", "99 % interval", "noise",
	        "cell");
	complete = complete && compare_all(&c);
	if (c.pairs == 0)
		fputs("  neither file has an A/A pair: there is no noise floor, and the intervals alone decide\n", out);
	json_decref(c.old_cells);
	json_decref(c.new_cells);
	return complete;
}
