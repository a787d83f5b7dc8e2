/* SPDX-License-Identifier: MIT
 *
 * Drivers that are shell scripts: one that behaves, and many that are missing, crash, hang, print
 * garbage or lie.
 */
#include "harness/bench/driver.h"
#include "harness/bench/runner.h"

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

enum { PROCESSES = 2, REPETITIONS = 2 };

static char script[64];

#define GOOD_LIST                                                                                                      \
	"{\"protocol\":1,\"implementations\":[{\"name\":\"stranger\",\"version\":\"7\",\"package\":\"far away 7\","    \
	"\"kinds\":[\"mpsc\",\"oneshot\"],\"offers\":[\"mpsc.sender_clone\"],\"sizes\":[8,64],\"capacity_most\":100,"  \
	"\"scenarios\":[\"spsc\",\"fan_in\",\"backpressure\"],\"without\":[\"backpressure:deadline\"]}]}"

/* Lists as `list` says, and runs as `run` says: shell text, with row N to print a good row of N
 * items. */
static void write_driver(const char *list, const char *run)
{
	FILE *file = fopen(script, "w");
	assert_non_null(file);
	fprintf(file,
	        "#!/bin/sh\n"
	        "row() { echo '{\"row\":{\"verdict\":\"ok\",\"items\":'$1',\"seconds\":0.0001,\"p50_ns\":17,"
	        "\"max_ns\":\"many\",\"invented\":1}}'; }\n"
	        "ready() { echo '{\"event\":\"calibrated\",\"messages\":4321}'; }\n"
	        "if [ \"$1\" = list ]; then %s; exit; fi\n"
	        "%s\n",
	        list, run);
	assert_int_equal(fchmod(fileno(file), 0700), 0);
	fclose(file);
}

static int make_script(void **state)
{
	(void)state;
	strcpy(script, "/tmp/chanbench-driver-XXXXXX");
	int fd = mkstemp(script);
	return fd < 0 ? -1 : close(fd);
}

static int remove_script(void **state)
{
	(void)state;
	return unlink(script);
}

static void test_list(void **state)
{
	struct impl_set set = {0};
	struct block block = {.kind = KIND_MPSC};
	(void)state;
	write_driver("echo '" GOOD_LIST "'", "");
	assert_int_equal(driver_add(&set, script), 0);
	assert_int_equal(set.count, 1);
	const struct impl_info *info = &set.infos[0];
	assert_string_equal(info->name, "stranger");
	assert_string_equal(info->version, "7");
	assert_string_equal(info->package, "far away 7");
	assert_true(info->peer);
	assert_true(info->driver.named);
	assert_true(info_offers(info, KIND_MPSC, "recv"));
	assert_true(info_offers(info, KIND_MPSC, "sender_clone"));
	assert_false(info_offers(info, KIND_MPSC, "receiver_clone"));
	assert_int_equal(info->offered[KIND_WATCH], 0);

	for (size_t i = 0; workloads[i] != NULL; i++) {
		block.workload = workloads[i];
		params_default(workloads[i], &block.params);
		block.params.v[PARAM_CAPACITY] = 100;
		const char *lacks = driver_lacks(info, &block);
		bool has = strcmp(workloads[i]->name, "spsc") == 0 || strcmp(workloads[i]->name, "fan_in") == 0 ||
		           strcmp(workloads[i]->name, "backpressure") == 0;
		if (has)
			assert_null(lacks);
		else
			assert_string_equal(lacks, workloads[i]->name);
		if (strcmp(workloads[i]->name, "backpressure") == 0) {
			block.params.v[PARAM_MODE] = 2;
			assert_string_equal(driver_lacks(info, &block), "deadline");
			block.params.v[PARAM_MODE] = 0;
			block.params.v[PARAM_CAPACITY] = 101;
			assert_string_equal(driver_lacks(info, &block), "capacity");
			block.params.v[PARAM_CAPACITY] = 1;
			block.params.v[PARAM_SIZE] = 16;
			assert_string_equal(driver_lacks(info, &block), "size");
		}
	}

	/* The name is taken by now: nothing is added, and nothing is wrong. */
	assert_int_equal(driver_add(&set, script), 0);
	assert_int_equal(set.count, 1);
	impl_set_close(&set);
}

static void test_lists_that_are_wrong(void **state)
{
	static const char *const lists[] = {
		"exit 1",
		"kill -SEGV $$",
		"sleep 60",
		"echo 'not JSON'",
		"echo '[]'",
		"echo '{\"protocol\":2,\"implementations\":[]}'",
		"echo '{\"protocol\":1}'",
		"echo '{\"protocol\":1,\"implementations\":[{}]}'",
		"echo '" GOOD_LIST "' | sed 's/stranger/A stranger/'",
		"echo '" GOOD_LIST "' | sed 's/\"oneshot\"/\"telephone\"/'",
		"echo '" GOOD_LIST "' | sed 's/sender_clone/sender_crown/'",
		/* of a kind that it does not have */
		"echo '" GOOD_LIST "' | sed 's/mpsc.sender_clone/watch.subscribe/'",
		"echo '" GOOD_LIST "' | sed 's/\"scenarios\":\\[[^]]*/\"scenarios\":[/'",
		"echo '" GOOD_LIST "' | sed 's/8,64/8,-1/'",
		"echo '" GOOD_LIST "' | sed 's/:100/:\"much\"/'",
		"yes '{'",
	};
	struct impl_set set = {0};
	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		write_driver(lists[i], "");
		assert_int_equal(driver_add(&set, script), -1);
		assert_int_equal(set.count, 0);
	}
	assert_int_equal(driver_add(&set, "/nowhere/driver"), -1);
	assert_int_equal(driver_add(&set, "/tmp"), -1);
	impl_set_close(&set);
}

/* Runs one cell of a driver that behaves so; gives its rows. */
static json_t *run(const char *text)
{
	struct impl_set set = {0};
	struct plan plan;
	struct plan_request request = {
		.impls = "stranger", .scenarios = "spsc", .params = (const char *[]){"capacity=7"}, .param_count = 1};
	struct run_options options = {.program = "/nowhere/chanbench",
	                              .processes = PROCESSES,
	                              .repetitions = REPETITIONS,
	                              .seconds = 0.001,
	                              .timeout = 0.5,
	                              .seed = 5,
	                              .placement = "one"};
	json_t *rows = json_array();
	write_driver("echo '" GOOD_LIST "'", text);
	assert_int_equal(driver_add(&set, script), 0);
	assert_int_equal(plan_make(&plan, &request, &set), 0);
	assert_int_equal(run_plan(&plan, &options, rows), RUN_DONE);
	/* Whatever happens, each trial has its row. */
	assert_int_equal(json_array_size(rows), PROCESSES * REPETITIONS);
	plan_close(&plan);
	impl_set_close(&set);
	return rows;
}

static void test_run(void **state)
{
	json_t *rows = run("case \"$*\" in\n"
	                   "'run --scenario=spsc --impl=stranger --capacity=7 --size=8 --batch=1 --rate=0 "
	                   "--repetitions=2 --seconds=0.001 --messages='*' --placement=one --seed='*) ;;\n"
	                   "*) echo \"$@\" >&2; exit 9 ;; esac\n"
	                   "ready; row 4321; row 4321; echo '{\"event\":\"done\"}'"),
	       *row;
	size_t i;
	(void)state;
	json_array_foreach(rows, i, row)
	{
		assert_string_equal(json_string_value(json_object_get(row, "verdict")), "ok");
		assert_int_equal(json_integer_value(json_object_get(row, "items")), 4321);
		assert_true(json_real_value(json_object_get(row, "items_per_second")) > 43209999.0);
		assert_int_equal(json_integer_value(json_object_get(row, "p50_ns")), 17);
		assert_null(json_object_get(row, "max_ns"));
		assert_null(json_object_get(row, "invented"));
		assert_int_equal(json_integer_value(json_object_get(row, "repetition_index")), i % REPETITIONS);
		assert_non_null(strstr(json_string_value(json_object_get(row, "name")), "spsc/stranger/"));
		assert_non_null(strstr(script, json_string_value(json_object_get(row, "driver"))));
	}
	json_decref(rows);
}

static void test_runs_that_are_wrong(void **state)
{
	static const struct {
		const char *text, *verdict;
	} wrong[] = {
		{"ready; row 4321; row 4320", "the driver claims 4320 items, and 4321 were to be"},
		{"ready; row 4321; row 5000", "the driver claims 5000 items, and 4321 were to be"},
		{"row 4321; row 4321", "and not before how many messages it has"},
		{"ready; row 4321 | sed s/0.0001/9/; row 4321", "the driver claims trials of 9 s in the first"},
		{"ready; row 4321 | sed s/0.0001/0/; row 4321", "the driver claims a trial of 0 s"},
		{"ready; row 4321 | sed s/0.0001/-3/; row 4321", "the driver claims a trial of -3 s"},
		{"ready; row 4321 | sed s/verdict/opinion/; row 4321", "does not say how a trial ended"},
		{"ready; row '\"all\"'; row 4321", "does not say \"items\" and \"seconds\""},
		{"ready; row 4321 | sed 's/\"ok\"/\"lost 3 of 4321 messages\"/'; row 4321", "lost 3 of 4321 messages"},
		{"ready; row 4321; echo Segmentation fault; row 4321",
	         "a line that is not of the protocol: Segmentation"},
		{"ready; echo '{\"event\":\"calibrated\",\"messages\":1}'; row 4321; row 4321",
	         "1 messages instead of 4321"},
		{"ready; row 4321", "ended without its trials"},
		{"ready; row 4321; echo no such channel >&2; exit 3", "exited with status 3: no such channel"},
		{"ready; row 4321; kill -SEGV $$", "crashed (SIGSEGV)"},
		{"ready; row 4321; sleep 60", "hung: no progress"},
		{"ready; while sleep 0.1; do echo '{\"event\":\"progress\",\"messages\":1}'; done", "not done after"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		json_t *rows = run(wrong[i].text), *row;
		size_t k, seen = 0;
		json_array_foreach(rows, k, row)
		{
			const char *verdict = json_string_value(json_object_get(row, "verdict"));
			bool failed = json_is_true(json_object_get(row, "error_occurred"));
			seen += strstr(verdict, wrong[i].verdict) != NULL;
			assert_int_equal(failed, strcmp(verdict, "ok") != 0);
			assert_int_equal(json_object_get(row, "items_per_second") == NULL, failed);
		}
		if (seen == 0)
			fail_msg("no row says '%s': %s", wrong[i].verdict, json_dumps(rows, 0));
		json_decref(rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_lists_that_are_wrong),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_runs_that_are_wrong),
	};
	return cmocka_run_group_tests(tests, make_script, remove_script);
}
