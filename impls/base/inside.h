/* SPDX-License-Identifier: MIT
 *
 * mark.h - "this thread is inside a callback of that channel".
 *
 * `clone`, and the functions given to watch's modify and wait_for, run while a value is pinned. A
 * call on the same channel from inside would wait for the very thread that makes it, so it is
 * refused instead: CHAN_INVALID. The marks of a thread are a list on its stack, for callbacks nest
 * across channels; it is nearly always empty, and asking costs a thread-local load.
 *
 *   struct inside inside;
 *   inside_enter(&inside, channel);          a call on `channel` from here:
 *   config.clone(dst, src, context);     if (inside_callback_of(channel)) return CHAN_INVALID;
 *   inside_leave(&inside);
 */
#ifndef CHANBENCH_BASE_MARK_H
#define CHANBENCH_BASE_MARK_H

#include <stdbool.h>
#include <stddef.h>

struct inside {
	const void *channel;
	struct inside *outer;
};

extern _Thread_local struct inside *chan_inside_innermost;

static inline void inside_enter(struct inside *mark, const void *channel)
{
	mark->channel = channel;
	mark->outer = chan_inside_innermost;
	chan_inside_innermost = mark;
}

static inline void inside_leave(struct inside *mark)
{
	chan_inside_innermost = mark->outer;
}

static inline bool inside_callback_of(const void *channel)
{
	for (const struct inside *m = chan_inside_innermost; m != NULL; m = m->outer)
		if (m->channel == channel)
			return true;
	return false;
}

#endif
