/* SPDX-License-Identifier: MIT
 *
 * mpsc_messages.c - the operations that move messages: single, in batches, through permits.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/mpsc.h"

enum { SEND_MANY_MAX = 80, RECV_MANY_MAX = 100 };

/* `n` new messages in the outbox. */
static void *make(struct mpsc_run *r, size_t n)
{
	void *elements = ledger_outbox(&r->ledger, n);

	for (size_t i = 0; i < n; i++)
		ledger_write(&r->ledger, elements, i, r->ledger.made++);
	return elements;
}

/* What was not sent still is the caller's, and as it was. */
static void check_unsent(const struct mpsc_run *r, const void *elements, size_t from, size_t n, uint64_t first)
{
	for (size_t i = from; i < n; i++)
		ledger_check(&r->ledger, elements, i, first + i, "the value that stays with the caller");
}

void mpsc_do_send(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);

	if (tx == TABLE_NONE || r->model.len == MPSC_MODEL_MESSAGES)
		return;
	uint64_t message = r->ledger.made;
	void *element = make(r, 1);
	mpsc_begin(r, true);
	step("send(s%u, m%u, %d)", tx, message, deadline);
	enum chan_status seen =
		mpsc_called(r, r->ops->send(r->senders.handles[tx], element, deadline), r->model.capacity == 0);
	enum chan_status expected =
		r->step.no_memory ? CHAN_NOMEM : mpsc_model_send(&r->model, &r->step, tx, message, deadline);
	r->ledger.sent += expected == CHAN_OK;
	if (seen != CHAN_OK && !r->nested.done) /* the callback used the outbox */
		check_unsent(r, element, 0, 1, message);
	mpsc_agree(r, expected, seen);
}

void mpsc_do_send_many(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	size_t n = bytes_below(in, SEND_MANY_MAX + 1);
	size_t sent = SIZE_MAX, expected_sent;

	if (tx == TABLE_NONE || r->ops->send_many == NULL || r->model.len + n > MPSC_MODEL_MESSAGES)
		return;
	if (n == 0 && r->model.closed && mpsc_model_owned(&r->model, tx) > 0)
		return; /* whether this counts as the send that gives the slot up is left open */
	uint64_t first = r->ledger.made;
	void *elements = make(r, n);
	mpsc_begin(r, false);
	step("send_many(s%u, m%u..., %u, %d)", tx, first, n, deadline);
	enum chan_status seen = mpsc_called(r, r->ops->send_many(r->senders.handles[tx], elements, n, &sent, deadline),
	                                    r->model.capacity == 0);
	enum chan_status expected =
		mpsc_model_send_many(&r->model, &r->step, tx, first, n, sent, &expected_sent, deadline);
	want_u64(expected_sent, sent, "sent");
	r->ledger.sent += sent;
	check_unsent(r, elements, sent, n, first);
	mpsc_agree(r, expected, seen);
}

void mpsc_do_recv(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	unsigned char element[LEDGER_SIZE_MAX] __attribute__((aligned(LEDGER_ALIGN_MAX)));
	uint64_t message;

	if (rx == TABLE_NONE)
		return;
	mpsc_begin(r, true);
	step("recv(r%u, %d)", rx, deadline);
	enum chan_status seen = mpsc_called(r, r->ops->recv(r->receivers.handles[rx], element, deadline), false);
	enum chan_status expected = mpsc_model_recv(&r->model, &r->step, rx, &message, deadline);
	if (seen == CHAN_OK && expected == CHAN_OK) {
		ledger_check(&r->ledger, element, 0, message, "received");
		r->ledger.received++;
	}
	mpsc_agree(r, expected, seen);
}

void mpsc_do_recv_many(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned rx = table_pick(&r->receivers, in);
	size_t limit = bytes_below(in, RECV_MANY_MAX + 1);
	size_t received = SIZE_MAX, expected_received;
	uint64_t messages[RECV_MANY_MAX];

	if (rx == TABLE_NONE || r->ops->recv_many == NULL)
		return;
	void *elements = ledger_inbox(&r->ledger, limit);
	mpsc_begin(r, false);
	step("recv_many(r%u, %u, %d)", rx, limit, deadline);
	enum chan_status seen = mpsc_called(
		r, r->ops->recv_many(r->receivers.handles[rx], elements, limit, &received, deadline), false);
	enum chan_status expected =
		mpsc_model_recv_many(&r->model, &r->step, rx, messages, limit, &expected_received, deadline);
	want_u64(expected_received, received, "received");
	for (size_t i = 0; i < received; i++)
		ledger_check(&r->ledger, elements, i, messages[i], "received");
	r->ledger.received += received;
	mpsc_agree(r, expected, seen);
}

/* ------------------------------------------------------------------------------------------
 * Permits
 */

struct mpsc_permit *mpsc_pick_permit(struct mpsc_run *r, struct bytes *in)
{
	unsigned choice = bytes_u8(in);

	if (r->permits_live == 0)
		return NULL;
	choice %= r->permits_live;
	for (struct mpsc_permit *p = r->permits;; p++)
		if (p->live && choice-- == 0)
			return p;
}

unsigned mpsc_permits_of(const struct mpsc_run *r, unsigned sender)
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
		(struct mpsc_permit){.permit = permit, .sender = sender, .owned = owned, .live = true};
	r->permits_live++;
}

void mpsc_do_reserve(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	unsigned much = bytes_u8(in);
	size_t n = much == 255 ? SIZE_MAX : much % 128;
	struct chan_permit permit = {.count = 0};

	if (tx == TABLE_NONE || r->ops->reserve == NULL || r->permit_count == MPSC_PERMITS)
		return;
	mpsc_begin(r, true);
	step("reserve(s%u, %u, %d) as p%u", tx, n, deadline, r->permit_count);
	enum chan_status seen = mpsc_called(r, r->ops->reserve(r->senders.handles[tx], n, &permit, deadline), false);
	enum chan_status expected = mpsc_model_reserve(&r->model, &r->step, tx, n, deadline);
	want_u64(expected == CHAN_OK ? n : 0, permit.count, "the permit's count");
	if (seen == CHAN_OK)
		keep(r, permit, tx, false);
	mpsc_agree(r, expected, seen);
}

void mpsc_do_reserve_owned(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	unsigned tx = table_pick(&r->senders, in);
	struct chan_permit permit = {.count = 0};

	if (tx == TABLE_NONE || r->ops->reserve == NULL || r->permit_count == MPSC_PERMITS)
		return;
	struct chan_sender *sender = table_remove(&r->senders, tx);
	struct chan_sender *back = NULL;
	mpsc_begin(r, false);
	step("reserve_owned(s%u, %d) as p%u", tx, deadline, r->permit_count);
	enum chan_status seen = mpsc_called(r, chan_reserve_owned(r->ops, &sender, &permit, &back, deadline), false);
	enum chan_status expected = mpsc_model_reserve(&r->model, &r->step, tx, 1, deadline);
	want_u64(1, sender == NULL && (back == NULL) == (seen == CHAN_OK), "sender moved, or back");
	if (seen == CHAN_OK)
		keep(r, permit, tx, true);
	else
		table_restore(&r->senders, tx, back);
	mpsc_agree(r, expected, seen);
}

/* The permit is used up, and with an owned one its sender comes back, or was dropped. */
static void end_permit(struct mpsc_run *r, struct mpsc_permit *p, struct chan_sender *back)
{
	p->live = false;
	r->permits_live--;
	if (!p->owned)
		return;
	if (back != NULL) {
		table_restore(&r->senders, p->sender, back);
		return;
	}
	mpsc_waiters_ended(r, p->sender, false);
	mpsc_model_sender_drop(&r->model, &r->step, p->sender);
}

void mpsc_do_permit_send(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	struct mpsc_permit *p = mpsc_pick_permit(r, in);
	struct chan_sender *back = NULL;

	if (p == NULL || p->permit.count == 0 || r->model.len == MPSC_MODEL_MESSAGES)
		return;
	/* the bit is free here */
	bool keeps = deadline == CHAN_NOW || mpsc_permits_of(r, p->sender) > 1;
	uint64_t message = r->ledger.made;
	void *element = make(r, 1);
	mpsc_begin(r, !p->owned);
	step("permit_send(p%u, m%u)%s", p - r->permits, message,
	     (uintptr_t)(!p->owned ? ""
	                 : keeps   ? ", sender back"
	                           : ", sender dropped"));
	if (p->owned)
		chan_owned_send(r->ops, &p->permit, element, keeps ? &back : NULL);
	else
		r->ops->permit_send(&p->permit, element);
	mpsc_called(r, CHAN_OK, false);
	mpsc_model_permit_send(&r->model, &r->step, message);
	r->ledger.sent++;
	if (p->permit.count == 0)
		end_permit(r, p, back);
	mpsc_agree(r, CHAN_OK, CHAN_OK);
}

void mpsc_do_permit_release(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	struct mpsc_permit *p = mpsc_pick_permit(r, in);
	struct chan_sender *back = NULL;

	if (p == NULL)
		return;
	bool keeps = deadline == CHAN_NOW || mpsc_permits_of(r, p->sender) > 1;
	size_t n = p->permit.count;
	mpsc_begin(r, !p->owned);
	step("permit_release(p%u)%s", p - r->permits,
	     (uintptr_t)(!p->owned ? ""
	                 : keeps   ? ", sender back"
	                           : ", sender dropped"));
	if (p->owned)
		chan_owned_release(r->ops, &p->permit, keeps ? &back : NULL);
	else
		r->ops->permit_release(&p->permit);
	mpsc_called(r, CHAN_OK, false);
	want_u64(0, p->permit.count, "the permit's count");
	mpsc_model_permit_release(&r->model, &r->step, n);
	end_permit(r, p, back);
	mpsc_agree(r, CHAN_OK, CHAN_OK);
}
