/* SPDX-License-Identifier: MIT
 *
 * subject.c - what an explorable program can run: programs of scenarios/programs and tests of
 * scenarios/rules on each implementation that is linked, or the program's own main.
 *
 * A test of a rule tells its actors one at a time what to do, and looks at what came of it when
 * nobody moves any more. Here it waits for that by explore_settle, where it looks in /proc
 * otherwise. So how the threads come to rest is the schedule's choice, and what the rule says must
 * hold each time. Deadlines of more than a second come only when nobody can go on: the tests count
 * on that much of a machine. Nearer ones come whenever they like. Explored is every test but those
 * that say by a flag why it cannot be (enum test_flags).
 */
#include "harness/check/test.h"
#include "harness/explore/driver/driver.h"
#include "harness/explore/look.h"

#include <string.h>

#define PATIENCE_NS UINT64_C(1000000000)

/* What an explorable program may be made of. Whatever is not linked is NULL, so what was linked
 * says which subjects there are: chan_registry are implementations of the tree, chan_plugin is a
 * stranger's, explored_main is the `main` of a program (renamed by redefine.syms). A program with a
 * main of its own has neither programs nor rules, the fuzzer's has programs and no rules. */
extern const struct chan_impl *const chan_registry[] __attribute__((weak));
extern const struct chan_plugin chan_plugin __attribute__((weak));
extern const struct program *const program_tables[] __attribute__((weak));
__attribute__((weak)) bool program_offered(const struct program *program, const struct impl_info *info, enum kind kind);
__attribute__((weak)) void program_run(const struct program *program, const struct chan_impl *impl, enum kind kind);
extern int explored_main(int argc, char **argv) __attribute__((weak));
extern const struct rule *const rule_tables[] __attribute__((weak));
__attribute__((weak)) bool rule_test_has_form(const struct rule_test *test, enum kind kind, bool hooks);
__attribute__((weak)) const char *rule_test_lacks(const struct rule_test *test, const struct impl_info *info,
                                                  enum kind kind);
__attribute__((weak)) bool rule_test_can_start(const struct rule_test *test, const struct impl_info *info);
__attribute__((weak)) const char *rule_test_unexplored(const struct rule_test *test);
__attribute__((weak)) void rule_test_slug(const struct rule_test *test, bool hooks, char *text, size_t size);
__attribute__((weak)) void rule_test_run(const struct rule_test *test, const struct chan_impl *impl, enum kind kind,
                                         bool hooks);

/* The name under which it was built: what a program finds in argv[0]. */
static char program_name[] = "program";

static bool programs_of(const struct chan_impl *impl, const struct impl_info *info,
                        bool (*each)(const struct driver_subject *, void *), void *arg)
{
	for (enum kind kind = 0; kind < KIND_COUNT; kind++)
		for (const struct program *const *table = program_tables; *table != NULL; table++)
			for (const struct program *program = *table; program->name != NULL; program++) {
				struct driver_subject subject = {.impl = impl, .kind = kind, .program = program};
				if (program_offered(program, info, kind) && !each(&subject, arg))
					return false;
			}
	return true;
}

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

/* False: `each` has stopped it. */
static bool rules_of(const struct chan_impl *impl, const struct impl_info *info,
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

/* "rules/mpsc/M-22/blocked_sender", "rules/watch/D-8/late_hooks+hooks" */
static void rule_name(const struct driver_subject *subject, char *text, size_t size)
{
	size_t length = (size_t)snprintf(text, size, "rules/%s/%s/", kind_names[subject->kind], subject->rule->id);

	rule_test_slug(subject->test, subject->hooks, text + length, size - length);
}

static void rule_run(const struct driver_subject *subject)
{
	driver_rule_is(subject->rule);
	explore_patience(PATIENCE_NS);
	rule_test_run(subject->test, subject->impl, subject->kind, subject->hooks);
}

static void of_all(bool rules, bool (*each)(const struct driver_subject *, void *), void *arg)
{
	const struct chan_impl *const *impls = &chan_plugin != NULL ? chan_plugin.impls : chan_registry;
	struct driver_subject own = {.kind = KIND_COUNT};
	struct impl_info info;

	if (explored_main != NULL) {
		each(&own, arg);
		return;
	}
	for (; impls != NULL && *impls != NULL; impls++) {
		if (info_describe(*impls, "", &info) != NULL)
			continue; /* said when the program was built */
		if (!programs_of(*impls, &info, each, arg) || (rules && !rules_of(*impls, &info, each, arg)))
			return;
	}
}

void driver_programs(bool (*each)(const struct driver_subject *subject, void *arg), void *arg)
{
	of_all(false, each, arg);
}

void driver_subjects(bool (*each)(const struct driver_subject *subject, void *arg), void *arg)
{
	of_all(true, each, arg);
}

void driver_subject_name(const struct driver_subject *subject, char *text, size_t size)
{
	size_t length = 0;

	if (subject->impl == NULL)
		snprintf(text, size, "- main");
	else
		length = (size_t)snprintf(text, size, "%s ", subject->impl->name);
	if (subject->program != NULL)
		snprintf(text + length, size - length, "%s/%s", kind_names[subject->kind], subject->program->name);
	else if (subject->rule != NULL)
		rule_name(subject, text + length, size - length);
}

struct wanted {
	const char *name;
	struct driver_subject *subject;
	bool found;
};

static bool is_wanted(const struct driver_subject *subject, void *arg)
{
	struct wanted *wanted = arg;
	char name[256];

	driver_subject_name(subject, name, sizeof name);
	if (strcmp(name, wanted->name) != 0)
		return true;
	*wanted->subject = *subject;
	wanted->found = true;
	return false;
}

bool driver_subject_find(const char *name, struct driver_subject *subject)
{
	struct wanted wanted = {name, subject, false};

	driver_subjects(is_wanted, &wanted);
	return wanted.found;
}

int driver_subject_run(void *arg)
{
	const struct driver_subject *subject = arg;

	if (subject->impl == NULL) {
		char *argv[] = {program_name, NULL};
		return explored_main(1, argv);
	}
	if (subject->rule != NULL)
		rule_run(subject);
	else
		program_run(subject->program, subject->impl, subject->kind);
	return 0;
}
