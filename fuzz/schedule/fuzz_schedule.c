/* SPDX-License-Identifier: MIT
 *
 * fuzz_schedule.c - a fuzzer chooses the program and its schedule: libFuzzer in front of the
 * explorer.
 *
 *   bytes 0, 1   which program on which implementation, in the order of the explorer's list, modulo
 *                their number
 *   the rest     the choices, one a byte: which thread makes the next step, which store a load
 *                sees, whether time passes. 0 is what happens undisturbed, and so is what comes
 *                behind the end of the input
 *
 * Where random walk and PCT forget what they have seen, the fuzzer keeps the schedules that reached
 * new code of the implementation and goes on from there. An execution that the explorer would give
 * a verdict other than ok aborts, after its message, its trace, and a string for `chanbench explore
 * --replay` of the same build.
 *
 *   fuzz_schedule [--impl=NAME] [libFuzzer's options and files]
 */
#include "harness/explore/driver/driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SUBJECTS_MAX = 4096, STATUS_USAGE = 2 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct driver_subject subjects[SUBJECTS_MAX];
static size_t subject_count;

static bool take(const struct driver_subject *subject, void *impl)
{
	if (impl == NULL || strcmp(subject->impl->name, impl) == 0)
		subjects[subject_count++] = *subject;
	return subject_count < SUBJECTS_MAX;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char *impl = NULL;
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		char *argument = (*argv)[i];
		if (strncmp(argument, "--plugin=", 9) == 0) {
			fprintf(stderr,
			        "chanbench: fuzz_schedule: no plug-in offers this kind of access: 'chanbench explore "
			        "--plugin-source' has their source\n");
			exit(STATUS_USAGE);
		}
		if (strncmp(argument, "--impl=", 7) == 0)
			impl = argument + 7;
		else
			(*argv)[kept++] = argument;
	}
	*argc = kept;
	driver_programs(take, impl);
	if (subject_count == 0) {
		fprintf(stderr, "chanbench: fuzz_schedule: unknown implementation '%s'\n", impl);
		exit(STATUS_USAGE);
	}
	setenv("CHANBENCH_SPIN", "0", 0);
	return 0;
}

static void fail(const struct driver_subject *subject, const struct explore_result *result)
{
	char name[256];

	driver_subject_name(subject, name, sizeof name);
	fprintf(stderr, "fuzz_schedule: %s: %s\n%s\n%s\nreplay %s\n", name, explore_verdict_name(result->verdict),
	        result->message, result->trace != NULL ? result->trace : "",
	        result->replay != NULL ? result->replay : "");
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct explore_options options = EXPLORE_DEFAULTS;
	struct explore_result result;

	if (size < 2)
		return 0;
	struct driver_subject *subject = &subjects[(data[0] | (unsigned)data[1] << 8) % subject_count];
	options.strategy = EXPLORE_BYTES;
	options.bytes = data + 2;
	options.bytes_count = size - 2;
	options.schedules = 1;
	options.shorten = false;
	if (explore_run(driver_subject_run, subject, &options, &result) != 0) {
		fprintf(stderr, "fuzz_schedule: %s\n", result.message);
		abort();
	}
	if (result.verdict != EXPLORE_OK)
		fail(subject, &result);
	explore_result_free(&result);
	return 0;
}
