/* SPDX-License-Identifier: MIT */
#include "impls/vyukov/vyukov.h"

#include "impls/futex/futex.h"

const struct chan_impl chan_vyukov = {
	.name = "vyukov",
	.family = "vyukov",
	.version = "1.0",
	.summary = "Vyukov's bounded ring of stamped cells, after 1024cores.net; the rest is the futex family's",
	.flags = CHAN_HONOURS_START,
	.mpsc = &chan_vyukov_mpsc_ops,
	.unbounded = &chan_futex_unbounded_ops,
	.oneshot = &chan_futex_oneshot_ops,
	.broadcast = &chan_futex_broadcast_ops,
	.watch = &chan_futex_watch_ops,
	.deviations = NULL,
};
