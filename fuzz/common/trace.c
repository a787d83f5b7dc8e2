/* SPDX-License-Identifier: MIT */
#include "fuzz/common/trace.h"

#include "harness/status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 8192 };

static struct {
	const char *target, *impl;
	size_t count;   /* lines stored; further ones replace the last */
	size_t current; /* the line of the step that runs; those behind it are of its callbacks */
	struct {
		const char *format;
		uint64_t args[TRACE_ARGS];
		const char *gave; /* NULL: nothing yet */
		bool inside;
	} steps[STEPS];
} trace;

void trace_begin(const char *target, const char *impl)
{
	trace.target = target;
	trace.impl = impl;
	trace.count = trace.current = 0;
}

static size_t store(const char *format, const uint64_t args[TRACE_ARGS], bool inside)
{
	size_t i = trace.count < STEPS ? trace.count++ : STEPS - 1;
	trace.steps[i].format = format;
	for (size_t k = 0; k < TRACE_ARGS; k++)
		trace.steps[i].args[k] = args[k];
	trace.steps[i].gave = NULL;
	trace.steps[i].inside = inside;
	return i;
}

void trace_step(const char *format, const uint64_t args[TRACE_ARGS])
{
	trace.current = store(format, args, false);
}

void trace_gave(enum chan_status status)
{
	trace_gave_text(status_name(status));
}

void trace_gave_text(const char *text)
{
	trace.steps[trace.current].gave = text;
}

void trace_inside(const char *format, const uint64_t args[TRACE_ARGS])
{
	store(format, args, true);
}

void trace_inside_gave(enum chan_status status)
{
	if (trace.count > 0)
		trace.steps[trace.count - 1].gave = status_name(status);
}

static const char *deadline_name(uint64_t deadline)
{
	return deadline == CHAN_NOW ? "now" : deadline == CHAN_FOREVER ? "forever" : "past";
}

const char *arm_name(enum chan_arm arm)
{
	static const char *const names[] = {"CHAN_READY", "CHAN_ARMED", "CHAN_NOT_ARMED"};
	return (size_t)arm < sizeof names / sizeof *names ? names[arm] : "?";
}

static void print_arg(FILE *out, char how, uint64_t arg)
{
	switch (how) {
	case 's':
		fputs((const char *)(uintptr_t)arg, out);
		break;
	case 't':
		fputs(status_name((enum chan_status)arg), out);
		break;
	case 'a':
		fputs(arm_name((enum chan_arm)arg), out);
		break;
	case 'd':
		fputs(deadline_name(arg), out);
		break;
	case 'x':
		fprintf(out, "0x%" PRIx64, arg);
		break;
	default:
		fprintf(out, "%" PRIu64, arg);
		break;
	}
}

static void print_step(FILE *out, size_t i)
{
	size_t arg = 0;
	for (const char *f = trace.steps[i].format; *f != '\0'; f++)
		if (*f == '%')
			print_arg(out, *++f, trace.steps[i].args[arg++]);
		else
			fputc(*f, out);
	if (trace.steps[i].gave != NULL)
		fprintf(out, " -> %s", trace.steps[i].gave);
}

void trace_print(void)
{
	if (trace.target == NULL)
		return;
	fprintf(stderr, "%s, implementation %s, what was done:\n", trace.target, trace.impl);
	for (size_t i = 0; i < trace.count; i++) {
		fprintf(stderr, "%6zu  %s", i, trace.steps[i].inside ? "    in a callback: " : "");
		print_step(stderr, i);
		fputc('\n', stderr);
	}
}

/* Called by AddressSanitizer when it has found an error. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	trace_print();
}

_Noreturn void differ(const char *expected, const char *seen, const char *what, ...)
{
	va_list args;

	trace_print();
	fprintf(stderr, "%s, implementation %s: ", trace.target, trace.impl);
	if (trace.count > 0) {
		fprintf(stderr, "step %zu: ", trace.current);
		print_step(stderr, trace.current);
		fputs(": ", stderr);
	}
	va_start(args, what);
	vfprintf(stderr, what, args);
	va_end(args);
	fprintf(stderr, ": expected %s, seen %s\n", expected, seen);
	fflush(stderr);
	abort();
}

_Noreturn void differ_u64(uint64_t expected, uint64_t seen, const char *what)
{
	char numbers[2][32];
	snprintf(numbers[0], sizeof numbers[0], "%" PRIu64, expected);
	snprintf(numbers[1], sizeof numbers[1], "%" PRIu64, seen);
	differ(numbers[0], numbers[1], "%s", what);
}

_Noreturn void differ_status(enum chan_status expected, enum chan_status seen, const char *what)
{
	differ(status_name(expected), status_name(seen), "%s", what);
}
