/* SPDX-License-Identifier: MIT
 *
 * page_method.c - how to read it all, and the files that it was made from.
 */
#include "harness/report/parts.h"
#include "harness/report/site.h"

#include <stdio.h>

void pages_method(struct site *site)
{
	struct page *page = site_page(site, "method.html", "Method");
	if (page == NULL)
		return;
	text_put(
		&page->body,
		"<h1>Method</h1>\n<h2>What is measured</h2>\n<p>A cell is a scenario, an implementation and a value for each parameter. It runs "
		"in several processes of its own, each of which repeats the trial. Every trial counts its messages: each one carries its name, and a "
		"ledger tells whether any was lost, invented, duplicated, reordered or corrupted. A cell with one bad trial has no number here: who "
		"knows what the others left out to be so fast.</p>\n"
		"<h2>Numbers</h2>\n<p>A rate is the median over all trials. Its interval (95 %) is Student's, of the logarithms of "
		"the processes' medians, since the trials of one process resemble each other. The same files give the same page, byte for byte.</p>\n<p>Where messages are sent at a fixed rate the rate says nothing. There the order is that of the "
		"median latency.</p>\n"
		"<h2>Ranks</h2>\n<p>A rank is a range. An implementation comes surely behind another only when its whole interval lies below the "
		"other's. With 2\xe2\x80\x93"
		"4 it may be second, and it may be fourth.</p>\n"
		"<p>\xe2\x80\x9c"
		"At the limit\xe2\x80\x9d: its interval reaches that of the null control, which is the harness without a channel. "
		"The harness cannot tell such implementations apart.</p>\n"
		"<h2>Ratios over several cells</h2>\n<p>The first page shows the geometric mean of the ratios to the fastest over the cells of a "
		"scenario, and how many those were when they were not all. It does not average over scenarios, runs or machines.</p>\n"
		"<h2>Noise</h2>\n<p>In each table one implementation is measured twice. What it differs from itself by is what a difference between two "
		"others has to exceed.</p>\n"
		"<h2>Verdicts</h2>\n<ul><li>\xe2\x9c\x93 ok</li><li>\xe2\x9c\x97 wrong: the ledger does not balance; the line says how</li>"
		"<li>\xe2\x9c\x97 hung: a call never returned</li><li>\xe2\x9c\x97 not done: the time was over, and it was killed</li>"
		"<li>\xe2\x9c\x97 crashed</li><li>not measured: it does not offer what the scenario needs, or was not asked for</li></ul>\n"
		"<h2>Keys</h2>\n<p>Machine (model, topology, caches, CPUs, governor, kernel series), compiler and flags, C library, placement, seconds "
		"of a trial and the version of the contract make a key. Nothing of two keys is put on one axis or averaged.</p>\n"
		"<h2>Change over commits</h2>\n<p>A series is cut where the rank sum of both sides is sure at one in a thousand and the change is at "
		"least 5 % and 2.5 standard deviations, with at least five runs on each side. It needs later runs to be sure, so it reports and "
		"never blocks.</p>\n"
		"<h2>To repeat it</h2>\n<p>Under each table stands the command that measures it again, with the seed. The files are under ");
	text_put(&page->body, "<a");
	page_href(page, "data.html", NULL);
	text_put(&page->body, ">Data</a>.</p>\n");
}

void pages_data(struct site *site)
{
	struct page *page = site_page(site, "data.html", "Data");
	if (page == NULL)
		return;
	struct text *out = &page->body;
	text_put(out, "<h1>Data</h1>\n");
	if (!site->single) {
		text_put(
			out,
			"<p><a href=\"data/all.csv\">all.csv</a> has a line for each cell of each run; <a href=\"data/index.json\">index.json</a> "
			"the names and hashes of the files.</p>\n");
	} else {
		text_put(out, "<p>The cells are in this file, too, as JSON in its element with the id \xe2\x80\x9c"
		              "cells\xe2\x80\x9d.</p>\n");
	}
	text_put(
		out,
		"<div class=\"wide\"><table><caption>Files as they were read</caption><thead><tr><th scope=\"col\" class=\"l\">file</th>"
		"<th scope=\"col\">bytes</th><th scope=\"col\" class=\"l\">SHA-256</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < site->report->file_count; i++) {
		char path[200];
		const struct report_file *file = &site->report->files[i];
		snprintf(path, sizeof path, "data/%.180s", file->name);
		text_put(out, "<tr><th scope=\"row\"><a");
		page_href(page, path, NULL);
		text_html(out, ">%s</a></th><td>%zu</td><td class=\"l\"><code>%s</code></td></tr>\n", file->name,
		          file->bytes, file->sha);
	}
	text_put(out, "</tbody></table></div>\n");
}
