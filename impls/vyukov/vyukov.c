/* SPDX-License-Identifier: MIT */
#include "impls/vyukov/vyukov.h"

const struct chan_impl chan_vyukov = {
	.name = "vyukov",
	.family = "vyukov",
	.version = "1.0",
	.summary =
		"Vyukov's queues, after 1024cores.net: the bounded ring of stamped slots, and the list for many senders",
	.flags = CHAN_HONOURS_START,
	.mpsc = &chan_vyukov_mpsc_ops,
	.unbounded = &chan_vyukov_unbounded_ops,
	.deviations = NULL,
};
