/* SPDX-License-Identifier: MIT
 *
 * scratch.h - a place for one element on its way out of a channel, to be destroyed with no lock
 * held.
 *
 *   1  scratch_get   before anything is changed: CHAN_NOMEM then leaves the channel as it was
 *   2  the element is moved to `element`, under the lock
 *   3  the lock is given back, and `destroy` runs on `element`
 *   4  scratch_put
 *
 * A small element stands in the caller's frame, a larger one on the heap. Calls nest: a destroy
 * callback that uses the channel again gets a scratch of its own.
 */
#ifndef CHANBENCH_BASE_SCRATCH_H
#define CHANBENCH_BASE_SCRATCH_H

#include "impls/base/config.h"

#include <stdalign.h>
#include <stdlib.h>

struct scratch {
	void *element; /* NULL: there is no memory */
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
