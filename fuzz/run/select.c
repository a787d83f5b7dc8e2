/* SPDX-License-Identifier: MIT
 *
 * select.c - the operations between selects, and the selects. Overview: select.h.
 */
#include "fuzz/common/compare.h"
#include "fuzz/common/trace.h"
#include "fuzz/run/select.h"
#include "impls/select.h"

/* ------------------------------------------------------------------------------------------
 * Single operations
 */

static const struct chan_mpsc_ops *queue_ops(const struct select_run *r, enum select_channel channel)
{
	return channel == BOUNDED ? r->impl->mpsc : r->impl->unbounded;
}

static struct any_ops any(const struct select_run *r, enum select_channel channel)
{
	return any_of((enum kind)channel, any_table(r->impl, (enum kind)channel));
}

static const char *const names[CHANNELS] = {"bounded", "unbounded", "oneshot", "broadcast", "watch"};

static uintptr_t name(enum select_channel channel)
{
	return (uintptr_t)names[channel];
}

static bool open_queue(struct select_run *r, struct bytes *in, enum select_channel channel)
{
	const struct chan_mpsc_ops *ops = queue_ops(r, channel);
	struct chan_config config = {.size = sizeof(uint64_t), .capacity = bytes_below(in, 4) + 1};
	if (ops == NULL)
		return false;
	step("open %s, capacity %u", name(channel), config.capacity);
	want_status(CHAN_OK, ops->open(&config, &r->channels[channel].tx[0], &r->channels[channel].rx), "open");
	mpsc_model_open(&r->queues[channel], channel == BOUNDED ? config.capacity : 0);
	r->permit = channel == BOUNDED ? (struct chan_permit){0} : r->permit;
	if (ops->sender_clone == NULL)
		return true;
	enum chan_status seen = ops->sender_clone(r->channels[channel].tx[0], &r->channels[channel].tx[1]);
	want_status(mpsc_model_sender_clone(&r->queues[channel], &r->step), seen, "sender_clone");
	return true;
}

static void open_channel(struct select_run *r, enum select_channel channel, uint64_t start, struct bytes *in)
{
	struct chan_config config = {.size = sizeof(uint64_t), .start = start};
	struct chan_sender **tx = r->channels[channel].tx;
	struct chan_receiver **rx = &r->channels[channel].rx;
	if (tx[0] != NULL || tx[1] != NULL || *rx != NULL)
		return;
	if (channel == BOUNDED || channel == UNBOUNDED) {
		open_queue(r, in, channel);
	} else if (channel == ONESHOT && r->impl->oneshot != NULL) {
		step("open oneshot");
		want_status(CHAN_OK, r->impl->oneshot->open(&config, tx, rx), "open");
		oneshot_model_open(&r->oneshot);
	} else if (channel == BROADCAST && r->impl->broadcast != NULL) {
		config.capacity = bytes_below(in, 4) + 1;
		step("open broadcast, capacity %u", config.capacity);
		want_status(CHAN_OK, r->impl->broadcast->open(&config, tx, rx), "open");
		broadcast_model_open(&r->broadcast, config.capacity, true);
	} else if (channel == WATCH && r->impl->watch != NULL) {
		uint64_t initial = r->tally.made++;
		step("open watch, m%u", initial);
		want_status(CHAN_OK, r->impl->watch->open(&config, &initial, tx, rx), "open");
		watch_model_open(&r->watch, initial);
	}
}

static void name_channel(struct select_run *r, enum select_channel channel)
{
	static const uint8_t capacities[CHANNELS] = {[BOUNDED] = 1};
	struct bytes in = {&capacities[channel], 1};
	if (r->channels[channel].named)
		return;
	r->channels[channel].named = true;
	open_channel(r, channel, channel >= BROADCAST ? 0 - (uint64_t)3 : 0, &in);
}

void select_open(struct select_run *r, struct bytes *in)
{
	uint64_t start = 0 - (uint64_t)bytes_below(in, 4);
	enum select_channel channel = bytes_below(in, CHANNELS);
	name_channel(r, channel);
	open_channel(r, channel, start, in);
}

void select_send(struct select_run *r, struct bytes *in)
{
	enum select_channel channel = bytes_below(in, CHANNELS);
	unsigned sender = bytes_below(in, SELECT_SENDERS);
	struct chan_sender **tx = &r->channels[channel].tx[sender];
	enum chan_status expected, seen;
	size_t receivers;
	name_channel(r, channel);
	if (*tx == NULL)
		return;
	uint64_t message = r->tally.made++;
	step("send on %s, s%u, m%u", name(channel), sender, message);
	switch (channel) {
	case ONESHOT:
		seen = r->impl->oneshot->send(tx, &message);
		expected = oneshot_model_send(&r->oneshot, &r->step, message);
		for (unsigned i = 0; i < r->waiters.count; i++) /* the sender is gone */
			if (r->waiters.all[i].armed && r->owners[i].channel == ONESHOT && r->owners[i].sender)
				waiters_give(&r->waiters.all[i]);
		break;
	case BROADCAST:
		seen = r->impl->broadcast->send(*tx, &message, NULL);
		expected = broadcast_model_send(&r->broadcast, &r->step, message, &receivers);
		break;
	case WATCH:
		seen = r->impl->watch->send(*tx, &message);
		expected = watch_model_send(&r->watch, &r->step, message);
		break;
	default:
		seen = queue_ops(r, channel)->send(*tx, &message, CHAN_NOW);
		expected = mpsc_model_send(&r->queues[channel], &r->step, sender, message, CHAN_NOW);
	}
	trace_gave(seen);
	want_status(expected, seen, "send");
}

void select_recv(struct select_run *r, struct bytes *in)
{
	enum select_channel channel = bytes_below(in, UNBOUNDED + 1);
	uint64_t expected_message = 0, seen_message = 0;
	name_channel(r, channel);
	struct chan_receiver *rx = r->channels[channel].rx;
	if (rx == NULL)
		return;
	step("recv on %s", name(channel));
	enum chan_status seen = queue_ops(r, channel)->recv(rx, &seen_message, CHAN_NOW);
	trace_gave(seen);
	want_status(mpsc_model_recv(&r->queues[channel], &r->step, 0, &expected_message, CHAN_NOW), seen, "recv");
	if (seen == CHAN_OK)
		want_u64(expected_message, seen_message, "the message");
}

void select_permit(struct select_run *r, struct bytes *in)
{
	const struct chan_mpsc_ops *ops = r->impl->mpsc;
	bool send = bytes_bool(in);
	if (r->permit.count == 0)
		return;
	if (send) {
		uint64_t message = r->tally.made++;
		step("permit_send(m%u)", message);
		ops->permit_send(&r->permit, &message);
		mpsc_model_permit_send(&r->queues[BOUNDED], &r->step, message);
	} else {
		step("permit_release");
		ops->permit_release(&r->permit);
		mpsc_model_permit_release(&r->queues[BOUNDED], &r->step, 1);
	}
}

void select_close(struct select_run *r, struct bytes *in)
{
	enum select_channel channel = bytes_below(in, ONESHOT + 1);
	name_channel(r, channel);
	struct chan_receiver *rx = r->channels[channel].rx;
	if (rx == NULL || any(r, channel).close == NULL)
		return;
	step("close %s", name(channel));
	any(r, channel).close(rx);
	if (channel == ONESHOT)
		oneshot_model_close(&r->oneshot, &r->step);
	else
		mpsc_model_close(&r->queues[channel], &r->step);
}

/* The waiters armed on a handle that is gone. */
static void give_waiters(struct select_run *r, enum select_channel channel, bool sender, unsigned handle)
{
	for (unsigned i = 0; i < r->waiters.count; i++)
		if (r->waiters.all[i].armed && r->owners[i].channel == channel && r->owners[i].sender == sender &&
		    r->owners[i].handle == handle)
			waiters_give(&r->waiters.all[i]);
}

void select_sender_drop(struct select_run *r, enum select_channel channel, unsigned sender)
{
	struct chan_sender **tx = &r->channels[channel].tx[sender];
	if (*tx == NULL || (channel == BOUNDED && sender == 0 && r->permit.count > 0))
		return;
	step("drop of the %s sender s%u", name(channel), sender);
	any(r, channel).sender_drop(tx);
	switch (channel) {
	case ONESHOT:
		oneshot_model_sender_drop(&r->oneshot, &r->step);
		break;
	case BROADCAST:
		broadcast_model_sender_drop(&r->broadcast, &r->step, 0);
		break;
	case WATCH:
		watch_model_sender_drop(&r->watch, &r->step, 0);
		break;
	default:
		mpsc_model_sender_drop(&r->queues[channel], &r->step, sender);
	}
	give_waiters(r, channel, true, sender);
}

void select_receiver_drop(struct select_run *r, enum select_channel channel)
{
	struct chan_receiver **rx = &r->channels[channel].rx;
	if (*rx == NULL)
		return;
	step("drop of the %s receiver", name(channel));
	any(r, channel).receiver_drop(rx);
	switch (channel) {
	case ONESHOT:
		oneshot_model_receiver_drop(&r->oneshot, &r->step);
		break;
	case BROADCAST:
		broadcast_model_receiver_drop(&r->broadcast, &r->step, 0);
		break;
	case WATCH:
		watch_model_receiver_drop(&r->watch, &r->step, 0);
		break;
	default:
		mpsc_model_receiver_drop(&r->queues[channel], &r->step, 0);
	}
	give_waiters(r, channel, false, 0);
}

/* ------------------------------------------------------------------------------------------
 * Others who wait
 */

void select_arm(struct select_run *r, struct bytes *in)
{
	enum select_channel channel = bytes_below(in, UNBOUNDED + 1);
	bool sender = bytes_bool(in);
	unsigned handle = sender ? bytes_below(in, SELECT_SENDERS) : 0;
	const struct chan_mpsc_ops *ops = queue_ops(r, channel);
	enum chan_arm expected, seen;
	struct fuzz_waiter *w;
	name_channel(r, channel);
	struct chan_sender *tx = r->channels[channel].tx[handle];
	struct chan_receiver *rx = r->channels[channel].rx;
	if (sender ? tx == NULL || ops->arm_send == NULL : rx == NULL || ops->arm_recv == NULL)
		return;
	if (ops->disarm == NULL || (w = waiters_take(&r->waiters)) == NULL)
		return;
	r->owners[w->number].channel = channel;
	r->owners[w->number].sender = sender;
	r->owners[w->number].handle = handle;
	step(sender ? "arm_send on %s, s%u, w%u" : "arm_recv on %s, r%u, w%u", name(channel), handle, w->number);
	seen = sender ? ops->arm_send(tx, &w->waiter) : ops->arm_recv(rx, &w->waiter);
	expected = sender ? mpsc_model_arm_send(&r->queues[channel], handle, w->number)
	                  : mpsc_model_arm_recv(&r->queues[channel], 0, w->number);
	want_u64(expected, seen, "arm (0 ready, 1 armed)");
	if (seen != CHAN_ARMED)
		waiters_give(w);
}

void select_disarm(struct select_run *r, struct bytes *in)
{
	unsigned choice = bytes_u8(in);
	for (unsigned i = 0; i < r->waiters.count; i++) {
		struct fuzz_waiter *w = &r->waiters.all[(choice + i) % r->waiters.count];
		enum select_channel channel = r->owners[w->number].channel;

		if (!w->armed)
			continue;
		step("disarm(w%u)", w->number);
		bool seen = queue_ops(r, channel)->disarm(&w->waiter);
		want_u64(mpsc_model_disarm(&r->queues[channel], &r->step, w->number), seen, "disarm (1: it had fired)");
		waiters_give(w);
		return;
	}
}

/* ------------------------------------------------------------------------------------------ */

static void check_queue(struct select_run *r, enum select_channel channel)
{
	const struct chan_mpsc_ops *ops = queue_ops(r, channel);
	static const enum chan_property asked[] = {CHAN_LEN, CHAN_CAPACITY, CHAN_IS_CLOSED};
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		struct chan_sender *tx = r->channels[channel].tx[0];
		struct chan_receiver *rx = r->channels[channel].rx;

		if (tx != NULL && ops->sender_get != NULL)
			compare_property('s', 0, asked[i], mpsc_model_get(&r->queues[channel], false, asked[i]),
			                 ops->sender_get(tx, asked[i]));
		if (rx != NULL && ops->receiver_get != NULL)
			compare_property('r', 0, asked[i], mpsc_model_get(&r->queues[channel], true, asked[i]),
			                 ops->receiver_get(rx, asked[i]));
	}
}

void select_check(struct select_run *r)
{
	check_queue(r, BOUNDED);
	check_queue(r, UNBOUNDED);
	if (r->channels[ONESHOT].rx != NULL && r->impl->oneshot->receiver_get != NULL)
		compare_property('r', 0, CHAN_LEN, oneshot_model_get(&r->oneshot, true, CHAN_LEN),
		                 r->impl->oneshot->receiver_get(r->channels[ONESHOT].rx, CHAN_LEN));
	if (r->channels[BROADCAST].rx != NULL && r->impl->broadcast->receiver_get != NULL)
		compare_property('r', 0, CHAN_LEN, broadcast_model_receiver_get(&r->broadcast, 0, CHAN_LEN),
		                 r->impl->broadcast->receiver_get(r->channels[BROADCAST].rx, CHAN_LEN));
	if (r->channels[WATCH].rx != NULL && r->impl->watch->has_changed != NULL)
		want_status(watch_model_has_changed(&r->watch, 0), r->impl->watch->has_changed(r->channels[WATCH].rx),
		            "has_changed");
}

/* ------------------------------------------------------------------------------------------
 * Selects
 */

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
	const struct chan_mpsc_ops *ops = queue_ops(r, c->channel);
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
	*c = (struct choice){.channel = what % CHANNELS, .operation = what / CHANNELS % 4, .message = r->tally.made};
	if (c->channel >= ONESHOT && c->operation != RECV)
		c->operation = CLOSED;
	if (c->operation == RESERVE && (c->channel != BOUNDED || r->permit.count > 0))
		c->operation = RECV;
	if (c->operation == SEND || c->operation == CLOSED)
		c->sender = c->channel >= ONESHOT ? 0 : what / 128;
	name_channel(r, c->channel);
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
	r->tally.made++;

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
