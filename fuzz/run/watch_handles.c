/* SPDX-License-Identifier: MIT
 *
 * watch_handles.c - handles that come and go, and what they say. Overview: watch.h.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/watch.h"

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
