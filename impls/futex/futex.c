/* SPDX-License-Identifier: MIT */
#include "impls/futex/futex.h"

const struct chan_impl chan_futex = {
	.name = "futex",
	.family = "futex",
	.version = "1.0",
	.summary =
		"lock-free fast paths; who must wait spins as long as a sleep would cost, then sleeps on a futex of its own",
	.flags = CHAN_HONOURS_START,
	.mpsc = &chan_futex_mpsc_ops,
	.unbounded = &chan_futex_unbounded_ops,
	.oneshot = &chan_futex_oneshot_ops,
	.broadcast = &chan_futex_broadcast_ops,
	.watch = &chan_futex_watch_ops,
	.deviations = NULL,
};
