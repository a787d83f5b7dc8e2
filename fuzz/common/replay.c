/* SPDX-License-Identifier: MIT
 *
 * replay.c - runs the inputs that it is given, once each, without a fuzzing engine.
 *
 *   fuzz_mpsc_replay [--impl=NAME] [--plugin=FILE] FILE-OR-FOLDER...
 *
 * A folder stands for all files in it. The first input that goes wrong ends the process; the report
 * names it.
 */
#include "fuzz/common/target.h"
#include "fuzz/common/trace.h"
#include "harness/say.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 20, HUNG_SECONDS = 20 };

static size_t inputs;
static char current[PATH_MAX];

/* The process is about to end in any case: that these calls are not safe in a handler can only
 * cost the message. */
static void name_input(int signal_number)
{
	if (signal_number == SIGALRM) {
		trace_print();
		fprintf(stderr, "%s: the last step did not return within %d s\n", program_invocation_short_name,
		        HUNG_SECONDS);
	}
	fprintf(stderr, "the input is %s\n", current);
	signal(signal_number, SIG_DFL);
	raise(signal_number == SIGALRM ? SIGABRT : signal_number);
}

static void fail(const char *path)
{
	say("%s: %s: %s", program_invocation_short_name, path, strerror(errno));
	exit(EXIT_USAGE);
}

static void run_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		fail(path);
	size_t size = fread(data, 1, sizeof data, file);
	if (ferror(file))
		fail(path);
	fclose(file);
	snprintf(current, sizeof current, "%s", path);

	/* In memory of just that size, so that a sanitizer sees a read behind it. */
	uint8_t *input = malloc(size > 0 ? size : 1);
	if (input == NULL)
		fail(path);
	memcpy(input, data, size);
	alarm(HUNG_SECONDS);
	LLVMFuzzerTestOneInput(input, size);
	alarm(0);
	free(input);
	inputs++;
}

static void run_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		fail(path);
	for (int i = 0; i < count; i++) {
		char inside[PATH_MAX];

		if (entries[i]->d_name[0] != '.') {
			snprintf(inside, sizeof inside, "%s/%s", path, entries[i]->d_name);
			run_file(inside);
		}
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	LLVMFuzzerInitialize(&argc, &argv);
	if (argc < 2) {
		say("usage: %s [--impl=NAME] [--plugin=FILE] FILE-OR-FOLDER...", program_invocation_short_name);
		return EXIT_USAGE;
	}
	signal(SIGABRT, name_input);
	signal(SIGALRM, name_input);
	clock_t began = clock();
	for (int i = 1; i < argc; i++) {
		struct stat at;

		if (stat(argv[i], &at) != 0)
			fail(argv[i]);
		if (S_ISDIR(at.st_mode))
			run_folder(argv[i]);
		else
			run_file(argv[i]);
	}
	if (inputs == 0) {
		say("%s: there is no input in what was named", program_invocation_short_name);
		return EXIT_USAGE;
	}
	double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
	printf("%s: %zu inputs in %.3f s of CPU (%.0f a second), all as the model says\n",
	       program_invocation_short_name, inputs, seconds, seconds > 0 ? (double)inputs / seconds : 0);
	return EXIT_GOOD;
}
