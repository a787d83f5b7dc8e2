/* SPDX-License-Identifier: MIT */
#include "harness/bench/sweep.h"

#include "harness/say.h"

#include <stdio.h>
#include <string.h>

static char complaint[512];

bool sweep_has(const struct workload *workload, enum param param)
{
	for (const struct workload_param *p = workload->params; p->param != PARAM_COUNT; p++)
		if (p->param == param)
			return true;
	return false;
}

void sweep_default(const struct workload *workload, struct sweep *sweep)
{
	struct params params;
	params_default(workload, &params);
	for (size_t i = 0; i < PARAM_COUNT; i++) {
		sweep->of[i].v[0] = params.v[i];
		sweep->of[i].count = 1;
	}
}

static const char *refuse_name(const struct workload *workload, const char *name)
{
	const char *names[PARAM_COUNT];
	size_t count = 0;

	for (const struct workload_param *p = workload->params; p->param != PARAM_COUNT; p++)
		names[count++] = param_name(p->param);
	const char *nearest = say_nearest(name, names, count);
	int n = snprintf(complaint, sizeof complaint, "%s has no parameter '%s'", workload->name, name);
	if (nearest != NULL) {
		snprintf(complaint + n, sizeof complaint - (size_t)n, "; did you mean '%s'?", nearest);
	} else {
		for (size_t i = 0; i < count && (size_t)n < sizeof complaint - 1; i++)
			n += snprintf(complaint + n, sizeof complaint - (size_t)n, "%s%s", i == 0 ? ": it has " : ", ",
			              names[i]);
	}
	return complaint;
}

const char *sweep_set(const struct workload *workload, struct sweep *sweep, const char *text, size_t length)
{
	char copy[1024];
	if (length >= sizeof copy)
		return "a parameter is longer than 1000 characters";
	memcpy(copy, text, length);
	copy[length] = '\0';

	char *values = strchr(copy, '=');
	if (values == NULL) {
		snprintf(complaint, sizeof complaint, "'%.200s' is no parameter: write name=value or name=value,value",
		         copy);
		return complaint;
	}
	*values++ = '\0';
	enum param param = param_of_name(copy);
	if (param == PARAM_COUNT || !sweep_has(workload, param)) {
		copy[64] = '\0';
		return refuse_name(workload, copy);
	}
	sweep->of[param].count = 0;
	for (char *value = values, *next; value != NULL; value = next) {
		uint64_t number;
		next = strchr(value, ',');
		if (next != NULL)
			*next++ = '\0';
		const char *wrong = param_parse(workload, param, value, &number);
		if (wrong != NULL)
			return wrong;
		for (size_t i = 0; i < sweep->of[param].count; i++)
			if (sweep->of[param].v[i] == number) {
				snprintf(complaint, sizeof complaint, "%s has the value '%.200s' twice",
				         param_name(param), value);
				return complaint;
			}
		if (sweep->of[param].count == SWEEP_LONGEST) {
			snprintf(complaint, sizeof complaint, "%s has more than %d values", param_name(param),
			         SWEEP_LONGEST);
			return complaint;
		}
		sweep->of[param].v[sweep->of[param].count++] = number;
	}
	return NULL;
}

void sweep_each(const struct workload *workload, const struct sweep *sweep,
                void (*each)(const struct params *params, void *arg), void *arg)
{
	size_t at[PARAM_COUNT] = {0}, count = 0;
	struct params params;

	while (workload->params[count].param != PARAM_COUNT)
		count++;
	params_default(workload, &params);
	for (;;) {
		for (size_t i = 0; i < count; i++) {
			enum param param = workload->params[i].param;
			params.v[param] = sweep->of[param].v[at[i]];
		}
		each(&params, arg);
		size_t i = count;
		while (i > 0 && ++at[i - 1] == sweep->of[workload->params[i - 1].param].count)
			at[--i] = 0;
		if (i == 0)
			return;
	}
}
