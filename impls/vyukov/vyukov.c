/* SPDX-License-Identifier: MIT */
#include "impls/vyukov/vyukov.h"
#include "impls/futex/futex.h"

const struct chan_impl chan_vyukov = {
	.name = "vyukov",
	.family = "vyukov",
	.version = "1.0",
	.summary =
		"Vyukov's bounded ring and list, after 1024cores.net; who must wait spins as long as a sleep would cost, then sleeps on a futex",
	.flags = CHAN_HONOURS_START,
	.mpsc = &vyukov_mpsc_ops,
	.unbounded = NULL,
	.oneshot = &futex_oneshot_ops, /* no ring and no list: the same in both families */
	.broadcast = NULL,
	.watch = NULL,
	.deviations = NULL,
};
