/* SPDX-License-Identifier: MIT
 *
 * compare.h - two result files: what became faster, slower, broken.
 *
 * The process is the unit: each counts once, with the median of its trials. A cell is slower (or
 * faster) when three things hold. The 99 % interval of the ratio does not contain 1 (Mann and
 * Whitney, exact). Among all cells it is still no chance: its q (Benjamini and Hochberg) is at most
 * 0.05. And the ratio is further from 1 than the usual difference within an A/A pair, two
 * measurements of one and the same thing. Where only the second does not hold, it is "perhaps".
 *
 * A cell that did not change is "same" only when a larger change would have been seen: its interval
 * ends within 25 % of 1. Else the comparison could not see.
 *
 * The ratio is that of the rates. Where messages were sent at a fixed rate it is that of the median
 * latencies, upside down: above 1 is always better.
 */
#ifndef CHANBENCH_COMPARE_H
#define CHANBENCH_COMPARE_H

#include "harness/bench/screen.h"
#include "harness/bench/stats.h"

#include <jansson.h>

enum change {
	CHANGE_SAME,
	CHANGE_FASTER,
	CHANGE_SLOWER,
	CHANGE_PERHAPS,
	CHANGE_BROKEN,       /* it was ok, or was not there */
	CHANGE_STILL_BROKEN, /* it was not */
	CHANGE_REPAIRED,
	CHANGE_ONLY_OLD, /* the cell stands in one file only */
	CHANGE_ONLY_NEW,
	CHANGE_BLIND,   /* a change of less than 25 % or more would not have been seen */
	CHANGE_UNCLEAR, /* too few processes, or no figure that could be compared */
	CHANGE_COUNT
};

extern const char *const change_names[CHANGE_COUNT];

struct comparison {
	const char *name;
	enum change change;
	/* items a second; latency: ns; ratios to `mutex`. NaN: none */
	double old_median, new_median;
	bool latency;
	struct stats_ratio ratio; /* above 1 is better */
	double q;
	const char *verdict; /* of the new one */
};

/* How far from 1, as a factor less 1, a change must be so that this cell shows it: half the
 * width of its interval. Infinity: it shows none. */
double compare_resolution(const struct comparison *comparison);

/* The usual difference within an A/A pair: the median over all pairs of both files, a logarithm
 * of at least 0. Cells as from summary_by_cell. `*pairs` is set to their number. NaN: out of
 * memory. */
double compare_floor(json_t *old_cells, json_t *new_cells, size_t *pairs);

/* Compares one cell; either file may lack it. `to_mutex`: not its figures, but their ratios to
 * those of `mutex` in the same file. What has numbers in both is CHANGE_SAME until it is judged.
 * False: out of memory. */
bool compare_cell(const char *name, json_t *old_cells, json_t *new_cells, bool to_mutex, struct comparison *comparison);

/* Judges all that are CHANGE_SAME, together. False: out of memory. */
bool compare_judge(struct comparison *comparisons, size_t count, double floor);

/* Whether the numbers of a file's rows are ones that a measurement can have. NULL, or one line. */
const char *compare_absurd(json_t *rows);

/* NULL, or one line: that the two contexts are of different machines, and by what. */
const char *compare_machines(json_t *old_context, json_t *new_context);

/* Prints the comparison of two files (as from results_read) and counts what came out. `all`: every
 * cell, not only those that changed. False: out of memory. */
bool compare_print(json_t *old_file, json_t *new_file, bool to_mutex, bool all, const struct screen *screen,
                   size_t counts[CHANGE_COUNT]);

#endif
