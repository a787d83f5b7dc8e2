/* SPDX-License-Identifier: MIT
 *
 * ledger.h - who sent what and who received it: each message exactly once, whole, and in order.
 *
 * One ledger a consumer, used by its thread alone and always on, so it must cost next to nothing
 * while all is well: it compares each message with the one that its producer must have sent next.
 * From the first message that is another one, it keeps a bit for each message of that producer.
 * With several consumers no message is foreseeable, and the bits are kept from the start.
 *
 * At the end the books of all consumers are balanced against what the producers say they sent:
 *
 *   lost         sent, and received by nobody
 *   duplicated   received more than once, by one consumer or by two
 *   reordered    received for the first time, by a consumer that had already had a later one of the
 *                same producer
 *   corrupted    a name that is no name, or other words that do not belong to the name
 *   invented     a sound message that nobody sent
 *
 * A message whose name was destroyed arrived instead of one that was sent: it counts as corrupted
 * and not as lost besides.
 */
#ifndef CHANBENCH_BENCH_LEDGER_H
#define CHANBENCH_BENCH_LEDGER_H

#include "harness/bench/message.h"

/* What one producer sent: `count` messages, numbers 0 to count - 1, and the sum of their names. */
struct ledger_sent {
	uint64_t count;
	uint64_t sum;
};

struct ledger_lane {
	uint64_t next;  /* one more than the highest number received */
	uint64_t limit; /* the producer sends less than this */
	uint64_t *seen; /* bit i: number i was received; NULL: exactly those below `next` were */
};

struct ledger {
	struct ledger_lane *lanes; /* one a producer */
	size_t producers;
	uint64_t salt;
	uint64_t received; /* sound messages */
	uint64_t sum;      /* of their names */
	uint64_t nameless;
	uint64_t spoiled; /* the name is sound, other words are not */
	uint64_t invented;
	uint64_t duplicated;
	uint64_t reordered;
};

/* Producer p sends at most ledger_share(total, producers, p) messages. `alone`: this consumer
 * receives everything. Ends the process when there is no memory. */
void ledger_init(struct ledger *ledger, uint64_t salt, size_t producers, uint64_t total, bool alone);
void ledger_free(struct ledger *ledger);

/* How many of `total` messages number i of n has: the first ones have one more where the
 * division leaves a rest. */
static inline uint64_t ledger_share(uint64_t total, size_t n, size_t i)
{
	return total / n + (i < total % n);
}

/* Everything but the next message in turn. */
void ledger_odd(struct ledger *ledger, uint64_t producer, uint64_t seq);

/* Enters number `seq` of `producer`, whose sum is `name`. */
static inline void ledger_enter(struct ledger *ledger, uint64_t producer, uint64_t seq, uint64_t name)
{
	ledger->received++;
	ledger->sum += name;
	if (producer < ledger->producers && ledger->lanes[producer].seen == NULL &&
	    ledger->lanes[producer].next == seq && seq < ledger->lanes[producer].limit)
		ledger->lanes[producer].next++;
	else
		ledger_odd(ledger, producer, seq);
}

/* Enters a message as it was received. False: its name is no name, and nothing is known of it. */
static inline bool ledger_receive(struct ledger *ledger, const uint64_t *msg, size_t words)
{
	uint64_t producer = message_producer(msg[0]), seq = message_seq(msg[0]);
	if (msg[0] != message_name(ledger->salt, producer, seq)) {
		ledger->nameless++;
		return false;
	}
	if (!message_whole(msg, words))
		ledger->spoiled++;
	ledger_enter(ledger, producer, seq, msg[0]);
	return true;
}

/* Enters `n` messages that lie one after another. Those of one word that come in turn from one
 * producer, which is what a batch nearly always is, cost a multiplication each: the harness must
 * not be slower than what it measures. */
static inline void ledger_receive_many(struct ledger *ledger, const uint64_t *msgs, size_t n, size_t words)
{
	uint64_t producer = n != 0 ? message_producer(msgs[0]) : 0, sum = 0;
	size_t k = 0;
	if (words == 1 && producer < ledger->producers && ledger->lanes[producer].seen == NULL) {
		struct ledger_lane *lane = &ledger->lanes[producer];
		uint64_t left = lane->limit - lane->next;
		size_t most = n < left ? n : (size_t)left;
		for (; k < most && msgs[k] == message_name(ledger->salt, producer, lane->next + k); k++)
			sum += msgs[k];
		lane->next += k;
		ledger->received += k;
		ledger->sum += sum;
	}
	for (; k < n; k++)
		ledger_receive(ledger, msgs + k * words, words);
}

struct ledger_balance {
	uint64_t sent;
	uint64_t received; /* in all, whatever it was */
	uint64_t lost, duplicated, reordered, corrupted, invented;
	/* the sums of the names differ although the counts above do not say why */
	bool sum_differs;
};

/* Balances the ledgers of n consumers against what the producers sent (sent[producers]). Ledgers
 * can be balanced once. */
void ledger_balance(struct ledger *ledgers, size_t n, const struct ledger_sent *sent, struct ledger_balance *balance);

/* Writes what is wrong as one line ("lost 12 of 100000 messages, duplicated 3"). False: nothing
 * is, and nothing is written. */
bool ledger_verdict(const struct ledger_balance *balance, char *text, size_t size);

#endif
