/* SPDX-License-Identifier: MIT */
#include "impls/base/config.h"

#include <stdlib.h>

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
