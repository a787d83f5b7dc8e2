/* SPDX-License-Identifier: MIT
 *
 * params.c - the parameters of all scenarios: one name, one range, one spelling.
 */
#include "harness/bench/workload.h"

#include "harness/bench/message.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct param_range ranges[PARAM_COUNT] = {
	[PARAM_PRODUCERS] = {"producers", "threads that send", 1, 1024, 1},
	[PARAM_CONSUMERS] = {"consumers", "threads that receive", 1, 1024, 1},
	[PARAM_CAPACITY] = {"capacity", "messages that fit", 1, (uint64_t)1 << 32, 1},
	[PARAM_SIZE] = {"size", "bytes of a message", 8, (uint64_t)1 << 20, 8},
	[PARAM_BATCH] = {"batch", "messages a call; 1: the calls for one message", 1, 4096, 1},
	[PARAM_WORK_NS] = {"work_ns", "nanoseconds of work on each message", 0, 1000000000, 1},
	[PARAM_RATE] = {"rate", "messages a second in all, sent at fixed times; 0: as fast as it goes", 0, 1000000000,
                        1},
	[PARAM_STAGES] = {"stages", "channels in the chain", 3, 64, 1},
	[PARAM_SLOW] = {"slow", "of the consumers, those that work work_ns on each message", 0, 1024, 1},
	[PARAM_MODE] = {"mode", "the form of the scenario", 0, 0, 1},
};

const struct param_range *param_range(enum param param)
{
	return &ranges[param];
}

void param_range_print(enum param param, char *text, size_t size)
{
	int n = snprintf(text, size, "%" PRIu64 " to %" PRIu64, ranges[param].min, ranges[param].max);
	if (ranges[param].multiple != 1 && n > 0 && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, ", a multiple of %" PRIu64, ranges[param].multiple);
}

const char *param_name(enum param param)
{
	return ranges[param].name;
}

enum param param_of_name(const char *name)
{
	for (enum param param = 0; param < PARAM_COUNT; param++)
		if (strcmp(ranges[param].name, name) == 0)
			return param;
	return PARAM_COUNT;
}

static bool can_be_unbounded(const struct workload *workload)
{
	return strstr(workload->kinds, kind_names[KIND_UNBOUNDED]) != NULL;
}

static const char *parse_mode(const struct workload *workload, const char *text, uint64_t *value)
{
	static char error[256];
	for (size_t i = 0; workload->modes != NULL && workload->modes[i] != NULL; i++)
		if (strcmp(workload->modes[i], text) == 0) {
			*value = i;
			return NULL;
		}
	int at = snprintf(error, sizeof error, "mode of %s must be", workload->name);
	for (size_t i = 0; workload->modes != NULL && workload->modes[i] != NULL && at < (int)sizeof error; i++)
		at += snprintf(error + at, sizeof error - (size_t)at, "%s '%s'", i ? " or" : "", workload->modes[i]);
	if (at < (int)sizeof error)
		snprintf(error + at, sizeof error - (size_t)at, ", not '%s'", text);
	return error;
}

/* A whole number in decimal digits and nothing else. */
static bool parse_number(const char *text, uint64_t *value)
{
	char *end;
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

const char *param_parse(const struct workload *workload, enum param param, const char *text, uint64_t *value)
{
	static char error[256];
	uint64_t number;
	if (param == PARAM_MODE)
		return parse_mode(workload, text, value);
	bool unbounded = param == PARAM_CAPACITY && can_be_unbounded(workload);
	if (unbounded && strcmp(text, "unbounded") == 0) {
		*value = CAPACITY_UNBOUNDED;
		return NULL;
	}
	if (parse_number(text, &number) && number >= ranges[param].min && number <= ranges[param].max &&
	    number % ranges[param].multiple == 0) {
		*value = number;
		return NULL;
	}
	char range[96];
	param_range_print(param, range, sizeof range);
	snprintf(error, sizeof error, "%s of %s must be %s%s, not '%s'", ranges[param].name, workload->name, range,
	         unbounded ? " or 'unbounded'" : "", text);
	return error;
}

void param_print(const struct workload *workload, enum param param, uint64_t value, char *text, size_t size)
{
	if (param == PARAM_MODE)
		snprintf(text, size, "%s", workload->modes[value]);
	else if (param == PARAM_CAPACITY && value == CAPACITY_UNBOUNDED)
		snprintf(text, size, "unbounded");
	else
		snprintf(text, size, "%" PRIu64, value);
}

void params_default(const struct workload *workload, struct params *params)
{
	*params = (struct params){0};
	for (const struct workload_param *p = workload->params; p->param != PARAM_COUNT; p++) {
		const char *error = param_parse(workload, p->param, p->value, &params->v[p->param]);
		if (error != NULL) { /* a mistake in the workload's table */
			fprintf(stderr, "%s: default: %s\n", workload->name, error);
			abort();
		}
	}
}
