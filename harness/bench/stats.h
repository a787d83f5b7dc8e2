/* SPDX-License-Identifier: MIT
 *
 * stats.h - from the raw trials of a cell to one number and how far it can be trusted.
 *
 * The trials of one process resemble each other more than those of two (the layout of its memory is
 * drawn once), so they are not independent. The bootstrap is therefore a clustered one: it draws
 * processes, and then trials within each drawn process. Its generator has a fixed seed: the same
 * file gives the same interval, always.
 */
#ifndef CHANBENCH_STATS_H
#define CHANBENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values, each with the process that it was measured in. */
struct samples {
	double *value;
	uint32_t *process;
	size_t count;
};

struct interval {
	double low, high;
};

/* Adds one; false: out of memory, and nothing changed. */
bool samples_add(struct samples *samples, double value, uint32_t process);
void samples_free(struct samples *samples);

/* The middle one, or the mean of the two in the middle. NaN for none. */
double stats_median(const struct samples *samples);
double stats_min(const struct samples *samples);
double stats_max(const struct samples *samples);

/* Bootstrap percentile interval (95 %) of the median. One sample gives an interval without
 * width; none, or no memory, NaN. */
struct interval stats_median_interval(const struct samples *samples);

/* The same, but 99 %, for median(over) / median(under), both drawn anew each time: ratios are
 * judged by the dozen, and with one in twenty wrong each comparison of two files would find
 * something. */
struct interval stats_ratio_interval(const struct samples *over, const struct samples *under);

#endif
