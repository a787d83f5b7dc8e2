/* SPDX-License-Identifier: MIT */
#include "impls/base/config.h"

#include <stdalign.h>
#include <stdlib.h>

enum chan_status chan_config_layout(const struct chan_config *config, struct layout *layout)
{
	size_t size = config->size;
	size_t align = config->align;

	if (size > CHAN_SIZE_MAX || align > CHAN_ALIGN_MAX || (align & (align - 1)) != 0)
		return CHAN_INVALID;
	if (align == 0) {
		size_t natural = size & (~size + 1); /* the lowest set bit; 0 for size 0 */
		align = natural == 0 ? 1 : natural;
		if (align > alignof(max_align_t))
			align = alignof(max_align_t);
	}
	if (size % align != 0)
		return CHAN_INVALID;
	layout->size = size;
	layout->align = align;
	layout->stride = size == 0 ? 1 : size;
	return CHAN_OK;
}

enum chan_status chan_config_bounded(const struct chan_config *config, size_t max_capacity, struct layout *layout)
{
	if (config->capacity == 0 || config->capacity > max_capacity)
		return CHAN_INVALID;
	enum chan_status status = chan_config_layout(config, layout);
	if (status != CHAN_OK)
		return status;
	return config->capacity > SIZE_MAX / layout->stride ? CHAN_INVALID : CHAN_OK;
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
