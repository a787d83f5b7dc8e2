/* SPDX-License-Identifier: MIT
 *
 * fault_memory.h - memory that runs out on demand, and what was not given back.
 *
 *   if (!fault_memory_ready())
 *           untestable(fault_memory_why);
 *   fault_memory_arm(3, false);                 this thread's third allocation from here fails
 *   status = ops->sender_clone(tx, &clone);
 *   hit = fault_memory_disarm(&tried);          whether there was a third one, and how many there
 *                                               were
 *
 * Allocations are calls of malloc, calloc, realloc, reallocarray, posix_memalign, aligned_alloc,
 * memalign and anonymous mmap. Each thread counts its own.
 */
#ifndef CHANBENCH_CHECK_FAULT_MEMORY_H
#define CHANBENCH_CHECK_FAULT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* True: from now on allocations are seen. False: this build's allocations cannot be seen (a
 * sanitizer whose allocator is bound statically). */
bool fault_memory_ready(void);
extern const char fault_memory_why[];

/* From now on the `k`-th allocation (from 1) of the calling thread fails, and with `later_too` also
 * those after it. With 0 none fails. */
void fault_memory_arm(size_t k, bool later_too);
bool fault_memory_disarm(size_t *tried);

/* How many blocks all threads have allocated since it was ready, and not freed. */
size_t fault_memory_live(void);

#endif
