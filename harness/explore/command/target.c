/* SPDX-License-Identifier: MIT
 *
 * target.c - the explorable program: found or built, its subjects listed and chosen.
 */
#include "harness/explore/command/command.h"

#include "harness/child.h"
#include "harness/say.h"

#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Why the build left the explorer out; NULL: it did not. */
#ifndef CHANBENCH_NO_EXPLORER
#define CHANBENCH_NO_EXPLORER NULL
#endif

/* Where an installed chanbench has the parts, from the folder of the program. */
#ifndef CHANBENCH_EXPLORE_INSTALLED
#define CHANBENCH_EXPLORE_INSTALLED "../lib/chanbench/explore"
#endif

enum { LIST_SECONDS = 60, BUILD_SECONDS = 600 };

/* "FOLDER/NAME" in `path`, whether it is there. */
static bool in_folder(char path[PATH_MAX], const char *folder, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < PATH_MAX && access(path, R_OK) == 0;
}

/* The folder of the parts: beside the program in a build, elsewhere when it is installed. */
static int find_parts(char parts[PATH_MAX])
{
	static const char *const places[] = {"explore", CHANBENCH_EXPLORE_INSTALLED};
	const char *left_out = CHANBENCH_NO_EXPLORER;
	char self[PATH_MAX], probe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n < 0) {
		say("cannot find out where this program is: %s", strerror(errno));
		return EXIT_MACHINE;
	}
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (in_folder(parts, self, places[i]) && in_folder(probe, parts, "libexplore_runtime.a"))
			return EXIT_GOOD;
	if (left_out != NULL)
		say("this build has no explorer: %s", left_out);
	else
		say("the explorer's parts are neither in %s/%s nor in %s/%s: build the target 'all', or install it again",
		    self, places[0], self, places[1]);
	return EXIT_MACHINE;
}

/* ------------------------------------------------------------------------------------------
 * Building
 */

/* Tells what the compiler or the linker had to say, last line first: it is the one that sums up. */
static int build_failed(const struct child_result *result)
{
	char why[128], *output = strdup(result->output), *last = output;

	if (result->end != CHILD_EXITED || output == NULL) {
		child_describe(result, why, sizeof why);
		say("building the explorable program: %s", why);
		free(output);
		return result->end == CHILD_INTERRUPTED ? 128 + child_interrupted() : EXIT_MACHINE;
	}
	size_t length = strlen(output);
	while (length > 0 && output[length - 1] == '\n')
		output[--length] = '\0';
	if (strrchr(output, '\n') != NULL) {
		last = strrchr(output, '\n');
		*last++ = '\0';
		fprintf(stderr, "%s\n", output);
	}
	say("%s", last);
	free(output);
	return result->code == 2 ? EXIT_USAGE : EXIT_MACHINE;
}

static int build(struct explore_target *target, const char *parts, const char *source)
{
	const char *tmp = getenv("TMPDIR");
	char script[PATH_MAX], *parts_option = NULL, *out_option = NULL, *file = NULL;
	struct child_result result;
	int status = EXIT_MACHINE;

	if (access(source, R_OK) != 0) {
		say("%s: %s", source, strerror(errno));
		return EXIT_USAGE;
	}
	if (!in_folder(script, parts, "explorable")) {
		say("%s is missing: build chanbench anew", script);
		return EXIT_MACHINE;
	}
	int length = snprintf(target->folder, PATH_MAX, "%s/chanbench-explore.XXXXXX",
	                      tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	if (length >= PATH_MAX - 16 || mkdtemp(target->folder) == NULL) {
		say("cannot make a folder to build in (%s): %s", target->folder, strerror(errno));
		target->folder[0] = '\0';
		return EXIT_MACHINE;
	}
	snprintf(target->program, PATH_MAX, "%.*s/explorable", PATH_MAX - 16, target->folder);
	/* A name that begins with a hyphen is a file all the same. */
	if (asprintf(&parts_option, "--parts=%s", parts) < 0 ||
	    asprintf(&out_option, "--out=%s", target->program) < 0 ||
	    asprintf(&file, "%s%s", source[0] == '-' ? "./" : "", source) < 0) {
		say("out of memory");
		goto done;
	}
	const char *argv[] = {script, "--stranger", parts_option, out_option, file, NULL};
	struct child_spec spec = {.argv = argv, .total_ns = BUILD_SECONDS * 1000000000ull};
	child_run(&spec, &result);
	if (result.end != CHILD_EXITED || result.code != 0) {
		status = build_failed(&result);
		goto done;
	}
	fputs(result.output, stderr); /* warnings */
	status = EXIT_GOOD;
done:
	free(parts_option);
	free(out_option);
	free(file);
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Listing and choosing
 */

/* What a program of its own is called: as its file is. */
static const char *own_name(const char *source)
{
	const char *slash = strrchr(source, '/');

	return slash != NULL ? slash + 1 : source;
}

struct listing {
	struct explore_target *target;
	const char *source;
	bool failed;
};

static void take_subject(const char *line, void *arg)
{
	struct listing *listing = arg;
	struct explore_target *target = listing->target;
	const char *space = strchr(line, ' ');
	struct explore_subject *grown = realloc(target->subjects, (target->count + 1) * sizeof *grown);

	if (grown != NULL)
		target->subjects = grown;
	if (grown == NULL || space == NULL) {
		listing->failed = true;
		return;
	}
	struct explore_subject *subject = &target->subjects[target->count++];
	subject->name = strdup(line);
	subject->program = strdup(space + 1);
	subject->impl = line[0] == '-' && listing->source != NULL ? strdup(own_name(listing->source))
	                                                          : strndup(line, (size_t)(space - line));
	listing->failed |= subject->name == NULL || subject->program == NULL || subject->impl == NULL;
}

static void subject_free(struct explore_subject *subject)
{
	free(subject->name);
	free(subject->impl);
	free(subject->program);
}

static bool is_rule(const char *program)
{
	return strncmp(program, "rules/", 6) == 0;
}

/* Whether the pattern is the program's name, with the kind or without it; of a rule's test its
 * whole name. */
static bool names_program(const char *pattern, const char *program)
{
	const char *slash = strchr(program, '/');

	if (is_rule(program))
		return is_rule(pattern) && fnmatch(pattern, program, 0) == 0;
	return fnmatch(pattern, program, 0) == 0 || (slash != NULL && fnmatch(pattern, slash + 1, 0) == 0);
}

/* Says which of the names is nobody's. `is` tells whether a name is a subject's. */
static int check_names(const char *what, const struct names *names, const struct explore_target *target,
                       bool (*is)(const char *name, const struct explore_subject *subject), bool programs)
{
	const char **known = calloc(target->count + 1, sizeof *known);
	int status = EXIT_GOOD;

	for (size_t n = 0; known != NULL && n < names->count && status == EXIT_GOOD; n++) {
		size_t i = 0;
		while (i < target->count && !is(names->of[n], &target->subjects[i]))
			i++;
		if (i < target->count)
			continue;
		for (size_t k = 0; k < target->count; k++)
			known[k] = programs ? target->subjects[k].program : target->subjects[k].impl;
		const char *nearest = say_nearest(names->of[n], known, target->count);
		if (nearest != NULL)
			say("unknown %s '%s'; did you mean '%s'?", what, names->of[n], nearest);
		else
			say("unknown %s '%s': 'chanbench explore --list' shows all", what, names->of[n]);
		status = EXIT_USAGE;
	}
	free(known);
	return status;
}

static bool is_program(const char *name, const struct explore_subject *subject)
{
	return names_program(name, subject->program);
}

static bool is_impl(const char *name, const struct explore_subject *subject)
{
	return strcmp(name, subject->impl) == 0;
}

/* Nobody names them all when he wants programs, and there are many: tests of rules are explored
 * when they are named. */
bool explore_asked_for(const struct explore_asked *asked, const char *program)
{
	bool found = asked->programs.count == 0 && (!is_rule(program) || asked->list || asked->replay != NULL);

	for (size_t i = 0; i < asked->programs.count; i++)
		found |= names_program(asked->programs.of[i], program);
	return found;
}

static bool wanted(const struct explore_asked *asked, const struct explore_subject *subject)
{
	bool impl = asked->impls.count == 0;

	for (size_t i = 0; i < asked->impls.count; i++)
		impl |= is_impl(asked->impls.of[i], subject);
	if (asked->replay != NULL)
		impl = impl && strcmp(asked->replay_impl, subject->impl) == 0 &&
		       strcmp(asked->replay_program, subject->program) == 0;
	return impl && explore_asked_for(asked, subject->program);
}

static int choose(struct explore_target *target, const struct explore_asked *asked)
{
	size_t kept = 0;
	int status = check_names("implementation", &asked->impls, target, is_impl, false);

	if (status == EXIT_GOOD)
		status = check_names("program", &asked->programs, target, is_program, true);
	for (size_t i = 0; i < target->count; i++)
		if (wanted(asked, &target->subjects[i]))
			target->subjects[kept++] = target->subjects[i];
		else
			subject_free(&target->subjects[i]);
	target->count = kept;
	if (status == EXIT_GOOD && kept == 0 && asked->replay != NULL) {
		say("the replay string is of %s on %s, which is not among what was selected", asked->replay_program,
		    asked->replay_impl);
		status = EXIT_USAGE;
	} else if (status == EXIT_GOOD && kept == 0) {
		say("nothing to explore: no selected implementation has what a selected program needs");
		status = EXIT_USAGE;
	}
	return status;
}

static int list_subjects(struct explore_target *target, const char *source)
{
	struct listing listing = {target, source, false};
	const char *argv[] = {target->program, "list", NULL};
	struct child_spec spec = {.argv = argv,
	                          .on_line = take_subject,
	                          .on_line_arg = &listing,
	                          .total_ns = LIST_SECONDS * 1000000000ull};
	struct child_result result;
	char why[128];

	child_run(&spec, &result);
	if (result.end == CHILD_EXITED && result.code == 0 && !listing.failed)
		return EXIT_GOOD;
	if (result.end == CHILD_INTERRUPTED)
		return 128 + child_interrupted();
	child_describe(&result, why, sizeof why);
	say("%s: the explorable program %s%s%s", source != NULL ? source : target->program,
	    listing.failed ? "lists what cannot be" : why, result.output[0] != '\0' ? ": " : "", result.output);
	return EXIT_MACHINE;
}

int explore_target_open(struct explore_target *target, const struct explore_asked *asked)
{
	char parts[PATH_MAX];

	memset(target, 0, sizeof *target);
	int status = find_parts(parts);
	if (status == EXIT_GOOD && asked->source != NULL)
		status = build(target, parts, asked->source);
	else if (status == EXIT_GOOD && !in_folder(target->program, parts, "ours")) {
		say("%s is missing: build chanbench anew", target->program);
		status = EXIT_MACHINE;
	}
	if (status == EXIT_GOOD)
		status = list_subjects(target, asked->source);
	if (status == EXIT_GOOD && target->count == 0) {
		say("%s: no implementation in it has the minimum of a kind (chanbench check says what is missing)",
		    asked->source);
		status = EXIT_USAGE;
	}
	return status == EXIT_GOOD ? choose(target, asked) : status;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

void explore_target_close(struct explore_target *target)
{
	for (size_t i = 0; i < target->count; i++)
		subject_free(&target->subjects[i]);
	free(target->subjects);
	if (target->folder[0] != '\0')
		nftw(target->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
