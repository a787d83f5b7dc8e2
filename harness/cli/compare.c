/* SPDX-License-Identifier: MIT
 *
 * compare.c - `chanbench compare`: from one result file to another.
 */
#include "harness/bench/compare.h"
#include "harness/bench/results.h"
#include "harness/cli/commands.h"
#include "harness/say.h"

/* Reads a file whose numbers can be true. */
static json_t *read_file(const char *path)
{
	json_t *file = results_read(path);
	const char *absurd = compare_absurd(json_object_get(file, "benchmarks"));
	if (absurd == NULL)
		return file;
	say("'%s' is no result file: %s", path, absurd);
	json_decref(file);
	return NULL;
}

static int conclude(const size_t counts[CHANGE_COUNT])
{
	const char *before = "\n";
	size_t both = 0, bad = counts[CHANGE_SLOWER] + counts[CHANGE_BROKEN] + counts[CHANGE_STILL_BROKEN];

	for (enum change change = 0; change < CHANGE_COUNT; change++) {
		if (counts[change] != 0) {
			printf("%s%zu %s", before, counts[change], change_names[change]);
			before = ", ";
		}
		if (change != CHANGE_ONLY_OLD && change != CHANGE_ONLY_NEW)
			both += counts[change];
	}
	puts(before[0] == ',' ? "" : "\nno cells");
	if (both == 0 && bad == 0) {
		say("the two files have no cell in common: nothing was compared");
		return EXIT_USAGE;
	}
	if (both == counts[CHANGE_UNCLEAR]) {
		say("nothing was compared: no cell has a figure of enough processes in both files (5 are)");
		return EXIT_USAGE;
	}
	return bad != 0 ? EXIT_VERDICT : EXIT_GOOD;
}

/* Numbers of two machines say nothing about what changed. */
static bool may_compare(json_t *old_file, json_t *new_file, bool across)
{
	const char *differ =
		compare_machines(json_object_get(old_file, "context"), json_object_get(new_file, "context"));
	if (differ == NULL || across)
		return true;
	say("the files are of different machines (%s): --across-machines compares ratios to mutex", differ);
	return false;
}

static int run(int argc, char **argv)
{
	struct options options;
	struct screen screen;
	size_t counts[CHANGE_COUNT] = {0};
	json_t *old_file = NULL, *new_file = NULL;
	int status = options_read(&options, &compare_command, argc, argv);

	if (status >= 0)
		goto done;
	status = EXIT_USAGE;
	bool across = options_get(&options, "across-machines") != NULL;
	if (!screen_open(&screen, stdout, options_get(&options, "color"))) {
		say("--color must be auto, always or never, not '%s'", options_get(&options, "color"));
		goto done;
	}
	old_file = read_file(options_nth(&options, NULL, 0));
	if (old_file == NULL)
		goto done;
	new_file = read_file(options_nth(&options, NULL, 1));
	if (new_file == NULL || !may_compare(old_file, new_file, across))
		goto done;
	if (compare_print(old_file, new_file, across, options_get(&options, "all") != NULL, &screen, counts)) {
		status = conclude(counts);
	} else {
		say("out of memory");
		status = EXIT_MACHINE;
	}
done:
	json_decref(old_file);
	json_decref(new_file);
	options_close(&options);
	return status;
}

static const struct option compare_options[] = {
	{"all", NULL, "list every cell, not only those that changed", false},
	{"across-machines", NULL, "files of different machines: compare ratios to mutex in each", false},
	{"color", "auto|always|never", "colours: on a terminal without NO_COLOR (auto)", false},
	{NULL, NULL, NULL, false},
};

const struct command compare_command = {
	.name = "compare",
	.usage = "OLD.json NEW.json [--all] [--across-machines] [--color=WHEN]",
	.summary = "says what became faster, slower or broken from one result file to another",
	.details =
		"Each process counts once, with the median of its trials; 8 in both files are good, 5 the least. A cell is "
		"slower (or\n"
		"faster) when the 99 % interval of the ratio does not contain 1, its q among all cells is at most 0.05, and it "
		"changed by\n"
		"more than half of the A/A pairs do. 'perhaps' lacks only the q: measure again. 'same' is said where a change "
		"of 25 %\n"
		"would have been seen, 'could not see' where not; 'sees' is the least change that the cell shows. Above 1 is "
		"better. Where\n"
		"messages are sent at a fixed rate, it is the ratio of the median latencies.\n"
		"Exit status: 1 when a cell became slower, or is broken in NEW.json, whatever it was in OLD.json; 2 when a "
		"file is no\n"
		"result file, when they are of different machines, or when there was nothing to compare.\n",
	.examples = "  chanbench bench --quick --out=old.json && git pull && ./scripts/bench --quick --out=new.json\n"
		    "  chanbench compare old.json new.json\n",
	.options = compare_options,
	.operands = 2,
	.run = run,
};
