/* SPDX-License-Identifier: MIT
 *
 * page_history.c - runs of one key: over many commits, and between two.
 */
#include "harness/bench/grid.h"
#include "harness/report/history.h"
#include "harness/report/parts.h"
#include "harness/report/plots.h"
#include "harness/report/site.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES_SHOWN = 120, ROWS_SHOWN = 400, FOREST_SHOWN = 80 };

struct series {
	const struct report_cell *cell; /* of the newest run */
	struct trend_point *points;     /* one a run */
	size_t steps, last;             /* how many, and before which run the last one is */
	double change;                  /* across that one */
	bool own;
};

/* The runs' cells by name: an array of objects whose integers are indices. */
static json_t *index_run(const struct report_run *run)
{
	json_t *by_name = json_object();
	for (size_t i = 0; i < run->count && by_name != NULL; i++)
		json_object_set_new(by_name, run->cells[i].name, json_integer((json_int_t)i));
	return by_name;
}

static const struct report_cell *cell_of(const struct report_run *run, json_t *by_name, const char *name)
{
	json_t *at = json_object_get(by_name, name);
	return at != NULL ? &run->cells[json_integer_value(at)] : NULL;
}

/* Steps are sought in the values that are there. */
static bool find_steps(struct series *series, size_t runs)
{
	double *values = calloc(runs + 1, sizeof *values);
	size_t *at = calloc(runs + 1, sizeof *at), n = 0;
	bool *step = calloc(runs + 1, sizeof *step);
	bool complete = values != NULL && at != NULL && step != NULL;

	for (size_t i = 0; i < runs && complete; i++)
		if (series->points[i].median > 0) {
			values[n] = series->points[i].median;
			at[n++] = i;
		}
	if (complete && n != 0)
		history_steps(values, n, step);
	for (size_t i = 1; i < n && complete; i++)
		if (step[i]) {
			size_t before = i, after = 0;
			double low = 0, high = 0;
			series->points[at[i]].step = true;
			series->steps++;
			series->last = at[i];
			/* The means of the segments on both sides. */
			do
				low += log(values[--before]);
			while (before > 0 && !step[before]);
			do
				high += log(values[i + after++]);
			while (i + after < n && !step[i + after]);
			series->change = exp(high / (double)after - low / (double)(i - before)) - 1;
		}
	free(values);
	free(at);
	free(step);
	return complete;
}

static int by_interest(const void *a, const void *b)
{
	const struct series *x = a, *y = b;
	if ((x->steps != 0) != (y->steps != 0))
		return x->steps != 0 ? -1 : 1;
	if (x->steps != 0 && fabs(log1p(x->change)) != fabs(log1p(y->change)))
		return fabs(log1p(x->change)) > fabs(log1p(y->change)) ? -1 : 1;
	if (x->own != y->own)
		return x->own ? -1 : 1;
	return strcmp(x->cell->name, y->cell->name);
}

static void free_series(struct series *series, size_t count)
{
	for (size_t i = 0; i < count && series != NULL; i++)
		free(series[i].points);
	free(series);
}

/* One for each cell of the newest run. NULL: no memory. */
static struct series *make_series(const struct report *report, const struct report_key *key, size_t *count)
{
	const struct report_run *newest = report_newest(report, key);
	struct series *series = calloc(newest->count + 1, sizeof *series);
	bool complete = series != NULL;

	*count = 0;
	for (size_t i = 0; i < newest->count && complete; i++) {
		const struct report_cell *cell = &newest->cells[i];
		if (cell->control != CONTROL_NONE)
			continue;
		series[*count] = (struct series){.cell = cell,
		                                 .own = cell->package[0] == '\0',
		                                 .points = calloc(key->run_count, sizeof(struct trend_point))};
		complete = series[(*count)++].points != NULL;
	}
	for (size_t r = 0; r < key->run_count && complete; r++) {
		const struct report_run *run = &report->runs[key->runs[r]];
		json_t *by_name = index_run(run);
		complete = by_name != NULL;
		for (size_t i = 0; i < *count; i++) {
			const struct report_cell *cell = cell_of(run, by_name, series[i].cell->name);
			bool good = cell != NULL && !report_broken(cell) && cell->score > 0;
			const struct samples *from = good ? &cell->scores : NULL;
			/* A latency is shown as its inverse: above is better, everywhere. */
			series[i].points[r] =
				good ? (struct trend_point){cell->score * (cell->fixed ? 1e9 : 1),
			                                    stats_min(from) * (cell->fixed ? 1e9 : 1),
			                                    stats_max(from) * (cell->fixed ? 1e9 : 1), false}
				     : (struct trend_point){NAN, NAN, NAN, false};
		}
		json_decref(by_name);
	}
	for (size_t i = 0; i < *count && complete; i++)
		complete = find_steps(&series[i], key->run_count);
	if (complete) {
		qsort(series, *count, sizeof *series, by_interest);
		return series;
	}
	free_series(series, *count);
	return NULL;
}

static void brief_commit(const struct report_run *run, char text[24])
{
	if (run->commit[0] != '\0')
		snprintf(text, 24, "%.12s", run->commit);
	else
		snprintf(text, 24, "%.19s", run->date);
}

static void put_trend_key(struct page *page, const struct report_key *key)
{
	const struct report *report = page->site->report;
	struct text *out = &page->body;
	size_t count, stepped = 0;
	struct series *series = make_series(report, key, &count);
	char first[24], last[24];

	if (series == NULL) {
		page->site->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		stepped += series[i].steps != 0;
	brief_commit(&report->runs[key->runs[0]], first);
	brief_commit(report_newest(report, key), last);
	text_html(
		out,
		"<h2>%s <small>%s</small></h2>\n<p>%zu runs, from <code>%s</code> to <code>%s</code>, in the order of their dates. "
		"In %zu of %zu cells a lasting change was found.</p>\n",
		key->name, key->id, key->run_count, first, last, stepped, count);
	text_put(out, "<div class=\"many\">\n");
	for (size_t i = 0; i < count && i < SERIES_SHOWN; i++) {
		text_html(out, "<div><h3>%s%s, <b>%s</b> <small>",
		          series[i].steps != 0
		                  ? (series[i].change < 0 ? "\xe2\x96\xbc slower: " : "\xe2\x96\xb2 faster: ")
		                  : "",
		          series[i].cell->scenario, series[i].cell->label);
		put_params(out, series[i].cell->params);
		text_put(out, "</small></h3>");
		plot_trend(out, series[i].cell->name, series[i].points, key->run_count);
		text_put(out, "</div>\n");
	}
	text_put(out, "</div>\n");
	if (count > SERIES_SHOWN)
		text_html(out, "<p>%d of %zu cells are drawn: those with a change, then ours.</p>\n", SERIES_SHOWN,
		          count);
	text_put(
		out,
		"<div class=\"wide\"><table class=\"sort\"><caption>Medians a second (where the rate is fixed: one over the median latency), the "
		"oldest and the newest, and the last lasting change</caption><thead><tr><th scope=\"col\" class=\"l\">scenario</th>"
		"<th scope=\"col\" class=\"l\">implementation</th><th scope=\"col\" class=\"l\">parameters</th><th scope=\"col\">oldest</th>"
		"<th scope=\"col\">newest</th><th scope=\"col\">changed by</th><th scope=\"col\" class=\"l\">between commits</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < count && i < ROWS_SHOWN; i++) {
		char number[GRID_TEXT];
		text_html(out, "<tr><th scope=\"row\">%s</th><td class=\"l\">%s</td><td class=\"l\">",
		          series[i].cell->scenario, series[i].cell->label);
		put_params(out, series[i].cell->params);
		text_put(out, "</td>");
		for (size_t r = 0; r < 2; r++) {
			double value = series[i].points[r == 0 ? 0 : key->run_count - 1].median;
			format_count(value, number, sizeof number);
			text_html(out, "<td>%s</td>", number);
		}
		if (series[i].steps == 0) {
			text_put(out, "<td></td><td></td></tr>\n");
			continue;
		}
		brief_commit(&report->runs[key->runs[series[i].last - 1]], first);
		brief_commit(&report->runs[key->runs[series[i].last]], last);
		text_html(
			out,
			"<td data-v=\"%.4g\">%s %.1f %%</td><td class=\"l\"><code>%s</code> .. <code>%s</code></td></tr>\n",
			series[i].change, series[i].change < 0 ? "\xe2\x96\xbc slower" : "\xe2\x96\xb2 faster",
			100 * fabs(series[i].change), first, last);
	}
	text_put(out, "</tbody></table></div>\n");
	if (count > ROWS_SHOWN)
		text_html(out, "<p>%d of %zu cells are listed; data/all.csv has all.</p>\n", ROWS_SHOWN, count);
	free_series(series, count);
}

void pages_trend(struct site *site)
{
	struct page *page = site_page(site, "trend.html", "Trend over commits");
	size_t shown = 0;

	if (page == NULL)
		return;
	text_put(
		&page->body,
		"<h1>Trend over commits</h1>\n<p>A picture a cell, oldest run at the left, above is better; each has an axis of its own, "
		"whose ends stand at the right. A dashed stroke and a word mark a lasting change: at least five runs on both sides, "
		"a rank sum at p &lt; 0.001, 5 % and 2.5 standard deviations. The commit range tells where to look.</p>\n");
	for (size_t k = 0; k < site->report->key_count; k++)
		if (site->report->keys[k].run_count >= 3 && shown++ < 6)
			put_trend_key(page, &site->report->keys[k]);
	if (shown == 0)
		text_put(&page->body,
		         "<p>With the files of three or more runs of one key this page shows how they went.</p>\n");
}

/* ------------------------------------------------------------------------------------------
 * Between two
 */

struct change {
	struct forest_row row;
	double p;
	double effect; /* over what could be seen */
};

static int by_effect(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	if (x->effect != y->effect)
		return x->effect > y->effect ? -1 : 1;
	return strcmp(x->row.label, y->row.label);
}

/* False: the two cannot be compared. */
static bool compare_cells(const struct report_cell *old_cell, const struct report_cell *new_cell, struct change *change)
{
	if (report_broken(old_cell) || report_broken(new_cell) || old_cell->scores.count < 3 ||
	    new_cell->scores.count < 3)
		return false;
	struct stats_ratio ratio;
	if (!stats_ratio(&new_cell->scores, &old_cell->scores, &ratio) || !(ratio.ratio > 0) || isnan(ratio.p))
		return false;
	*change = (struct change){.row = {.ratio = ratio.ratio, .interval = ratio.interval}, .p = ratio.p};
	snprintf(change->row.label, sizeof change->row.label, "%.30s %.30s %.80s", new_cell->scenario, new_cell->label,
	         new_cell->params);
	double seen = fmax(log(ratio.interval.high / ratio.interval.low) / 2, 0.005);
	change->effect = fabs(log(ratio.ratio)) / seen;
	change->row.word = seen > log(1.25) ? "could not see" : "same";
	return true;
}

/* All together: of what is called a change, one in a hundred is expected to be chance. False: no
 * memory. */
static bool judge(struct change *changes, size_t n)
{
	double *q = calloc(n + 1, sizeof *q);
	for (size_t i = 0; i < n && q != NULL; i++)
		q[i] = changes[i].p;
	bool complete = q != NULL && stats_adjust(q, n);
	for (size_t i = 0; i < n && complete; i++)
		if (q[i] <= 0.01)
			changes[i].row.word = changes[i].row.ratio < 1 ? "slower" : "faster";
	free(q);
	return complete;
}

static void put_compare(struct page *page, const struct report_key *key)
{
	const struct report *report = page->site->report;
	const struct report_run *before = &report->runs[key->runs[0]], *after = report_newest(report, key);
	struct text *out = &page->body;
	json_t *by_name = index_run(before);
	struct change *changes = calloc(after->count + 1, sizeof *changes);
	struct forest_row *rows = calloc(FOREST_SHOWN, sizeof *rows);
	size_t n = 0, only_new = 0, faster = 0, slower = 0, blind = 0, broken = 0;
	char first[24], last[24];

	for (size_t i = 0; i < after->count && changes != NULL; i++) {
		const struct report_cell *cell = &after->cells[i], *old_cell = cell_of(before, by_name, cell->name);
		if (cell->control != CONTROL_NONE)
			continue;
		if (old_cell == NULL) {
			only_new++;
			continue;
		}
		if (!compare_cells(old_cell, cell, &changes[n])) {
			broken++;
			continue;
		}
		n++;
	}
	page->site->failed |= changes == NULL || rows == NULL || by_name == NULL || !judge(changes, n);
	if (page->site->failed)
		goto done;
	for (size_t i = 0; i < n; i++) {
		faster += strcmp(changes[i].row.word, "faster") == 0;
		slower += strcmp(changes[i].row.word, "slower") == 0;
		blind += strcmp(changes[i].row.word, "could not see") == 0;
	}
	qsort(changes, n, sizeof *changes, by_effect);
	for (size_t i = 0; i < n && i < FOREST_SHOWN; i++)
		rows[i] = changes[i].row;
	brief_commit(before, first);
	brief_commit(after, last);
	text_html(
		out,
		"<h2>%s</h2>\n<p class=\"lead\">From <code>%s</code> to <code>%s</code>: %zu slower, %zu faster, %zu where less than 25 %% "
		"could not be seen, of %zu cells.</p>\n<p>%zu cells are broken or have too few trials in one of the two, %zu are new. "
		"Slower and faster come from exact rank sums over the medians of processes, all cells judged together: of those called so one "
		"in a hundred is expected to be chance. What a gate needs is two builds measured in turn.</p>\n",
		key->name, first, last, slower, faster, blind, n, broken, only_new);
	plot_forest(out, rows, n < FOREST_SHOWN ? n : FOREST_SHOWN);
	if (n > FOREST_SHOWN)
		text_html(out, "<p>The %d with the largest effect over what could be seen are drawn.</p>\n",
		          FOREST_SHOWN);
	text_put(
		out,
		"<div class=\"wide\"><table class=\"sort\"><caption>New over old, above 1 is better</caption><thead><tr><th scope=\"col\" class=\"l\">cell"
		"</th><th scope=\"col\">ratio</th><th scope=\"col\">99 % interval</th><th scope=\"col\" class=\"l\">word</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < n && i < ROWS_SHOWN; i++) {
		const struct forest_row *row = &changes[i].row;
		text_html(
			out,
			"<tr><th scope=\"row\">%s</th><td data-v=\"%.4g\">%.3f</td><td>%.3f .. %.3f</td><td class=\"l\">%s</td></tr>\n",
			row->label, row->ratio, row->ratio, row->interval.low, row->interval.high, row->word);
	}
	text_put(out, "</tbody></table></div>\n");
done:
	json_decref(by_name);
	free(changes);
	free(rows);
}

void pages_compare(struct site *site)
{
	struct page *page = site_page(site, "compare.html", "Between two runs");
	size_t shown = 0;

	if (page == NULL)
		return;
	text_put(&page->body, "<h1>Between two runs</h1>\n");
	for (size_t k = 0; k < site->report->key_count && k < 6; k++)
		if (site->report->keys[k].run_count == 2) {
			put_compare(page, &site->report->keys[k]);
			shown++;
		}
	if (shown == 0)
		text_put(
			&page->body,
			"<p>With exactly two runs of one key this page shows what changed from the one to the other. Runs on different "
			"machines are not compared: they stand side by side under Machines.</p>\n");
}
