/* SPDX-License-Identifier: MIT */
#include "harness/report/plots.h"

#include "harness/bench/grid.h"
#include "harness/report/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Dots more than this in a row are drawn as their quantiles. */
enum { DOTS_MAX = 200, SERIES_MAX = 8, LEFT = 170, WIDTH = 760, ROW = 22 };

/* A logarithmic axis from left to right (or, with from > to, from below to above). */
struct scale {
	double low, high;
	double from, to;
};

static double at(const struct scale *s, double value)
{
	value = fmin(fmax(value, s->low), s->high); /* also what is infinite */
	return s->from + (s->to - s->from) * (log(value) - log(s->low)) / (log(s->high) - log(s->low));
}

/* A range that has room on both sides, and is never empty. */
static void scale_fit(struct scale *s, double low, double high)
{
	if (!(low > 0) || !(high >= low))
		low = 1, high = 10;
	double room = fmax(log(high / low) * 0.04, 0.05);
	s->low = low * exp(-room);
	s->high = high * exp(room);
}

const char *plot_class(const struct report_cell *cell)
{
	if (cell->package[0] == '\0')
		return "own";
	return strncmp(cell->package, "crate", 5) == 0 || strncmp(cell->package, "go ", 3) == 0 ||
	                       strncmp(cell->package, "rustc", 5) == 0
	               ? "tsk"
	               : "thr";
}

static const char own_style[] =
	"<style>svg{color:#1b1f24;background:#fff;font:12px system-ui,sans-serif}.own{color:#0072b2}.thr{color:#a84300}"
	".tsk{color:#00704f}.s3{color:#8f4a78}.s4{color:#8a6100}.s5{color:#2a7fb0}.s6{color:#6b6b00}.s7{color:#555}"
	"text{fill:#1b1f24}.mute{fill:#59636e}.g{stroke:#d5dae0;fill:none}.ref{stroke:#59636e;stroke-dasharray:3 3;fill:none}"
	".band{fill:currentColor;opacity:.2}.med,.line{stroke:currentColor;stroke-width:2;fill:none}.f{fill:currentColor}"
	".dot{stroke:currentColor;stroke-width:4.5;stroke-linecap:round;fill:none}.thr .dot,.tsk .dot{stroke-linecap:square;stroke-width:3.8}"
	".bad{fill:#a40e26}.bar{fill:#0072b2;opacity:.22}"
	"@media(prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117}text{fill:#e6edf3}.mute{fill:#9aa5b1}"
	".own{color:#56b4e9}.thr{color:#f0894d}.tsk{color:#2fc396}.s3{color:#e0a3c8}.s4{color:#e6b73c}.s5{color:#8fd0ff}"
	".s6{color:#f0e442}.s7{color:#bbb}.g{stroke:#3a424c}.bad{fill:#ff8b94}.bar{fill:#56b4e9;opacity:.3}}</style>";

static void begin(struct text *out, struct frame frame, double width, double height, const char *title,
                  const char *description)
{
	if (frame.alone)
		text_html(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\"", width,
		          height);
	else
		text_put(out, "<div class=\"plot\"><svg");
	text_html(
		out,
		" viewBox=\"0 0 %.0f %.0f\" role=\"img\" style=\"min-width:%.0fpx;max-width:%.0fpx\"><title>%s</title><desc>%s</desc>",
		width, height, fmin(width, 680), width * 1.25, title, description);
	if (frame.alone)
		text_put(out, own_style);
}

static void end(struct text *out, struct frame frame)
{
	text_put(out, frame.alone ? "</svg>\n" : "</svg></div>\n");
}

static void label(struct text *out, double x, double y, const char *class, const char *anchor, const char *string)
{
	text_html(out, "<text x=\"%.0f\" y=\"%.1f\"", x, y);
	if (class[0] != '\0')
		text_html(out, " class=\"%s\"", class);
	if (anchor[0] != '\0')
		text_html(out, " text-anchor=\"%s\"", anchor);
	text_html(out, ">%s</text>", string);
}

/* The next mark of 1, 2, 5 times a power of ten that is at least `value`. */
static double next_mark(double value, bool fine)
{
	double power = pow(10, floor(log10(value) + 1e-9));
	double digit = value / power;
	if (!fine)
		return digit <= 1.000001 ? power : 10 * power;
	return power * (digit <= 1.000001 ? 1 : digit <= 2.000001 ? 2 : digit <= 5.000001 ? 5 : 10);
}

typedef void format_function(double value, char *text, size_t size);

static void plain_number(double value, char *text, size_t size)
{
	if (value >= 1000 || value < 1e-3)
		format_count(value, text, size);
	else
		snprintf(text, size, "%g", value);
}

/* Marks along the axis, lines through the plot from `top` to `bottom`. */
static void axis(struct text *out, const struct scale *s, double top, double bottom, format_function *format,
                 const char *what)
{
	bool fine = s->high / s->low < 200;
	char text[64];
	double last = -1e9;

	text_put(out, "<path class=\"g\" d=\"");
	for (double v = next_mark(s->low, fine); v <= s->high; v = next_mark(v * 1.01, fine))
		text_html(out, "M%.1f %.0fV%.0f", at(s, v), top, bottom);
	text_put(out, "\"/>");
	for (double v = next_mark(s->low, fine); v <= s->high; v = next_mark(v * 1.01, fine)) {
		if (at(s, v) - last < 44)
			continue;
		last = at(s, v);
		format(v, text, sizeof text);
		label(out, last, bottom + 14, "mute", "middle", text);
	}
	label(out, s->to, bottom + 30, "mute", "end", what);
}

/* ------------------------------------------------------------------------------------------
 * Every trial
 */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* A dot is a stroke nearly without length (librsvg drops some that have none): a few bytes each,
 * round or square by its class. */
static void dots(struct text *out, const struct scale *s, const struct samples *samples, double y)
{
	uint32_t first = 0;
	if (samples->count == 0)
		return;
	text_put(out, "<path class=\"dot\" d=\"");
	if (samples->count <= DOTS_MAX) {
		first = samples->process[0];
		for (size_t i = 1; i < samples->count; i++)
			first = samples->process[i] < first ? samples->process[i] : first;
		for (size_t i = 0; i < samples->count; i++)
			if (samples->value[i] > 0)
				text_html(out, "M%.1f %.1fh.01", at(s, samples->value[i]),
				          y - 5 + 2.5 * ((samples->process[i] - first) % 5));
	} else {
		double *copy = malloc(samples->count * sizeof *copy);
		if (copy != NULL) {
			memcpy(copy, samples->value, samples->count * sizeof *copy);
			qsort(copy, samples->count, sizeof *copy, ascending);
			for (size_t i = 0; i < DOTS_MAX; i++) {
				double value = copy[i * (samples->count - 1) / (DOTS_MAX - 1)];
				if (value > 0)
					text_html(out, "M%.1f %.1fh.01", at(s, value), y);
			}
			free(copy);
		}
	}
	text_put(out, "\"/>");
}

/* A line through the plot, with its name above in one of three lines. */
static void reference(struct text *out, const struct scale *s, double value, double bottom, int line, const char *name)
{
	if (isnan(value) || value < s->low || value > s->high)
		return;
	double x = at(s, value);
	text_html(out, "<path class=\"ref\" d=\"M%.1f %dV%.0f\"/>", x, 14 + 14 * line, bottom);
	label(out, x, 11 + 14 * line, "mute", x > WIDTH - 200 ? "end" : "middle", name);
}

static const char *limit_name(const struct report_cell *limit)
{
	return strncmp(limit->params, "mode:", 5) == 0 ? limit->params + 5 : limit->label;
}

/* What is not known has no width. */
static struct interval known(const struct report_cell *cell)
{
	return isnan(cell->interval.low) ? (struct interval){cell->rate, cell->rate} : cell->interval;
}

static void strip_row(struct text *out, const struct scale *s, const struct report_cell *cell, double y)
{
	struct interval band = known(cell);
	char name[64], number[64];
	const char *class = cell->control == CONTROL_NONE ? plot_class(cell) : "s7";

	snprintf(name, sizeof name, "%.24s%s", cell->control == CONTROL_NULL ? "null (no channel)" : cell->label,
	         strlen(cell->label) > 24 ? "..." : "");
	label(out, LEFT - 10, y + 4, "", "end", name);
	text_html(out, "<g class=\"%s\"><rect class=\"band\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\"/>",
	          class, at(s, band.low), y - 7, fmax(1, at(s, band.high) - at(s, band.low)));
	dots(out, s, &cell->rates, y);
	text_html(out, "<path class=\"med\" d=\"M%.1f %.1fv16\"/></g>", at(s, cell->rate), y - 8);
	format_ns(cell->figures[FIGURE_CPU], number, sizeof number);
	label(out, WIDTH - 62, y + 4, "mute", "end", number);
	format_count(cell->figures[FIGURE_SWITCHES], number, sizeof number);
	label(out, WIDTH - 4, y + 4, "mute", "end", number);
}

void plot_strip(struct text *out, struct frame frame, const struct report_key *key, const struct report_block *block)
{
	struct scale s = {.from = LEFT, .to = WIDTH - 130};
	double low = INFINITY, high = 0, y = 68;
	char title[256], unit[96];
	size_t rows = 0;

	for (size_t i = 0; i < block->count; i++) {
		const struct report_cell *cell = block->cells[i];
		if (report_broken(cell) || !(cell->rate > 0))
			continue;
		low = fmin(low, fmax(cell->interval.low, stats_min(&cell->rates) / 2));
		low = fmin(low, stats_min(&cell->rates));
		high = fmax(high, fmin(cell->interval.high, stats_max(&cell->rates) * 2));
		high = fmax(high, stats_max(&cell->rates));
		rows++;
	}
	if (rows == 0)
		return;
	low = fmax(low, high * 1e-9);
	double least = low;
	for (size_t i = 0; i < key->limit_count; i++) {
		const struct report_cell *limit = key->limits[i];
		if (!report_broken(limit) && limit->rate >= least && limit->rate < high * 10)
			high = fmax(high, limit->rate);
	}
	scale_fit(&s, low, high);
	double bottom = y + ROW * (double)rows - 6;
	snprintf(title, sizeof title, "%s %s: every trial", block->scenario, block->params);
	begin(out, frame, WIDTH, bottom + 40, title,
	      "One line an implementation, the fastest above. A dot is a trial, a line of dots a process; the bar is "
	      "the 95 % interval of the median, the stroke the median. The table below has the numbers.");
	snprintf(unit, sizeof unit, "%s a second, logarithmic",
	         block->workload != NULL ? block->workload->item : "items");
	axis(out, &s, 56, bottom, format_count, unit);
	label(out, WIDTH - 62, 50, "mute", "end", "CPU/item");
	label(out, WIDTH - 4, 50, "mute", "end", "switches");
	for (size_t i = 0, line = 0; i < key->limit_count; i++) {
		const struct report_cell *limit = key->limits[i];
		char name[80];
		snprintf(name, sizeof name, "limit: %.40s", limit_name(limit));
		if (!report_broken(limit) && limit->rate >= s.low && limit->rate <= s.high)
			reference(out, &s, limit->rate, bottom, (int)(line++ % 3), name);
	}
	for (size_t i = 0; i < block->count; i++) {
		const struct report_cell *cell = block->cells[i];
		if (report_broken(cell) || !(cell->rate > 0))
			continue;
		strip_row(out, &s, cell, y);
		y += ROW;
	}
	end(out, frame);
}

/* ------------------------------------------------------------------------------------------
 * Latencies
 */

void plot_latency(struct text *out, struct frame frame, const struct report_block *block)
{
	struct scale s = {.from = LEFT, .to = WIDTH - 30};
	double low = INFINITY, high = 0, y = 40;
	char title[256];
	size_t rows = 0;

	for (size_t i = 0; i < block->count; i++) {
		const double *f = block->cells[i]->figures;
		if (report_broken(block->cells[i]) || !(f[FIGURE_P50] > 0))
			continue;
		low = fmin(low, f[FIGURE_P50]);
		for (int k = FIGURE_P50; k <= FIGURE_MAX; k++)
			high = fmax(high, f[k]); /* fmax passes over NaN */
		rows++;
	}
	if (rows == 0)
		return;
	scale_fit(&s, low, high);
	double bottom = y + ROW * (double)rows - 6;
	snprintf(title, sizeof title, "%s %s: latencies", block->scenario, block->params);
	begin(out, frame, WIDTH, bottom + 40, title,
	      "One line an implementation: a circle at the median latency, a square at 99 %, a diamond at 99.9 %, a stroke "
	      "at the largest. Medians over the trials; the table below has the numbers.");
	axis(out, &s, 24, bottom, format_ns, "latency of a message, logarithmic");
	label(out, LEFT, 14, "mute", "", "\xe2\x97\x8f median   \xe2\x96\xa0 99 %   \xe2\x97\x86 99.9 %   | largest");
	for (size_t i = 0; i < block->count; i++) {
		const struct report_cell *cell = block->cells[i];
		const double *f = cell->figures;
		char name[40];
		if (report_broken(cell) || !(f[FIGURE_P50] > 0))
			continue;
		snprintf(name, sizeof name, "%.24s", cell->control == CONTROL_NULL ? "null (no channel)" : cell->label);
		label(out, LEFT - 10, y + 4, "", "end", name);
		double last = fmax(fmax(f[FIGURE_P50], f[FIGURE_P99]), fmax(f[FIGURE_P999], f[FIGURE_MAX]));
		text_html(
			out,
			"<g class=\"%s\"><path class=\"med\" d=\"M%.1f %.1fH%.1f\"/><circle class=\"f\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>",
			cell->control == CONTROL_NONE ? plot_class(cell) : "s7", at(&s, f[FIGURE_P50]), y, at(&s, last),
			at(&s, f[FIGURE_P50]), y);
		if (f[FIGURE_P99] > 0)
			text_html(out, "<path class=\"f\" d=\"M%.1f %.1fh8v8h-8z\"/>", at(&s, f[FIGURE_P99]) - 4,
			          y - 4);
		if (f[FIGURE_P999] > 0)
			text_html(out, "<path class=\"f\" d=\"M%.1f %.1fl5 5 -5 5 -5 -5z\"/>", at(&s, f[FIGURE_P999]),
			          y - 5);
		if (f[FIGURE_MAX] > 0)
			text_html(out, "<path class=\"med\" d=\"M%.1f %.1fv12\"/>", at(&s, f[FIGURE_MAX]), y - 6);
		text_put(out, "</g>");
		y += ROW;
	}
	end(out, frame);
}

/* ------------------------------------------------------------------------------------------
 * Sweeps
 */

struct series {
	const char *label;
	char class[4];
	double sum; /* what it is chosen by */
	bool own;
	double end_y;
};

static void marker(struct text *out, double x, double y, size_t shape)
{
	static const char *const shapes[] = {"m-4 0a4 4 0 1 0 8 0 4 4 0 1 0-8 0z",
	                                     "m-4-4h8v8h-8z",
	                                     "m0-5l5 5-5 5-5-5z",
	                                     "m0-5l5 9h-10z",
	                                     "m0 5l5-9h-10z",
	                                     "m-5-1.5h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5z",
	                                     "m-4-3h8v6h-8z",
	                                     "m-2-5h4v10h-4z"};
	text_html(out, "<path class=\"f\" d=\"M%.1f %.1f", x, y);
	text_put(out, shapes[shape % 8]);
	text_put(out, "\"/>");
}

static int by_sum(const void *a, const void *b)
{
	const struct series *x = a, *y = b;
	if (x->own != y->own)
		return x->own ? -1 : 1;
	return x->sum > y->sum ? -1 : x->sum < y->sum ? 1 : strcmp(x->label, y->label);
}

static int by_end(const void *a, const void *b)
{
	const struct series *x = *(struct series *const *)a, *y = *(struct series *const *)b;
	return (x->end_y > y->end_y) - (x->end_y < y->end_y);
}

/* Ours and the best of the others, at most eight: more cannot be told apart. Only who has at least
 * three of the values. */
static size_t choose_series(const struct report_block *const *blocks, size_t count, struct series *chosen)
{
	struct series all[128];
	size_t n = 0;

	for (size_t b = 0; b < count; b++)
		for (size_t i = 0; i < blocks[b]->ranked && n < 128; i++) {
			const struct report_cell *cell = blocks[b]->cells[i];
			size_t has = 0;
			bool known = false;
			for (size_t k = 0; k < n; k++)
				known |= strcmp(all[k].label, cell->label) == 0;
			if (known)
				continue;
			all[n] = (struct series){.label = cell->label, .own = cell->package[0] == '\0'};
			for (size_t k = 0; k < count; k++) {
				const struct report_cell *other = report_find(blocks[k], cell->label);
				if (other != NULL && report_ranked(other)) {
					has++;
					all[n].sum += log(other->score / blocks[k]->best);
				}
			}
			all[n].sum /= (double)has;
			n += has >= 3;
		}
	qsort(all, n, sizeof *all, by_sum);
	size_t kept = n < SERIES_MAX ? n : SERIES_MAX;
	for (size_t i = 0; i < kept; i++) {
		static const char *const classes[] = {"own", "thr", "tsk", "s3", "s4", "s5", "s6", "s7"};
		chosen[i] = all[i];
		memcpy(chosen[i].class, classes[i], strlen(classes[i]) + 1);
	}
	return kept;
}

static void sweep_series(struct text *out, const struct scale *x, const struct scale *y,
                         const struct report_block *const *blocks, const double *values, size_t count,
                         struct series *series, size_t shape)
{
	char command = 'M';
	text_html(out, "<g class=\"%s\"><path class=\"band\" d=\"", series->class);
	for (size_t i = 0; i < 2 * count; i++) {
		size_t k = i < count ? i : 2 * count - 1 - i;
		const struct report_cell *cell = report_find(blocks[k], series->label);
		if (cell == NULL || !report_ranked(cell))
			continue;
		text_html(out, "%c%.1f %.1f", command, at(x, values[k]),
		          at(y, i < count ? known(cell).low : known(cell).high));
		command = 'L';
	}
	text_put(out, "z\"/><path class=\"line\" d=\"");
	command = 'M';
	for (size_t k = 0; k < count; k++) {
		const struct report_cell *cell = report_find(blocks[k], series->label);
		if (cell == NULL || !report_ranked(cell))
			continue;
		text_html(out, "%c%.1f %.1f", command, at(x, values[k]), at(y, cell->rate));
		series->end_y = at(y, cell->rate);
		command = 'L';
	}
	text_put(out, "\"/>");
	for (size_t k = 0; k < count; k++) {
		const struct report_cell *cell = report_find(blocks[k], series->label);
		if (cell != NULL && report_ranked(cell))
			marker(out, at(x, values[k]), at(y, cell->rate), shape);
	}
	text_put(out, "</g>");
}

void plot_sweep(struct text *out, struct frame frame, const char *param, const struct report_block *const *blocks,
                const double *values, size_t count)
{
	enum { HEIGHT = 380, RIGHT = WIDTH - 150 };
	struct series series[SERIES_MAX], *order[SERIES_MAX];
	struct scale x = {.from = 70, .to = RIGHT}, y = {.from = HEIGHT - 50, .to = 20};
	size_t n = choose_series(blocks, count, series);
	double low = INFINITY, high = 0;
	char title[256], text[64];

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < count; k++) {
			const struct report_cell *cell = report_find(blocks[k], series[i].label);
			if (cell == NULL || !report_ranked(cell))
				continue;
			low = fmin(low, fmax(cell->interval.low, cell->rate / 3));
			high = fmax(high, fmin(cell->interval.high, cell->rate * 3));
			low = fmin(low, cell->rate);
			high = fmax(high, cell->rate);
		}
	if (n == 0)
		return;
	scale_fit(&x, values[0], values[count - 1]);
	scale_fit(&y, low, high);
	snprintf(title, sizeof title, "%s by %s", blocks[0]->scenario, param);
	begin(out, frame, WIDTH, HEIGHT, title,
	      "A line an implementation, with the 95 % interval of each median as a band. At most eight are drawn: ours, "
	      "and the fastest others. The tables below have the numbers of all.");
	text_put(out, "<path class=\"g\" d=\"");
	bool fine = y.high / y.low < 50;
	for (double v = next_mark(y.low, fine); v <= y.high; v = next_mark(v * 1.01, fine))
		text_html(out, "M70 %.1fH%d", at(&y, v), RIGHT);
	text_put(out, "\"/>");
	for (double v = next_mark(y.low, fine); v <= y.high; v = next_mark(v * 1.01, fine)) {
		format_count(v, text, sizeof text);
		label(out, 62, at(&y, v) + 4, "mute", "end", text);
	}
	for (size_t k = 0; k < count; k++) {
		plain_number(values[k], text, sizeof text);
		label(out, at(&x, values[k]), HEIGHT - 32, "mute", "middle", text);
	}
	snprintf(text, sizeof text, "%.40s, logarithmic", param);
	label(out, RIGHT, HEIGHT - 14, "mute", "end", text);
	snprintf(text, sizeof text, "%.40s a second, logarithmic",
	         blocks[0]->workload != NULL ? blocks[0]->workload->item : "items");
	label(out, 70, 12, "mute", "", text);
	for (size_t i = 0; i < n; i++) {
		sweep_series(out, &x, &y, blocks, values, count, &series[i], i);
		order[i] = &series[i];
	}
	/* Names at the ends of the lines, moved apart. */
	qsort(order, n, sizeof *order, by_end);
	double last = 0;
	for (size_t i = 0; i < n; i++) {
		double want = fmax(order[i]->end_y, last + 15);
		last = want;
		text_html(out, "<g class=\"%s\">", order[i]->class);
		marker(out, RIGHT + 22, want, (size_t)(order[i] - series));
		text_html(out, "<path class=\"ref\" d=\"M%d %.1fL%d %.1f\"/></g>", RIGHT, order[i]->end_y, RIGHT + 16,
		          want);
		snprintf(text, sizeof text, "%.18s", order[i]->label);
		label(out, RIGHT + 31, want + 4, "", "", text);
	}
	end(out, frame);
}

/* ------------------------------------------------------------------------------------------
 * Over commits, between two runs
 */

void plot_trend(struct text *out, const char *title, const struct trend_point *points, size_t count)
{
	struct scale y = {.from = 74, .to = 8};
	double low = INFINITY, high = 0, width = 230;
	char text[64], command = 'M';

	for (size_t i = 0; i < count; i++)
		if (!isnan(points[i].median)) {
			low = fmin(low, points[i].low);
			high = fmax(high, points[i].high);
		}
	if (!(high > 0))
		return;
	scale_fit(&y, fmax(low, high * 1e-6), high);
	double step = count > 1 ? (width - 12) / (double)(count - 1) : 0;
	text_html(
		out,
		"<svg viewBox=\"0 0 290 82\" role=\"img\" style=\"width:290px\"><title>%s</title><desc>Medians by commit, oldest at "
		"the left, with the spread of their trials; a dashed stroke marks a change.</desc><g class=\"own\"><path class=\"band\" d=\"",
		title);
	for (size_t i = 0; i < 2 * count; i++) {
		size_t k = i < count ? i : 2 * count - 1 - i;
		if (isnan(points[k].median))
			continue;
		text_html(out, "%c%.1f %.1f", command, 6 + step * (double)k,
		          at(&y, fmax(y.low, i < count ? points[k].low : points[k].high)));
		command = 'L';
	}
	text_put(out, "z\"/><path class=\"line\" d=\"");
	command = 'M';
	for (size_t i = 0; i < count; i++) {
		if (isnan(points[i].median)) {
			command = 'M';
			continue;
		}
		text_html(out, "%c%.1f %.1f", command, 6 + step * (double)i, at(&y, points[i].median));
		command = 'L';
	}
	text_put(out, "\"/><path class=\"dot\" d=\"");
	for (size_t i = 0; i < count; i++)
		if (!isnan(points[i].median))
			text_html(out, "M%.1f %.1fh.01", 6 + step * (double)i, at(&y, points[i].median));
	text_put(out, "\"/></g>");
	for (size_t i = 0; i < count; i++)
		if (points[i].step)
			text_html(out, "<path class=\"step\" d=\"M%.1f 2V80\"/>", 6 + step * ((double)i - 0.5));
	format_count(high, text, sizeof text);
	label(out, 236, 14, "mute", "", text);
	format_count(low, text, sizeof text);
	label(out, 236, 78, "mute", "", text);
	text_put(out, "</svg>");
}

void plot_forest(struct text *out, const struct forest_row *rows, size_t count)
{
	enum { NAMES = 330 };
	struct frame frame = {false};
	struct scale s = {.from = NAMES, .to = WIDTH + 60};
	double low = 0.9, high = 1.1, y = 30;
	char text[64];

	for (size_t i = 0; i < count; i++) {
		low = fmin(low, fmax(rows[i].interval.low, rows[i].ratio / 4));
		high = fmax(high, fmin(rows[i].interval.high, rows[i].ratio * 4));
	}
	scale_fit(&s, low, high);
	double bottom = y + 20 * (double)count - 4;
	begin(out, frame, WIDTH + 130, bottom + 40, "What changed from the one run to the other",
	      "One line a cell: the ratio of its medians with its 99 % interval; right of 1 the newer run is better. The table "
	      "below has the numbers.");
	axis(out, &s, 16, bottom, plain_number, "ratio, above 1 is better, logarithmic");
	text_html(out, "<path class=\"med\" d=\"M%.1f 16V%.0f\"/>", at(&s, 1), bottom);
	for (size_t i = 0; i < count; i++) {
		const struct forest_row *row = &rows[i];
		double from = at(&s, fmax(s.low, row->interval.low)), to = at(&s, fmin(s.high, row->interval.high));
		snprintf(text, sizeof text, "%.50s%s", row->label, strlen(row->label) > 50 ? "..." : "");
		label(out, NAMES - 10, y + 4, "", "end", text);
		bool slower = strcmp(row->word, "slower") == 0, faster = strcmp(row->word, "faster") == 0;
		text_html(out, "<g class=\"%s\"><path class=\"line\" d=\"M%.1f %.1fH%.1f\"/>",
		          slower   ? "thr"
		          : faster ? "tsk"
		                   : "s7",
		          from, y, to);
		marker(out, at(&s, row->ratio), y, slower ? 4 : faster ? 3 : 0);
		text_put(out, "</g>");
		label(out, WIDTH + 126, y + 4, "mute", "end", row->word);
		y += 20;
	}
	end(out, frame);
}

/* ------------------------------------------------------------------------------------------
 * The matrix
 */

void plot_matrix(struct text *out, struct frame frame, const char *const *scenarios, size_t scenario_count,
                 const char *const *labels, size_t label_count, const struct matrix_cell *cells)
{
	double cell = 96, width = LEFT + cell * (double)scenario_count + 10,
	       height = 44 + ROW * (double)label_count + 30;
	char text[64];

	begin(out, frame, width, height, "Scenarios by implementations",
	      "Each number is the ratio to the fastest correct implementation, the geometric mean over the cells of the "
	      "scenario; 1.00 is the fastest. A word stands where there is no number.");
	for (size_t k = 0; k < scenario_count; k++) {
		snprintf(text, sizeof text, "%.15s", scenarios[k]);
		label(out, LEFT + cell * ((double)k + 0.5), 20, "", "middle", text);
	}
	for (size_t i = 0; i < label_count; i++) {
		double y = 36 + ROW * (double)i;
		snprintf(text, sizeof text, "%.24s", labels[i]);
		label(out, LEFT - 10, y + 14, "", "end", text);
		for (size_t k = 0; k < scenario_count; k++) {
			const struct matrix_cell *c = &cells[i * scenario_count + k];
			double x = LEFT + cell * (double)k + 4;
			if (c->word == NULL) {
				label(out, x + cell / 2 - 4, y + 14, "mute", "middle", "-");
			} else if (isnan(c->ratio)) {
				snprintf(text, sizeof text, "\xe2\x9c\x97 %.12s", brief_verdict(c->word));
				label(out, x + cell / 2 - 4, y + 14, "bad", "middle", text);
			} else {
				text_html(out,
				          "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"17\"/>", x,
				          y + 1, (cell - 8) * fmin(1, c->ratio));
				snprintf(text, sizeof text, "%.*f%s", c->ratio < 0.0995 ? 3 : 2, c->ratio,
				         c->blocks < c->of ? "*" : "");
				label(out, x + cell / 2 - 4, y + 14, "", "middle", text);
			}
		}
	}
	label(out, width - 8, height - 8, "mute", "end",
	      "ratio to the fastest correct one; * not in all cells of the scenario");
	end(out, frame);
}
