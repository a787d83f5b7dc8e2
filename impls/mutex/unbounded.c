/* SPDX-License-Identifier: MIT
 *
 * unbounded.c - the unbounded kind: the bounded one with slots that do not run out, and without
 * permits. So a send never waits, whatever its deadline, and arm_send is always ready (U-1); memory
 * can run out instead, and is returned as the backlog drains (queue.h). The overview is in
 * base/mpsc.h.
 */
#include "impls/mutex/mpsc_open.h"
#include "impls/mutex/mutex.h"

static enum chan_status open_unbounded(const struct chan_config *config, struct chan_sender **tx,
                                       struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	status = chan_config_layout(config, &layout);
	return status == CHAN_OK ? chan_mutex_mpsc_open(config, &layout, 0, tx, rx) : status;
}

const struct chan_mpsc_ops chan_mutex_unbounded_ops = {
	.open = open_unbounded,
	.send = chan_mpsc_send,
	.recv = chan_mpsc_recv,
	.sender_drop = chan_mpsc_sender_drop,
	.receiver_drop = chan_mpsc_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.receiver_clone = chan_mpsc_receiver_clone,
	.send_many = chan_mpsc_send_many,
	.recv_many = chan_mpsc_recv_many,
	.close = chan_mpsc_close,
	.closed = chan_core_wait_closed,
	.arm_send = chan_mpsc_arm_send,
	.arm_recv = chan_mpsc_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_mpsc_disarm,
	.sender_get = chan_mpsc_sender_get,
	.receiver_get = chan_mpsc_receiver_get,
	.weak_get = chan_core_weak_get,
};
