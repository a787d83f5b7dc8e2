/* SPDX-License-Identifier: MIT
 *
 * mutex.h - the tables of the mutex family, one a kind; mutex.c puts them together.
 */
#ifndef CHANBENCH_MUTEX_MUTEX_H
#define CHANBENCH_MUTEX_MUTEX_H

#include "impls/base/core.h"
#include "impls/channel.h"

extern const struct chan_mpsc_ops chan_mutex_mpsc_ops;
extern const struct chan_mpsc_ops chan_mutex_unbounded_ops;
extern const struct chan_oneshot_ops chan_mutex_oneshot_ops;
extern const struct chan_broadcast_ops chan_mutex_broadcast_ops;
extern const struct chan_watch_ops chan_mutex_watch_ops;

/* As the `open` of the two tables; `sleep` says how blocked threads sleep. They are for a family
 * whose channels with hooks are those of this one, used through the tables. */
enum chan_status chan_mutex_broadcast_open(const struct chan_config *config, enum core_sleep sleep,
                                           struct chan_sender **tx, struct chan_receiver **rx);
enum chan_status chan_mutex_watch_open(const struct chan_config *config, const void *initial, enum core_sleep sleep,
                                       struct chan_sender **tx, struct chan_receiver **rx);

extern const struct chan_impl chan_mutex;

#endif
