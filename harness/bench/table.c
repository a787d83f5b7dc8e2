/* SPDX-License-Identifier: MIT */
#include "harness/bench/table.h"

#include "harness/bench/grid.h"
#include "harness/bench/summary.h"
#include "harness/bench/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Longer verdicts stand below the table. */
enum { VERDICT_MAX = 36 };

/* One row before it is text. */
struct line {
	const struct cell *cell;
	json_t *rows; /* NULL: nothing was measured */
	const char *verdict;
	struct interval interval; /* of the rate */
	double rate;              /* median; NaN: none */
	/* what it is sorted and compared by: the rate; where that is fixed, one over the median
	 * latency */
	double score;
};

/* The lines of one table. */
struct lines {
	const struct plan *plan;
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
	{"ctx_switches_per_item", "switches", "1"},
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
	struct interval interval = line->interval;
	format_count(line->rate, texts[2], GRID_TEXT);
	format_range(interval.low, interval.high, texts[3], GRID_TEXT);
	if (!isnan(line->score) && line->cell->control == CONTROL_NONE)
		snprintf(texts[4], GRID_TEXT, "%.*f", line->score / best < 0.0995 ? 3 : 2, line->score / best);
}

static const char *limit_name(const struct plan *plan, const struct cell *cell)
{
	return limits.modes[plan->blocks[cell->block].params.v[PARAM_MODE]];
}

static void put_label(char *text, const struct plan *plan, const struct cell *cell)
{
	if (cell->control == CONTROL_NULL) {
		snprintf(text, GRID_TEXT, "null (floor)");
		return;
	}
	if (cell->control == CONTROL_LIMIT) {
		snprintf(text, GRID_TEXT, "%s (limit)", limit_name(plan, cell));
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

static bool print_grid(const struct plan *plan, const struct block *block, const struct lines *lines,
                       const struct screen *screen)
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
	grid_column(&grid, "of best", false);
	for (const struct figure *f = common; f->member != NULL; f++)
		grid_column(&grid, f->title, false);
	for (const struct figure *f = block->workload->figures; f != NULL && f->member != NULL; f++)
		grid_column(&grid, f->title, false);

	for (size_t i = 0; i < lines->count; i++)
		if (lines->of[i].cell->control == CONTROL_NONE)
			best = fmax(best, lines->of[i].score);
	for (size_t i = 0; i < lines->count; i++) {
		size_t column = 5;
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
	grid_print(&grid, screen->out, 2, screen->columns);
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
static void print_peers(const struct lines *lines, const struct screen *screen)
{
	struct list_of list = {"peers: ", 0, screen->columns};

	for (size_t i = 0; i < lines->count; i++) {
		const struct impl_info *info = lines->of[i].cell->impl;
		char name[64], text[256];
		if (info == NULL || !info->peer || lines->of[i].cell->control != CONTROL_NONE ||
		    isnan(lines->of[i].rate))
			continue;
		info_shown_name(info, name, sizeof name);
		snprintf(text, sizeof text, "%s (%s)", name, info->package);
		list_word(&list, text, screen->out);
	}
	list_end(&list, screen->out);
}

/* Who cannot take part, by what is missing. */
static void print_lacking(const struct lines *lines, const struct screen *screen)
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
		struct list_of list = {title, 0, screen->columns};
		for (size_t k = i; k < lines->count; k++) {
			char name[GRID_TEXT];
			if (lines->of[k].cell->lacks == NULL || strcmp(lines->of[k].cell->lacks, lacks) != 0)
				continue;
			info_shown_name(lines->of[k].cell->impl, name, GRID_TEXT);
			list_word(&list, name, screen->out);
		}
		list_end(&list, screen->out);
	}
}

static void print_notes(const struct lines *lines, const struct screen *screen)
{
	size_t notes = 0;
	const struct line *again = NULL, *first = NULL;
	bool hung = false;

	for (size_t i = 0; i < lines->count; i++) {
		if (lines->of[i].rows != NULL && strlen(lines->of[i].verdict) > VERDICT_MAX)
			fprintf(screen->out, "  [%zu] %s\n", ++notes, lines->of[i].verdict);
		hung |= strncmp(lines->of[i].verdict, "hung", 4) == 0;
		if (lines->of[i].cell->control == CONTROL_AA)
			again = &lines->of[i];
	}
	if (hung)
		screen_prose(screen, 2, 4,
		             "hung: a call never returned: a wake-up was lost, or a message was and is waited for; "
		             "'chanbench check' tells more");
	for (size_t i = 0; i < lines->count && again != NULL; i++)
		if (lines->of[i].cell->impl == again->cell->impl && lines->of[i].cell->control == CONTROL_NONE)
			first = &lines->of[i];
	if (first != NULL && !isnan(first->score) && !isnan(again->score))
		fprintf(screen->out, "  noise: %s against itself differs by %.1f %%\n", first->cell->impl->name,
		        100 * (exp(fabs(log(first->score / again->score))) - 1));
}

/* The fastest is not told apart from what bounds it: the harness without a channel, or, where
 * messages go one by one, the plainest ring. */
static void print_at_limit(const struct block *block, const struct lines *own, const struct lines *limit_lines,
                           const struct screen *screen)
{
	const struct line *best = NULL;
	const char *limit = NULL;
	bool messages = strcmp(block->workload->item, "messages") == 0 &&
	                !(sweep_has(block->workload, PARAM_BATCH) && block->params.v[PARAM_BATCH] > 1);

	if (sweep_has(block->workload, PARAM_RATE) && block->params.v[PARAM_RATE] != 0)
		return;
	for (size_t i = 0; i < own->count; i++)
		if (own->of[i].cell->control == CONTROL_NONE && !isnan(own->of[i].rate) &&
		    (best == NULL || own->of[i].rate > best->rate))
			best = &own->of[i];
	for (size_t i = 0; i < limit_lines->count && best != NULL && messages; i++)
		if (strcmp(limit_name(limit_lines->plan, limit_lines->of[i].cell), "ring") == 0 &&
		    best->interval.high >= limit_lines->of[i].interval.low)
			limit = "ring";
	for (size_t i = 0; i < own->count && best != NULL; i++)
		if (own->of[i].cell->control == CONTROL_NULL && best->interval.high >= own->of[i].interval.low)
			limit = "null";
	if (limit != NULL)
		fprintf(screen->out, "  at the limit: the fastest is not told apart from '%s', or is above it\n",
		        limit);
}

static void print_title(const struct block *block, const struct screen *screen)
{
	char params[512], text[1024];
	plan_params(block, ' ', params, sizeof params);
	fputc('\n', screen->out);
	snprintf(text, sizeof text, block->presets[0] != '\0' ? "%s  %s (preset %s)" : "%s  %s", block->workload->name,
	         params, block->presets);
	screen_ink(screen, INK_BOLD);
	screen_prose(screen, 0, 2, text);
	screen_ink(screen, INK_NONE);
}

/* The line of one cell; `*good` becomes false where its verdict is bad and counts. False: out of
 * memory. */
static bool read_line(const struct plan *plan, const struct cell *cell, json_t *cells, struct line *line, bool *good)
{
	const struct block *block = &plan->blocks[cell->block];
	bool fixed = sweep_has(block->workload, PARAM_RATE) && block->params.v[PARAM_RATE] != 0;
	struct samples rates = {0};
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
		complete = summary_samples(line->rows, "items_per_second", &rates);
	line->rate = stats_median(&rates);
	line->interval = stats_median_interval(&rates);
	samples_free(&rates);
	line->score = fixed && !isnan(line->rate) ? 1 / summary_median(line->rows, "p50_ns") : line->rate;
	return complete;
}

/* The limits, which stand once before all tables. */
static bool read_limits(const struct plan *plan, json_t *cells, struct lines *limit_lines, bool *good)
{
	bool complete = true;

	*limit_lines = (struct lines){.plan = plan, .of = calloc(plan->cell_count + 1, sizeof(struct line))};
	if (limit_lines->of == NULL)
		return false;
	for (size_t i = 0; i < plan->cell_count && complete; i++)
		if (plan->cells[i].control == CONTROL_LIMIT)
			complete =
				read_line(plan, &plan->cells[i], cells, &limit_lines->of[limit_lines->count++], good);
	return complete;
}

static bool print_block(const struct plan *plan, const struct block *block, const struct lines *limit_lines,
                        json_t *cells, const struct screen *screen, bool *good)
{
	struct lines own = {.of = calloc(block->count + 1, sizeof(struct line))};
	bool any = false, complete = own.of != NULL;

	for (size_t i = 0; i < block->count && complete; i++) {
		complete = read_line(plan, &plan->cells[block->first + i], cells, &own.of[own.count++], good);
		any |= own.of[i].rows != NULL;
	}
	if (complete && any) {
		qsort(own.of, own.count, sizeof *own.of, by_score);
		print_title(block, screen);
		complete = print_grid(plan, block, &own, screen);
		print_notes(&own, screen);
		print_at_limit(block, &own, limit_lines, screen);
		print_lacking(&own, screen);
		print_peers(&own, screen);
	}
	free(own.of);
	return complete;
}

bool table_print(const struct plan *plan, json_t *rows, const struct screen *screen)
{
	json_t *cells = summary_by_cell(rows);
	struct lines limit_lines = {.of = NULL};
	bool good = true, complete = cells != NULL && read_limits(plan, cells, &limit_lines, &good), any = false;

	for (size_t i = 0; i < limit_lines.count; i++)
		any |= limit_lines.of[i].rows != NULL;
	for (size_t i = 0; i < plan->block_count && complete && any; i++) {
		if (plan->blocks[i].workload != &limits)
			continue;
		fputs("\nlimits: what two threads do here without a channel\n", screen->out);
		complete = print_grid(plan, &plan->blocks[i], &limit_lines, screen);
		print_notes(&limit_lines, screen);
		break;
	}
	for (size_t i = 0; i < plan->block_count && complete; i++)
		if (plan->blocks[i].workload != &limits)
			complete = print_block(plan, &plan->blocks[i], &limit_lines, cells, screen, &good);
	free(limit_lines.of);
	if (!complete)
		fputs("out of memory: the table is not complete\n", screen->out);
	json_decref(cells);
	return good && complete;
}
