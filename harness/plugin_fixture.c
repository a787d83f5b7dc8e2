/* SPDX-License-Identifier: MIT
 *
 * plugin_fixture.c - plug-ins for plugin_test.c: one that is right, and (compiled with -DFLAW_...)
 * one for everything that can be wrong with one.
 */
#include "impls/channel.h"

#include <stdlib.h>
#include <unistd.h>

static enum chan_status fixture_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	(void)config;
	(void)tx;
	(void)rx;
	return CHAN_NOMEM;
}
static enum chan_status fixture_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	(void)tx;
	(void)msg;
	(void)deadline;
	return CHAN_INVALID;
}
static enum chan_status fixture_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	(void)rx;
	(void)msg;
	(void)deadline;
	return CHAN_INVALID;
}
static void fixture_sender_drop(struct chan_sender **tx)
{
	*tx = NULL;
}
static void fixture_receiver_drop(struct chan_receiver **rx)
{
	*rx = NULL;
}

static const struct chan_mpsc_ops ops = {
	.open = fixture_open,
	.send = fixture_send,
	.recv = fixture_recv,
	.sender_drop = fixture_sender_drop,
#ifndef FLAW_MINIMUM
	.receiver_drop = fixture_receiver_drop,
#endif
};

static const struct chan_deviation deviations[] = {{"M-22", "anybody may overhaul"}, {NULL, NULL}};

static const struct chan_impl impl = {
#ifdef FLAW_TAKEN
	.name = "null",
#else
	.name = "fixture",
#endif
	.family = "fixtures",
	.version = "3.1",
	.summary = "sends nothing",
	.flags = CHAN_HONOURS_START,
	.mpsc = &ops,
	.deviations = deviations,
};

#if defined(FLAW_EMPTY)
CHAN_PLUGIN(NULL);
#elif defined(FLAW_MAGIC)
const struct chan_plugin chan_plugin = {0x46464646, CHAN_CONTRACT_VERSION, NULL};
#elif defined(FLAW_VERSION)
const struct chan_plugin chan_plugin = {CHAN_PLUGIN_MAGIC, CHAN_CONTRACT_VERSION + 40, NULL};
#elif defined(FLAW_TABLE)
const struct chan_plugin chan_plugin = {CHAN_PLUGIN_MAGIC, CHAN_CONTRACT_VERSION, (const struct chan_impl *const *)64};
#elif !defined(FLAW_SYMBOL)
CHAN_PLUGIN(&impl);
#endif

__attribute__((constructor)) static void start(void)
{
	(void)impl;
	(void)fixture_receiver_drop;
#if defined(FLAW_CRASH)
	abort();
#elif defined(FLAW_EXIT)
	_exit(0);
#elif defined(FLAW_HANG)
	while (pause() < 0)
		;
#endif
}
