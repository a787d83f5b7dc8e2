/* SPDX-License-Identifier: MIT */
#include "harness/bench/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t grid_column(struct grid *grid, const char *title, bool left)
{
	if (grid->column_count < GRID_COLUMNS)
		grid->column_count++;
	size_t i = grid->column_count - 1;
	snprintf(grid->columns[i].title, GRID_TEXT, "%s", title);
	grid->columns[i].left = left;
	return i;
}

char (*grid_row(struct grid *grid))[GRID_TEXT]
{
	void *rows = realloc(grid->rows, (grid->row_count + 1) * sizeof *grid->rows);
	if (rows == NULL)
		return NULL;
	grid->rows = rows;
	memset(grid->rows[grid->row_count], 0, sizeof *grid->rows);
	return grid->rows[grid->row_count++];
}

static int width_of(const struct grid *grid, size_t column)
{
	size_t width = 0;
	for (size_t i = 0; i < grid->row_count; i++)
		if (strlen(grid->rows[i][column]) > width)
			width = strlen(grid->rows[i][column]);
	if (width != 0 && strlen(grid->columns[column].title) > width)
		width = strlen(grid->columns[column].title);
	return (int)width;
}

static bool anything_between(const struct grid *grid, size_t row, size_t from, size_t to)
{
	while (from < to && grid->rows[row][from][0] == '\0')
		from++;
	return from < to;
}

/* Prints the first column, and those from `from` on that fit; returns the first that did not.
 * Below what stands already, rows that have nothing to add are left out. */
static size_t print_part(const struct grid *grid, FILE *out, int indent, size_t from, int limit)
{
	size_t to = from;
	int used = indent + width_of(grid, 0), shown = 0;

	while (to < grid->column_count) {
		int width = width_of(grid, to);
		if (width != 0 && used + width + 2 > limit && shown != 0)
			break;
		used += width != 0 ? width + 2 : 0;
		shown += width != 0;
		to++;
	}
	for (size_t row = 0; row <= grid->row_count; row++) {
		char line[GRID_COLUMNS * (GRID_TEXT + 2) + 1];
		size_t n = 0;
		if (row != 0 && from > 1 && !anything_between(grid, row - 1, from, to))
			continue;
		for (size_t i = 0; i < to; i = i == 0 && from > 0 ? from : i + 1) {
			const char *text = row == 0 ? grid->columns[i].title : grid->rows[row - 1][i];
			int width = width_of(grid, i);
			if (width != 0)
				n += (size_t)snprintf(line + n, sizeof line - n, "%s%*s", n == 0 ? "" : "  ",
				                      grid->columns[i].left ? -width : width, text);
		}
		while (n > 0 && line[n - 1] == ' ')
			n--;
		fprintf(out, "%*s%.*s\n", indent, "", (int)n, line);
	}
	return to;
}

static bool anything_from(const struct grid *grid, size_t from)
{
	while (from < grid->column_count && width_of(grid, from) == 0)
		from++;
	return from < grid->column_count;
}

void grid_print(const struct grid *grid, FILE *out, int indent, int limit)
{
	size_t from = 1;
	do
		from = print_part(grid, out, indent, from, limit);
	while (anything_from(grid, from));
}

void grid_close(struct grid *grid)
{
	free(grid->rows);
	*grid = (struct grid){.rows = NULL};
}

/* Three digits of a number of at least 0 and, after rounding, below 1000 (or of any below 1). */
static void three_digits(double value, char *text, size_t size)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	if (value > 0 && value < 0.0005)
		snprintf(text, size, "<0.001");
	else if (value > 0 && value < 0.0995)
		snprintf(text, size, "%.3f", value);
	else if (value == 0)
		snprintf(text, size, "0");
	else
		snprintf(text, size, "%.*f", decimals, value);
}

/* The power of 1000 that leaves three digits before the point at most. */
static int thousands(double value)
{
	int power = 0;
	for (; value >= 999.5 && power < 4; power++)
		value /= 1000;
	return power;
}

static const char *const counts[] = {"", " k", " M", " G", " T"};
static const char *const times[] = {" ns", " us", " ms", " s", " ks"};

static void scaled(double value, const char *const *units, char *text, size_t size)
{
	char digits[32];
	int power = thousands(value);
	text[0] = '\0';
	if (!isfinite(value))
		return;
	if (power == 0 && value >= 1 && value == floor(value))
		snprintf(digits, sizeof digits, "%.0f", value);
	else
		three_digits(value / pow(1000, power), digits, sizeof digits);
	snprintf(text, size, "%s%s", digits, units[power]);
}

void format_count(double value, char *text, size_t size)
{
	scaled(value, counts, text, size);
}

void format_ns(double ns, char *text, size_t size)
{
	scaled(ns, times, text, size);
}

void format_exact(double value, char *text, size_t size)
{
	text[0] = '\0';
	if (isfinite(value))
		snprintf(text, size, "%.0f", value);
}

void format_percent(double ratio, char *text, size_t size)
{
	char digits[32];
	text[0] = '\0';
	if (!isfinite(ratio))
		return;
	three_digits(100 * ratio, digits, sizeof digits);
	snprintf(text, size, "%s %%", digits);
}

void format_range(double low, double high, char *text, size_t size)
{
	char from[32], to[32];
	int power = thousands(high);
	text[0] = '\0';
	if (!isfinite(low) || !isfinite(high))
		return;
	three_digits(low / pow(1000, power), from, sizeof from);
	three_digits(high / pow(1000, power), to, sizeof to);
	snprintf(text, size, "%s .. %s%s", from, to, counts[power]);
}
