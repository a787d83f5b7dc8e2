/* SPDX-License-Identifier: MIT
 *
 * mpsc_handles.c - the operations on handles: cloning, dropping, closing, arming.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/mpsc.h"

void mpsc_do_sender_clone(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct chan_sender *out = NULL;

	(void)deadline;
	if (tx == TABLE_NONE || r->ops->sender_clone == NULL || table_full(&r->senders))
		return;
	mpsc_begin(r, false);
	step("sender_clone(s%u) as s%u", tx, r->senders.count);
	enum chan_status seen = mpsc_called(r, r->ops->sender_clone(r->senders.handles[tx], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->senders, out);
	mpsc_agree(r, mpsc_model_sender_clone(&r->model, &r->step), seen);
}

void mpsc_do_receiver_clone(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	struct chan_receiver *out = NULL;

	(void)deadline;
	if (rx == TABLE_NONE || r->ops->receiver_clone == NULL || table_full(&r->receivers))
		return;
	mpsc_begin(r, false);
	step("receiver_clone(r%u) as r%u", rx, r->receivers.count);
	enum chan_status seen = mpsc_called(r, r->ops->receiver_clone(r->receivers.handles[rx], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->receivers, out);
	mpsc_agree(r, mpsc_model_receiver_clone(&r->model, &r->step), seen);
}

void mpsc_do_downgrade(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct chan_weak *out = NULL;

	(void)deadline;
	if (tx == TABLE_NONE || r->ops->downgrade == NULL || table_full(&r->weaks))
		return;
	mpsc_begin(r, false);
	step("downgrade(s%u) as w%u", tx, r->weaks.count);
	enum chan_status seen = mpsc_called(r, r->ops->downgrade(r->senders.handles[tx], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->weaks, out);
	mpsc_agree(r, mpsc_model_downgrade(&r->model, &r->step), seen);
}

void mpsc_do_upgrade(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned weak = table_pick(&r->weaks, in);
	struct chan_sender *out = NULL;

	(void)deadline;
	if (weak == TABLE_NONE || r->ops->upgrade == NULL || table_full(&r->senders))
		return;
	mpsc_begin(r, false);
	step("upgrade(w%u) as s%u", weak, r->senders.count);
	enum chan_status seen = mpsc_called(r, r->ops->upgrade(r->weaks.handles[weak], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->senders, out);
	mpsc_agree(r, mpsc_model_upgrade(&r->model, &r->step), seen);
}

void mpsc_do_weak_clone(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned weak = table_pick(&r->weaks, in);
	struct chan_weak *out = NULL;

	(void)deadline;
	if (weak == TABLE_NONE || r->ops->weak_clone == NULL || table_full(&r->weaks))
		return;
	mpsc_begin(r, false);
	step("weak_clone(w%u) as w%u", weak, r->weaks.count);
	enum chan_status seen = mpsc_called(r, r->ops->weak_clone(r->weaks.handles[weak], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->weaks, out);
	mpsc_agree(r, mpsc_model_weak_clone(&r->model, &r->step), seen);
}

/* ------------------------------------------------------------------------------------------
 * The ends of handles
 */

void mpsc_waiters_ended(struct mpsc_run *r, unsigned handle, bool receiver)
{
	for (size_t i = 0; i < r->model.waiter_count; i++) {
		const struct mpsc_model_waiter *w = &r->model.waiters[i];

		if (w->handle == handle && (w->event == MPSC_WAITS_FOR_MESSAGE) == receiver)
			waiters_give(&r->waiters.all[w->number]);
	}
}

void mpsc_do_sender_drop(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);

	(void)deadline;
	/* a permit must not outlive its sender */
	if (tx == TABLE_NONE || mpsc_permits_of(r, tx) > 0)
		return;
	struct chan_sender *handle = table_remove(&r->senders, tx);
	mpsc_begin(r, true);
	step("sender_drop(s%u)", tx);
	r->ops->sender_drop(&handle);
	mpsc_called(r, CHAN_OK, false);
	want_u64(1, handle == NULL, "the handle is NULL");
	mpsc_waiters_ended(r, tx, false);
	mpsc_model_sender_drop(&r->model, &r->step, tx);
	mpsc_agree(r, CHAN_OK, CHAN_OK);
}

void mpsc_do_receiver_drop(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);

	(void)deadline;
	if (rx == TABLE_NONE)
		return;
	struct chan_receiver *handle = table_remove(&r->receivers, rx);
	mpsc_begin(r, true);
	step("receiver_drop(r%u)", rx);
	r->ops->receiver_drop(&handle);
	mpsc_called(r, CHAN_OK, false);
	want_u64(1, handle == NULL, "the handle is NULL");
	mpsc_waiters_ended(r, rx, true);
	mpsc_model_receiver_drop(&r->model, &r->step, rx);
	mpsc_agree(r, CHAN_OK, CHAN_OK);
}

void mpsc_do_weak_drop(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned weak = table_pick(&r->weaks, in);

	(void)deadline;
	if (weak == TABLE_NONE)
		return;
	struct chan_weak *handle = table_remove(&r->weaks, weak);
	mpsc_begin(r, false);
	step("weak_drop(w%u)", weak);
	r->ops->weak_drop(&handle);
	mpsc_called(r, CHAN_OK, false);
	want_u64(1, handle == NULL, "the handle is NULL");
	mpsc_model_weak_drop(&r->model, &r->step);
	mpsc_agree(r, CHAN_OK, CHAN_OK);
}

void mpsc_do_close(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);

	(void)deadline;
	if (rx == TABLE_NONE || r->ops->close == NULL)
		return;
	mpsc_begin(r, true);
	step("close(r%u)", rx);
	r->ops->close(r->receivers.handles[rx]);
	mpsc_called(r, CHAN_OK, false);
	mpsc_model_close(&r->model, &r->step);
	mpsc_agree(r, CHAN_OK, CHAN_OK);
}

void mpsc_do_closed(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);

	if (tx == TABLE_NONE || r->ops->closed == NULL)
		return;
	mpsc_begin(r, false);
	step("closed(s%u, %d)", tx, deadline);
	enum chan_status seen = mpsc_called(r, r->ops->closed(r->senders.handles[tx], deadline), false);
	mpsc_agree(r, mpsc_model_closed(&r->model, deadline), seen);
}

/* ------------------------------------------------------------------------------------------
 * Waiters
 */

static void armed(struct mpsc_run *r, struct fuzz_waiter *w, enum chan_arm expected, enum chan_arm seen)
{
	mpsc_called(r, CHAN_OK, false);
	trace_gave_text(arm_name(seen));
	if (expected != seen)
		differ(arm_name(expected), arm_name(seen), "whether it was armed");
	if (seen != CHAN_ARMED)
		waiters_give(w);
	mpsc_agree(r, CHAN_OK, CHAN_OK);
}

void mpsc_do_arm_send(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct fuzz_waiter *w;

	(void)deadline;
	if (tx == TABLE_NONE || r->ops->arm_send == NULL || (w = waiters_take(&r->waiters)) == NULL)
		return;
	mpsc_begin(r, false);
	step("arm_send(s%u, w%u)", tx, w->number);
	enum chan_arm seen = r->ops->arm_send(r->senders.handles[tx], &w->waiter);
	armed(r, w, mpsc_model_arm_send(&r->model, tx, w->number), seen);
}

void mpsc_do_arm_closed(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct fuzz_waiter *w;

	(void)deadline;
	if (tx == TABLE_NONE || r->ops->arm_closed == NULL || (w = waiters_take(&r->waiters)) == NULL)
		return;
	mpsc_begin(r, false);
	step("arm_closed(s%u, w%u)", tx, w->number);
	enum chan_arm seen = r->ops->arm_closed(r->senders.handles[tx], &w->waiter);
	armed(r, w, mpsc_model_arm_closed(&r->model, tx, w->number), seen);
}

void mpsc_do_arm_recv(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	struct fuzz_waiter *w;

	(void)deadline;
	if (rx == TABLE_NONE || r->ops->arm_recv == NULL || (w = waiters_take(&r->waiters)) == NULL)
		return;
	mpsc_begin(r, false);
	step("arm_recv(r%u, w%u)", rx, w->number);
	enum chan_arm seen = r->ops->arm_recv(r->receivers.handles[rx], &w->waiter);
	armed(r, w, mpsc_model_arm_recv(&r->model, rx, w->number), seen);
}

void mpsc_do_disarm(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned choice = bytes_u8(in);

	(void)deadline;
	if (r->model.waiter_count == 0)
		return;
	struct fuzz_waiter *w = &r->waiters.all[r->model.waiters[choice % r->model.waiter_count].number];
	mpsc_begin(r, true);
	step("disarm(w%u)", w->number);
	bool seen = r->ops->disarm(&w->waiter);
	mpsc_called(r, CHAN_OK, false);
	trace_gave_text(seen ? "true" : "false");
	waiters_give(w);
	want_u64(mpsc_model_disarm(&r->model, &r->step, w->number), seen, "whether it had fired");
	mpsc_agree(r, CHAN_OK, CHAN_OK);
}
