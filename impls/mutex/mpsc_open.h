/* SPDX-License-Identifier: MIT
 *
 * mpsc.h - the mpsc and unbounded channels of the mutex family: the rules of base/mpsc.h over a
 * plain queue, all of it behind the lock.
 */
#ifndef CHANBENCH_MUTEX_MPSC_H
#define CHANBENCH_MUTEX_MPSC_H

#include "impls/mutex/mpsc.h"
#include "impls/mutex/queue.h"

struct mutex_mpsc {
	struct mpsc mpsc;
	struct queue messages;
};

/* Opens a channel with `capacity` slots; 0: unbounded. */
enum chan_status chan_mutex_mpsc_open(const struct chan_config *config, const struct layout *layout, size_t capacity,
                                      struct chan_sender **tx, struct chan_receiver **rx);

#endif
