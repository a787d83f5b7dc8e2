/* SPDX-License-Identifier: MIT */
#include "harness/bench/results.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], file[128];

static int in_a_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/chanbench-results-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(file, sizeof file, "%s/out.json", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(folder); /* fails when a temporary was left behind */
}

static void put(const char *text)
{
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void expect_old(void)
{
	char text[16] = "";
	FILE *f = fopen(file, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof text - 1, f) > 0);
	fclose(f);
	assert_string_equal(text, "old");
}

static void test_round_trip(void **state)
{
	struct results_out out;
	struct stat st;
	(void)state;
	put("old");
	assert_int_equal(chmod(file, 0640), 0);
	assert_int_equal(results_open(&out, file, 1000), 0);
	expect_old(); /* until the very end */
	json_t *context = json_pack("{s:i}", "seed", 7);
	json_t *rows =
		json_pack("[{s:s,s:f,s:s}]", "name", "a/b/c:1", "items_per_second", 1.5, "verdict", "lost \"1\"\n");
	assert_int_equal(results_write(&out, context, rows), 0);
	json_t *back = results_read(file);
	assert_true(json_equal(json_object_get(back, "context"), context));
	assert_true(json_equal(json_object_get(back, "benchmarks"), rows));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	json_decref(back);
	json_decref(context);
	json_decref(rows);
}

static void test_discard_leaves_what_was(void **state)
{
	struct results_out out;
	(void)state;
	put("old");
	assert_int_equal(results_open(&out, file, 1000), 0);
	results_discard(&out);
	expect_old();
	unlink(file);
	assert_int_equal(results_open(&out, file, 1000), 0);
	results_discard(&out);
	assert_int_equal(access(file, F_OK), -1);
}

static void test_what_cannot_be_written(void **state)
{
	struct results_out out;
	(void)state;
	assert_int_equal(results_open(&out, folder, 1), -1);
	assert_int_equal(results_open(&out, "/nowhere/at/all.json", 1), -1);
	assert_int_equal(results_open(&out, "/dev/full", 1), -1);
	assert_int_equal(results_open(&out, file, (size_t)1 << 60), -1); /* no disk is so large */
	assert_int_equal(access("/dev/full", F_OK), 0);
}

static void test_a_pipe_is_written_directly(void **state)
{
	struct results_out out;
	struct stat st;
	char text[256] = "";
	(void)state;
	assert_int_equal(mkfifo(file, 0600), 0);
	int reader = open(file, O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	assert_int_equal(results_open(&out, file, 1000), 0);
	json_t *context = json_object(), *rows = json_array();
	assert_int_equal(results_write(&out, context, rows), 0);
	assert_true(read(reader, text, sizeof text - 1) > 0);
	assert_non_null(strstr(text, "\"benchmarks\""));
	assert_int_equal(stat(file, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	close(reader);
	json_decref(context);
	json_decref(rows);
}

static void test_nobody_reads_the_pipe(void **state)
{
	struct results_out out;
	(void)state;
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(results_open(&out, file, 1000), -1); /* and not: waits for ever */
}

/* A link is never replaced by a file, neither to something nor to nothing. */
static void test_links(void **state)
{
	struct results_out out;
	struct stat st;
	char target[160];
	(void)state;
	snprintf(target, sizeof target, "%s/target.json", folder);
	assert_int_equal(symlink(target, file), 0);
	assert_int_equal(results_open(&out, file, 1000), -1);
	int fd = open(target, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	json_t *context = json_object(), *rows = json_array();
	assert_int_equal(results_open(&out, file, 1000), 0);
	assert_int_equal(results_write(&out, context, rows), 0);
	assert_int_equal(lstat(file, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(target, &st), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_size > 0);
	unlink(target);
	json_decref(context);
	json_decref(rows);
}

static void test_what_is_no_result_file(void **state)
{
	static const char *const bad[] = {"",
	                                  "{",
	                                  "{\"benchmarks\":[{\"name\":\"a\"}",
	                                  "[]",
	                                  "{}",
	                                  "{\"benchmarks\":{}}",
	                                  "{\"benchmarks\":[1]}",
	                                  "{\"benchmarks\":[{}]}",
	                                  "{\"benchmarks\":[{\"name\":1}]}",
	                                  "{\"context\":1,\"benchmarks\":[]}",
	                                  "{\"benchmarks\":[{\"name\":\"a\",\"x\":1e999}]}",
	                                  "{\"benchmarks\":[{\"name\":\"a\",\"x\":99999999999999999999}]}"};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		put(bad[i]);
		assert_null(results_read(file));
	}
	assert_null(results_read(folder));
	assert_null(results_read("/nowhere/at/all.json"));
	put("{\"benchmarks\":[]}");
	json_t *good = results_read(file);
	assert_non_null(good);
	json_decref(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, in_a_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_discard_leaves_what_was, in_a_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_written, in_a_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_a_pipe_is_written_directly, in_a_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_nobody_reads_the_pipe, in_a_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_links, in_a_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_what_is_no_result_file, in_a_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
