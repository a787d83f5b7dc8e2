/* SPDX-License-Identifier: MIT */
#include "fuzz/model/watch.h"

#include <string.h>

static uint64_t bit(unsigned rx)
{
	return UINT64_C(1) << rx;
}

static bool is_unseen(const struct watch_model *m, unsigned rx)
{
	return (m->unseen & bit(rx)) != 0;
}

static bool closed_ready(const struct watch_model *m)
{
	return m->receivers == 0; /* W-27 */
}

static void fire(struct watch_model *m, struct model_step *step)
{
	for (size_t i = 0; i < m->waiting.count; i++) {
		struct model_waiter *w = &m->waiting.waiters[i];
		model_fire(w, w->sender ? closed_ready(m) : is_unseen(m, w->handle) || m->senders == 0, step);
	}
}

static enum chan_status not_yet(uint64_t deadline)
{
	return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
}

void watch_model_open(struct watch_model *m, uint64_t initial)
{
	memset(m, 0, sizeof *m);
	m->value = initial;
	m->senders = 1;
	m->receivers = bit(0); /* W-1: it has seen it */
}

enum chan_status watch_model_send(struct watch_model *m, struct model_step *step, uint64_t value)
{
	uint64_t previous;
	if (m->receivers == 0)
		return CHAN_CLOSED; /* W-18 */
	watch_model_send_replace(m, step, value, &previous);
	expect_destroyed(step, previous);
	return CHAN_OK;
}

void watch_model_send_replace(struct watch_model *m, struct model_step *step, uint64_t value, uint64_t *previous)
{
	*previous = m->value;
	watch_model_modify(m, step, value, true); /* W-9, W-19 */
}

void watch_model_modify(struct watch_model *m, struct model_step *step, uint64_t value, bool notify)
{
	m->value = value; /* W-21: notifying or not */
	if (notify)
		m->unseen = m->receivers;
	fire(m, step); /* W-12 */
}

enum chan_status watch_model_borrow(const struct watch_model *m, unsigned rx, bool clone_fails, bool *unseen)
{
	*unseen = is_unseen(m, rx); /* W-3, W-8 */
	return clone_fails ? CHAN_NOMEM : CHAN_OK;
}

enum chan_status watch_model_borrow_and_update(struct watch_model *m, unsigned rx, bool clone_fails, bool *unseen)
{
	enum chan_status status = watch_model_borrow(m, rx, clone_fails, unseen);
	if (status == CHAN_OK)
		watch_model_mark_unchanged(m, rx);
	return status;
}

enum chan_status watch_model_changed(struct watch_model *m, unsigned rx, uint64_t deadline)
{
	if (is_unseen(m, rx)) { /* W-4, W-6: also when nobody can send any more */
		watch_model_mark_unchanged(m, rx);
		return CHAN_OK;
	}
	return m->senders == 0 ? CHAN_CLOSED : not_yet(deadline); /* W-5, W-26 */
}

enum chan_status watch_model_has_changed(const struct watch_model *m, unsigned rx)
{
	if (m->senders == 0)
		return CHAN_CLOSED; /* W-7 */
	return is_unseen(m, rx) ? CHAN_OK : CHAN_EMPTY;
}

enum chan_status watch_model_wait_for(struct watch_model *m, unsigned rx, bool holds, bool clone_fails,
                                      uint64_t deadline)
{
	watch_model_mark_unchanged(m, rx); /* W-25: tried is seen */
	if (holds)
		return clone_fails ? CHAN_NOMEM : CHAN_OK;        /* W-23 */
	return m->senders == 0 ? CHAN_CLOSED : not_yet(deadline); /* W-24 */
}

void watch_model_mark_changed(struct watch_model *m, struct model_step *step, unsigned rx)
{
	m->unseen |= bit(rx); /* W-14 */
	fire(m, step);
}

void watch_model_mark_unchanged(struct watch_model *m, unsigned rx)
{
	m->unseen &= ~bit(rx); /* W-15 */
}

void watch_model_receiver_clone(struct watch_model *m, unsigned from, unsigned rx)
{
	m->receivers |= bit(rx);
	if (is_unseen(m, from))
		m->unseen |= bit(rx); /* W-16 */
}

void watch_model_subscribe(struct watch_model *m, unsigned rx)
{
	m->receivers |= bit(rx); /* W-17: it has seen the current version */
}

void watch_model_sender_clone(struct watch_model *m)
{
	m->senders++;
}

static void end_with_the_last(struct watch_model *m, struct model_step *step)
{
	if (m->senders == 0 && m->receivers == 0)
		expect_destroyed(step, m->value);
}

void watch_model_sender_drop(struct watch_model *m, struct model_step *step, unsigned tx)
{
	m->senders--;
	model_disarm_handle(&m->waiting, true, tx);
	fire(m, step); /* W-29 */
	end_with_the_last(m, step);
}

void watch_model_receiver_drop(struct watch_model *m, struct model_step *step, unsigned rx)
{
	m->receivers &= ~bit(rx);
	m->unseen &= ~bit(rx);
	model_disarm_handle(&m->waiting, false, rx);
	fire(m, step);
	end_with_the_last(m, step);
}

enum chan_status watch_model_closed(const struct watch_model *m, uint64_t deadline)
{
	return closed_ready(m) ? CHAN_OK : not_yet(deadline); /* W-28 */
}

enum chan_arm watch_model_arm_changed(struct watch_model *m, unsigned rx, unsigned waiter)
{
	return model_arm(&m->waiting, false, rx, waiter, is_unseen(m, rx) || m->senders == 0);
}

enum chan_arm watch_model_arm_closed(struct watch_model *m, unsigned tx, unsigned waiter)
{
	return model_arm(&m->waiting, true, tx, waiter, closed_ready(m));
}

bool watch_model_disarm(struct watch_model *m, unsigned waiter)
{
	return model_disarm(&m->waiting, waiter);
}

static uint64_t count_bits(uint64_t set)
{
	uint64_t count = 0;
	for (; set != 0; set >>= 1)
		count += set & 1;
	return count;
}

uint64_t watch_model_get(const struct watch_model *m, bool receiver, enum chan_property property)
{
	switch (property) {
	case CHAN_IS_CLOSED:
		return receiver ? m->senders == 0 : closed_ready(m);
	case CHAN_SENDERS:
		return m->senders;
	case CHAN_RECEIVERS:
		return count_bits(m->receivers); /* W-35 */
	default:
		return CHAN_UNKNOWN;
	}
}
