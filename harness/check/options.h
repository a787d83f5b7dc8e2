/* SPDX-License-Identifier: MIT
 *
 * options.h - the command line of `chanbench check`.
 */
#ifndef CHANBENCH_CHECK_OPTIONS_H
#define CHANBENCH_CHECK_OPTIONS_H

#include "harness/check/rule.h"

#define OPTION_PLUGINS_MAX 64

struct check_options {
	const char *impls; /* names separated by commas; NULL: all */
	const char *rules; /* ids and patterns ("B-*") separated by commas; NULL: all */
	unsigned kinds;    /* bit k: enum kind k */
	const char *plugins[OPTION_PLUGINS_MAX];
	size_t plugin_count;
	uint64_t timeout_ns;
	bool list, help;
};

/* 0, or -1 after saying what is wrong. */
int check_options_parse(int argc, char **argv, struct check_options *options);

void check_options_help(void);

/* Whether a list like "M-12,B-*" names the rule. */
bool rule_list_names(const char *list, const char *id);

/* Takes the next word of a list: its length, or 0 at the end; `*list` moves behind it. */
size_t list_next(const char **list, const char **word);

#endif
