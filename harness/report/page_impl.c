/* SPDX-License-Identifier: MIT
 *
 * page_impl.c - the pages of the implementations: all cells of each, how it was used, and what it
 * makes of the rules where a file of `check --rules --json` was read.
 */
#include "harness/bench/grid.h"
#include "harness/report/parts.h"
#include "harness/report/plots.h"
#include "harness/report/site.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_rules(struct page *page, const char *label)
{
	struct text *out = &page->body;
	char name[80];
	size_t i, shown = 0, passed = 0;
	json_t *rule;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(label, "+"), label);
	json_array_foreach(page->site->report->rules, i, rule)
	{
		const char *result = json_string_value(json_object_get(json_object_get(rule, "results"), name));
		if (result == NULL)
			continue;
		if (shown++ == 0)
			text_put(
				out,
				"<h2>Rules of the contract</h2>\n<div class=\"wide\" role=\"region\" aria-label=\"Rules\" tabindex=\"0\">"
				"<table><caption>What the tests found</caption><thead><tr><th scope=\"col\" class=\"l\">rule</th>"
				"<th scope=\"col\" class=\"l\">result</th><th scope=\"col\" class=\"l\">what it says</th></tr></thead><tbody>\n");
		bool good = strcmp(result, "passed") == 0, bad = strcmp(result, "failed") == 0;
		const char *reason = json_string_value(json_object_get(json_object_get(rule, "reasons"), name));
		passed += good;
		text_html(out,
		          "<tr><th scope=\"row\">%s</th><td class=\"l%s\">%s %s</td><td class=\"w\">%s%s%s</td></tr>\n",
		          json_string_value(json_object_get(rule, "id")), bad ? " bad" : "",
		          good  ? "\xe2\x9c\x93"
		          : bad ? "\xe2\x9c\x97"
		                : "\xe2\x80\x93",
		          result, json_string_value(json_object_get(rule, "text")),
		          reason != NULL ? " \xe2\x80\x94 " : "", reason);
	}
	if (shown != 0)
		text_html(out, "</tbody></table></div>\n<p>%zu of %zu passed.</p>\n", passed, shown);
	else
		text_put(
			out,
			"<p class=\"mute\">What it makes of the rules of the contract is shown here when a file of <code>chanbench check "
			"--rules --json</code> is given to the report.</p>\n");
}

static void put_cell(struct page *page, const struct report_key *key, const struct report_block *block,
                     const struct report_cell *cell)
{
	struct text *out = &page->body;
	char path[200], number[GRID_TEXT], anchor[200], slug[80];

	scenario_path(page->site->report, key, block->scenario, path, sizeof path);
	text_slug(cell->label, slug, sizeof slug);
	snprintf(anchor, sizeof anchor, "%s", block->anchor);
	text_put(out, report_broken(cell) ? "<tr class=\"broken\"><th scope=\"row\"><a" : "<tr><th scope=\"row\"><a");
	page_href(page, path, anchor);
	text_html(out, ">%s</a></th><td class=\"l\">", block->scenario);
	put_params(out, block->params);
	text_put(out, "</td>");
	if (report_broken(cell)) {
		text_html(out, "<td class=\"w\" colspan=\"5\"><b class=\"bad\">\xe2\x9c\x97 %s</b>: %s</td></tr>\n",
		          brief_verdict(cell->verdict), cell->verdict);
		return;
	}
	format_count(cell->rate, number, sizeof number);
	text_html(out, "<td data-v=\"%.5g\">%s</td><td>", cell->rate, number);
	format_range(cell->interval.low, cell->interval.high, number, sizeof number);
	text_html(out, "%s</td>", number);
	double ratio = cell->score / block->best;
	if (isnan(ratio)) {
		text_put(out, "<td></td><td></td><td></td></tr>\n");
		return;
	}
	text_html(
		out,
		"<td class=\"b\" style=\"--w:%.0f%%\" data-v=\"%.4g\">%.*f</td><td data-v=\"%zu\">%zu\xe2\x80\x93%zu of %zu</td>",
		100 * fmin(1, ratio), ratio, ratio < 0.0995 ? 3 : 2, ratio, cell->rank_low, cell->rank_low,
		cell->rank_high, block->ranked);
	format_ns(cell->figures[FIGURE_CPU], number, sizeof number);
	text_html(out, "<td>%s</td></tr>\n", number);
}

static void put_used(struct text *out, const struct report_cell *cell)
{
	text_put(out, "<dl class=\"facts\">");
	if (cell->package[0] == '\0')
		text_put(out, "<dt>whose</dt><dd>one of this project's own, or a plug-in</dd>");
	else
		text_html(
			out,
			"<dt>version</dt><dd>%s</dd><dt>whose</dt><dd>somebody else's; <code>chanbench list</code> says how it is "
			"used and under which licence it comes</dd>",
			cell->package);
	if (strstr(cell->label, "+yield") != NULL)
		text_put(
			out,
			"<dt>waiting</dt><dd>it has no blocking operation: the harness calls again, yielding in between</dd>");
	text_put(out, "</dl>\n");
}

static void impl_page(struct site *site, const struct report_key *key, const struct report_cell *of)
{
	char path[200], title[200], slug[80], stem[100];
	impl_path(site->report, key, of->label, path, sizeof path);
	snprintf(title, sizeof title, "%.60s on %.120s", of->label, key->name);
	struct page *page = site_page(site, path, title);

	if (page == NULL)
		return;
	struct text *out = &page->body;
	text_html(out, "<h1>%s</h1>\n<p>On %s.</p>\n", of->label, key->name);
	text_slug(of->label, slug, sizeof slug);
	snprintf(stem, sizeof stem, "impl/%s", slug);
	bool everywhere = true;
	for (size_t k = 0; k < site->report->key_count; k++) {
		bool here = false;
		for (size_t b = 0; b < site->report->keys[k].block_count && !here; b++)
			here = report_find(&site->report->keys[k].blocks[b], of->label) != NULL;
		everywhere &= here;
	}
	if (everywhere)
		put_keys(page, key, stem);
	put_used(out, of);
	text_put(
		out,
		"<h2>All its cells</h2>\n<div class=\"wide\" role=\"region\" aria-label=\"Cells\" tabindex=\"0\"><table class=\"sort\">"
		"<caption>Of best: the ratio to the fastest correct implementation</caption><thead><tr>"
		"<th scope=\"col\" class=\"l\">scenario</th><th scope=\"col\" class=\"l\">parameters</th><th scope=\"col\">rate a second</th>"
		"<th scope=\"col\">95 % interval</th><th scope=\"col\">of best</th><th scope=\"col\">rank</th><th scope=\"col\">CPU/item</th>"
		"</tr></thead><tbody>\n");
	size_t rows = 0;
	for (size_t b = 0; b < key->block_count; b++) {
		const struct report_cell *cell = report_find(&key->blocks[b], of->label);
		if (cell != NULL && rows++ < 800)
			put_cell(page, key, &key->blocks[b], cell);
	}
	text_put(out, "</tbody></table></div>\n");
	if (rows > 800)
		text_html(out, "<p>800 of %zu cells are shown; data/all.csv has all.</p>\n", rows);
	put_rules(page, of->label);
}

void pages_impl(struct site *site, const struct report_key *key)
{
	json_t *seen = json_object();
	for (size_t b = 0; b < key->block_count && seen != NULL; b++)
		for (size_t i = 0; i < key->blocks[b].count; i++) {
			const struct report_cell *cell = key->blocks[b].cells[i];
			if (cell->control != CONTROL_NONE || json_object_get(seen, cell->label) != NULL)
				continue;
			json_object_set_new(seen, cell->label, json_true());
			impl_page(site, key, cell);
		}
	site->failed |= seen == NULL;
	json_decref(seen);
}
