/* SPDX-License-Identifier: MIT
 *
 * spsc.c - one producer, one consumer: how fast a hand-over can be.
 */
#include "scenarios/workloads/stream.h"

static const struct workload_param params[] = {
	{PARAM_CAPACITY, "1024"}, {PARAM_SIZE, "8"}, {PARAM_BATCH, "1"}, {PARAM_RATE, "0"}, {PARAM_COUNT, NULL},
};

static const struct preset presets[] = {
	{"comparison", "single messages, and batches of 32", "capacity=1024 batch=1,32"},
	{NULL, NULL, NULL},
};

static void run(struct trial *trial)
{
	struct stream_result result;
	stream_run(trial, &(struct stream_options){.producers = 1, .consumers = 1}, &result);
}

const struct workload spsc = {
	.name = "spsc",
	.summary = "one producer, one consumer",
	.kinds = "mpsc unbounded",
	.item = "messages",
	.params = params,
	.presets = presets,
	.kind = stream_kind,
	.lacks = stream_lacks,
	.no_null = stream_no_null,
	.run = run,
};
