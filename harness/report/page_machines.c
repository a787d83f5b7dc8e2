/* SPDX-License-Identifier: MIT
 *
 * page_machines.c - a page for each key with all that is known of it, and one that puts keys side
 * by side: each against its own `mutex`, never on one axis.
 */
#include "harness/bench/grid.h"
#include "harness/report/parts.h"
#include "harness/report/plots.h"
#include "harness/report/site.h"
#include "impls/channels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_BY_SIDE = 8 };

static void put_twins(struct page *page, const struct report_key *key)
{
	struct text *out = &page->body;
	struct samples differences = {0};

	for (size_t b = 0; b < key->block_count; b++)
		for (size_t i = 0; i < key->blocks[b].count; i++) {
			const struct report_cell *again = key->blocks[b].cells[i];
			char label[80];
			snprintf(label, sizeof label, "%.*s", (int)strcspn(again->label, "@"), again->label);
			const struct report_cell *first =
				again->control == CONTROL_AA ? report_find(&key->blocks[b], label) : NULL;
			double difference = first != NULL ? exp(fabs(log(first->score / again->score))) - 1 : NAN;
			if (difference - difference == 0)
				page->site->failed |= !samples_add(&differences, 100 * difference, 0);
		}
	if (differences.count != 0)
		text_html(
			out,
			"<h2>Noise</h2>\n<p>%zu cells were measured twice. The two differ by %.1f %% in the median, by %.1f %% at "
			"most. A difference between two implementations that is not larger is none.</p>\n",
			differences.count, stats_median(&differences), stats_max(&differences));
	samples_free(&differences);
}

static void put_limits(struct text *out, const struct report_key *key)
{
	if (key->limit_count == 0)
		return;
	text_put(
		out,
		"<h2>Limits</h2>\n<div class=\"wide\"><table><caption>What two threads do without a channel</caption><thead><tr>"
		"<th scope=\"col\" class=\"l\">limit</th><th scope=\"col\">a second</th><th scope=\"col\">95 % interval</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < key->limit_count; i++) {
		const struct report_cell *limit = key->limits[i];
		char number[GRID_TEXT];
		text_html(out, "<tr><th scope=\"row\">%s</th>",
		          strncmp(limit->params, "mode:", 5) == 0 ? limit->params + 5 : limit->label);
		if (report_broken(limit)) {
			text_html(out, "<td class=\"w bad\" colspan=\"2\">\xe2\x9c\x97 %s</td></tr>\n", limit->verdict);
			continue;
		}
		format_count(limit->rate, number, sizeof number);
		text_html(out, "<td>%s</td>", number);
		format_range(limit->interval.low, limit->interval.high, number, sizeof number);
		text_html(out, "<td>%s</td></tr>\n", number);
	}
	text_put(out, "</tbody></table></div>\n");
}

static void machine_page(struct site *site, const struct report_key *key)
{
	char path[200], title[200];
	const struct report_run *run = report_newest(site->report, key);
	const char *name;
	json_t *value;

	machine_path(key, path, sizeof path);
	snprintf(title, sizeof title, "Machine: %.150s", key->name);
	struct page *page = site_page(site, path, title);
	if (page == NULL)
		return;
	struct text *out = &page->body;
	text_html(
		out,
		"<h1>%s</h1>\n<p>Key <code>%s</code>, machine <code>%s</code>. Numbers of another key are never put on one axis "
		"with these.</p>\n<p><a",
		key->name, key->id, key->machine);
	page_path(site->report, key, "index", path, sizeof path);
	page_href(page, path, NULL);
	text_put(out, ">What was measured here</a></p>\n");
	put_doubts(page, key);
	put_twins(page, key);
	put_limits(out, key);
	text_put(out, "<h2>What the key is made of</h2>\n<dl class=\"facts\">");
	json_object_foreach(key->identity, name, value)
	{
		text_html(out, "<dt>%s</dt><dd>", name);
		put_value(out, value);
		text_put(out, "</dd>");
	}
	text_put(out, "</dl>\n<h2>What else the newest file says</h2>\n<dl class=\"facts\">");
	json_object_foreach(run->context, name, value)
	{
		if (json_object_get(key->identity, name) != NULL && strcmp(name, "kernel") != 0)
			continue;
		text_html(out, "<dt>%s</dt><dd>", name);
		put_value(out, value);
		text_put(out, "</dd>");
	}
	text_put(out, "</dl>\n");
}

/* ------------------------------------------------------------------------------------------
 * Side by side
 */

static const struct report_block *same_block(const struct report_key *key, const struct report_block *block)
{
	for (size_t i = 0; i < key->block_count; i++)
		if (strcmp(key->blocks[i].scenario, block->scenario) == 0 &&
		    strcmp(key->blocks[i].params, block->params) == 0)
			return &key->blocks[i];
	return NULL;
}

/* The first of our implementations is what the others are measured by: the textbook. */
static void put_ratio(struct text *out, const struct report_block *block, const char *label)
{
	const struct report_cell *base = block != NULL ? report_find(block, chan_registry[0]->name) : NULL;
	const struct report_cell *cell = block != NULL ? report_find(block, label) : NULL;

	if (cell == NULL || (base != NULL && isnan(base->score) && !report_broken(base))) {
		text_put(out, "<td></td>");
	} else if (report_broken(cell)) {
		text_html(out, "<td class=\"bad l\">\xe2\x9c\x97 %s</td>", brief_verdict(cell->verdict));
	} else if (base == NULL || report_broken(base)) {
		text_html(out, "<td class=\"mute\">no %s</td>", chan_registry[0]->name);
	} else {
		double ratio = cell->score / base->score;
		text_html(out, "<td data-v=\"%.4g\">%.*f%s</td>", ratio, ratio < 10 ? 2 : 1, ratio,
		          cell->rank_low == 1 ? " \xe2\x98\x85" : "");
	}
}

/* Whether the winner of a block is in front on every machine that has it, ties included. */
static void put_winners(struct text *out, const struct report *report, const struct report_block *block)
{
	size_t has = 0, same = 0;
	const char *winner = block->ranked != 0 ? block->cells[0]->label : NULL;

	for (size_t k = 0; k < report->key_count && winner != NULL; k++) {
		const struct report_block *other = same_block(&report->keys[k], block);
		const struct report_cell *cell = other != NULL ? report_find(other, winner) : NULL;
		has += other != NULL && other->ranked != 0;
		same += cell != NULL && cell->rank_low == 1;
	}
	if (winner != NULL)
		text_html(out, "<p>%s wins on the first; it is in front, alone or with others, on %zu of %zu.</p>\n",
		          winner, same, has);
}

static void put_block(struct page *page, const struct report_block *block, size_t shown)
{
	const struct report *report = page->site->report;
	struct text *out = &page->body;

	text_html(out, "<h3>%s, ", block->scenario);
	put_params(out, block->params);
	text_put(out, "</h3>\n");
	put_winners(out, report, block);
	text_put(
		out,
		"<div class=\"wide\"><table class=\"sort\"><caption>Ratio to mutex on the same machine; \xe2\x98\x85 in front there</caption>"
		"<thead><tr><th scope=\"col\" class=\"l\">implementation</th>");
	for (size_t k = 0; k < shown; k++)
		text_html(out, "<th scope=\"col\">%s<br><small>%s</small></th>", report->keys[k].name,
		          report->keys[k].id);
	text_put(out, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < block->count; i++) {
		if (block->cells[i]->control != CONTROL_NONE)
			continue;
		text_html(out, "<tr data-f=\"%s\"><th scope=\"row\">", plot_class(block->cells[i]));
		put_impl(page, &report->keys[0], block->cells[i]);
		text_put(out, "</th>");
		for (size_t k = 0; k < shown; k++)
			put_ratio(out, same_block(&report->keys[k], block), block->cells[i]->label);
		text_put(out, "</tr>\n");
	}
	text_put(out, "</tbody></table></div>\n");
}

/* The same block on each machine, each with an axis of its own. */
static void put_multiples(struct page *page, const struct report_block *block, size_t shown)
{
	struct text *out = &page->body;
	text_html(out, "<h2>Side by side: %s</h2>\n<p>", block->scenario);
	put_params(out, block->params);
	text_put(out,
	         ". Each machine has an axis of its own: compare the order and the distances, not the places.</p>\n");
	for (size_t k = 0; k < shown; k++) {
		const struct report_key *key = &page->site->report->keys[k];
		const struct report_block *other = same_block(key, block);
		if (other == NULL)
			continue;
		text_html(out, "<h3>%s <small>%s</small></h3>\n", key->name, key->id);
		plot_strip(out, (struct frame){false}, key, other);
	}
}

static void machines_page(struct site *site)
{
	const struct report *report = site->report;
	struct page *page = site_page(site, "machines.html", "Machines");
	size_t shown = report->key_count < SIDE_BY_SIDE ? report->key_count : SIDE_BY_SIDE, rows = 0;

	if (page == NULL)
		return;
	struct text *out = &page->body;
	text_put(
		out,
		"<h1>Machines</h1>\n<p>Numbers are comparable when machine, compiler, flags, C library, placement, seconds and contract "
		"version agree. Each row is one such key.</p>\n<div class=\"wide\"><table><caption>Keys</caption><thead><tr>"
		"<th scope=\"col\" class=\"l\">machine</th><th scope=\"col\" class=\"l\">key</th><th scope=\"col\">runs</th><th scope=\"col\">tables</th>"
		"<th scope=\"col\" class=\"l\">newest</th><th scope=\"col\" class=\"l\">commit</th></tr></thead><tbody>\n");
	for (size_t k = 0; k < report->key_count && k < 400; k++) {
		const struct report_key *key = &report->keys[k];
		char path[200];
		machine_path(key, path, sizeof path);
		text_put(out, "<tr><th scope=\"row\"><a");
		page_href(page, path, NULL);
		text_html(
			out,
			">%s</a></th><td class=\"l\"><code>%s</code></td><td>%zu</td><td>%zu</td><td class=\"l\">%s</td>",
			key->name, key->id, key->run_count, key->block_count, report_newest(report, key)->date);
		char commit[13];
		snprintf(commit, sizeof commit, "%s", report_newest(report, key)->commit);
		text_html(out, "<td class=\"l\"><code>%s</code></td></tr>\n", commit);
	}
	text_put(out, "</tbody></table></div>\n");
	if (report->key_count < 2) {
		text_put(out, "<p>With the files of a second machine this page compares the two.</p>\n");
		return;
	}
	const struct report_key *first = &report->keys[0];
	for (size_t b = 0; b < first->block_count; b++)
		if (first->blocks[b].ranked != 0 && same_block(&report->keys[1], &first->blocks[b]) != NULL) {
			put_multiples(page, &first->blocks[b], shown < 4 ? shown : 4);
			break;
		}
	text_put(out, "<h2>Ratios to mutex</h2>\n");
	if (shown < report->key_count)
		text_html(out, "<p>The first %zu of %zu keys are shown.</p>\n", shown, report->key_count);
	for (size_t b = 0; b < first->block_count; b++) {
		bool both = false;
		for (size_t k = 1; k < report->key_count && !both; k++)
			both = same_block(&report->keys[k], &first->blocks[b]) != NULL;
		if (!both || page->body.length > 330000)
			continue;
		put_block(page, &first->blocks[b], shown);
		rows++;
	}
	text_html(out, "<p>%zu of %zu tables of the first key.</p>\n", rows, first->block_count);
}

void pages_machines(struct site *site)
{
	machines_page(site);
	for (size_t k = 0; k < site->report->key_count; k++)
		machine_page(site, &site->report->keys[k]);
}
