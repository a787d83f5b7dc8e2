/* SPDX-License-Identifier: MIT
 *
 * page_index.c - the first page of a key: where the numbers come from, what they come to, the
 * matrix.
 */
#include "harness/report/matrix.h"
#include "harness/report/parts.h"
#include "harness/report/site.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_conclusion(struct text *out, const char *kind, const struct conclusion *c, bool own)
{
	if (c->label == NULL)
		return;
	if (!own)
		text_html(out, "<li><b>%s</b>: %s is first, alone or together with others, in %zu of %zu cells", kind,
		          c->label, c->first, c->cells);
	else
		text_html(out, "; of ours %s is, in %zu", c->label, c->first);
	if (c->measured < c->cells)
		text_html(out, " (it has a number in %zu)", c->measured);
	text_html(out, " and never below %.*f of the fastest", c->least < 0.0995 ? 3 : 2, c->least);
}

static void put_conclusions(struct text *out, const struct report_key *key)
{
	text_put(out, "<h2>In short</h2>\n<ul class=\"lead\">");
	for (enum kind kind = 0; kind <= KIND_COUNT; kind++) {
		struct conclusion all, own;
		matrix_conclude(key, kind, false, &all);
		matrix_conclude(key, kind, true, &own);
		if (all.label == NULL)
			continue;
		put_conclusion(out, kind < KIND_COUNT ? kind_names[kind] : "other scenarios", &all, false);
		if (own.label != NULL && strcmp(own.label, all.label) != 0)
			put_conclusion(out, NULL, &own, true);
		text_put(out, ".</li>\n");
	}
	text_put(out, "</ul>\n");
}

static void put_matrix_cell(struct page *page, const char *scenario_path, const struct matrix_cell *cell)
{
	struct text *out = &page->body;
	char ranks[48];

	if (cell->word == NULL) {
		text_put(out, "<td class=\"mute\">not measured</td>");
		return;
	}
	if (isnan(cell->ratio)) {
		text_html(out, "<td class=\"l bad\"><a class=\"bad\"");
		page_href(page, scenario_path, cell->wrong != NULL ? cell->wrong->anchor : NULL);
		text_html(out, ">\xe2\x9c\x97 %s</a></td>", brief_verdict(cell->word));
		return;
	}
	if (cell->low == cell->high)
		snprintf(ranks, sizeof ranks, "%zu", cell->low);
	else
		snprintf(ranks, sizeof ranks, "%zu\xe2\x80\x93%zu", cell->low, cell->high);
	text_html(out, "<td class=\"b\" style=\"--w:%.0f%%\" data-v=\"%.4g\"><b>%.*f</b> <small>#%s",
	          100 * fmin(1, cell->ratio), cell->ratio, cell->ratio < 0.0995 ? 3 : 2, cell->ratio, ranks);
	if (cell->blocks < cell->of)
		text_html(out, ", %zu of %zu", cell->blocks, cell->of);
	text_put(out, "</small></td>");
}

static void put_matrix(struct page *page, const struct report_key *key)
{
	struct text *out = &page->body;
	const struct report *report = page->site->report;
	struct matrix matrix;

	if (!matrix_make(&matrix, key)) {
		page->site->failed = true;
		return;
	}
	text_put(
		out,
		"<h2>Scenarios by implementations</h2>\n<p>A number is the ratio to the fastest correct implementation, "
		"1.00 being that one, as the geometric mean over the cells of the scenario. Behind # stands the rank; it "
		"is a range where intervals overlap or cells differ. \xe2\x80\x9cn of m\xe2\x80\x9d: it could not run in all "
		"cells of the scenario. \xe2\x9c\x97 with a word: one of its cells is broken, and it has no number.</p>\n");
	put_tools(page);
	text_put(
		out,
		"<div class=\"wide\" role=\"region\" aria-label=\"Matrix\" tabindex=\"0\"><table class=\"sort\"><caption>Ratio to the "
		"fastest correct implementation, by scenario</caption><thead><tr><th scope=\"col\" class=\"l\">implementation</th>");
	for (size_t k = 0; k < matrix.scenario_count; k++)
		text_html(out, "<th scope=\"col\">%s</th>", matrix.scenarios[k]);
	text_put(out, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < matrix.label_count && i < 400; i++) {
		char path[200];
		text_html(out, "<tr data-f=\"%s\"><th scope=\"row\">", plot_class(matrix.labels[i]));
		put_impl(page, key, matrix.labels[i]);
		text_put(out, "</th>");
		for (size_t k = 0; k < matrix.scenario_count; k++) {
			scenario_path(report, key, matrix.scenarios[k], path, sizeof path);
			put_matrix_cell(page, path, &matrix.cells[i * matrix.scenario_count + k]);
		}
		text_put(out, "</tr>\n");
	}
	text_put(out, "</tbody></table></div>\n");
	if (matrix.label_count > 400)
		text_html(out, "<p>400 of %zu implementations are shown; data/all.csv has all.</p>\n",
		          matrix.label_count);
	put_classes(page);
	text_put(out, "<h2>Scenarios</h2>\n<ul>");
	for (size_t k = 0; k < matrix.scenario_count; k++) {
		char path[200];
		const char *summary = "";
		size_t cells = 0;
		for (size_t b = 0; b < key->block_count; b++)
			if (strcmp(key->blocks[b].scenario, matrix.scenarios[k]) == 0) {
				cells++;
				if (key->blocks[b].workload != NULL)
					summary = key->blocks[b].workload->summary;
			}
		scenario_path(report, key, matrix.scenarios[k], path, sizeof path);
		text_put(out, "<li><a");
		page_href(page, path, NULL);
		text_html(out, ">%s</a>%s%s <span class=\"mute\">(%zu %s)</span></li>\n", matrix.scenarios[k],
		          summary[0] != '\0' ? ": " : "", summary, cells, cells == 1 ? "table" : "tables");
	}
	text_put(out, "</ul>\n");
	matrix_free(&matrix);
}

static void put_broken(struct page *page, const struct report_key *key)
{
	struct text *out = &page->body;
	size_t count = 0;

	for (size_t i = 0; i < key->block_count; i++)
		for (size_t k = 0; k < key->blocks[i].count; k++) {
			const struct report_block *block = &key->blocks[i];
			const struct report_cell *cell = block->cells[k];
			char path[200];
			if (!report_broken(cell))
				continue;
			if (count++ == 0)
				text_put(out, "<h2>Broken</h2>\n<ul>");
			if (count > 60)
				continue;
			scenario_path(page->site->report, key, block->scenario, path, sizeof path);
			text_put(out, "<li><span class=\"bad\">\xe2\x9c\x97</span> <a");
			page_href(page, path, block->anchor);
			text_html(out, ">%s, %s</a>: %s</li>\n", cell->label, block->scenario, cell->verdict);
		}
	if (count > 60)
		text_html(out, "<li>and %zu more</li>", count - 60);
	if (count != 0)
		text_put(out, "</ul>\n");
}

void pages_index(struct site *site, const struct report_key *key)
{
	char path[200], title[200];
	size_t cells = 0;
	page_path(site->report, key, "index", path, sizeof path);
	snprintf(title, sizeof title, "Channels on %.150s", key->name);
	struct page *page = site_page(site, path, title);

	if (page == NULL)
		return;
	for (size_t i = 0; i < key->block_count; i++)
		cells += key->blocks[i].count;
	text_html(&page->body, "<h1>Channels on %s</h1>\n", key->name);
	put_keys(page, key, "index");
	text_html(&page->body, "<p>%zu cells in %zu tables.</p>\n", cells + key->limit_count, key->block_count);
	put_facts(page, key);
	put_doubts(page, key);
	put_conclusions(&page->body, key);
	put_broken(page, key);
	put_matrix(page, key);
}
