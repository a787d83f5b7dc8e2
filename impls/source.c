/* SPDX-License-Identifier: MIT */
#include "impls/source.h"

/* What each source waits for: the table of its kind, the side that its handle is of, and the
 * arm. */
#define SOURCE(operation, kind, side, handle, arm)                                                                     \
	struct chan_source chan_source_##operation(const struct chan_##kind##_ops *ops, struct chan_##handle *side)    \
	{                                                                                                              \
		return (struct chan_source){.side = side, .arm_##side = ops->arm, .disarm = ops->disarm};              \
	}

SOURCE(send, mpsc, tx, sender, arm_send)
SOURCE(recv, mpsc, rx, receiver, arm_recv)
SOURCE(closed, mpsc, tx, sender, arm_closed)
SOURCE(oneshot_recv, oneshot, rx, receiver, arm_recv)
SOURCE(oneshot_closed, oneshot, tx, sender, arm_closed)
SOURCE(broadcast_recv, broadcast, rx, receiver, arm_recv)
SOURCE(broadcast_closed, broadcast, tx, sender, arm_closed)
SOURCE(watch_changed, watch, rx, receiver, arm_changed)
SOURCE(watch_closed, watch, tx, sender, arm_closed)

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
