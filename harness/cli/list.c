/* SPDX-License-Identifier: MIT
 *
 * list.c - `chanbench list`: what there is.
 */
#include "harness/bench/grid.h"
#include "harness/child.h"
#include "harness/cli/commands.h"
#include "harness/say.h"
#include "scenarios/workloads/workload.h"

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
	return failed != 0 ? EXIT_USAGE : EXIT_GOOD;
}

/* ------------------------------------------------------------------------------------------------------------------
 * JSON
 */

/* "mpsc.reserve", and "watch" for a kind that is not there at all. */
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
	return object;
}

static json_t *scenario_json(const struct workload *workload)
{
	json_t *kinds = json_array(), *parameters = json_object(), *presets = json_array(), *choices = json_object();
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
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "name", workload->name, "summary", workload->summary, "item",
	                 workload->item, "kinds", kinds, "parameters", parameters, "presets", presets,
	                 "preset_parameters", choices);
}

static int print_json(const struct impl_set *set)
{
	json_t *implementations = json_array(), *scenarios = json_array();

	for (size_t i = 0; i < set->count; i++)
		json_array_append_new(implementations, implementation_json(&set->infos[i]));
	for (size_t i = 0; workloads[i] != NULL; i++)
		json_array_append_new(scenarios, scenario_json(workloads[i]));
	json_t *root = json_pack("{s:o,s:o}", "implementations", implementations, "scenarios", scenarios);
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

/* ------------------------------------------------------------------------------------------------------------------
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
		print_implementation(&set.infos[i]);
	puts("\nscenarios (parameters with their defaults)");
	for (size_t i = 0; workloads[i] != NULL; i++)
		print_scenario(workloads[i]);
done:
	impl_set_close(&set);
	options_close(&options);
	return status;
}

static const struct option list_options[] = {
	{"json", NULL, "as JSON, for programs", false},
	{"plugin", "FILE.so", "list what this plug-in holds, too", true},
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
