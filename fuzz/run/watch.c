/* SPDX-License-Identifier: MIT
 *
 * watch.c - each operation on a watch channel, on model and implementation, compared. Overview:
 * watch.h.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/watch.h"

/* ------------------------------------------------------------------------------------------
 * Sending and modifying
 */

void watch_send(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	if (tx == TABLE_NONE)
		return;
	uint64_t message = r->q.tally.made++;
	step("send(s%u, m%u)", tx, message);
	enum chan_status expected = watch_model_send(&r->model, &r->q.step, message);
	enum chan_status seen = r->ops->send(r->senders.handles[tx], sequence_out(&r->q, message));
	trace_gave(seen);
	want_status(expected, seen, "send");
	r->q.tally.sent += seen == CHAN_OK;
}

void watch_send_replace(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	bool in_place = bytes_bool(in);
	uint64_t previous;
	if (tx == TABLE_NONE || r->ops->send_replace == NULL)
		return;
	uint64_t message = r->q.tally.made++;
	step("send_replace(s%u, m%u)%s", tx, message, (uintptr_t)(in_place ? ", previous over it" : ""));
	watch_model_send_replace(&r->model, &r->q.step, message, &previous);
	void *element = sequence_out(&r->q, message), *back = in_place ? element : sequence_in(&r->q);
	enum chan_status seen = r->ops->send_replace(r->senders.handles[tx], element, back);
	trace_gave(seen);
	want_status(CHAN_OK, seen, "send_replace");
	r->q.tally.sent++;
	sequence_received(&r->q, back, previous);
}

bool watch_modify_value(void *value, void *arg)
{
	struct watch_modification *m = arg;
	struct tally *tally = &m->run->q.tally;
	m->calls++;
	if (tally->size > 0)
		tally_check(tally, value, 0, m->from, "the value to modify");
	sequence_call(&m->run->q, PINNED);
	if (m->to != m->from) { /* the old one ends here, as one that was received does */
		if (tally->size > 0)
			tally_write(tally, value, 0, m->to);
		tally->received++;
		tally->sent++;
	}
	return m->notify;
}

void watch_modify(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in), how = bytes_u8(in);
	bool seen_modified = false;
	if (tx == TABLE_NONE || r->ops->modify == NULL)
		return;
	struct watch_modification m = {
		.run = r, .from = r->model.value, .to = r->model.value, .notify = (how & 1) != 0};
	if ((how & 2) == 0)
		m.to = r->q.tally.made++;
	step("modify(s%u, m%u -> m%u, notify %u)", tx, m.from, m.to, m.notify);
	watch_model_modify(&r->model, &r->q.step, m.to, m.notify);
	r->using_tx = tx;
	enum chan_status seen =
		r->ops->modify(r->senders.handles[tx], watch_modify_value, &m, (how & 4) != 0 ? NULL : &seen_modified);
	r->using_tx = TABLE_NONE;
	trace_gave(seen);
	want_status(CHAN_OK, seen, "modify");
	want_u64(1, m.calls, "calls of modify's function");
	if ((how & 4) == 0)
		want_u64(m.notify, seen_modified, "modified");
}

/* ------------------------------------------------------------------------------------------
 * Borrowing, and waiting for a change
 */

void watch_sender_borrow(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	bool fails = r->q.clones && r->q.tally.fail_clone != 0;
	if (tx == TABLE_NONE || r->ops->sender_borrow == NULL)
		return;
	uint64_t message = r->model.value;
	step("sender_borrow(s%u)%s", tx, (uintptr_t)(fails ? ", clone fails" : ""));
	if (r->q.clones)
		sequence_expect_clone(&r->q, message);
	void *element = sequence_in(&r->q);
	r->using_tx = tx;
	enum chan_status seen = r->ops->sender_borrow(r->senders.handles[tx], element);
	r->using_tx = TABLE_NONE;
	trace_gave(seen);
	want_status(fails ? CHAN_NOMEM : CHAN_OK, seen, "sender_borrow");
	if (seen == CHAN_OK)
		sequence_received(&r->q, element, message);
}

void watch_borrow(struct watch_run *r, struct bytes *in, bool update)
{
	unsigned rx = table_pick(&r->receivers, in);
	bool expected_unseen, seen_unseen = false, fails = r->q.clones && r->q.tally.fail_clone != 0;
	if (rx == TABLE_NONE || (update && r->ops->borrow_and_update == NULL))
		return;
	uint64_t message = r->model.value;
	step(update ? "borrow_and_update(r%u)%s" : "borrow(r%u)%s", rx, (uintptr_t)(fails ? ", clone fails" : ""));
	enum chan_status expected = update ? watch_model_borrow_and_update(&r->model, rx, fails, &expected_unseen)
	                                   : watch_model_borrow(&r->model, rx, fails, &expected_unseen);
	if (r->q.clones)
		sequence_expect_clone(&r->q, message);
	void *element = sequence_in(&r->q);
	r->using_rx = rx;
	enum chan_status seen =
		(update ? r->ops->borrow_and_update : r->ops->borrow)(r->receivers.handles[rx], element, &seen_unseen);
	r->using_rx = TABLE_NONE;
	trace_gave(seen);
	want_status(expected, seen, "borrow");
	if (seen != CHAN_OK)
		return;
	want_u64(expected_unseen, seen_unseen, "unseen");
	sequence_received(&r->q, element, message);
}

void watch_changed(struct watch_run *r, struct bytes *in)
{
	unsigned rx = table_pick(&r->receivers, in);
	uint64_t deadline = sequence_deadline(in);
	if (rx == TABLE_NONE)
		return;
	step("changed(r%u, %d)", rx, deadline);
	enum chan_status expected = watch_model_changed(&r->model, rx, deadline);
	enum chan_status seen = r->ops->changed(r->receivers.handles[rx], deadline);
	trace_gave(seen);
	want_status(expected, seen, "changed");
}

void watch_has_changed(struct watch_run *r, struct bytes *in)
{
	unsigned rx = table_pick(&r->receivers, in);
	if (rx == TABLE_NONE || r->ops->has_changed == NULL)
		return;
	step("has_changed(r%u)", rx);
	enum chan_status seen = r->ops->has_changed(r->receivers.handles[rx]);
	trace_gave(seen);
	want_status(watch_model_has_changed(&r->model, rx), seen, "has_changed");
}

bool watch_holds(const void *value, void *arg)
{
	struct watch_predicate *p = arg;
	p->calls++;
	if (p->run->q.tally.size > 0)
		tally_check(&p->run->q.tally, value, 0, p->value, "the value that wait_for tries");
	sequence_call(&p->run->q, PINNED);
	return p->holds;
}

void watch_wait_for(struct watch_run *r, struct bytes *in)
{
	unsigned rx = table_pick(&r->receivers, in), how = bytes_u8(in);
	bool fails = r->q.clones && r->q.tally.fail_clone != 0;
	uint64_t deadline = sequence_deadline(in);
	if (rx == TABLE_NONE || r->ops->wait_for == NULL)
		return;
	struct watch_predicate p = {.run = r, .value = r->model.value, .holds = (how & 1) != 0};
	step("wait_for(r%u, holds %u, %d)%s", rx, p.holds, deadline, (uintptr_t)(fails ? ", clone fails" : ""));
	enum chan_status expected = watch_model_wait_for(&r->model, rx, p.holds, fails, deadline);
	if (r->q.clones && p.holds)
		sequence_expect_clone(&r->q, p.value);
	void *element = sequence_in(&r->q);
	r->using_rx = rx;
	enum chan_status seen = r->ops->wait_for(r->receivers.handles[rx], watch_holds, &p, element, deadline);
	r->using_rx = TABLE_NONE;
	trace_gave(seen);
	if (!p.holds && r->model.senders == 0)
		/* also when the last sender was dropped from within the predicate */
		expected = CHAN_CLOSED;
	want_status(expected, seen, "wait_for");
	want_u64(1, p.calls, "calls of the predicate");
	if (seen == CHAN_OK)
		sequence_received(&r->q, element, p.value);
}

void watch_mark(struct watch_run *r, struct bytes *in, bool changed)
{
	unsigned rx = table_pick(&r->receivers, in);
	if (rx == TABLE_NONE || (changed ? r->ops->mark_changed == NULL : r->ops->mark_unchanged == NULL))
		return;
	step(changed ? "mark_changed(r%u)" : "mark_unchanged(r%u)", rx);
	if (changed) {
		watch_model_mark_changed(&r->model, &r->q.step, rx);
		r->ops->mark_changed(r->receivers.handles[rx]);
	} else {
		watch_model_mark_unchanged(&r->model, rx);
		r->ops->mark_unchanged(r->receivers.handles[rx]);
	}
}

void watch_closed(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	uint64_t deadline = sequence_deadline(in);
	if (tx == TABLE_NONE || r->ops->closed == NULL)
		return;
	step("closed(s%u, %d)", tx, deadline);
	enum chan_status seen = r->ops->closed(r->senders.handles[tx], deadline);
	trace_gave(seen);
	want_status(watch_model_closed(&r->model, deadline), seen, "closed");
}

void watch_arm(struct watch_run *r, struct bytes *in, bool sender)
{
	struct table *table = sender ? &r->senders : &r->receivers;
	unsigned handle = table_pick(table, in);
	enum chan_arm expected, seen;
	struct fuzz_waiter *w;
	if (handle == TABLE_NONE || (sender ? r->ops->arm_closed == NULL : r->ops->arm_changed == NULL) ||
	    r->ops->disarm == NULL || (w = waiters_take(&r->q.waiters)) == NULL)
		return;
	step(sender ? "arm_closed(s%u, w%u)" : "arm_changed(r%u, w%u)", handle, w->number);
	if (sender) {
		expected = watch_model_arm_closed(&r->model, handle, w->number);
		seen = r->ops->arm_closed(table->handles[handle], &w->waiter);
	} else {
		expected = watch_model_arm_changed(&r->model, handle, w->number);
		seen = r->ops->arm_changed(table->handles[handle], &w->waiter);
	}
	want_u64(expected, seen, "arm (0 ready, 1 armed)");
	if (seen != CHAN_ARMED)
		waiters_give(w);
}

void watch_disarm(struct watch_run *r, struct bytes *in)
{
	unsigned number = sequence_pick_waiter(&r->q, in);
	if (number == MODEL_WAITERS)
		return;
	step("disarm(w%u)", number);
	bool expected = watch_model_disarm(&r->model, number);
	want_u64(expected, r->ops->disarm(&r->q.waiters.all[number].waiter), "disarm (1: it had fired)");
	waiters_give(&r->q.waiters.all[number]);
}

/* ------------------------------------------------------------------------------------------
 * Handles that come and go, and what they say
 */

void watch_sender_clone(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	struct chan_sender *out = NULL;
	if (tx == TABLE_NONE || table_full(&r->senders) || r->ops->sender_clone == NULL)
		return;
	step("s%u = sender_clone(s%u)", r->senders.count, tx);
	sequence_short_of_memory(&r->q, in);
	if (!sequence_made(CHAN_OK, r->ops->sender_clone(r->senders.handles[tx], &out)))
		return;
	table_add(&r->senders, out);
	watch_model_sender_clone(&r->model);
}

void watch_receiver_clone(struct watch_run *r, struct bytes *in)
{
	unsigned from = table_pick(&r->receivers, in);
	struct chan_receiver *out = NULL;
	if (from == TABLE_NONE || table_full(&r->receivers) || r->ops->receiver_clone == NULL)
		return;
	step("r%u = receiver_clone(r%u)", r->receivers.count, from);
	sequence_short_of_memory(&r->q, in);
	if (sequence_made(CHAN_OK, r->ops->receiver_clone(r->receivers.handles[from], &out)))
		watch_model_receiver_clone(&r->model, from, table_add(&r->receivers, out));
}

void watch_subscribe(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	struct chan_receiver *out = NULL;
	if (tx == TABLE_NONE || table_full(&r->receivers) || r->ops->subscribe == NULL)
		return;
	step("r%u = subscribe(s%u)", r->receivers.count, tx);
	sequence_short_of_memory(&r->q, in);
	if (sequence_made(CHAN_OK, r->ops->subscribe(r->senders.handles[tx], &out)))
		watch_model_subscribe(&r->model, table_add(&r->receivers, out));
}

void watch_sender_drop(struct watch_run *r, struct bytes *in)
{
	unsigned number = table_pick(&r->senders, in);
	if (number == TABLE_NONE || number == r->using_tx || (r->q.depth > 0 && sequence_armed_on(&r->q, true, number)))
		return;
	step("sender_drop(s%u)", number);
	struct chan_sender *tx = table_remove(&r->senders, number);
	watch_model_sender_drop(&r->model, &r->q.step, number);
	r->ops->sender_drop(&tx);
	sequence_want_null(tx);
	sequence_give_waiters(&r->q);
}

void watch_receiver_drop(struct watch_run *r, struct bytes *in)
{
	unsigned number = table_pick(&r->receivers, in);
	if (number == TABLE_NONE || number == r->using_rx ||
	    (r->q.depth > 0 && sequence_armed_on(&r->q, false, number)))
		return;
	step("receiver_drop(r%u)", number);
	struct chan_receiver *rx = table_remove(&r->receivers, number);
	watch_model_receiver_drop(&r->model, &r->q.step, number);
	r->ops->receiver_drop(&rx);
	sequence_want_null(rx);
	sequence_give_waiters(&r->q);
}

/* One property of each handle, in turn. */
void watch_check_properties(struct watch_run *r)
{
	for (int receiver = 0; receiver < 2; receiver++) {
		const struct table *table = receiver ? &r->receivers : &r->senders;

		for (unsigned number = 0; number < table->count; number++) {
			enum chan_property p = r->asked++ % (CHAN_IDENTITY + 1);
			void *handle = table->handles[number];
			char type = receiver ? 'r' : 's';

			if (handle == NULL || (receiver ? r->ops->receiver_get == NULL : r->ops->sender_get == NULL))
				continue;
			uint64_t seen = receiver ? r->ops->receiver_get(handle, p) : r->ops->sender_get(handle, p);
			if (p == CHAN_IDENTITY)
				sequence_identity(&r->q, type, number, seen);
			else
				sequence_property(type, number, p, watch_model_get(&r->model, receiver, p), seen);
		}
	}
}
