/* SPDX-License-Identifier: MIT
 *
 * select_channels.c - the single operations that lie between selects. Overview: select.h.
 */
#include "fuzz/common/compare.h"
#include "fuzz/common/trace.h"
#include "fuzz/run/select.h"

static const char *const names[CHANNELS] = {"bounded", "unbounded", "oneshot", "broadcast", "watch"};

static uintptr_t name(enum select_channel channel)
{
	return (uintptr_t)names[channel];
}

static bool open_queue(struct select_run *r, struct bytes *in, enum select_channel channel)
{
	const struct chan_mpsc_ops *ops = select_queue_ops(r, channel);
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
		uint64_t initial = r->ledger.made++;
		step("open watch, m%u", initial);
		want_status(CHAN_OK, r->impl->watch->open(&config, &initial, tx, rx), "open");
		watch_model_open(&r->watch, initial);
	}
}

void select_name(struct select_run *r, enum select_channel channel)
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

	select_name(r, channel);
	open_channel(r, channel, start, in);
}

void select_send(struct select_run *r, struct bytes *in)
{
	enum select_channel channel = bytes_below(in, CHANNELS);
	unsigned sender = bytes_below(in, SELECT_SENDERS);
	struct chan_sender **tx = &r->channels[channel].tx[sender];
	enum chan_status expected, seen;
	size_t receivers;

	select_name(r, channel);
	if (*tx == NULL)
		return;
	uint64_t message = r->ledger.made++;
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
		seen = select_queue_ops(r, channel)->send(*tx, &message, CHAN_NOW);
		expected = mpsc_model_send(&r->queues[channel], &r->step, sender, message, CHAN_NOW);
	}
	trace_gave(seen);
	want_status(expected, seen, "send");
}

void select_recv(struct select_run *r, struct bytes *in)
{
	enum select_channel channel = bytes_below(in, UNBOUNDED + 1);
	uint64_t expected_message = 0, seen_message = 0;

	select_name(r, channel);
	struct chan_receiver *rx = r->channels[channel].rx;
	if (rx == NULL)
		return;
	step("recv on %s", name(channel));
	enum chan_status seen = select_queue_ops(r, channel)->recv(rx, &seen_message, CHAN_NOW);
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
		uint64_t message = r->ledger.made++;
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

	select_name(r, channel);
	struct chan_receiver *rx = r->channels[channel].rx;
	if (rx == NULL || select_any(r, channel).close == NULL)
		return;
	step("close %s", name(channel));
	select_any(r, channel).close(rx);
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
	select_any(r, channel).sender_drop(tx);
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
	select_any(r, channel).receiver_drop(rx);
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
	const struct chan_mpsc_ops *ops = select_queue_ops(r, channel);
	enum chan_arm expected, seen;
	struct fuzz_waiter *w;

	select_name(r, channel);
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
		bool seen = select_queue_ops(r, channel)->disarm(&w->waiter);
		want_u64(mpsc_model_disarm(&r->queues[channel], &r->step, w->number), seen, "disarm (1: it had fired)");
		waiters_give(w);
		return;
	}
}

/* ------------------------------------------------------------------------------------------ */

static void check_queue(struct select_run *r, enum select_channel channel)
{
	const struct chan_mpsc_ops *ops = select_queue_ops(r, channel);
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
