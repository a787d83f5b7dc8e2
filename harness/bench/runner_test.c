/* SPDX-License-Identifier: MIT
 *
 * The runner against cells that are shell scripts: they speak the protocol of a cell, and end in
 * every way that a cell can end in.
 */
#include "harness/bench/runner.h"

#include "harness/bench/summary.h"
#include "harness/bench/table.h"

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

enum { PROCESSES = 3, REPETITIONS = 2 };

static struct impl_info infos[2];
static const struct impl_set set = {.infos = infos, .count = 2};
static struct plan plan;
static char script[64], record[80];

/* Implementation `a` always behaves; `b` does `misdeed` instead of (or after) its second trial. */
static void write_script(const char *misdeed)
{
	FILE *file = fopen(script, "w");
	assert_non_null(file);
	fprintf(file,
	        "#!/bin/sh\n"
	        "echo \"$@\" >>%s\n"
	        "row() { echo "
	        "'{\"row\":{\"name\":\"x\",\"run_type\":\"iteration\",\"repetition_index\":'$1',\"verdict\":\"ok\","
	        "\"items_per_second\":1000,\"error_occurred\":false}}' >&3; }\n"
	        "echo '{\"event\":\"calibrated\",\"messages\":4321}' >&3\n"
	        "row 0\n"
	        "case \"$*\" in *--impl=b*) %s ;; esac\n"
	        "row 1\n"
	        "echo '{\"event\":\"done\"}' >&3\n",
	        record, misdeed);
	assert_int_equal(fchmod(fileno(file), 0700), 0);
	fclose(file);
}

static int setup(void **state)
{
	(void)state;
	memset(infos, 0, sizeof infos);
	for (int i = 0; i < 2; i++) {
		snprintf(infos[i].name, sizeof infos[i].name, "%c", "ab"[i]);
		infos[i].offered[KIND_MPSC] = UINT64_MAX;
	}
	strcpy(infos[1].plugin, "/some/where/b.so");
	strcpy(script, "/tmp/chanbench-runner-XXXXXX");
	int fd = mkstemp(script);
	if (fd < 0)
		return -1;
	close(fd);
	snprintf(record, sizeof record, "%s.record", script);
	struct plan_request request = {
		.scenarios = "spsc", .params = (const char *[]){"capacity=7"}, .param_count = 1, .controls = true};
	return plan_make(&plan, &request, &set);
}

static int teardown(void **state)
{
	(void)state;
	plan_close(&plan);
	unlink(script);
	unlink(record);
	return 0;
}

static json_t *run(const char *misdeed, uint64_t seed)
{
	json_t *rows = json_array();
	struct run_options options = {.program = script,
	                              .processes = PROCESSES,
	                              .repetitions = REPETITIONS,
	                              .seconds = 0.1,
	                              .timeout = 1,
	                              .seed = seed,
	                              .placement = "free"};
	unlink(record);
	write_script(misdeed);
	assert_int_equal(run_plan(&plan, &options, rows), RUN_DONE);
	/* Whatever happens, each trial of each cell has its row. */
	assert_int_equal(json_array_size(rows), plan.cell_count * PROCESSES * REPETITIONS);
	return rows;
}

/* How often each verdict stands in the rows of `b`; all others must be ok. */
static void expect_verdicts(json_t *rows, const char *verdict, size_t n, size_t skipped, size_t ok)
{
	json_t *row;
	size_t i, seen[3] = {0};
	json_array_foreach(rows, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *got = json_string_value(json_object_get(row, "verdict"));
		bool failed = json_is_true(json_object_get(row, "error_occurred"));
		if (strncmp(name, "spsc/b/", 7) != 0) {
			assert_string_equal(got, "ok");
			continue;
		}
		assert_string_equal(json_string_value(json_object_get(row, "plugin")), "b.so");
		seen[0] += strcmp(got, verdict) == 0 && strcmp(verdict, "ok") != 0;
		seen[1] += strcmp(got, "skipped") == 0;
		seen[2] += strcmp(got, "ok") == 0;
		assert_int_equal(failed, strcmp(got, "ok") != 0);
		assert_int_equal(json_object_get(row, "items_per_second") != NULL, !failed);
	}
	assert_int_equal(seen[0], n);
	assert_int_equal(seen[1], skipped);
	assert_int_equal(seen[2], ok);
}

static void test_all_is_well(void **state)
{
	(void)state;
	json_t *rows = run(":", 1), *row;
	size_t i;
	expect_verdicts(rows, "ok", 0, 0, PROCESSES * REPETITIONS);
	json_array_foreach(rows, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *control = json_string_value(json_object_get(row, "control"));
		assert_int_equal(json_integer_value(json_object_get(row, "order")), i);
		if (strncmp(name, "spsc/null/", 10) == 0)
			assert_string_equal(control, "null");
		else if (strncmp(name, "spsc/a@aa/", 10) == 0)
			assert_string_equal(control, "aa");
		else if (strncmp(name, "limits/limit/", 13) == 0)
			assert_string_equal(control, "limit");
		else
			assert_null(control);
	}
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_true(table_print(&plan, rows, &(struct screen){.out = out, .columns = 100}));
	fclose(out);
	/* The limits once, and then one table. */
	const char *null = strstr(text, "null (floor)"), *futex = strstr(text, "futex (limit)");
	assert_true(futex != NULL && null > futex && strstr(futex + 1, "futex (limit)") == NULL);
	for (size_t k = 0; limits.modes[k] != NULL; k++)
		assert_non_null(strstr(text, limits.modes[k]));
	free(text);
	json_decref(rows);
}

/* The order of the cells as the script saw it, and the message counts that they were given. */
static void read_record(char *order, size_t size, size_t *calibrations)
{
	char line[1024];
	FILE *file = fopen(record, "r");
	size_t n = 0;
	assert_non_null(file);
	*calibrations = 0;
	while (fgets(line, sizeof line, file) != NULL && n + 1 < size) {
		order[n++] = strstr(line, "--control=null") != NULL    ? 'n'
		             : strstr(line, "--control=limit") != NULL ? 'l'
		             : strstr(line, "--impl=a") != NULL        ? 'a'
		                                                       : 'b';
		*calibrations += strstr(line, "--messages=0 ") != NULL;
		assert_true(strstr(line, "--messages=0 ") != NULL || strstr(line, "--messages=4321 ") != NULL);
	}
	order[n] = '\0';
	fclose(file);
}

static void test_order_and_calibration(void **state)
{
	char order[2][64], other[64];
	size_t calibrations;
	(void)state;
	for (int i = 0; i < 2; i++) {
		json_decref(run(":", 5));
		read_record(order[i], sizeof order[i], &calibrations);
		assert_int_equal(strlen(order[i]), (4 + 5) * PROCESSES);
		/* null, a, b, and the limits: the A/A pair shares one */
		assert_int_equal(calibrations, 3 + 5);
	}
	assert_string_equal(order[0], order[1]);
	bool differs = false;
	for (uint64_t seed = 6; seed < 10; seed++) {
		json_decref(run(":", seed));
		read_record(other, sizeof other, &calibrations);
		differs |= strcmp(order[0], other) != 0;
	}
	assert_true(differs);
}

static void expect_misdeed(const char *misdeed, const char *verdict)
{
	json_t *rows = run(misdeed, 1);
	expect_verdicts(rows, verdict, 1, PROCESSES * REPETITIONS - 2, 1);
	json_t *cells = summary_by_cell(rows), *cell;
	const char *name;
	json_object_foreach(cells, name, cell)
		assert_string_equal(summary_verdict(cell), strncmp(name, "spsc/b/", 7) == 0 ? verdict : "ok");
	FILE *nowhere = fopen("/dev/null", "w");
	assert_false(table_print(&plan, rows, &(struct screen){.out = nowhere, .columns = 100}));
	fclose(nowhere);
	json_decref(cells);
	json_decref(rows);
}

static void test_misdeeds(void **state)
{
	(void)state;
	expect_misdeed("kill -SEGV $$", "crashed (SIGSEGV)");
	expect_misdeed("exec sleep 1000", "hung: no progress for 1 s, killed");
	expect_misdeed("exit 0", "ended without its trials");
	expect_misdeed("echo 'chanbench: no memory' >&2; exit 3", "exited with status 3: no memory");
	expect_misdeed("echo '==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 (pid)'; exit 1",
	               "AddressSanitizer: heap-use-after-free on address 0x1");
	expect_misdeed("echo garbage >&3; echo '{\"row\":5}' >&3; exit 0", "ended without its trials");
}

/* All trials reported, and the process failed nevertheless: the first one stays, the second is
 * to blame. */
static void test_late_failure(void **state)
{
	(void)state;
	json_t *rows = run("row 1; echo 'WARNING: ThreadSanitizer: data race (pid=7)'; exit 66", 1);
	expect_verdicts(rows, "ThreadSanitizer: data race", 1, PROCESSES * REPETITIONS - 2, 1);
	json_decref(rows);
}

static void test_no_program(void **state)
{
	json_t *rows = json_array();
	struct run_options options = {
		.program = "/nowhere/at/all", .processes = 1, .repetitions = 1, .timeout = 1, .placement = "free"};
	(void)state;
	assert_int_equal(run_plan(&plan, &options, rows), RUN_FAILED);
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_well), cmocka_unit_test(test_order_and_calibration),
		cmocka_unit_test(test_misdeeds),    cmocka_unit_test(test_late_failure),
		cmocka_unit_test(test_no_program),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
