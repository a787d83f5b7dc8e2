/* SPDX-License-Identifier: MIT
 *
 * watch_read.c - borrowing, and waiting for a change. Overview: watch.h.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/watch.h"

void watch_sender_borrow(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	bool fails = r->q.clones && r->q.ledger.fail_clone != 0;

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
	bool expected_unseen, seen_unseen = false, fails = r->q.clones && r->q.ledger.fail_clone != 0;

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
	if (p->run->q.ledger.size > 0)
		ledger_check(&p->run->q.ledger, value, 0, p->value, "the value that wait_for tries");
	sequence_call(&p->run->q, PINNED);
	return p->holds;
}

void watch_wait_for(struct watch_run *r, struct bytes *in)
{
	unsigned rx = table_pick(&r->receivers, in), how = bytes_u8(in);
	bool fails = r->q.clones && r->q.ledger.fail_clone != 0;
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
