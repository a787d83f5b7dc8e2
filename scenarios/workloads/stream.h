/* SPDX-License-Identifier: MIT
 *
 * stream.h - producers that send and consumers that receive until the channel is closed, over one
 * channel of the mpsc kinds: what fan_in, spsc, mpmc and backpressure have in common.
 *
 * Producer p sends its share of the trial's messages and drops its sender; the consumers receive
 * until CHAN_CLOSED, so that a lost message is found to be lost and nobody waits for it. A worker
 * that meets a status that makes no sense says so and drops its handle; the others then come to an
 * end by themselves.
 *
 * Parameters: capacity, size; batch, rate and work_ns (the consumers' work) where the workload has
 * them.
 */
#ifndef CHANBENCH_STREAM_H
#define CHANBENCH_STREAM_H

#include "harness/bench/trial.h"

enum stream_mode {
	STREAM_BLOCK, /* send waits */
	STREAM_TRY,   /* send with CHAN_NOW; what does not fit is dropped */
	/* send gives up after half of work_ns (at least 1 us); what did not fit by then is
	 * dropped */
	STREAM_DEADLINE
};

struct stream_options {
	size_t producers;
	size_t consumers;
	enum stream_mode mode;
	/* Measures each send and receive: the time spent in send, the depth, and the latency
	 * from just before the send. For one consumer. With a rate, latency is measured anyway,
	 * from the time at which the message should have been sent. */
	bool watched;
};

struct stream_result {
	uint64_t in_send_ns; /* watched: time that producers spent in send */
	/* watched: the most messages that were surely in the channel at one time */
	uint64_t depth;
	uint64_t refused;  /* messages dropped: CHAN_FULL, CHAN_TIMEOUT */
	uint64_t accepted; /* messages sent */
};

/* Runs the trial and balances it. `items` are the messages received. */
void stream_run(struct trial *trial, const struct stream_options *options, struct stream_result *result);

/* For the workloads' tables: the kind that the capacity selects, and what those parameters need. */
enum kind stream_kind(const struct params *params, const char **why);
const char *stream_lacks(const struct impl_info *info, const struct params *params);
const char *stream_no_null(const struct params *params);

/* The ops of the trial's kind, mpsc or unbounded. */
const struct chan_mpsc_ops *stream_ops(const struct trial *trial);

#endif
