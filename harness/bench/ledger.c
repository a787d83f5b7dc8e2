/* SPDX-License-Identifier: MIT
 *
 * ledger.c - see ledger.h
 */
#include "harness/bench/ledger.h"

#include "harness/bench/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t bitmap_words(const struct ledger_lane *lane)
{
	return (size_t)(lane->limit / 64 + 1);
}

/* From now on a bit for each message: what was received up to now is known to be 0 to next - 1. */
static void keep_bits(struct ledger_lane *lane)
{
	lane->seen = memory_get(8, bitmap_words(lane) * 8);
	for (uint64_t i = 0; i < lane->next; i++)
		lane->seen[i / 64] |= (uint64_t)1 << i % 64;
}

void ledger_init(struct ledger *ledger, uint64_t salt, size_t producers, uint64_t total, bool alone)
{
	*ledger = (struct ledger){.producers = producers, .salt = salt};
	ledger->lanes = memory_get(8, producers * sizeof *ledger->lanes);
	for (size_t p = 0; p < producers; p++) {
		ledger->lanes[p] = (struct ledger_lane){.limit = ledger_share(total, producers, p)};
		if (!alone)
			keep_bits(&ledger->lanes[p]);
	}
}

void ledger_free(struct ledger *ledger)
{
	for (size_t p = 0; p < ledger->producers; p++)
		free(ledger->lanes[p].seen);
	free(ledger->lanes);
	ledger->lanes = NULL;
	ledger->producers = 0;
}

void ledger_odd(struct ledger *ledger, uint64_t producer, uint64_t seq)
{
	if (producer >= ledger->producers || seq >= ledger->lanes[producer].limit) {
		ledger->invented++;
		return;
	}
	struct ledger_lane *lane = &ledger->lanes[producer];
	if (lane->seen == NULL)
		keep_bits(lane);
	uint64_t bit = (uint64_t)1 << seq % 64;
	if (lane->seen[seq / 64] & bit)
		ledger->duplicated++;
	else if (seq < lane->next)
		ledger->reordered++;
	lane->seen[seq / 64] |= bit;
	if (seq >= lane->next)
		lane->next = seq + 1;
}

static uint64_t ones(uint64_t word)
{
	return (uint64_t)__builtin_popcountll(word);
}

/* One producer's messages, by all consumers: ledgers[0] gathers the bits. */
static void balance_lane(struct ledger *ledgers, size_t n, size_t producer, uint64_t sent,
                         struct ledger_balance *balance)
{
	struct ledger_lane *all = &ledgers[0].lanes[producer];
	if (n == 1 && all->seen == NULL) {
		balance->lost += sent > all->next ? sent - all->next : 0;
		balance->invented += all->next > sent ? all->next - sent : 0;
		return;
	}
	if (all->seen == NULL)
		keep_bits(all);
	for (size_t i = 1; i < n; i++)
		for (size_t w = 0; w < bitmap_words(all); w++) {
			uint64_t bits = ledgers[i].lanes[producer].seen[w];
			balance->duplicated += ones(all->seen[w] & bits);
			all->seen[w] |= bits;
		}
	for (size_t w = 0; w < bitmap_words(all); w++) {
		uint64_t first = (uint64_t)w * 64;
		uint64_t due = sent >= first + 64 ? UINT64_MAX : sent > first ? ((uint64_t)1 << (sent - first)) - 1 : 0;
		balance->lost += ones(due & ~all->seen[w]);
		balance->invented += ones(all->seen[w] & ~due);
	}
}

void ledger_balance(struct ledger *ledgers, size_t n, const struct ledger_sent *sent, struct ledger_balance *balance)
{
	uint64_t sum = 0, nameless = 0;
	*balance = (struct ledger_balance){0};
	for (size_t p = 0; p < ledgers[0].producers; p++) {
		balance->sent += sent[p].count;
		sum -= sent[p].sum;
		balance_lane(ledgers, n, p, sent[p].count, balance);
	}
	for (size_t i = 0; i < n; i++) {
		sum += ledgers[i].sum;
		nameless += ledgers[i].nameless;
		balance->received += ledgers[i].received + ledgers[i].nameless;
		balance->duplicated += ledgers[i].duplicated;
		balance->reordered += ledgers[i].reordered;
		balance->corrupted += ledgers[i].nameless + ledgers[i].spoiled;
		balance->invented += ledgers[i].invented;
	}
	balance->lost -= nameless < balance->lost ? nameless : balance->lost;
	balance->sum_differs = sum != 0 && balance->lost + balance->duplicated + nameless + balance->invented == 0;
}

bool ledger_verdict(const struct ledger_balance *balance, char *text, size_t size)
{
	const struct {
		const char *what;
		uint64_t count;
	} wrong[] = {{"lost", balance->lost},
	             {"duplicated", balance->duplicated},
	             {"reordered", balance->reordered},
	             {"corrupted", balance->corrupted},
	             {"invented", balance->invented}};
	size_t at = 0;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (wrong[i].count == 0 || at >= size)
			continue;
		bool first = at == 0;
		at += (size_t)snprintf(text + at, size - at, "%s%s %" PRIu64, first ? "" : ", ", wrong[i].what,
		                       wrong[i].count);
		if (first && at < size)
			at += (size_t)snprintf(text + at, size - at, " of %" PRIu64 " messages", balance->sent);
	}
	if (at == 0 && balance->sum_differs)
		at = (size_t)snprintf(text, size, "checksum: the names received do not add up to those sent");
	return at != 0;
}
