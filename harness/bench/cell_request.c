/* SPDX-License-Identifier: MIT
 *
 * cell_request.c - the command line of bench-cell. It is written by chanbench itself; mistakes are
 * told all the same.
 */
#include "harness/bench/cell.h"

#include "harness/say.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int read_number(const char *name, const char *text, uint64_t *value)
{
	char *end;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0)
		return 0;
	say("bench-cell: %s must be a whole number, not '%s'", name, text);
	return -1;
}

static int read_seconds(const char *text, double *value)
{
	char *end;
	*value = strtod(text, &end);
	if (end != text && *end == '\0' && isfinite(*value) && *value > 0 && *value <= 3600)
		return 0;
	say("bench-cell: --seconds must be above 0 and at most 3600, not '%s'", text);
	return -1;
}

static int read_workload(const char *name, struct cell_request *request)
{
	request->workload = strcmp(limits.name, name) == 0 ? &limits : NULL;
	for (size_t i = 0; workloads[i] != NULL; i++)
		if (strcmp(workloads[i]->name, name) == 0)
			request->workload = workloads[i];
	if (request->workload == NULL) {
		say("bench-cell: unknown scenario '%s'", name);
		return -1;
	}
	params_default(request->workload, &request->params);
	return 0;
}

static int read_param(const char *text, struct cell_request *request)
{
	const char *equals = strchr(text, '=');
	char name[32];
	if (request->workload == NULL || equals == NULL || (size_t)(equals - text) >= sizeof name) {
		say("bench-cell: --param takes name=value, after --scenario, not '%s'", text);
		return -1;
	}
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = '\0';
	enum param param = param_of_name(name);
	const struct workload_param *of = request->workload->params;
	while (of->param != PARAM_COUNT && of->param != param)
		of++;
	if (param == PARAM_COUNT || of->param == PARAM_COUNT) {
		say("bench-cell: %s has no parameter '%s'", request->workload->name, name);
		return -1;
	}
	const char *error = param_parse(request->workload, param, equals + 1, &request->params.v[param]);
	if (error != NULL)
		say("bench-cell: %s", error);
	return error != NULL ? -1 : 0;
}

static int read_placement(const char *name, enum placement *placement)
{
	for (enum placement p = 0; p < PLACEMENT_COUNT; p++)
		if (strcmp(placement_names[p], name) == 0) {
			*placement = p;
			return 0;
		}
	say("bench-cell: --placement must be free, cores or one, not '%s'", name);
	return -1;
}

static int read_option(const char *option, const char *value, struct cell_request *request)
{
	if (strcmp(option, "--scenario") == 0)
		return read_workload(value, request);
	if (strcmp(option, "--param") == 0)
		return read_param(value, request);
	if (strcmp(option, "--repetitions") == 0)
		return read_number(option, value, &request->repetitions);
	if (strcmp(option, "--seconds") == 0)
		return read_seconds(value, &request->seconds);
	if (strcmp(option, "--messages") == 0)
		return read_number(option, value, &request->messages);
	if (strcmp(option, "--placement") == 0)
		return read_placement(value, &request->placement);
	if (strcmp(option, "--seed") == 0)
		return read_number(option, value, &request->seed);
	if (strcmp(option, "--impl") == 0) {
		request->impl = value;
		return 0;
	}
	if (strcmp(option, "--plugin") == 0) {
		request->plugin = value;
		return 0;
	}
	if (strcmp(option, "--histogram") == 0) {
		request->histogram = value;
		return 0;
	}
	if (strcmp(option, "--control") == 0 && (strcmp(value, "null") == 0 || strcmp(value, "limit") == 0)) {
		request->control = true;
		request->impl = value;
		return 0;
	}
	say("bench-cell: unknown option '%s=%s'", option, value);
	return -1;
}

int cell_request_read(int argc, char **argv, struct cell_request *request)
{
	*request = (struct cell_request){.repetitions = 1, .seconds = 0.1, .seed = 1};
	for (int i = 1; i < argc; i++) {
		char option[32];
		const char *equals = strchr(argv[i], '=');
		if (equals == NULL || (size_t)(equals - argv[i]) >= sizeof option) {
			say("bench-cell: options are --name=value, not '%s'", argv[i]);
			return -1;
		}
		memcpy(option, argv[i], (size_t)(equals - argv[i]));
		option[equals - argv[i]] = '\0';
		if (read_option(option, equals + 1, request) != 0)
			return -1;
	}
	if (request->workload == NULL || request->impl == NULL) {
		say("bench-cell: --scenario and --impl are needed; this command is for chanbench's own use");
		return -1;
	}
	if (request->repetitions < 1 || request->repetitions > 1000000 || request->messages > MESSAGE_SEQ_MAX) {
		say("bench-cell: --repetitions must be 1 to 1000000, and --messages at most 2^36 - 1");
		return -1;
	}
	return 0;
}
