/* SPDX-License-Identifier: MIT
 *
 * mutex.h - the tables of the mutex family, one a kind; mutex.c puts them together.
 */
#ifndef CHANBENCH_MUTEX_MUTEX_H
#define CHANBENCH_MUTEX_MUTEX_H

#include "impls/channel.h"

extern const struct chan_mpsc_ops chan_mutex_mpsc_ops;
extern const struct chan_mpsc_ops chan_mutex_unbounded_ops;
extern const struct chan_oneshot_ops chan_mutex_oneshot_ops;
extern const struct chan_broadcast_ops chan_mutex_broadcast_ops;
extern const struct chan_watch_ops chan_mutex_watch_ops;

extern const struct chan_impl chan_mutex;

#endif
