/* SPDX-License-Identifier: MIT */
#include "harness/report/parts.h"

#include "harness/report/plots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *brief_verdict(const char *verdict)
{
	static const char *const known[][2] = {{"ok", "ok"},
	                                       {"not done", "not done"},
	                                       {"hung", "hung"},
	                                       {"crash", "crashed"},
	                                       {"killed", "crashed"},
	                                       {"skipped", "skipped"},
	                                       {"exit", "ended early"},
	                                       {"interrupted", "interrupted"},
	                                       {"timeout", "not done"},
	                                       {"no memory", "no memory"},
	                                       {"not measured", "not measured"}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strncmp(verdict, known[i][0], strlen(known[i][0])) == 0)
			return known[i][1];
	return "wrong";
}

void scenario_path(const struct report *report, const struct report_key *key, const char *scenario, char *path,
                   size_t size)
{
	char slug[80], stem[100];
	text_slug(scenario, slug, sizeof slug);
	snprintf(stem, sizeof stem, "scenario/%s", slug);
	page_path(report, key, stem, path, size);
}

void impl_path(const struct report *report, const struct report_key *key, const char *label, char *path, size_t size)
{
	char slug[80], stem[100];
	text_slug(label, slug, sizeof slug);
	snprintf(stem, sizeof stem, "impl/%s", slug);
	page_path(report, key, stem, path, size);
}

void machine_path(const struct report_key *key, char *path, size_t size)
{
	snprintf(path, size, "machine/%s.html", key->id);
}

void put_impl(struct page *page, const struct report_key *key, const struct report_cell *cell)
{
	char path[200];
	if (cell->control == CONTROL_NULL) {
		text_put(&page->body, "null (no channel)");
		return;
	}
	if (cell->control != CONTROL_NONE) {
		text_html(&page->body, "%s", cell->label);
		return;
	}
	impl_path(page->site->report, key, cell->label, path, sizeof path);
	text_html(&page->body, "<span class=\"key %s\"></span><a", plot_class(cell));
	page_href(page, path, NULL);
	text_html(&page->body, ">%s</a>", cell->label);
}

void put_keys(struct page *page, const struct report_key *key, const char *stem)
{
	const struct report *report = page->site->report;
	if (report->key_count < 2)
		return;
	text_put(&page->body, "<ul class=\"chips\"><li class=\"mute\">Measured also:</li>");
	for (size_t i = 0; i < report->key_count; i++) {
		char path[200];
		if (&report->keys[i] == key || i > 30)
			continue;
		page_path(report, &report->keys[i], stem, path, sizeof path);
		text_put(&page->body, "<li><a");
		page_href(page, path, NULL);
		text_html(&page->body, ">%s</a> <small>%s</small></li>", report->keys[i].name, report->keys[i].id);
	}
	text_put(&page->body, "</ul>\n");
}

void put_value(struct text *out, json_t *value)
{
	if (json_is_string(value)) {
		text_html(out, "%s", json_string_value(value));
		return;
	}
	if (json_is_array(value) && json_is_object(json_array_get(value, 0)) &&
	    json_object_get(json_array_get(value, 0), "level") != NULL) {
		json_t *cache;
		size_t i;
		json_array_foreach(value, i, cache)
		{
			text_html(out, "%sL%d ", i != 0 ? ", " : "",
			          (int)json_integer_value(json_object_get(cache, "level")));
			text_html(out, "%s %.0f KiB", json_string_value(json_object_get(cache, "type")),
			          json_number_value(json_object_get(cache, "size")) / 1024);
		}
		return;
	}
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(5));
	text_html(out, "%s", text != NULL ? text : "");
	free(text);
}

static void put_fact(struct text *out, json_t *context, const char *what, const char *member)
{
	json_t *value = json_object_get(context, member);
	if (value == NULL)
		return;
	text_html(out, "<dt>%s</dt><dd>", what);
	put_value(out, value);
	text_put(out, "</dd>");
}

void put_facts(struct page *page, const struct report_key *key)
{
	const struct report *report = page->site->report;
	const struct report_run *run = report_newest(report, key);
	struct text *out = &page->body;
	char path[200];

	text_put(out, "<dl class=\"facts\">");
	put_fact(out, run->context, "measured", "date");
	put_fact(out, run->context, "commit", "commit");
	text_put(out, "<dt>machine</dt><dd><a");
	machine_path(key, path, sizeof path);
	page_href(page, path, NULL);
	text_html(out, ">%s</a></dd>", key->name);
	put_fact(out, run->context, "compiler flags", "compiler_flags");
	put_fact(out, run->context, "C library", "libc");
	put_fact(out, run->context, "placement", "placement");
	put_fact(out, run->context, "processes a cell", "processes");
	put_fact(out, run->context, "trials a process", "repetitions");
	put_fact(out, run->context, "seconds a trial", "seconds");
	put_fact(out, run->context, "seed", "seed");
	text_put(out, "<dt>file</dt><dd><a");
	snprintf(path, sizeof path, "data/%s", report->files[run->file].name);
	page_href(page, path, NULL);
	text_html(out, ">%s</a></dd></dl>\n", report->files[run->file].name);
}

void put_doubts(struct page *page, const struct report_key *key)
{
	const char *doubts = report_newest(page->site->report, key)->doubts;
	struct text *out = &page->body;

	if (doubts == NULL || doubts[0] == '\0') {
		text_put(out, "<p>\xe2\x9c\x93 Nothing that the program looks for makes these numbers doubtful.</p>\n");
		return;
	}
	text_put(out, "<div class=\"doubts\"><b>What makes these numbers doubtful</b><ul>");
	for (const char *line = doubts; *line != '\0';) {
		char one[512];
		size_t length = strcspn(line, "\n"), lead = strspn(line, " -");
		snprintf(one, sizeof one, "%.*s", (int)(length - (lead < length ? lead : length)), line + lead);
		text_html(out, "<li>%s</li>", one);
		line += length + (line[length] == '\n');
	}
	text_put(out, "</ul></div>\n");
}

void put_tools(struct page *page)
{
	if (page->site->single && strcmp(page->path, "index.html") != 0)
		return;
	text_put(&page->body,
	         "<div class=\"tools\"><label>Names: <input id=\"filter\" type=\"search\" size=\"22\" "
	         "placeholder=\"all\"></label><label>Show: <select id=\"only\"><option value=\"\">all</option>"
	         "<option value=\"own\">ours</option><option value=\"thr\">others, in C and C++</option>"
	         "<option value=\"tsk\">others, in Rust and Go</option></select></label></div>\n");
}

void put_classes(struct page *page)
{
	text_put(
		&page->body,
		"<p class=\"mute\"><span class=\"key own\"></span>ours &nbsp; <span class=\"key thr\"></span>others, in C and C++ "
		"&nbsp; <span class=\"key tsk\"></span>others, in Rust and Go</p>\n");
}

void put_params(struct text *out, const char *params)
{
	char copy[512];
	snprintf(copy, sizeof copy, "%s", params);
	for (char *part = copy, *next; part != NULL && *part != '\0'; part = next) {
		next = strchr(part, '/');
		if (next != NULL)
			*next++ = '\0';
		char *value = strchr(part, ':');
		if (value != NULL)
			*value = ' ';
		text_html(out, "%s%s", part == copy ? "" : ", ", part);
	}
}
