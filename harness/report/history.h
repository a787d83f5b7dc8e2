/* SPDX-License-Identifier: MIT
 *
 * history.h - where a series of medians changed for good.
 */
#ifndef CHANBENCH_REPORT_HISTORY_H
#define CHANBENCH_REPORT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

/* Marks step[i] where the values from i on differ from those before: binary segmentation, the rank
 * sum of the two sides at p < 0.001, at least five on each side, and a change of 5 % and of 2.5
 * standard deviations at least. Values are positive. */
void history_steps(const double *values, size_t count, bool *step);

#endif
