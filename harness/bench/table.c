/* SPDX-License-Identifier: MIT */
#include "harness/bench/table.h"

#include "harness/bench/grid.h"
#include "harness/bench/summary.h"
#include "harness/bench/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* Longer verdicts stand below the table. */
enum { VERDICT_MAX = 36, LINE_COLUMNS = 150, LINE_COLUMNS_MIN = 60 };

/* One row before it is text. */
struct line {
	const struct cell *cell;
	json_t *rows; /* NULL: nothing was measured */
	const char *verdict;
	struct samples rates;
	double rate; /* median; NaN: none */
	/* what it is sorted and compared by: the rate; where that is fixed, one over the median
	 * latency */
	double score;
};

/* The lines of one table: those of a block, and the limits. */
struct lines {
	struct line *of;
	size_t count;
};

static int by_score(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	if (x->cell->control != y->cell->control) /* controls last, in their order */
		return x->cell->control < y->cell->control ? -1 : 1;
	if (isnan(x->score) != isnan(y->score))
		return isnan(x->score) ? 1 : -1;
	if (!isnan(x->score) && x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->cell < y->cell ? -1 : x->cell > y->cell;
}

/* Columns that every scenario can have, after those of the rate. */
static const struct figure common[] = {
	{"cpu_ns_per_item", "CPU/item", "ns"},
	{"ctx_switches_per_item", "switches/item", "1"},
	{"p50_ns", "latency p50", "ns"},
	{"p99_ns", "p99", "ns"},
	{"p999_ns", "p99.9", "ns"},
	{"max_ns", "max", "ns"},
	{"bytes_per_channel", "bytes/channel", "1"},
	{"true_capacity", "true capacity", "exact"},
	{NULL, NULL, NULL},
};

static void put_figures(char (*texts)[GRID_TEXT], size_t *column, const struct figure *figures, const struct line *line)
{
	for (const struct figure *f = figures; f != NULL && f->member != NULL && *column < GRID_COLUMNS; f++) {
		double value = line->rows != NULL ? summary_median(line->rows, f->member) : NAN;
		if (strcmp(f->unit, "ns") == 0)
			format_ns(value, texts[(*column)++], GRID_TEXT);
		else if (strcmp(f->unit, "exact") == 0)
			format_exact(value, texts[(*column)++], GRID_TEXT);
		else if (strcmp(f->unit, "ratio") == 0)
			format_percent(value, texts[(*column)++], GRID_TEXT);
		else
			format_count(value, texts[(*column)++], GRID_TEXT);
	}
}

static void put_rates(char (*texts)[GRID_TEXT], const struct line *line, double best)
{
	struct interval interval = stats_median_interval(&line->rates);
	format_count(line->rate, texts[2], GRID_TEXT);
	format_range(interval.low, interval.high, texts[3], GRID_TEXT);
	format_range(stats_min(&line->rates), stats_max(&line->rates), texts[4], GRID_TEXT);
	if (!isnan(line->score) && line->cell->control == CONTROL_NONE)
		snprintf(texts[5], GRID_TEXT, "%.*f", line->score / best < 0.0995 ? 3 : 2, line->score / best);
}

static void put_label(char *text, const struct plan *plan, const struct cell *cell)
{
	if (cell->control == CONTROL_NULL) {
		snprintf(text, GRID_TEXT, "null (floor)");
		return;
	}
	if (cell->control == CONTROL_LIMIT) {
		snprintf(text, GRID_TEXT, "%s (limit)", limits.modes[plan->blocks[cell->block].params.v[PARAM_MODE]]);
		return;
	}
	info_shown_name(cell->impl, text, GRID_TEXT);
	if (cell->control == CONTROL_AA)
		strncat(text, " (again)", GRID_TEXT - 1 - strlen(text));
}

static void put_verdict(char *text, const struct line *line, size_t *notes)
{
	bool saturated = line->rows != NULL && summary_median(line->rows, "saturated") > 0;
	if (line->rows == NULL)
		snprintf(text, GRID_TEXT, "not measured");
	else if (strlen(line->verdict) > VERDICT_MAX)
		snprintf(text, GRID_TEXT, "BROKEN [%zu]", ++*notes);
	else if (strcmp(line->verdict, "ok") != 0)
		snprintf(text, GRID_TEXT, "%s", line->verdict);
	else
		snprintf(text, GRID_TEXT, saturated ? "ok, saturated" : "ok");
}

/* What fits on the terminal; on paper, and elsewhere, a line may be long. */
static int line_columns(FILE *out)
{
	struct winsize window = {.ws_col = 0};
	if (ioctl(fileno(out), TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_col > LINE_COLUMNS)
		return LINE_COLUMNS;
	return window.ws_col > LINE_COLUMNS_MIN ? window.ws_col : LINE_COLUMNS_MIN;
}

static bool print_grid(const struct plan *plan, const struct block *block, const struct lines *lines, FILE *out)
{
	struct grid grid = {.rows = NULL};
	char title[GRID_TEXT];
	size_t notes = 0;
	double best = NAN;

	grid_column(&grid, "implementation", true);
	grid_column(&grid, "verdict", true);
	snprintf(title, sizeof title, "%.48s/s", block->workload->item);
	grid_column(&grid, title, false);
	grid_column(&grid, "95 % interval", false);
	grid_column(&grid, "min .. max", false);
	grid_column(&grid, "of best", false);
	for (const struct figure *f = common; f->member != NULL; f++)
		grid_column(&grid, f->title, false);
	for (const struct figure *f = block->workload->figures; f != NULL && f->member != NULL; f++)
		grid_column(&grid, f->title, false);

	for (size_t i = 0; i < lines->count; i++)
		if (lines->of[i].cell->control == CONTROL_NONE)
			best = fmax(best, lines->of[i].score);
	for (size_t i = 0; i < lines->count; i++) {
		size_t column = 6;
		if (lines->of[i].cell->lacks != NULL)
			continue; /* print_lacking */
		char(*texts)[GRID_TEXT] = grid_row(&grid);
		if (texts == NULL) {
			grid_close(&grid);
			return false;
		}
		put_label(texts[0], plan, lines->of[i].cell);
		put_verdict(texts[1], &lines->of[i], &notes);
		if (isnan(lines->of[i].rate))
			continue;
		put_rates(texts, &lines->of[i], best);
		put_figures(texts, &column, common, &lines->of[i]);
		put_figures(texts, &column, block->workload->figures, &lines->of[i]);
	}
	grid_print(&grid, out, 2, line_columns(out));
	grid_close(&grid);
	return true;
}

/* A list of words after a title, folded at the line's end. */
struct list_of {
	const char *title;
	int column, limit;
};

static void list_word(struct list_of *list, const char *word, FILE *out)
{
	int indent = (int)strlen(list->title) + 2;

	if (list->column == 0)
		list->column = fprintf(out, "  %s", list->title);
	else if (list->column + (int)strlen(word) + 3 > list->limit)
		list->column = fprintf(out, ",\n%*s", indent, "") - 2;
	else
		list->column += fprintf(out, ", ");
	list->column += fprintf(out, "%s", word);
}

static void list_end(const struct list_of *list, FILE *out)
{
	if (list->column != 0)
		fputc('\n', out);
}

/* Whose they are, and which version was measured. */
static void print_peers(const struct lines *lines, FILE *out)
{
	struct list_of list = {"peers: ", 0, line_columns(out)};

	for (size_t i = 0; i < lines->count; i++) {
		const struct impl_info *info = lines->of[i].cell->impl;
		char name[64], text[256];
		if (info == NULL || !info->peer || lines->of[i].cell->control != CONTROL_NONE ||
		    isnan(lines->of[i].rate))
			continue;
		info_shown_name(info, name, sizeof name);
		snprintf(text, sizeof text, "%s (%s)", name, info->package);
		list_word(&list, text, out);
	}
	list_end(&list, out);
}

/* Who cannot take part, by what is missing. */
static void print_lacking(const struct lines *lines, FILE *out)
{
	for (size_t i = 0; i < lines->count; i++) {
		const char *lacks = lines->of[i].cell->lacks;
		char title[96];
		bool said = lacks == NULL;
		for (size_t k = 0; k < i && !said; k++)
			said = lines->of[k].cell->lacks != NULL && strcmp(lines->of[k].cell->lacks, lacks) == 0;
		if (said)
			continue;
		snprintf(title, sizeof title, "no %.80s: ", lacks);
		struct list_of list = {title, 0, line_columns(out)};
		for (size_t k = i; k < lines->count; k++) {
			char name[GRID_TEXT];
			if (lines->of[k].cell->lacks == NULL || strcmp(lines->of[k].cell->lacks, lacks) != 0)
				continue;
			info_shown_name(lines->of[k].cell->impl, name, GRID_TEXT);
			list_word(&list, name, out);
		}
		list_end(&list, out);
	}
}

static void print_notes(const struct lines *lines, FILE *out)
{
	size_t notes = 0;
	const struct line *again = NULL, *first = NULL;
	bool hung = false;

	for (size_t i = 0; i < lines->count; i++) {
		if (lines->of[i].rows != NULL && strlen(lines->of[i].verdict) > VERDICT_MAX)
			fprintf(out, "  [%zu] %s\n", ++notes, lines->of[i].verdict);
		hung |= strncmp(lines->of[i].verdict, "hung", 4) == 0;
		if (lines->of[i].cell->control == CONTROL_AA)
			again = &lines->of[i];
	}
	if (hung)
		fputs("  hung: a call never returned: a wake-up was lost, or a message was and is waited for; "
		      "'chanbench check' "
		      "tells more\n",
		      out);
	for (size_t i = 0; i < lines->count && again != NULL; i++)
		if (lines->of[i].cell->impl == again->cell->impl && lines->of[i].cell->control == CONTROL_NONE)
			first = &lines->of[i];
	if (first != NULL && !isnan(first->score) && !isnan(again->score))
		fprintf(out, "  noise: %s against itself differs by %.1f %%\n", first->cell->impl->name,
		        100 * (exp(fabs(log(first->score / again->score))) - 1));
}

static void print_title(const struct block *block, FILE *out)
{
	char params[512];
	plan_params(block, ' ', params, sizeof params);
	fprintf(out, "\n%s  %s", block->workload->name, params);
	if (block->presets[0] != '\0')
		fprintf(out, "  (preset %s)", block->presets);
	fputc('\n', out);
}

/* The line of one cell; `*good` becomes false where its verdict is bad and counts. False: out of
 * memory. */
static bool read_line(const struct plan *plan, const struct cell *cell, json_t *cells, struct line *line, bool *good)
{
	const struct block *block = &plan->blocks[cell->block];
	bool fixed = sweep_has(block->workload, PARAM_RATE) && block->params.v[PARAM_RATE] != 0;
	bool complete = true;
	char name[1024];

	plan_name(plan, cell, name, sizeof name);
	*line = (struct line){
		.cell = cell, .rows = json_object_get(cells, name), .verdict = "ok", .rate = NAN, .score = NAN};
	if (line->rows == NULL)
		return true;
	line->verdict = summary_verdict(line->rows);
	/* One broken trial, and the cell has no number: who knows what the others left out to be
	 * so fast. */
	bool broken = strcmp(line->verdict, "ok") != 0;
	if (broken && (cell->impl == NULL || !cell->impl->peer || plan->strict_peers))
		*good = false;
	if (!broken)
		complete = summary_samples(line->rows, "items_per_second", &line->rates);
	line->rate = stats_median(&line->rates);
	line->score = fixed && !isnan(line->rate) ? 1 / summary_median(line->rows, "p50_ns") : line->rate;
	return complete;
}

static void free_lines(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		samples_free(&lines->of[i].rates);
	free(lines->of);
}

/* The limits, whose lines stand in every table. */
static bool read_limits(const struct plan *plan, json_t *cells, struct lines *limit_lines, bool *good)
{
	bool complete = true;

	*limit_lines = (struct lines){.of = calloc(plan->cell_count + 1, sizeof(struct line))};
	if (limit_lines->of == NULL)
		return false;
	for (size_t i = 0; i < plan->cell_count && complete; i++)
		if (plan->cells[i].control == CONTROL_LIMIT)
			complete =
				read_line(plan, &plan->cells[i], cells, &limit_lines->of[limit_lines->count++], good);
	return complete;
}

static bool print_block(const struct plan *plan, const struct block *block, const struct lines *limit_lines,
                        json_t *cells, FILE *out, bool *good)
{
	struct lines own = {.of = calloc(block->count + 1, sizeof(struct line))};
	struct lines all = {.of = calloc(block->count + limit_lines->count + 1, sizeof(struct line))};
	bool any = false, complete = own.of != NULL && all.of != NULL;

	for (size_t i = 0; i < block->count && complete; i++) {
		complete = read_line(plan, &plan->cells[block->first + i], cells, &own.of[own.count++], good);
		any |= own.of[i].rows != NULL;
	}
	if (complete && any) {
		memcpy(all.of, own.of, own.count * sizeof *all.of);
		memcpy(all.of + own.count, limit_lines->of, limit_lines->count * sizeof *all.of);
		all.count = own.count + limit_lines->count;
		qsort(all.of, all.count, sizeof *all.of, by_score);
		print_title(block, out);
		complete = print_grid(plan, block, &all, out);
		print_notes(&all, out);
		print_lacking(&all, out);
		print_peers(&all, out);
	}
	free(all.of); /* what they point to is the others' */
	free_lines(&own);
	return complete;
}

bool table_print(const struct plan *plan, json_t *rows, FILE *out)
{
	json_t *cells = summary_by_cell(rows);
	struct lines limit_lines = {.of = NULL};
	bool good = true, complete = cells != NULL && read_limits(plan, cells, &limit_lines, &good);

	for (size_t i = 0; i < plan->block_count && complete; i++)
		if (plan->blocks[i].workload != &limits)
			complete = print_block(plan, &plan->blocks[i], &limit_lines, cells, out, &good);
	if (limit_lines.count == plan->cell_count && complete) { /* nothing but them */
		fprintf(out, "\n%s\n", limits.name);
		complete = print_grid(plan, &plan->blocks[0], &limit_lines, out);
		print_notes(&limit_lines, out);
	}
	free_lines(&limit_lines);
	if (!complete)
		fputs("out of memory: the table is not complete\n", out);
	json_decref(cells);
	return good && complete;
}
