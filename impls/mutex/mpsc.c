/* SPDX-License-Identifier: MIT
 *
 * mpsc.c - the bounded kind. The code is in mpsc_send.c, mpsc_recv.c and mpsc_life.c; the overview in mpsc.h.
 */
#include "impls/mutex/mpsc.h"
#include "impls/mutex/mutex.h"

static enum chan_status open_bounded(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	status = chan_config_bounded(config, CHAN_CAPACITY_MAX, &layout);
	return status == CHAN_OK ? mutex_open(config, &layout, config->capacity, tx, rx) : status;
}

const struct chan_mpsc_ops mutex_mpsc_ops = {
	.open = open_bounded,
	.send = mutex_send,
	.recv = mutex_recv,
	.sender_drop = mutex_sender_drop,
	.receiver_drop = mutex_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.receiver_clone = mutex_receiver_clone,
	.send_many = mutex_send_many,
	.recv_many = mutex_recv_many,
	.reserve = mutex_reserve,
	.permit_send = mutex_permit_send,
	.permit_release = mutex_permit_release,
	.close = mutex_close,
	.closed = chan_core_wait_closed,
	.arm_send = mutex_arm_send,
	.arm_recv = mutex_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = mutex_disarm,
	.sender_get = mutex_sender_get,
	.receiver_get = mutex_receiver_get,
	.weak_get = chan_core_weak_get,
};
