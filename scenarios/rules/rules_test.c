/* SPDX-License-Identifier: MIT
 *
 * rules_test.c - the tables of rules are in order: ids, kinds, texts, tests, and functions that
 * exist; no rule is left out; and the page in the tree is the one that they make.
 */
#include "scenarios/rules/rules.h"

#include "harness/check/catalogue.h"
#include "harness/check/test.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool has_op(enum kind kind, const char *name)
{
	for (size_t i = 0; kind_op(kind, i) != NULL; i++)
		if (strcmp(kind_op(kind, i), name) == 0)
			return true;
	return false;
}

static void each_rule(void (*f)(const struct rule *rule))
{
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL; rule++)
			f(rule);
}

static void check_form(const struct rule *rule)
{
	char letter;
	unsigned number;
	int end = 0;
	if (sscanf(rule->id, "%c-%u%n", &letter, &number, &end) != 2 || rule->id[end] != '\0' || !isupper(letter))
		fail_msg("'%s' is no id of a rule", rule->id);
	if (rule->kinds == 0 || rule->kinds >> KIND_COUNT != 0)
		fail_msg("%s speaks of no kind", rule->id);
	size_t length = strlen(rule->text);
	if (length < 10 || rule->text[length - 1] != '.' || strchr(rule->text, '\n') != NULL)
		fail_msg("%s: its text is no line that ends with a full stop", rule->id);
	if (rule->tests[0].what == NULL)
		fail_msg("%s has no test", rule->id);
}

static void check_needs(const struct rule *rule)
{
	for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++) {
		assert_non_null(rule->tests[i].run);
		for (int k = 0; k < KIND_COUNT; k++) {
			char needs[256], *next = needs, *word;
			if ((rule->kinds >> k & 1) == 0)
				continue;
			snprintf(needs, sizeof(needs), "%s", rule->tests[i].needs);
			while ((word = strsep(&next, " ")) != NULL)
				if (*word != '\0' && !has_op((enum kind)k, word))
					fail_msg("%s: %s has no function '%s'", rule->id, kind_names[k], word);
		}
	}
}

/* Alike as one word is alike, too. */
static void check_unlike(const struct rule *rule, const struct rule_test *a, const struct rule_test *b)
{
	char one[128], two[128];
	rule_test_slug(a, false, one, sizeof(one));
	rule_test_slug(b, false, two, sizeof(two));
	if (strcmp(one, two) == 0)
		fail_msg("%s has two tests that are called '%s'", rule->id, a->what);
}

/* What would make two results of one implementation and kind look alike. */
static const struct rule *other;

static void check_unlike_other(const struct rule *rule)
{
	if (rule == other || strcmp(rule->id, other->id) != 0 || (rule->kinds & other->kinds) == 0)
		return;
	for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++)
		for (size_t k = 0; k < RULE_TESTS_MAX && other->tests[k].what != NULL; k++)
			check_unlike(rule, &rule->tests[i], &other->tests[k]);
}

static void check_unique(const struct rule *rule)
{
	other = rule;
	each_rule(check_unlike_other);
	for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++)
		for (size_t k = 0; k < i; k++)
			check_unlike(rule, &rule->tests[i], &rule->tests[k]);
}

static void form(void **state)
{
	(void)state;
	each_rule(check_form);
}

static void needs(void **state)
{
	(void)state;
	each_rule(check_needs);
}

static void unique(void **state)
{
	(void)state;
	each_rule(check_unique);
}

/* How many rules each section has: all of them are there, tested or with the reason why not. */
static void accounted(void **state)
{
	static const struct {
		char letter;
		size_t count;
	} sections[] = {{'M', 78}, {'P', 6}, {'U', 8}, {'O', 22}, {'B', 44}, {'W', 35}, {'S', 18}, {'D', 14}, {'X', 5}};
	struct catalogue catalogue;
	size_t at = 0, tested = 0;
	(void)state;
	assert_int_equal(0, catalogue_open(&catalogue));
	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++)
		for (size_t n = 1; n <= sections[s].count; n++, at++) {
			char id[16];
			const struct catalogue_entry *entry = &catalogue.entries[at];
			snprintf(id, sizeof(id), "%c-%zu", sections[s].letter, n);
			if (at >= catalogue.count || strcmp(entry->id, id) != 0)
				fail_msg("%s: neither tested nor accounted for", id);
			tested += entry->tests > 0;
		}
	assert_true(tested >= 200);
	catalogue_close(&catalogue);
}

/* A note says more of a rule that has tests, or all of one that has none. */
static void notes(void **state)
{
	struct catalogue catalogue;
	(void)state;
	assert_int_equal(0, catalogue_open(&catalogue));
	for (size_t i = 0; i < catalogue.count; i++) {
		const struct catalogue_entry *entry = &catalogue.entries[i];
		bool excused = entry->note != NULL && entry->note->untestable != NULL;
		if (entry->tests == 0 && (!excused || entry->text == NULL || entry->kinds == 0))
			fail_msg("%s: no test, and no note that says what it is, of which kinds, and why", entry->id);
		if (entry->tests > 0 && excused)
			fail_msg("%s: its note says that it has no test, and it has one", entry->id);
	}
	for (const struct rule_note *const *table = rule_notes; *table != NULL; table++)
		for (const struct rule_note *note = *table; note->id != NULL; note++)
			for (const struct rule_note *later = note + 1; later->id != NULL; later++)
				if (strcmp(note->id, later->id) == 0)
					fail_msg("%s has two notes", note->id);
	catalogue_close(&catalogue);
}

/* Says the first line that differs. */
static void compare_pages(char *made, char *there)
{
	char *made_next = made, *there_next = there, *a, *b;
	for (unsigned line = 1;; line++) {
		a = strsep(&made_next, "\n");
		b = strsep(&there_next, "\n");
		if (a == NULL && b == NULL)
			return;
		if (a == NULL || b == NULL || strcmp(a, b) != 0)
			fail_msg("impls/SEMANTICS.md, line %u: it says '%s' where the tables say '%s'; make it anew: "
			         "chanbench "
			         "check --list --format=markdown > impls/SEMANTICS.md",
			         line, b != NULL ? b : "(the end)", a != NULL ? a : "(the end)");
	}
}

static void page(void **state)
{
	char *made = NULL, *there = NULL, path[4096];
	size_t made_length = 0, there_length = 0;
	const char *slash = strrchr(__FILE__, '/');
	(void)state;
	FILE *out = open_memstream(&made, &made_length);
	assert_non_null(out);
	assert_int_equal(0, catalogue_write_page(out));
	fclose(out);
	snprintf(path, sizeof(path), "%.*s/../../impls/SEMANTICS.md", (int)(slash - __FILE__), __FILE__);
	FILE *in = fopen(path, "r");
	if (in == NULL)
		fail_msg("%s cannot be read", path);
	assert_true(getdelim(&there, &there_length, '\0', in) > 0);
	fclose(in);
	compare_pages(made, there);
	free(made);
	free(there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(form),   cmocka_unit_test(needs),
	                                   cmocka_unit_test(unique), cmocka_unit_test(accounted),
	                                   cmocka_unit_test(notes),  cmocka_unit_test(page)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
