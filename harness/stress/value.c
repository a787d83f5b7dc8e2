/* SPDX-License-Identifier: MIT
 *
 * value.c - values and their tally (round.h).
 */
#include "harness/stress/round.h"

#include <inttypes.h>
#include <string.h>

/* The byte at `i` of a value with that number; of one that is too small to carry it. */
static unsigned char pattern(uint64_t value, size_t i)
{
	return (unsigned char)(value * 131 + i * 17 + (value >> 32));
}

#define SMALL 0x5a

static bool carries_number(const struct round *round)
{
	return round->config.size >= sizeof(uint64_t);
}

static atomic_uchar *alive_of(struct round *round, uint64_t value)
{
	uint64_t thread = value >> 32, number = value & UINT32_MAX;
	if (thread > round->threads || number == 0 || number > round->tally.per_thread)
		return NULL;
	return &round->tally.alive[thread * round->tally.per_thread + number - 1];
}

uint64_t value_make(struct worker *worker, void *memory)
{
	struct round *round = worker->round;
	uint64_t value = history_value(worker->index, worker->made++);
	unsigned char *bytes = memory;
	atomic_fetch_add_explicit(&round->tally.made, 1, memory_order_relaxed);
	if (!carries_number(round)) {
		memset(bytes, SMALL, round->config.size);
		return value;
	}
	memcpy(bytes, &value, sizeof value);
	for (size_t i = sizeof value; i < round->config.size; i++)
		bytes[i] = pattern(value, i);
	atomic_uchar *alive = alive_of(round, value);
	round->tally.notes[alive - round->tally.alive] = value;
	atomic_store_explicit(alive, 1, memory_order_relaxed);
	return value;
}

uint64_t value_look(struct round *round, const void *memory)
{
	const unsigned char *bytes = memory;
	uint64_t value = 0;
	if (!carries_number(round)) {
		for (size_t i = 0; i < round->config.size; i++)
			if (bytes[i] != SMALL)
				round_fail(round, "tally: an element of %zu bytes with content that nobody sent",
				           round->config.size);
		return 0;
	}
	memcpy(&value, bytes, sizeof value);
	if (alive_of(round, value) == NULL) {
		round_fail(round, "tally: a value %#" PRIx64 " that nobody sent", value);
		return 0;
	}
	for (size_t i = sizeof value; i < round->config.size; i++) {
		if (bytes[i] == pattern(value, i))
			continue;
		round_fail(round, "tally: value %" PRIu64 ".%" PRIu64 " is torn at byte %zu of %zu", value >> 32,
		           value & UINT32_MAX, i, round->config.size);
		break;
	}
	return value;
}

uint64_t value_end(struct round *round, const void *memory, enum value_end how)
{
	static const char *const ends[VALUE_ENDS] = {"received", "handed back", "destroyed"};
	uint64_t value = value_look(round, memory);
	atomic_fetch_add_explicit(&round->tally.ended[how], 1, memory_order_relaxed);
	if (value == 0)
		return 0;
	atomic_uchar *alive = alive_of(round, value);
	unsigned char before = atomic_load_explicit(alive, memory_order_relaxed);
	while (before > 0 && !atomic_compare_exchange_weak_explicit(alive, &before, (unsigned char)(before - 1),
	                                                            memory_order_relaxed, memory_order_relaxed))
		;
	if (round->tally.notes[alive - round->tally.alive] != value)
		round_fail(round,
		           "tally: what was written before value %" PRIu64 ".%" PRIu64 " was sent is not seen (M-67)",
		           value >> 32, value & UINT32_MAX);
	if (before == 0)
		round_fail(round, "tally: value %" PRIu64 ".%" PRIu64 " was %s after it had ended", value >> 32,
		           value & UINT32_MAX, ends[how]);
	return value;
}
