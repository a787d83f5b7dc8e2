/* SPDX-License-Identifier: MIT
 *
 * fuzz_oneshot.c - one oneshot channel after another, against model/oneshot.h.
 *
 * A channel is soon over, so an input runs as many as it has bytes for, each with a configuration
 * of its own.
 */
#include "fuzz/common/sequence.h"
#include "fuzz/common/target.h"
#include "fuzz/common/trace.h"
#include "fuzz/model/oneshot.h"

struct run {
	struct sequence q;
	const struct chan_oneshot_ops *ops;
	struct oneshot_model model;
	struct chan_sender *tx;
	struct chan_receiver *rx;
};

static struct run run;

static void check_properties(struct run *r)
{
	for (enum chan_property p = CHAN_LEN; p < CHAN_IDENTITY; p++) {
		if (r->tx != NULL && r->ops->sender_get != NULL)
			sequence_property('s', 0, p, oneshot_model_get(&r->model, false, p),
			                  r->ops->sender_get(r->tx, p));
		if (r->rx != NULL && r->ops->receiver_get != NULL)
			sequence_property('r', 0, p, oneshot_model_get(&r->model, true, p),
			                  r->ops->receiver_get(r->rx, p));
	}
	if (r->tx != NULL && r->ops->sender_get != NULL)
		sequence_identity(&r->q, 's', 0, r->ops->sender_get(r->tx, CHAN_IDENTITY));
	if (r->rx != NULL && r->ops->receiver_get != NULL)
		sequence_identity(&r->q, 'r', 0, r->ops->receiver_get(r->rx, CHAN_IDENTITY));
}

static void do_send(struct run *r)
{
	uint64_t message = r->q.tally.made++;
	step("send(m%u)", message);
	enum chan_status expected = oneshot_model_send(&r->model, &r->q.step, message);
	/* NULL before the call: what the call back finds there is what the channel makes of it. */
	struct chan_sender *tx = r->tx;
	r->tx = NULL;
	enum chan_status seen = r->ops->send(&tx, sequence_out(&r->q, message));
	trace_gave(seen);
	want_status(expected, seen, "send");
	sequence_want_null(tx);
	r->q.tally.sent += seen == CHAN_OK;
	sequence_give_waiters(&r->q);
}

static void do_recv(struct run *r, struct bytes *in)
{
	uint64_t deadline = sequence_deadline(in), message = 0;
	void *element = sequence_in(&r->q);
	step("recv(%d)", deadline);
	enum chan_status expected = oneshot_model_recv(&r->model, &message, deadline);
	enum chan_status seen = r->ops->recv(r->rx, element, deadline);
	trace_gave(seen);
	want_status(expected, seen, "recv");
	if (seen == CHAN_OK)
		sequence_received(&r->q, element, message);
}

static void do_sender_drop(struct run *r)
{
	struct chan_sender *tx = r->tx;
	step("sender_drop");
	oneshot_model_sender_drop(&r->model, &r->q.step);
	r->tx = NULL;
	r->ops->sender_drop(&tx);
	sequence_want_null(tx);
	sequence_give_waiters(&r->q);
}

static void do_receiver_drop(struct run *r)
{
	struct chan_receiver *rx = r->rx;
	step("receiver_drop");
	oneshot_model_receiver_drop(&r->model, &r->q.step);
	r->rx = NULL;
	r->ops->receiver_drop(&rx);
	sequence_want_null(rx);
	sequence_give_waiters(&r->q);
}

static void do_close(struct run *r)
{
	if (r->ops->close == NULL)
		return;
	step("close");
	oneshot_model_close(&r->model, &r->q.step);
	r->ops->close(r->rx);
}

static void do_closed(struct run *r, struct bytes *in)
{
	uint64_t deadline = sequence_deadline(in);
	if (r->ops->closed == NULL)
		return;
	step("closed(%d)", deadline);
	enum chan_status seen = r->ops->closed(r->tx, deadline);
	trace_gave(seen);
	want_status(oneshot_model_closed(&r->model, deadline), seen, "closed");
}

static void do_arm(struct run *r, bool sender)
{
	struct fuzz_waiter *w;
	enum chan_arm expected, seen;
	if ((sender ? r->ops->arm_closed == NULL : r->ops->arm_recv == NULL) || r->ops->disarm == NULL ||
	    (w = waiters_take(&r->q.waiters)) == NULL)
		return;
	step(sender ? "arm_closed(w%u)" : "arm_recv(w%u)", w->number);
	if (sender) {
		expected = oneshot_model_arm_closed(&r->model, w->number);
		seen = r->ops->arm_closed(r->tx, &w->waiter);
	} else {
		expected = oneshot_model_arm_recv(&r->model, w->number);
		seen = r->ops->arm_recv(r->rx, &w->waiter);
	}
	want_u64(expected, seen, "arm (0 ready, 1 armed)");
	if (seen != CHAN_ARMED)
		waiters_give(w);
}

static void do_disarm(struct run *r, struct bytes *in)
{
	unsigned number = sequence_pick_waiter(&r->q, in);
	if (number == MODEL_WAITERS)
		return;
	step("disarm(w%u)", number);
	bool expected = oneshot_model_disarm(&r->model, number);
	bool seen = r->ops->disarm(&r->q.waiters.all[number].waiter);
	want_u64(expected, seen, "disarm (1: it had fired)");
	waiters_give(&r->q.waiters.all[number]);
}

static void operate(struct run *r, struct bytes *in)
{
	switch (bytes_below(in, 9)) {
	case 0:
	case 1:
		if (r->rx != NULL)
			do_recv(r, in);
		break;
	case 2:
		if (r->tx != NULL)
			do_send(r);
		break;
	case 3:
		if (r->rx != NULL)
			do_close(r);
		break;
	case 4:
		if (r->tx != NULL)
			do_closed(r, in);
		break;
	case 5:
		if (r->rx != NULL)
			do_arm(r, false);
		break;
	case 6:
		if (r->tx != NULL)
			do_arm(r, true);
		break;
	case 7:
		do_disarm(r, in);
		break;
	default:
		if (bytes_bool(in) ? r->tx != NULL : r->rx == NULL && r->tx != NULL)
			do_sender_drop(r);
		else if (r->rx != NULL)
			do_receiver_drop(r);
	}
}

/* A wake or a destroy that uses the other handle: the interrupted call's own was consumed, or is
 * the other's to drop. */
static void call_back(struct sequence *q, struct bytes *in, enum place place)
{
	struct run *r = (struct run *)q;
	step("... from %s:", (uintptr_t)(place == IN_WAKE ? "wake" : "destroy"));
	switch (bytes_below(in, 5)) {
	case 0:
		if (r->rx != NULL)
			do_recv(r, in);
		break;
	case 1:
		if (r->rx != NULL)
			do_close(r);
		break;
	case 2:
		if (r->tx != NULL)
			do_closed(r, in);
		break;
	case 3:
		check_properties(r);
		break;
	default:
		if (r->tx != NULL && place == IN_DESTROY)
			do_sender_drop(r);
	}
}

static void run_channel(struct run *r, struct bytes *in)
{
	struct chan_config config = sequence_open(&r->q, in, false);
	r->q.call_back = call_back;
	r->q.waiting = &r->model.waiting;
	oneshot_model_open(&r->model);
	step("open(size %u, align %u, %s, start %x)", config.size, config.align,
	     (uintptr_t)(config.destroy != NULL ? "destroy" : "no hooks"), config.start);
	want_status(CHAN_OK, r->ops->open(&config, &r->tx, &r->rx), "open");
	check_properties(r);
	while (r->tx != NULL || r->rx != NULL) {
		sequence_begin(&r->q, in);
		if (!bytes_end(in))
			operate(r, in);
		else if (r->tx != NULL)
			do_sender_drop(r);
		else
			do_receiver_drop(r);
		sequence_end(&r->q);
		check_properties(r);
	}
	tally_whole(&r->q.tally);
}

static bool offers(const struct chan_impl *impl)
{
	return impl->oneshot != NULL;
}

static void run_input(const struct chan_impl *impl, struct bytes *in)
{
	run.ops = impl->oneshot;
	do
		run_channel(&run, in);
	while (!bytes_end(in));
}

const struct fuzz_target fuzz_target = {.name = "fuzz_oneshot", .offers = offers, .run = run_input};
