/* SPDX-License-Identifier: MIT */
#include "harness/explore/driver/rule.h"

#include <string.h>

/* What an explorable program may be made of; whatever is not linked is NULL. */
extern const struct chan_impl *const chan_registry[] __attribute__((weak));
extern const struct chan_plugin chan_plugin __attribute__((weak));
extern const struct program *const program_tables[] __attribute__((weak));
__attribute__((weak)) bool program_offered(const struct program *program, const struct impl_info *info, enum kind kind);
__attribute__((weak)) void program_run(const struct program *program, const struct chan_impl *impl, enum kind kind);
extern int explored_main(int argc, char **argv) __attribute__((weak));

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
		if (!programs_of(*impls, &info, each, arg) || (rules && !driver_rules(*impls, &info, each, arg)))
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
		driver_rule_name(subject, text + length, size - length);
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
		driver_rule_run(subject);
	else
		program_run(subject->program, subject->impl, subject->kind);
	return 0;
}
