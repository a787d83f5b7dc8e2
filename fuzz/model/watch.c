/* SPDX-License-Identifier: MIT */
#include "fuzz/model/watch.h"

static uint32_t bit(unsigned receiver)
{
	return UINT32_C(1) << receiver;
}

static enum chan_status not_yet(uint64_t deadline)
{
	return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
}

void model_watch_open(struct model_watch *m, uint64_t initial)
{
	*m = (struct model_watch){.value = initial, .senders = 1, .receivers = bit(0)}; /* W-1: seen */
}

enum chan_status model_watch_send(struct model_watch *m, uint64_t value, struct model_ended *ended)
{
	uint64_t previous;

	if (m->receivers == 0)
		return CHAN_CLOSED; /* W-18 */
	model_watch_send_replace(m, value, &previous);
	model_end(ended, previous);
	return CHAN_OK;
}

void model_watch_send_replace(struct model_watch *m, uint64_t value, uint64_t *previous)
{
	*previous = m->value;
	m->value = value;
	m->unseen = m->receivers; /* W-9, W-19 */
}

void model_watch_modify(struct model_watch *m, uint64_t value, bool notify)
{
	m->value = value; /* W-21: notifying or not */
	if (notify)
		m->unseen = m->receivers;
}

enum chan_status model_watch_borrow(const struct model_watch *m, unsigned receiver, bool clone_fails, bool *unseen)
{
	*unseen = (m->unseen & bit(receiver)) != 0; /* W-3, W-8 */
	return clone_fails ? CHAN_NOMEM : CHAN_OK;
}

enum chan_status model_watch_borrow_and_update(struct model_watch *m, unsigned receiver, bool clone_fails, bool *unseen)
{
	enum chan_status status = model_watch_borrow(m, receiver, clone_fails, unseen);

	if (status == CHAN_OK)
		model_watch_mark_unchanged(m, receiver);
	return status;
}

enum chan_status model_watch_changed(struct model_watch *m, unsigned receiver, uint64_t deadline)
{
	if ((m->unseen & bit(receiver)) != 0) { /* W-4, W-6: also when nobody can send any more */
		model_watch_mark_unchanged(m, receiver);
		return CHAN_OK;
	}
	return m->senders == 0 ? CHAN_CLOSED : not_yet(deadline); /* W-5, W-26 */
}

enum chan_status model_watch_has_changed(const struct model_watch *m, unsigned receiver)
{
	if (m->senders == 0)
		return CHAN_CLOSED; /* W-7 */
	return (m->unseen & bit(receiver)) != 0 ? CHAN_OK : CHAN_EMPTY;
}

enum chan_status model_watch_wait_for(struct model_watch *m, unsigned receiver, bool holds, bool clone_fails,
                                      uint64_t deadline)
{
	model_watch_mark_unchanged(m, receiver); /* W-25: tried is seen */
	if (holds)
		return clone_fails ? CHAN_NOMEM : CHAN_OK; /* W-23 */
	return m->senders == 0 ? CHAN_CLOSED : not_yet(deadline);
}

void model_watch_mark_changed(struct model_watch *m, unsigned receiver)
{
	m->unseen |= bit(receiver);
}

void model_watch_mark_unchanged(struct model_watch *m, unsigned receiver)
{
	m->unseen &= ~bit(receiver);
}

static unsigned add_receiver(struct model_watch *m)
{
	unsigned receiver = 0;

	while ((m->receivers & bit(receiver)) != 0)
		receiver++;
	m->receivers |= bit(receiver);
	model_watch_mark_unchanged(m, receiver); /* W-17 */
	return receiver;
}

unsigned model_watch_receiver_clone(struct model_watch *m, unsigned receiver)
{
	unsigned added = add_receiver(m);

	if ((m->unseen & bit(receiver)) != 0)
		model_watch_mark_changed(m, added); /* W-16 */
	return added;
}

unsigned model_watch_subscribe(struct model_watch *m)
{
	return add_receiver(m);
}

void model_watch_sender_clone(struct model_watch *m)
{
	m->senders++;
}

static void end_with_the_last(const struct model_watch *m, struct model_ended *ended)
{
	if (m->senders == 0 && m->receivers == 0)
		model_end(ended, m->value);
}

void model_watch_sender_drop(struct model_watch *m, struct model_ended *ended)
{
	m->senders--;
	end_with_the_last(m, ended);
}

void model_watch_receiver_drop(struct model_watch *m, unsigned receiver, struct model_ended *ended)
{
	m->receivers &= ~bit(receiver);
	m->unseen &= ~bit(receiver);
	end_with_the_last(m, ended);
}

enum chan_status model_watch_closed(const struct model_watch *m, uint64_t deadline)
{
	return m->receivers == 0 ? CHAN_OK : not_yet(deadline); /* W-27, W-28 */
}

bool model_watch_changed_ready(const struct model_watch *m, unsigned receiver)
{
	return (m->unseen & bit(receiver)) != 0 || m->senders == 0;
}

bool model_watch_closed_ready(const struct model_watch *m)
{
	return m->receivers == 0;
}

static uint64_t count_bits(uint32_t set)
{
	uint64_t count = 0;

	for (; set != 0; set >>= 1)
		count += set & 1;
	return count;
}

static uint64_t get(const struct model_watch *m, bool closed, enum chan_property property)
{
	switch (property) {
	case CHAN_IS_CLOSED:
		return closed;
	case CHAN_SENDERS:
		return m->senders;
	case CHAN_RECEIVERS:
		return count_bits(m->receivers); /* W-35 */
	default:
		return CHAN_UNKNOWN;
	}
}

uint64_t model_watch_sender_get(const struct model_watch *m, enum chan_property property)
{
	return get(m, m->receivers == 0, property);
}

uint64_t model_watch_receiver_get(const struct model_watch *m, enum chan_property property)
{
	return get(m, m->senders == 0, property);
}
