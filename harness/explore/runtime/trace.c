/* SPDX-License-Identifier: MIT
 *
 * trace.c - what a human reads of an execution: its steps, a line each; the failures that concern
 * all threads; names; and text that grows.
 */
#include "harness/explore/runtime/core.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 400 /* the last so many steps */

struct event {
	const char *name;
	uintptr_t object, pc;
	uint64_t step;
	unsigned thread;
	char result[96];
};

static struct event *events; /* the last SHOWN, in a ring */
static uint64_t happened;

void explore_text_add(struct explore_text *text, const char *format, ...)
{
	for (;;) {
		va_list arguments;
		va_start(arguments, format);
		int length = vsnprintf(text->room == 0 ? NULL : text->text + text->length, text->room - text->length,
		                       format, arguments);
		va_end(arguments);
		if (length >= 0 && text->length + (size_t)length < text->room) {
			text->length += (size_t)length;
			return;
		}
		text->room = text->room * 2 + (size_t)(length < 0 ? 0 : length) + 64;
		text->text = realloc(text->text, text->room);
		if (text->text == NULL) {
			fprintf(stderr, "chanbench: explore: no memory for the report\n");
			exit(3);
		}
	}
}

bool explore_tracing(void)
{
	return explore_now.tracing;
}

void explore_trace_begin(void)
{
	if (events == NULL)
		events = explore_reserve(SHOWN * sizeof(*events), "the trace");
	happened = 0;
}

void explore_trace_step(unsigned thread, const struct explore_op *op, bool timed_out)
{
	struct event *event = &events[happened++ % SHOWN];
	*event = (struct event){.name = op->name,
	                        .object = (uintptr_t)op->object,
	                        .pc = op->pc,
	                        .step = explore_now.steps,
	                        .thread = thread};
	if (timed_out)
		strcpy(event->result, "deadline has come");
}

void explore_trace(const char *format, ...)
{
	if (!explore_now.tracing || happened == 0)
		return;
	char *result = events[(happened - 1) % SHOWN].result;
	size_t room = sizeof(events->result), length = strlen(result);
	if (length > 0 && length + 2 < room)
		result[length++] = ' ';
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(result + length, room - length, format, arguments);
	va_end(arguments);
}

char *explore_trace_text(void)
{
	struct explore_text text = {0};
	uint64_t first = happened > SHOWN ? happened - SHOWN : 0;
	explore_text_add(&text, "%s", "");
	if (first > 0)
		explore_text_add(&text, "  ... %lu steps before\n", first);
	for (uint64_t at = first; at < happened; at++) {
		const struct event *event = &events[at % SHOWN];
		explore_text_add(&text, "%5lu %*sT%u %s", event->step, (int)event->thread * 2, "", event->thread,
		                 event->name);
		if (event->object != 0)
			explore_text_add(&text, " " EXPLORE_NAME, event->object);
		if (event->result[0] != '\0')
			explore_text_add(&text, " %s", event->result);
		explore_text_add(&text, "   [" EXPLORE_CODE "]\n", event->pc);
	}
	return text.text;
}

/* ---- names, and failures that concern all threads ---- */

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
