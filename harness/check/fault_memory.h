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
 * malloc, calloc, realloc, reallocarray, posix_memalign, aligned_alloc, memalign and anonymous mmap
 * count; each thread for itself.
 */
#ifndef CHANBENCH_CHECK_FAULT_MEMORY_H
#define CHANBENCH_CHECK_FAULT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Once it was true, allocations are seen. False: this build's cannot be (a sanitizer whose
 * allocator is bound statically). */
bool fault_memory_ready(void);
extern const char fault_memory_why[];

/* From now on the `k`-th (from 1) allocation of the calling thread fails, and those after it too
 * if `later_too`. 0: none. */
void fault_memory_arm(size_t k, bool later_too);
bool fault_memory_disarm(size_t *tried);

/* Blocks that were allocated since it is ready and not freed, of all threads. */
size_t fault_memory_live(void);

#endif
