/* SPDX-License-Identifier: MIT
 *
 * rules.c - the tests of rules that this build has, by the names under which they are explored.
 */
#include "harness/explore/command/command.h"

#include "harness/check/test.h"

#include <string.h>

/* "rules/mpsc/M-22/blocked_sender" */
static void name_of(char *name, size_t size, enum kind kind, const struct rule *rule, const struct rule_test *test,
                    bool hooks)
{
	size_t length = (size_t)snprintf(name, size, "rules/%s/%s/", kind_names[kind], rule->id);

	rule_test_slug(test, hooks, name + length, size - length);
}

static void each_form(const struct rule *rule, const struct rule_test *test,
                      void (*each)(const char *name, const struct rule *rule, const char *why, void *arg), void *arg)
{
	char name[256];

	for (enum kind kind = 0; kind < KIND_COUNT; kind++)
		for (int hooks = 0; hooks <= 1; hooks++) {
			if ((rule->kinds >> kind & 1) == 0 || !rule_test_has_form(test, kind, hooks != 0))
				continue;
			name_of(name, sizeof name, kind, rule, test, hooks != 0);
			each(name, rule, rule_test_unexplored(test), arg);
		}
}

void explore_rules(void (*each)(const char *name, const struct rule *rule, const char *why, void *arg), void *arg)
{
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL; rule++)
			for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++)
				each_form(rule, &rule->tests[i], each, arg);
}

struct finding {
	const char *name;
	const struct rule *found;
};

static void compare(const char *name, const struct rule *rule, const char *why, void *arg)
{
	struct finding *finding = arg;

	(void)why;
	if (strcmp(name, finding->name) == 0)
		finding->found = rule;
}

const struct rule *explore_rule_of(const char *name)
{
	struct finding finding = {name, NULL};

	explore_rules(compare, &finding);
	return finding.found;
}
