/* SPDX-License-Identifier: MIT
 *
 * formats_test.c - TAP and XML hold whatever a test prints.
 */
#include "harness/check/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every byte but 0. */
static void fill(char *text, size_t size)
{
	for (size_t i = 0; i < size - 1; i++)
		text[i] = (char)(1 + i % 255);
	text[size - 1] = '\0';
}

static struct impl_info info = {.name = "one"};
static const struct rule rule = {.id = "M-1", .kinds = RULE_MPSC, .text = "It says <so> & \"so\" # here."};
static const struct rule_test tests[] = {{.what = "good & <well>"}, {.what = "bad \"one\" # two"}, {.what = "lacking"}};

static char *written(void (*write)(FILE *out, const struct report *report))
{
	static struct outcome outcomes[3];
	const struct test_case cases[] = {{&info, KIND_MPSC, &rule, &tests[0], false},
	                                  {&info, KIND_MPSC, &rule, &tests[1], true},
	                                  {&info, KIND_WATCH, &rule, &tests[2], false}};
	const struct report report = {cases, outcomes, 3};
	char *text = NULL;
	size_t length = 0;
	outcomes[1].verdict = FAILED;
	fill(outcomes[1].expected, sizeof(outcomes[1].expected));
	fill(outcomes[1].seen, sizeof(outcomes[1].seen));
	fill(outcomes[1].output, sizeof(outcomes[1].output));
	fill(outcomes[1].steps[0], sizeof(outcomes[1].steps[0]));
	outcomes[1].step_count = 1;
	outcomes[2].verdict = NOT_OFFERED;
	fill(outcomes[2].why, sizeof(outcomes[2].why));
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	write(out, &report);
	fclose(out);
	assert_int_equal(length, strlen(text));
	return text;
}

/* Only what both formats can hold: printable ASCII and ends of lines. */
static void check_bytes(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text != '\n' && (*text < 0x20 || *text >= 0x7f))
			fail_msg("a byte %d got through", *text);
}

static void tap(void **state)
{
	(void)state;
	char *text = written(formats_tap), *next = text, *line;
	unsigned points = 0, number = 0;
	bool yaml = false;
	assert_ptr_equal(text, strstr(text, "TAP version 13\n1..3\nok 1 - one mpsc M-1: good & <well>\nnot ok 2 - "));
	assert_non_null(strstr(text, "bad \"one\" \\# two, elements with hooks\n  ---\n"));
	while ((line = strsep(&next, "\n")) != NULL && line[0] != '\0') {
		if (strcmp(line, "  ---") == 0 || strcmp(line, "  ...") == 0)
			yaml = line[2] == '-';
		else if (yaml)
			assert_memory_equal(line, "  ", 2);
		else if (strncmp(line, "ok ", 3) == 0 || strncmp(line, "not ok ", 7) == 0)
			assert_int_equal(++points, (number = (unsigned)strtoul(strpbrk(line, "123"), NULL, 10)));
		else
			assert_true(strncmp(line, "TAP", 3) == 0 || strcmp(line, "1..3") == 0);
	}
	assert_int_equal(3, points);
	free(text);
}

static void junit(void **state)
{
	(void)state;
	char *text = written(formats_junit);
	check_bytes(text);
	assert_non_null(
		strstr(text, "<testsuite name=\"one.mpsc\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""));
	assert_non_null(
		strstr(text, "<testsuite name=\"one.watch\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\""));
	assert_non_null(strstr(text, "good &amp; &lt;well&gt;"));
	assert_non_null(strstr(text, "rule: It says &lt;so&gt; &amp; &quot;so&quot; # here."));
	/* no '<' but that of an element, and as many ends as beginnings */
	size_t open = 0, shut = 0;
	for (const char *at = text; (at = strpbrk(at, "<>")) != NULL; at++) {
		open += *at == '<';
		shut += *at == '>';
		assert_int_equal(open, *at == '<' ? shut + 1 : shut);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest all[] = {cmocka_unit_test(tap), cmocka_unit_test(junit)};
	return cmocka_run_group_tests(all, NULL, NULL);
}
