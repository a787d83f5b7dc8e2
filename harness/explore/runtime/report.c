/* SPDX-License-Identifier: MIT
 *
 * report.c - names, and the failures that concern all threads: nobody can go on, nobody gets on.
 */
#include "harness/explore/runtime/core.h"
#include <string.h>

const char *explore_verdict_name(enum explore_verdict verdict)
{
	static const char *const names[] = {"ok",   "race",     "deadlock", "assert", "use-after-free", "double-free",
	                                    "leak", "livelock", "hang",     "crash",  "ledger",         "unsupported"};
	return names[verdict];
}

const char *explore_order_name(int order)
{
	static const char *const names[] = {"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
	return order >= 0 && order <= __ATOMIC_SEQ_CST ? names[order] : "?";
}

/* What each thread that has not ended is about to do. */
static void where_all_are(struct explore_text *text, const char *verb)
{
	for (unsigned id = 0; id < explore_now.threads; id++) {
		const struct explore_op *op = explore_now.thread[id].pending;
		if (op == NULL)
			continue;
		explore_text_add(text, "\n  T%u %s %s", id, verb, op->name);
		if (op->object != NULL)
			explore_text_add(text, " of " EXPLORE_DATA, (uintptr_t)op->object);
		explore_text_add(text, " at " EXPLORE_CODE, op->pc);
	}
}

void explore_deadlock(void)
{
	struct explore_text text = {0};
	where_all_are(&text, "waits in");
	explore_fail(EXPLORE_DEADLOCK, "nobody can go on%s", text.text);
}

void explore_livelock(void)
{
	struct explore_text text = {0};
	where_all_are(&text, "is at");
	explore_fail(EXPLORE_LIVELOCK, "no end after %lu steps%s", explore_options.steps, text.text);
}
