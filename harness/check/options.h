/* SPDX-License-Identifier: MIT
 *
 * options.h - the command line of `chanbench check`.
 */
#ifndef CHANBENCH_CHECK_OPTIONS_H
#define CHANBENCH_CHECK_OPTIONS_H

#include "harness/bench/names.h"
#include "harness/check/rule.h"
#include "harness/options.h"

enum check_format { FORMAT_TEXT, FORMAT_TAP, FORMAT_JUNIT, FORMAT_JSON, FORMAT_MARKDOWN };

struct check_options {
	struct options given; /* --plugin is read from here */
	struct names impls;   /* none: all */
	struct names rules;   /* ids and patterns ("B-*"); none: all */
	unsigned kinds;       /* bit k: enum kind k */
	uint64_t timeout_ns;
	uint64_t repeat; /* how often all of it is run, at most */
	bool list;
	bool matrix;
	bool strict_peers; /* a peer that fails fails the run */
	enum check_format format;
	const char *out; /* NULL: the standard output */
};

/* -1 to go on; else the exit status to leave with. End with check_options_free, whatever it
 * returned. */
int check_options_read(struct check_options *options, int argc, char **argv);
void check_options_free(struct check_options *options);

/* Whether the rule was asked for. */
bool check_options_rule(const struct check_options *options, const char *id);

#endif
