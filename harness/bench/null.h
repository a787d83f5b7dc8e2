/* SPDX-License-Identifier: MIT
 *
 * null.h - the null control: an implementation that moves nothing, to measure the harness with.
 *
 * A send does nothing and succeeds; a receive asks the workload for the message that would come
 * next and makes it up. What is left is what the harness and its ledger cost, and no channel can be
 * measured faster. The ledger is satisfied as long as the script is right: a null row that fails is
 * a mistake of the workload.
 *
 * It is not in the registry, and nobody can choose it: a run adds it to its tables by itself.
 */
#ifndef CHANBENCH_BENCH_NULL_H
#define CHANBENCH_BENCH_NULL_H

#include "impls/channel.h"

/* What the receivers of one null channel get; put into the channel's `context` by trial_config. */
struct null_script {
	/* The i-th thing (0, 1, ...) that receiver number `receiver` (0, 1, ... in the order of
	 * their making) gets: CHAN_OK with the message in `msg`, CHAN_CLOSED, or (broadcast)
	 * CHAN_LAGGED with `*missed`. Called by the receiver's thread. */
	enum chan_status (*next)(void *arg, size_t receiver, uint64_t i, void *msg, uint64_t *missed);
	void *arg;
	/* From the i-th on, up to `n` messages to `msgs`; how many. NULL: as `next` does, one by
	 * one. */
	size_t (*next_many)(void *arg, size_t receiver, uint64_t i, void *msgs, size_t n);
};

extern const struct chan_impl null_impl;

#endif
