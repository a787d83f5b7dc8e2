/* SPDX-License-Identifier: MIT
 *
 * ended.h - the values that an operation of a model destroys, in order.
 *
 * A model knows values as numbers. Whoever runs it starts an operation with `count` 0, or lets several of them add to one list.
 */
#ifndef CHANBENCH_FUZZ_MODEL_ENDED_H
#define CHANBENCH_FUZZ_MODEL_ENDED_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_ENDED_MAX = 1024 };

struct model_ended {
	size_t count;
	uint64_t value[MODEL_ENDED_MAX];
};

static inline void model_end(struct model_ended *ended, uint64_t value)
{
	assert(ended->count < MODEL_ENDED_MAX);
	ended->value[ended->count++] = value;
}

#endif
