/* SPDX-License-Identifier: MIT
 *
 * rule_expect.c - the steps of a rule's test (harness/check/expect.h, quiesce.h) under the
 * explorer.
 *
 * SEAM: these functions are defined twice. In chanbench check they are harness/check's
 * (expect_child.c, quiesce.c). In an explorable program those files are not linked, and these are
 * (driver/CMakeLists.txt).
 *
 * A step is a line of the trace. A broken expectation is a failed assertion, with the rule's words.
 * Rest is what the scheduler knows, and not what /proc shows.
 */
#include "harness/explore/driver/driver.h"

#include "harness/check/expect.h"
#include "harness/check/quiesce.h"
#include "harness/explore/look.h"
#include "harness/explore/runtime/runtime.h"

#include <stdarg.h>
#include <string.h>

static const struct rule *current;

void driver_rule_is(const struct rule *rule)
{
	current = rule;
}

void step(const char *format, ...)
{
	char text[256] = "-- ";
	va_list args;

	if (!explore_tracing())
		return;
	va_start(args, format);
	vsnprintf(text + 3, sizeof text - 3, format, args);
	va_end(args);
	explore_note(text);
}

/* Three: some tests do this in one round and that in the next. */
unsigned rounds(unsigned n)
{
	return n < 3 ? n : 3;
}

void broken(const char *file, int line, const char *expected, const char *seen)
{
	const char *base = strrchr(file, '/');

	explore_fail(EXPLORE_ASSERT, "%s: %s\nexpected: %s\nseen: %s (T%u, %s:%d)", current->id, current->text,
	             expected, seen, explore_self(), base != NULL ? base + 1 : file, line);
}

void not_offered(const char *what)
{
	explore_fail(EXPLORE_UNSUPPORTED, "%s: the implementation lacks %s", current->id, what);
}

void untestable(const char *why)
{
	explore_fail(EXPLORE_UNSUPPORTED, "%s: %s", current->id, why);
}

void measured(const char *text)
{
	(void)text;
}

bool quiesce(uint64_t bound_ns)
{
	(void)bound_ns; /* no virtual time passes; a thread that never rests is a livelock */
	explore_settle();
	return true;
}
