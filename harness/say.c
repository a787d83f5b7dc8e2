/* SPDX-License-Identifier: MIT */
#include "harness/say.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void say(const char *format, ...)
{
	static const char head[] = "chanbench: ";
	char line[8192];
	size_t length = sizeof head - 1;
	va_list args;

	memcpy(line, head, length);
	va_start(args, format);
	int wanted = vsnprintf(line + length, sizeof line - length - 1, format, args);
	va_end(args);
	if (wanted > 0)
		length += strlen(line + length);

	/* One line, whatever a file name or a plug-in's text contains. */
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	line[length++] = '\n';
	fflush(stdout);
	if (write(STDERR_FILENO, line, length) < 0)
		return; /* nobody to tell; the exit status remains */
}

bool say_is_stdout(int fd)
{
	struct stat file, standard;
	return fstat(fd, &file) == 0 && fstat(STDOUT_FILENO, &standard) == 0 && file.st_dev == standard.st_dev &&
	       file.st_ino == standard.st_ino;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

/* Edits (insert, delete, replace, swap two neighbours) that make one of the other; SIZE_MAX
 * where a name is too long to be one. */
static size_t distance(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	size_t rows[3][LONGEST + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	size_t m = strlen(a), n = strlen(b);

	if (m > LONGEST || n > LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return row[n];
}

const char *say_nearest(const char *typed, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t length = strlen(typed), best = length / 3 + 1;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(typed, names[i]);
		/* The beginning of a name is near to it, however much is missing. */
		if (length >= 3 && strncmp(typed, names[i], length) == 0)
			d = 1;
		if (d <= best && d < length && (nearest == NULL || d < best)) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}
