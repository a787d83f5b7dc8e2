/* SPDX-License-Identifier: MIT
 *
 * The installed headers as C++17: a program that uses channels, and one that implements them.
 */
#include "impls/channel_test.h"
#include "impls/event.h"
#include "impls/channels.h"
#include "impls/select.h"

#include <cstdio>

static_assert(__cplusplus >= 201703L, "this is a test of C++17");

/* Implementing: a table, an implementation and a plug-in can be written. */
static enum chan_status refuse(const struct chan_config *, struct chan_sender **, struct chan_receiver **)
{
	return CHAN_INVALID;
}

static const struct chan_mpsc_ops refusing_ops = {refuse,  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                                  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                                  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                                  nullptr, nullptr, nullptr, nullptr};
static const struct chan_impl refusing = {"refusing", "test",  "1",     "refuses", 0,       &refusing_ops,
                                          nullptr,    nullptr, nullptr, nullptr,   nullptr, nullptr};

extern "C" {
CHAN_PLUGIN(&refusing);
}

#define EXPECT(condition)                                                                                              \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                           \
			return 1;                                                                                      \
		}                                                                                                      \
	} while (0)

/* Using: a message through a select, readiness through an event. */
static int use(const struct chan_mpsc_ops *ops)
{
	struct chan_config config = {};
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_event event;
	uint64_t in = 7, out = 0;
	std::size_t chosen;

	config.size = sizeof in;
	config.capacity = 1;
	EXPECT(ops->open(&config, &tx, &rx) == CHAN_OK);
	struct chan_branch branches[] = {chan_on_recv(ops, rx, &out), chan_on_send(ops, tx, &in)};
	if (chan_select_lacks(branches, 2) == CHAN_NO_BRANCH) {
		EXPECT(chan_select(branches, 2, chan_deadline_in(1000), CHAN_BIASED, &chosen) == CHAN_OK &&
		       chosen == 1);
		EXPECT(chan_select(branches, 2, CHAN_FOREVER, CHAN_BIASED, &chosen) == CHAN_OK && chosen == 0);
		EXPECT(out == 7);
		EXPECT(chan_event_open(&event, chan_source_recv(ops, rx)) == 0);
		EXPECT(chan_event_rearm(&event) == 0);
		chan_event_close(&event);
	}
	ops->sender_drop(&tx);
	ops->receiver_drop(&rx);
	return 0;
}

int main()
{
	EXPECT(chan_plugin.magic == CHAN_PLUGIN_MAGIC && chan_plugin.version == CHAN_CONTRACT_VERSION);
	EXPECT(chan_plugin.impls[0] == &refusing && chan_plugin.impls[1] == nullptr);
	EXPECT(refusing.mpsc->open(nullptr, nullptr, nullptr) == CHAN_INVALID);
	EXPECT(chan_deadline_in(UINT64_MAX) == CHAN_FOREVER);
	EXPECT(chan_deadline_in(0) != CHAN_NOW);
	for (std::size_t i = 0; chan_registry[i] != nullptr; i++) {
		const struct chan_mpsc_ops *ops = chan_registry[i]->mpsc;
		if (ops == nullptr)
			continue;
		if (use(ops) != 0)
			return 1;
		if (ops->reserve != nullptr && ops->close != nullptr)
			EXPECT(owned_permits(ops) == nullptr);
	}
	return 0;
}
