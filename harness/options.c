/* SPDX-License-Identifier: MIT */
#include "harness/options.h"

#include "harness/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Flags of google-benchmark that ours replace: it is the engine, and knows only of one trial. */
static const struct {
	const char *theirs, *ours;
} replaced[] = {
	{"benchmark_out", "--out=FILE.json"},
	{"benchmark_out_format", "--out=FILE.json (the format is always JSON)"},
	{"benchmark_format", "--out=FILE.json for JSON; stdout always has the table"},
	{"benchmark_repetitions", "--repetitions=N (and --processes=N)"},
	{"benchmark_filter", "--impl=A,B, --scenario=X,Y, --preset=NAME and --param=k=v (exact names)"},
	{"benchmark_min_time", "--seconds=T"},
	{"benchmark_min_warmup_time", "--seconds=T"},
	{"benchmark_list_tests", "--list-cells"},
	{"benchmark_enable_random_interleaving", "--seed=N (cells are always shuffled)"},
	{"benchmark_report_aggregates_only", "--out=FILE.json (it always has every trial)"},
	{"benchmark_display_aggregates_only", "--out=FILE.json (it always has every trial)"},
	{"benchmark_context", "--out=FILE.json (its context is complete)"},
};

static void print_help(const struct command *command)
{
	printf("chanbench %s - %s\n\nusage: chanbench %s %s\n\n", command->name, command->summary, command->name,
	       command->usage);
	for (const struct option *option = command->options; option->name != NULL; option++) {
		char head[64];
		snprintf(head, sizeof head, "--%s%s%s", option->name, option->argument != NULL ? "=" : "",
		         option->argument != NULL ? option->argument : "");
		printf("  %-28s  %s%s\n", head, option->help, option->many ? " (may be given more than once)" : "");
	}
	printf("  %-28s  this text\n", "--help");
	if (command->details != NULL)
		printf("\n%s", command->details);
	printf("\nexamples:\n%s", command->examples);
}

static const struct option *find(const struct command *command, const char *name, size_t length)
{
	for (const struct option *option = command->options; option->name != NULL; option++)
		if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
			return option;
	return NULL;
}

static void refuse_unknown(const struct command *command, const char *argument, size_t length)
{
	char typed[128];
	const char *names[64];
	size_t count = 0;

	snprintf(typed, sizeof typed, "%.*s", (int)(length < 127 ? length : 127), argument);
	for (size_t i = 0; i < sizeof replaced / sizeof replaced[0]; i++)
		if (strcmp(typed, replaced[i].theirs) == 0) {
			say("--%s is google-benchmark's: use %s", typed, replaced[i].ours);
			return;
		}
	if (strncmp(typed, "benchmark_", 10) == 0) {
		say("--%s is google-benchmark's and has no use here: see 'chanbench %s --help'", typed, command->name);
		return;
	}
	for (const struct option *option = command->options; option->name != NULL && count < 64; option++)
		names[count++] = option->name;
	const char *nearest = say_nearest(typed, names, count);
	if (nearest != NULL)
		say("%s: unknown option '--%s'; did you mean '--%s'?", command->name, typed, nearest);
	else
		say("%s: unknown option '--%s': see 'chanbench %s --help'", command->name, typed, command->name);
}

/* Takes the option at argv[*i], with its value from there or from the next argument. */
static int read_option(struct options *options, const struct command *command, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2, *value = "";
	size_t length = strcspn(name, "=");
	const struct option *option = find(command, name, length);

	if (option == NULL) {
		refuse_unknown(command, name, length);
		return EXIT_USAGE;
	}
	if (option->argument == NULL && name[length] == '=') {
		say("--%s takes no value", option->name);
		return EXIT_USAGE;
	}
	if (option->argument != NULL) {
		if (name[length] == '=')
			value = name + length + 1;
		else if (*i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0)
			value = argv[++*i];
		if (value[0] == '\0') {
			say("--%s needs a value: --%s=%s", option->name, option->name, option->argument);
			return EXIT_USAGE;
		}
	}
	const char *before = options_get(options, option->name);
	if (before != NULL && !option->many) {
		if (option->argument == NULL)
			say("--%s is given twice", option->name);
		else
			say("--%s is given twice: '%s' and '%s'", option->name, before, value);
		return EXIT_USAGE;
	}
	options->given[options->count++] = (struct given){option, value};
	return -1;
}

int options_read(struct options *options, const struct command *command, int argc, char **argv)
{
	size_t operands = 0;
	bool only_operands = false;

	*options = (struct options){.given = calloc((size_t)argc + 1, sizeof *options->given)};
	if (options->given == NULL) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			print_help(command);
			return EXIT_GOOD;
		}
	for (int i = 1; i < argc; i++) {
		if (!only_operands && strcmp(argv[i], "--") == 0) {
			only_operands = true;
		} else if (!only_operands && strncmp(argv[i], "--", 2) == 0) {
			int status = read_option(options, command, argc, argv, &i);
			if (status >= 0)
				return status;
		} else if (!only_operands && argv[i][0] == '-' && argv[i][1] != '\0') {
			say("%s: unknown option '%s': see 'chanbench %s --help'", command->name, argv[i],
			    command->name);
			return EXIT_USAGE;
		} else {
			options->given[options->count++] = (struct given){NULL, argv[i]};
			operands++;
		}
	}
	if (operands == command->operands || (command->operands == OPERANDS_MANY && operands != 0))
		return -1;
	if (command->operands == 0)
		say("%s takes no argument '%s': see 'chanbench %s --help'", command->name,
		    options_nth(options, NULL, 0), command->name);
	else
		say("usage: chanbench %s %s", command->name, command->usage);
	return EXIT_USAGE;
}

void options_close(struct options *options)
{
	free(options->given);
	*options = (struct options){0};
}

const char *options_nth(const struct options *options, const char *name, size_t i)
{
	for (size_t k = 0; k < options->count; k++) {
		const struct option *option = options->given[k].option;
		bool same = name == NULL ? option == NULL : option != NULL && strcmp(option->name, name) == 0;
		if (same && i-- == 0)
			return options->given[k].value;
	}
	return NULL;
}

const char *options_get(const struct options *options, const char *name)
{
	return options_nth(options, name, 0);
}

int options_number(const struct options *options, const char *name, uint64_t low, uint64_t high, uint64_t *number)
{
	const char *text = options_get(options, name);
	if (text == NULL)
		return 0;
	errno = 0;
	unsigned long long value = strtoull(text, NULL, 10);
	if (text[strspn(text, "0123456789")] != '\0' || errno != 0 || value < low || value > high) {
		say("--%s must be a whole number from %llu to %llu, not '%s'", name, (unsigned long long)low,
		    (unsigned long long)high, text);
		return -1;
	}
	*number = value;
	return 0;
}

int options_seconds(const struct options *options, const char *name, double low, double high, double *seconds)
{
	const char *text = options_get(options, name);
	if (text == NULL)
		return 0;
	double value = strtod(text, NULL);
	size_t digits = strspn(text, "0123456789"), rest = digits;
	if (text[rest] == '.')
		rest += 1 + strspn(text + rest + 1, "0123456789");
	if (text[rest] != '\0' || digits == 0 || !(value >= low && value <= high)) {
		say("--%s must be a number of seconds from %g to %g, not '%s'", name, low, high, text);
		return -1;
	}
	*seconds = value;
	return 0;
}
