/* SPDX-License-Identifier: MIT
 *
 * report.c - a result as lines: a word, a space, a value. What has several lines repeats its word.
 * The last line is "end".
 */
#include "harness/explore/driver/driver.h"

#include <inttypes.h>
#include <string.h>

static void text_lines(FILE *out, const char *word, const char *text)
{
	while (text != NULL && *text != '\0') {
		size_t length = strcspn(text, "\n");
		fprintf(out, "%s %.*s\n", word, (int)length, text);
		text += length + (text[length] == '\n');
	}
}

void driver_report(FILE *out, const struct explore_result *result)
{
	fprintf(out, "verdict %s\n", explore_verdict_name(result->verdict));
	fprintf(out, "executions %" PRIu64 "\n", result->executions);
	fprintf(out, "redundant %" PRIu64 "\n", result->redundant);
	fprintf(out, "steps %" PRIu64 "\n", result->steps);
	fprintf(out, "states %" PRIu64 "\n", result->states);
	fprintf(out, "failed_after %" PRIu64 "\n", result->failed_after);
	fprintf(out, "exhausted %d\n", result->exhausted);
	fprintf(out, "elapsed %.6f\n", result->elapsed);
	text_lines(out, "truncated", result->truncated);
	text_lines(out, "replay", result->replay);
	text_lines(out, "replay_short", result->replay_short);
	text_lines(out, "message", result->message);
	text_lines(out, "trace", result->trace);
	fprintf(out, "end\n");
	fflush(out);
}
