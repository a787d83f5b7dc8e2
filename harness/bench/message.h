/* SPDX-License-Identifier: MIT
 *
 * message.h - what the workloads send: messages that can be told apart, and that show when they
 * were damaged.
 *
 * A message is one or more 64-bit words. The first is its name: a tag of 16 bits, the producer (12
 * bits), and the number of the message among those of its producer (36 bits). The tag depends on
 * the rest of the name and on a salt of the trial, so a damaged name, stale memory or zeros are not
 * taken for a message. From 16 bytes on the last word is derived from the name, and from 24 bytes
 * on so is one word between, another one from message to message: the cost stays the same for any
 * size.
 */
#ifndef CHANBENCH_BENCH_MESSAGE_H
#define CHANBENCH_BENCH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_SEQ_BITS      36
#define MESSAGE_SEQ_MAX       (((uint64_t)1 << MESSAGE_SEQ_BITS) - 1)
#define MESSAGE_PRODUCERS_MAX ((uint64_t)1 << 12)

#define MESSAGE_MIX ((uint64_t)0x9e3779b97f4a7c15)
#define MESSAGE_TAG ((uint64_t)0xffff << 48)

static inline uint64_t message_name(uint64_t salt, uint64_t producer, uint64_t seq)
{
	uint64_t low = producer << MESSAGE_SEQ_BITS | seq;
	return (((low ^ salt) * MESSAGE_MIX) & MESSAGE_TAG) | low;
}

static inline uint64_t message_seq(uint64_t name)
{
	return name & MESSAGE_SEQ_MAX;
}

static inline uint64_t message_producer(uint64_t name)
{
	return (name & ~MESSAGE_TAG) >> MESSAGE_SEQ_BITS;
}

/* What word k (not 0) of the message of that name holds. */
static inline uint64_t message_word(uint64_t name, size_t k)
{
	return (name + k) * MESSAGE_MIX;
}

/* Which of the inner words (1 to words - 2) of that message is derived from its name. */
static inline size_t message_inner(uint64_t name, size_t words)
{
	return 1 + (size_t)((((name * MESSAGE_MIX) >> 32) * (words - 2)) >> 32);
}

static inline void message_fill(uint64_t *msg, size_t words, uint64_t name)
{
	msg[0] = name;
	if (words > 1)
		msg[words - 1] = message_word(name, words - 1);
	if (words > 2)
		msg[message_inner(name, words)] = message_word(name, message_inner(name, words));
}

/* Whether the other words are those of the name in word 0. */
static inline bool message_whole(const uint64_t *msg, size_t words)
{
	if (words > 1 && msg[words - 1] != message_word(msg[0], words - 1))
		return false;
	return words <= 2 || msg[message_inner(msg[0], words)] == message_word(msg[0], message_inner(msg[0], words));
}

/* The same with every word: for values that may be torn. */
static inline void message_fill_all(uint64_t *msg, size_t words, uint64_t name)
{
	msg[0] = name;
	for (size_t k = 1; k < words; k++)
		msg[k] = message_word(name, k);
}

static inline bool message_whole_all(const uint64_t *msg, size_t words)
{
	uint64_t wrong = 0;
	for (size_t k = 1; k < words; k++)
		wrong |= msg[k] ^ message_word(msg[0], k);
	return wrong == 0;
}

#endif
