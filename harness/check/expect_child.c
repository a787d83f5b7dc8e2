/* SPDX-License-Identifier: MIT
 *
 * expect_child.c - the steps of a test that runs in a child of `chanbench check`: lines to the
 * parent, and the end through CMocka.
 */
#include "harness/check/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int report_pipe = -1;

void expect_report_to(int pipe)
{
	report_pipe = pipe;
}

/* One write a line, so that lines of several threads do not mix. */
static void tell(const char *word, const char *text)
{
	char line[512];
	int length = snprintf(line, sizeof(line), "%s %s\n", word, text);
	if (report_pipe < 0 || length < 0)
		return;
	if ((size_t)length >= sizeof(line)) {
		length = (int)sizeof(line) - 1;
		line[length - 1] = '\n';
	}
	ssize_t written = write(report_pipe, line, (size_t)length);
	(void)written; /* the parent is gone: then nobody is left to be told */
}

void step(const char *format, ...)
{
	char text[480];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tell("step", text);
}

unsigned rounds(unsigned n)
{
	return n;
}

void broken(const char *file, int line, const char *expected, const char *seen)
{
	char where[256];
	const char *base = strrchr(file, '/');
	snprintf(where, sizeof(where), "%s:%d", base != NULL ? base + 1 : file, line);
	tell("expected", expected);
	tell("seen", seen);
	tell("failed", where);
	_fail(file, line);
}

void not_offered(const char *what)
{
	tell("missing", what);
	_skip(__FILE__, __LINE__);
}

void measured(const char *text)
{
	tell("measured", text);
}

void untestable(const char *why)
{
	tell("untestable", why);
	_skip(__FILE__, __LINE__);
}
