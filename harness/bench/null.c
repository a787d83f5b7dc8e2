/* SPDX-License-Identifier: MIT
 *
 * null.c - see null.h
 */
#include "harness/bench/null.h"

#include <stdlib.h>
#include <string.h>

/* Handles stand on cache lines of their own, so that counting costs nothing. The first two come
 * with the channel: one allocation. */
struct null_handle {
	_Alignas(128) struct null_channel *channel;
	size_t number;
	uint64_t count; /* sends, or what was received */
};

struct null_channel {
	struct null_handle first_sender, first_receiver;
	const struct null_script *script;
	size_t size;
	_Atomic size_t receivers; /* made so far */
	_Atomic size_t handles;
};

static struct null_handle *handle_new(struct null_channel *channel, size_t number)
{
	void *memory;
	if (posix_memalign(&memory, _Alignof(struct null_handle), sizeof(struct null_handle)) != 0)
		return NULL;
	struct null_handle *handle = memory;
	*handle = (struct null_handle){.channel = channel, .number = number};
	channel->handles++;
	return handle;
}

static void handle_drop(struct null_handle *handle)
{
	if (handle == NULL)
		return;
	struct null_channel *channel = handle->channel;
	if (handle != &channel->first_sender && handle != &channel->first_receiver)
		free(handle);
	if (--channel->handles == 0)
		free(channel);
}

static enum chan_status open_channel(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	void *memory;
	if (posix_memalign(&memory, _Alignof(struct null_channel), sizeof(struct null_channel)) != 0)
		return CHAN_NOMEM;
	struct null_channel *channel = memory;
	*channel = (struct null_channel){.script = config->context, .size = config->size, .receivers = 1, .handles = 2};
	channel->first_sender.channel = channel->first_receiver.channel = channel;
	*tx = (struct chan_sender *)&channel->first_sender;
	*rx = (struct chan_receiver *)&channel->first_receiver;
	return CHAN_OK;
}

static enum chan_status next(struct chan_receiver *rx, void *msg, uint64_t *missed)
{
	struct null_handle *handle = (struct null_handle *)rx;
	const struct null_script *script = handle->channel->script;
	return script->next(script->arg, handle->number, handle->count++, msg, missed);
}

static enum chan_status count_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	(void)msg;
	(void)deadline;
	((struct null_handle *)tx)->count++;
	return CHAN_OK;
}

static enum chan_status null_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	(void)deadline;
	return next(rx, msg, NULL);
}

static enum chan_status null_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
                                       uint64_t deadline)
{
	(void)msgs;
	(void)deadline;
	((struct null_handle *)tx)->count += n;
	*sent = n;
	return CHAN_OK;
}

static enum chan_status null_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                       uint64_t deadline)
{
	(void)deadline;
	struct null_handle *handle = (struct null_handle *)rx;
	const struct null_script *script = handle->channel->script;
	size_t size = handle->channel->size, n = 0;
	if (script->next_many != NULL) {
		n = script->next_many(script->arg, handle->number, handle->count, msgs, limit);
		handle->count += n;
	}
	while (script->next_many == NULL && n < limit && next(rx, (char *)msgs + n * size, NULL) == CHAN_OK)
		n++;
	*received = n;
	return n != 0 || limit == 0 ? CHAN_OK : CHAN_CLOSED;
}

static void sender_drop(struct chan_sender **tx)
{
	handle_drop((struct null_handle *)*tx);
	*tx = NULL;
}

static void receiver_drop(struct chan_receiver **rx)
{
	handle_drop((struct null_handle *)*rx);
	*rx = NULL;
}

static enum chan_status sender_clone(struct chan_sender *tx, struct chan_sender **out)
{
	*out = (struct chan_sender *)handle_new(((struct null_handle *)tx)->channel, 0);
	return *out != NULL ? CHAN_OK : CHAN_NOMEM;
}

static enum chan_status new_receiver(struct null_channel *channel, struct chan_receiver **out)
{
	*out = (struct chan_receiver *)handle_new(channel, channel->receivers++);
	return *out != NULL ? CHAN_OK : CHAN_NOMEM;
}

static enum chan_status receiver_clone(struct chan_receiver *rx, struct chan_receiver **out)
{
	return new_receiver(((struct null_handle *)rx)->channel, out);
}

static enum chan_status subscribe(struct chan_sender *tx, struct chan_receiver **out)
{
	return new_receiver(((struct null_handle *)tx)->channel, out);
}

/* A oneshot is opened for each value, so here there is nothing to allocate: both handles are the
 * script itself. */
static enum chan_status oneshot_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	*tx = config->context;
	*rx = config->context;
	return CHAN_OK;
}

static enum chan_status oneshot_send(struct chan_sender **tx, const void *msg)
{
	(void)msg;
	*tx = NULL;
	return CHAN_OK;
}

static enum chan_status oneshot_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	(void)deadline;
	const struct null_script *script = (const struct null_script *)rx;
	return script->next(script->arg, 0, 0, msg, NULL);
}

static void oneshot_sender_drop(struct chan_sender **tx)
{
	*tx = NULL;
}

static void oneshot_receiver_drop(struct chan_receiver **rx)
{
	*rx = NULL;
}

static enum chan_status broadcast_send(struct chan_sender *tx, const void *msg, size_t *receivers)
{
	if (receivers != NULL)
		*receivers = ((struct null_handle *)tx)->channel->receivers;
	return count_send(tx, msg, CHAN_FOREVER);
}

static enum chan_status broadcast_recv(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline)
{
	(void)deadline;
	return next(rx, msg, missed);
}

static enum chan_status watch_open(const struct chan_config *config, const void *initial, struct chan_sender **tx,
                                   struct chan_receiver **rx)
{
	(void)initial;
	return open_channel(config, tx, rx);
}

static enum chan_status watch_send(struct chan_sender *tx, const void *msg)
{
	return count_send(tx, msg, CHAN_FOREVER);
}

static enum chan_status watch_borrow(struct chan_receiver *rx, void *value, bool *unseen)
{
	if (unseen != NULL)
		*unseen = true;
	return next(rx, value, NULL);
}

/* Asks the script without a place for the value: there is something new, or it is closed. */
static enum chan_status watch_changed(struct chan_receiver *rx, uint64_t deadline)
{
	(void)deadline;
	struct null_handle *handle = (struct null_handle *)rx;
	const struct null_script *script = handle->channel->script;
	return script->next(script->arg, handle->number, handle->count, NULL, NULL);
}

static const struct chan_mpsc_ops mpsc = {
	.open = open_channel,
	.send = count_send,
	.recv = null_recv,
	.sender_drop = sender_drop,
	.receiver_drop = receiver_drop,
	.sender_clone = sender_clone,
	.receiver_clone = receiver_clone,
	.send_many = null_send_many,
	.recv_many = null_recv_many,
};

static const struct chan_oneshot_ops oneshot = {
	.open = oneshot_open,
	.send = oneshot_send,
	.recv = oneshot_recv,
	.sender_drop = oneshot_sender_drop,
	.receiver_drop = oneshot_receiver_drop,
};

static const struct chan_broadcast_ops broadcast = {
	.open = open_channel,
	.send = broadcast_send,
	.recv = broadcast_recv,
	.subscribe = subscribe,
	.sender_drop = sender_drop,
	.receiver_drop = receiver_drop,
	.sender_clone = sender_clone,
};

static const struct chan_watch_ops watch = {
	.open = watch_open,
	.send = watch_send,
	.borrow = watch_borrow,
	.changed = watch_changed,
	.sender_drop = sender_drop,
	.receiver_drop = receiver_drop,
	.receiver_clone = receiver_clone,
	.subscribe = subscribe,
};

const struct chan_impl null_impl = {
	.name = "null",
	.family = "null",
	.version = "1",
	.summary = "moves nothing: what the harness and its ledger cost",
	.mpsc = &mpsc,
	.unbounded = &mpsc,
	.oneshot = &oneshot,
	.broadcast = &broadcast,
	.watch = &watch,
};
