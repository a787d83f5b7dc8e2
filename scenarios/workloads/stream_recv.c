/* SPDX-License-Identifier: MIT
 *
 * stream_recv.c - the consumers of a stream: one message at a time, in batches, or measured one by
 * one.
 */
#include "scenarios/workloads/stream_parts.h"

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
	uint64_t *msg = stream_buffer(stream);
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
	uint64_t *msgs = stream_buffer(stream);
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
	const struct lane *lane = &stream->lanes[producer];
	if (lane->stamps != NULL)
		return atomic_load_explicit(&lane->stamps[seq & lane->mask], memory_order_relaxed);
	return stream_due_ns(stream, worker->start_ns, producer, seq);
}

static void consume_timed(struct stream *stream, struct worker *worker, struct reader *reader)
{
	struct chan_receiver *rx = stream->rx[worker->index];
	uint64_t *msg = stream_buffer(stream);
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

void stream_consume(struct worker *worker)
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
