/* SPDX-License-Identifier: MIT
 *
 * mpsc_nested.c - callbacks that call back: what a wake or a destruction does on the channel, and
 * the same on the model.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/mpsc.h"

static void do_send(struct mpsc_run *r, struct mpsc_nested *n)
{
	void *element = ledger_outbox(&r->ledger, 1);

	n->message = r->ledger.made++;
	ledger_write(&r->ledger, element, 0, n->message);
	step_inside("send(s%u, m%u, now)", n->handle, n->message);
	n->status = r->ops->send(r->senders.handles[n->handle], element, CHAN_NOW);
}

static void do_recv(struct mpsc_run *r, struct mpsc_nested *n)
{
	step_inside("recv(r%u, now)", n->handle);
	n->status = r->ops->recv(r->receivers.handles[n->handle], ledger_inbox(&r->ledger, 1), CHAN_NOW);
}

static void do_clone(struct mpsc_run *r, struct mpsc_nested *n)
{
	struct chan_sender *tx;

	step_inside("sender_clone(s%u) as s%u", n->handle, r->senders.count);
	n->status = r->ops->sender_clone(r->senders.handles[n->handle], &tx);
	if (n->status == CHAN_OK)
		table_add(&r->senders, tx);
}

static void do_arm(struct mpsc_run *r, struct mpsc_nested *n)
{
	bool send = n->action == NEST_ARM_SEND;

	step_inside("%s%u, w%u)", (uintptr_t)(send ? "arm_send(s" : "arm_recv(r"), n->handle, n->waiter->number);
	n->arm = send ? r->ops->arm_send(r->senders.handles[n->handle], &n->waiter->waiter)
	              : r->ops->arm_recv(r->receivers.handles[n->handle], &n->waiter->waiter);
	n->status = CHAN_OK;
}

static void do_close(struct mpsc_run *r, struct mpsc_nested *n)
{
	step_inside("close(r%u)", n->handle);
	r->ops->close(r->receivers.handles[n->handle]);
	n->status = CHAN_OK;
}

static bool offered(const struct mpsc_run *r, enum mpsc_nested_action action)
{
	switch (action) {
	case NEST_CLONE:
		return r->ops->sender_clone != NULL && !table_full(&r->senders);
	case NEST_ARM_SEND:
		return r->ops->arm_send != NULL;
	case NEST_ARM_RECV:
		return r->ops->arm_recv != NULL;
	case NEST_CLOSE:
		return r->ops->close != NULL;
	default:
		return r->model.len < MPSC_MODEL_MESSAGES;
	}
}

void mpsc_in_callback(void *context)
{
	struct mpsc_run *r = context;
	struct mpsc_nested *n = &r->nested;
	struct bytes choice = {&n->choice, 1};
	bool receives = n->action == NEST_RECV || n->action == NEST_ARM_RECV || n->action == NEST_CLOSE;

	if (n->action == NEST_NOTHING || !n->allowed || n->done || !offered(r, n->action))
		return;
	n->handle = table_pick(receives ? &r->receivers : &r->senders, &choice);
	if (n->handle == TABLE_NONE)
		return;
	if (n->action == NEST_ARM_SEND || n->action == NEST_ARM_RECV) {
		n->waiter = waiters_take(&r->waiters);
		if (n->waiter == NULL)
			return;
	}
	n->done = true;
	switch (n->action) {
	case NEST_SEND:
		do_send(r, n);
		break;
	case NEST_RECV:
		do_recv(r, n);
		break;
	case NEST_CLONE:
		do_clone(r, n);
		break;
	case NEST_CLOSE:
		do_close(r, n);
		break;
	default:
		do_arm(r, n);
		break;
	}
	trace_inside_gave(n->status);
}

void mpsc_on_wake(struct fuzz_waiter *waiter, void *context)
{
	(void)waiter;
	mpsc_in_callback(context);
}

/* ------------------------------------------------------------------------------------------
 * The model
 */

static void agree_arm(struct mpsc_run *r, const struct mpsc_nested *n)
{
	unsigned waiter = n->waiter->number;
	enum chan_arm expected = n->action == NEST_ARM_SEND ? mpsc_model_arm_send(&r->model, n->handle, waiter)
	                                                    : mpsc_model_arm_recv(&r->model, n->handle, waiter);

	if (expected != n->arm)
		differ(arm_name(expected), arm_name(n->arm), "whether it was armed in the callback");
	if (n->arm != CHAN_ARMED)
		waiters_give(n->waiter);
}

void mpsc_nested_agree(struct mpsc_run *r)
{
	struct mpsc_nested *n = &r->nested;
	enum chan_status expected = CHAN_OK;
	uint64_t message = 0;

	if (!n->done)
		return;
	if (n->action == NEST_SEND)
		expected = mpsc_model_send(&r->model, &r->step, n->handle, n->message, CHAN_NOW);
	else if (n->action == NEST_RECV)
		expected = mpsc_model_recv(&r->model, &r->step, n->handle, &message, CHAN_NOW);
	else if (n->action == NEST_CLONE)
		expected = mpsc_model_sender_clone(&r->model, &r->step);
	else if (n->action == NEST_CLOSE)
		mpsc_model_close(&r->model, &r->step);
	else
		agree_arm(r, n);
	want_status(expected, n->status, "status in the callback");
	if (expected == CHAN_OK && n->action == NEST_RECV)
		ledger_check(&r->ledger, ledger_inbox(&r->ledger, 1), 0, message, "received in the callback");
	r->ledger.sent += expected == CHAN_OK && n->action == NEST_SEND;
	r->ledger.received += expected == CHAN_OK && n->action == NEST_RECV;
	for (size_t i = 0; i < r->step.expected.fired_count; i++)
		r->step.expected.in_turn[i] = false;
	n->action = NEST_NOTHING;
}
