/* SPDX-License-Identifier: MIT
 *
 * replay.c - runs the inputs that it is given, once each, without a fuzzing engine.
 *
 *   fuzz_mpsc_replay [--impl=NAME] [--plugin=FILE] FILE-OR-FOLDER...
 *
 * A folder stands for all files in it. The first input that goes wrong ends the process; the report names it.
 */
#include "fuzz/common/target.h"
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

enum { INPUT_MAX = 1 << 20 };

static size_t inputs;
static char current[PATH_MAX];

static void abort_names_input(int signal_number)
{
	(void)signal_number;
	fputs("the input is ", stderr);
	fputs(current, stderr);
	fputc('\n', stderr);
}

static void fail(const char *path)
{
	say("%s: %s: %s", fuzz_target.name, path, strerror(errno));
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
	LLVMFuzzerTestOneInput(input, size);
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
		say("usage: %s [--impl=NAME] [--plugin=FILE] FILE-OR-FOLDER...", argv[0]);
		return EXIT_USAGE;
	}
	signal(SIGABRT, abort_names_input);
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
		say("%s: there is no input in what was named", fuzz_target.name);
		return EXIT_USAGE;
	}
	double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
	printf("%s: %zu inputs in %.3f s of CPU (%.0f a second), all as the model says\n", fuzz_target.name, inputs,
	       seconds, seconds > 0 ? (double)inputs / seconds : 0);
	return EXIT_GOOD;
}
