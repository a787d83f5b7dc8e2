/* SPDX-License-Identifier: MIT */
#include "fuzz/model/oneshot.h"

void model_oneshot_open(struct model_oneshot *m)
{
	*m = (struct model_oneshot){.sender = true, .receiver = true};
}

enum chan_status model_oneshot_send(struct model_oneshot *m, uint64_t value)
{
	m->sender = false; /* O-1: whatever comes of it */
	if (m->closed || !m->receiver)
		return CHAN_CLOSED; /* O-2 */
	m->sent = true;
	m->full = true;
	m->value = value;
	return CHAN_OK;
}

enum chan_status model_oneshot_recv(struct model_oneshot *m, uint64_t *value, uint64_t deadline)
{
	if (m->terminated)
		return deadline == CHAN_NOW ? CHAN_CLOSED : CHAN_INVALID; /* O-15 */
	if (m->full) {                                                    /* O-9: closed or not */
		*value = m->value;
		m->full = false;
		m->terminated = true;
		return CHAN_OK;
	}
	if (!m->sender || m->closed) { /* O-4 */
		m->terminated = true;
		return CHAN_CLOSED;
	}
	return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT; /* O-6, O-8, O-22 */
}

void model_oneshot_sender_drop(struct model_oneshot *m)
{
	m->sender = false;
}

void model_oneshot_receiver_drop(struct model_oneshot *m, struct model_ended *ended)
{
	m->receiver = false;
	if (m->full)
		model_end(ended, m->value); /* O-17 */
	m->full = false;
}

void model_oneshot_close(struct model_oneshot *m)
{
	m->closed = true;
}

enum chan_status model_oneshot_closed(const struct model_oneshot *m, uint64_t deadline)
{
	if (m->closed || !m->receiver)
		return CHAN_OK; /* O-12, O-13 */
	return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
}

bool model_oneshot_recv_ready(const struct model_oneshot *m)
{
	return !m->sender || m->closed; /* a value that was sent has ended the sender */
}

bool model_oneshot_closed_ready(const struct model_oneshot *m)
{
	return m->closed || !m->receiver;
}

uint64_t model_oneshot_sender_get(const struct model_oneshot *m, enum chan_property property)
{
	switch (property) {
	case CHAN_IS_CLOSED:
		return m->closed || !m->receiver; /* O-13 */
	case CHAN_SENDERS:
		return m->sender;
	case CHAN_RECEIVERS:
		return m->receiver;
	default:
		return CHAN_UNKNOWN;
	}
}

uint64_t model_oneshot_receiver_get(const struct model_oneshot *m, enum chan_property property)
{
	switch (property) {
	case CHAN_LEN:
		return m->full; /* O-16 */
	case CHAN_IS_TERMINATED:
		return m->terminated; /* O-14 */
	case CHAN_IS_CLOSED:
		/* No rule says what a receiver sees when it was sent something: M-13 would make it closed, Tokio does not ask. */
		return m->sent ? CHAN_UNKNOWN : m->closed || !m->sender;
	case CHAN_SENDERS:
		return m->sender;
	case CHAN_RECEIVERS:
		return m->receiver;
	default:
		return CHAN_UNKNOWN;
	}
}
