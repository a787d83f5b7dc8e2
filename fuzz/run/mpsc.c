/* SPDX-License-Identifier: MIT
 *
 * mpsc.c - an input as a sequence of operations on an mpsc or unbounded channel and on its model.
 *
 * An input begins with the configuration: four bytes for the tally (tally.h), bounded one for the
 * capacity, and one that now and then lets an allocation of `open` fail, and then one more. Then,
 * until it ends, operations: a byte that says which (the low five bits, see `operations`) and,
 * where it takes a deadline, whether CHAN_NOW or one that has passed (the highest bit); then a byte
 * for each handle, and for each number. What the implementation does not offer, or the
 * contract does not allow now, is passed over. Afterwards all handles are dropped, in an order that
 * also comes from the input.
 *
 * A STEP. `begin`; the call; `called` with its status; the model's operation; `agree` with the
 * model's status.
 *
 * CALLBACKS THAT CALL BACK. The operation `nest` stores what the next wake, or destruction of a
 * message, is to do: send, receive, clone, arm or close. Whether it comes inside the step's
 * operation, or inside a callback of it, the channel has done the operation by then; so the model
 * does the one after the other. (That is not so for batches, which may fire between their elements:
 * not there.)
 */
#include "fuzz/run/mpsc.h"
#include "fuzz/common/compare.h"
#include "fuzz/common/tally.h"
#include "fuzz/common/memory.h"
#include "fuzz/common/table.h"
#include "fuzz/common/target.h"
#include "fuzz/common/trace.h"
#include "fuzz/common/waiters.h"
#include "fuzz/model/mpsc.h"

enum { MPSC_PERMITS = 32, MPSC_PAST = 1 /* a deadline: the first nanosecond of the clock */ };

struct permit {
	struct chan_permit permit;
	unsigned sender;
	bool owned; /* the sender is inside */
	bool live;  /* may have a count of 0 */
};

enum nested_action {
	NEST_NOTHING,
	NEST_SEND,
	NEST_RECV,
	NEST_CLONE,
	NEST_ARM_SEND,
	NEST_ARM_RECV,
	NEST_CLOSE,
	NEST_ACTIONS
};

/* What a callback is to do, and what came of it. */
struct nested {
	enum nested_action action;
	uint8_t choice; /* of the handle */
	bool allowed;   /* in this step */
	bool done;
	unsigned handle;
	uint64_t message;
	struct fuzz_waiter *waiter;
	enum chan_status status;
	enum chan_arm arm;
};

struct mpsc_run {
	const struct chan_mpsc_ops *ops;
	struct mpsc_model model;
	struct model_step step;
	struct tally tally;
	struct waiters waiters;
	struct table senders, receivers, weaks;
	struct permit permits[MPSC_PERMITS];
	unsigned permit_count, permits_live;
	uint64_t identity; /* of the channel; 0: not yet seen */
	unsigned fail;     /* the allocation of the next step that is to fail; 0: none */
	struct nested nested;
};

/* ------------------------------------------------------------------------------------------
 * Steps
 */

static void begin(struct mpsc_run *r, bool nests)
{
	step_clear(&r->step);
	r->nested.allowed = nests;
	r->nested.done = false;
	memory_fail(r->fail);
	r->fail = 0;
}

static enum chan_status called(struct mpsc_run *r, enum chan_status seen, bool allocates)
{
	bool failed = memory_calm();
	trace_gave(seen);
	r->step.no_memory = failed && allocates && seen == CHAN_NOMEM;
	return seen;
}

static void check_identity(struct mpsc_run *r, uint64_t seen)
{
	if (seen == CHAN_UNKNOWN)
		return;
	if (r->identity == 0)
		r->identity = seen;
	want_u64(r->identity, seen, "CHAN_IDENTITY");
}

/* A message that came too late and has nothing to be destroyed with may be there or not (M-37). */
static bool undefined(const struct mpsc_run *r, enum chan_property property)
{
	return (property == CHAN_LEN || property == CHAN_CAPACITY) && r->model.receivers == 0 && !r->tally.hooks &&
	       r->model.len > 0;
}

#define CHECK_HANDLES(r, table, get, type, letter, expected)                                                           \
	for (unsigned i_ = 0; (r)->ops->get != NULL && i_ < (r)->table.count; i_++) {                                  \
		if ((r)->table.handles[i_] == NULL)                                                                    \
			continue;                                                                                      \
		for (int p_ = CHAN_LEN; p_ < CHAN_IDENTITY; p_++)                                                      \
			if (!undefined(r, (enum chan_property)p_))                                                     \
				compare_property(                                                                      \
					letter, i_, (enum chan_property)p_, (expected)[p_],                            \
					(r)->ops->get((const type *)(r)->table.handles[i_], (enum chan_property)p_));  \
		check_identity(r, (r)->ops->get((const type *)(r)->table.handles[i_], CHAN_IDENTITY));                 \
	}

/* Every property of every handle. */
static void check_properties(struct mpsc_run *r)
{
	uint64_t as_sender[CHAN_IDENTITY], as_receiver[CHAN_IDENTITY];
	for (int p = CHAN_LEN; p < CHAN_IDENTITY; p++) {
		as_sender[p] = mpsc_model_get(&r->model, false, (enum chan_property)p);
		as_receiver[p] = mpsc_model_get(&r->model, true, (enum chan_property)p);
	}
	CHECK_HANDLES(r, senders, sender_get, struct chan_sender, 's', as_sender)
	CHECK_HANDLES(r, receivers, receiver_get, struct chan_receiver, 'r', as_receiver)
	CHECK_HANDLES(r, weaks, weak_get, struct chan_weak, 'w', as_sender)
}

/* ------------------------------------------------------------------------------------------
 * Callbacks that call back
 */

static void nest_send(struct mpsc_run *r, struct nested *n)
{
	void *element = tally_outbox(&r->tally, 1);
	n->message = r->tally.made++;
	tally_write(&r->tally, element, 0, n->message);
	step_inside("send(s%u, m%u, now)", n->handle, n->message);
	n->status = r->ops->send(r->senders.handles[n->handle], element, CHAN_NOW);
}

static void nest_recv(struct mpsc_run *r, struct nested *n)
{
	step_inside("recv(r%u, now)", n->handle);
	n->status = r->ops->recv(r->receivers.handles[n->handle], tally_inbox(&r->tally, 1), CHAN_NOW);
}

static void nest_clone(struct mpsc_run *r, struct nested *n)
{
	struct chan_sender *tx;
	step_inside("sender_clone(s%u) as s%u", n->handle, r->senders.count);
	n->status = r->ops->sender_clone(r->senders.handles[n->handle], &tx);
	if (n->status == CHAN_OK)
		table_add(&r->senders, tx);
}

static void nest_arm(struct mpsc_run *r, struct nested *n)
{
	bool send = n->action == NEST_ARM_SEND;
	step_inside("%s%u, w%u)", (uintptr_t)(send ? "arm_send(s" : "arm_recv(r"), n->handle, n->waiter->number);
	n->arm = send ? r->ops->arm_send(r->senders.handles[n->handle], &n->waiter->waiter)
	              : r->ops->arm_recv(r->receivers.handles[n->handle], &n->waiter->waiter);
	n->status = CHAN_OK;
}

static void nest_close(struct mpsc_run *r, struct nested *n)
{
	step_inside("close(r%u)", n->handle);
	r->ops->close(r->receivers.handles[n->handle]);
	n->status = CHAN_OK;
}

static bool offered(const struct mpsc_run *r, enum nested_action action)
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

static void in_callback(void *context)
{
	struct mpsc_run *r = context;
	struct nested *n = &r->nested;
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
		nest_send(r, n);
		break;
	case NEST_RECV:
		nest_recv(r, n);
		break;
	case NEST_CLONE:
		nest_clone(r, n);
		break;
	case NEST_CLOSE:
		nest_close(r, n);
		break;
	default:
		nest_arm(r, n);
		break;
	}
	trace_inside_gave(n->status);
}

static void on_wake(struct fuzz_waiter *waiter, void *context)
{
	(void)waiter;
	in_callback(context);
}

/* ------------------------------------------------------------------------------------------
 * The model
 */

static void agree_arm(struct mpsc_run *r, const struct nested *n)
{
	unsigned waiter = n->waiter->number;
	enum chan_arm expected = n->action == NEST_ARM_SEND ? mpsc_model_arm_send(&r->model, n->handle, waiter)
	                                                    : mpsc_model_arm_recv(&r->model, n->handle, waiter);
	if (expected != n->arm)
		differ(arm_name(expected), arm_name(n->arm), "whether it was armed in the callback");
	if (n->arm != CHAN_ARMED)
		waiters_give(n->waiter);
}

static void nested_agree(struct mpsc_run *r)
{
	struct nested *n = &r->nested;
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
		tally_check(&r->tally, tally_inbox(&r->tally, 1), 0, message, "received in the callback");
	r->tally.sent += expected == CHAN_OK && n->action == NEST_SEND;
	r->tally.received += expected == CHAN_OK && n->action == NEST_RECV;
	for (size_t i = 0; i < r->step.expected.fired_count; i++)
		r->step.expected.in_turn[i] = false;
	n->action = NEST_NOTHING;
}

static void agree(struct mpsc_run *r, enum chan_status expected, enum chan_status seen)
{
	want_status(expected, seen, "status");
	nested_agree(r);
	compare_events(&r->tally, &r->step);
	check_properties(r);
}

/* ------------------------------------------------------------------------------------------
 * Messages: single, in batches, through permits
 */

/* The waiters armed on a handle were disarmed by its drop. Before the model is told of it. */
static void waiters_ended(struct mpsc_run *r, unsigned handle, bool receiver)
{
	for (size_t i = 0; i < r->model.waiter_count; i++) {
		const struct mpsc_model_waiter *w = &r->model.waiters[i];

		if (w->handle == handle && (w->event == MPSC_WAITS_FOR_MESSAGE) == receiver)
			waiters_give(&r->waiters.all[w->number]);
	}
}

enum { SEND_MANY_MAX = 80, RECV_MANY_MAX = 100 };

/* `n` new messages in the outbox. */
static void *make(struct mpsc_run *r, size_t n)
{
	void *elements = tally_outbox(&r->tally, n);
	for (size_t i = 0; i < n; i++)
		tally_write(&r->tally, elements, i, r->tally.made++);
	return elements;
}

/* What was not sent still is the caller's, and as it was. */
static void check_unsent(const struct mpsc_run *r, const void *elements, size_t from, size_t n, uint64_t first)
{
	for (size_t i = from; i < n; i++)
		tally_check(&r->tally, elements, i, first + i, "the value that stays with the caller");
}

static void do_send(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	if (tx == TABLE_NONE || r->model.len == MPSC_MODEL_MESSAGES)
		return;
	uint64_t message = r->tally.made;
	void *element = make(r, 1);
	begin(r, true);
	step("send(s%u, m%u, %d)", tx, message, deadline);
	enum chan_status seen =
		called(r, r->ops->send(r->senders.handles[tx], element, deadline), r->model.capacity == 0);
	enum chan_status expected =
		r->step.no_memory ? CHAN_NOMEM : mpsc_model_send(&r->model, &r->step, tx, message, deadline);
	r->tally.sent += expected == CHAN_OK;
	if (seen != CHAN_OK && !r->nested.done) /* the callback used the outbox */
		check_unsent(r, element, 0, 1, message);
	agree(r, expected, seen);
}

static void do_send_many(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	size_t n = bytes_below(in, SEND_MANY_MAX + 1);
	size_t sent = SIZE_MAX, expected_sent;
	if (tx == TABLE_NONE || r->ops->send_many == NULL || r->model.len + n > MPSC_MODEL_MESSAGES)
		return;
	if (n == 0 && r->model.closed && mpsc_model_owned(&r->model, tx) > 0)
		return; /* whether this counts as the send that gives the slot up is left open */
	uint64_t first = r->tally.made;
	void *elements = make(r, n);
	begin(r, false);
	step("send_many(s%u, m%u..., %u, %d)", tx, first, n, deadline);
	enum chan_status seen = called(r, r->ops->send_many(r->senders.handles[tx], elements, n, &sent, deadline),
	                               r->model.capacity == 0);
	enum chan_status expected =
		mpsc_model_send_many(&r->model, &r->step, tx, first, n, sent, &expected_sent, deadline);
	want_u64(expected_sent, sent, "sent");
	r->tally.sent += sent;
	check_unsent(r, elements, sent, n, first);
	agree(r, expected, seen);
}

static void do_recv(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	unsigned char element[TALLY_SIZE_MAX] __attribute__((aligned(TALLY_ALIGN_MAX)));
	uint64_t message;
	if (rx == TABLE_NONE)
		return;
	begin(r, true);
	step("recv(r%u, %d)", rx, deadline);
	enum chan_status seen = called(r, r->ops->recv(r->receivers.handles[rx], element, deadline), false);
	enum chan_status expected = mpsc_model_recv(&r->model, &r->step, rx, &message, deadline);
	if (seen == CHAN_OK && expected == CHAN_OK) {
		tally_check(&r->tally, element, 0, message, "received");
		r->tally.received++;
	}
	agree(r, expected, seen);
}

static void do_recv_many(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	size_t limit = bytes_below(in, RECV_MANY_MAX + 1);
	size_t received = SIZE_MAX, expected_received;
	uint64_t messages[RECV_MANY_MAX];
	if (rx == TABLE_NONE || r->ops->recv_many == NULL)
		return;
	void *elements = tally_inbox(&r->tally, limit);
	begin(r, false);
	step("recv_many(r%u, %u, %d)", rx, limit, deadline);
	enum chan_status seen =
		called(r, r->ops->recv_many(r->receivers.handles[rx], elements, limit, &received, deadline), false);
	enum chan_status expected =
		mpsc_model_recv_many(&r->model, &r->step, rx, messages, limit, &expected_received, deadline);
	want_u64(expected_received, received, "received");
	for (size_t i = 0; i < received; i++)
		tally_check(&r->tally, elements, i, messages[i], "received");
	r->tally.received += received;
	agree(r, expected, seen);
}

/* ------------------------------------------------------------------------------------------
 * Permits
 */

static struct permit *pick_permit(struct mpsc_run *r, struct bytes *in)
{
	unsigned choice = bytes_u8(in);
	if (r->permits_live == 0)
		return NULL;
	choice %= r->permits_live;
	for (struct permit *p = r->permits;; p++)
		if (p->live && choice-- == 0)
			return p;
}

static unsigned permits_of(const struct mpsc_run *r, unsigned sender)
{
	unsigned n = 0;
	for (unsigned i = 0; i < r->permit_count; i++)
		n += r->permits[i].live && r->permits[i].sender == sender;
	return n;
}

/* A permit that was got, under the next number. */
static void keep(struct mpsc_run *r, struct chan_permit permit, unsigned sender, bool owned)
{
	r->permits[r->permit_count++] =
		(struct permit){.permit = permit, .sender = sender, .owned = owned, .live = true};
	r->permits_live++;
}

static void do_reserve(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	unsigned much = bytes_u8(in);
	size_t n = much == 255 ? SIZE_MAX : much % 128;
	struct chan_permit permit = {.count = 0};
	if (tx == TABLE_NONE || r->ops->reserve == NULL || r->permit_count == MPSC_PERMITS)
		return;
	begin(r, true);
	step("reserve(s%u, %u, %d) as p%u", tx, n, deadline, r->permit_count);
	enum chan_status seen = called(r, r->ops->reserve(r->senders.handles[tx], n, &permit, deadline), false);
	enum chan_status expected = mpsc_model_reserve(&r->model, &r->step, tx, n, deadline);
	want_u64(expected == CHAN_OK ? n : 0, permit.count, "the permit's count");
	if (seen == CHAN_OK)
		keep(r, permit, tx, false);
	agree(r, expected, seen);
}

static void do_reserve_owned(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct chan_permit permit = {.count = 0};
	if (tx == TABLE_NONE || r->ops->reserve == NULL || r->permit_count == MPSC_PERMITS)
		return;
	struct chan_sender *sender = table_remove(&r->senders, tx);
	struct chan_sender *back = NULL;
	begin(r, false);
	step("reserve_owned(s%u, %d) as p%u", tx, deadline, r->permit_count);
	enum chan_status seen = called(r, chan_reserve_owned(r->ops, &sender, &permit, &back, deadline), false);
	enum chan_status expected = mpsc_model_reserve(&r->model, &r->step, tx, 1, deadline);
	want_u64(1, sender == NULL && (back == NULL) == (seen == CHAN_OK), "sender moved, or back");
	if (seen == CHAN_OK)
		keep(r, permit, tx, true);
	else
		table_restore(&r->senders, tx, back);
	agree(r, expected, seen);
}

/* The permit is used up, and with an owned one its sender comes back, or was dropped. */
static void end_permit(struct mpsc_run *r, struct permit *p, struct chan_sender *back)
{
	p->live = false;
	r->permits_live--;
	if (!p->owned)
		return;
	if (back != NULL) {
		table_restore(&r->senders, p->sender, back);
		return;
	}
	waiters_ended(r, p->sender, false);
	mpsc_model_sender_drop(&r->model, &r->step, p->sender);
}

static void do_permit_send(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	struct permit *p = pick_permit(r, in);
	struct chan_sender *back = NULL;
	if (p == NULL || p->permit.count == 0 || r->model.len == MPSC_MODEL_MESSAGES)
		return;
	/* the bit is free here */
	bool keeps = deadline == CHAN_NOW || permits_of(r, p->sender) > 1;
	uint64_t message = r->tally.made;
	void *element = make(r, 1);
	begin(r, !p->owned);
	step("permit_send(p%u, m%u)%s", p - r->permits, message,
	     (uintptr_t)(!p->owned ? ""
	                 : keeps   ? ", sender back"
	                           : ", sender dropped"));
	if (p->owned)
		chan_owned_send(r->ops, &p->permit, element, keeps ? &back : NULL);
	else
		r->ops->permit_send(&p->permit, element);
	called(r, CHAN_OK, false);
	mpsc_model_permit_send(&r->model, &r->step, message);
	r->tally.sent++;
	if (p->permit.count == 0)
		end_permit(r, p, back);
	agree(r, CHAN_OK, CHAN_OK);
}

static void do_permit_release(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	struct permit *p = pick_permit(r, in);
	struct chan_sender *back = NULL;
	if (p == NULL)
		return;
	bool keeps = deadline == CHAN_NOW || permits_of(r, p->sender) > 1;
	size_t n = p->permit.count;
	begin(r, !p->owned);
	step("permit_release(p%u)%s", p - r->permits,
	     (uintptr_t)(!p->owned ? ""
	                 : keeps   ? ", sender back"
	                           : ", sender dropped"));
	if (p->owned)
		chan_owned_release(r->ops, &p->permit, keeps ? &back : NULL);
	else
		r->ops->permit_release(&p->permit);
	called(r, CHAN_OK, false);
	want_u64(0, p->permit.count, "the permit's count");
	mpsc_model_permit_release(&r->model, &r->step, n);
	end_permit(r, p, back);
	agree(r, CHAN_OK, CHAN_OK);
}

/* ------------------------------------------------------------------------------------------
 * Handles: cloning, dropping, closing, arming
 */

static void do_sender_clone(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct chan_sender *out = NULL;
	(void)deadline;
	if (tx == TABLE_NONE || r->ops->sender_clone == NULL || table_full(&r->senders))
		return;
	begin(r, false);
	step("sender_clone(s%u) as s%u", tx, r->senders.count);
	enum chan_status seen = called(r, r->ops->sender_clone(r->senders.handles[tx], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->senders, out);
	agree(r, mpsc_model_sender_clone(&r->model, &r->step), seen);
}

static void do_receiver_clone(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	struct chan_receiver *out = NULL;
	(void)deadline;
	if (rx == TABLE_NONE || r->ops->receiver_clone == NULL || table_full(&r->receivers))
		return;
	begin(r, false);
	step("receiver_clone(r%u) as r%u", rx, r->receivers.count);
	enum chan_status seen = called(r, r->ops->receiver_clone(r->receivers.handles[rx], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->receivers, out);
	agree(r, mpsc_model_receiver_clone(&r->model, &r->step), seen);
}

static void do_downgrade(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct chan_weak *out = NULL;
	(void)deadline;
	if (tx == TABLE_NONE || r->ops->downgrade == NULL || table_full(&r->weaks))
		return;
	begin(r, false);
	step("downgrade(s%u) as w%u", tx, r->weaks.count);
	enum chan_status seen = called(r, r->ops->downgrade(r->senders.handles[tx], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->weaks, out);
	agree(r, mpsc_model_downgrade(&r->model, &r->step), seen);
}

static void do_upgrade(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned weak = table_pick(&r->weaks, in);
	struct chan_sender *out = NULL;
	(void)deadline;
	if (weak == TABLE_NONE || r->ops->upgrade == NULL || table_full(&r->senders))
		return;
	begin(r, false);
	step("upgrade(w%u) as s%u", weak, r->senders.count);
	enum chan_status seen = called(r, r->ops->upgrade(r->weaks.handles[weak], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->senders, out);
	agree(r, mpsc_model_upgrade(&r->model, &r->step), seen);
}

static void do_weak_clone(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned weak = table_pick(&r->weaks, in);
	struct chan_weak *out = NULL;
	(void)deadline;
	if (weak == TABLE_NONE || r->ops->weak_clone == NULL || table_full(&r->weaks))
		return;
	begin(r, false);
	step("weak_clone(w%u) as w%u", weak, r->weaks.count);
	enum chan_status seen = called(r, r->ops->weak_clone(r->weaks.handles[weak], &out), true);
	if (seen == CHAN_OK)
		table_add(&r->weaks, out);
	agree(r, mpsc_model_weak_clone(&r->model, &r->step), seen);
}

/* ------------------------------------------------------------------------------------------
 * The ends of handles
 */

static void do_sender_drop(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	(void)deadline;
	/* a permit must not outlive its sender */
	if (tx == TABLE_NONE || permits_of(r, tx) > 0)
		return;
	struct chan_sender *handle = table_remove(&r->senders, tx);
	begin(r, true);
	step("sender_drop(s%u)", tx);
	r->ops->sender_drop(&handle);
	called(r, CHAN_OK, false);
	want_u64(1, handle == NULL, "the handle is NULL");
	waiters_ended(r, tx, false);
	mpsc_model_sender_drop(&r->model, &r->step, tx);
	agree(r, CHAN_OK, CHAN_OK);
}

static void do_receiver_drop(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	(void)deadline;
	if (rx == TABLE_NONE)
		return;
	struct chan_receiver *handle = table_remove(&r->receivers, rx);
	begin(r, true);
	step("receiver_drop(r%u)", rx);
	r->ops->receiver_drop(&handle);
	called(r, CHAN_OK, false);
	want_u64(1, handle == NULL, "the handle is NULL");
	waiters_ended(r, rx, true);
	mpsc_model_receiver_drop(&r->model, &r->step, rx);
	agree(r, CHAN_OK, CHAN_OK);
}

static void do_weak_drop(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned weak = table_pick(&r->weaks, in);
	(void)deadline;
	if (weak == TABLE_NONE)
		return;
	struct chan_weak *handle = table_remove(&r->weaks, weak);
	begin(r, false);
	step("weak_drop(w%u)", weak);
	r->ops->weak_drop(&handle);
	called(r, CHAN_OK, false);
	want_u64(1, handle == NULL, "the handle is NULL");
	mpsc_model_weak_drop(&r->model, &r->step);
	agree(r, CHAN_OK, CHAN_OK);
}

static void do_close(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	(void)deadline;
	if (rx == TABLE_NONE || r->ops->close == NULL)
		return;
	begin(r, true);
	step("close(r%u)", rx);
	r->ops->close(r->receivers.handles[rx]);
	called(r, CHAN_OK, false);
	mpsc_model_close(&r->model, &r->step);
	agree(r, CHAN_OK, CHAN_OK);
}

static void do_closed(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	if (tx == TABLE_NONE || r->ops->closed == NULL)
		return;
	begin(r, false);
	step("closed(s%u, %d)", tx, deadline);
	enum chan_status seen = called(r, r->ops->closed(r->senders.handles[tx], deadline), false);
	agree(r, mpsc_model_closed(&r->model, deadline), seen);
}

/* ------------------------------------------------------------------------------------------
 * Waiters
 */

static void armed(struct mpsc_run *r, struct fuzz_waiter *w, enum chan_arm expected, enum chan_arm seen)
{
	called(r, CHAN_OK, false);
	trace_gave_text(arm_name(seen));
	if (expected != seen)
		differ(arm_name(expected), arm_name(seen), "whether it was armed");
	if (seen != CHAN_ARMED)
		waiters_give(w);
	agree(r, CHAN_OK, CHAN_OK);
}

static void do_arm_send(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct fuzz_waiter *w;
	(void)deadline;
	if (tx == TABLE_NONE || r->ops->arm_send == NULL || (w = waiters_take(&r->waiters)) == NULL)
		return;
	begin(r, false);
	step("arm_send(s%u, w%u)", tx, w->number);
	enum chan_arm seen = r->ops->arm_send(r->senders.handles[tx], &w->waiter);
	armed(r, w, mpsc_model_arm_send(&r->model, tx, w->number), seen);
}

static void do_arm_closed(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct fuzz_waiter *w;
	(void)deadline;
	if (tx == TABLE_NONE || r->ops->arm_closed == NULL || (w = waiters_take(&r->waiters)) == NULL)
		return;
	begin(r, false);
	step("arm_closed(s%u, w%u)", tx, w->number);
	enum chan_arm seen = r->ops->arm_closed(r->senders.handles[tx], &w->waiter);
	armed(r, w, mpsc_model_arm_closed(&r->model, tx, w->number), seen);
}

static void do_arm_recv(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	struct fuzz_waiter *w;
	(void)deadline;
	if (rx == TABLE_NONE || r->ops->arm_recv == NULL || (w = waiters_take(&r->waiters)) == NULL)
		return;
	begin(r, false);
	step("arm_recv(r%u, w%u)", rx, w->number);
	enum chan_arm seen = r->ops->arm_recv(r->receivers.handles[rx], &w->waiter);
	armed(r, w, mpsc_model_arm_recv(&r->model, rx, w->number), seen);
}

static void do_disarm(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned choice = bytes_u8(in);
	(void)deadline;
	if (r->model.waiter_count == 0)
		return;
	struct fuzz_waiter *w = &r->waiters.all[r->model.waiters[choice % r->model.waiter_count].number];
	begin(r, true);
	step("disarm(w%u)", w->number);
	bool seen = r->ops->disarm(&w->waiter);
	called(r, CHAN_OK, false);
	trace_gave_text(seen ? "true" : "false");
	waiters_give(w);
	want_u64(mpsc_model_disarm(&r->model, &r->step, w->number), seen, "whether it had fired");
	agree(r, CHAN_OK, CHAN_OK);
}

/* ------------------------------------------------------------------------------------------
 * A run
 */

static size_t capacity_from(struct bytes *in)
{
	static const uint16_t edges[] = {31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1023, 1024, 1025};
	unsigned choice = bytes_u8(in);
	return choice < 70 ? choice + 1 : choice < 200 ? choice % 4 + 1 : edges[choice % 15];
}

/* False: out of memory, as was to be. */
static bool open_both(struct mpsc_run *r, bool bounded, struct bytes *in)
{
	struct chan_config config = tally_open(&r->tally, in);
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;
	config.capacity = bounded ? capacity_from(in) : 0;
	r->fail = bytes_u8(in) % 64 == 63 ? bytes_below(in, 8) : 0;
	r->tally.seen = &r->step.seen;
	r->tally.on_destroy = in_callback;
	r->tally.context = r;
	waiters_begin(&r->waiters, &r->step.seen);
	r->waiters.on_wake = on_wake;
	r->waiters.context = r;

	begin(r, false);
	step("open(size %u, align %u, capacity %u, start %x, destroy: %u) as s0, r0", config.size, config.align,
	     config.capacity, config.start, r->tally.hooks);
	enum chan_status status = called(r, r->ops->open(&config, &tx, &rx), true);
	want_status(r->step.no_memory ? CHAN_NOMEM : CHAN_OK, status, "status");
	if (status != CHAN_OK) {
		want_u64(1, tx == NULL && rx == NULL, "handles untouched");
		return false;
	}
	mpsc_model_open(&r->model, config.capacity);
	table_add(&r->senders, tx);
	table_add(&r->receivers, rx);
	return true;
}

static void do_fail(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	(void)deadline;
	r->fail = 1 + bytes_below(in, 4);
	r->nested.action = NEST_NOTHING;
}

static void do_nest(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	(void)deadline;
	r->nested.action = (enum nested_action)(NEST_SEND + bytes_below(in, NEST_ACTIONS - NEST_SEND));
	r->nested.choice = bytes_u8(in);
	r->fail = 0;
}

/* Takes its bytes, does its steps. */
typedef void operation(struct mpsc_run *r, struct bytes *in, uint64_t deadline);

/* By the low five bits of an operation's byte; what is common stands twice. */
static operation *const operations[32] = {
	do_send,        do_recv,           do_send_many,    do_recv_many,   do_reserve,        do_reserve_owned,
	do_permit_send, do_permit_release, do_sender_clone, do_sender_drop, do_receiver_clone, do_receiver_drop,
	do_downgrade,   do_upgrade,        do_weak_clone,   do_weak_drop,   do_close,          do_closed,
	do_arm_send,    do_arm_recv,       do_arm_closed,   do_disarm,      do_fail,           do_nest,
	do_send,        do_recv,           do_send,         do_recv,        do_send_many,      do_arm_send,
	do_arm_recv,    do_disarm};

static void drop_all(struct mpsc_run *r, struct bytes *in)
{
	static operation *const drops[4] = {do_receiver_drop, do_sender_drop, do_weak_drop, do_permit_release};
	r->fail = 0;
	for (unsigned choice = 0; r->senders.live + r->receivers.live + r->weaks.live + r->permits_live > 0; choice++) {
		if (!bytes_end(in))
			choice = bytes_u8(in);
		drops[choice % 4](r, in, CHAN_NOW);
	}
}

void mpsc_run(const struct chan_impl *impl, const struct chan_mpsc_ops *ops, bool bounded, struct bytes *in)
{
	static struct mpsc_run run;
	struct mpsc_run *r = &run;
	r->ops = ops;
	r->senders = r->receivers = r->weaks = (struct table){.count = 0};
	r->permit_count = r->permits_live = 0;
	r->identity = 0;
	r->nested.action = NEST_NOTHING;
	r->step.any_turn =
		target_deviates(impl, "M-22") || target_deviates(impl, "M-23") || target_deviates(impl, "M-25");
	if (!open_both(r, bounded, in))
		return;
	check_properties(r);
	while (!bytes_end(in)) {
		unsigned byte = bytes_u8(in);

		operations[byte % 32](r, in, byte < 128 ? CHAN_NOW : MPSC_PAST);
	}
	drop_all(r, in);
	tally_whole(&r->tally);
}
