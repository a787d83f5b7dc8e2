/* SPDX-License-Identifier: MIT */
#include "harness/explore/driver/rule.h"

#include "harness/check/test.h"
#include "harness/explore/look.h"

#define PATIENCE_NS UINT64_C(1000000000)

/* Missing (NULL) where the tests are not linked: beside a main of somebody's own, or a fuzzer's. */
extern const struct rule *const rule_tables[] __attribute__((weak));
__attribute__((weak)) bool rule_test_has_form(const struct rule_test *test, enum kind kind, bool hooks);
__attribute__((weak)) const char *rule_test_lacks(const struct rule_test *test, const struct impl_info *info,
                                                  enum kind kind);
__attribute__((weak)) bool rule_test_can_start(const struct rule_test *test, const struct impl_info *info);
__attribute__((weak)) const char *rule_test_unexplored(const struct rule_test *test);
__attribute__((weak)) void rule_test_slug(const struct rule_test *test, bool hooks, char *text, size_t size);
__attribute__((weak)) void rule_test_run(const struct rule_test *test, const struct chan_impl *impl, enum kind kind,
                                         bool hooks);

static bool can_run(const struct driver_subject *subject, const struct impl_info *info)
{
	const struct rule_test *test = subject->test;

	return (subject->rule->kinds >> subject->kind & 1) != 0 && info->offered[subject->kind] != 0 &&
	       info_deviation(info, subject->rule->id) == NULL && rule_test_unexplored(test) == NULL &&
	       rule_test_can_start(test, info) && rule_test_has_form(test, subject->kind, subject->hooks) &&
	       rule_test_lacks(test, info, subject->kind) == NULL;
}

static bool of_rule(struct driver_subject subject, const struct impl_info *info,
                    bool (*each)(const struct driver_subject *, void *), void *arg)
{
	for (size_t i = 0; i < RULE_TESTS_MAX && subject.rule->tests[i].what != NULL; i++)
		for (int hooks = 0; hooks <= 1; hooks++) {
			subject.test = &subject.rule->tests[i];
			subject.hooks = hooks != 0;
			if (can_run(&subject, info) && !each(&subject, arg))
				return false;
		}
	return true;
}

bool driver_rules(const struct chan_impl *impl, const struct impl_info *info,
                  bool (*each)(const struct driver_subject *subject, void *arg), void *arg)
{
	const struct rule *const *tables = rule_tables;

	for (enum kind kind = 0; tables != NULL && kind < KIND_COUNT; kind++)
		for (const struct rule *const *table = tables; *table != NULL; table++)
			for (const struct rule *rule = *table; rule->id != NULL; rule++) {
				struct driver_subject subject = {.impl = impl, .kind = kind, .rule = rule};
				if (!of_rule(subject, info, each, arg))
					return false;
			}
	return true;
}

void driver_rule_name(const struct driver_subject *subject, char *text, size_t size)
{
	size_t length = (size_t)snprintf(text, size, "rules/%s/%s/", kind_names[subject->kind], subject->rule->id);

	rule_test_slug(subject->test, subject->hooks, text + length, size - length);
}

void driver_rule_run(const struct driver_subject *subject)
{
	driver_rule_is(subject->rule);
	explore_patience(PATIENCE_NS);
	rule_test_run(subject->test, subject->impl, subject->kind, subject->hooks);
}
