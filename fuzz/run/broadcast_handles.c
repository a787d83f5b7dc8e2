/* SPDX-License-Identifier: MIT
 *
 * broadcast_handles.c - handles that come and go, and what they say. Overview: broadcast.h.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/broadcast.h"

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
