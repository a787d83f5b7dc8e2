/* SPDX-License-Identifier: MIT */
#include "harness/say.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const names[] = {"fan_in", "pipeline", "broadcast_lag", "spsc", "mpmc", "ping_pong"};

static const char *nearest(const char *typed)
{
	return say_nearest(typed, names, sizeof names / sizeof names[0]);
}

static void test_nearest_finds_slips_of_the_finger(void **state)
{
	(void)state;
	assert_string_equal(nearest("fanin"), "fan_in");
	assert_string_equal(nearest("fan-in"), "fan_in");
	assert_string_equal(nearest("pssc"), "spsc"); /* two swapped */
	assert_string_equal(nearest("pipelines"), "pipeline");
	assert_string_equal(nearest("broad"), "broadcast_lag"); /* a beginning */
	assert_string_equal(nearest("mpmc"), "mpmc");
}

static void test_nearest_does_not_guess(void **state)
{
	(void)state;
	char longest[4096];
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_null(nearest("watch"));
	assert_null(nearest(""));
	assert_null(nearest("x"));
	assert_null(nearest(longest));
	assert_null(say_nearest("fan_in", names, 0));
	/* One letter for another is a slip in a long name, and everything in a name of one
	 * letter. */
	assert_null(say_nearest("x", (const char *const[]){"y"}, 1));
}

/* What `say` writes, whatever it is given. */
static void said(const char *what, char *text, size_t size)
{
	int fds[2], kept = dup(STDERR_FILENO);
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	say("%s", what);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fds[1]);
	ssize_t n = read(fds[0], text, size - 1);
	assert_true(n > 0);
	text[n] = '\0';
	close(fds[0]);
}

static void test_say_is_one_line(void **state)
{
	char text[16384], longest[12000];
	(void)state;
	said("two\nlines\x1b[2J", text, sizeof text);
	assert_string_equal(text, "chanbench: two lines [2J\n");

	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	said(longest, text, sizeof text);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest_finds_slips_of_the_finger),
		cmocka_unit_test(test_nearest_does_not_guess),
		cmocka_unit_test(test_say_is_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
