/* SPDX-License-Identifier: MIT
 *
 * memory.h - the allocations of a run: counted, and made to fail.
 *
 * The target is linked so that malloc, calloc, realloc, aligned_alloc, posix_memalign and free of
 * everything linked into it come through here (--wrap of the linker; a sanitizer stays underneath).
 * A plug-in has its own calls, and is neither counted nor failed; LeakSanitizer still watches it.
 * Made for sequences in one thread: the counts are plain.
 */
#ifndef CHANBENCH_FUZZ_MEMORY_H
#define CHANBENCH_FUZZ_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The k-th allocation from now on fails, once; 0: none. */
void memory_fail(size_t k);

/* No more failing. Whether an allocation has failed since memory_fail. */
bool memory_calm(void);

/* Blocks that were allocated and not yet freed, ever. */
long memory_blocks(void);

#endif
