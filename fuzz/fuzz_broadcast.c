/* SPDX-License-Identifier: MIT
 *
 * fuzz_broadcast.c - a broadcast channel and all its handles, against model/broadcast.h. What an
 * input means: run/broadcast.h.
 */
#include "fuzz/common/target.h"
#include "fuzz/common/trace.h"
#include "fuzz/run/broadcast.h"

static struct broadcast_run run;

/* ------------------------------------------------------------------------------------------
 * From inside callbacks
 */

/* Where a value is pinned each operation is refused. */
static void be_refused(struct broadcast_run *r, struct bytes *in)
{
	unsigned tx = table_pick(&r->senders, in), rx = table_pick(&r->receivers, in), weak = table_pick(&r->weaks, in);
	struct chan_waiter waiter = {0};
	void *out = NULL;
	uint64_t missed;
	step("... refused");
	if (tx != TABLE_NONE) {
		struct chan_sender *s = r->senders.handles[tx];
		want_status(CHAN_INVALID, r->ops->send(s, sequence_out(&r->q, 1), NULL), "send within clone");
		want_status(CHAN_INVALID, r->ops->subscribe(s, (struct chan_receiver **)&out),
		            "subscribe within clone");
		if (r->ops->sender_clone != NULL)
			want_status(CHAN_INVALID, r->ops->sender_clone(s, (struct chan_sender **)&out),
			            "sender_clone within clone");
		if (r->ops->closed != NULL)
			want_status(CHAN_INVALID, r->ops->closed(s, CHAN_NOW), "closed within clone");
		if (r->ops->arm_closed != NULL)
			want_u64(CHAN_NOT_ARMED, r->ops->arm_closed(s, &waiter), "arm_closed within clone");
	}
	if (rx != TABLE_NONE) {
		struct chan_receiver *receiver = r->receivers.handles[rx];
		want_status(CHAN_INVALID, r->ops->recv(receiver, sequence_in(&r->q), &missed, CHAN_NOW),
		            "recv within clone");
		if (r->ops->resubscribe != NULL)
			want_status(CHAN_INVALID, r->ops->resubscribe(receiver, (struct chan_receiver **)&out),
			            "resubscribe within clone");
		if (r->ops->arm_recv != NULL)
			want_u64(CHAN_NOT_ARMED, r->ops->arm_recv(receiver, &waiter), "arm_recv within clone");
	}
	if (weak != TABLE_NONE && r->ops->upgrade != NULL)
		want_status(CHAN_INVALID, r->ops->upgrade(r->weaks.handles[weak], (struct chan_sender **)&out),
		            "upgrade within clone");
}

static void call_back(struct sequence *q, struct bytes *in, enum place place)
{
	struct broadcast_run *r = (struct broadcast_run *)q;
	unsigned what = bytes_u8(in);
	step("... from %s:", (uintptr_t)(place == PINNED ? "clone" : place == IN_WAKE ? "wake" : "destroy"));
	if (place != IN_WAKE && what >= 192)
		broadcast_sender_drop(r, in);
	else if (place != IN_WAKE && what >= 128)
		broadcast_receiver_drop(r, in);
	else if (what >= 112)
		broadcast_check_properties(r);
	else if (place == PINNED)
		be_refused(r, in);
	else if (what >= 96)
		broadcast_subscribe(r, in, true);
	else if (what >= 80)
		broadcast_subscribe(r, in, false);
	else if (what >= 64)
		broadcast_arm(r, in, (what & 1) != 0);
	else if (what >= 32)
		broadcast_recv(r, in);
	else
		broadcast_send(r, in);
}

/* ------------------------------------------------------------------------------------------ */

static void operate(struct broadcast_run *r, struct bytes *in)
{
	switch (bytes_below(in, 20)) {
	case 0:
	case 1:
		broadcast_send(r, in);
		break;
	case 2:
	case 3:
	case 4:
		broadcast_recv(r, in);
		break;
	case 5:
		broadcast_send_some(r, in);
		break;
	case 6:
		broadcast_subscribe(r, in, true);
		break;
	case 7:
		broadcast_subscribe(r, in, false);
		break;
	case 8:
		broadcast_sender_clone(r, in);
		break;
	case 9:
		broadcast_upgrade(r, in);
		break;
	case 10:
	case 11:
		broadcast_weaken(r, in, bytes_bool(in));
		break;
	case 12:
		broadcast_sender_drop(r, in);
		break;
	case 13:
	case 14:
		broadcast_receiver_drop(r, in);
		break;
	case 15:
		broadcast_weak_drop(r, in);
		break;
	case 16:
		broadcast_closed(r, in);
		break;
	case 17:
		broadcast_arm(r, in, false);
		break;
	case 18:
		broadcast_arm(r, in, true);
		break;
	default:
		broadcast_disarm(r, in);
	}
}

static bool open_channel(struct broadcast_run *r, struct bytes *in)
{
	struct chan_config config = sequence_open(&r->q, in, true);
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;
	unsigned capacity = bytes_u8(in);
	bool receiver = capacity < 224;
	config.capacity = capacity % 72; /* up to 70; and none, and a little more */
	r->q.call_back = call_back;
	r->q.waiting = &r->model.waiting;
	r->senders.count = r->receivers.count = r->weaks.count = 0;
	r->senders.live = r->receivers.live = r->weaks.live = 0;
	r->cloning = TABLE_NONE;
	r->asked = 0;
	step("open(size %u, align %u, capacity %u, %s, start %x)", config.size, config.align, config.capacity,
	     (uintptr_t)(config.destroy != NULL ? "clone and destroy"
	                 : config.clone != NULL ? "clone"
	                                        : "no hooks"),
	     config.start);
	sequence_short_of_memory(&r->q, in);
	enum chan_status seen = r->ops->open(&config, &tx, receiver ? &rx : NULL);
	if (!sequence_made(config.capacity == 0 ? CHAN_INVALID : CHAN_OK, seen))
		return false;
	broadcast_model_open(&r->model, config.capacity, receiver);
	table_add(&r->senders, tx);
	if (receiver)
		table_add(&r->receivers, rx);
	return true;
}

static bool offers(const struct chan_impl *impl)
{
	return impl->broadcast != NULL;
}

static void run_input(const struct chan_impl *impl, struct bytes *in)
{
	struct broadcast_run *r = &run;
	r->ops = impl->broadcast;
	if (!open_channel(r, in))
		return;
	broadcast_check_properties(r);
	while (r->senders.live + r->receivers.live + r->weaks.live > 0) {
		sequence_begin(&r->q, in);
		if (!bytes_end(in))
			operate(r, in);
		else if (r->weaks.live > 0)
			broadcast_weak_drop(r, in);
		else if (r->senders.live > 0)
			broadcast_sender_drop(r, in);
		else
			broadcast_receiver_drop(r, in);
		sequence_end(&r->q);
		broadcast_check_properties(r);
	}
	tally_whole(&r->q.tally);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_broadcast", .offers = offers, .run = run_input};
