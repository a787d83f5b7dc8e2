/* SPDX-License-Identifier: MIT
 *
 * The operations that a select can choose: for each the source that it is waited for with, and its
 * form that does not wait.
 */
#include "impls/select.h"

static enum chan_status complete_send(struct chan_branch *b)
{
	const struct chan_mpsc_ops *ops = (const struct chan_mpsc_ops *)b->ops;
	return ops->send(b->source.tx, b->in, CHAN_NOW);
}

static enum chan_status complete_reserve(struct chan_branch *b)
{
	const struct chan_mpsc_ops *ops = (const struct chan_mpsc_ops *)b->ops;
	return ops->reserve(b->source.tx, 1, (struct chan_permit *)b->out, CHAN_NOW);
}

static enum chan_status complete_recv(struct chan_branch *b)
{
	const struct chan_mpsc_ops *ops = (const struct chan_mpsc_ops *)b->ops;
	return ops->recv(b->source.rx, b->out, CHAN_NOW);
}

static enum chan_status complete_closed(struct chan_branch *b)
{
	const struct chan_mpsc_ops *ops = (const struct chan_mpsc_ops *)b->ops;
	return ops->closed(b->source.tx, CHAN_NOW);
}

static enum chan_status complete_oneshot_recv(struct chan_branch *b)
{
	const struct chan_oneshot_ops *ops = (const struct chan_oneshot_ops *)b->ops;
	return ops->recv(b->source.rx, b->out, CHAN_NOW);
}

static enum chan_status complete_oneshot_closed(struct chan_branch *b)
{
	const struct chan_oneshot_ops *ops = (const struct chan_oneshot_ops *)b->ops;
	return ops->closed(b->source.tx, CHAN_NOW);
}

static enum chan_status complete_broadcast_recv(struct chan_branch *b)
{
	const struct chan_broadcast_ops *ops = (const struct chan_broadcast_ops *)b->ops;
	uint64_t missed = 0;
	enum chan_status status = ops->recv(b->source.rx, b->out, &missed, CHAN_NOW);

	if (status == CHAN_LAGGED)
		b->missed = missed;
	return status;
}

static enum chan_status complete_broadcast_closed(struct chan_branch *b)
{
	const struct chan_broadcast_ops *ops = (const struct chan_broadcast_ops *)b->ops;
	return ops->closed(b->source.tx, CHAN_NOW);
}

static enum chan_status complete_changed(struct chan_branch *b)
{
	const struct chan_watch_ops *ops = (const struct chan_watch_ops *)b->ops;
	return ops->changed(b->source.rx, CHAN_NOW);
}

static enum chan_status complete_watch_closed(struct chan_branch *b)
{
	const struct chan_watch_ops *ops = (const struct chan_watch_ops *)b->ops;
	return ops->closed(b->source.tx, CHAN_NOW);
}

struct chan_branch chan_on_send(const struct chan_mpsc_ops *ops, struct chan_sender *tx, const void *msg)
{
	return (struct chan_branch){
		.source = chan_source_send(ops, tx), .complete = complete_send, .ops = ops, .in = msg};
}

struct chan_branch chan_on_reserve(const struct chan_mpsc_ops *ops, struct chan_sender *tx, struct chan_permit *permit)
{
	return (struct chan_branch){.source = chan_source_send(ops, tx),
	                            .complete = ops->reserve != NULL ? complete_reserve : NULL,
	                            .ops = ops,
	                            .out = permit};
}

struct chan_branch chan_on_recv(const struct chan_mpsc_ops *ops, struct chan_receiver *rx, void *msg)
{
	return (struct chan_branch){
		.source = chan_source_recv(ops, rx), .complete = complete_recv, .ops = ops, .out = msg};
}

struct chan_branch chan_on_closed(const struct chan_mpsc_ops *ops, struct chan_sender *tx)
{
	return (struct chan_branch){.source = chan_source_closed(ops, tx),
	                            .complete = ops->closed != NULL ? complete_closed : NULL,
	                            .ops = ops};
}

struct chan_branch chan_on_oneshot_recv(const struct chan_oneshot_ops *ops, struct chan_receiver *rx, void *msg)
{
	return (struct chan_branch){
		.source = chan_source_oneshot_recv(ops, rx), .complete = complete_oneshot_recv, .ops = ops, .out = msg};
}

struct chan_branch chan_on_oneshot_closed(const struct chan_oneshot_ops *ops, struct chan_sender *tx)
{
	return (struct chan_branch){.source = chan_source_oneshot_closed(ops, tx),
	                            .complete = ops->closed != NULL ? complete_oneshot_closed : NULL,
	                            .ops = ops};
}

struct chan_branch chan_on_broadcast_recv(const struct chan_broadcast_ops *ops, struct chan_receiver *rx, void *msg)
{
	return (struct chan_branch){.source = chan_source_broadcast_recv(ops, rx),
	                            .complete = complete_broadcast_recv,
	                            .ops = ops,
	                            .out = msg};
}

struct chan_branch chan_on_broadcast_closed(const struct chan_broadcast_ops *ops, struct chan_sender *tx)
{
	return (struct chan_branch){.source = chan_source_broadcast_closed(ops, tx),
	                            .complete = ops->closed != NULL ? complete_broadcast_closed : NULL,
	                            .ops = ops};
}

struct chan_branch chan_on_changed(const struct chan_watch_ops *ops, struct chan_receiver *rx)
{
	return (struct chan_branch){
		.source = chan_source_watch_changed(ops, rx), .complete = complete_changed, .ops = ops};
}

struct chan_branch chan_on_watch_closed(const struct chan_watch_ops *ops, struct chan_sender *tx)
{
	return (struct chan_branch){.source = chan_source_watch_closed(ops, tx),
	                            .complete = ops->closed != NULL ? complete_watch_closed : NULL,
	                            .ops = ops};
}
