/* SPDX-License-Identifier: MIT */
#include "harness/check/formats.h"

#include <ctype.h>
#include <string.h>

/* The steps that are known of, oldest first. */
static void each_step(FILE *out, const struct outcome *outcome, void (*print)(FILE *out, const char *text))
{
	size_t count = outcome->step_count, first = count > STEPS_MAX ? count - STEPS_MAX : 0;
	for (size_t i = first; i < count; i++)
		print(out, outcome->steps[i % STEPS_MAX]);
}

static bool skipped(const struct outcome *outcome)
{
	return outcome->verdict != PASSED && outcome->verdict != FAILED;
}

/* ------------------------------------------------------------------------------------------
 * TAP
 */

/* A description: '#' and '\' are escaped, and no character ends the line. */
static void tap_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '#' || *text == '\\')
			fputc('\\', out);
		fputc(iscntrl((unsigned char)*text) ? ' ' : *text, out);
	}
}

/* A string of YAML. */
static void yaml_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (iscntrl(c) || c >= 0x80)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputs("\"\n", out);
}

static void yaml_step(FILE *out, const char *text)
{
	fputs("    - ", out);
	yaml_text(out, text);
}

static void yaml_member(FILE *out, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	fprintf(out, "  %s: ", name);
	yaml_text(out, text);
}

static void tap_point(FILE *out, size_t number, const struct test_case *test_case, const struct outcome *outcome)
{
	fprintf(out, "%s %zu - %s %s %s: ", outcome->verdict == FAILED ? "not ok" : "ok", number, test_case->info->name,
	        kind_names[test_case->kind], test_case->rule->id);
	tap_text(out, test_case->test->what);
	fputs(test_case->hooks ? ", elements with hooks" : "", out);
	if (skipped(outcome)) {
		fprintf(out, " # SKIP %s: ", verdict_names[outcome->verdict]);
		tap_text(out, outcome->why);
	}
	fputc('\n', out);
	if (outcome->verdict != FAILED)
		return;
	fputs("  ---\n", out);
	yaml_member(out, "rule", test_case->rule->text);
	yaml_member(out, "expected", outcome->expected);
	yaml_member(out, "seen", outcome->seen);
	yaml_member(out, "at", outcome->where);
	yaml_member(out, "printed", outcome->where[0] == '\0' ? outcome->output : "");
	if (outcome->step_count > 0)
		fputs("  done:\n", out);
	each_step(out, outcome, yaml_step);
	fputs("  ...\n", out);
}

void formats_tap(FILE *out, const struct report *report)
{
	fprintf(out, "TAP version 13\n1..%zu\n", report->count);
	for (size_t i = 0; i < report->count; i++)
		tap_point(out, i + 1, &report->cases[i], &report->outcomes[i]);
}

/* ------------------------------------------------------------------------------------------
 * JUnit
 */

/* Text of an element or an attribute. XML 1.0 has no way to write most control characters, and this
 * file is ASCII: every other byte is shown as \xNN. */
static void xml_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		const char *entity = c == '<'   ? "&lt;"
		                     : c == '>' ? "&gt;"
		                     : c == '&' ? "&amp;"
		                     : c == '"' ? "&quot;"
		                                : NULL;
		if (entity != NULL)
			fputs(entity, out);
		else if (c == '\n' || (c >= 0x20 && c < 0x7f))
			fputc(c, out);
		else
			fprintf(out, "\\x%02x", c);
	}
}

static void xml_attribute(FILE *out, const char *name, const char *text)
{
	fprintf(out, " %s=\"", name);
	xml_text(out, text);
	fputc('"', out);
}

static void xml_step(FILE *out, const char *text)
{
	fputs("  ", out);
	xml_text(out, text);
	fputc('\n', out);
}

static void junit_case(FILE *out, const struct test_case *test_case, const struct outcome *outcome)
{
	fprintf(out, "  <testcase classname=\"%s.%s\" name=\"%s: ", test_case->info->name, kind_names[test_case->kind],
	        test_case->rule->id);
	xml_text(out, test_case->test->what);
	fprintf(out, "%s\" time=\"%.6f\"", test_case->hooks ? ", elements with hooks" : "",
	        (double)outcome->elapsed_ns / 1e9);
	if (outcome->verdict == PASSED) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n", out);
	if (skipped(outcome)) {
		fputs("    <skipped", out);
		char why[600];
		snprintf(why, sizeof(why), "%s: %s", verdict_names[outcome->verdict], outcome->why);
		xml_attribute(out, "message", why);
		fputs("/>\n", out);
	} else {
		fputs("    <failure", out);
		xml_attribute(out, "message", outcome->seen);
		fputs(">rule: ", out);
		xml_text(out, test_case->rule->text);
		fputs("\nexpected: ", out);
		xml_text(out, outcome->expected);
		fputs("\nseen: ", out);
		xml_text(out, outcome->seen);
		fputs("\nat: ", out);
		xml_text(out, outcome->where);
		fputs("\ndone:\n", out);
		each_step(out, outcome, xml_step);
		if (outcome->where[0] == '\0')
			xml_text(out, outcome->output);
		fputs("</failure>\n", out);
	}
	fputs("  </testcase>\n", out);
}

/* The cases from `first` on that are of the same implementation and kind, and what came of them. */
static size_t junit_suite(FILE *out, const struct report *report, size_t first)
{
	size_t end = first, failures = 0, skips = 0;
	uint64_t elapsed = 0;
	const struct test_case *test_case = &report->cases[first];
	for (; end < report->count && report->cases[end].info == test_case->info &&
	       report->cases[end].kind == test_case->kind;
	     end++) {
		failures += report->outcomes[end].verdict == FAILED;
		skips += skipped(&report->outcomes[end]);
		elapsed += report->outcomes[end].elapsed_ns;
	}
	fprintf(out,
	        " <testsuite name=\"%s.%s\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" "
	        "time=\"%.6f\">\n",
	        test_case->info->name, kind_names[test_case->kind], end - first, failures, skips,
	        (double)elapsed / 1e9);
	for (size_t i = first; i < end; i++)
		junit_case(out, &report->cases[i], &report->outcomes[i]);
	fputs(" </testsuite>\n", out);
	return end;
}

void formats_junit(FILE *out, const struct report *report)
{
	fputs("<testsuites name=\"chanbench check\">\n", out);
	for (size_t i = 0; i < report->count;)
		i = junit_suite(out, report, i);
	fputs("</testsuites>\n", out);
}
