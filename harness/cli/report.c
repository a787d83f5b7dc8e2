/* SPDX-License-Identifier: MIT
 *
 * report.c - `chanbench report`: from result files to pages.
 */
#include "harness/cli/commands.h"
#include "harness/report/site.h"
#include "harness/say.h"

#include <stdio.h>
#include <stdlib.h>

static int write_all(const struct report *report, const char *out, const char *single, const char *svg)
{
	struct site site = {.pages = NULL};
	int status = EXIT_GOOD;

	if (out != NULL) {
		status = site_make(&site, report, false) ? site_write(&site, out) : EXIT_MACHINE;
		if (site.failed)
			say("out of memory");
		site_close(&site);
	}
	if (single != NULL && status == EXIT_GOOD) {
		status = site_make(&site, report, true) ? site_write_single(&site, single) : EXIT_MACHINE;
		if (site.failed)
			say("out of memory");
		site_close(&site);
	}
	if (svg != NULL && status == EXIT_GOOD)
		status = site_write_svgs(report, svg);
	return status;
}

static int run(int argc, char **argv)
{
	struct options options;
	struct report report = {.rules = NULL};
	const char **paths = NULL;
	size_t count = 0;
	int status = options_read(&options, &report_command, argc, argv);

	if (status >= 0)
		goto done;
	const char *out = options_get(&options, "out"), *single = options_get(&options, "single");
	const char *svg = options_get(&options, "svg");
	status = EXIT_USAGE;
	if (out == NULL && single == NULL && svg == NULL) {
		say("report: say where to write: --out=FOLDER, --single=FILE.html or --svg=FOLDER");
		goto done;
	}
	paths = calloc(options.count + 1, sizeof *paths);
	if (paths == NULL) {
		say("out of memory");
		status = EXIT_MACHINE;
		goto done;
	}
	while ((paths[count] = options_nth(&options, NULL, count)) != NULL)
		count++;
	status = report_read(&report, paths, count);
	if (status == EXIT_GOOD)
		status = write_all(&report, out, single, svg);
done:
	report_close(&report);
	free(paths);
	options_close(&options);
	return status;
}

static const struct option report_options[] = {
	{"out", "FOLDER", "write the pages to this folder, index.html first; an older report there is replaced", false},
	{"single", "FILE.html", "write all of it as one file", false},
	{"svg", "FOLDER", "write the matrix and a plot of each scenario as pictures", false},
	{NULL, NULL, NULL, false},
};

const struct command report_command = {
	.name = "report",
	.usage = "FILE.json|FOLDER...",
	.summary = "makes pages of result files: tables, every trial as a dot, machines, commits",
	.details =
		"Files are those of 'bench --out' and, for the matrix of rules, of 'check --rules --json'. Of a folder all *.json below it are\n"
		"read. Numbers stand on one axis only when machine, compiler, flags, libc, placement, seconds and contract agree.\n"
		"The pages need no server and no network. The same files give the same bytes.\n"
		"Exit status: 2 when there is no result file, or the folder has something else in it; 3 when it cannot be written.\n",
	.examples = "  chanbench report all.json --out=site\n"
		    "  chanbench report runs/ rules.json --out=site --single=report.html --svg=pictures\n",
	.options = report_options,
	.operands = OPERANDS_MANY,
	.run = run,
};
