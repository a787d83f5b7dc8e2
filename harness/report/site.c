/* SPDX-License-Identifier: MIT */
#include "harness/report/site.h"

#include "harness/report/sha256.h"
#include "harness/bench/results.h"
#include "harness/report/plots.h"
#include "harness/say.h"
#include "report_assets.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------
 * Pages
 */

struct page *site_page(struct site *site, const char *path, const char *title)
{
	struct page **pages = realloc(site->pages, (site->count + 1) * sizeof *pages);
	struct page *page = calloc(1, sizeof *page);

	if (pages != NULL)
		site->pages = pages;
	if (pages == NULL || page == NULL) {
		free(page);
		site->failed = true;
		return NULL;
	}
	site->pages[site->count++] = page;
	page->site = site;
	snprintf(page->path, sizeof page->path, "%s", path);
	snprintf(page->title, sizeof page->title, "%s", title);
	return page;
}

void site_close(struct site *site)
{
	for (size_t i = 0; i < site->count; i++) {
		text_free(&site->pages[i]->body);
		free(site->pages[i]);
	}
	free(site->pages);
	*site = (struct site){.pages = NULL};
}

/* "scenario/fan_in.html" -> "scenario-fan_in", what anchors of that page begin with in one file. */
static void page_prefix(const char *path, char *prefix, size_t size)
{
	size_t length = strlen(path);
	snprintf(prefix, size, "%.*s", (int)(length > 5 ? length - 5 : length), path);
	for (char *c = prefix; *c != '\0'; c++)
		if (*c == '/')
			*c = '-';
}

static void put_href(struct text *out, bool single, const char *from, const char *path, const char *anchor)
{
	char prefix[200];
	bool data = strncmp(path, "data/", 5) == 0;

	if (single && data)
		return; /* what is one file has no data beside it */
	page_prefix(path, prefix, sizeof prefix);
	if (single)
		text_html(out, " href=\"#%s%s%s\"", prefix, anchor != NULL ? "--" : "", anchor);
	else
		text_html(out, " href=\"%s%s%s%s\"", strchr(from, '/') != NULL ? "../" : "", path,
		          anchor != NULL ? "#" : "", anchor);
}

void page_href(struct page *page, const char *path, const char *anchor)
{
	put_href(&page->body, page->site->single, page->path, path, anchor);
}

void page_id(struct page *page, const char *anchor)
{
	char prefix[200];
	page_prefix(page->path, prefix, sizeof prefix);
	if (page->site->single)
		text_html(&page->body, " id=\"%s--%s\"", prefix, anchor);
	else
		text_html(&page->body, " id=\"%s\"", anchor);
}

void page_path(const struct report *report, const struct report_key *key, const char *stem, char *path, size_t size)
{
	if (key == &report->keys[0])
		snprintf(path, size, "%.150s.html", stem);
	else
		snprintf(path, size, "%.150s.%s.html", stem, key->id);
}

bool site_make(struct site *site, const struct report *report, bool single)
{
	*site = (struct site){.report = report, .single = single};
	for (size_t k = 0; k < report->key_count; k++)
		pages_index(site, &report->keys[k]);
	for (size_t k = 0; k < report->key_count; k++)
		pages_scenario(site, &report->keys[k]);
	for (size_t k = 0; k < report->key_count; k++)
		pages_impl(site, &report->keys[k]);
	pages_machines(site);
	pages_trend(site);
	pages_compare(site);
	pages_method(site);
	pages_data(site);
	for (size_t i = 0; i < site->count; i++)
		site->failed |= site->pages[i]->body.failed;
	return !site->failed;
}

/* ------------------------------------------------------------------------------------------
 * What stands around a page
 */

static const char *const navigation[][2] = {{"index.html", "Overview"}, {"machines.html", "Machines"},
                                            {"trend.html", "Trend"},    {"compare.html", "Compare"},
                                            {"method.html", "Method"},  {"data.html", "Data"}};

static void put_head(struct text *out, const char *title, const char *policy)
{
	text_put(out, "<!DOCTYPE html>\n<html lang=\"en\" class=\"nojs\"><head><meta charset=\"utf-8\">"
	              "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
	text_put(out, policy);
	text_put(out,
	         "; img-src data:; base-uri 'none'; form-action 'none'\">"
	         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
	         "<meta name=\"referrer\" content=\"no-referrer\"><meta name=\"color-scheme\" content=\"light dark\">"
	         "<link rel=\"icon\" href=\"data:,\">");
	text_html(out, "<title>%s - chanbench</title>", title);
}

static void put_header(struct text *out, const struct site *site, const char *from)
{
	text_put(out, "</head>\n<body><a class=\"skip\" href=\"#main\">To the content</a><header><div><b>chanbench</b>"
	              "<nav aria-label=\"Pages\">");
	for (size_t i = 0; i < sizeof navigation / sizeof navigation[0]; i++) {
		text_put(out, "<a");
		put_href(out, site->single, from, navigation[i][0], NULL);
		if (strcmp(from, navigation[i][0]) == 0)
			text_put(out, " aria-current=\"page\"");
		text_html(out, ">%s</a> ", navigation[i][1]);
	}
	text_put(
		out,
		"</nav><button id=\"theme\" type=\"button\">Light / dark</button></div></header>\n<main id=\"main\">\n");
}

static void put_footer(struct text *out)
{
	text_put(out,
	         "</main>\n<footer>Made by <code>chanbench report</code>. Nothing on this page asks another server for "
	         "anything.</footer>\n");
}

static void put_page(struct text *out, const struct page *page)
{
	const char *up = strchr(page->path, '/') != NULL ? "../" : "";
	put_head(out, page->title, "style-src 'self' 'unsafe-inline'; script-src 'self'");
	text_html(out, "<link rel=\"stylesheet\" href=\"%sassets/report.css\">", up);
	put_header(out, page->site, page->path);
	text_add(out, page->body.at != NULL ? page->body.at : "", page->body.length);
	put_footer(out);
	text_html(out, "<script src=\"%sassets/report.js\"></script></body></html>\n", up);
}

/* ------------------------------------------------------------------------------------------
 * Data
 */

static void csv_field(struct text *out, const char *string)
{
	/* A spreadsheet takes these for a formula. */
	bool formula = strchr("=+-@\t\r", string[0]) != NULL && string[0] != '\0';
	text_put(out, formula ? "\"'" : "\"");
	for (const char *s = string; *s != '\0'; s++)
		text_add(out, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
	text_put(out, "\"");
}

static void csv_number(struct text *out, double value)
{
	char number[48] = ",";
	if (value - value == 0) /* finite */
		snprintf(number, sizeof number, ",%.6g", value);
	text_put(out, number);
}

static void put_csv(struct text *out, const struct report *report)
{
	text_put(
		out,
		"key,commit,date,scenario,implementation,parameters,control,peer,verdict,trials,items_per_second,low,high");
	for (size_t i = 0; i < FIGURES; i++) {
		text_put(out, ",");
		text_put(out, report_figures[i].member);
	}
	text_put(out, "\n");
	for (size_t r = 0; r < report->run_count; r++) {
		const struct report_run *run = &report->runs[r];
		for (size_t i = 0; i < run->count; i++) {
			const struct report_cell *cell = &run->cells[i];
			const char *const fields[] = {
				report->keys[run->key].id,
				run->commit,
				run->date,
				cell->scenario,
				cell->label,
				cell->params,
				control_names[cell->control] != NULL ? control_names[cell->control] : "",
				cell->package,
				cell->verdict};
			for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++) {
				text_put(out, k == 0 ? "" : ",");
				csv_field(out, fields[k]);
			}
			csv_number(out, (double)cell->rates.count);
			csv_number(out, cell->rate);
			csv_number(out, cell->interval.low);
			csv_number(out, cell->interval.high);
			for (size_t k = 0; k < FIGURES; k++)
				csv_number(out, cell->figures[k]);
			text_put(out, "\n");
		}
	}
}

static void put_index(struct text *out, const struct report *report)
{
	text_put(out, "{\"generator\": \"chanbench report\", \"files\": [");
	for (size_t i = 0; i < report->file_count; i++) {
		const struct report_file *file = &report->files[i];
		text_put(out, i == 0 ? "\n {\"name\": " : ",\n {\"name\": ");
		text_json(out, file->name);
		text_html(out, ", \"bytes\": %zu, \"sha256\": \"%s\", \"kind\": \"%s\"}", file->bytes, file->sha,
		          file->check ? "rules" : "results");
	}
	text_put(out, "\n]}\n");
}

/* The cells as other programs like to have them, for a page that stands alone. */
static void put_cells_json(struct text *out, const struct report *report)
{
	text_put(out, "[");
	bool first = true;
	for (size_t k = 0; k < report->key_count; k++)
		for (size_t b = 0; b < report->keys[k].block_count; b++) {
			const struct report_block *block = &report->keys[k].blocks[b];
			for (size_t i = 0; i < block->count; i++) {
				const struct report_cell *cell = block->cells[i];
				text_put(out, first ? "\n{\"key\":" : ",\n{\"key\":");
				first = false;
				text_json(out, report->keys[k].id);
				text_put(out, ",\"name\":");
				text_json(out, cell->name);
				text_put(out, ",\"verdict\":");
				text_json(out, cell->verdict);
				if (cell->rate > 0)
					text_html(out, ",\"rate\":%.5g,\"low\":%.5g,\"high\":%.5g", cell->rate,
					          cell->interval.low, cell->interval.high);
				text_put(out, "}");
			}
		}
	text_put(out, "\n]");
}

/* ------------------------------------------------------------------------------------------
 * Writing
 */

static int refuse(const char *path, int error)
{
	say("cannot write '%s': %s", path, strerror(error));
	return EXIT_MACHINE;
}

static int write_file(const char *folder, const char *name, const char *bytes, size_t length)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= PATH_MAX)
		return refuse(name, ENAMETOOLONG);
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return refuse(path, errno);
	errno = 0;
	size_t written = fwrite(bytes, 1, length, file);
	int error = written == length ? 0 : errno;
	if (fclose(file) != 0 && error == 0)
		error = errno;
	return written == length && error == 0 ? EXIT_GOOD : refuse(path, error != 0 ? error : EIO);
}

static int write_text(const char *folder, const char *name, struct text *text)
{
	int status = text->failed ? refuse(name, ENOMEM)
	                          : write_file(folder, name, text->at != NULL ? text->at : "", text->length);
	text_free(text);
	return status;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tree(const char *folder)
{
	nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The bytes that were hashed: a file that has changed meanwhile is not what the report shows. */
static int copy_data(const struct report_file *file, const char *folder)
{
	struct text text = {.at = NULL};
	char part[65536], sha[65];
	size_t n;
	FILE *from = fopen(file->path, "re");

	while (from != NULL && (n = fread(part, 1, sizeof part, from)) != 0)
		text_add(&text, part, n);
	if (from != NULL)
		fclose(from);
	sha256_hex(text.at != NULL ? text.at : "", text.length, sha);
	if (strcmp(sha, file->sha) != 0) {
		text_free(&text);
		say("'%s' has changed since it was read: call this again", file->path);
		return EXIT_MACHINE;
	}
	return write_text(folder, file->name, &text);
}

static int make_folder(const char *parent, const char *name)
{
	char path[PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", parent, name);
	return mkdir(path, 0777) == 0 ? EXIT_GOOD : refuse(path, errno);
}

static int write_all(const struct site *site, const char *folder)
{
	static const char *const folders[] = {"assets", "data", "scenario", "impl", "machine"};
	char data[PATH_MAX + 8];
	struct text text = {.at = NULL};
	int status = EXIT_GOOD;

	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && status == EXIT_GOOD; i++)
		status = make_folder(folder, folders[i]);
	for (size_t i = 0; i < site->count && status == EXIT_GOOD; i++) {
		put_page(&text, site->pages[i]);
		status = write_text(folder, site->pages[i]->path, &text);
	}
	if (status == EXIT_GOOD)
		status = write_file(folder, "assets/report.css", asset_report_css, strlen(asset_report_css));
	if (status == EXIT_GOOD)
		status = write_file(folder, "assets/report.js", asset_report_js, strlen(asset_report_js));
	snprintf(data, sizeof data, "%s/data", folder);
	for (size_t i = 0; i < site->report->file_count && status == EXIT_GOOD; i++)
		status = copy_data(&site->report->files[i], data);
	if (status == EXIT_GOOD) {
		put_csv(&text, site->report);
		status = write_text(data, "all.csv", &text);
	}
	if (status == EXIT_GOOD) {
		put_index(&text, site->report);
		status = write_text(data, "index.json", &text);
	}
	return status;
}

/* Whether a folder may be replaced: it is empty, or a report. */
static bool replaceable(const char *folder)
{
	char path[PATH_MAX + 32], line[256] = "";
	if (rmdir(folder) == 0)
		return mkdir(folder, 0777) == 0;
	snprintf(path, sizeof path, "%s/data/index.json", folder);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	bool ours =
		fgets(line, sizeof line, file) != NULL && strstr(line, "\"generator\": \"chanbench report\"") != NULL;
	fclose(file);
	return ours;
}

int site_write(const struct site *site, const char *folder)
{
	char temporary[PATH_MAX], target[PATH_MAX];
	struct stat st;
	size_t length = strlen(folder);

	while (length > 1 && folder[length - 1] == '/')
		length--;
	snprintf(target, sizeof target, "%.*s", (int)length, folder);
	bool exists = stat(target, &st) == 0;
	if (exists && !S_ISDIR(st.st_mode)) {
		say("cannot write '%s': it is a file; --out takes a folder, and --single=FILE.html one file", target);
		return EXIT_USAGE;
	}
	if (exists && !replaceable(target)) {
		say("'%s' has something else than a report in it: name a folder that does not exist", target);
		return EXIT_USAGE;
	}
	if (exists && realpath(folder, target) == NULL)
		return refuse(folder, errno);
	if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", target) >= PATH_MAX)
		return refuse(folder, ENAMETOOLONG);
	if (mkdtemp(temporary) == NULL)
		return refuse(folder, errno);
	mode_t mask = umask(0);
	umask(mask);
	chmod(temporary, 0777 & ~mask);
	int status = write_all(site, temporary);
	if (status == EXIT_GOOD && exists && renameat2(AT_FDCWD, temporary, AT_FDCWD, target, RENAME_EXCHANGE) != 0) {
		/* Not every file system can exchange two folders. */
		remove_tree(target);
		exists = false;
	}
	if (status == EXIT_GOOD && !exists) {
		if (rename(temporary, target) == 0)
			return EXIT_GOOD;
		status = refuse(folder, errno);
	}
	remove_tree(temporary);
	return status;
}

static int write_document(const char *path, struct text *text)
{
	struct results_out out;
	int status = text->failed ? refuse(path, ENOMEM) : EXIT_GOOD;

	if (status == EXIT_GOOD &&
	    (results_open(&out, path, text->length) != 0 || results_write_text(&out, text->at) != 0))
		status = EXIT_MACHINE; /* it was said */
	text_free(text);
	return status;
}

int site_write_single(const struct site *site, const char *path)
{
	struct text out = {.at = NULL};
	char hash[45], policy[160], prefix[200];

	sha256_base64(asset_report_js, strlen(asset_report_js), hash);
	snprintf(policy, sizeof policy, "style-src 'unsafe-inline'; script-src 'sha256-%s'", hash);
	put_head(&out, site->pages[0]->title, policy);
	text_put(&out, "<style>");
	text_put(&out, asset_report_css);
	text_put(&out, "</style>");
	put_header(&out, site, "index.html");
	for (size_t i = 0; i < site->count; i++) {
		page_prefix(site->pages[i]->path, prefix, sizeof prefix);
		text_html(&out, "<section id=\"%s\">\n", prefix);
		text_add(&out, site->pages[i]->body.at != NULL ? site->pages[i]->body.at : "",
		         site->pages[i]->body.length);
		text_put(&out, "</section>\n");
	}
	put_footer(&out);
	text_put(&out, "<script type=\"application/json\" id=\"cells\">");
	put_cells_json(&out, site->report);
	text_put(&out, "</script><script>");
	text_put(&out, asset_report_js);
	text_put(&out, "</script></body></html>");
	return write_document(path, &out);
}
