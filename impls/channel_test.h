/* SPDX-License-Identifier: MIT
 *
 * channel_test.h - what is to hold of owned permits (M-44, M-45), in the common part of C11 and
 * C++17.
 */
#ifndef CHANBENCH_CHANNEL_TEST_H
#define CHANBENCH_CHANNEL_TEST_H

#include "impls/channel.h"

#define OWNED_EXPECT(condition)                                                                                        \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			return #condition;                                                                             \
	} while (0)

/* NULL, or what does not hold. */
static inline const char *owned_permits(const struct chan_mpsc_ops *ops)
{
	struct chan_config config = {sizeof(uint64_t), 0, 1, 0, NULL, NULL, NULL};
	struct chan_sender *tx, *kept, *back;
	struct chan_receiver *rx;
	struct chan_permit permit;
	uint64_t in = 5, out = 0;

	OWNED_EXPECT(ops->open(&config, &tx, &rx) == CHAN_OK);

	/* The sender goes in, and comes back from a send. */
	kept = tx;
	OWNED_EXPECT(chan_reserve_owned(ops, &tx, &permit, NULL, CHAN_NOW) == CHAN_OK);
	OWNED_EXPECT(tx == NULL && permit.count == 1);
	/* it counts as a sender in there */
	OWNED_EXPECT(ops->recv(rx, &out, CHAN_NOW) == CHAN_EMPTY);
	chan_owned_send(ops, &permit, &in, &back);
	OWNED_EXPECT(back == kept && permit.sender == NULL && permit.count == 0);
	OWNED_EXPECT(ops->recv(rx, &out, CHAN_NOW) == CHAN_OK && out == 5);

	/* ... and from a release, which gives the slot back. */
	tx = back;
	OWNED_EXPECT(chan_reserve_owned(ops, &tx, &permit, NULL, CHAN_NOW) == CHAN_OK);
	chan_owned_release(ops, &permit, &back);
	OWNED_EXPECT(back == kept && permit.count == 0);
	OWNED_EXPECT(ops->send(back, &in, CHAN_NOW) == CHAN_OK);

	/* No slot: it comes back at once, here into the very place that it came from. */
	tx = back;
	OWNED_EXPECT(chan_reserve_owned(ops, &tx, &permit, &tx, CHAN_NOW) == CHAN_FULL);
	OWNED_EXPECT(tx == kept);
	OWNED_EXPECT(ops->recv(rx, &out, CHAN_NOW) == CHAN_OK);

	/* Sent, and the sender dropped with it: that was the last one. */
	OWNED_EXPECT(chan_reserve_owned(ops, &tx, &permit, NULL, CHAN_NOW) == CHAN_OK);
	chan_owned_send(ops, &permit, &in, NULL);
	OWNED_EXPECT(ops->recv(rx, &out, CHAN_NOW) == CHAN_OK);
	OWNED_EXPECT(ops->recv(rx, &out, CHAN_NOW) == CHAN_CLOSED);
	ops->receiver_drop(&rx);

	/* Released with nowhere to go back to: the same. */
	OWNED_EXPECT(ops->open(&config, &tx, &rx) == CHAN_OK);
	OWNED_EXPECT(chan_reserve_owned(ops, &tx, &permit, NULL, CHAN_NOW) == CHAN_OK);
	chan_owned_release(ops, &permit, NULL);
	OWNED_EXPECT(ops->recv(rx, &out, CHAN_NOW) == CHAN_CLOSED);
	ops->receiver_drop(&rx);

	/* Refused with nowhere to go back to: dropped. */
	OWNED_EXPECT(ops->open(&config, &tx, &rx) == CHAN_OK);
	ops->close(rx);
	OWNED_EXPECT(chan_reserve_owned(ops, &tx, &permit, NULL, CHAN_FOREVER) == CHAN_CLOSED);
	OWNED_EXPECT(tx == NULL);
	OWNED_EXPECT(ops->recv(rx, &out, CHAN_NOW) == CHAN_CLOSED);
	ops->receiver_drop(&rx);
	return NULL;
}

#endif
