/* SPDX-License-Identifier: MIT
 *
 * waiting.h - the armed waiters of the kinds in which every event concerns everybody who waits for
 * it: oneshot, broadcast, watch.
 *
 * There a waiter is armed for one of two things, on a receiver for what it receives, on a sender
 * for the end of the receivers. It fires after the first operation that leaves its own ready, and
 * owns nothing. (mpsc.h has waiters that own slots.)
 */
#ifndef CHANBENCH_FUZZ_MODEL_WAITING_H
#define CHANBENCH_FUZZ_MODEL_WAITING_H

#include "fuzz/model/step.h"
#include "impls/channel.h"

struct model_waiter {
	unsigned number; /* as given to arm */
	unsigned handle; /* of the sender or receiver, as given to arm */
	bool sender;
	bool fired;
};

/* Registrations that were not yet disarmed, in the order of arming. */
struct model_waiting {
	size_t count;
	struct model_waiter waiters[MODEL_WAITERS];
};

static inline enum chan_arm model_arm(struct model_waiting *w, bool sender, unsigned handle, unsigned number,
                                      bool ready)
{
	if (ready)
		return CHAN_READY;
	w->waiters[w->count].number = number;
	w->waiters[w->count].handle = handle;
	w->waiters[w->count].sender = sender;
	w->waiters[w->count].fired = false;
	w->count++;
	return CHAN_ARMED;
}

static inline void model_unregister(struct model_waiting *w, size_t i)
{
	static const struct model_waiter none;
	w->count--;
	for (; i < w->count; i++)
		w->waiters[i] = w->waiters[i + 1];
	w->waiters[i] = none;
}

/* Whether it had fired. */
static inline bool model_disarm(struct model_waiting *w, unsigned number)
{
	size_t i = 0;
	while (w->waiters[i].number != number)
		i++;
	bool fired = w->waiters[i].fired;
	model_unregister(w, i);
	return fired;
}

/* The drop of a handle disarms what is armed on it (D-14). */
static inline void model_disarm_handle(struct model_waiting *w, bool sender, unsigned handle)
{
	for (size_t i = w->count; i-- > 0;)
		if (w->waiters[i].sender == sender && w->waiters[i].handle == handle)
			model_unregister(w, i);
}

static inline void model_fire(struct model_waiter *waiter, bool ready, struct model_step *step)
{
	if (ready && !waiter->fired) {
		waiter->fired = true;
		expect_fired(step, waiter->number, false);
	}
}

#endif
