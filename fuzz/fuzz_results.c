/* SPDX-License-Identifier: MIT
 *
 * fuzz_results.c - bytes as the two result files of `chanbench compare`.
 *
 * The bytes up to the first 0xff are the old file, those after it the new one; without it, both are
 * the same file. 0xff stands in no JSON text, so this takes no file away. Whatever they are, the
 * readers must not crash, leak or be undefined, and a file that is refused must be refused with one
 * line (harness/say.h), which is checked here in place of being printed.
 */
#include "fuzz/common/memory.h"
#include "harness/bench/compare.h"
#include "harness/bench/results.h"
#include "harness/say.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file that the input is written to, by both its names, and where results are printed. Kept
 * from input to input, for speed. */
static int file = -1;
static char path[64];
static FILE *nowhere;

static unsigned lines; /* said since the last look */

static void fail(const char *what, const char *line)
{
	fprintf(stderr, "fuzz_results: %s: %s\n", what, line);
	abort();
}

/* In place of harness/say.c. */
void say(const char *format, ...)
{
	char line[4096];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (length <= 0)
		fail("nothing was said", format);
	if (strchr(line, '\n') != NULL)
		fail("more than one line was said", line);
	lines++;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* no allocation fails: the readers' library is not linked through memory.c */
	memory_fail(0);
	file = memfd_create("result", MFD_CLOEXEC);
	nowhere = fopen("/dev/null", "we");
	if (file < 0 || nowhere == NULL) {
		perror("fuzz_results: no file to write to");
		exit(EXIT_MACHINE);
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	return 0;
}

/* As `chanbench compare` reads a file: NULL after one line. */
static json_t *read_file(const uint8_t *data, size_t size)
{
	if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size) {
		perror("fuzz_results: cannot write the input");
		exit(EXIT_MACHINE);
	}
	lines = 0;
	json_t *root = results_read(path);
	if (lines != (root == NULL))
		fail("a file was refused without a line, or taken with one", path);
	const char *absurd = compare_absurd(json_object_get(root, "benchmarks"));
	if (absurd == NULL)
		return root;
	if (absurd[0] == '\0')
		fail("a file was refused for no reason", path);
	json_decref(root);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *mark = size != 0 ? memchr(data, 0xff, size) : NULL;
	size_t old_size = mark != NULL ? (size_t)(mark - data) : size;
	size_t counts[CHANGE_COUNT] = {0};
	json_t *old_file, *new_file;

	old_file = read_file(data, old_size);
	if (old_file == NULL)
		return 0;
	new_file = mark != NULL ? read_file(mark + 1, size - old_size - 1) : json_incref(old_file);
	if (new_file != NULL &&
	    !compare_print(old_file, new_file, false, true, &(struct screen){.out = nowhere, .columns = 100}, counts))
		fail("two files could not be compared", "out of memory");
	json_decref(new_file);
	json_decref(old_file);
	return 0;
}
