/* SPDX-License-Identifier: MIT */
#include "harness/bench/cell.h"

#include "harness/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct heard {
	size_t lines;
	char last[512];
};

static void hear(const char *line, void *arg)
{
	struct heard *heard = arg;
	heard->lines++;
	snprintf(heard->last, sizeof heard->last, "%s", line);
}

static int (*cell_body)(void);

static int start(int pipe, void *arg)
{
	(void)arg;
	if (dup2(pipe, 3) != 3)
		return 9;
	return row_open() == 0 ? cell_body() : 8;
}

/* A process that has its pipe as descriptor 3, as a cell has, runs `body` (0: well). What it
 * reported is in `heard`. */
static void as_cell(int (*body)(void), struct heard *heard, struct child_result *result)
{
	struct child_spec spec = {.body = start, .on_line = hear, .on_line_arg = heard};
	*heard = (struct heard){.lines = 0};
	cell_body = body;
	child_run(&spec, result);
	assert_int_equal(result->end, CHILD_EXITED);
}

static int forge_and_close(void)
{
	static const char forged[] = "{\"row\":{\"verdict\":\"ok\",\"items_per_second\":1e12}}\n";
	if (write(3, forged, sizeof forged - 1) != sizeof forged - 1)
		return 1;
	close(3);
	row_event("calibrated", "messages", 42);
	return 0;
}

/* What a plug-in does to descriptor 3 is nothing to us. */
static void test_the_pipe_is_out_of_the_way(void **state)
{
	struct heard heard;
	struct child_result result;
	(void)state;
	as_cell(forge_and_close, &heard, &result);
	assert_int_equal(result.code, 0);
	assert_int_equal(heard.lines, 1);
	assert_string_equal(heard.last, "{\"event\":\"calibrated\",\"messages\":42}");
}

static int write_lagged(void)
{
	static const struct workload workload;
	static struct cell_request request;
	static struct trial trial;
	request = (struct cell_request){.workload = &workload, .repetitions = 1};
	const struct cell cell = {.request = &request};
	trial_init(&trial);
	trial.items = 10;
	trial.lagged_count = 3;
	trial.lagged[0] = 7;
	trial.lagged[2] = 2;
	row_write(&cell, &trial, &(struct engine_row){.name = "x", .items_per_second = 1}, 0);
	return 0;
}

static void test_lag_of_each_receiver(void **state)
{
	struct heard heard;
	struct child_result result;
	(void)state;
	as_cell(write_lagged, &heard, &result);
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(heard.last, "\"lagged\":[7,0,2]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_pipe_is_out_of_the_way),
		cmocka_unit_test(test_lag_of_each_receiver),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
