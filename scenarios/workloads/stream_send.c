/* SPDX-License-Identifier: MIT
 *
 * stream_send.c - the producers of a stream: one message at a time, in batches, or measured one by
 * one.
 */
#include "harness/status.h"
#include "scenarios/workloads/stream_parts.h"

#include <errno.h>
#include <sched.h>

static void produce_single(struct stream *stream, struct worker *worker, struct lane *lane, uint64_t count)
{
	struct chan_sender *tx = stream->tx[worker->index];
	/* What the compiler would have to read again after each send. */
	const struct chan_mpsc_ops *ops = stream->ops;
	uint64_t *msg = stream_buffer(stream), salt = stream->trial->salt, producer = worker->index, sum = 0, i = 0;
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
	lane->sent.count = i;
	lane->sent.sum = sum;
	free(msg);
}

static void produce_batches(struct stream *stream, struct worker *worker, struct lane *lane, uint64_t count)
{
	struct chan_sender *tx = stream->tx[worker->index];
	uint64_t *msgs = stream_buffer(stream);
	for (uint64_t i = 0; i < count;) {
		size_t n = count - i < stream->batch ? (size_t)(count - i) : (size_t)stream->batch, done = 0;
		for (size_t k = 0; k < n; k++)
			message_fill(msgs + k * stream->words, stream->words,
			             message_name(stream->trial->salt, worker->index, i + k));
		enum chan_status status = stream->ops->send_many(tx, msgs, n, &done, CHAN_FOREVER);
		for (size_t k = 0; k < done && k < n; k++)
			lane->sent.sum += msgs[k * stream->words];
		lane->sent.count += done;
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
	if (due > now + wakeup_ns) {
		uint64_t until = due - wakeup_ns;
		struct timespec ts = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
			;
	}
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

static void produce_timed(struct stream *stream, struct worker *worker, struct lane *lane, uint64_t count)
{
	const enum chan_status refusals[] = {
		[STREAM_BLOCK] = CHAN_OK, [STREAM_TRY] = CHAN_FULL, [STREAM_DEADLINE] = CHAN_TIMEOUT};
	struct chan_sender *tx = stream->tx[worker->index];
	uint64_t *msg = stream_buffer(stream);
	uint64_t seq = 0, now = chan_now();
	for (uint64_t i = 0; i < count; i++) {
		uint64_t name = message_name(stream->trial->salt, worker->index, seq);
		message_fill(msg, stream->words, name);
		if (stream->rate != 0) {
			wait_until(stream_due_ns(stream, worker->start_ns, worker->index, i));
			now = chan_now();
		}
		if (lane->stamps != NULL)
			atomic_store_explicit(&lane->stamps[seq & lane->mask], now, memory_order_relaxed);
		uint64_t deadline = deadline_of(stream);
		enum chan_status status = stream->ops->send(tx, msg, deadline);
		uint64_t after = chan_now();
		lane->in_send_ns += after - now;
		now = after;
		if (status == CHAN_OK) {
			lane->sent.sum += name;
			worker_progress(worker, ++seq);
		} else if (status == refusals[stream->options.mode]) {
			lane->refused++;
			if (after < deadline)
				trial_fail(stream->trial, "send returned CHAN_TIMEOUT before its deadline");
		} else {
			trial_status(stream->trial, "send", status);
			break;
		}
	}
	lane->sent.count = seq;
	free(msg);
}

void stream_produce(struct worker *worker)
{
	struct stream *stream = worker->arg;
	struct lane lane = stream->lanes[worker->index];
	uint64_t count = ledger_share(stream->trial->messages, stream->options.producers, worker->index);
	if (stream->options.watched || stream->rate != 0)
		produce_timed(stream, worker, &lane, count);
	else if (stream->batch > 1)
		produce_batches(stream, worker, &lane, count);
	else
		produce_single(stream, worker, &lane, count);
	stream->ops->sender_drop(&stream->tx[worker->index]);
	/* The rest of it is being read by the consumer. */
	stream->lanes[worker->index].in_send_ns = lane.in_send_ns;
	stream->lanes[worker->index].refused = lane.refused;
	stream->lanes[worker->index].sent = lane.sent;
}
