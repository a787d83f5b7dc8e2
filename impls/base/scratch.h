/* SPDX-License-Identifier: MIT
 *
 * scratch.h - a place for one element while it is moved out of a channel to be destroyed with no
 * lock held.
 *
 * Small elements stand in the caller's frame, larger ones on the heap; it is had before anything is
 * changed, so that running out of memory (CHAN_NOMEM) leaves the channel as it was. Re-entrant: a
 * destroy callback that calls the channel again gets a scratch of its own.
 */
#ifndef CHANBENCH_BASE_SCRATCH_H
#define CHANBENCH_BASE_SCRATCH_H

#include "impls/base/config.h"

#include <stdalign.h>
#include <stdlib.h>

struct scratch {
	void *element; /* NULL: not had */
	alignas(max_align_t) unsigned char small[256];
};

/* False when out of memory. */
static inline bool scratch_get(struct scratch *s, const struct layout *layout)
{
	if (layout->size <= sizeof s->small && layout->align <= alignof(max_align_t))
		s->element = s->small;
	else
		s->element = chan_config_alloc(layout, 1);
	return s->element != NULL;
}

static inline void scratch_put(struct scratch *s)
{
	if (s->element != s->small)
		free(s->element);
}

#endif
