/* SPDX-License-Identifier: MIT
 *
 * list.c - `chanbench list` prints what there is: implementations, scenarios, parameters. What all
 * commands do first is here, too: they open the implementations that they were given.
 */
#include "harness/bench/driver.h"
#include "harness/bench/grid.h"
#include "harness/child.h"
#include "harness/cli/commands.h"
#include "harness/say.h"
#include "harness/bench/workload.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int open_implementations(const struct options *options, struct impl_set *set)
{
	const char **plugins = calloc(options->count + 1, sizeof *plugins);
	size_t count = 0;

	if (plugins == NULL) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	while ((plugins[count] = options_nth(options, "plugin", count)) != NULL)
		count++;
	int failed = impl_set_open(set, plugins, count);
	free(plugins);
	/* A driver that is wrong costs one line: the others can still be measured. */
	for (size_t i = 0; failed == 0 && options_nth(options, "driver", i) != NULL; i++)
		driver_add(set, options_nth(options, "driver", i));
	if (failed == 0)
		driver_add_own(set);
	return failed != 0 ? EXIT_USAGE : EXIT_GOOD;
}

/* ------------------------------------------------------------------------------------------
 * JSON
 */

/* What it lacks: "mpsc.reserve", or "watch" for a kind that is not there at all. */
static json_t *missing_json(const struct impl_info *info)
{
	json_t *missing = json_array();
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		if (info->offered[kind] == 0)
			json_array_append_new(missing, json_string(kind_names[kind]));
		for (size_t i = 0; info->offered[kind] != 0 && kind_op(kind, i) != NULL; i++)
			if ((info->offered[kind] >> i & 1) == 0)
				json_array_append_new(missing,
				                      json_sprintf("%s.%s", kind_names[kind], kind_op(kind, i)));
	}
	return missing;
}

static json_t *implementation_json(const struct impl_info *info)
{
	json_t *kinds = json_array(), *deviations = json_array(), *reasons = json_object();
	const char *file = strrchr(info->plugin, '/');

	for (enum kind kind = 0; kind < KIND_COUNT; kind++)
		if (info->offered[kind] != 0)
			json_array_append_new(kinds, json_string(kind_names[kind]));
	for (size_t i = 0; i < info->deviation_count; i++) {
		json_array_append_new(deviations, json_string(info->deviations[i].rule));
		json_object_set_new(reasons, info->deviations[i].rule, json_string(info->deviations[i].why));
	}
	json_t *object = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "name", info->name, "family", info->family,
	                           "version", info->version, "summary", info->summary, "kinds", kinds, "deviations",
	                           deviations, "deviation_reasons", reasons, "missing", missing_json(info));
	if (file != NULL)
		json_object_set_new(object, "plugin", json_string(file + 1));
	if (info->driver.program[0] != '\0')
		json_object_set_new(object, "driver",
		                    json_string(strrchr(info->driver.program, '/') != NULL
		                                        ? strrchr(info->driver.program, '/') + 1
		                                        : info->driver.program));
	if (info->peer)
		json_object_set_new(object, "peer", json_string(info->package));
	return object;
}

static json_t *scenario_json(const struct workload *workload)
{
	json_t *kinds = json_array(), *parameters = json_object(), *presets = json_array(), *choices = json_object();
	json_t *modes = json_array();
	char copy[256], *rest = copy, *kind;

	snprintf(copy, sizeof copy, "%s", workload->kinds);
	while ((kind = strsep(&rest, " ")) != NULL)
		json_array_append_new(kinds, json_string(kind));
	for (const struct workload_param *p = workload->params; p->param != PARAM_COUNT; p++)
		json_object_set_new(parameters, param_name(p->param), json_string(p->value));
	for (const struct preset *p = workload->presets; p != NULL && p->name != NULL; p++) {
		json_array_append_new(presets, json_string(p->name));
		json_object_set_new(choices, p->name, json_string(p->params));
	}
	for (size_t i = 0; workload->modes != NULL && workload->modes[i] != NULL; i++)
		json_array_append_new(modes, json_string(workload->modes[i]));
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "name", workload->name, "summary", workload->summary,
	                 "item", workload->item, "kinds", kinds, "parameters", parameters, "presets", presets,
	                 "preset_parameters", choices, "modes", modes);
}

/* What the values of a scenario's "parameters" can be. There they are strings, since one of them
 * can be "unbounded". */
static json_t *ranges_json(void)
{
	json_t *ranges = json_object();
	for (enum param param = 0; param < PARAM_COUNT; param++) {
		const struct param_range *range = param_range(param);
		json_t *object = json_pack("{s:s}", "unit", range->unit);
		if (param != PARAM_MODE) {
			json_object_set_new(object, "minimum", json_integer((json_int_t)range->min));
			json_object_set_new(object, "maximum", json_integer((json_int_t)range->max));
			json_object_set_new(object, "multiple_of", json_integer((json_int_t)range->multiple));
		}
		json_object_set_new(ranges, range->name, object);
	}
	return ranges;
}

static int print_json(const struct impl_set *set)
{
	json_t *implementations = json_array(), *scenarios = json_array(), *absent = json_array();

	for (size_t i = 0; i < set->count; i++)
		json_array_append_new(implementations, implementation_json(&set->infos[i]));
	for (size_t i = 0; workloads[i] != NULL; i++)
		json_array_append_new(scenarios, scenario_json(workloads[i]));
	for (size_t i = 0; i < set->absent_count; i++)
		json_array_append_new(absent,
		                      json_pack("{s:s,s:s}", "name", set->absent[i].name, "why", set->absent[i].cure));
	json_t *root = json_pack("{s:o,s:o,s:o,s:o}", "implementations", implementations, "absent", absent, "scenarios",
	                         scenarios, "parameter_ranges", ranges_json());
	char *text = root != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	if (text == NULL) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	puts(text);
	free(text);
	return EXIT_GOOD;
}

/* ------------------------------------------------------------------------------------------
 * Text
 */

static void print_implementation(const struct impl_info *info)
{
	const char *file = strrchr(info->plugin, '/');

	printf("  %s %s%s%s\n", info->name, info->version, file != NULL ? ", from " : "", file != NULL ? file + 1 : "");
	if (info->summary[0] != '\0')
		printf("    %s\n", info->summary);
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		if (info->offered[kind] == 0) {
			printf("    %-10s  not offered\n", kind_names[kind]);
			continue;
		}
		const char *before = "without ";
		printf("    %-10s  ", kind_names[kind]);
		for (size_t i = 0; kind_op(kind, i) != NULL; i++)
			if ((info->offered[kind] >> i & 1) == 0) {
				printf("%s%s", before, kind_op(kind, i));
				before = ", ";
			}
		puts(before[0] == ',' ? "" : "complete");
	}
	for (size_t i = 0; i < info->deviation_count; i++)
		printf("    declares that it deviates from %s: %s\n", info->deviations[i].rule,
		       info->deviations[i].why);
}

/* A peer is shown by what it has: it lacks nearly everything. */
static void print_peer(const struct impl_info *info)
{
	char name[64];

	info_shown_name(info, name, sizeof name);
	printf("  %s %s (%s)\n    %s\n", name, info->version, info->package, info->summary);
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		if (info->offered[kind] == 0)
			continue;
		printf("    %-10s ", kind_names[kind]);
		for (size_t i = 0; kind_op(kind, i) != NULL; i++)
			if ((info->offered[kind] >> i & 1) != 0)
				printf(" %s", kind_op(kind, i));
		puts("");
	}
}

static void print_scenario(const struct workload *workload)
{
	printf("  %s: %s (%s)\n    parameters  ", workload->name, workload->summary, workload->kinds);
	for (const struct workload_param *p = workload->params; p->param != PARAM_COUNT; p++)
		printf("%s%s=%s", p == workload->params ? "" : " ", param_name(p->param), p->value);
	puts("");
	for (size_t i = 0; workload->modes != NULL && workload->modes[i] != NULL; i++)
		printf("%s%s", i == 0 ? "    modes       " : ", ", workload->modes[i]);
	if (workload->modes != NULL)
		puts("");
	for (const struct preset *p = workload->presets; p != NULL && p->name != NULL; p++)
		printf("    preset %s: %s\n      %s\n", p->name, p->summary, p->params);
}

static void print_ranges(void)
{
	puts("\nparameters (what they count, and from where to where)");
	for (enum param param = 0; param < PARAM_COUNT; param++) {
		char range[96] = "a word; see the scenario";
		if (param != PARAM_MODE)
			param_range_print(param, range, sizeof range);
		printf("  %-10s  %s: %s%s\n", param_name(param), param_range(param)->unit, range,
		       param == PARAM_CAPACITY ? ", or 'unbounded' where the scenario can run on that kind" : "");
	}
}

static int run(int argc, char **argv)
{
	struct options options;
	struct impl_set set = {0};

	child_catch_interrupts();
	int status = options_read(&options, &list_command, argc, argv);
	if (status < 0)
		status = open_implementations(&options, &set);
	else
		goto done;
	if (status != EXIT_GOOD)
		goto done;
	if (options_get(&options, "json") != NULL) {
		status = print_json(&set);
		goto done;
	}
	puts("implementations");
	for (size_t i = 0; i < set.count; i++)
		if (!set.infos[i].peer)
			print_implementation(&set.infos[i]);
	puts("\npeers (other people's; --impl=peers, or by name without '+yield')");
	for (size_t i = 0; i < set.count; i++)
		if (set.infos[i].peer)
			print_peer(&set.infos[i]);
	for (size_t i = 0; i < set.absent_count; i++)
		printf("  %s: %s\n", set.absent[i].name, set.absent[i].cure);
	puts("\nscenarios (parameters with their defaults)");
	for (size_t i = 0; workloads[i] != NULL; i++)
		print_scenario(workloads[i]);
	print_scenario(&limits);
	print_ranges();
done:
	impl_set_close(&set);
	options_close(&options);
	return status;
}

static const struct option list_options[] = {
	{"json", NULL, "as JSON, for programs", false},
	{"plugin", "FILE.so", "list what this plug-in holds, too", true},
	{"driver", "PROGRAM", "list what this program can run, too", true},
	{NULL, NULL, NULL, false},
};

const struct command list_command = {
	.name = "list",
	.usage = "[--json] [--plugin=FILE.so]...",
	.summary = "what there is: implementations with their kinds, scenarios with their parameters and presets",
	.examples = "  chanbench list\n"
		    "  chanbench list --json | jq -r '.implementations[].name'\n"
		    "  chanbench list --plugin=./mine.so\n",
	.options = list_options,
	.run = run,
};
