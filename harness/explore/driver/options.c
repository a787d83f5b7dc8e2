/* SPDX-License-Identifier: MIT */
#include "harness/explore/driver/driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const strategy_names[] = {"auto", "random", "pct", "dfs"};
static const char *const memory_names[] = {"c11", "sc"};

static bool number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

static bool one_of(const char *text, const char *const *names, size_t count, int *which)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0) {
			*which = (int)i;
			return true;
		}
	return false;
}

static bool read_option(const char *name, const char *value, struct explore_options *options)
{
	uint64_t n = 0;
	int which = 0;

	if (strcmp(name, "replay") == 0) {
		options->replay = value;
		return true;
	}
	if (strcmp(name, "strategy") == 0) {
		bool known = one_of(value, strategy_names, 4, &which);
		options->strategy = (enum explore_strategy)which;
		return known;
	}
	if (strcmp(name, "memory") == 0) {
		bool known = one_of(value, memory_names, 2, &which);
		options->memory = (enum explore_memory)which;
		return known;
	}
	if (strcmp(name, "seconds") == 0) {
		char *end;
		options->seconds = strtod(value, &end);
		return *end == '\0' && options->seconds >= 0;
	}
	if (!number(value, &n))
		return false;
	if (strcmp(name, "depth") == 0)
		options->depth = (unsigned)n;
	else if (strcmp(name, "bound") == 0)
		options->bound = (unsigned)n;
	else if (strcmp(name, "spurious") == 0)
		options->spurious = (unsigned)n;
	else if (strcmp(name, "schedules") == 0)
		options->schedules = n;
	else if (strcmp(name, "seed") == 0)
		options->seed = n;
	else
		return false;
	return true;
}

bool driver_option(const char *text, struct explore_options *options)
{
	const char *equals = strchr(text, '=');
	char name[32];

	if (equals != NULL && (size_t)(equals - text) < sizeof name) {
		snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
		if (read_option(name, equals + 1, options))
			return true;
	}
	fprintf(stderr, "explorable: wrong option '%s'\n", text);
	return false;
}
