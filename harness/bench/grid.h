/* SPDX-License-Identifier: MIT
 *
 * grid.h - text in columns, and numbers in a few characters.
 */
#ifndef CHANBENCH_GRID_H
#define CHANBENCH_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { GRID_COLUMNS = 24, GRID_TEXT = 64 };

/* Columns are as wide as what stands in them; those where nothing stands in any row are left
 * out, title and all. */
struct grid {
	struct {
		char title[GRID_TEXT];
		bool left; /* aligned to the left; numbers go to the right */
	} columns[GRID_COLUMNS];
	size_t column_count;
	char (*rows)[GRID_COLUMNS][GRID_TEXT];
	size_t row_count;
};

/* Adds a column and returns its index; the last index again when there is no room for more. */
size_t grid_column(struct grid *grid, const char *title, bool left);

/* Adds an empty row: an array of texts, by column, valid until the next row. NULL: out of
 * memory. */
char (*grid_row(struct grid *grid))[GRID_TEXT];

/* Prints it, each line behind `indent` spaces. Columns that would make the lines longer than
 * `limit` are continued below, with the first column before them again. */
void grid_print(const struct grid *grid, FILE *out, int indent, int limit);

void grid_close(struct grid *grid);

/* --- numbers: three digits and a unit; NaN gives "" --- */

/* "12.3 M", "999", "0.042", "<0.001" */
void format_count(double value, char *text, size_t size);

/* "812 ns", "1.23 us", "4.50 ms" */
void format_ns(double ns, char *text, size_t size);

/* "1027": a whole number as it is */
void format_exact(double value, char *text, size_t size);

/* "92.4 %" of 0.924 */
void format_percent(double ratio, char *text, size_t size);

/* "12.1 .. 12.5 M": two numbers in one unit, that of the larger. */
void format_range(double low, double high, char *text, size_t size);

#endif
