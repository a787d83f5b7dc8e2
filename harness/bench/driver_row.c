/* SPDX-License-Identifier: MIT
 *
 * driver_row.c - what a driver says of a trial, and what of it can be true.
 */
#include "harness/bench/driver.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Figures that every scenario can have. */
static const char *const figures[] = {"threads",
                                      "cpu_ns_per_item",
                                      "ctx_switches_per_item",
                                      "voluntary_switches",
                                      "involuntary_switches",
                                      "p50_ns",
                                      "p99_ns",
                                      "p999_ns",
                                      "max_ns"};

/* What a trial of so many messages counts as items; 0: nothing is fixed but that there are no
 * more than messages. */
static uint64_t items_due(const struct block *block, uint64_t messages)
{
	const uint64_t *v = block->params.v;
	const char *const *modes = block->workload->modes;
	const char *mode = modes != NULL ? modes[v[PARAM_MODE]] : "";
	if (strcmp(mode, "try") == 0 || strcmp(mode, "deadline") == 0)
		return 0;              /* some are refused */
	if (strcmp(mode, "wake") == 0) /* each write wakes everybody */
		return (messages + v[PARAM_CONSUMERS] - 1) / v[PARAM_CONSUMERS] * v[PARAM_CONSUMERS];
	return messages;
}

/* What its count and its time cannot be; false: nothing. */
static bool disbelieve(const struct driver_trial *trial, const json_t *said, char *why, size_t size)
{
	const json_t *items = json_object_get(said, "items"), *seconds = json_object_get(said, "seconds");
	uint64_t due = items_due(trial->block, trial->messages);
	const double tick = 0.01; /* clocks are not read at the same time */

	if (trial->messages == 0)
		snprintf(why, size, "the driver says how a trial ended, and not before how many messages it has");
	else if (!json_is_integer(items) || !json_is_number(seconds))
		snprintf(why, size, "the driver does not say \"items\" and \"seconds\" of a trial");
	else if (due != 0 && json_integer_value(items) != (json_int_t)due)
		snprintf(why, size, "the driver claims %" JSON_INTEGER_FORMAT " items, and %" PRIu64 " were to be",
		         json_integer_value(items), due);
	else if (json_integer_value(items) < 1 || json_integer_value(items) > (json_int_t)trial->messages + 1024)
		snprintf(why, size, "the driver claims %" JSON_INTEGER_FORMAT " items of %" PRIu64 " messages",
		         json_integer_value(items), trial->messages);
	else if (!(json_number_value(seconds) > 0))
		snprintf(why, size, "the driver claims a trial of %g s", json_number_value(seconds));
	else if (trial->claimed + json_number_value(seconds) > trial->elapsed + tick)
		snprintf(why, size, "the driver claims trials of %g s in the first %g s of its life",
		         trial->claimed + json_number_value(seconds), trial->elapsed);
	else
		return false;
	return true;
}

static void take_number(json_t *row, const json_t *said, const char *member)
{
	json_t *value = json_object_get(said, member);
	if (json_is_number(value) && isfinite(json_number_value(value)) && json_number_value(value) >= 0)
		json_object_set(row, member, value);
}

json_t *driver_row(const struct driver_trial *trial, const json_t *said)
{
	const char *verdict = json_string_value(json_object_get(said, "verdict"));
	const json_t *items = json_object_get(said, "items");
	double seconds = json_number_value(json_object_get(said, "seconds"));
	char text[256];
	json_t *row =
		json_pack("{s:s,s:s,s:s,s:i}", "name", "", "run_name", "", "run_type", "iteration", "iterations", 1);

	if (row == NULL)
		return NULL;
	if (verdict == NULL)
		verdict = "the driver does not say how a trial ended";
	else if (strcmp(verdict, "ok") == 0 && disbelieve(trial, said, text, sizeof text))
		verdict = text;
	bool good = strcmp(verdict, "ok") == 0;
	int failed = json_object_set_new(row, "verdict", json_sprintf("%.200s", verdict)) |
	             json_object_set_new(row, "time_unit", json_string("ns")) |
	             json_object_set_new(row, "messages", json_integer((json_int_t)trial->messages));
	if (!good)
		failed |= json_object_set_new(row, "error_occurred", json_true()) |
		          json_object_set_new(row, "error_message", json_sprintf("%.200s", verdict));
	if (good) {
		double count = (double)json_integer_value(items);
		failed |= json_object_set_new(row, "items", json_integer(json_integer_value(items))) |
		          json_object_set_new(row, "real_time", json_real(seconds * 1e9)) |
		          json_object_set_new(row, "items_per_second", json_real(count / seconds));
		if (json_is_boolean(json_object_get(said, "saturated")))
			json_object_set(row, "saturated", json_object_get(said, "saturated"));
		for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
			take_number(row, said, figures[i]);
		for (const struct figure *f = trial->block->workload->figures; f != NULL && f->member != NULL; f++)
			take_number(row, said, f->member);
		double cpu = json_number_value(json_object_get(row, "cpu_ns_per_item"));
		failed |= json_object_set_new(row, "cpu_time", json_real(cpu * count));
	}
	if (failed == 0)
		return row;
	json_decref(row);
	return NULL;
}
