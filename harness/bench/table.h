/* SPDX-License-Identifier: MIT
 *
 * table.h - the results of a run as a person reads them.
 */
#ifndef CHANBENCH_TABLE_H
#define CHANBENCH_TABLE_H

#include "harness/bench/plan.h"
#include "harness/bench/screen.h"

#include <jansson.h>

/* Prints the limits once, and then one table for each block that has something to show:
 * implementations by falling median rate (where the rate is fixed: by rising median latency),
 * then those without a rate and the controls. Returns whether every verdict was good (those of
 * peers count only in a plan with strict_peers); false as well when memory ran out. */
bool table_print(const struct plan *plan, json_t *rows, const struct screen *screen);

#endif
