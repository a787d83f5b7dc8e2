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
	size_t both = 0;

	for (enum change change = 0; change < CHANGE_COUNT; change++) {
		if (counts[change] != 0) {
			printf("%s%zu %s", before, counts[change], change_names[change]);
			before = ", ";
		}
		if (change != CHANGE_ONLY_OLD && change != CHANGE_ONLY_NEW)
			both += counts[change];
	}
	puts(before[0] == ',' ? "" : "\nno cells");
	if (both == 0) {
		say("the two files have no cell in common");
		return EXIT_USAGE;
	}
	size_t bad = counts[CHANGE_SLOWER] + counts[CHANGE_BROKEN] + counts[CHANGE_STILL_BROKEN];
	return bad != 0 ? EXIT_VERDICT : EXIT_GOOD;
}

static int run(int argc, char **argv)
{
	struct options options;
	size_t counts[CHANGE_COUNT] = {0};
	json_t *old_file = NULL, *new_file = NULL;
	int status = options_read(&options, &compare_command, argc, argv);

	if (status >= 0)
		goto done;
	status = EXIT_USAGE;
	old_file = read_file(options_nth(&options, NULL, 0));
	if (old_file == NULL)
		goto done;
	new_file = read_file(options_nth(&options, NULL, 1));
	if (new_file == NULL)
		goto done;
	if (compare_print(old_file, new_file, stdout, counts)) {
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

static const struct option compare_options[] = {{NULL, NULL, NULL, false}};

const struct command compare_command = {
	.name = "compare",
	.usage = "OLD.json NEW.json",
	.summary = "says what became faster, slower or broken from one result file to another",
	.details =
		"A cell is slower (or faster) only when the 99 % interval of the ratio of its medians does not contain "
		"1 and the ratio is\n"
		"further from 1 than the noise: the largest difference within an A/A pair of that scenario in either "
		"file, and at least\n"
		"the median of all pairs. Above 1 is better. Where messages are sent at a fixed rate, it is the ratio "
		"of the median latencies.\n"
		"Exit status: 1 when a cell became slower, or is broken in NEW.json, whatever it was in OLD.json; 2 "
		"when a file is\n"
		"no result file, or they have no cell in common.\n",
	.examples = "  chanbench bench --quick --out=old.json && git pull && ./scripts/bench --quick --out=new.json\n"
		    "  chanbench compare old.json new.json\n",
	.options = compare_options,
	.operands = 2,
	.run = run,
};
