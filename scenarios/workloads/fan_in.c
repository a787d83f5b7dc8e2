/* SPDX-License-Identifier: MIT
 *
 * fan_in.c - many producers, one consumer: the usual use of a channel.
 */
#include "scenarios/workloads/stream.h"

static const struct workload_param params[] = {
	{PARAM_PRODUCERS, "4"}, {PARAM_CAPACITY, "1024"}, {PARAM_SIZE, "8"},
	{PARAM_BATCH, "1"},     {PARAM_RATE, "0"},        {PARAM_COUNT, NULL},
};

static const struct preset presets[] = {
	{"documents", "four producers, the capacities of Tokio's own documents", "producers=4 capacity=32,100"},
	{"comparison", "four producers: hand-over, plenty of room, no bound", "producers=4 capacity=1,1024,unbounded"},
	{"crowd", "many more producers than CPUs", "producers=64 capacity=1024"},
	{"latency", "four producers at a rate that everybody can keep", "producers=4 capacity=1024 rate=50000"},
	{NULL, NULL, NULL},
};

static void run(struct trial *trial)
{
	struct stream_result result;
	stream_run(trial,
	           &(struct stream_options){.producers = (size_t)trial->params.v[PARAM_PRODUCERS], .consumers = 1},
	           &result);
}

const struct workload fan_in = {
	.name = "fan_in",
	.summary = "many producers, one consumer",
	.kinds = "mpsc unbounded",
	.item = "messages",
	.params = params,
	.presets = presets,
	.kind = stream_kind,
	.lacks = stream_lacks,
	.no_null = stream_no_null,
	.run = run,
};
