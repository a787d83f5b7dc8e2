/* SPDX-License-Identifier: MIT
 *
 * fuzz_watch.c - a watch channel and all its handles, against model/watch.h. What an input means:
 * run/watch.h.
 */
#include "fuzz/common/target.h"
#include "fuzz/common/trace.h"
#include "fuzz/run/watch.h"

static struct watch_run run;

/* ------------------------------------------------------------------------------------------
 * From inside callbacks
 */

static void sender_be_refused(struct watch_run *r, struct chan_sender *tx)
{
	struct watch_modification m = {.run = r};
	struct chan_waiter waiter = {0};
	void *out = NULL;
	want_status(CHAN_INVALID, r->ops->send(tx, sequence_out(&r->q, 1)), "send while pinned");
	if (r->ops->send_replace != NULL)
		want_status(CHAN_INVALID, r->ops->send_replace(tx, sequence_out(&r->q, 1), sequence_in(&r->q)),
		            "send_replace while pinned");
	if (r->ops->modify != NULL)
		want_status(CHAN_INVALID, r->ops->modify(tx, watch_modify_value, &m, NULL), "modify while pinned");
	if (r->ops->sender_borrow != NULL)
		want_status(CHAN_INVALID, r->ops->sender_borrow(tx, sequence_in(&r->q)), "sender_borrow while pinned");
	if (r->ops->subscribe != NULL)
		want_status(CHAN_INVALID, r->ops->subscribe(tx, (struct chan_receiver **)&out),
		            "subscribe while pinned");
	if (r->ops->sender_clone != NULL)
		want_status(CHAN_INVALID, r->ops->sender_clone(tx, (struct chan_sender **)&out),
		            "sender_clone while pinned");
	if (r->ops->closed != NULL)
		want_status(CHAN_INVALID, r->ops->closed(tx, CHAN_NOW), "closed while pinned");
	if (r->ops->arm_closed != NULL)
		want_u64(CHAN_NOT_ARMED, r->ops->arm_closed(tx, &waiter), "arm_closed while pinned");
}

static void receiver_be_refused(struct watch_run *r, struct chan_receiver *rx)
{
	struct watch_predicate p = {.run = r};
	struct chan_waiter waiter = {0};
	void *out = NULL;
	want_status(CHAN_INVALID, r->ops->borrow(rx, sequence_in(&r->q), NULL), "borrow while pinned");
	want_status(CHAN_INVALID, r->ops->changed(rx, CHAN_NOW), "changed while pinned");
	if (r->ops->borrow_and_update != NULL)
		want_status(CHAN_INVALID, r->ops->borrow_and_update(rx, sequence_in(&r->q), NULL),
		            "borrow_and_update while pinned");
	if (r->ops->has_changed != NULL)
		want_status(CHAN_INVALID, r->ops->has_changed(rx), "has_changed while pinned");
	if (r->ops->wait_for != NULL)
		want_status(CHAN_INVALID, r->ops->wait_for(rx, watch_holds, &p, sequence_in(&r->q), CHAN_NOW),
		            "wait_for while pinned");
	if (r->ops->receiver_clone != NULL)
		want_status(CHAN_INVALID, r->ops->receiver_clone(rx, (struct chan_receiver **)&out),
		            "receiver_clone while pinned");
	if (r->ops->arm_changed != NULL)
		want_u64(CHAN_NOT_ARMED, r->ops->arm_changed(rx, &waiter), "arm_changed while pinned");
	if (r->ops->mark_changed != NULL)
		r->ops->mark_changed(rx); /* without effect, as the next steps show */
}

static void call_back(struct sequence *q, struct bytes *in, enum place place)
{
	struct watch_run *r = (struct watch_run *)q;
	unsigned what = bytes_u8(in);
	step("... from %s:", (uintptr_t)(place == PINNED    ? "where the value is pinned"
	                                 : place == IN_WAKE ? "wake"
	                                                    : "destroy"));
	if (place != IN_WAKE && what >= 192) {
		watch_sender_drop(r, in);
	} else if (place != IN_WAKE && what >= 128) {
		watch_receiver_drop(r, in);
	} else if (what >= 112) {
		watch_check_properties(r);
	} else if (place == PINNED) {
		unsigned tx = table_pick(&r->senders, in), rx = table_pick(&r->receivers, in);
		step("... refused");
		if (tx != TABLE_NONE)
			sender_be_refused(r, r->senders.handles[tx]);
		if (rx != TABLE_NONE)
			receiver_be_refused(r, r->receivers.handles[rx]);
	} else if (what >= 96) {
		watch_subscribe(r, in);
	} else if (what >= 80) {
		watch_changed(r, in);
	} else if (what >= 64) {
		watch_arm(r, in, (what & 1) != 0);
	} else if (what >= 32) {
		watch_borrow(r, in, (what & 1) != 0);
	} else {
		watch_send(r, in);
	}
}

/* ------------------------------------------------------------------------------------------ */

static void operate(struct watch_run *r, struct bytes *in)
{
	static void (*const plain[])(struct watch_run * r, struct bytes * in) = {
		watch_send,        watch_changed,       watch_send_replace,  watch_modify,         watch_sender_borrow,
		watch_has_changed, watch_wait_for,      watch_sender_clone,  watch_receiver_clone, watch_subscribe,
		watch_sender_drop, watch_receiver_drop, watch_receiver_drop, watch_closed,         watch_disarm,
	};
	static void (*const two[])(struct watch_run * r, struct bytes * in, bool which) = {watch_borrow, watch_mark,
	                                                                                   watch_arm};
	enum { PLAIN = sizeof plain / sizeof plain[0], TWO = sizeof two / sizeof two[0] };
	unsigned what = bytes_below(in, PLAIN + 2 * TWO);

	if (what < PLAIN)
		plain[what](r, in);
	else
		two[(what - PLAIN) / 2](r, in, (what - PLAIN) % 2 != 0);
}

static bool open_channel(struct watch_run *r, struct bytes *in)
{
	struct chan_config config = sequence_open(&r->q, in, true);
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;
	r->q.call_back = call_back;
	r->q.waiting = &r->model.waiting;
	r->senders.count = r->receivers.count = r->senders.live = r->receivers.live = 0;
	r->using_tx = r->using_rx = TABLE_NONE;
	r->asked = 0;
	uint64_t initial = r->q.tally.made++;
	step("open(size %u, align %u, %s, start %x, m%u)", config.size, config.align,
	     (uintptr_t)(config.destroy != NULL ? "clone and destroy"
	                 : config.clone != NULL ? "clone"
	                                        : "no hooks"),
	     config.start, initial);
	sequence_short_of_memory(&r->q, in);
	if (!sequence_made(CHAN_OK, r->ops->open(&config, sequence_out(&r->q, initial), &tx, &rx)))
		return false;
	r->q.tally.sent++;
	watch_model_open(&r->model, initial);
	table_add(&r->senders, tx);
	table_add(&r->receivers, rx);
	return true;
}

static bool offers(const struct chan_impl *impl)
{
	return impl->watch != NULL;
}

static void run_input(const struct chan_impl *impl, struct bytes *in)
{
	struct watch_run *r = &run;
	r->ops = impl->watch;
	if (!open_channel(r, in))
		return;
	watch_check_properties(r);
	while (r->senders.live + r->receivers.live > 0) {
		sequence_begin(&r->q, in);
		if (!bytes_end(in))
			operate(r, in);
		else if (r->senders.live > 0)
			watch_sender_drop(r, in);
		else
			watch_receiver_drop(r, in);
		sequence_end(&r->q);
		watch_check_properties(r);
	}
	tally_whole(&r->q.tally);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_watch", .offers = offers, .run = run_input};
