/* SPDX-License-Identifier: MIT */
#include "impls/mutex/mutex.h"

const struct chan_impl chan_mutex = {
	.name = "mutex",
	.family = "mutex",
	.version = "1.0",
	.summary = "one mutex a channel, a condition variable a waiting thread; the textbook answer and the baseline",
	.flags = CHAN_HONOURS_START,
	.mpsc = &mutex_mpsc_ops,
	.unbounded = &mutex_unbounded_ops,
	.oneshot = &mutex_oneshot_ops,
	.broadcast = &mutex_broadcast_ops,
	.watch = &mutex_watch_ops,
	.deviations = NULL,
};
