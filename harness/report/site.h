/* SPDX-License-Identifier: MIT
 *
 * site.h - the pages of a report: how they refer to each other, and how they get onto the disk.
 *
 * The same pages make a folder of files, or one file that holds them all; what differs is where a
 * reference points. A site replaces its folder in one step: there is the old one or the whole new
 * one.
 */
#ifndef CHANBENCH_REPORT_SITE_H
#define CHANBENCH_REPORT_SITE_H

#include "harness/report/model.h"
#include "harness/report/text.h"

struct page {
	struct site *site;
	char path[200]; /* "scenario/fan_in.html" */
	char title[200];
	struct text body;
};

struct site {
	const struct report *report;
	bool single; /* one file: references are anchors */
	struct page **pages;
	size_t count;
	bool failed; /* there was no memory */
};

/* A new page at the end of the site. NULL: no memory; the site has noted that. */
struct page *site_page(struct site *site, const char *path, const char *title);
void site_close(struct site *site);

/* Adds ` href="..."` that leads from this page to an anchor (NULL: none) of another. */
void page_href(struct page *page, const char *path, const char *anchor);
/* Adds ` id="..."`. */
void page_id(struct page *page, const char *anchor);

/* "index.html", "index.3f2a91c0.html": a page of that stem for a key. The key shown first has the
 * short name. */
void page_path(const struct report *report, const struct report_key *key, const char *stem, char *path, size_t size);

/* The pages, each adding its own. */
void pages_index(struct site *site, const struct report_key *key);
void pages_scenario(struct site *site, const struct report_key *key);
void pages_impl(struct site *site, const struct report_key *key);
void pages_machines(struct site *site);
void pages_trend(struct site *site);
void pages_compare(struct site *site);
void pages_method(struct site *site);
void pages_data(struct site *site);

/* Makes all of them; false: no memory. */
bool site_make(struct site *site, const struct report *report, bool single);

/* Write: 0, or the exit status after one line. */
int site_write(const struct site *site, const char *folder);
int site_write_single(const struct site *site, const char *path);
/* The matrix and one plot a scenario, each a picture of its own. */
int site_write_svgs(const struct report *report, const char *folder);

#endif
