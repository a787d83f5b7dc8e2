/* SPDX-License-Identifier: MIT
 *
 * unbounded.c - sending on an unbounded channel. Overview and invariants: unbounded.h.
 *
 * A send never waits, so it has no use for its deadline, and a sender who wants to be told when it
 * can send is told at once (U-1).
 */
#include "impls/futex/blocks_fast.h"
#include "impls/fastpath/unbounded.h"

/* Somebody slept when these messages were claimed; they are in place. */
static void wake(struct handle *h, size_t n)
{
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "send");
	chan_unbounded_call(unbounded_of(h), n, &wakes);
	chan_handle_leave(h, &wakes);
}

static enum chan_status send_some(struct handle *h, const void *msgs, size_t n, size_t *sent)
{
	struct unbounded *ch = unbounded_of(h);
	struct chain_claim claim;

	owner_check_enter(&h->owner, "send");
	enum chan_status status = chan_chain_claim(&ch->chain, n, &claim);
	if (status == CHAN_OK)
		chan_chain_publish(&ch->chain, &claim, msgs);
	owner_check_leave(&h->owner);
	if (status != CHAN_OK)
		return status;
	*sent += claim.count;
	if (claim.flags & CHAIN_WAITING)
		wake(h, claim.count);
	return CHAN_OK;
}

static enum chan_status send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	struct unbounded *ch = unbounded_of(h);
	unsigned flags = 0;

	(void)deadline;
	if (msg == NULL && ch->chain.layout.size != 0)
		return CHAN_INVALID;
	owner_check_enter(&h->owner, "send");
	enum chan_status status = chain_send(&ch->chain, msg, &flags);
	owner_check_leave(&h->owner);
	if (flags & CHAIN_WAITING)
		wake(h, 1);
	return status;
}

static enum chan_status send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent, uint64_t deadline)
{
	struct handle *h = (struct handle *)tx;
	struct core *core = h->core;
	size_t size = core->layout.size;
	enum chan_status status = CHAN_OK;

	(void)deadline;
	*sent = 0;
	if (msgs == NULL && n != 0 && size != 0)
		return CHAN_INVALID;
	if (n == 0)
		return chan_chain_flags(&unbounded_of(h)->chain) & CHAIN_CLOSED ? CHAN_CLOSED : CHAN_OK;
	while (status == CHAN_OK && *sent < n)
		status = send_some(h, size == 0 ? NULL : (const char *)msgs + *sent * size, n - *sent, sent);
	return status;
}

static enum chan_arm arm_send(struct chan_sender *tx, struct chan_waiter *waiter)
{
	(void)tx;
	(void)waiter;
	return CHAN_READY;
}

const struct chan_mpsc_ops chan_unbounded_ops = {
	.open = chan_unbounded_open,
	.send = send,
	.recv = chan_unbounded_recv,
	.sender_drop = chan_core_sender_drop,
	.receiver_drop = chan_unbounded_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.receiver_clone = chan_unbounded_receiver_clone,
	.send_many = send_many,
	.recv_many = chan_unbounded_recv_many,
	.close = chan_unbounded_close,
	.closed = chan_core_wait_closed,
	.arm_send = arm_send,
	.arm_recv = chan_unbounded_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_unbounded_disarm,
	.sender_get = chan_unbounded_sender_get,
	.receiver_get = chan_unbounded_receiver_get,
	.weak_get = chan_core_weak_get,
};
