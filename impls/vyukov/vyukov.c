/* SPDX-License-Identifier: MIT */
#include "impls/futex/futex.h"
#include "impls/vyukov/vyukov.h"

const struct chan_impl chan_vyukov = {
	.name = "vyukov",
	.family = "vyukov",
	.version = "1.0",
	.summary =
		"Vyukov's bounded ring and list, after 1024cores.net; who must wait spins as long as a sleep would cost, then sleeps on a futex",
	.flags = CHAN_HONOURS_START,
	.mpsc = NULL,
	.unbounded = NULL,
	.oneshot = &futex_oneshot_ops,     /* no ring and no list: the same in both families */
	.broadcast = &futex_broadcast_ops, /* as oneshot: slots with stamps, not turns */
	.watch = NULL,
	.deviations = NULL,
};
