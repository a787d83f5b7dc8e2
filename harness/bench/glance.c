/* SPDX-License-Identifier: MIT */
#include "harness/bench/glance.h"

#include "harness/bench/grid.h"
#include "harness/bench/summary.h"
#include "harness/bench/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 24 };

enum state { STATE_ABSENT, STATE_UNMEASURED, STATE_BROKEN, STATE_GOOD };

/* One place of the matrix. */
struct place {
	enum state state;
	char word[WORD]; /* of a broken one */
	double score;    /* more is better */
	struct interval interval;
	double ratio;       /* to the fastest correct one */
	size_t first, last; /* the rank */
};

/* One implementation. */
struct column {
	const struct impl_info *impl;
	char name[GRID_TEXT];
	bool shown;
	/* over all blocks, or over those of one kind */
	size_t firsts, cells, broken;
	double least, sum;
};

struct line {
	const struct block *block; /* NULL: nothing was measured in it */
	char label[160];
	char noise[32];
	bool at_limit;
	struct place *places; /* by column */
};

struct glance {
	const struct plan *plan;
	const struct screen *screen;
	json_t *cells;
	struct column *columns;
	size_t column_count;
	struct line *lines;
	size_t line_count;
	struct place *places;
};

/* ------------------------------------------------------------------------------------------
 * Reading
 */

/* "lost", "hung", "crashed": the first word of a verdict. */
static void put_word(char *word, const char *verdict)
{
	snprintf(word, WORD, "%.*s", (int)strcspn(verdict, " :(,"), verdict);
	if (word[0] == '\0' || strlen(word) > 10)
		snprintf(word, WORD, "BROKEN");
}

static bool read_place(const struct glance *g, const struct cell *cell, struct place *place)
{
	const struct block *block = &g->plan->blocks[cell->block];
	bool fixed = sweep_has(block->workload, PARAM_RATE) && block->params.v[PARAM_RATE] != 0;
	struct samples samples = {0};
	char name[1024];

	plan_name(g->plan, cell, name, sizeof name);
	json_t *rows = json_object_get(g->cells, name);
	*place = (struct place){.state = cell->lacks != NULL ? STATE_ABSENT : STATE_UNMEASURED,
	                        .score = NAN,
	                        .ratio = NAN,
	                        .interval = {NAN, NAN}};
	if (rows == NULL)
		return true;
	const char *verdict = summary_verdict(rows);
	if (strcmp(verdict, "ok") != 0) {
		place->state = STATE_BROKEN;
		put_word(place->word, verdict);
		return true;
	}
	bool complete = summary_samples(rows, fixed ? "p50_ns" : "items_per_second", &samples);
	double median = stats_median(&samples);
	if (complete && median > 0) {
		struct interval interval = stats_median_interval(&samples);
		place->state = STATE_GOOD;
		place->score = fixed ? 1 / median : median;
		place->interval = fixed ? (struct interval){1 / interval.high, 1 / interval.low} : interval;
	}
	samples_free(&samples);
	return complete;
}

/* With one process there is no interval, and nothing has been told apart. */
static bool is_below(const struct place *a, const struct place *b)
{
	return a->interval.high < b->interval.low;
}

static void rank(struct place *places, size_t count)
{
	double best = NAN;
	size_t good = 0;

	for (size_t i = 0; i < count; i++)
		if (places[i].state == STATE_GOOD) {
			best = fmax(best, places[i].score);
			good++;
		}
	for (size_t i = 0; i < count; i++) {
		struct place *place = &places[i];
		if (place->state != STATE_GOOD)
			continue;
		place->ratio = place->score / best;
		place->first = 1;
		place->last = good;
		for (size_t k = 0; k < count; k++) {
			if (places[k].state != STATE_GOOD)
				continue;
			place->first += is_below(place, &places[k]);
			place->last -= is_below(&places[k], place);
		}
	}
}

/* The scenario, and those of its parameters that are not the same in all of its blocks. */
static void put_line_label(const struct plan *plan, const struct block *block, char *text, size_t size)
{
	size_t n = (size_t)snprintf(text, size, "%s", block->workload->name);
	for (const struct workload_param *p = block->workload->params; p->param != PARAM_COUNT && n < size; p++) {
		char value[64];
		bool varies = false;
		for (size_t i = 0; i < plan->block_count; i++)
			varies |= plan->blocks[i].workload == block->workload &&
			          plan->blocks[i].params.v[p->param] != block->params.v[p->param];
		bool word = p->param == PARAM_MODE;
		/* Of "slow:0" and "rate:0" there is none. */
		if (!varies || (!word && block->params.v[p->param] == 0))
			continue;
		param_print(block->workload, p->param, block->params.v[p->param], value, sizeof value);
		n += word ? (size_t)snprintf(text + n, size - n, " %s", value)
		          : (size_t)snprintf(text + n, size - n, " %.4s:%s", param_name(p->param), value);
	}
}

static size_t column_of(const struct glance *g, const struct impl_info *impl)
{
	size_t i = 0;
	while (i < g->column_count && g->columns[i].impl != impl)
		i++;
	return i;
}

static bool read_line(struct glance *g, const struct block *block)
{
	struct line *line = &g->lines[g->line_count];
	struct place null = {.score = NAN}, again = {.score = NAN}, place;
	const struct impl_info *twin = NULL;
	bool any = false;

	*line = (struct line){.block = block, .places = g->places + g->line_count * g->column_count};
	for (size_t i = block->first; i < block->first + block->count; i++) {
		const struct cell *cell = &g->plan->cells[i];
		if (!read_place(g, cell, &place))
			return false;
		any |= place.state >= STATE_BROKEN;
		if (cell->control == CONTROL_NULL)
			null = place;
		else if (cell->control == CONTROL_AA)
			again = place, twin = cell->impl;
		else if (cell->control == CONTROL_NONE)
			line->places[column_of(g, cell->impl)] = place;
	}
	if (!any)
		return true;
	rank(line->places, g->column_count);
	put_line_label(g->plan, block, line->label, sizeof line->label);
	for (size_t i = 0; i < g->column_count; i++) {
		const struct place *of = &line->places[i];
		line->at_limit |= of->state == STATE_GOOD && null.state == STATE_GOOD && !is_below(of, &null) &&
		                  !isnan(of->interval.high);
		if (g->columns[i].impl == twin && of->state == STATE_GOOD && again.state == STATE_GOOD)
			snprintf(line->noise, sizeof line->noise, "%.0f %%",
			         100 * (exp(fabs(log(of->score / again.score))) - 1));
	}
	g->line_count++;
	return true;
}

static bool read_all(struct glance *g)
{
	const struct plan *plan = g->plan;

	for (size_t i = 0; i < plan->cell_count; i++) {
		const struct cell *cell = &plan->cells[i];
		if (cell->control != CONTROL_NONE || cell->impl == NULL || column_of(g, cell->impl) != g->column_count)
			continue;
		struct column *column = &g->columns[g->column_count++];
		column->impl = cell->impl;
		info_shown_name(cell->impl, column->name, sizeof column->name);
	}
	g->places = calloc(plan->block_count * g->column_count + 1, sizeof *g->places);
	if (g->places == NULL)
		return false;
	for (size_t i = 0; i < plan->block_count; i++)
		if (plan->blocks[i].workload != &limits && !read_line(g, &plan->blocks[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------------------------------
 * Who is best
 */

/* Counts over the lines of one kind; KIND_COUNT: over all. Returns how many lines that were. */
static size_t count_firsts(struct glance *g, enum kind kind)
{
	size_t lines = 0;

	for (size_t i = 0; i < g->column_count; i++) {
		struct column *c = &g->columns[i];
		c->firsts = c->cells = c->broken = 0;
		c->least = 1;
		c->sum = 0;
	}
	for (size_t i = 0; i < g->line_count; i++) {
		const struct line *line = &g->lines[i];
		if (kind != KIND_COUNT && line->block->kind != kind)
			continue;
		lines++;
		for (size_t k = 0; k < g->column_count; k++) {
			const struct place *place = &line->places[k];
			struct column *c = &g->columns[k];
			c->broken += place->state == STATE_BROKEN;
			if (place->state != STATE_GOOD)
				continue;
			c->cells++;
			c->firsts += place->first == 1;
			c->least = fmin(c->least, place->ratio);
			c->sum += place->ratio;
		}
	}
	return lines;
}

/* What is broken anywhere comes last: nobody should use it. */
static bool is_better(const struct column *a, const struct column *b)
{
	if ((a->broken != 0) != (b->broken != 0))
		return a->broken == 0;
	if (a->firsts != b->firsts)
		return a->firsts > b->firsts;
	if (a->least != b->least)
		return a->least > b->least;
	return a->sum > b->sum;
}

static size_t choose_columns(struct glance *g)
{
	size_t left = 0;

	count_firsts(g, KIND_COUNT);
	for (size_t i = 0; i < g->column_count; i++) {
		size_t better = 0;
		for (size_t k = 0; k < g->column_count; k++)
			better += g->columns[k].impl->peer && k != i &&
			          (is_better(&g->columns[k], &g->columns[i]) ||
			           (k < i && !is_better(&g->columns[i], &g->columns[k])));
		g->columns[i].shown = !g->columns[i].impl->peer || better < GLANCE_PEERS;
		left += !g->columns[i].shown;
	}
	return left;
}

/* ------------------------------------------------------------------------------------------
 * Printing
 */

static enum ink put_place(const struct place *place, char *text, size_t size)
{
	char span[48];
	switch (place->state) {
	case STATE_ABSENT:
		snprintf(text, size, "-");
		return INK_DIM;
	case STATE_UNMEASURED:
		snprintf(text, size, "?");
		return INK_DIM;
	case STATE_BROKEN:
		snprintf(text, size, "%s", place->word);
		return INK_BAD;
	default:
		snprintf(span, sizeof span, place->first == place->last ? "%zu" : "%zu-%zu", place->first, place->last);
		snprintf(text, size, place->ratio < 0.0995 ? "%.3f %4s" : "%.2f %4s", place->ratio, span);
		return place->first == 1 ? INK_GOOD : INK_NONE;
	}
}

static int label_width(const struct glance *g)
{
	size_t width = strlen("scenario");
	for (size_t i = 0; i < g->line_count; i++)
		width = strlen(g->lines[i].label) > width ? strlen(g->lines[i].label) : width;
	return (int)width + 2;
}

static int column_width(const struct glance *g, size_t column)
{
	size_t width = strlen(g->columns[column].name);
	for (size_t i = 0; i < g->line_count; i++) {
		char text[64];
		put_place(&g->lines[i].places[column], text, sizeof text);
		width = strlen(text) > width ? strlen(text) : width;
	}
	return (int)width + (g->screen->bars ? 2 : 0);
}

/* One of eight blocks, the higher the nearer to the best. */
static void print_bar(const struct screen *screen, const struct place *place)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	if (!screen->bars)
		return;
	if (place->state == STATE_GOOD)
		fprintf(screen->out, " %s", bars[(int)(place->ratio * 7.999)]);
	else
		fputs("  ", screen->out);
}

static void print_line(const struct glance *g, const struct line *line, size_t from, size_t to, int label)
{
	FILE *out = g->screen->out;

	fprintf(out, "  %-*s", label - 2, line->label);
	for (size_t i = from; i < to; i++) {
		char text[64];
		if (!g->columns[i].shown)
			continue;
		enum ink ink = put_place(&line->places[i], text, sizeof text);
		int width = column_width(g, i) - (g->screen->bars ? 2 : 0);
		fprintf(out, "  %*s", width - (int)strlen(text), "");
		screen_ink(g->screen, ink);
		fputs(text, out);
		print_bar(g->screen, &line->places[i]);
		screen_ink(g->screen, INK_NONE);
	}
	fprintf(out, "  %6s%s\n", line->noise, line->at_limit ? " *" : "");
}

/* As many columns as the screen has room for; those that are left follow below. */
static size_t print_part(const struct glance *g, size_t from)
{
	FILE *out = g->screen->out;
	int label = label_width(g), used = label + 8 + 2;
	size_t to = from;

	for (; to < g->column_count; to++) {
		if (!g->columns[to].shown)
			continue;
		int width = 2 + column_width(g, to);
		if (used + width > g->screen->columns && used > label + 10)
			break;
		used += width;
	}
	screen_ink(g->screen, INK_BOLD);
	fprintf(out, "  %-*s", label - 2, "scenario");
	for (size_t i = from; i < to; i++)
		if (g->columns[i].shown)
			fprintf(out, "  %*s%s", column_width(g, i) - (g->screen->bars ? 2 : 0), g->columns[i].name,
			        g->screen->bars ? "  " : "");
	fprintf(out, "  %6s", "noise");
	screen_ink(g->screen, INK_NONE);
	fputc('\n', out);
	for (size_t i = 0; i < g->line_count; i++)
		print_line(g, &g->lines[i], from, to, label);
	return to;
}

static bool any_shown(const struct glance *g, size_t from)
{
	while (from < g->column_count && !g->columns[from].shown)
		from++;
	return from < g->column_count;
}

static void print_matrix(struct glance *g)
{
	size_t left = choose_columns(g);
	bool limit = false;

	fputc('\n', g->screen->out);
	screen_ink(g->screen, INK_BOLD);
	fputs("At a glance", g->screen->out);
	screen_ink(g->screen, INK_NONE);
	fputc('\n', g->screen->out);
	screen_prose(g->screen, 0, 0,
	             "Ratio to the fastest correct one (1.00), and the rank: a range such as 1-3 where the 95 % "
	             "intervals overlap. '-' is not offered. Noise: what one implementation differs from itself by.");
	for (size_t from = 0; any_shown(g, from);)
		from = print_part(g, from);
	for (size_t i = 0; i < g->line_count; i++)
		limit |= g->lines[i].at_limit;
	if (limit)
		screen_prose(g->screen, 2, 2,
		             "* at the limit: the best is not told apart from the harness alone (null).");
	if (left != 0) {
		char text[128];
		snprintf(text, sizeof text, "%zu more peers are in the blocks above: here are the best %d, and ours.",
		         left, GLANCE_PEERS);
		screen_prose(g->screen, 2, 2, text);
	}
}

static size_t next_best(const struct glance *g, const bool *taken)
{
	size_t best = g->column_count;
	for (size_t i = 0; i < g->column_count; i++)
		if (!taken[i] && g->columns[i].cells != 0 && g->columns[i].broken == 0 &&
		    (best == g->column_count || is_better(&g->columns[i], &g->columns[best])))
			best = i;
	return best;
}

/* "mpsc: vyukov (first in 9 of 14 cells, never below 0.80); then futex (...)" */
static bool conclude(struct glance *g, enum kind kind)
{
	char text[2048];
	size_t lines = count_firsts(g, kind), n;
	bool *taken = calloc(g->column_count + 1, sizeof *taken);

	if (taken == NULL)
		return false;
	n = (size_t)snprintf(text, sizeof text, "%s:", kind_names[kind]);
	for (size_t place = 0; place < 2 && lines != 0; place++) {
		size_t best = next_best(g, taken);
		if (best == g->column_count) {
			n += (size_t)snprintf(text + n, sizeof text - n,
			                      place == 0 ? " none that is correct" : "; there is no other");
			break;
		}
		const struct column *c = &g->columns[best];
		taken[best] = true;
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s (first in %zu of %zu %s, never below %.*f",
		                      place == 0 ? " " : "; then ", c->name, c->firsts, lines,
		                      lines == 1 ? "cell" : "cells", c->least < 0.0995 ? 3 : 2, c->least);
		if (c->cells < lines)
			n += (size_t)snprintf(text + n, sizeof text - n, "; %zu without it", lines - c->cells);
		n += (size_t)snprintf(text + n, sizeof text - n, ")");
	}
	for (size_t i = 0; i < g->column_count && n < sizeof text - 128; i++)
		if (g->columns[i].broken != 0)
			n += (size_t)snprintf(text + n, sizeof text - n, "; BROKEN in %zu: %s", g->columns[i].broken,
			                      g->columns[i].name);
	free(taken);
	if (lines != 0)
		screen_prose(g->screen, 2, 4, text);
	return true;
}

bool glance_print(const struct plan *plan, json_t *rows, const struct screen *screen)
{
	struct glance g = {.plan = plan,
	                   .screen = screen,
	                   .cells = summary_by_cell(rows),
	                   .columns = calloc(plan->cell_count + 1, sizeof *g.columns),
	                   .lines = calloc(plan->block_count + 1, sizeof *g.lines)};
	bool complete = g.cells != NULL && g.columns != NULL && g.lines != NULL && read_all(&g);

	if (complete && g.line_count != 0) {
		print_matrix(&g);
		fputs("\nConclusions ('first' is also what was not told apart from it)\n", screen->out);
		for (enum kind kind = 0; kind < KIND_COUNT && complete; kind++)
			complete = conclude(&g, kind);
	}
	json_decref(g.cells);
	free(g.columns);
	free(g.lines);
	free(g.places);
	return complete;
}
