/* SPDX-License-Identifier: MIT */
#include "fuzz/model/broadcast.h"

#include <string.h>

static uint64_t bit(unsigned rx)
{
	return UINT64_C(1) << rx;
}

static size_t count_bits(uint64_t set)
{
	size_t count = 0;
	for (; set != 0; set >>= 1)
		count += set & 1;
	return count;
}

static bool recv_ready(const struct broadcast_model *m, unsigned rx)
{
	return m->next[rx] != m->tail || m->senders == 0;
}

static bool closed_ready(const struct broadcast_model *m)
{
	return m->receivers == 0; /* B-36 to B-38 */
}

static void fire(struct broadcast_model *m, struct model_step *step)
{
	for (size_t i = 0; i < m->waiting.count; i++) {
		struct model_waiter *w = &m->waiting.waiters[i];
		model_fire(w, w->sender ? closed_ready(m) : recv_ready(m, w->handle), step);
	}
}

void broadcast_model_open(struct broadcast_model *m, size_t capacity, bool receiver)
{
	memset(m, 0, sizeof *m);
	m->capacity = capacity;
	m->retained = 1;
	while (m->retained < capacity)
		m->retained *= 2; /* B-2 */
	m->senders = 1;
	if (receiver)
		m->receivers = bit(0);
}

enum chan_status broadcast_model_send(struct broadcast_model *m, struct model_step *step, uint64_t value,
                                      size_t *receivers)
{
	size_t place = m->tail % m->retained;
	*receivers = count_bits(m->receivers); /* B-4 */
	if (m->receivers == 0)
		return CHAN_CLOSED; /* B-5 */
	if (m->owed[place] != 0)
		expect_destroyed(step, m->value[place]); /* B-3, B-35 */
	m->value[place] = value;
	m->owed[place] = m->receivers; /* B-32 */
	m->tail++;
	fire(m, step); /* B-23 */
	return CHAN_OK;
}

/* The receiver has read what is in that place, or never will. The value ends with the last who
 * was owed it (B-31). */
static void pay(struct broadcast_model *m, struct model_step *step, size_t place, unsigned rx)
{
	if ((m->owed[place] & bit(rx)) == 0)
		return;
	m->owed[place] &= ~bit(rx);
	if (m->owed[place] == 0) {
		expect_destroyed(step, m->value[place]);
		m->value[place] = 0;
	}
}

enum chan_status broadcast_model_recv(struct broadcast_model *m, struct model_step *step, unsigned rx, bool clone_fails,
                                      uint64_t *value, uint64_t *missed, uint64_t deadline)
{
	uint64_t behind = m->tail - m->next[rx];
	if (behind == 0 && m->senders == 0)
		return CHAN_CLOSED; /* B-20, B-24 */
	if (behind == 0)
		return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
	if (behind > m->retained) { /* B-11 to B-13 */
		*missed = behind - m->retained;
		m->next[rx] += *missed;
		return CHAN_LAGGED;
	}
	size_t place = m->next[rx] % m->retained;
	*value = m->value[place];
	m->next[rx]++;
	pay(m, step, place, rx);
	return clone_fails ? CHAN_NOMEM : CHAN_OK; /* B-34 */
}

void broadcast_model_subscribe(struct broadcast_model *m, unsigned rx)
{
	m->receivers |= bit(rx);
	m->next[rx] = m->tail;
}

void broadcast_model_receiver_drop(struct broadcast_model *m, struct model_step *step, unsigned rx)
{
	m->receivers &= ~bit(rx);
	m->next[rx] = 0;
	model_disarm_handle(&m->waiting, false, rx);
	fire(m, step);
	/* B-30, the oldest first: it stands where the next is to go */
	for (size_t i = 0; i < m->retained; i++)
		pay(m, step, (m->tail + i) % m->retained, rx);
}

void broadcast_model_sender_clone(struct broadcast_model *m)
{
	m->senders++;
}

void broadcast_model_sender_drop(struct broadcast_model *m, struct model_step *step, unsigned tx)
{
	m->senders--;
	model_disarm_handle(&m->waiting, true, tx);
	fire(m, step); /* B-22 */
}

void broadcast_model_downgrade(struct broadcast_model *m)
{
	m->weaks++;
}

enum chan_status broadcast_model_upgrade(struct broadcast_model *m)
{
	if (m->senders == 0)
		return CHAN_CLOSED; /* M-75 */
	m->senders++;
	return CHAN_OK;
}

void broadcast_model_weak_drop(struct broadcast_model *m)
{
	m->weaks--;
}

enum chan_status broadcast_model_closed(const struct broadcast_model *m, uint64_t deadline)
{
	if (closed_ready(m))
		return CHAN_OK;
	return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
}

enum chan_arm broadcast_model_arm_recv(struct broadcast_model *m, unsigned rx, unsigned waiter)
{
	return model_arm(&m->waiting, false, rx, waiter, recv_ready(m, rx));
}

enum chan_arm broadcast_model_arm_closed(struct broadcast_model *m, unsigned tx, unsigned waiter)
{
	return model_arm(&m->waiting, true, tx, waiter, closed_ready(m));
}

bool broadcast_model_disarm(struct broadcast_model *m, unsigned waiter)
{
	return model_disarm(&m->waiting, waiter);
}

/* What is the same from both sides. */
static uint64_t get(const struct broadcast_model *m, enum chan_property property)
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

uint64_t broadcast_model_sender_get(const struct broadcast_model *m, enum chan_property property)
{
	uint64_t owed = 0;
	switch (property) {
	case CHAN_LEN: /* B-27 */
		for (size_t place = 0; place < m->retained; place++)
			owed += m->owed[place] != 0;
		return owed;
	case CHAN_IS_CLOSED:
		return closed_ready(m);
	default:
		return get(m, property);
	}
}

uint64_t broadcast_model_receiver_get(const struct broadcast_model *m, unsigned rx, enum chan_property property)
{
	switch (property) {
	case CHAN_LEN:
		return m->tail - m->next[rx]; /* B-26 */
	case CHAN_IS_CLOSED:
		return m->senders == 0; /* B-25 */
	default:
		return get(m, property);
	}
}
