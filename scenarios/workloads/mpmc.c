/* SPDX-License-Identifier: MIT
 *
 * mpmc.c - many producers, many consumers: each message goes to exactly one of them (rules P).
 */
#include "scenarios/workloads/stream.h"

static const struct workload_param params[] = {
	{PARAM_PRODUCERS, "4"}, {PARAM_CONSUMERS, "4"}, {PARAM_CAPACITY, "1024"}, {PARAM_SIZE, "8"},
	{PARAM_BATCH, "1"},     {PARAM_RATE, "0"},      {PARAM_COUNT, NULL},
};

static const struct preset presets[] = {
	{"comparison", "four on each side", "producers=4 consumers=4 capacity=1024"},
	{NULL, NULL, NULL},
};

static void run(struct trial *trial)
{
	struct stream_result result;
	stream_run(trial,
	           &(struct stream_options){.producers = (size_t)trial->params.v[PARAM_PRODUCERS],
	                                    .consumers = (size_t)trial->params.v[PARAM_CONSUMERS]},
	           &result);
}

const struct workload mpmc = {
	.name = "mpmc",
	.summary = "many producers, many consumers",
	.kinds = "mpsc unbounded",
	.item = "messages",
	.params = params,
	.presets = presets,
	.kind = stream_kind,
	.lacks = stream_lacks,
	.no_null = stream_no_null,
	.run = run,
};
