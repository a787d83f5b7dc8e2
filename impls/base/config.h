/* SPDX-License-Identifier: MIT
 *
 * config.h - the check of a config that every `open` begins with, and the layout of an element in
 * memory that follows from it.
 */
#ifndef CHANBENCH_BASE_CONFIG_H
#define CHANBENCH_BASE_CONFIG_H

#include "impls/channel.h"

#include <stdalign.h>
#include <string.h>

/* How an element lies in memory. */
struct layout {
	size_t size;  /* as asked for */
	size_t align; /* resolved: never 0 */
	/* bytes from one element to the next where they are stored: size, but at least 1 */
	size_t stride;
};

/* Checks size and alignment, and fills in `layout`. CHAN_OK or CHAN_INVALID. It is inline for the
 * kinds whose channels are opened by the million. */
static inline enum chan_status chan_config_layout(const struct chan_config *config, struct layout *layout)
{
	if (!chan_config_valid(config, 0))
		return CHAN_INVALID;

	size_t align = config->align;
	if (align == 0) {
		align = config->size & (~config->size + 1); /* the lowest set bit; 0 for size 0 */
		if (align == 0)
			align = 1;
		if (align > alignof(max_align_t))
			align = alignof(max_align_t);
	}
	layout->size = config->size;
	layout->align = align;
	layout->stride = config->size == 0 ? 1 : config->size;
	return CHAN_OK;
}

/* As chan_config_layout; also checks the capacity against the largest one of the kind (rules M-1,
 * M-2, B-1). */
enum chan_status chan_config_bounded(const struct chan_config *config, size_t max_capacity, struct layout *layout);

/* As chan_config_layout, for the kinds that hand out copies. It refuses `destroy` without `clone`,
 * which would end one value twice. */
enum chan_status chan_config_copied(const struct chan_config *config, struct layout *layout);

/* Memory for `count` elements, aligned for them. The caller frees it with free(). NULL when there
 * is none, or when the product overflows; never because elements have no bytes, for such elements
 * get one byte each. */
void *chan_config_alloc(const struct layout *layout, size_t count);

#endif
