/* SPDX-License-Identifier: MIT */
#include "fuzz/model/oneshot.h"

#include <string.h>

static bool recv_ready(const struct oneshot_model *m)
{
	return !m->sender || m->closed; /* a value that was sent has ended the sender */
}

static bool closed_ready(const struct oneshot_model *m)
{
	return m->closed || !m->receiver;
}

static void fire(struct oneshot_model *m, struct model_step *step)
{
	for (size_t i = 0; i < m->waiting.count; i++) {
		struct model_waiter *w = &m->waiting.waiters[i];
		model_fire(w, w->sender ? closed_ready(m) : recv_ready(m), step);
	}
}

void oneshot_model_open(struct oneshot_model *m)
{
	memset(m, 0, sizeof *m);
	m->sender = m->receiver = true;
}

enum chan_status oneshot_model_send(struct oneshot_model *m, struct model_step *step, uint64_t value)
{
	bool refused = closed_ready(m); /* O-2 */
	if (!refused) {
		m->sent = m->full = true;
		m->value = value;
	}
	oneshot_model_sender_drop(m, step); /* O-1: whatever comes of it */
	return refused ? CHAN_CLOSED : CHAN_OK;
}

enum chan_status oneshot_model_recv(struct oneshot_model *m, uint64_t *value, uint64_t deadline)
{
	if (m->terminated)
		return deadline == CHAN_NOW ? CHAN_CLOSED : CHAN_INVALID; /* O-15 */
	if (m->full) {                                                    /* O-9: closed or not */
		*value = m->value;
		m->value = 0;
		m->full = false;
		m->terminated = true;
		return CHAN_OK;
	}
	if (recv_ready(m)) { /* O-4 */
		m->terminated = true;
		return CHAN_CLOSED;
	}
	return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT; /* O-6, O-8, O-22 */
}

void oneshot_model_sender_drop(struct oneshot_model *m, struct model_step *step)
{
	m->sender = false;
	model_disarm_handle(&m->waiting, true, 0);
	fire(m, step);
}

void oneshot_model_receiver_drop(struct oneshot_model *m, struct model_step *step)
{
	m->receiver = false;
	model_disarm_handle(&m->waiting, false, 0);
	fire(m, step);
	if (m->full)
		expect_destroyed(step, m->value); /* O-17 */
	m->full = false;
	m->value = 0;
}

void oneshot_model_close(struct oneshot_model *m, struct model_step *step)
{
	m->closed = true;
	fire(m, step);
}

enum chan_status oneshot_model_closed(const struct oneshot_model *m, uint64_t deadline)
{
	if (closed_ready(m))
		return CHAN_OK; /* O-12, O-13 */
	return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
}

enum chan_arm oneshot_model_arm_recv(struct oneshot_model *m, unsigned waiter)
{
	return model_arm(&m->waiting, false, 0, waiter, recv_ready(m));
}

enum chan_arm oneshot_model_arm_closed(struct oneshot_model *m, unsigned waiter)
{
	return model_arm(&m->waiting, true, 0, waiter, closed_ready(m));
}

bool oneshot_model_disarm(struct oneshot_model *m, unsigned waiter)
{
	return model_disarm(&m->waiting, waiter);
}

uint64_t oneshot_model_get(const struct oneshot_model *m, bool receiver, enum chan_property property)
{
	switch (property) {
	case CHAN_LEN:
		return receiver ? m->full : CHAN_UNKNOWN; /* O-16 */
	case CHAN_IS_TERMINATED:
		return receiver ? m->terminated : CHAN_UNKNOWN; /* O-14 */
	case CHAN_IS_CLOSED:
		if (!receiver)
			return closed_ready(m); /* O-13 */
		/* What a receiver says that was sent something, no rule says: M-13 would make it
		 * closed, Tokio cannot be asked. */
		return m->sent ? CHAN_UNKNOWN : recv_ready(m);
	case CHAN_SENDERS:
		return m->sender;
	case CHAN_RECEIVERS:
		return m->receiver;
	default:
		return CHAN_UNKNOWN;
	}
}
