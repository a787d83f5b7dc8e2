/* SPDX-License-Identifier: MIT
 *
 * inside.h - "this thread is inside a callback of that channel".
 *
 * `clone`, and the functions given to watch's modify and wait_for, run while a value is pinned. A
 * call on the same channel from inside would wait for the thread that makes it. So the call is
 * refused with CHAN_INVALID instead (CALLBACKS in channel.h).
 *
 *   struct inside inside;
 *   inside_enter(&inside, channel);       a call on `channel` from here on:
 *   config.clone(dst, src, context);      if (inside_callback_of(channel)) return CHAN_INVALID;
 *   inside_leave(&inside);
 *
 * Callbacks nest across channels, so a thread has a list of the channels that it is inside of. The
 * list stands on the thread's stack and no other thread sees it. It is nearly always empty, and
 * then the question costs one thread-local load.
 */
#ifndef CHANBENCH_BASE_INSIDE_H
#define CHANBENCH_BASE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>

struct inside {
	const void *channel;
	struct inside *outer;
};

extern _Thread_local struct inside *chan_inside_innermost;

static inline void inside_enter(struct inside *inside, const void *channel)
{
	inside->channel = channel;
	inside->outer = chan_inside_innermost;
	chan_inside_innermost = inside;
}

static inline void inside_leave(struct inside *inside)
{
	chan_inside_innermost = inside->outer;
}

static inline bool inside_callback_of(const void *channel)
{
	for (const struct inside *m = chan_inside_innermost; m != NULL; m = m->outer)
		if (m->channel == channel)
			return true;
	return false;
}

#endif
