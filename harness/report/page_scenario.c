/* SPDX-License-Identifier: MIT
 *
 * page_scenario.c - the pages of the scenarios: for each choice of parameters a plot of every
 * trial, one of the latencies where the rate is fixed, and the table; before them the sweeps.
 */
#include "harness/bench/grid.h"
#include "harness/bench/results.h"
#include "harness/report/matrix.h"
#include "harness/report/parts.h"
#include "harness/report/plots.h"
#include "harness/report/site.h"
#include "harness/say.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A page that would become longer is continued on another. */
enum { PAGE_BYTES = 330000, ANCHOR = 200 };

static void cell_anchor(const struct report_block *block, const struct report_cell *cell, char *anchor)
{
	char slug[80];
	text_slug(cell->label, slug, sizeof slug);
	snprintf(anchor, ANCHOR, "%s.%s", block->anchor, slug);
}

static const struct figure *figure_of(const struct report_block *block, size_t i)
{
	if (i < FIGURES)
		return &report_figures[i];
	const struct figure *own = block->workload != NULL ? block->workload->figures : NULL;
	for (size_t k = FIGURES; own != NULL && own->member != NULL; own++, k++)
		if (k == i)
			return own;
	return NULL;
}

/* Whether any row of the block has it. */
static bool has_figure(const struct report_block *block, size_t i)
{
	for (size_t k = 0; k < block->count; k++)
		if (!report_broken(block->cells[k]) && !isnan(block->cells[k]->figures[i]) &&
		    figure_of(block, i) != NULL)
			return true;
	return false;
}

static void format_figure(const struct figure *figure, double value, char *text, size_t size)
{
	if (strcmp(figure->unit, "ns") == 0)
		format_ns(value, text, size);
	else if (strcmp(figure->unit, "exact") == 0)
		format_exact(value, text, size);
	else if (strcmp(figure->unit, "ratio") == 0)
		format_percent(value, text, size);
	else
		format_count(value, text, size);
}

static void put_number(struct text *out, double value, const char *shown)
{
	if (isnan(value))
		text_put(out, "<td></td>");
	else
		text_html(out, "<td data-v=\"%.5g\">%s</td>", value, shown);
}

static void put_numbers(struct page *page, const struct report_block *block, const struct report_cell *cell)
{
	struct text *out = &page->body;
	char text[GRID_TEXT];
	double ratio = cell->score / block->best;

	format_count(cell->rate, text, sizeof text);
	put_number(out, cell->rate, text);
	format_range(cell->interval.low, cell->interval.high, text, sizeof text);
	put_number(out, cell->interval.low, text);
	format_range(stats_min(&cell->rates), stats_max(&cell->rates), text, sizeof text);
	put_number(out, stats_min(&cell->rates), text);
	if (cell->control == CONTROL_NONE && !isnan(ratio))
		text_html(out, "<td class=\"b\" style=\"--w:%.0f%%\" data-v=\"%.4g\">%.*f</td>", 100 * fmin(1, ratio),
		          ratio, ratio < 0.0995 ? 3 : 2, ratio);
	else
		text_put(out, "<td></td>");
	for (size_t i = 0; i < FIGURES + OWN_FIGURES; i++) {
		if (!has_figure(block, i))
			continue;
		format_figure(figure_of(block, i), cell->figures[i], text, sizeof text);
		put_number(out, cell->figures[i], text);
	}
}

static void put_row(struct page *page, const struct report_key *key, const struct report_block *block,
                    const struct report_cell *cell, size_t columns)
{
	struct text *out = &page->body;
	char anchor[ANCHOR];

	cell_anchor(block, cell, anchor);
	text_html(out, "<tr data-f=\"%s\"", cell->control == CONTROL_NONE ? plot_class(cell) : "");
	page_id(page, anchor);
	text_put(out, report_broken(cell)             ? " class=\"broken\">"
	              : cell->control != CONTROL_NONE ? " class=\"ctl\">"
	                                              : ">");
	text_put(out, "<th scope=\"row\">");
	put_impl(page, key, cell);
	text_put(out, "</th>");
	if (report_broken(cell)) {
		text_html(
			out,
			"<td></td><td class=\"w\" colspan=\"%zu\"><b class=\"bad\">\xe2\x9c\x97 %s</b>: %s</td></tr>\n",
			columns, brief_verdict(cell->verdict), cell->verdict);
		return;
	}
	if (cell->rank_low == 0)
		text_put(out, "<td></td>");
	else if (cell->rank_low == cell->rank_high)
		text_html(out, "<td data-v=\"%zu\">%zu</td>", cell->rank_low, cell->rank_low);
	else
		text_html(out, "<td data-v=\"%zu\">%zu\xe2\x80\x93%zu</td>", cell->rank_low, cell->rank_low,
		          cell->rank_high);
	text_html(out, "<td class=\"l\">\xe2\x9c\x93 ok%s%s</td>", cell->saturated ? ", saturated" : "",
	          report_ranked(cell) && cell->score_interval.high >= block->null_low ? ", at the limit" : "");
	put_numbers(page, block, cell);
	text_put(out, "</tr>\n");
}

static void put_table(struct page *page, const struct report_key *key, const struct report_block *block)
{
	struct text *out = &page->body;
	size_t columns = 5;
	const char *item = block->workload != NULL ? block->workload->item : "items";

	text_html(
		out,
		"<div class=\"wide\" role=\"region\" aria-label=\"Table: %s\" tabindex=\"0\"><table class=\"sort\"><caption>%s, ",
		block->anchor, block->scenario);
	put_params(out, block->params);
	text_html(
		out,
		"</caption><thead><tr><th scope=\"col\" class=\"l\">implementation</th><th scope=\"col\">rank</th>"
		"<th scope=\"col\" class=\"l\">verdict</th><th scope=\"col\">%s/s</th><th scope=\"col\">95 %% interval</th>"
		"<th scope=\"col\">min .. max</th><th scope=\"col\">of best</th>",
		item);
	for (size_t i = 0; i < FIGURES + OWN_FIGURES; i++)
		if (has_figure(block, i)) {
			text_html(out, "<th scope=\"col\">%s</th>", figure_of(block, i)->title);
			columns++;
		}
	text_put(out, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < block->count; i++)
		put_row(page, key, block, block->cells[i], columns);
	text_put(out, "</tbody></table></div>\n");
}

/* What two measurements of the same differed by. */
static void put_twins(struct text *out, const struct report_block *block)
{
	for (size_t i = 0; i < block->count; i++) {
		const struct report_cell *again = block->cells[i];
		char label[80];
		if (again->control != CONTROL_AA || isnan(again->score))
			continue;
		snprintf(label, sizeof label, "%.*s", (int)strcspn(again->label, "@"), again->label);
		const struct report_cell *first = report_find(block, label);
		if (first != NULL && !isnan(first->score))
			text_html(out, "<p>Noise: %s, measured twice, differs from itself by %.1f %%.</p>\n", label,
			          100 * (exp(fabs(log(first->score / again->score))) - 1));
	}
}

/* A line to copy that measures this block again. */
static void put_command(struct text *out, const struct report_run *run, const struct report_block *block)
{
	char params[512];
	if (block->workload == NULL)
		return;
	text_html(out, "<details><summary>Measure this again</summary><p><code>chanbench bench --scenario=%s",
	          block->scenario);
	snprintf(params, sizeof params, "%s", block->params);
	for (char *part = params, *next; part != NULL && *part != '\0'; part = next) {
		next = strchr(part, '/');
		if (next != NULL)
			*next++ = '\0';
		char *value = strchr(part, ':');
		if (value == NULL)
			continue;
		*value++ = '\0';
		text_html(out, " --param=%s=%s", part, value);
	}
	static const char *const options[] = {"processes", "repetitions", "seconds", "placement", "seed"};
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		json_t *value = json_object_get(run->context, options[i]);
		if (value == NULL)
			continue;
		text_html(out, " --%s=", options[i]);
		put_value(out, value);
	}
	text_put(out, " --impl=all</code></p></details>\n");
}

static void put_block(struct page *page, const struct report_key *key, const struct report_block *block)
{
	struct text *out = &page->body;
	text_put(out, "<h2");
	page_id(page, block->anchor);
	text_put(out, ">");
	if (block->params[0] == '\0')
		text_html(out, "%s", block->scenario);
	else
		put_params(out, block->params);
	text_put(out, "</h2>\n");
	bool fixed = block->count != 0 && block->cells[0]->fixed;
	if (fixed)
		plot_latency(out, (struct frame){false}, block);
	else
		plot_strip(out, (struct frame){false}, key, block);
	put_table(page, key, block);
	put_twins(out, block);
	put_command(out, report_newest(page->site->report, key), block);
}

/* ------------------------------------------------------------------------------------------
 * Sweeps: blocks that differ in one number
 */

/* The value of a parameter, and what is left of the parameters without it. False: it is not
 * there, or is no number. */
static bool split(const char *params, const char *name, double *value, char *rest, size_t size)
{
	bool found = false;
	size_t n = 0, length = strlen(name);
	char *end;

	rest[0] = '\0';
	for (const char *at = params; *at != '\0';) {
		size_t part = strcspn(at, "/");
		if (strncmp(at, name, length) == 0 && at[length] == ':') {
			*value = strtod(at + length + 1, &end);
			found = end == at + part && *value > 0;
		} else if (n + part + 2 < size) {
			n += (size_t)snprintf(rest + n, size - n, "%.*s/", (int)part, at);
		}
		at += part + (at[part] == '/');
	}
	return found;
}

/* All sweeps along one parameter among these blocks, which are in the order of their values. */
static void put_sweeps_of(struct text *out, const struct report_block *blocks, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		const struct report_block *line[64];
		double values[64], value;
		char rest[512], other[512];
		size_t n = 0;
		bool first = split(blocks[i].params, name, &values[0], rest, sizeof rest);
		for (size_t k = 0; k < count && first && n < 64; k++) {
			if (!split(blocks[k].params, name, &value, other, sizeof other) || strcmp(rest, other) != 0)
				continue;
			first = k >= i || n != 0; /* the line was drawn from its first block */
			line[n] = &blocks[k];
			values[n++] = value;
		}
		if (!first || n < 3 || line[0]->ranked == 0 || line[0]->cells[0]->fixed)
			continue;
		rest[strlen(rest) - (rest[0] != '\0')] = '\0';
		text_html(out, "<h2>By %s</h2>\n<p>", name);
		put_params(out, rest);
		text_put(out, ".</p>\n");
		plot_sweep(out, (struct frame){false}, name, line, values, n);
	}
}

static void put_sweeps(struct text *out, const struct report_block *blocks, size_t count)
{
	char params[512];

	if (count < 3 || count > 300)
		return;
	snprintf(params, sizeof params, "%s", blocks[0].params);
	for (char *part = params, *next; part != NULL && *part != '\0'; part = next) {
		next = strchr(part, '/');
		if (next != NULL)
			*next++ = '\0';
		part[strcspn(part, ":")] = '\0';
		put_sweeps_of(out, blocks, count, part);
	}
}

/* ------------------------------------------------------------------------------------------
 * Pages
 */

/* The page of a scenario, or its n-th continuation. */
static struct page *open_page(struct site *site, const struct report_key *key, const char *scenario, size_t n)
{
	char path[200], title[200], slug[80], stem[120];
	text_slug(scenario, slug, sizeof slug);
	if (n == 0)
		snprintf(stem, sizeof stem, "scenario/%s", slug);
	else
		snprintf(stem, sizeof stem, "scenario/%s-%zu", slug, n + 1);
	page_path(site->report, key, stem, path, sizeof path);
	snprintf(title, sizeof title, "%.60s on %.120s", scenario, key->name);
	struct page *page = site_page(site, path, title);
	if (page == NULL)
		return NULL;
	text_html(&page->body, "<h1>%s</h1>\n", scenario);
	return page;
}

static void put_contents(struct page *page, const struct report_block *blocks, size_t count)
{
	text_put(&page->body, "<ul class=\"chips\">");
	for (size_t i = 0; i < count && i < 100; i++) {
		text_put(&page->body, "<li><a");
		page_href(page, page->path, blocks[i].anchor);
		text_put(&page->body, ">");
		put_params(&page->body, blocks[i].params);
		text_put(&page->body, "</a></li>");
	}
	text_put(&page->body, "</ul>\n");
}

static void put_limits(struct page *page, const struct report_key *key)
{
	struct text *out = &page->body;
	if (key->limit_count == 0)
		return;
	text_put(out, "<p class=\"mute\">What two threads do on this machine without a channel, a second: ");
	for (size_t i = 0; i < key->limit_count; i++) {
		char number[GRID_TEXT];
		const struct report_cell *limit = key->limits[i];
		if (report_broken(limit))
			continue;
		format_count(limit->rate, number, sizeof number);
		text_html(out, "%s%s %s", i != 0 ? ", " : "",
		          strncmp(limit->params, "mode:", 5) == 0 ? limit->params + 5 : limit->label, number);
	}
	text_put(out, ".</p>\n");
}

static void scenario_pages(struct site *site, const struct report_key *key, const struct report_block *blocks,
                           size_t count)
{
	size_t n = 0;
	char slug[80], stem[100], path[200];
	struct page *page = open_page(site, key, blocks[0].scenario, 0);

	if (page == NULL)
		return;
	if (blocks[0].workload != NULL)
		text_html(&page->body, "<p class=\"lead\">%s</p>\n", blocks[0].workload->summary);
	text_html(&page->body, "<p>On %s.</p>\n", key->name);
	text_slug(blocks[0].scenario, slug, sizeof slug);
	snprintf(stem, sizeof stem, "scenario/%s", slug);
	put_keys(page, key, stem);
	put_contents(page, blocks, count);
	put_limits(page, key);
	put_classes(page);
	put_tools(page);
	put_sweeps(&page->body, blocks, count);
	for (size_t i = 0; i < count; i++) {
		if (page->body.length > PAGE_BYTES) {
			page_path(site->report, key, "", path, sizeof path);
			struct page *more = open_page(site, key, blocks[0].scenario, ++n);
			if (more == NULL)
				return;
			text_put(&page->body, "<p><a");
			page_href(page, more->path, NULL);
			text_put(&page->body, ">More of this scenario</a></p>\n");
			text_put(&more->body, "<p><a");
			page_href(more, page->path, NULL);
			text_put(&more->body, ">What stands before</a></p>\n");
			page = more;
		}
		put_block(page, key, &blocks[i]);
	}
}

void pages_scenario(struct site *site, const struct report_key *key)
{
	for (size_t i = 0, next; i < key->block_count; i = next) {
		for (next = i + 1; next < key->block_count; next++)
			if (strcmp(key->blocks[i].scenario, key->blocks[next].scenario) != 0)
				break;
		scenario_pages(site, key, key->blocks + i, next - i);
	}
}

/* ------------------------------------------------------------------------------------------
 * Pictures of their own
 */

static int write_svg(const char *folder, const char *name, struct text *out)
{
	char path[PATH_MAX];
	struct results_out file;
	int status = EXIT_GOOD;

	snprintf(path, sizeof path, "%s/%s.svg", folder, name);
	if (out->failed) {
		say("out of memory");
		status = EXIT_MACHINE;
	} else if (out->length != 0 &&
	           (results_open(&file, path, out->length) != 0 || results_write_text(&file, out->at) != 0))
		status = EXIT_MACHINE;
	text_free(out);
	return status;
}

static int matrix_svg(const struct report_key *key, const char *folder)
{
	struct matrix matrix;
	struct text out = {.at = NULL};

	if (!matrix_make(&matrix, key)) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	const char **names = calloc(matrix.label_count + 1, sizeof *names);
	for (size_t i = 0; i < matrix.label_count && names != NULL; i++)
		names[i] = matrix.labels[i]->label;
	if (names != NULL)
		plot_matrix(&out, (struct frame){true}, matrix.scenarios, matrix.scenario_count, names,
		            matrix.label_count < 60 ? matrix.label_count : 60, matrix.cells);
	out.failed |= names == NULL;
	free(names);
	matrix_free(&matrix);
	return write_svg(folder, "matrix", &out);
}

int site_write_svgs(const struct report *report, const char *folder)
{
	const struct report_key *key = &report->keys[0];

	if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
		say("cannot write '%s': %s", folder, strerror(errno));
		return EXIT_MACHINE;
	}
	int status = matrix_svg(key, folder);
	for (size_t i = 0, next; i < key->block_count && status == EXIT_GOOD; i = next) {
		/* Of each scenario the block in which the most took part. */
		const struct report_block *most = &key->blocks[i];
		char slug[80];
		struct text out = {.at = NULL};
		for (next = i; next < key->block_count && strcmp(key->blocks[next].scenario, most->scenario) == 0;
		     next++)
			if (key->blocks[next].ranked > most->ranked)
				most = &key->blocks[next];
		if (most->count != 0 && most->cells[0]->fixed)
			plot_latency(&out, (struct frame){true}, most);
		else
			plot_strip(&out, (struct frame){true}, key, most);
		text_slug(most->scenario, slug, sizeof slug);
		status = write_svg(folder, slug, &out);
	}
	return status;
}
