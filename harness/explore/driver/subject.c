/* SPDX-License-Identifier: MIT */
#include "harness/explore/driver/driver.h"

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

static bool of_impl(const struct chan_impl *impl, bool (*each)(const struct driver_subject *, void *), void *arg)
{
	struct impl_info info;

	if (info_describe(impl, "", &info) != NULL)
		return true; /* said when the program was built */
	for (enum kind kind = 0; kind < KIND_COUNT; kind++)
		for (const struct program *const *table = program_tables; *table != NULL; table++)
			for (const struct program *program = *table; program->name != NULL; program++) {
				struct driver_subject subject = {impl, kind, program};
				if (program_offered(program, &info, kind) && !each(&subject, arg))
					return false;
			}
	return true;
}

void driver_subjects(bool (*each)(const struct driver_subject *subject, void *arg), void *arg)
{
	const struct chan_impl *const *impls = chan_registry;
	struct driver_subject own = {NULL, KIND_COUNT, NULL};

	if (explored_main != NULL) {
		each(&own, arg);
		return;
	}
	if (&chan_plugin != NULL)
		impls = chan_plugin.impls;
	while (impls != NULL && *impls != NULL && of_impl(*impls, each, arg))
		impls++;
}

void driver_subject_name(const struct driver_subject *subject, char *text, size_t size)
{
	if (subject->impl == NULL)
		snprintf(text, size, "- main");
	else
		snprintf(text, size, "%s %s/%s", subject->impl->name, kind_names[subject->kind],
		         subject->program->name);
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
	program_run(subject->program, subject->impl, subject->kind);
	return 0;
}
