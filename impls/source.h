/* SPDX-License-Identifier: MIT
 *
 * source.h - a thing one can wait for: an operation on one handle, and the functions that arm and
 * disarm a waiter for it.
 *
 * select.h and event.h wait for sources, and so for every operation of every implementation that
 * offers readiness. A source is a plain value that owns nothing; the handle in it must outlive its
 * use.
 *
 *   struct chan_source inbox = chan_source_recv(ops, rx);
 *   if (!chan_source_offered(&inbox)) ... this implementation cannot be waited for with others
 */
#ifndef CHANBENCH_SOURCE_H
#define CHANBENCH_SOURCE_H

#include "channel.h"

#ifdef __cplusplus
extern "C" {
#endif

struct chan_source {
	/* The handle, with the arm of its table: one pair is set, by which side it is. */
	struct chan_sender *tx;
	struct chan_receiver *rx;
	enum chan_arm (*arm_tx)(struct chan_sender *tx, struct chan_waiter *waiter);
	enum chan_arm (*arm_rx)(struct chan_receiver *rx, struct chan_waiter *waiter);
	bool (*disarm)(struct chan_waiter *waiter);
};

/* mpsc and unbounded: a send (or a reserve of one slot), a receive, the end of the receivers. */
struct chan_source chan_source_send(const struct chan_mpsc_ops *ops, struct chan_sender *tx);
struct chan_source chan_source_recv(const struct chan_mpsc_ops *ops, struct chan_receiver *rx);
struct chan_source chan_source_closed(const struct chan_mpsc_ops *ops, struct chan_sender *tx);

struct chan_source chan_source_oneshot_recv(const struct chan_oneshot_ops *ops, struct chan_receiver *rx);
struct chan_source chan_source_oneshot_closed(const struct chan_oneshot_ops *ops, struct chan_sender *tx);

struct chan_source chan_source_broadcast_recv(const struct chan_broadcast_ops *ops, struct chan_receiver *rx);
struct chan_source chan_source_broadcast_closed(const struct chan_broadcast_ops *ops, struct chan_sender *tx);

struct chan_source chan_source_watch_changed(const struct chan_watch_ops *ops, struct chan_receiver *rx);
struct chan_source chan_source_watch_closed(const struct chan_watch_ops *ops, struct chan_sender *tx);

/* True if the implementation offers the arm and the disarm that it takes to wait for the source. */
bool chan_source_offered(const struct chan_source *source);

/* Arms and disarms `waiter`, as struct chan_waiter describes it. The source must be offered. */
enum chan_arm chan_source_arm(const struct chan_source *source, struct chan_waiter *waiter);
bool chan_source_disarm(const struct chan_source *source, struct chan_waiter *waiter);

#ifdef __cplusplus
}
#endif

#endif
