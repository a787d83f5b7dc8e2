/* SPDX-License-Identifier: MIT
 *
 * memory.h - the memory of the program under test, as C11 has it: atomic operations, fences, and
 * which plain accesses nothing orders.
 *
 *   atomic.c    what a load may see, fences, and what synchronises with what
 *   clock.h     vector clocks
 *   granule.h   what an execution knows of 8 bytes of memory
 *   race.c      data races, and accesses to freed memory
 *   site.c      atomic call sites, and weakening one of them
 *
 * This room includes runtime/core.h and runtime/region.h. The hooks, the heap and the depth-first
 * search include this header; the threads include clock.h.
 */
#ifndef CHANBENCH_EXPLORE_MEMORY_H
#define CHANBENCH_EXPLORE_MEMORY_H

#include "harness/explore/runtime/core.h"

/* ---- atomic operations (atomic.c). Each is one step. `size` is 1, 2, 4 or 8 bytes, values are in
 * the low bytes of a uint64_t, `order` is an __ATOMIC_* constant. ---- */

/* So often a thread sees what it knew although there is news: stores get visible in finite time. */
#define EXPLORE_STALE_KNOWN 8

enum explore_rmw { RMW_EXCHANGE, RMW_ADD, RMW_SUB, RMW_AND, RMW_OR, RMW_XOR, RMW_NAND };

uint64_t explore_atomic_load(uintptr_t address, unsigned size, int order, uintptr_t pc);
void explore_atomic_store(uintptr_t address, unsigned size, uint64_t value, int order, uintptr_t pc);
/* Returns the old value. */
uint64_t explore_atomic_rmw(uintptr_t address, unsigned size, enum explore_rmw what, uint64_t operand, int order,
                            uintptr_t pc);
/* Returns whether it exchanged; `*expected` becomes the value read. `weak`: it may fail
 * spuriously. */
bool explore_atomic_compare(uintptr_t address, unsigned size, uint64_t *expected, uint64_t desired, int success,
                            int failure, bool weak, uintptr_t pc);
/* Whether the newest store of an object is news for a thread that is about to load it, or to
 * compare: gives it a choice that older stores do not give. */
bool explore_atomic_news(const struct explore_thread *thread);
void explore_atomic_fence(int order, uintptr_t pc);

/* ---- plain accesses (race.c) ---- */

/* Checks an access for races and for freed memory (race.c). */
enum explore_access_kind { EXPLORE_ACCESS_WRITE = 1, EXPLORE_ACCESS_ATOMIC = 2, EXPLORE_ACCESS_FREE = 4 };
void explore_access(uintptr_t address, size_t size, unsigned kind, uintptr_t pc);
void explore_access_free(uintptr_t address, size_t size, uintptr_t pc);

/* ---- sites (site.c) ---- */

extern bool explore_weakening;
void explore_site_note(uintptr_t pc, int order, int operation);
int explore_site_order(uintptr_t pc, int order, int operation);

#endif
