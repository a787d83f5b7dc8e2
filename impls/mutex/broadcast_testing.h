/* SPDX-License-Identifier: MIT
 *
 * broadcast_testing.h - what the two test programs of the mutex family's broadcast share: channels
 * of items.
 */
#ifndef CHANBENCH_MUTEX_BROADCAST_TESTING_H
#define CHANBENCH_MUTEX_BROADCAST_TESTING_H

#include "impls/testing/items_testing.h"
#include "impls/mutex/broadcast.c"

static const struct chan_broadcast_ops *const ops = &chan_mutex_broadcast_ops;

static inline struct chan_config items(size_t size, size_t capacity)
{
	return (struct chan_config){
		.size = size, .capacity = capacity, .clone = ledger_clone, .destroy = ledger_destroy};
}

static inline enum chan_status send_item(struct chan_sender *tx, uint64_t id)
{
	union large_item large = {.item = item_make(id)};
	enum chan_status status = ops->send(tx, &large, NULL);

	if (status != CHAN_OK)
		item_end(&large.item);
	return status;
}

/* Receives at once; the id, or UINT64_MAX - status. */
static inline uint64_t take_item(struct chan_receiver *rx, uint64_t *missed)
{
	union large_item large;
	enum chan_status status = ops->recv(rx, &large, missed, CHAN_NOW);

	if (status != CHAN_OK)
		return UINT64_MAX - (uint64_t)status;
	uint64_t id = large.item.id;
	item_end(&large.item);
	return id;
}

#define GAVE(status) (UINT64_MAX - (uint64_t)(status))

#endif
