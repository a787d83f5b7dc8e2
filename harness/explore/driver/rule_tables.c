/* SPDX-License-Identifier: MIT
 *
 * rule_tables.c - the tables of rules whose tests are not explored, empty. They put themselves between the channel and the C library or
 * the kernel (allocations that fail, calls that return early, a wall clock that jumps, threads that are stopped, cancelled or die): where
 * the explorer stands already.
 */
#include "scenarios/rules/rules.h"

const struct rule fault_memory_rules[] = {{0}};
const struct rule fault_copies_rules[] = {{0}};
const struct rule fault_stop_rules[] = {{0}};
const struct rule fault_thread_rules[] = {{0}};
const struct rule fault_time_rules[] = {{0}};
