/* SPDX-License-Identifier: MIT
 *
 * report.c - what the user reads: the table, a failure with its trace and its replay string, JSON.
 */
#include "harness/explore/command/command.h"

#include "harness/say.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char row[] = "%-16s %-40s %-14s %11s %9s %7s  %s\n";

void explore_print_head(void)
{
	printf(row, "implementation", "program", "verdict", "schedules", "per s", "states", "search");
}

void explore_print_row(const struct explore_subject *subject, const struct explore_outcome *o)
{
	char executions[32], speed[32], states[32], search[128];

	snprintf(executions, sizeof executions, "%" PRIu64, o->executions);
	snprintf(speed, sizeof speed, "%.0f", o->elapsed > 0 ? (double)o->executions / o->elapsed : 0.0);
	snprintf(states, sizeof states, "%" PRIu64, o->states);
	if (strcmp(o->verdict, "ok") != 0)
		snprintf(search, sizeof search, "failed after %" PRIu64, o->failed_after);
	else if (o->exhausted)
		snprintf(search, sizeof search, "exhausted%s%s", o->truncated[0] != '\0' ? ", but: " : "",
		         o->truncated);
	else
		snprintf(search, sizeof search, "truncated: %s", o->truncated[0] != '\0' ? o->truncated : "random");
	printf(row, subject->impl, subject->program, o->verdict, executions, speed, states, search);
	fflush(stdout);
}

static void print_indented(const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		printf("  %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

/* In single quotes, for a shell. */
static void print_quoted(const char *text)
{
	putchar('\'');
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	putchar('\'');
}

static void print_replay(const struct explore_asked *asked, const char *replay)
{
	printf("  chanbench explore ");
	if (asked->source != NULL) {
		printf("--plugin-source=");
		print_quoted(asked->source);
		putchar(' ');
	}
	printf("--replay=");
	print_quoted(replay);
	putchar('\n');
}

void explore_print_failure(const struct explore_asked *asked, const struct explore_subject *subject,
                           const struct explore_outcome *o)
{
	printf("\n%s %s: %s\n", subject->impl, subject->program, o->verdict);
	print_indented(o->message);
	if (o->trace[0] != '\0') {
		printf("what each thread did:\n");
		print_indented(o->trace);
	}
	if (asked->replay == NULL && o->replay[0] != '\0') {
		printf("the same again:\n");
		print_replay(asked, o->replay_short[0] != '\0' ? o->replay_short : o->replay);
		if (o->replay_short[0] != '\0') {
			printf("as it was found, before it was shortened:\n");
			print_replay(asked, o->replay);
		}
	}
	putchar('\n');
	fflush(stdout);
}

static json_t *text_or_null(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

json_t *explore_json(const struct explore_subject *subject, const struct explore_outcome *o)
{
	const char *replay = o->replay_short[0] != '\0' ? o->replay_short : o->replay;
	json_t *run = json_pack("{s:s,s:s,s:s,s:I,s:b,s:o}", "program", subject->program, "implementation",
	                        subject->impl, "verdict", o->verdict, "executions", (json_int_t)o->executions,
	                        "exhausted", o->exhausted, "replay", text_or_null(replay));

	if (run == NULL)
		return NULL;
	json_object_set_new(run, "truncated", text_or_null(o->truncated));
	json_object_set_new(run, "redundant", json_integer((json_int_t)o->redundant));
	json_object_set_new(run, "states", json_integer((json_int_t)o->states));
	json_object_set_new(run, "seconds", json_real(o->elapsed));
	if (strcmp(o->verdict, "ok") == 0)
		return run;
	json_object_set_new(run, "failed_after", json_integer((json_int_t)o->failed_after));
	json_object_set_new(run, "replay_found", text_or_null(o->replay));
	json_object_set_new(run, "message", text_or_null(o->message));
	json_object_set_new(run, "trace", text_or_null(o->trace));
	return run;
}

int explore_print_json(json_t *root)
{
	char *text = root != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	if (text == NULL) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	puts(text);
	free(text);
	return EXIT_GOOD;
}
