/* SPDX-License-Identifier: MIT
 *
 * region.h - where things are. All addresses are constants, so that each execution, and each
 * process, sees the same ones.
 *
 *   STACKS   one slot a thread: a guard page, the coroutine's stack, then the parked thread's stack
 *            with the TLS at its top
 *   HEAP     malloc's memory of the program under test
 *   SHADOW   8 bytes for each 8 bytes of the two above: the number of the granule and the execution
 *            it belongs to
 *   GRANULES what an execution knows of each granule (granule.h), a cache line each
 *   SCRATCH  the rest of the runtime's own memory of one execution: stores, clocks, objects
 */
#ifndef CHANBENCH_EXPLORE_REGION_H
#define CHANBENCH_EXPLORE_REGION_H

#include "harness/explore/runtime/core.h"

#define REGION_BASE   0x100000000000ul
#define SLOT_SIZE     0x100000ul
#define SLOT_PARKED   0x40000ul /* of it, the parked thread's */
#define STACKS_SIZE   (SLOT_SIZE * EXPLORE_THREADS)
#define HEAP_BASE     (REGION_BASE + STACKS_SIZE)
#define HEAP_SIZE     0x100000000ul
#define REGION_SIZE   (STACKS_SIZE + HEAP_SIZE)
#define SHADOW_BASE   0x110000000000ul
#define GRANULES_BASE 0x118000000000ul
#define GRANULES_SIZE 0x20000000ul
#define GRANULE_SIZE  64ul
#define SCRATCH_BASE  0x120000000000ul
#define SCRATCH_SIZE  0x20000000ul
#define SCRATCH_GRAIN 16ul

static inline uintptr_t slot_base(unsigned id)
{
	return REGION_BASE + SLOT_SIZE * id;
}

struct shadow {
	uint32_t generation;
	uint32_t granule; /* its number; 0: the memory has been freed */
};

/* The program's globals: one interval, with a shadow of its own (state.c). */
extern uintptr_t explore_globals_base;
extern size_t explore_globals_size;
extern struct shadow *explore_globals_shadow;

/* Any other address (read-only data, libc's): a hash table. */
struct shadow *explore_shadow_other(uintptr_t address);

static inline struct shadow *shadow_of(uintptr_t address)
{
	uintptr_t offset = address - REGION_BASE;
	if (likely(offset < REGION_SIZE))
		return (struct shadow *)SHADOW_BASE + offset / 8;
	offset = address - explore_globals_base;
	if (likely(offset < explore_globals_size))
		return explore_globals_shadow + offset / 8;
	return explore_shadow_other(address);
}

uint32_t explore_granule_new(void); /* the number of a cleared one */

#endif
