/* SPDX-License-Identifier: MIT
 *
 * mpsc_state.c - the state of the mpsc model as data: copied, compared, hashed.
 */
#include "fuzz/model/mpsc.h"

#include <string.h>

void mpsc_model_open(struct mpsc_model *m, size_t capacity)
{
	m->capacity = capacity;
	m->permits = 0;
	m->senders = m->receivers = 1;
	m->weaks = 0;
	m->closed = false;
	m->waiter_count = 0;
	m->len = 0;
}

void mpsc_model_copy(struct mpsc_model *to, const struct mpsc_model *from)
{
	to->capacity = from->capacity;
	to->permits = from->permits;
	to->senders = from->senders;
	to->weaks = from->weaks;
	to->receivers = from->receivers;
	to->closed = from->closed;
	to->waiter_count = from->waiter_count;
	memcpy(to->waiters, from->waiters, from->waiter_count * sizeof *from->waiters);
	to->len = from->len;
	memcpy(to->messages, from->messages, from->len * sizeof *from->messages);
}

static bool waiters_equal(const struct mpsc_model_waiter *a, const struct mpsc_model_waiter *b)
{
	return a->number == b->number && a->handle == b->handle && a->event == b->event && a->fired == b->fired &&
	       a->owed == b->owed;
}

bool mpsc_model_equal(const struct mpsc_model *a, const struct mpsc_model *b)
{
	if (a->capacity != b->capacity || a->permits != b->permits || a->senders != b->senders ||
	    a->weaks != b->weaks || a->receivers != b->receivers || a->closed != b->closed ||
	    a->waiter_count != b->waiter_count || a->len != b->len)
		return false;
	for (size_t i = 0; i < a->waiter_count; i++)
		if (!waiters_equal(&a->waiters[i], &b->waiters[i]))
			return false;
	return memcmp(a->messages, b->messages, a->len * sizeof *a->messages) == 0;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

uint64_t mpsc_model_hash(const struct mpsc_model *m)
{
	uint64_t hash = mix(m->capacity, m->permits);

	hash = mix(hash, m->senders);
	hash = mix(hash, m->weaks);
	hash = mix(hash, m->receivers);
	hash = mix(hash, m->closed);
	for (size_t i = 0; i < m->waiter_count; i++) {
		const struct mpsc_model_waiter *w = &m->waiters[i];

		hash = mix(hash, (uint64_t)w->number << 34 | (uint64_t)w->event << 32 | w->handle);
		hash = mix(hash, (uint64_t)w->fired << 1 | w->owed);
	}
	for (size_t i = 0; i < m->len; i++)
		hash = mix(hash, m->messages[i]);
	return hash;
}
