/* SPDX-License-Identifier: MIT */
#include "harness/any.h"

const void *any_table(const struct chan_impl *impl, enum kind kind)
{
	const void *const tables[KIND_COUNT] = {impl->mpsc, impl->unbounded, impl->oneshot, impl->broadcast,
	                                        impl->watch};
	return tables[kind];
}

/* What every kind has. */
#define COMMON                                                                                                         \
	.sender_drop = ops->sender_drop, .receiver_drop = ops->receiver_drop, .closed = ops->closed,                   \
	.arm_closed = ops->arm_closed, .disarm = ops->disarm, .sender_get = ops->sender_get,                           \
	.receiver_get = ops->receiver_get

/* What the kinds with weak senders have. */
#define WEAK                                                                                                           \
	.sender_clone = ops->sender_clone, .downgrade = ops->downgrade, .upgrade = ops->upgrade,                       \
	.weak_clone = ops->weak_clone, .weak_drop = ops->weak_drop, .weak_get = ops->weak_get

static struct any_ops of_queue(const struct chan_mpsc_ops *ops)
{
	return (struct any_ops){COMMON,
	                        WEAK,
	                        .arm_recv = ops->arm_recv,
	                        .arm_send = ops->arm_send,
	                        .receiver_clone = ops->receiver_clone,
	                        .close = ops->close};
}

static struct any_ops of_oneshot(const struct chan_oneshot_ops *ops)
{
	return (struct any_ops){COMMON, .arm_recv = ops->arm_recv, .close = ops->close};
}

static struct any_ops of_broadcast(const struct chan_broadcast_ops *ops)
{
	return (struct any_ops){COMMON, WEAK, .arm_recv = ops->arm_recv, .subscribe = ops->subscribe};
}

static struct any_ops of_watch(const struct chan_watch_ops *ops)
{
	return (struct any_ops){COMMON, .arm_recv = ops->arm_changed, .sender_clone = ops->sender_clone,
	                        .receiver_clone = ops->receiver_clone, .subscribe = ops->subscribe};
}

struct any_ops any_of(enum kind kind, const void *table)
{
	switch (kind) {
	case KIND_ONESHOT:
		return of_oneshot(table);
	case KIND_BROADCAST:
		return of_broadcast(table);
	case KIND_WATCH:
		return of_watch(table);
	default:
		return of_queue(table);
	}
}

enum chan_status any_open(enum kind kind, const void *table, const struct chan_config *config, const void *initial,
                          struct chan_sender **tx, struct chan_receiver **rx)
{
	switch (kind) {
	case KIND_ONESHOT:
		return ((const struct chan_oneshot_ops *)table)->open(config, tx, rx);
	case KIND_BROADCAST:
		return ((const struct chan_broadcast_ops *)table)->open(config, tx, rx);
	case KIND_WATCH:
		return ((const struct chan_watch_ops *)table)->open(config, initial, tx, rx);
	default:
		return ((const struct chan_mpsc_ops *)table)->open(config, tx, rx);
	}
}
