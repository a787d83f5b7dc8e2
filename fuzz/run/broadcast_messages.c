/* SPDX-License-Identifier: MIT
 *
 * broadcast_messages.c - sending, receiving, waiting. Overview: broadcast.h.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/broadcast.h"

void broadcast_send(struct broadcast_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	size_t expected_count, seen_count = 0;

	if (tx == TABLE_NONE)
		return;
	uint64_t message = r->q.ledger.made++;
	step("send(s%u, m%u)", tx, message);
	enum chan_status expected = broadcast_model_send(&r->model, &r->q.step, message, &expected_count);
	enum chan_status seen = r->ops->send(r->senders.handles[tx], sequence_out(&r->q, message),
	                                     message % 8 == 7 ? NULL : &seen_count);
	trace_gave(seen);
	want_status(expected, seen, "send");
	if (message % 8 != 7)
		want_u64(expected_count, seen_count, "the receivers of a send");
	r->q.ledger.sent += seen == CHAN_OK;
}

void broadcast_recv(struct broadcast_run *r, struct bytes *in)
{
	unsigned rx = table_pick(&r->receivers, in);
	uint64_t deadline = sequence_deadline(in), message = 0, expected_missed = 0, seen_missed = 0;
	bool hook = r->q.clones; /* else the bytes are copied */

	if (rx == TABLE_NONE)
		return;
	step("recv(r%u, %d)%s", rx, deadline, (uintptr_t)(r->q.ledger.fail_clone ? ", clone fails" : ""));
	enum chan_status expected = broadcast_model_recv(&r->model, &r->q.step, rx, hook && r->q.ledger.fail_clone,
	                                                 &message, &expected_missed, deadline);
	if (hook && (expected == CHAN_OK || expected == CHAN_NOMEM))
		sequence_expect_clone(&r->q, message);
	unsigned cloning = r->cloning;
	r->cloning = rx;
	void *element = sequence_in(&r->q);
	enum chan_status seen = r->ops->recv(r->receivers.handles[rx], element, &seen_missed, deadline);
	r->cloning = cloning;
	trace_gave(seen);
	want_status(expected, seen, "recv");
	if (seen == CHAN_LAGGED)
		want_u64(expected_missed, seen_missed, "the messages missed");
	if (seen == CHAN_OK)
		sequence_received(&r->q, element, message);
}

/* Many at once: rings are large, and inputs short. */
void broadcast_send_some(struct broadcast_run *r, struct bytes *in)
{
	static const uint8_t first[1];

	for (unsigned n = bytes_u8(in) % 80 + 1; n > 0; n--) {
		struct bytes none = {first, 1};
		broadcast_send(r, &none);
	}
}

void broadcast_closed(struct broadcast_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	uint64_t deadline = sequence_deadline(in);

	if (tx == TABLE_NONE || r->ops->closed == NULL)
		return;
	step("closed(s%u, %d)", tx, deadline);
	enum chan_status seen = r->ops->closed(r->senders.handles[tx], deadline);
	trace_gave(seen);
	want_status(broadcast_model_closed(&r->model, deadline), seen, "closed");
}

void broadcast_arm(struct broadcast_run *r, struct bytes *in, bool sender)
{
	struct table *table = sender ? &r->senders : &r->receivers;
	unsigned handle = table_pick(table, in);
	enum chan_arm expected, seen;
	struct fuzz_waiter *w;

	if (handle == TABLE_NONE || (sender ? r->ops->arm_closed == NULL : r->ops->arm_recv == NULL) ||
	    r->ops->disarm == NULL || (w = waiters_take(&r->q.waiters)) == NULL)
		return;
	step(sender ? "arm_closed(s%u, w%u)" : "arm_recv(r%u, w%u)", handle, w->number);
	if (sender) {
		expected = broadcast_model_arm_closed(&r->model, handle, w->number);
		seen = r->ops->arm_closed(table->handles[handle], &w->waiter);
	} else {
		expected = broadcast_model_arm_recv(&r->model, handle, w->number);
		seen = r->ops->arm_recv(table->handles[handle], &w->waiter);
	}
	want_u64(expected, seen, "arm (0 ready, 1 armed)");
	if (seen != CHAN_ARMED)
		waiters_give(w);
}

void broadcast_disarm(struct broadcast_run *r, struct bytes *in)
{
	unsigned number = sequence_pick_waiter(&r->q, in);

	if (number == MODEL_WAITERS)
		return;
	step("disarm(w%u)", number);
	bool expected = broadcast_model_disarm(&r->model, number);
	want_u64(expected, r->ops->disarm(&r->q.waiters.all[number].waiter), "disarm (1: it had fired)");
	waiters_give(&r->q.waiters.all[number]);
}
