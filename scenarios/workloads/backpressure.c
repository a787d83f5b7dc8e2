/* SPDX-License-Identifier: MIT
 *
 * backpressure.c - a producer that is faster than its consumer: what the bound does to it.
 *
 * The consumer works `work_ns` on each message. Mode block: send waits. try: what does not fit is
 * dropped. deadline: send waits for half of the consumer's work (at least 1 us), then the message
 * is dropped. `messages` of a trial are attempts; what was accepted is what the ledger goes by.
 * Latency runs from just before the send to the receive, so it holds the wait for a slot.
 */
#include "scenarios/workloads/stream.h"

static const struct workload_param params[] = {
	{PARAM_PRODUCERS, "1"}, {PARAM_CAPACITY, "2"}, {PARAM_SIZE, "8"},
	{PARAM_WORK_NS, "850"}, {PARAM_MODE, "block"}, {PARAM_COUNT, NULL},
};

static const char *const modes[] = {
	[STREAM_BLOCK] = "block", [STREAM_TRY] = "try", [STREAM_DEADLINE] = "deadline", NULL};

static const struct preset presets[] = {
	{"documents", "the capacities of the documents' examples", "capacity=2,3,10 mode=block"},
	{"drops", "a full channel: give up at once, or after a while", "capacity=2 mode=try,deadline"},
	{NULL, NULL, NULL},
};

static const struct figure figures[] = {
	/* how long a producer was in send, for each message it tried to send */
	{"in_send_ns", "blocked/send", "ns"},
	{"depth", "greatest depth", "messages"},
	/* dropped: CHAN_FULL or CHAN_TIMEOUT, of all attempts */
	{"refused_ratio", "refused", "ratio"},
	{NULL, NULL, NULL},
};

static enum kind kind(const struct params *p, const char **why)
{
	(void)p;
	(void)why;
	return KIND_MPSC;
}

static void run(struct trial *trial)
{
	struct stream_result result;
	stream_run(trial,
	           &(struct stream_options){.producers = (size_t)trial->params.v[PARAM_PRODUCERS],
	                                    .consumers = 1,
	                                    .mode = (enum stream_mode)trial->params.v[PARAM_MODE],
	                                    .watched = true},
	           &result);
	double attempts = (double)(result.accepted + result.refused);
	trial->figures[0] = (double)result.in_send_ns / attempts;
	if (!trial->control)
		trial->figures[1] = (double)result.depth;
	trial->figures[2] = (double)result.refused / attempts;
}

const struct workload backpressure = {
	.name = "backpressure",
	.summary = "a producer that is faster than its consumer",
	.kinds = "mpsc",
	.item = "messages",
	.params = params,
	.modes = modes,
	.presets = presets,
	.figures = figures,
	.kind = kind,
	.lacks = stream_lacks,
	.run = run,
};
