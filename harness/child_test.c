/* SPDX-License-Identifier: MIT */
#include "harness/child.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS ((uint64_t)1000000)

struct heard {
	int lines;
	char last[64];
};

static void hear(const char *line, void *arg)
{
	struct heard *heard = arg;
	heard->lines++;
	snprintf(heard->last, sizeof heard->last, "%s", line);
}

static struct child_result run_body(int (*body)(int, void *), void *arg, uint64_t silence, uint64_t total,
                                    struct heard *heard)
{
	struct child_result result;
	*heard = (struct heard){0};
	struct child_spec spec = {.body = body,
	                          .arg = arg,
	                          .on_line = hear,
	                          .on_line_arg = heard,
	                          .silence_ns = silence,
	                          .total_ns = total};
	child_run(&spec, &result);
	return result;
}

static void expect_text(const struct child_result *result, const char *text)
{
	char got[128];
	child_describe(result, got, sizeof got);
	assert_string_equal(got, text);
}

/* ------------------------------------------------------------------------------------------ */

static int body_reports(int pipe, void *arg)
{
	(void)arg;
	printf("to stdout\n");
	fprintf(stderr, "to stderr\n");
	dprintf(pipe, "first\nsecond");
	dprintf(pipe, " half\nnot a whole line");
	return 7;
}

static void test_lines_status_and_output(void **state)
{
	struct heard heard;
	(void)state;
	printf("unwritten output of the parent "); /* must not come out of the child */
	struct child_result result = run_body(body_reports, NULL, 0, 0, &heard);
	assert_int_equal(result.end, CHILD_EXITED);
	assert_int_equal(result.code, 7);
	assert_int_equal(heard.lines, 2);
	assert_string_equal(heard.last, "second half");
	assert_non_null(strstr(result.output, "to stdout\n"));
	assert_non_null(strstr(result.output, "to stderr\n"));
	assert_null(strstr(result.output, "parent"));
	expect_text(&result, "exited with status 7");
}

static int body_crashes(int pipe, void *arg)
{
	dprintf(pipe, "alive\n");
	signal(*(int *)arg, SIG_DFL); /* a sanitizer would make an exit of it */
	raise(*(int *)arg);
	return 0;
}

static void test_crash(void **state)
{
	struct heard heard;
	int number = SIGSEGV;
	(void)state;
	struct child_result result = run_body(body_crashes, &number, 0, 0, &heard);
	assert_int_equal(result.end, CHILD_SIGNALLED);
	assert_int_equal(result.code, SIGSEGV);
	assert_int_equal(heard.lines, 1);
	expect_text(&result, "crashed (SIGSEGV)");
	number = SIGABRT;
	result = run_body(body_crashes, &number, 0, 0, &heard);
	expect_text(&result, "crashed (SIGABRT)");
}

static int body_hangs(int pipe, void *arg)
{
	(void)arg;
	signal(SIGTERM, SIG_IGN);
	dprintf(pipe, "alive\n");
	while (pause() < 0)
		;
	return 0;
}

static void test_hang(void **state)
{
	struct heard heard;
	(void)state;
	struct child_result result = run_body(body_hangs, NULL, 200 * MS, 0, &heard);
	assert_int_equal(result.end, CHILD_HUNG);
	assert_int_equal(heard.lines, 1);
	result.code = 10;
	expect_text(&result, "hung: no progress for 10 s, killed");
}

/* Talks for several times the silence that is allowed, and then ends by itself. */
static int body_talks(int pipe, void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		dprintf(pipe, "%d\n", i);
		usleep(50000);
	}
	return 0;
}

static void test_a_line_is_a_sign_of_life(void **state)
{
	struct heard heard;
	(void)state;
	struct child_result result = run_body(body_talks, NULL, 500 * MS, 0, &heard);
	assert_int_equal(result.end, CHILD_EXITED);
	assert_int_equal(heard.lines, 20);
}

/* Output is none. */
static int body_babbles(int pipe, void *arg)
{
	(void)pipe;
	(void)arg;
	for (;;)
		if (write(STDOUT_FILENO, "babble\n", 7) < 0)
			return 1;
}

static void test_output_is_no_sign_of_life(void **state)
{
	struct heard heard;
	(void)state;
	struct child_result result = run_body(body_babbles, NULL, 200 * MS, 0, &heard);
	assert_int_equal(result.end, CHILD_HUNG);
	assert_in_range(strlen(result.output), sizeof result.output / 2, sizeof result.output - 1);
}

static int body_talks_for_ever(int pipe, void *arg)
{
	(void)arg;
	while (dprintf(pipe, "on and on\n") > 0)
		usleep(1000);
	return 1;
}

static void test_total(void **state)
{
	struct heard heard;
	(void)state;
	struct child_result result = run_body(body_talks_for_ever, NULL, 0, 200 * MS, &heard);
	assert_int_equal(result.end, CHILD_OVERDUE);
	assert_true(heard.lines > 0);
	result.code = 3;
	expect_text(&result, "not done after 3 s, killed");
}

static int body_writes_last(int pipe, void *arg)
{
	(void)pipe;
	(void)arg;
	for (int i = 0; i < 3000; i++)
		printf("line %d\n", i);
	return 0;
}

static void test_the_last_of_the_output_is_kept(void **state)
{
	struct heard heard;
	(void)state;
	struct child_result result = run_body(body_writes_last, NULL, 0, 0, &heard);
	size_t n = strlen(result.output);
	assert_int_equal(n, sizeof result.output - 1);
	assert_string_equal(result.output + n - strlen("line 2999\n"), "line 2999\n");
}

static int body_floods(int pipe, void *arg)
{
	(void)arg;
	char newlines[4096];
	memset(newlines, '\n', sizeof newlines);
	while (write(pipe, newlines, sizeof newlines) > 0)
		;
	return 1;
}

/* Lines that come faster than they are read must not keep the watchdog from its clock. */
static void test_a_flood_of_lines_ends(void **state)
{
	struct heard heard;
	(void)state;
	struct child_result result = run_body(body_floods, NULL, 0, 200 * MS, &heard);
	assert_int_equal(result.end, CHILD_OVERDUE);
	assert_true(heard.lines > 4096);
}

/* Leaves a process behind, which has the pipes open, and says its number. */
static int body_forks(int pipe, void *arg)
{
	bool *own_session = arg;
	pid_t left = fork();
	if (left == 0) {
		if (*own_session)
			setsid();
		for (;;)
			pause();
	}
	dprintf(pipe, "%d\n", (int)left);
	return 0;
}

static void test_nothing_is_left_behind(void **state)
{
	struct heard heard;
	(void)state;
	for (int i = 0; i < 2; i++) {
		bool own_session = i == 1;
		struct child_result result = run_body(body_forks, &own_session, 0, 0, &heard);
		assert_int_equal(result.end, CHILD_EXITED);
		errno = 0;
		assert_int_equal(kill((pid_t)atoi(heard.last), 0), -1);
		assert_int_equal(errno, ESRCH);
	}
}

static void test_programs(void **state)
{
	struct heard heard = {0};
	struct child_result result;
	const char *const shell[] = {"sh", "-c", "echo line >&3; cat; echo shown; exit 4", NULL};
	const char *const missing[] = {"/nowhere/at/all", NULL};
	struct child_spec spec = {.argv = shell, .on_line = hear, .on_line_arg = &heard};
	(void)state;
	child_run(&spec, &result);
	assert_int_equal(result.end, CHILD_EXITED);
	assert_int_equal(result.code, 4);
	assert_string_equal(heard.last, "line");
	assert_string_equal(result.output, "shown\n"); /* and its input was empty */

	spec.argv = missing;
	child_run(&spec, &result);
	assert_int_equal(result.end, CHILD_NOT_STARTED);
	assert_int_equal(result.code, ENOENT);
	expect_text(&result, "could not be started: No such file or directory");
}

static int body_interrupts_parent(int pipe, void *arg)
{
	(void)arg;
	kill(getppid(), SIGTERM);
	return body_hangs(pipe, NULL);
}

/* In a child of its own: an interrupt is for ever. */
static int body_is_interrupted(int pipe, void *arg)
{
	struct heard heard;
	(void)arg;
	child_catch_interrupts();
	struct child_result result = run_body(body_interrupts_parent, NULL, 0, 0, &heard);
	dprintf(pipe, "end %d signal %d\n", result.end == CHILD_INTERRUPTED, child_interrupted());
	result = run_body(body_reports, NULL, 0, 0, &heard);
	dprintf(pipe, "later: end %d lines %d\n", result.end == CHILD_INTERRUPTED, heard.lines);
	return child_interrupted();
}

static void test_interrupt(void **state)
{
	struct heard heard;
	(void)state;
	struct child_result result = run_body(body_is_interrupted, NULL, 0, 0, &heard);
	assert_int_equal(result.end, CHILD_EXITED);
	assert_int_equal(result.code, SIGTERM);
	assert_string_equal(heard.last, "later: end 1 lines 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_status_and_output),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_a_line_is_a_sign_of_life),
		cmocka_unit_test(test_output_is_no_sign_of_life),
		cmocka_unit_test(test_total),
		cmocka_unit_test(test_the_last_of_the_output_is_kept),
		cmocka_unit_test(test_a_flood_of_lines_ends),
		cmocka_unit_test(test_nothing_is_left_behind),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_interrupt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
