/* SPDX-License-Identifier: MIT
 *
 * broadcast_testing.h - what the two test programs of the futex family's broadcast share: the
 * sources, with a sender that gets the bias soon, and messages of several words of which each tells
 * whether the copy is whole.
 */
#ifndef CHANBENCH_FUTEX_BROADCAST_TESTING_H
#define CHANBENCH_FUTEX_BROADCAST_TESTING_H

#define BIAS_AFTER 2u
#include "impls/testing/items_testing.h"

#define malloc(size) (allocation_fails() ? NULL : malloc(size))
#include "impls/futex/broadcast.c"
#undef malloc
#include "impls/futex/broadcast_recv.c"
#include "impls/futex/broadcast_send.c"

static const struct chan_broadcast_ops *const ops = &chan_futex_broadcast_ops;

struct message {
	uint64_t id;
	uint64_t inverse;
	uint64_t again;
};

static inline struct chan_config messages(size_t capacity)
{
	return (struct chan_config){.size = sizeof(struct message), .capacity = capacity};
}

static inline enum chan_status send_id(struct chan_sender *tx, uint64_t id, size_t *receivers)
{
	struct message m = {.id = id, .inverse = ~id, .again = id};

	return ops->send(tx, &m, receivers);
}

static inline enum chan_status recv_id(struct chan_receiver *rx, uint64_t *id, uint64_t *missed, uint64_t deadline)
{
	struct message m;
	enum chan_status status = ops->recv(rx, &m, missed, deadline);

	if (status == CHAN_OK) {
		MUST(m.inverse == ~m.id && m.again == m.id); /* else it was torn */
		*id = m.id;
	}
	return status;
}

static inline struct futex_broadcast *channel_of(const void *handle)
{
	return chan_futex_broadcast_of(handle);
}

/* Whether this sender has the bias. */
static inline bool biased(const struct chan_sender *tx)
{
	return atomic_load(&channel_of(tx)->owner) == (const struct handle *)tx;
}

/* Sends until it has. */
static inline void get_bias(struct chan_sender *tx)
{
	for (unsigned i = 0; i < BIAS_AFTER && !biased(tx); i++)
		MUST(send_id(tx, 0, NULL) == CHAN_OK);
	MUST(biased(tx));
}

#endif
