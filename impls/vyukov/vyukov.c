/* SPDX-License-Identifier: MIT */
#include "impls/vyukov/vyukov.h"

#include "impls/base/unbounded.h"
#include "impls/futex/futex.h"

const struct chan_impl chan_vyukov = {
	.name = "vyukov",
	.family = "vyukov",
	.version = "1.0",
	.summary =
		"Vyukov's bounded ring and list, after 1024cores.net; who must wait spins as long as a sleep would cost, then sleeps on a futex",
	.flags = CHAN_HONOURS_START,
	.mpsc = NULL,
	.unbounded = &chan_unbounded_ops,
	.oneshot = &futex_oneshot_ops,
	.broadcast = &futex_broadcast_ops,
	.watch = &futex_watch_ops,
	.deviations = NULL,
};
