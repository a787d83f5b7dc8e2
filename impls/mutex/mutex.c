/* SPDX-License-Identifier: MIT */
#include "impls/mutex/mutex.h"

const struct chan_impl chan_mutex = {
	.name = "mutex",
	.family = "mutex",
	.version = "1.0",
	.summary = "one mutex a channel, a condition variable a waiting thread; the textbook answer and the baseline",
	.flags = CHAN_HONOURS_START,
	.mpsc = &chan_mutex_mpsc_ops,
	.unbounded = &chan_mutex_unbounded_ops,
	.oneshot = &chan_mutex_oneshot_ops,
	.broadcast = &chan_mutex_broadcast_ops,
	.watch = &chan_mutex_watch_ops,
	.deviations = NULL,
};
