/* SPDX-License-Identifier: MIT
 *
 * plots.h - the pictures of a report, as SVG.
 *
 * Colours are classes and currentColor, so that one picture serves a light and a dark page. What a
 * colour says is said by a shape or a word, too. A picture has a title and a description, and each
 * page has a table with the same numbers below it.
 */
#ifndef CHANBENCH_REPORT_PLOTS_H
#define CHANBENCH_REPORT_PLOTS_H

#include "harness/report/model.h"
#include "harness/report/text.h"

/* How a picture begins: inside a page, or as a file of its own that carries its style. */
struct frame {
	bool alone;
};

/* Every trial of the block as a dot, in a line of its own for each process; median and interval. */
void plot_strip(struct text *out, struct frame frame, const struct report_key *key, const struct report_block *block);

/* The latencies of a block whose rate is fixed: median, 99 %, 99.9 %, largest. */
void plot_latency(struct text *out, struct frame frame, const struct report_block *block);

/* Blocks that differ in one numeric parameter, at least three of them: `values[i]` is that of
 * blocks[i]. */
void plot_sweep(struct text *out, struct frame frame, const char *param, const struct report_block *const *blocks,
                const double *values, size_t count);

/* One series of medians (NaN: none), in the order of commits, with what their trials spread over;
 * `step[i]`: a change was found just before i. */
struct trend_point {
	double median, low, high;
	bool step;
};
void plot_trend(struct text *out, const char *title, const struct trend_point *points, size_t count);

/* Ratios with their intervals, above 1 is better. */
struct forest_row {
	char label[160];
	double ratio;
	struct interval interval;
	const char *word;
};
void plot_forest(struct text *out, const struct forest_row *rows, size_t count);

/* Scenarios by implementations: the numbers that pages_index shows. */
struct matrix_cell {
	double ratio; /* geometric mean over its blocks, to the fastest correct one; NaN: none */
	size_t low, high, blocks, of;
	const char *word; /* "ok", or what is wrong; NULL: not measured */
	const struct report_block *wrong;
};
void plot_matrix(struct text *out, struct frame frame, const char *const *scenarios, size_t scenario_count,
                 const char *const *labels, size_t label_count, const struct matrix_cell *cells);

/* The class of an implementation's colour and shape: "own", "thr" (a peer whose operations block a
 * thread), "tsk" (of a driver). */
const char *plot_class(const struct report_cell *cell);

#endif
