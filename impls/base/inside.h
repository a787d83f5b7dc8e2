/* SPDX-License-Identifier: MIT
 *
 * mark.h - "this thread is inside a callback of that channel".
 *
 * `clone`, and the functions given to watch's modify and wait_for, run while a value is pinned. A call on the same channel from
 * inside would wait for the very thread that makes it, so it is refused instead: CHAN_INVALID. The marks of a thread are a
 * list on its stack, for callbacks nest across channels; it is nearly always empty, and asking costs a thread-local load.
 *
 *   struct mark mark;
 *   mark_enter(&mark, channel);          a call on `channel` from here:
 *   config.clone(dst, src, context);     if (mark_inside(channel)) return CHAN_INVALID;
 *   mark_leave(&mark);
 */
#ifndef CHANBENCH_BASE_MARK_H
#define CHANBENCH_BASE_MARK_H

#include <stdbool.h>
#include <stddef.h>

struct mark {
	const void *channel;
	struct mark *outer;
};

extern _Thread_local struct mark *chan_mark_innermost;

static inline void mark_enter(struct mark *mark, const void *channel)
{
	mark->channel = channel;
	mark->outer = chan_mark_innermost;
	chan_mark_innermost = mark;
}

static inline void mark_leave(struct mark *mark)
{
	chan_mark_innermost = mark->outer;
}

static inline bool mark_inside(const void *channel)
{
	for (const struct mark *m = chan_mark_innermost; m != NULL; m = m->outer)
		if (m->channel == channel)
			return true;
	return false;
}

#endif
