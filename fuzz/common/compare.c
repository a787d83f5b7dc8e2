/* SPDX-License-Identifier: MIT */
#include "fuzz/common/compare.h"
#include "fuzz/common/trace.h"

#include <inttypes.h>
#include <stdio.h>

enum { LIST_TEXT = 512 };

static void print_messages(char *text, const struct tally *tally, const struct model_events *events, bool keys)
{
	size_t used = 0;
	text[used] = '\0';
	for (size_t i = 0; i < events->destroyed_count && used < LIST_TEXT - 32; i++) {
		uint64_t message = events->destroyed[i];

		used += (size_t)snprintf(text + used, LIST_TEXT - used, "%sm%" PRIu64, i == 0 ? "" : " ",
		                         keys ? message : tally_key(tally, message));
	}
	snprintf(text + used, LIST_TEXT - used, " (%zu)", events->destroyed_count);
}

static void compare_destroyed(const struct tally *tally, const struct model_events *expected,
                              const struct model_events *seen)
{
	char lists[2][LIST_TEXT];
	bool same = expected->destroyed_count == seen->destroyed_count;
	for (size_t i = 0; same && i < seen->destroyed_count; i++)
		same = tally_key(tally, expected->destroyed[i]) == seen->destroyed[i];
	if (same)
		return;
	print_messages(lists[0], tally, expected, false);
	print_messages(lists[1], tally, seen, true);
	differ(lists[0], lists[1], "messages destroyed");
}

static void print_waiters(char *text, const struct model_events *events)
{
	size_t used = 0;
	snprintf(text, LIST_TEXT, "none");
	for (size_t i = 0; i < events->fired_count && used < LIST_TEXT - 32; i++)
		used += (size_t)snprintf(text + used, LIST_TEXT - used, "%sw%u", i == 0 ? "" : " ", events->fired[i]);
}

/* Where a waiter stands among those that fired; fired_count: nowhere. */
static size_t place(const struct model_events *events, unsigned waiter)
{
	size_t i = 0;
	while (i < events->fired_count && events->fired[i] != waiter)
		i++;
	return i;
}

/* A waiter fires once, which the wake itself checks: as many of them, and each of those
 * expected, are the same ones. */
static bool same_fired(const struct model_events *expected, const struct model_events *seen)
{
	size_t turn = 0;
	if (expected->fired_count != seen->fired_count)
		return false;
	for (size_t i = 0; i < expected->fired_count; i++) {
		size_t at = place(seen, expected->fired[i]);

		if (at == seen->fired_count || (expected->in_turn[i] && at < turn))
			return false;
		if (expected->in_turn[i])
			turn = at;
	}
	return true;
}

void compare_events(const struct tally *tally, const struct model_step *step)
{
	char lists[2][LIST_TEXT];
	if (tally->hooks)
		compare_destroyed(tally, &step->expected, &step->seen);
	if (same_fired(&step->expected, &step->seen))
		return;
	print_waiters(lists[0], &step->expected);
	print_waiters(lists[1], &step->seen);
	differ(lists[0], lists[1], "waiters fired");
}

void compare_property(char handle, unsigned number, enum chan_property property, uint64_t expected, uint64_t seen)
{
	static const char *const names[] = {"CHAN_LEN",          "CHAN_CAPACITY",      "CHAN_MAX_CAPACITY",
	                                    "CHAN_IS_CLOSED",    "CHAN_IS_TERMINATED", "CHAN_SENDERS",
	                                    "CHAN_WEAK_SENDERS", "CHAN_RECEIVERS",     "CHAN_IDENTITY"};
	char numbers[2][32];
	if (seen == expected || seen == CHAN_UNKNOWN)
		return;
	snprintf(numbers[0], sizeof numbers[0], "%" PRId64, (int64_t)expected);
	snprintf(numbers[1], sizeof numbers[1], "%" PRId64, (int64_t)seen);
	differ(expected == CHAN_UNKNOWN ? "CHAN_UNKNOWN" : numbers[0], numbers[1], "%c%u: %s", handle, number,
	       names[property]);
}
