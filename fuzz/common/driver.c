/* SPDX-License-Identifier: MIT
 *
 * driver.c - which implementations a target is run on, and the frame of a run.
 */
#include "fuzz/common/memory.h"
#include "fuzz/common/target.h"
#include "fuzz/common/trace.h"
#include "harness/info.h"
#include "harness/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMPLS_MAX = 64 };

static struct {
	const struct chan_impl *impl;
	bool counted; /* its allocations come through memory.c */
} subjects[IMPLS_MAX];
static size_t subject_count;

/* Takes "NAME=value" out of the command line; its value, or that of the environment, or NULL. */
static const char *take_option(int *argc, char **argv, const char *name, const char *variable)
{
	size_t length = strlen(name);
	for (int i = 1; i < *argc; i++) {
		const char *value = argv[i] + length + 1;

		if (strncmp(argv[i], name, length) != 0 || argv[i][length] != '=')
			continue;
		/* the NULL at its end as well */
		memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof *argv);
		--*argc;
		return value;
	}
	const char *value = getenv(variable);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

static void add(const struct impl_info *info)
{
	char error[512];
	const struct chan_impl *impl = impl_load(info->name, info->plugin, error, sizeof error);
	if (impl == NULL) {
		say("%s: %s %s", fuzz_target.name, info->plugin[0] != '\0' ? info->plugin : info->name, error);
		exit(EXIT_USAGE);
	}
	if (!fuzz_target.offers(impl) || subject_count == IMPLS_MAX)
		return;
	subjects[subject_count].impl = impl;
	subjects[subject_count++].counted = info->plugin[0] == '\0';
}

static void choose(const char *name, const char *plugin)
{
	struct impl_set set;
	bool known = false;
	if (impl_set_open(&set, &plugin, plugin != NULL) != 0)
		exit(EXIT_USAGE); /* it said why */
	for (size_t i = 0; i < set.count; i++) {
		const struct impl_info *info = &set.infos[i];
		bool here = plugin == NULL ? (info->flags & CHAN_PEER) == 0 : info->plugin[0] != '\0';
		bool asked = name != NULL ? strcmp(info->name, name) == 0 : here;

		known |= asked;
		if (asked)
			add(info);
	}
	impl_set_close(&set);
	if (!known)
		say("%s: unknown implementation '%s' ('chanbench list' names them)", fuzz_target.name, name);
	else if (subject_count == 0)
		say("%s: no implementation that was asked for offers this kind", fuzz_target.name);
	if (subject_count == 0)
		exit(EXIT_USAGE);
}

/* In the manner of the engine's own lines; scripts/fuzz counts the names. */
static void tell_subjects(void)
{
	fprintf(stderr, "INFO: each input is run on:");
	for (size_t i = 0; i < subject_count; i++)
		fprintf(stderr, " %s", subjects[i].impl->name);
	fputc('\n', stderr);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = take_option(argc, *argv, "--impl", "CHANBENCH_IMPL");
	const char *plugin = take_option(argc, *argv, "--plugin", "CHANBENCH_PLUGIN");
	setenv("CHANBENCH_SPIN", "0", 0); /* there is one thread: nobody to spin for */
	if (fuzz_target.offers != NULL) {
		choose(name, plugin);
		tell_subjects();
	}
	return 0;
}

static void run_on(const struct chan_impl *impl, bool counted, struct bytes in)
{
	long before = memory_blocks();
	trace_begin(fuzz_target.name, impl != NULL ? impl->name : "none");
	fuzz_target.run(impl, &in);
	if (counted)
		want_u64((uint64_t)before, (uint64_t)memory_blocks(), "blocks of memory after everything was dropped");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (fuzz_target.offers == NULL)
		run_on(NULL, true, (struct bytes){data, size});
	for (size_t i = 0; i < subject_count; i++)
		run_on(subjects[i].impl, subjects[i].counted, (struct bytes){data, size});
	return 0;
}

bool target_deviates(const struct chan_impl *impl, const char *rule)
{
	for (const struct chan_deviation *d = impl->deviations; d != NULL && d->rule != NULL; d++)
		if (strcmp(d->rule, rule) == 0)
			return true;
	return false;
}
