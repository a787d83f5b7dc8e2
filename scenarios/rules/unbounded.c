/* SPDX-License-Identifier: MIT
 *
 * unbounded.c - rules U: what differs when there is no bound. The M rules that hold for both kinds run for both.
 */
#include "scenarios/rules/ledger.h"
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <malloc.h>

static void never_blocks(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	const uint64_t deadlines[] = {CHAN_NOW, 1, CHAN_FOREVER};
	open_channel(t, 0, &tx, &rx);
	step("send 3000 messages");
	for (uint64_t i = 0; i < 3000; i++)
		if (send_until(t, tx, i, deadlines[i % 3]) != CHAN_OK)
			broken_because("CHAN_OK", "a send failed");
	step("receive 3000 messages");
	for (uint64_t i = 0; i < 3000; i++) {
		uint64_t value = 0;
		if (try_recv(t, rx, &value) != CHAN_OK || value != i)
			broken_because("the next message", "another, or none");
	}
	want_none(t, rx, CHAN_EMPTY);
}

static void every_number(struct test *t)
{
	for (uint64_t n = 0; n <= 100; n++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 0, &tx, &rx);
		for (uint64_t i = 0; i < n; i++)
			want(CHAN_OK, try_send(t, tx, i));
		for (uint64_t i = 0; i < n; i++)
			want_recv(t, rx, i);
		want_none(t, rx, CHAN_EMPTY);
		tx_drop(t, &tx);
		want_none(t, rx, CHAN_CLOSED);
		rx_drop(t, &rx);
	}
}

static void memory_returns(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_config config = {.size = 1024, .start = t->start};
	static unsigned char element[1024];
	open_config(t, &config, &tx, &rx);
	size_t before = mallinfo2().uordblks;
	step("send and receive 4000 messages of 1 KiB");
	for (int i = 0; i < 4000; i++)
		if (t->mpsc->send(tx, element, CHAN_NOW) != CHAN_OK)
			broken_because("CHAN_OK", "a send failed");
	for (int i = 0; i < 4000; i++)
		if (t->mpsc->recv(rx, element, CHAN_NOW) != CHAN_OK)
			broken_because("CHAN_OK", "a receive failed");
	size_t kept = mallinfo2().uordblks;
	want_true(kept < before + 2000 * 1024);
}

static struct ledger ledger;

static void any_level(struct test *t)
{
	static const uint64_t levels[] = {0, 1, 31, 32, 33, 64, 65, 400};
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		for (int first = 0; first < 2; first++) {
			struct chan_sender *tx;
			struct chan_receiver *rx;
			struct chan_config config = ledger_config(t, &ledger, 0);
			open_config(t, &config, &tx, &rx);
			for (uint64_t k = 0; k < levels[i]; k++)
				if (try_send(t, tx, k) != CHAN_OK)
					broken_because("CHAN_OK", "a send failed");
			if (first == 0)
				tx_drop(t, &tx);
			rx_drop(t, &rx);
			want_destroyed_in_order(&ledger, levels[i]);
			if (first != 0)
				tx_drop(t, &tx);
		}
}

const struct rule unbounded_rules[] = {
	{"U-1",
         RULE_UNBOUNDED,
         "A send never waits, however many messages there are.",
         {{"3000", never_blocks, "", 0}}},
	{"U-4",
         RULE_UNBOUNDED,
         "n sends, n receives in order, empty, closed: for every n.",
         {{"0 to 100", every_number, "", 0}}},
	{"U-7", RULE_UNBOUNDED, "Memory returns as the messages are received.", {{"4 MiB", memory_returns, "", 0}}},
	{"U-8",
         RULE_UNBOUNDED,
         "Either side can go at any fill level, and nothing is lost or leaked.",
         {{"0 to 400", any_level, "", 0}}},
	{0},
};
