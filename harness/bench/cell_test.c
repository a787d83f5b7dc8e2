/* SPDX-License-Identifier: MIT
 *
 * How many messages a trial gets, found out with a scenario that only claims to have taken its
 * time.
 */
#include "harness/bench/cell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { NS_A_MESSAGE = 100, STALL_NS = 1000000000 };

static struct {
	uint64_t trials;
	uint64_t stalled; /* the trial that the machine holds up; 0: none */
	bool broken;
} scene;

static void run(struct trial *trial)
{
	trial->items = trial->messages;
	trial->use.elapsed_ns = trial->messages * NS_A_MESSAGE;
	if (++scene.trials == scene.stalled)
		trial->use.elapsed_ns += STALL_NS;
	if (scene.broken)
		trial_fail(trial, "lost 1 of %llu messages", (unsigned long long)trial->messages);
}

static const struct workload workload = {.name = "scene", .run = run};

static struct cell calibrate(double seconds, uint64_t stalled, bool broken)
{
	static struct cell_request request;
	request = (struct cell_request){.workload = &workload, .seconds = seconds};
	struct cell cell = {.request = &request};
	scene.trials = 0;
	scene.stalled = stalled;
	scene.broken = broken;
	cell_calibrate(&cell);
	return cell;
}

static void test_as_many_as_take_the_time(void **state)
{
	(void)state;
	assert_in_range(calibrate(0.001, 0, false).messages, 9900, 10100);
	assert_in_range(calibrate(1, 0, false).messages, 9900000, 10100000);
}

/* Whichever trial it is that a stall makes long: the others say how many messages it takes. */
static void test_a_stall_is_not_believed(void **state)
{
	(void)state;
	for (uint64_t stalled = 1; stalled <= 5; stalled++) {
		struct cell cell = calibrate(0.001, stalled, false);
		assert_in_range(cell.messages, 9900, 10100);
		assert_string_equal(cell.calibration, "");
	}
}

static void test_what_is_broken_is_told_and_ends(void **state)
{
	(void)state;
	struct cell cell = calibrate(3600, 0, true);
	assert_string_equal(cell.calibration, "while calibrating: lost 1 of 64 messages");
	assert_true(cell.messages >= 100000); /* enough to show what it does */
	assert_true(cell.messages < 10000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_many_as_take_the_time),
		cmocka_unit_test(test_a_stall_is_not_believed),
		cmocka_unit_test(test_what_is_broken_is_told_and_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
