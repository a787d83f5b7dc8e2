/* SPDX-License-Identifier: MIT
 *
 * stream_parts.h - the inside of stream.c, which runs the trial, stream_send.c, its producers, and
 * stream_recv.c, its consumers.
 */
#ifndef CHANBENCH_STREAM_PARTS_H
#define CHANBENCH_STREAM_PARTS_H

#include "harness/bench/memory.h"
#include "scenarios/workloads/stream.h"

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
	struct lane *lanes;     /* one a producer */
	struct reader *readers; /* one a consumer */
	struct ledger_sent *sent;
};

/* When message s was sent stands in slot s % slots, a power of two above `holds` + 2: the
 * producer comes to that slot again only when s was received and the one after it too, that is,
 * when the consumer is done with the slot. */
struct lane {
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

/* The workers' bodies; `index` is the number of the producer, or of the consumer. */
void stream_produce(struct worker *worker);
void stream_consume(struct worker *worker);

/* Room for a batch of messages. */
static inline uint64_t *stream_buffer(const struct stream *stream)
{
	return memory_get(64, stream->size * stream->batch);
}

/* When message i of that producer is to be sent: the producers take turns. */
static inline uint64_t stream_due_ns(const struct stream *stream, uint64_t start_ns, uint64_t producer, uint64_t i)
{
	double nth = (double)(i * stream->options.producers + producer);
	return start_ns + (uint64_t)(nth * 1e9 / (double)stream->rate);
}

#endif
