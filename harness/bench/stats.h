/* SPDX-License-Identifier: MIT
 *
 * stats.h - from the raw trials of a cell to one number and how far it can be trusted.
 *
 * The trials of one process resemble each other more than those of two (the layout of its memory is
 * drawn once), so they are not independent. The process is the unit: an interval or a test sees one
 * value of each, the median of its trials. How many trials a process has makes that value steadier,
 * but never counts as more evidence.
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

/* One sample a process, the median of its trials, in the order of their first trials. False: out of
 * memory. */
bool stats_processes(const struct samples *samples, struct samples *processes);

/* Student's interval (95 %) of the logarithms of the process medians, and widened where it misses
 * the median. NaN with fewer than two processes: one has nothing to differ from. */
struct interval stats_median_interval(const struct samples *samples);

/* What `over` is of `under`, by their process medians. */
struct stats_ratio {
	double ratio; /* Hodges and Lehmann: the median of all pairs' ratios; NaN: none */
	/* 99 %, from the same test turned round; 0 and infinity where there are too few processes
	 * for it (for 1 in 200 ways to be one side: 5 and 5, or 4 and 8) */
	struct interval interval;
	/* Mann and Whitney, exact and two-sided, ties as they are; NaN: none */
	double p;
};

/* False: out of memory. */
bool stats_ratio(const struct samples *over, const struct samples *under, struct stats_ratio *result);

/* Benjamini and Hochberg: turns each p into its q. Among all that have a q of at most x, at most
 * the share x is expected to be chance. NaN stays, and does not count. False: out of memory. */
bool stats_adjust(double *p, size_t count);

#endif
