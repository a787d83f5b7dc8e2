/* SPDX-License-Identifier: MIT */
#include "harness/bench/summary.h"

#include <math.h>
#include <string.h>

json_t *summary_by_cell(json_t *rows)
{
	json_t *cells = json_object(), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *type = json_string_value(json_object_get(row, "run_type"));
		const char *name = json_string_value(json_object_get(row, "name"));
		if (name == NULL || (type != NULL && strcmp(type, "aggregate") == 0))
			continue;
		json_t *cell = json_object_get(cells, name);
		if (cell == NULL) {
			cell = json_array();
			if (json_object_set_new(cells, name, cell) != 0)
				goto failed;
		}
		if (json_array_append(cell, row) != 0)
			goto failed;
	}
	return cells;
failed:
	json_decref(cells);
	return NULL;
}

static const char *verdict_of(json_t *row)
{
	const char *verdict = json_string_value(json_object_get(row, "verdict"));
	const char *message = json_string_value(json_object_get(row, "error_message"));
	if (verdict != NULL && strcmp(verdict, "ok") != 0)
		return verdict;
	if (json_is_true(json_object_get(row, "error_occurred")))
		return message != NULL ? message : "failed";
	return "ok";
}

const char *summary_verdict(json_t *cell)
{
	json_t *row;
	size_t i;
	const char *verdict = "ok";

	json_array_foreach(cell, i, row)
	{
		const char *this = verdict_of(row);
		/* "skipped" only follows from something else. */
		if (strcmp(this, "ok") != 0 && (strcmp(verdict, "ok") == 0 || strcmp(verdict, "skipped") == 0))
			verdict = this;
	}
	return verdict;
}

bool summary_samples(json_t *cell, const char *name, struct samples *samples)
{
	json_t *row;
	size_t i;

	json_array_foreach(cell, i, row)
	{
		json_t *member = json_object_get(row, name), *process = json_object_get(row, "process");
		double value = json_number_value(member);
		if (strcmp(verdict_of(row), "ok") != 0 || !json_is_number(member) || !isfinite(value) || value < 0)
			continue;
		/* Without processes each trial stands for itself. */
		uint32_t cluster = (uint32_t)(json_is_integer(process) ? json_integer_value(process) : (json_int_t)i);
		if (!samples_add(samples, value, cluster))
			return false;
	}
	return true;
}

double summary_median(json_t *cell, const char *name)
{
	struct samples samples = {0};
	double median = summary_samples(cell, name, &samples) ? stats_median(&samples) : NAN;
	samples_free(&samples);
	return median;
}
