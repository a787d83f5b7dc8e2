/* SPDX-License-Identifier: MIT
 *
 * stream.c - see stream.h. Producers and consumers each have three forms: one message at a time, in
 * batches, or measured one by one.
 */
#include "scenarios/workloads/stream.h"
#include "harness/bench/cell.h"
#include "harness/bench/memory.h"
#include "harness/sleep.h"
#include "harness/status.h"

#include <sched.h>

struct stream {
	struct trial *trial;
	const struct chan_mpsc_ops *ops;
	struct stream_options options;
	uint64_t capacity, size, batch, work_ns, rate;
	uint64_t holds; /* what fits in really: the capacity, for peers maybe more */
	size_t words;
	struct null_script script;

	struct chan_sender **tx;
	struct chan_receiver **rx;
	struct worker *workers; /* the producers, then the consumers */
	struct writer *writers; /* one a producer */
	struct reader *readers; /* one a consumer */
	struct ledger_sent *sent;
};

/* When message s was sent stands in slot s % slots, a power of two above `holds` + 2: the
 * producer comes to that slot again only when s was received and the one after it too, that is,
 * when the consumer is done with the slot. */
struct writer {
	_Alignas(128) _Atomic uint64_t *stamps;
	uint64_t mask;
	uint64_t in_send_ns;
	uint64_t refused;
	struct ledger_sent sent;
};

struct reader {
	_Alignas(128) struct ledger ledger;
	struct histogram *latency;
	uint64_t depth;
	uint64_t script_producer, script_seq; /* null control: the next message */
};

/* Room for a batch of messages. */
static uint64_t *buffer_of(const struct stream *stream)
{
	return memory_get(64, stream->size * stream->batch);
}

/* When message i of that producer is to be sent: the producers take turns. */
static uint64_t due_ns(const struct stream *stream, uint64_t start_ns, uint64_t producer, uint64_t i)
{
	double nth = (double)(i * stream->options.producers + producer);
	return start_ns + (uint64_t)(nth * 1e9 / (double)stream->rate);
}

/* ------------------------------------------------------------------------------------------
 * The producers
 */

static void produce_single(struct stream *stream, struct worker *worker, struct writer *writer, uint64_t count)
{
	struct chan_sender *tx = stream->tx[worker->index];
	/* What the compiler would have to read again after each send. */
	const struct chan_mpsc_ops *ops = stream->ops;
	uint64_t *msg = buffer_of(stream), salt = stream->trial->salt, producer = worker->index, sum = 0, i = 0;
	size_t words = stream->words;
	for (; i < count; i++) {
		uint64_t name = message_name(salt, producer, i);
		message_fill(msg, words, name);
		enum chan_status status = ops->send(tx, msg, CHAN_FOREVER);
		if (status != CHAN_OK) {
			trial_status(stream->trial, "send", status);
			break;
		}
		sum += name;
		worker_progress(worker, i + 1);
	}
	writer->sent.count = i;
	writer->sent.sum = sum;
	free(msg);
}

static void produce_batches(struct stream *stream, struct worker *worker, struct writer *writer, uint64_t count)
{
	struct chan_sender *tx = stream->tx[worker->index];
	uint64_t *msgs = buffer_of(stream);
	for (uint64_t i = 0; i < count;) {
		size_t n = count - i < stream->batch ? (size_t)(count - i) : (size_t)stream->batch, done = 0;
		for (size_t k = 0; k < n; k++)
			message_fill(msgs + k * stream->words, stream->words,
			             message_name(stream->trial->salt, worker->index, i + k));
		enum chan_status status = stream->ops->send_many(tx, msgs, n, &done, CHAN_FOREVER);
		for (size_t k = 0; k < done && k < n; k++)
			writer->sent.sum += msgs[k * stream->words];
		writer->sent.count += done;
		if (status != CHAN_OK || done != n) {
			trial_fail(stream->trial, "send_many returned %s after %zu of %zu messages",
			           status_name(status), done, n);
			break;
		}
		i += n;
		worker_progress(worker, i);
	}
	free(msgs);
}

static void wait_until(uint64_t due)
{
	/* A timer may wake a thread tens of microseconds late, which would be in every latency:
	 * sleeps only to well before the time, and spends the rest looking at the clock and
	 * yielding. */
	const uint64_t wakeup_ns = 100000;
	uint64_t now = chan_now();
	if (due > now + wakeup_ns)
		sleep_until(due - wakeup_ns);
	while (chan_now() < due)
		sched_yield();
}

static uint64_t deadline_of(const struct stream *stream)
{
	uint64_t half = stream->work_ns / 2;
	switch (stream->options.mode) {
	case STREAM_TRY:
		return CHAN_NOW;
	case STREAM_DEADLINE:
		return chan_deadline_in(half > 1000 ? half : 1000);
	default:
		return CHAN_FOREVER;
	}
}

static void produce_timed(struct stream *stream, struct worker *worker, struct writer *writer, uint64_t count)
{
	const enum chan_status refusals[] = {
		[STREAM_BLOCK] = CHAN_OK, [STREAM_TRY] = CHAN_FULL, [STREAM_DEADLINE] = CHAN_TIMEOUT};
	struct chan_sender *tx = stream->tx[worker->index];
	uint64_t *msg = buffer_of(stream);
	uint64_t seq = 0, now = chan_now();
	for (uint64_t i = 0; i < count; i++) {
		uint64_t name = message_name(stream->trial->salt, worker->index, seq);
		message_fill(msg, stream->words, name);
		if (stream->rate != 0) {
			wait_until(due_ns(stream, worker->start_ns, worker->index, i));
			now = chan_now();
		}
		if (writer->stamps != NULL)
			atomic_store_explicit(&writer->stamps[seq & writer->mask], now, memory_order_relaxed);
		uint64_t deadline = deadline_of(stream);
		enum chan_status status = stream->ops->send(tx, msg, deadline);
		uint64_t after = chan_now();
		writer->in_send_ns += after - now;
		now = after;
		if (status == CHAN_OK) {
			writer->sent.sum += name;
			worker_progress(worker, ++seq);
		} else if (status == refusals[stream->options.mode]) {
			writer->refused++;
			if (after < deadline)
				trial_fail(stream->trial, "send returned CHAN_TIMEOUT before its deadline");
		} else {
			trial_status(stream->trial, "send", status);
			break;
		}
	}
	writer->sent.count = seq;
	free(msg);
}

static void produce(struct worker *worker)
{
	struct stream *stream = worker->arg;
	struct writer writer = stream->writers[worker->index];
	uint64_t count = ledger_share(stream->trial->messages, stream->options.producers, worker->index);
	if (stream->options.watched || stream->rate != 0)
		produce_timed(stream, worker, &writer, count);
	else if (stream->batch > 1)
		produce_batches(stream, worker, &writer, count);
	else
		produce_single(stream, worker, &writer, count);
	stream->ops->sender_drop(&stream->tx[worker->index]);
	/* The rest of it is being read by the consumer. */
	stream->writers[worker->index].in_send_ns = writer.in_send_ns;
	stream->writers[worker->index].refused = writer.refused;
	stream->writers[worker->index].sent = writer.sent;
}

/* ------------------------------------------------------------------------------------------
 * The consumers
 */

/* The number of messages at which a consumer has to look up: the last one, as far as one
 * consumer can know it (the clock is not to wait for the senders' drops), then the point from
 * which on there will be no end to it. */
static uint64_t look_up_at(const struct stream *stream, uint64_t received)
{
	uint64_t messages = stream->trial->messages;
	return stream->options.consumers == 1 && received < messages ? messages : 2 * messages + 1000;
}

/* False: there is no end to it. */
static bool look_up(struct stream *stream, struct worker *worker, uint64_t received)
{
	uint64_t messages = stream->trial->messages;
	if (worker->stop_ns == 0 && stream->options.consumers == 1)
		worker->stop_ns = chan_now();
	if (received < 2 * messages + 1000)
		return true;
	trial_fail(stream->trial, "received more than twice the %llu messages sent", (unsigned long long)messages);
	return false;
}

/* CHAN_CLOSED is how it ends; any other status is a mistake. */
static void ended(struct stream *stream, const char *call, enum chan_status status)
{
	if (status != CHAN_CLOSED && status != CHAN_OK)
		trial_status(stream->trial, call, status);
}

static void consume_single(struct stream *stream, struct worker *worker, struct reader *reader)
{
	struct chan_receiver *rx = stream->rx[worker->index];
	uint64_t *msg = buffer_of(stream);
	uint64_t received = 0, limit = look_up_at(stream, 0);
	enum chan_status status;
	while ((status = stream->ops->recv(rx, msg, CHAN_FOREVER)) == CHAN_OK) {
		ledger_receive(&reader->ledger, msg, stream->words);
		worker_progress(worker, ++received);
		if (received >= limit && !look_up(stream, worker, received))
			break;
		if (received >= limit)
			limit = look_up_at(stream, received);
	}
	ended(stream, "recv", status);
	free(msg);
}

static void consume_batches(struct stream *stream, struct worker *worker, struct reader *reader)
{
	struct chan_receiver *rx = stream->rx[worker->index];
	uint64_t *msgs = buffer_of(stream);
	uint64_t received = 0, limit = look_up_at(stream, 0);
	size_t n = 0;
	enum chan_status status;
	while ((status = stream->ops->recv_many(rx, msgs, (size_t)stream->batch, &n, CHAN_FOREVER)) == CHAN_OK) {
		if (n == 0 || n > stream->batch) {
			trial_fail(stream->trial, "recv_many returned OK with %zu of %zu messages", n,
			           (size_t)stream->batch);
			break;
		}
		ledger_receive_many(&reader->ledger, msgs, n, stream->words);
		worker_progress(worker, received += n);
		if (received >= limit && !look_up(stream, worker, received))
			break;
		if (received >= limit)
			limit = look_up_at(stream, received);
	}
	ended(stream, "recv_many", status);
	free(msgs);
}

/* What was sent and not received when this is called by the only consumer: it cannot be more
 * than the capacity, since each send that is counted here has returned. */
static uint64_t depth_now(const struct stream *stream, uint64_t received)
{
	uint64_t sent = 0;
	for (size_t p = 0; p < stream->options.producers; p++)
		sent += atomic_load_explicit(&stream->workers[p].progress, memory_order_acquire);
	return sent > received ? sent - received : 0;
}

static uint64_t sent_ns(const struct stream *stream, const struct worker *worker, uint64_t name)
{
	uint64_t producer = message_producer(name), seq = message_seq(name);
	if (producer >= stream->options.producers)
		return UINT64_MAX;
	const struct writer *writer = &stream->writers[producer];
	if (writer->stamps != NULL)
		return atomic_load_explicit(&writer->stamps[seq & writer->mask], memory_order_relaxed);
	return due_ns(stream, worker->start_ns, producer, seq);
}

static void consume_timed(struct stream *stream, struct worker *worker, struct reader *reader)
{
	struct chan_receiver *rx = stream->rx[worker->index];
	uint64_t *msg = buffer_of(stream);
	uint64_t received = 0, limit = look_up_at(stream, 0);
	bool control = stream->trial->control, depths = stream->options.watched && !control;
	enum chan_status status;
	for (;;) {
		uint64_t depth = depths ? depth_now(stream, received) : 0;
		if (depth > reader->depth)
			reader->depth = depth;
		status = stream->ops->recv(rx, msg, CHAN_FOREVER);
		uint64_t now = chan_now();
		if (status != CHAN_OK)
			break;
		if (ledger_receive(&reader->ledger, msg, stream->words) && !control) {
			uint64_t since = sent_ns(stream, worker, msg[0]);
			histogram_record(reader->latency, now > since ? now - since : 0);
		}
		work(stream->work_ns);
		worker_progress(worker, ++received);
		if (received >= limit && !look_up(stream, worker, received))
			break;
		if (received >= limit)
			limit = look_up_at(stream, received);
	}
	ended(stream, "recv", status);
	free(msg);
}

static void consume(struct worker *worker)
{
	struct stream *stream = worker->arg;
	struct reader *reader = &stream->readers[worker->index];
	if (stream->options.watched || stream->rate != 0)
		consume_timed(stream, worker, reader);
	else if (stream->batch > 1)
		consume_batches(stream, worker, reader);
	else
		consume_single(stream, worker, reader);
	if (worker->stop_ns == 0)
		worker->stop_ns = chan_now();
	stream->ops->receiver_drop(&stream->rx[worker->index]);
}

/* ------------------------------------------------------------------------------------------
 * The trial
 */

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
		stream->workers[p] = (struct worker){.body = produce, .arg = stream, .index = p};
		if (options->watched) {
			stream->writers[p].stamps = memory_get(128, slots * sizeof(uint64_t));
			stream->writers[p].mask = slots - 1;
		}
	}
	for (size_t c = 0; c < options->consumers; c++) {
		stream->workers[options->producers + c] = (struct worker){.body = consume, .arg = stream, .index = c};
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
		result->in_send_ns += stream->writers[p].in_send_ns;
		result->refused += stream->writers[p].refused;
		result->accepted += stream->writers[p].sent.count;
		stream->sent[p] = stream->writers[p].sent;
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
	stream.writers = memory_get(128, options->producers * sizeof *stream.writers);
	stream.readers = memory_get(128, options->consumers * sizeof *stream.readers);
	stream.workers = trial_workers(workers);

	prepare(&stream);
	if (open_channel(&stream)) {
		trial_run(trial, stream.workers, workers);
		conclude(&stream, result);
	}
	for (size_t p = 0; p < options->producers; p++) {
		stream.ops->sender_drop(&stream.tx[p]);
		free((void *)stream.writers[p].stamps);
	}
	for (size_t c = 0; c < options->consumers; c++) {
		stream.ops->receiver_drop(&stream.rx[c]);
		ledger_free(&stream.readers[c].ledger);
		free(stream.readers[c].latency);
	}
	free(stream.workers);
	free(stream.readers);
	free(stream.writers);
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
