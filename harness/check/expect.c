/* SPDX-License-Identifier: MIT */
#include "harness/check/expect.h"

#include <inttypes.h>
#include <stdio.h>

void want_status(enum chan_status expected, enum chan_status seen, const char *file, int line)
{
	if (seen != expected)
		broken(file, line, status_name(expected), status_name(seen));
}

void want_number(uint64_t expected, uint64_t seen, const char *file, int line)
{
	char want_text[32], seen_text[32];
	if (seen == expected)
		return;
	snprintf(want_text, sizeof(want_text), "%" PRIu64, expected);
	snprintf(seen_text, sizeof(seen_text), "%" PRIu64, seen);
	broken(file, line, want_text, seen_text);
}

void want_truth(bool seen, const char *text, const char *file, int line)
{
	if (!seen)
		broken(file, line, text, "it does not hold");
}
