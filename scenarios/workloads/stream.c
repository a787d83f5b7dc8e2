/* SPDX-License-Identifier: MIT
 *
 * stream.c - see stream.h
 */
#include "harness/bench/cell.h"
#include "scenarios/workloads/stream_parts.h"

static size_t script_many(void *arg, size_t receiver, uint64_t i, void *msgs, size_t n)
{
	struct stream *stream = arg;
	struct reader *reader = &stream->readers[receiver];
	uint64_t turn = receiver + i * stream->options.consumers, messages = stream->trial->messages, *msg = msgs;
	size_t k = 0;
	for (; k < n && turn < messages; k++, turn += stream->options.consumers, msg += stream->words) {
		message_fill(msg, stream->words,
		             message_name(stream->trial->salt, reader->script_producer, reader->script_seq));
		/* The one that is `consumers` further on: producers in turn. No division: it
		 * would be most of the floor. */
		reader->script_producer += stream->options.consumers;
		for (; reader->script_producer >= stream->options.producers; reader->script_seq++)
			reader->script_producer -= stream->options.producers;
	}
	return k;
}

static enum chan_status script_next(void *arg, size_t receiver, uint64_t i, void *msg, uint64_t *missed)
{
	(void)missed;
	return script_many(arg, receiver, i, msg, 1) == 1 ? CHAN_OK : CHAN_CLOSED;
}

static bool open_channel(struct stream *stream)
{
	struct trial *trial = stream->trial;
	const struct chan_config config = trial_config(stream->size, stream->capacity, &stream->script);
	enum chan_status status = stream->ops->open(&config, &stream->tx[0], &stream->rx[0]);
	if (status != CHAN_OK)
		trial_status(trial, "open", status);
	for (size_t i = 1; i < stream->options.producers && status == CHAN_OK; i++)
		if ((status = stream->ops->sender_clone(stream->tx[0], &stream->tx[i])) != CHAN_OK)
			trial_status(trial, "sender_clone", status);
	for (size_t i = 1; i < stream->options.consumers && status == CHAN_OK; i++)
		if ((status = stream->ops->receiver_clone(stream->rx[0], &stream->rx[i])) != CHAN_OK)
			trial_status(trial, "receiver_clone", status);
	return status == CHAN_OK;
}

static void prepare(struct stream *stream)
{
	const struct stream_options *options = &stream->options;
	uint64_t slots = 1;
	while (slots < stream->holds + 3 && slots < stream->trial->messages)
		slots *= 2;
	for (size_t p = 0; p < options->producers; p++) {
		stream->workers[p] = (struct worker){.body = stream_produce, .arg = stream, .index = p};
		if (options->watched) {
			stream->lanes[p].stamps = memory_get(128, slots * sizeof(uint64_t));
			stream->lanes[p].mask = slots - 1;
		}
	}
	for (size_t c = 0; c < options->consumers; c++) {
		stream->workers[options->producers + c] =
			(struct worker){.body = stream_consume, .arg = stream, .index = c};
		ledger_init(&stream->readers[c].ledger, stream->trial->salt, options->producers,
		            stream->trial->messages, options->consumers == 1);
		stream->readers[c].latency = memory_get(128, sizeof(struct histogram));
		histogram_init(stream->readers[c].latency);
		stream->readers[c].script_producer = c % options->producers;
		stream->readers[c].script_seq = c / options->producers;
	}
}

static void conclude(struct stream *stream, struct stream_result *result)
{
	struct trial *trial = stream->trial;
	struct ledger *ledgers = memory_get(8, stream->options.consumers * sizeof *ledgers);
	for (size_t p = 0; p < stream->options.producers; p++) {
		result->in_send_ns += stream->lanes[p].in_send_ns;
		result->refused += stream->lanes[p].refused;
		result->accepted += stream->lanes[p].sent.count;
		stream->sent[p] = stream->lanes[p].sent;
	}
	for (size_t c = 0; c < stream->options.consumers; c++) {
		ledgers[c] = stream->readers[c].ledger;
		trial->items += ledgers[c].received;
		if (stream->readers[c].depth > result->depth)
			result->depth = stream->readers[c].depth;
		histogram_merge(&trial->latency, stream->readers[c].latency);
	}
	trial_balance(trial, ledgers, stream->options.consumers, stream->sent);
	free(ledgers);
	if (result->depth > stream->holds)
		trial_fail(trial, "held %llu messages with a capacity of %llu", (unsigned long long)result->depth,
		           (unsigned long long)stream->holds);
	trial_rate(trial, stream->rate);
}

void stream_run(struct trial *trial, const struct stream_options *options, struct stream_result *result)
{
	struct stream stream = {
		.trial = trial,
		.ops = stream_ops(trial),
		.options = *options,
		.capacity = trial->params.v[PARAM_CAPACITY],
		.size = trial->params.v[PARAM_SIZE],
		.batch = trial->params.v[PARAM_BATCH] > 1 ? trial->params.v[PARAM_BATCH] : 1,
		.work_ns = trial->params.v[PARAM_WORK_NS],
		.rate = trial->params.v[PARAM_RATE],
		.words = (size_t)trial->params.v[PARAM_SIZE] / 8,
	};
	/* A peer may hold more than it was asked for, and has to say so: it is held to its word. */
	uint64_t told = (trial->impl->flags & CHAN_PEER) != 0
	                        ? cell_true_capacity(trial->impl, trial->kind, &trial->params)
	                        : 0;
	stream.holds = told > stream.capacity ? told : stream.capacity;
	size_t workers = options->producers + options->consumers;
	*result = (struct stream_result){0};
	stream.script = (struct null_script){.next = script_next, .arg = &stream, .next_many = script_many};
	stream.tx = memory_get(8, options->producers * sizeof *stream.tx);
	stream.rx = memory_get(8, options->consumers * sizeof *stream.rx);
	stream.sent = memory_get(8, options->producers * sizeof *stream.sent);
	stream.lanes = memory_get(128, options->producers * sizeof *stream.lanes);
	stream.readers = memory_get(128, options->consumers * sizeof *stream.readers);
	stream.workers = trial_workers(workers);

	prepare(&stream);
	if (open_channel(&stream)) {
		trial_run(trial, stream.workers, workers);
		conclude(&stream, result);
	}
	for (size_t p = 0; p < options->producers; p++) {
		stream.ops->sender_drop(&stream.tx[p]);
		free((void *)stream.lanes[p].stamps);
	}
	for (size_t c = 0; c < options->consumers; c++) {
		stream.ops->receiver_drop(&stream.rx[c]);
		ledger_free(&stream.readers[c].ledger);
		free(stream.readers[c].latency);
	}
	free(stream.workers);
	free(stream.readers);
	free(stream.lanes);
	free(stream.sent);
	free(stream.rx);
	free(stream.tx);
}

const struct chan_mpsc_ops *stream_ops(const struct trial *trial)
{
	return trial->kind == KIND_UNBOUNDED ? trial->impl->unbounded : trial->impl->mpsc;
}

enum kind stream_kind(const struct params *params, const char **why)
{
	if (params->v[PARAM_RATE] != 0 && params->v[PARAM_BATCH] > 1) {
		*why = "a rate is kept message by message: batch must be 1";
		return KIND_COUNT;
	}
	return params->v[PARAM_CAPACITY] == CAPACITY_UNBOUNDED ? KIND_UNBOUNDED : KIND_MPSC;
}

const char *stream_lacks(const struct impl_info *info, const struct params *params)
{
	enum kind kind = params->v[PARAM_CAPACITY] == CAPACITY_UNBOUNDED ? KIND_UNBOUNDED : KIND_MPSC;
	if (params->v[PARAM_PRODUCERS] > 1 && !info_offers(info, kind, "sender_clone"))
		return "sender_clone";
	if (params->v[PARAM_CONSUMERS] > 1 && !info_offers(info, kind, "receiver_clone"))
		return "receiver_clone";
	if (params->v[PARAM_BATCH] > 1 && !info_offers(info, kind, "send_many"))
		return "send_many";
	if (params->v[PARAM_BATCH] > 1 && !info_offers(info, kind, "recv_many"))
		return "recv_many";
	return NULL;
}

const char *stream_no_null(const struct params *params)
{
	return params->v[PARAM_RATE] != 0 ? "what moves nothing has no latency" : NULL;
}
