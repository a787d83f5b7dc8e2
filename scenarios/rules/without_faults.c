/* SPDX-License-Identifier: MIT
 *
 * without_faults.c - the tables of rules whose tests are TEST_FAULT, empty: what comes between a
 * channel and the C library cannot be linked here, where the explorer stands.
 */
#include "scenarios/rules/rules.h"

const struct rule fault_memory_rules[] = {{0}};
const struct rule fault_copies_rules[] = {{0}};
const struct rule fault_stop_rules[] = {{0}};
const struct rule fault_thread_rules[] = {{0}};
const struct rule fault_time_rules[] = {{0}};
