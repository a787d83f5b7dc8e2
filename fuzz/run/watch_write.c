/* SPDX-License-Identifier: MIT
 *
 * watch_write.c - sending and modifying. Overview: watch.h.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/watch.h"

void watch_send(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);

	if (tx == TABLE_NONE)
		return;
	uint64_t message = r->q.ledger.made++;
	step("send(s%u, m%u)", tx, message);
	enum chan_status expected = watch_model_send(&r->model, &r->q.step, message);
	enum chan_status seen = r->ops->send(r->senders.handles[tx], sequence_out(&r->q, message));
	trace_gave(seen);
	want_status(expected, seen, "send");
	r->q.ledger.sent += seen == CHAN_OK;
}

void watch_send_replace(struct watch_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	bool in_place = bytes_bool(in);
	uint64_t previous;

	if (tx == TABLE_NONE || r->ops->send_replace == NULL)
		return;
	uint64_t message = r->q.ledger.made++;
	step("send_replace(s%u, m%u)%s", tx, message, (uintptr_t)(in_place ? ", previous over it" : ""));
	watch_model_send_replace(&r->model, &r->q.step, message, &previous);
	void *element = sequence_out(&r->q, message), *back = in_place ? element : sequence_in(&r->q);
	enum chan_status seen = r->ops->send_replace(r->senders.handles[tx], element, back);
	trace_gave(seen);
	want_status(CHAN_OK, seen, "send_replace");
	r->q.ledger.sent++;
	sequence_received(&r->q, back, previous);
}

bool watch_modify_value(void *value, void *arg)
{
	struct watch_modification *m = arg;
	struct ledger *ledger = &m->run->q.ledger;

	m->calls++;
	if (ledger->size > 0)
		ledger_check(ledger, value, 0, m->from, "the value to modify");
	sequence_call(&m->run->q, PINNED);
	if (m->to != m->from) { /* the old one ends here, as one that was received does */
		if (ledger->size > 0)
			ledger_write(ledger, value, 0, m->to);
		ledger->received++;
		ledger->sent++;
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
		m.to = r->q.ledger.made++;
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
