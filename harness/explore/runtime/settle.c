/* SPDX-License-Identifier: MIT
 *
 * settle.c - for programs that tell their threads one at a time what to do, as the tests of rules
 * are: waiting until nothing moves, time that does not run ahead of who can still go on, and what
 * is being done, in the trace.
 */
#include "harness/explore/look.h"
#include "harness/explore/runtime/core.h"
#include <string.h>

static bool others_rest(const struct explore_op *op)
{
	for (unsigned mask = explore_now.alive & ~(1u << op->argument); mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		const struct explore_op *other = explore_now.thread[id].pending;
		if (!(explore_now.conditional >> id & 1))
			return false;
		if (other->enabled != others_rest && (other->enabled(other) || other->deadline <= explore_now.time))
			return false;
	}
	return true;
}

void explore_settle(void)
{
	struct explore_op op = {.name = "wait until nothing moves",
	                        .flags = EXPLORE_ANY,
	                        .enabled = others_rest,
	                        .argument = explore_self(),
	                        .deadline = EXPLORE_NEVER,
	                        .pc = EXPLORE_PC};
	explore_reach(&op);
	explore_fence_all();
}

void explore_patience(uint64_t ns)
{
	explore_now.patience = ns;
}

unsigned explore_near(unsigned timed, bool ready)
{
	uint64_t from = explore_now.time, patience = explore_now.patience;
	if (!ready) {
		from = EXPLORE_NEVER;
		for (unsigned mask = timed; mask != 0; mask &= mask - 1) {
			uint64_t deadline = explore_now.thread[__builtin_ctz(mask)].pending->deadline;
			from = deadline < from ? deadline : from;
		}
	}
	for (unsigned mask = timed; mask != 0; mask &= mask - 1) {
		uint64_t deadline = explore_now.thread[__builtin_ctz(mask)].pending->deadline;
		if (deadline > from && deadline - from > patience)
			timed &= ~(mask & -mask);
	}
	return timed;
}

void explore_note(const char *text)
{
	if (!explore_tracing())
		return;
	size_t size = strlen(text) + 1;
	struct explore_op line = {.name = memcpy(explore_scratch(size), text, size), .pc = EXPLORE_PC};
	explore_trace_step(explore_self(), &line, false);
}
