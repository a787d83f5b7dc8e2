/* SPDX-License-Identifier: MIT
 *
 * parts.h - what several pages have.
 */
#ifndef CHANBENCH_REPORT_PARTS_H
#define CHANBENCH_REPORT_PARTS_H

#include "harness/report/site.h"

/* "lost 12 of 100000" -> "wrong", "not done after 24 s, killed" -> "not done": a word for a
 * matrix. */
const char *brief_verdict(const char *verdict);

/* The page of a scenario; further pages of one that is long have a number. */
void scenario_path(const struct report *report, const struct report_key *key, const char *scenario, char *path,
                   size_t size);
void impl_path(const struct report *report, const struct report_key *key, const char *label, char *path, size_t size);
void machine_path(const struct report_key *key, char *path, size_t size);

/* The name of an implementation, with the mark of its class, leading to its page. */
void put_impl(struct page *page, const struct report_key *key, const struct report_cell *cell);

/* Links to the same page of the other keys, where there are any. */
void put_keys(struct page *page, const struct report_key *key, const char *stem);

/* What, where, when, by which commit; what makes it doubtful. */
void put_facts(struct page *page, const struct report_key *key);
void put_doubts(struct page *page, const struct report_key *key);

/* The filter, once a document; what the marks of the classes mean. */
void put_tools(struct page *page);
void put_classes(struct page *page);

/* "producers:4/capacity:32" as "producers 4, capacity 32". */
void put_params(struct text *out, const char *params);

/* A value of the context as text. */
void put_value(struct text *out, json_t *value);

#endif
