/* SPDX-License-Identifier: MIT
 *
 * mutex.h - the tables of the mutex family, one a kind; mutex.c puts them together.
 */
#ifndef CHANBENCH_MUTEX_MUTEX_H
#define CHANBENCH_MUTEX_MUTEX_H

#include "impls/channel.h"

extern const struct chan_mpsc_ops mutex_mpsc_ops;
extern const struct chan_mpsc_ops mutex_unbounded_ops;
extern const struct chan_oneshot_ops mutex_oneshot_ops;
extern const struct chan_broadcast_ops mutex_broadcast_ops;
extern const struct chan_watch_ops mutex_watch_ops;

extern const struct chan_impl chan_mutex;

#endif
