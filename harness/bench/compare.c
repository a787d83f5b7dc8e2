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
	[CHANGE_PERHAPS] = "perhaps",
	[CHANGE_BROKEN] = "BROKEN",
	[CHANGE_STILL_BROKEN] = "still broken",
	[CHANGE_REPAIRED] = "repaired",
	[CHANGE_ONLY_OLD] = "only in the old file",
	[CHANGE_ONLY_NEW] = "only in the new file",
	[CHANGE_BLIND] = "could not see",
	[CHANGE_UNCLEAR] = "unclear",
};

/* Of what is called a change, so much may be chance. */
#define Q_MOST 0.05
#define P_MOST 0.01
/* A cell whose interval ends further from 1 than this says nothing. */
#define BLIND 1.25

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

static bool add_pairs(json_t *cells, struct samples *all)
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
		if (isfinite(difference) && !samples_add(all, difference, 0))
			return false;
	}
	return true;
}

double compare_floor(json_t *old_cells, json_t *new_cells, size_t *pairs)
{
	struct samples all = {0};
	double floor = NAN;

	if (add_pairs(old_cells, &all) && add_pairs(new_cells, &all))
		floor = all.count != 0 ? stats_median(&all) : 0;
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

/* "scenario/mutex/params" of "scenario/other/params"; "" where there is none. */
static void reference_of(const char *name, char *text, size_t size)
{
	const char *label = strchr(name, '/'), *params = label != NULL ? strchr(label + 1, '/') : NULL;
	text[0] = '\0';
	if (params != NULL)
		snprintf(text, size, "%.*s/mutex%s", (int)(label - name), name, params);
}

static bool is_good(json_t *rows)
{
	return rows != NULL && strcmp(summary_verdict(rows), "ok") == 0;
}

/* The figures of a cell, a value a process, as they are or as ratios to those of `mutex`. Processes
 * are independent, so that each may be set against any one of the other cell, but only one. */
static bool read_figures(json_t *cells, const char *name, bool to_mutex, struct samples *figures)
{
	struct samples own = {0}, reference = {0}, medians = {0};
	bool latency = has_rate(name), complete;
	char other[1024];

	complete = take(json_object_get(cells, name), latency, &own) && stats_processes(&own, figures);
	if (!complete || !to_mutex)
		goto done;
	reference_of(name, other, sizeof other);
	if (is_good(json_object_get(cells, other)))
		complete = take(json_object_get(cells, other), latency, &reference) &&
		           stats_processes(&reference, &medians);
	if (figures->count > medians.count)
		figures->count = medians.count;
	for (size_t i = 0; i < figures->count; i++)
		figures->value[i] /= medians.value[i];
done:
	samples_free(&own);
	samples_free(&reference);
	samples_free(&medians);
	return complete;
}

static enum change change_of(json_t *old_rows, json_t *new_rows)
{
	if (new_rows == NULL)
		return CHANGE_ONLY_OLD;
	if (!is_good(new_rows)) /* also where there is nothing to compare it with */
		return old_rows == NULL || is_good(old_rows) ? CHANGE_BROKEN : CHANGE_STILL_BROKEN;
	if (old_rows == NULL)
		return CHANGE_ONLY_NEW;
	return is_good(old_rows) ? CHANGE_UNCLEAR : CHANGE_REPAIRED;
}

bool compare_cell(const char *name, json_t *old_cells, json_t *new_cells, bool to_mutex, struct comparison *comparison)
{
	json_t *old_rows = json_object_get(old_cells, name), *new_rows = json_object_get(new_cells, name);
	struct samples before = {0}, after = {0};
	bool complete = true;

	*comparison = (struct comparison){.name = name,
	                                  .change = change_of(old_rows, new_rows),
	                                  .latency = has_rate(name),
	                                  .ratio = {NAN, {0, INFINITY}, NAN},
	                                  .q = NAN,
	                                  .verdict = new_rows != NULL ? summary_verdict(new_rows) : ""};
	if (is_good(old_rows))
		complete = read_figures(old_cells, name, to_mutex, &before);
	if (is_good(new_rows) && complete)
		complete = read_figures(new_cells, name, to_mutex, &after);
	comparison->old_median = stats_median(&before);
	comparison->new_median = stats_median(&after);
	if (comparison->change == CHANGE_UNCLEAR && complete) {
		struct stats_ratio *ratio = &comparison->ratio;
		complete =
			comparison->latency ? stats_ratio(&before, &after, ratio) : stats_ratio(&after, &before, ratio);
		if (complete && isfinite(ratio->ratio) && isfinite(ratio->interval.high))
			comparison->change = CHANGE_SAME;
	}
	samples_free(&before);
	samples_free(&after);
	return complete;
}

double compare_resolution(const struct comparison *c)
{
	return fmax(c->ratio.interval.high / c->ratio.ratio, c->ratio.ratio / c->ratio.interval.low) - 1;
}

/* The largest change that the interval has room for, as a factor. */
static double bound_of(const struct comparison *c)
{
	return fmax(c->ratio.interval.high, 1 / c->ratio.interval.low);
}

static enum change judge(const struct comparison *c, double floor)
{
	bool apart = c->ratio.p <= P_MOST && (c->ratio.interval.low > 1 || c->ratio.interval.high < 1);

	if (apart && fabs(log(c->ratio.ratio)) > floor) {
		if (c->q > Q_MOST)
			return CHANGE_PERHAPS;
		return c->ratio.ratio < 1 ? CHANGE_SLOWER : CHANGE_FASTER;
	}
	return bound_of(c) <= BLIND ? CHANGE_SAME : CHANGE_BLIND;
}

bool compare_judge(struct comparison *comparisons, size_t count, double floor)
{
	double *q = malloc((count + 1) * sizeof *q);
	bool complete = q != NULL;

	for (size_t i = 0; i < count && complete; i++)
		q[i] = comparisons[i].change == CHANGE_SAME ? comparisons[i].ratio.p : NAN;
	complete = complete && stats_adjust(q, count);
	for (size_t i = 0; i < count && complete; i++) {
		if (comparisons[i].change != CHANGE_SAME)
			continue;
		comparisons[i].q = q[i];
		comparisons[i].change = judge(&comparisons[i], floor);
	}
	free(q);
	return complete;
}

const char *compare_machines(json_t *old_context, json_t *new_context)
{
	static const char *const members[] = {"cpu_model", "num_cpus", "cpus_allowed"};
	static char complaint[512];

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		json_t *before = json_object_get(old_context, members[i]),
		       *after = json_object_get(new_context, members[i]);
		if (before == NULL || after == NULL || json_equal(before, after))
			continue;
		char *old_text = json_dumps(before, JSON_ENCODE_ANY), *new_text = json_dumps(after, JSON_ENCODE_ANY);
		snprintf(complaint, sizeof complaint, "%s: %.100s and %.100s", members[i],
		         old_text != NULL ? old_text : "?", new_text != NULL ? new_text : "?");
		free(old_text);
		free(new_text);
		return complaint;
	}
	return NULL;
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

static void print_title(const char *title, const struct screen *screen)
{
	fputc('\n', screen->out);
	screen_ink(screen, INK_BOLD);
	fputs(title, screen->out);
	screen_ink(screen, INK_NONE);
	fputc('\n', screen->out);
}

static void print_contexts(json_t *old_context, json_t *new_context, const struct screen *screen)
{
	static const char *const members[] = {"commit",   "compiler",  "compiler_flags",   "build_type", "sanitizers",
	                                      "libc",     "kernel",    "cpu_model",        "num_cpus",   "cpus_allowed",
	                                      "governor", "placement", "contract_version", "seconds"};
	char line[512];
	print_title("The runs", screen);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		json_t *before = json_object_get(old_context, members[i]),
		       *after = json_object_get(new_context, members[i]);
		if (json_equal(before, after) || before == NULL || after == NULL)
			continue;
		char *old_text = json_dumps(before, JSON_ENCODE_ANY), *new_text = json_dumps(after, JSON_ENCODE_ANY);
		snprintf(line, sizeof line, "%s: %.200s, then %.200s", members[i], old_text != NULL ? old_text : "?",
		         new_text != NULL ? new_text : "?");
		screen_prose(screen, 2, 4, line);
		free(old_text);
		free(new_text);
	}
	const struct {
		const char *name;
		json_t *context;
	} runs[] = {{"old", old_context}, {"new", new_context}};
	for (size_t i = 0; i < 2; i++) {
		double load = json_number_value(json_object_get(runs[i].context, "others_load"));
		if (load > 0.05) {
			snprintf(line, sizeof line,
			         "other programs used %.0f %% of the CPUs during the %s run: its numbers are doubtful",
			         100 * load, runs[i].name);
			screen_prose(screen, 2, 4, line);
		}
		if (json_is_true(json_object_get(runs[i].context, "interrupted")))
			fprintf(screen->out, "  the %s run was interrupted\n", runs[i].name);
	}
}

static void print_line(const struct comparison *c, bool to_mutex, const struct screen *screen)
{
	char before[32], after[32], ratio[32] = "", interval[48] = "", sees[32] = "";
	enum ink ink = c->change == CHANGE_FASTER || c->change == CHANGE_REPAIRED ? INK_GOOD
	               : c->change == CHANGE_SLOWER || c->change == CHANGE_BROKEN || c->change == CHANGE_STILL_BROKEN
	                       ? INK_BAD
	                       : INK_NONE;

	(c->latency && !to_mutex ? format_ns : format_count)(c->old_median, before, sizeof before);
	(c->latency && !to_mutex ? format_ns : format_count)(c->new_median, after, sizeof after);
	if (isfinite(c->ratio.ratio))
		snprintf(ratio, sizeof ratio, "%.3f", c->ratio.ratio);
	if (isfinite(c->ratio.ratio) && isfinite(c->ratio.interval.high)) {
		snprintf(interval, sizeof interval, "%.2f .. %.2f", c->ratio.interval.low, c->ratio.interval.high);
		snprintf(sees, sizeof sees, "%.0f %%", 100 * compare_resolution(c));
	}
	fputs("  ", screen->out);
	screen_ink(screen, ink);
	fprintf(screen->out, "%-13s", change_names[c->change]);
	screen_ink(screen, INK_NONE);
	int used = 15 + fprintf(screen->out, " %7s %7s %6s %12s %6s", before, after, ratio, interval, sees);
	/* A name is one word; what does not fit stands below. */
	if (used + 2 + (int)strlen(c->name) > screen->columns)
		fprintf(screen->out, "\n      %s\n", c->name);
	else
		fprintf(screen->out, "  %s\n", c->name);
	if (c->verdict[0] != '\0' && strcmp(c->verdict, "ok") != 0) {
		fputs("      now:", screen->out);
		screen_prose(screen, 1, 6, c->verdict);
	}
}

struct comparing {
	json_t *old_cells, *new_cells;
	const struct screen *screen;
	bool to_mutex, all;
	size_t pairs;
	double floor;
	struct comparison *of;
	size_t count;
};

/* How much of a change there is for how much could be seen. */
static double strength(const struct comparison *c)
{
	return isfinite(c->ratio.ratio) ? fabs(log(c->ratio.ratio)) / log1p(compare_resolution(c) + 1e-9) : 0;
}

static int by_strength(const void *a, const void *b)
{
	static const int order[CHANGE_COUNT] = {
		[CHANGE_BROKEN] = 0,  [CHANGE_STILL_BROKEN] = 1, [CHANGE_SLOWER] = 2,   [CHANGE_FASTER] = 2,
		[CHANGE_PERHAPS] = 3, [CHANGE_REPAIRED] = 4,     [CHANGE_SAME] = 5,     [CHANGE_BLIND] = 6,
		[CHANGE_UNCLEAR] = 7, [CHANGE_ONLY_OLD] = 8,     [CHANGE_ONLY_NEW] = 9,
	};
	const struct comparison *x = a, *y = b;
	if (order[x->change] != order[y->change])
		return order[x->change] < order[y->change] ? -1 : 1;
	if (strength(x) != strength(y))
		return strength(x) > strength(y) ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool add_cell(struct comparing *c, const char *name, json_t *rows)
{
	char other[1024];

	if (control_of(rows) != NULL)
		return true;
	reference_of(name, other, sizeof other);
	if (c->to_mutex && strcmp(name, other) == 0)
		return true;
	return compare_cell(name, c->old_cells, c->new_cells, c->to_mutex, &c->of[c->count++]);
}

static bool compare_all(struct comparing *c)
{
	size_t most = json_object_size(c->old_cells) + json_object_size(c->new_cells);
	bool complete;
	const char *name;
	json_t *rows;

	c->of = calloc(most + 1, sizeof *c->of);
	complete = c->of != NULL;
	json_object_foreach(c->old_cells, name, rows) complete = complete && add_cell(c, name, rows);
	json_object_foreach(c->new_cells, name, rows)
	{
		if (json_object_get(c->old_cells, name) == NULL)
			complete = complete && add_cell(c, name, rows);
	}
	c->floor = compare_floor(c->old_cells, c->new_cells, &c->pairs);
	complete = complete && !isnan(c->floor) && compare_judge(c->of, c->count, c->floor);
	if (complete)
		qsort(c->of, c->count, sizeof *c->of, by_strength);
	return complete;
}

static bool is_shown(const struct comparing *c, const struct comparison *of)
{
	return c->all || (of->change != CHANGE_SAME && of->change != CHANGE_BLIND && of->change != CHANGE_UNCLEAR &&
	                  of->change != CHANGE_ONLY_OLD && of->change != CHANGE_ONLY_NEW);
}

static void print_changes(const struct comparing *c)
{
	size_t shown = 0;

	for (size_t i = 0; i < c->count; i++)
		shown += is_shown(c, &c->of[i]);
	print_title(c->to_mutex ? "What changed, in ratios to mutex" : "What changed", c->screen);
	if (shown == 0) {
		fputs("  nothing that could be seen\n", c->screen->out);
		return;
	}
	fprintf(c->screen->out, "  %-13s %7s %7s %6s %12s %6s  %s\n", "", "old", "new", "ratio", "99 %", "sees",
	        "cell");
	for (size_t i = 0; i < c->count; i++)
		if (is_shown(c, &c->of[i]))
			print_line(&c->of[i], c->to_mutex, c->screen);
}

/* "12 same: half of them within 6 %, all within 19 %" */
static bool print_rest(const struct comparing *c, enum change change, const char *format)
{
	struct samples bounds = {0};
	char text[256];
	bool complete = true;

	for (size_t i = 0; i < c->count && complete; i++)
		if (c->of[i].change == change)
			complete = samples_add(&bounds, 100 * (bound_of(&c->of[i]) - 1), 0);
	if (bounds.count != 0 && complete) {
		snprintf(text, sizeof text, format, bounds.count, stats_median(&bounds), stats_max(&bounds));
		screen_prose(c->screen, 2, 4, text);
	}
	samples_free(&bounds);
	return complete;
}

static bool print_others(const struct comparing *c)
{
	char text[256];
	bool complete;

	print_title("The others", c->screen);
	complete =
		print_rest(c, CHANGE_SAME, "%zu same: half of them within %.0f %%, all within %.0f %%") &&
		print_rest(c, CHANGE_BLIND,
	                   "%zu could not see: half of them only what is larger than %.0f %%, the worst than %.0f %%; "
	                   "more processes see more");
	if (c->pairs == 0)
		snprintf(text, sizeof text,
		         "neither file has an A/A pair: the intervals alone decide, however small a change is");
	else
		snprintf(text, sizeof text,
		         "noise: half of the %zu A/A pairs differ by more than %.1f %%; less is no change", c->pairs,
		         100 * (exp(c->floor) - 1));
	screen_prose(c->screen, 2, 4, text);
	return complete;
}

bool compare_print(json_t *old_file, json_t *new_file, bool to_mutex, bool all, const struct screen *screen,
                   size_t counts[CHANGE_COUNT])
{
	struct comparing c = {.old_cells = summary_by_cell(json_object_get(old_file, "benchmarks")),
	                      .new_cells = summary_by_cell(json_object_get(new_file, "benchmarks")),
	                      .screen = screen,
	                      .to_mutex = to_mutex,
	                      .all = all};
	bool complete = c.old_cells != NULL && c.new_cells != NULL && compare_all(&c);

	if (complete) {
		print_changes(&c);
		complete = print_others(&c);
		print_contexts(json_object_get(old_file, "context"), json_object_get(new_file, "context"), screen);
		for (size_t i = 0; i < c.count; i++)
			counts[c.of[i].change]++;
	}
	free(c.of);
	json_decref(c.old_cells);
	json_decref(c.new_cells);
	return complete;
}
