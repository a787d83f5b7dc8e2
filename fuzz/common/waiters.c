/* SPDX-License-Identifier: MIT */
#include "fuzz/common/waiters.h"
#include "fuzz/common/trace.h"

#include <string.h>

enum { GIVEN_BACK_BYTE = 0xab };

void waiters_begin(struct waiters *set, struct model_events *seen)
{
	set->count = 0;
	set->seen = seen;
	set->on_wake = NULL;
	set->context = NULL;
}

static void wake(struct chan_waiter *waiter)
{
	struct fuzz_waiter *w = (struct fuzz_waiter *)waiter; /* its first member */
	if (!w->armed)
		differ("no more wake", "a wake", "w%u, which was given back", w->number);
	if (w->fired)
		differ("one wake", "another", "w%u", w->number);
	w->fired = true;
	w->set->seen->fired[w->set->seen->fired_count++] = w->number;
	if (w->set->on_wake != NULL)
		w->set->on_wake(w, w->set->context);
}

struct fuzz_waiter *waiters_take(struct waiters *set)
{
	if (set->count == MODEL_WAITERS)
		return NULL;
	struct fuzz_waiter *w = &set->all[set->count];
	*w = (struct fuzz_waiter){.waiter.wake = wake, .set = set, .number = set->count++, .armed = true};
	return w;
}

void waiters_give(struct fuzz_waiter *w)
{
	w->armed = false;
	memset(w->waiter.impl, GIVEN_BACK_BYTE, sizeof w->waiter.impl);
}
