/* SPDX-License-Identifier: MIT
 *
 * glance.h - a run at a glance: every block a line, every implementation a column, and what follows
 * from them.
 *
 * A place of the matrix holds the ratio to the fastest implementation that is correct there, and
 * the rank. The rank is a range where the 95 % intervals overlap: "1-3" was not told apart from the
 * first and from the third. One that is broken has a word and neither ratio nor rank.
 */
#ifndef CHANBENCH_GLANCE_H
#define CHANBENCH_GLANCE_H

#include "harness/bench/plan.h"
#include "harness/bench/screen.h"

#include <jansson.h>

/* How many peers have a column beside ours; the best are taken. */
enum { GLANCE_PEERS = 8 };

/* Prints the matrix, and a conclusion for each kind. Nothing where the run has only limits. False:
 * out of memory. */
bool glance_print(const struct plan *plan, json_t *rows, const struct screen *screen);

#endif
