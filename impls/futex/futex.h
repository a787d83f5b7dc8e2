/* SPDX-License-Identifier: MIT
 *
 * futex.h - the tables of the futex family, one a kind; futex.c puts them together.
 */
#ifndef CHANBENCH_FUTEX_FUTEX_H
#define CHANBENCH_FUTEX_FUTEX_H

#include "impls/channel.h"

extern const struct chan_mpsc_ops chan_futex_mpsc_ops;
extern const struct chan_mpsc_ops chan_futex_unbounded_ops;
extern const struct chan_oneshot_ops chan_futex_oneshot_ops;
extern const struct chan_broadcast_ops chan_futex_broadcast_ops;
extern const struct chan_watch_ops chan_futex_watch_ops;

extern const struct chan_impl chan_futex;

#endif
