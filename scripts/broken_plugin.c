/* SPDX-License-Identifier: MIT
 *
 * broken_plugin.c - the mutex family, broken on purpose in one way each, as plug-ins: what a
 * verdict must catch.
 *
 * scripts/test builds it against libchannels.a and asserts that each is named for what it did while
 * the numbers of the others stand. Every variant is a copy of the family's tables with one function
 * replaced; what would go round that function (batches, permits) is not offered.
 *
 * Without a macro the plug-in loads and its channels are wrong:
 *
 *   broken_drop        every 1000th message is taken and never delivered
 *   broken_duplicate   every 1000th message is delivered twice
 *   broken_swap        every 1000th message received changes places with the next one
 *   broken_close       the drop of a sender never returns
 *   broken_crash       the 1000th send writes to address 0
 *   broken_lag         a lagging receiver is told one lost message too many
 *
 * With one of these macros it is the plug-in itself that is wrong, before any channel is opened:
 *
 *   BROKEN_VERSION     built against another version of the contract
 *   BROKEN_SYMBOL      a shared object, but no plug-in: it does not define chan_plugin
 *   BROKEN_LOAD_HANG   its constructor never returns
 *   BROKEN_LOAD_CRASH  its constructor writes to address 0
 */
#include "impls/channels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY = 1000 };

/* Never returns: a thread that locks a mutex that it has. */
static void deadlock(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	for (;;)
		pthread_mutex_lock(&lock);
}

static void crash(void)
{
	volatile int *volatile nowhere = NULL; /* the compiler is not to know */

	*nowhere = 0;
}

#ifdef BROKEN_LOAD_HANG
__attribute__((constructor)) static void load(void)
{
	deadlock();
}
#elif defined(BROKEN_LOAD_CRASH)
__attribute__((constructor)) static void load(void)
{
	crash();
}
#endif

/* The originals, and the number of sends (or receives, in broken_swap) so far in this process. */
static const struct chan_mpsc_ops *inner;
static const struct chan_broadcast_ops *inner_broadcast;
static atomic_ulong calls;

static bool time_to_break(void)
{
	return (atomic_fetch_add(&calls, 1) + 1) % EVERY == 0;
}

static enum chan_status drop_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	return time_to_break() ? CHAN_OK : inner->send(tx, msg, deadline);
}

static enum chan_status duplicate_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	enum chan_status status = inner->send(tx, msg, deadline);

	if (status == CHAN_OK && time_to_break())
		inner->send(tx, msg, CHAN_FOREVER);
	return status;
}

/* What broken_swap holds back, per receiving thread: one trial's receiver stays in one thread,
 * and ends by CHAN_CLOSED. */
static _Thread_local void *held;
static atomic_size_t message_size;

static enum chan_status swap_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	if (config != NULL)
		atomic_store(&message_size, config->size);
	return inner->open(config, tx, rx);
}

static enum chan_status swap_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	size_t size = atomic_load(&message_size);
	enum chan_status status;

	if (held != NULL) {
		memcpy(msg, held, size);
		free(held);
		held = NULL;
		return CHAN_OK;
	}
	status = inner->recv(rx, msg, deadline);
	if (status != CHAN_OK || !time_to_break())
		return status;
	held = malloc(size + 1);
	if (held == NULL)
		return status;
	memcpy(held, msg, size);
	if (inner->recv(rx, msg, CHAN_NOW) == CHAN_OK)
		return CHAN_OK;
	/* There is no next one yet: it is next time's turn. */
	memcpy(msg, held, size);
	free(held);
	held = NULL;
	atomic_fetch_sub(&calls, 1);
	return CHAN_OK;
}

static void close_sender_drop(struct chan_sender **tx)
{
	*tx = NULL;
	deadlock();
}

static enum chan_status crash_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	if (time_to_break())
		crash();
	return inner->send(tx, msg, deadline);
}

static enum chan_status lag_recv(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline)
{
	enum chan_status status = inner_broadcast->recv(rx, msg, missed, deadline);

	if (status == CHAN_LAGGED && missed != NULL)
		++*missed;
	return status;
}

static struct chan_mpsc_ops drop_mpsc, duplicate_mpsc, swap_mpsc, close_mpsc, crash_mpsc;
static struct chan_broadcast_ops lag_broadcast;

/* Before main, or while the plug-in is loaded: the tables of the family, each with its one
 * fault. */
__attribute__((constructor)) static void fill(void)
{
	struct chan_mpsc_ops *const copies[] = {&drop_mpsc, &duplicate_mpsc, &swap_mpsc, &close_mpsc, &crash_mpsc};

	inner = chan_mutex.mpsc;
	inner_broadcast = chan_mutex.broadcast;
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		*copies[i] = *inner;
		copies[i]->send_many = NULL;
		copies[i]->recv_many = NULL;
		copies[i]->reserve = NULL;
		copies[i]->permit_send = NULL;
		copies[i]->permit_release = NULL;
	}
	lag_broadcast = *inner_broadcast;

	drop_mpsc.send = drop_send;
	duplicate_mpsc.send = duplicate_send;
	swap_mpsc.open = swap_open;
	swap_mpsc.recv = swap_recv;
	close_mpsc.sender_drop = close_sender_drop;
	crash_mpsc.send = crash_send;
	lag_broadcast.recv = lag_recv;
}

#define BROKEN(variant, kind, what)                                                                                    \
	static const struct chan_impl broken_##variant = {.name = "broken_" #variant,                                  \
	                                                  .family = "broken",                                          \
	                                                  .version = "1",                                              \
	                                                  .summary = "the mutex family, broken: " what,                \
	                                                  .kind = &variant##_##kind}
BROKEN(drop, mpsc, "drops every 1000th message");
BROKEN(duplicate, mpsc, "delivers every 1000th message twice");
BROKEN(swap, mpsc, "swaps every 1000th message with the next");
BROKEN(close, mpsc, "deadlocks when a sender is dropped");
BROKEN(crash, mpsc, "crashes at the 1000th send");
BROKEN(lag, broadcast, "reports one lost message too many");
#define ALL &broken_drop, &broken_duplicate, &broken_swap, &broken_close, &broken_crash, &broken_lag

#ifdef BROKEN_SYMBOL
const struct chan_impl *const not_a_plugin[] = {ALL, NULL};
#elif defined(BROKEN_VERSION)
static const struct chan_impl *const impls[] = {ALL, NULL};
const struct chan_plugin chan_plugin = {CHAN_PLUGIN_MAGIC, CHAN_CONTRACT_VERSION + 1, impls};
#else
CHAN_PLUGIN(ALL);
#endif
