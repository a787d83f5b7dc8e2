/* SPDX-License-Identifier: MIT */
#include "impls/vyukov/vyukov.h"

#include "impls/base/unbounded.h"
#include "impls/futex/futex.h"

const struct chan_impl chan_vyukov = {
	.name = "vyukov",
	.family = "vyukov",
	.version = "1.0",
	.summary =
		"Vyukov's ring of stamped cells, after 1024cores.net, a chain of blocks of them without a bound; who must wait spins as long as a sleep would cost, then sleeps on a futex",
	.flags = CHAN_HONOURS_START,
	.mpsc = NULL,
	/* Not his list of nodes: what a close and a send could be ordered by would have to stand beside it. His cells in blocks are as fast. */
	.unbounded = &chan_unbounded_ops,
	.oneshot = &futex_oneshot_ops, /* no ring and no list: the same in both families */
	.broadcast = NULL,
	.watch = NULL,
	.deviations = NULL,
};
