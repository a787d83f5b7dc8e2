/* SPDX-License-Identifier: MIT
 *
 * summary.h - the rows of a run, by cell.
 */
#ifndef CHANBENCH_SUMMARY_H
#define CHANBENCH_SUMMARY_H

#include "harness/bench/stats.h"

#include <jansson.h>

/* An object: the name of each cell, in the order of their first rows, and an array of its rows.
 * Rows that are aggregates (google-benchmark writes such) are left out: statistics come from the
 * trials. NULL: out of memory. */
json_t *summary_by_cell(json_t *rows);

/* "ok", or what was wrong with the first trial that was not. Rows without a verdict (of another
 * program) are good unless they say that an error occurred. */
const char *summary_verdict(json_t *cell);

/* The member `name` of each good trial that has it as a finite number of at least 0. False: out
 * of memory. */
bool summary_samples(json_t *cell, const char *name, struct samples *samples);

/* Median of the same; NaN where there is none. */
double summary_median(json_t *cell, const char *name);

#endif
