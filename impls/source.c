/* SPDX-License-Identifier: MIT */
#include "impls/source.h"

struct chan_source chan_source_send(const struct chan_mpsc_ops *ops, struct chan_sender *tx)
{
	return (struct chan_source){.tx = tx, .arm_tx = ops->arm_send, .disarm = ops->disarm};
}

struct chan_source chan_source_recv(const struct chan_mpsc_ops *ops, struct chan_receiver *rx)
{
	return (struct chan_source){.rx = rx, .arm_rx = ops->arm_recv, .disarm = ops->disarm};
}

struct chan_source chan_source_closed(const struct chan_mpsc_ops *ops, struct chan_sender *tx)
{
	return (struct chan_source){.tx = tx, .arm_tx = ops->arm_closed, .disarm = ops->disarm};
}

struct chan_source chan_source_oneshot_recv(const struct chan_oneshot_ops *ops, struct chan_receiver *rx)
{
	return (struct chan_source){.rx = rx, .arm_rx = ops->arm_recv, .disarm = ops->disarm};
}

struct chan_source chan_source_oneshot_closed(const struct chan_oneshot_ops *ops, struct chan_sender *tx)
{
	return (struct chan_source){.tx = tx, .arm_tx = ops->arm_closed, .disarm = ops->disarm};
}

struct chan_source chan_source_broadcast_recv(const struct chan_broadcast_ops *ops, struct chan_receiver *rx)
{
	return (struct chan_source){.rx = rx, .arm_rx = ops->arm_recv, .disarm = ops->disarm};
}

struct chan_source chan_source_broadcast_closed(const struct chan_broadcast_ops *ops, struct chan_sender *tx)
{
	return (struct chan_source){.tx = tx, .arm_tx = ops->arm_closed, .disarm = ops->disarm};
}

struct chan_source chan_source_watch_changed(const struct chan_watch_ops *ops, struct chan_receiver *rx)
{
	return (struct chan_source){.rx = rx, .arm_rx = ops->arm_changed, .disarm = ops->disarm};
}

struct chan_source chan_source_watch_closed(const struct chan_watch_ops *ops, struct chan_sender *tx)
{
	return (struct chan_source){.tx = tx, .arm_tx = ops->arm_closed, .disarm = ops->disarm};
}

bool chan_source_offered(const struct chan_source *source)
{
	return (source->arm_tx != NULL || source->arm_rx != NULL) && source->disarm != NULL;
}

enum chan_arm chan_source_arm(const struct chan_source *source, struct chan_waiter *waiter)
{
	return source->arm_tx != NULL ? source->arm_tx(source->tx, waiter) : source->arm_rx(source->rx, waiter);
}

bool chan_source_disarm(const struct chan_source *source, struct chan_waiter *waiter)
{
	return source->disarm(waiter);
}
