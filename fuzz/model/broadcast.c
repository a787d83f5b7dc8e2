/* SPDX-License-Identifier: MIT */
#include "fuzz/model/broadcast.h"

#include <string.h>

void model_broadcast_open(struct model_broadcast *m, size_t capacity, bool receiver)
{
	memset(m, 0, sizeof *m);
	m->capacity = capacity;
	m->retained = 1;
	while (m->retained < capacity)
		m->retained *= 2; /* B-2 */
	m->senders = 1;
	m->receivers = receiver;
}

static size_t count_bits(uint32_t set)
{
	size_t count = 0;

	for (; set != 0; set >>= 1)
		count += set & 1;
	return count;
}

/* The receiver has read the message in that place, or never will. The value ends with the last who was owed it (B-31). */
static void pay(struct model_broadcast *m, size_t place, unsigned receiver, struct model_ended *ended)
{
	uint32_t bit = UINT32_C(1) << receiver;

	if ((m->owed[place] & bit) == 0)
		return;
	m->owed[place] &= ~bit;
	if (m->owed[place] == 0)
		model_end(ended, m->value[place]);
}

enum chan_status model_broadcast_send(struct model_broadcast *m, uint64_t value, size_t *receivers,
                                      struct model_ended *ended)
{
	size_t place = m->tail % m->retained;

	*receivers = count_bits(m->receivers); /* B-4 */
	if (m->receivers == 0)
		return CHAN_CLOSED; /* B-5 */
	if (m->owed[place] != 0)
		model_end(ended, m->value[place]); /* B-3, B-35 */
	m->value[place] = value;
	m->owed[place] = m->receivers; /* B-32 */
	m->tail++;
	return CHAN_OK;
}

enum chan_status model_broadcast_recv(struct model_broadcast *m, unsigned receiver, bool clone_fails, uint64_t *value,
                                      bool *cloned, uint64_t *missed, uint64_t deadline, struct model_ended *ended)
{
	uint64_t behind = m->tail - m->next[receiver];

	*cloned = false;
	if (behind == 0 && m->senders == 0)
		return CHAN_CLOSED; /* B-20, B-24 */
	if (behind == 0)
		return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
	if (behind > m->retained) { /* B-11 to B-13 */
		*missed = behind - m->retained;
		m->next[receiver] += *missed;
		return CHAN_LAGGED;
	}
	size_t place = m->next[receiver] % m->retained;
	*value = m->value[place];
	*cloned = true;
	m->next[receiver]++;
	pay(m, place, receiver, ended);
	return clone_fails ? CHAN_NOMEM : CHAN_OK; /* B-34 */
}

unsigned model_broadcast_subscribe(struct model_broadcast *m)
{
	unsigned receiver = 0;

	while ((m->receivers >> receiver & 1) != 0)
		receiver++;
	m->receivers |= UINT32_C(1) << receiver;
	m->next[receiver] = m->tail;
	return receiver;
}

void model_broadcast_receiver_drop(struct model_broadcast *m, unsigned receiver, struct model_ended *ended)
{
	m->receivers &= ~(UINT32_C(1) << receiver);
	for (size_t back = m->retained; back > 0; back--) /* oldest first */
		pay(m, (m->tail - back) % m->retained, receiver, ended);
}

void model_broadcast_sender_clone(struct model_broadcast *m)
{
	m->senders++;
}

void model_broadcast_sender_drop(struct model_broadcast *m)
{
	m->senders--;
}

void model_broadcast_downgrade(struct model_broadcast *m)
{
	m->weaks++;
}

enum chan_status model_broadcast_upgrade(struct model_broadcast *m)
{
	if (m->senders == 0)
		return CHAN_CLOSED; /* M-75 */
	m->senders++;
	return CHAN_OK;
}

void model_broadcast_weak_drop(struct model_broadcast *m)
{
	m->weaks--;
}

enum chan_status model_broadcast_closed(const struct model_broadcast *m, uint64_t deadline)
{
	if (m->receivers == 0)
		return CHAN_OK; /* B-36 to B-38 */
	return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
}

bool model_broadcast_recv_ready(const struct model_broadcast *m, unsigned receiver)
{
	return m->next[receiver] != m->tail || m->senders == 0;
}

bool model_broadcast_closed_ready(const struct model_broadcast *m)
{
	return m->receivers == 0;
}

/* What is the same from both sides. */
static uint64_t get(const struct model_broadcast *m, enum chan_property property)
{
	switch (property) {
	case CHAN_CAPACITY:
		return m->capacity;
	case CHAN_MAX_CAPACITY:
		return m->retained;
	case CHAN_SENDERS:
		return m->senders;
	case CHAN_WEAK_SENDERS:
		return m->weaks;
	case CHAN_RECEIVERS:
		return count_bits(m->receivers); /* B-29 */
	default:
		return CHAN_UNKNOWN;
	}
}

uint64_t model_broadcast_sender_get(const struct model_broadcast *m, enum chan_property property)
{
	uint64_t owed = 0;

	switch (property) {
	case CHAN_LEN: /* B-27 */
		for (size_t place = 0; place < m->retained; place++)
			owed += m->owed[place] != 0;
		return owed;
	case CHAN_IS_CLOSED:
		return m->receivers == 0;
	default:
		return get(m, property);
	}
}

uint64_t model_broadcast_receiver_get(const struct model_broadcast *m, unsigned receiver, enum chan_property property)
{
	switch (property) {
	case CHAN_LEN:
		return m->tail - m->next[receiver]; /* B-26 */
	case CHAN_IS_CLOSED:
		return m->senders == 0; /* B-25 */
	default:
		return get(m, property);
	}
}
