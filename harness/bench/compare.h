/* SPDX-License-Identifier: MIT
 *
 * compare.h - two result files: what became faster, slower, broken.
 *
 * A cell is slower (or faster) only when both hold: the bootstrap interval (99 %) of the ratio of
 * the medians does not contain 1, and the ratio is further from 1 than the noise: what A/A pairs,
 * two measurements of one and the same thing, differed by in these two files. Each answers another
 * doubt: the interval, how much the trials scatter; the A/A pairs, how far whole measurements drift
 * on these machines.
 *
 * The ratio is that of the rates. Where messages were sent at a fixed rate it is that of the median
 * latencies, upside down: above 1 is always better.
 */
#ifndef CHANBENCH_COMPARE_H
#define CHANBENCH_COMPARE_H

#include "harness/bench/stats.h"

#include <jansson.h>
#include <stdio.h>

enum change {
	CHANGE_SAME,
	CHANGE_FASTER,
	CHANGE_SLOWER,
	CHANGE_BROKEN,       /* it was ok, or was not there */
	CHANGE_STILL_BROKEN, /* it was not */
	CHANGE_REPAIRED,
	CHANGE_ONLY_OLD, /* the cell stands in one file only */
	CHANGE_ONLY_NEW,
	/* fewer than three good trials in one of the files, or no figure that could be compared */
	CHANGE_UNCLEAR,
	CHANGE_COUNT
};

extern const char *const change_names[CHANGE_COUNT];

struct comparison {
	enum change change;
	double old_median, new_median; /* items a second; latency: ns. NaN: none */
	bool latency;
	double ratio; /* above 1 is better; NaN: none */
	struct interval interval;
	const char *verdict; /* of the new one */
};

/* The noise of a scenario, as a logarithm of at least 0: the largest difference between the two
 * of an A/A pair of that scenario in either file, and not less than the median of all pairs (a
 * scenario has few, which can agree by luck). Cells as from summary_by_cell. `*pairs` is set to
 * the number of all pairs. NaN: out of memory. */
double compare_floor(json_t *old_cells, json_t *new_cells, const char *scenario, size_t *pairs);

/* Compares the rows of one cell; NULL for a file that does not have it. False: out of memory. */
bool compare_cell(const char *name, json_t *old_rows, json_t *new_rows, double floor, struct comparison *comparison);

/* Whether the numbers of a file's rows are ones that a measurement can have. NULL, or one line. */
const char *compare_absurd(json_t *rows);

/* Prints the comparison of two files (as from results_read) and counts what came out. False: out
 * of memory. */
bool compare_print(json_t *old_file, json_t *new_file, FILE *out, size_t counts[CHANGE_COUNT]);

#endif
