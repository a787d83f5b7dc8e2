/* SPDX-License-Identifier: MIT
 *
 * mpsc.h - what the sending and the receiving half of the mpsc stress share.
 */
#ifndef CHANBENCH_SCENARIOS_STRESS_MPSC_H
#define CHANBENCH_SCENARIOS_STRESS_MPSC_H

#include "harness/stress/round.h"
#include "impls/select.h"

/* How a round ends. */
enum mpsc_ending {
	BY_SENDERS,  /* the last sender is dropped, and the receivers drain it */
	BY_CLOSE,    /* a receiver closes it, and it is drained */
	BY_RECEIVERS /* the receivers are dropped, with whatever is in there */
};

struct mpsc_round {
	const struct chan_mpsc_ops *ops;
	unsigned producers; /* the first so many threads; the others receive */
	enum mpsc_ending ending;
	bool bounded;
	bool patient; /* senders stay until everything was received; BY_SENDERS only */
};

static inline struct mpsc_round *mpsc_of(struct worker *worker)
{
	return worker->round->own;
}

void mpsc_produce(struct worker *worker);
void mpsc_consume(struct worker *worker);

#endif
