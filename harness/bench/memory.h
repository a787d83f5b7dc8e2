/* SPDX-License-Identifier: MIT
 *
 * memory.h - memory of the harness itself, in a process that runs one cell: when there is none,
 * there is nothing to measure, and the process ends with one line and EXIT_MACHINE.
 */
#ifndef CHANBENCH_BENCH_MEMORY_H
#define CHANBENCH_BENCH_MEMORY_H

#include "harness/say.h"

#include <stdlib.h>
#include <string.h>

/* `size` bytes, zeroed, aligned to `align` (a power of two). Give back with free. */
static inline void *memory_get(size_t align, size_t size)
{
	void *memory = NULL;
	if (posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size ? size : 1) != 0) {
		say("no memory for %zu bytes of the harness; use fewer or smaller messages", size);
		_Exit(EXIT_MACHINE);
	}
	memset(memory, 0, size);
	return memory;
}

#endif
