/* SPDX-License-Identifier: MIT
 *
 * broadcast.c - each operation on a broadcast channel, on model and implementation, compared.
 * Overview: broadcast.h.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/broadcast.h"

/* ------------------------------------------------------------------------------------------
 * Sending, receiving, waiting
 */

void broadcast_send(struct broadcast_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in);
	size_t expected_count, seen_count = 0;
	if (tx == TABLE_NONE)
		return;
	uint64_t message = r->q.tally.made++;
	step("send(s%u, m%u)", tx, message);
	enum chan_status expected = broadcast_model_send(&r->model, &r->q.step, message, &expected_count);
	enum chan_status seen = r->ops->send(r->senders.handles[tx], sequence_out(&r->q, message),
	                                     message % 8 == 7 ? NULL : &seen_count);
	trace_gave(seen);
	want_status(expected, seen, "send");
	if (message % 8 != 7)
		want_u64(expected_count, seen_count, "the receivers of a send");
	r->q.tally.sent += seen == CHAN_OK;
}

void broadcast_recv(struct broadcast_run *r, struct bytes *in)
{
	unsigned rx = table_pick(&r->receivers, in);
	uint64_t deadline = sequence_deadline(in), message = 0, expected_missed = 0, seen_missed = 0;
	bool hook = r->q.clones; /* else the bytes are copied */
	if (rx == TABLE_NONE)
		return;
	step("recv(r%u, %d)%s", rx, deadline, (uintptr_t)(r->q.tally.fail_clone ? ", clone fails" : ""));
	enum chan_status expected = broadcast_model_recv(&r->model, &r->q.step, rx, hook && r->q.tally.fail_clone,
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

/* ------------------------------------------------------------------------------------------
 * Handles that come and go, and what they say
 */

void broadcast_subscribe(struct broadcast_run *r, struct bytes *in, bool from_sender)
{
	struct table *from = from_sender ? &r->senders : &r->receivers;
	unsigned handle = table_pick(from, in), rx = r->receivers.count;
	struct chan_receiver *out = NULL;
	enum chan_status seen;
	if (handle == TABLE_NONE || table_full(&r->receivers) || (!from_sender && r->ops->resubscribe == NULL))
		return;
	step(from_sender ? "r%u = subscribe(s%u)" : "r%u = resubscribe(r%u)", rx, handle);
	sequence_short_of_memory(&r->q, in);
	seen = from_sender ? r->ops->subscribe(from->handles[handle], &out)
	                   : r->ops->resubscribe(from->handles[handle], &out);
	if (!sequence_made(CHAN_OK, seen))
		return;
	table_add(&r->receivers, out);
	broadcast_model_subscribe(&r->model, rx);
}

void broadcast_sender_clone(struct broadcast_run *r, struct bytes *in)
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
	broadcast_model_sender_clone(&r->model);
}

void broadcast_upgrade(struct broadcast_run *r, struct bytes *in)
{
	unsigned weak = table_pick(&r->weaks, in);
	struct chan_sender *out = NULL;
	if (weak == TABLE_NONE || table_full(&r->senders) || r->ops->upgrade == NULL)
		return;
	step("s%u = upgrade(w%u)", r->senders.count, weak);
	sequence_short_of_memory(&r->q, in);
	enum chan_status seen = r->ops->upgrade(r->weaks.handles[weak], &out);
	if (sequence_made(r->model.senders > 0 ? CHAN_OK : CHAN_CLOSED, seen) &&
	    broadcast_model_upgrade(&r->model) == CHAN_OK)
		table_add(&r->senders, out);
}

void broadcast_weaken(struct broadcast_run *r, struct bytes *in, bool downgrade)
{
	struct table *from = downgrade ? &r->senders : &r->weaks;
	unsigned handle = table_pick(from, in);
	struct chan_weak *out = NULL;
	if (handle == TABLE_NONE || table_full(&r->weaks) ||
	    (downgrade ? r->ops->downgrade == NULL : r->ops->weak_clone == NULL))
		return;
	step(downgrade ? "w%u = downgrade(s%u)" : "w%u = weak_clone(w%u)", r->weaks.count, handle);
	sequence_short_of_memory(&r->q, in);
	if (!sequence_made(CHAN_OK, downgrade ? r->ops->downgrade(from->handles[handle], &out)
	                                      : r->ops->weak_clone(from->handles[handle], &out)))
		return;
	table_add(&r->weaks, out);
	broadcast_model_downgrade(&r->model);
}

void broadcast_sender_drop(struct broadcast_run *r, struct bytes *in)
{
	unsigned number = table_pick(&r->senders, in);
	if (number == TABLE_NONE || (r->q.depth > 0 && sequence_armed_on(&r->q, true, number)))
		return;
	step("sender_drop(s%u)", number);
	struct chan_sender *tx = table_remove(&r->senders, number);
	broadcast_model_sender_drop(&r->model, &r->q.step, number);
	r->ops->sender_drop(&tx);
	sequence_want_null(tx);
	sequence_give_waiters(&r->q);
}

void broadcast_receiver_drop(struct broadcast_run *r, struct bytes *in)
{
	unsigned number = table_pick(&r->receivers, in);
	if (number == TABLE_NONE || number == r->cloning || (r->q.depth > 0 && sequence_armed_on(&r->q, false, number)))
		return;
	step("receiver_drop(r%u)", number);
	struct chan_receiver *rx = table_remove(&r->receivers, number);
	broadcast_model_receiver_drop(&r->model, &r->q.step, number);
	r->ops->receiver_drop(&rx);
	sequence_want_null(rx);
	sequence_give_waiters(&r->q);
}

void broadcast_weak_drop(struct broadcast_run *r, struct bytes *in)
{
	unsigned number = table_pick(&r->weaks, in);
	if (number == TABLE_NONE)
		return;
	step("weak_drop(w%u)", number);
	struct chan_weak *weak = table_remove(&r->weaks, number);
	broadcast_model_weak_drop(&r->model);
	r->ops->weak_drop(&weak);
	sequence_want_null(weak);
}

/* What one handle says; within a callback only what does not count messages. */
static void check_handle(struct broadcast_run *r, char type, unsigned number, void *handle, enum chan_property p)
{
	bool receiver = type == 'r';
	uint64_t seen, expected = receiver ? broadcast_model_receiver_get(&r->model, number, p)
	                                   : broadcast_model_sender_get(&r->model, p);
	if (receiver      ? r->ops->receiver_get == NULL
	    : type == 's' ? r->ops->sender_get == NULL
	                  : r->ops->weak_get == NULL)
		return;
	if (receiver)
		seen = r->ops->receiver_get(handle, p);
	else
		seen = type == 's' ? r->ops->sender_get(handle, p) : r->ops->weak_get(handle, p);
	if (p == CHAN_IDENTITY)
		sequence_identity(&r->q, type, number, seen);
	else if (p != CHAN_LEN || r->q.depth == 0)
		sequence_property(type, number, p, expected, seen);
}

/* The length on every handle, and the other properties on one each, in turn. */
void broadcast_check_properties(struct broadcast_run *r)
{
	const struct {
		char type;
		const struct table *table;
	} all[] = {{'s', &r->senders}, {'r', &r->receivers}, {'w', &r->weaks}};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		for (unsigned number = 0; number < all[i].table->count; number++) {
			void *handle = all[i].table->handles[number];

			if (handle == NULL)
				continue;
			check_handle(r, all[i].type, number, handle, CHAN_LEN);
			check_handle(r, all[i].type, number, handle,
			             CHAN_CAPACITY + r->asked++ % (CHAN_IDENTITY - CHAN_CAPACITY + 1));
		}
}
