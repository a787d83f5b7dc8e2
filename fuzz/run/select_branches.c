/* SPDX-License-Identifier: MIT
 *
 * select_branches.c - a select, and what the models say of it. Overview: select.h.
 */
#include "fuzz/common/trace.h"
#include "fuzz/run/select.h"
#include "impls/select.h"

enum operation { SEND, RECV, CLOSED, RESERVE };

/* One branch, as the models know it. */
struct choice {
	enum select_channel channel;
	enum operation operation;
	unsigned sender;
	uint64_t message; /* SEND */
	uint64_t inbox;
	bool ready;
};

static struct chan_branch queue_branch(struct select_run *r, struct choice *c)
{
	const struct chan_mpsc_ops *ops = select_queue_ops(r, c->channel);
	struct chan_sender *tx = r->channels[c->channel].tx[c->sender];

	switch (c->operation) {
	case SEND:
		return chan_on_send(ops, tx, &c->message);
	case RECV:
		return chan_on_recv(ops, r->channels[c->channel].rx, &c->inbox);
	case RESERVE:
		return chan_on_reserve(ops, tx, &r->permit);
	default:
		return chan_on_closed(ops, tx);
	}
}

static struct chan_branch branch_of(struct select_run *r, struct choice *c)
{
	struct chan_sender *tx = r->channels[c->channel].tx[0];
	struct chan_receiver *rx = r->channels[c->channel].rx;
	bool receives = c->operation == RECV;

	switch (c->channel) {
	case ONESHOT:
		return receives ? chan_on_oneshot_recv(r->impl->oneshot, rx, &c->inbox)
		                : chan_on_oneshot_closed(r->impl->oneshot, tx);
	case BROADCAST:
		return receives ? chan_on_broadcast_recv(r->impl->broadcast, rx, &c->inbox)
		                : chan_on_broadcast_closed(r->impl->broadcast, tx);
	case WATCH:
		return receives ? chan_on_changed(r->impl->watch, rx) : chan_on_watch_closed(r->impl->watch, tx);
	default:
		return queue_branch(r, c);
	}
}

/* The operation on a model, with CHAN_NOW. */
static enum chan_status operate_queue(struct mpsc_model *m, struct model_step *s, const struct choice *c,
                                      uint64_t *message)
{
	switch (c->operation) {
	case SEND:
		return mpsc_model_send(m, s, c->sender, c->message, CHAN_NOW);
	case RECV:
		return mpsc_model_recv(m, s, 0, message, CHAN_NOW);
	case RESERVE:
		return mpsc_model_reserve(m, s, c->sender, 1, CHAN_NOW);
	default:
		return mpsc_model_closed(m, CHAN_NOW);
	}
}

static enum chan_status operate_oneshot(struct oneshot_model *m, const struct choice *c, uint64_t *message)
{
	return c->operation == RECV ? oneshot_model_recv(m, message, CHAN_NOW) : oneshot_model_closed(m, CHAN_NOW);
}

static enum chan_status operate_broadcast(struct broadcast_model *m, struct model_step *s, const struct choice *c,
                                          uint64_t *message, uint64_t *missed)
{
	return c->operation == RECV ? broadcast_model_recv(m, s, 0, false, message, missed, CHAN_NOW)
	                            : broadcast_model_closed(m, CHAN_NOW);
}

static enum chan_status operate_watch(struct watch_model *m, const struct choice *c)
{
	return c->operation == RECV ? watch_model_changed(m, 0, CHAN_NOW) : watch_model_closed(m, CHAN_NOW);
}

/* The same on a copy: what it would return. */
static enum chan_status try(const struct select_run *r, const struct choice *c)
{
	static struct model_step scratch;
	static struct mpsc_model queue;
	struct oneshot_model oneshot;
	struct broadcast_model broadcast;
	struct watch_model watch;
	uint64_t message, missed;

	step_clear(&scratch);
	switch (c->channel) {
	case ONESHOT:
		oneshot = r->oneshot;
		return operate_oneshot(&oneshot, c, &message);
	case BROADCAST:
		broadcast = r->broadcast;
		return operate_broadcast(&broadcast, &scratch, c, &message, &missed);
	case WATCH:
		watch = r->watch;
		return operate_watch(&watch, c);
	default:
		mpsc_model_copy(&queue, &r->queues[c->channel]);
		return operate_queue(&queue, &scratch, c, &message);
	}
}

/* The chosen branch took place: so it does on the model, and both agree. */
static void agree(struct select_run *r, const struct choice *c, const struct chan_branch *branch)
{
	uint64_t message = 0, missed = 0;
	enum chan_status expected;

	switch (c->channel) {
	case ONESHOT:
		expected = operate_oneshot(&r->oneshot, c, &message);
		break;
	case BROADCAST:
		expected = operate_broadcast(&r->broadcast, &r->step, c, &message, &missed);
		break;
	case WATCH:
		expected = operate_watch(&r->watch, c);
		break;
	default:
		expected = operate_queue(&r->queues[c->channel], &r->step, c, &message);
	}
	trace_gave(branch->status);
	want_status(expected, branch->status, "the chosen branch's status");
	if (expected == CHAN_LAGGED)
		want_u64(missed, branch->missed, "the messages missed");
	if (expected == CHAN_OK && c->operation == RECV && c->channel != WATCH)
		want_u64(message, c->inbox, "the message");
}

/* Chooses what a branch is about. False: there is no such handle now, or it is not offered. */
static bool choose(struct select_run *r, struct bytes *in, struct choice *c, struct chan_branch *branch)
{
	unsigned what = bytes_u8(in);

	*c = (struct choice){.channel = what % CHANNELS, .operation = what / CHANNELS % 4, .message = r->ledger.made};
	if (c->channel >= ONESHOT && c->operation != RECV)
		c->operation = CLOSED;
	if (c->operation == RESERVE && (c->channel != BOUNDED || r->permit.count > 0))
		c->operation = RECV;
	if (c->operation == SEND || c->operation == CLOSED)
		c->sender = c->channel >= ONESHOT ? 0 : what / 128;
	select_name(r, c->channel);
	if (c->operation == RECV ? r->channels[c->channel].rx == NULL : r->channels[c->channel].tx[c->sender] == NULL)
		return false;
	*branch = branch_of(r, c);
	return chan_select_lacks(branch, 1) == CHAN_NO_BRANCH;
}

void select_select(struct select_run *r, struct bytes *in)
{
	static const char *const operations[] = {"send", "recv", "closed", "reserve"};
	static const char *const channels[] = {"bounded", "unbounded", "oneshot", "broadcast", "watch"};
	struct chan_branch branches[SELECT_BRANCHES];
	struct choice choices[SELECT_BRANCHES];
	unsigned how = bytes_u8(in);
	size_t wanted = how % (SELECT_BRANCHES + 1), count = 0, chosen, first = CHAN_NO_BRANCH, enabled = 0;
	unsigned flags = (how & 16) != 0 ? CHAN_BIASED : 0;
	uint64_t deadline = (how & 32) != 0 ? 1 : CHAN_NOW;

	if (how >= 0xf8)
		flags |= 6; /* unknown ones */
	step("select(%d, flags %u):", deadline, flags);
	while (wanted-- > 0) {
		struct choice *c = &choices[count];

		if (!choose(r, in, c, &branches[count]))
			continue;
		branches[count].disabled = bytes_u8(in) % 8 == 7;
		enum chan_status would = try(r, c);
		c->ready = !branches[count].disabled && would != CHAN_FULL && would != CHAN_EMPTY;
		step("    %u: %s on %s, s%u, disabled %u, ready %u", count, (uintptr_t)operations[c->operation],
		     (uintptr_t)channels[c->channel], c->sender, branches[count].disabled, c->ready);
		enabled += !branches[count].disabled;
		if (c->ready && first == CHAN_NO_BRANCH)
			first = count;
		count++;
	}
	r->ledger.made++;

	enum chan_status expected = deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
	if (enabled == 0 || (flags & ~(unsigned)CHAN_BIASED) != 0) {
		expected = CHAN_INVALID;
		first = CHAN_NO_BRANCH;
	} else if (first != CHAN_NO_BRANCH) {
		expected = CHAN_OK;
	}
	enum chan_status seen = chan_select(branches, count, deadline, flags, &chosen);
	want_status(expected, seen, "select");
	if (first == CHAN_NO_BRANCH || (flags & CHAN_BIASED) != 0)
		want_u64(first, chosen, "the branch that was chosen");
	else if (chosen >= count || !choices[chosen].ready)
		differ("one that is ready", "another", "branch %zu was chosen", chosen);
	if (seen == CHAN_OK)
		agree(r, &choices[chosen], &branches[chosen]);
}
