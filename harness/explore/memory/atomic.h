/* SPDX-License-Identifier: MIT
 *
 * atomic.h - atomic operations of the program under test, as the C11 memory model has them. Each is
 * one step.
 *
 * `size` is 1, 2, 4 or 8 bytes, values are in the low bytes of a uint64_t; `order` is an __ATOMIC_*
 * constant.
 */
#ifndef CHANBENCH_EXPLORE_ATOMIC_H
#define CHANBENCH_EXPLORE_ATOMIC_H

#include "harness/explore/runtime/core.h"

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

#endif
