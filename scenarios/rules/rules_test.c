/* SPDX-License-Identifier: MIT
 *
 * rules_test.c - the tables of rules are in order: ids, kinds, texts, tests, and functions that exist.
 */
#include "scenarios/rules/rules.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

/* What would make two results of one implementation and kind look alike. */
static const struct rule *other;

static void check_unlike_other(const struct rule *rule)
{
	if (rule == other || strcmp(rule->id, other->id) != 0 || (rule->kinds & other->kinds) == 0)
		return;
	for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++)
		for (size_t k = 0; k < RULE_TESTS_MAX && other->tests[k].what != NULL; k++)
			if (strcmp(rule->tests[i].what, other->tests[k].what) == 0)
				fail_msg("%s has two tests that are called '%s'", rule->id, rule->tests[i].what);
}

static void check_unique(const struct rule *rule)
{
	other = rule;
	each_rule(check_unlike_other);
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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(form), cmocka_unit_test(needs), cmocka_unit_test(unique)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
