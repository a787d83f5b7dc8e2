/* SPDX-License-Identifier: MIT */
#include "impls/base/config.h"

#include <stdalign.h>
#include <stdlib.h>

enum chan_status chan_config_layout(const struct chan_config *config, struct layout *layout)
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

enum chan_status chan_config_bounded(const struct chan_config *config, size_t max_capacity, struct layout *layout)
{
	return chan_config_valid(config, max_capacity) ? chan_config_layout(config, layout) : CHAN_INVALID;
}

enum chan_status chan_config_copied(const struct chan_config *config, struct layout *layout)
{
	if (config->destroy != NULL && config->clone == NULL)
		return CHAN_INVALID;
	return chan_config_layout(config, layout);
}

void *chan_config_alloc(const struct layout *layout, size_t count)
{
	size_t align = layout->align < sizeof(void *) ? sizeof(void *) : layout->align;
	void *memory;

	if (count > SIZE_MAX / layout->stride)
		return NULL;
	return posix_memalign(&memory, align, count * layout->stride) == 0 ? memory : NULL;
}
