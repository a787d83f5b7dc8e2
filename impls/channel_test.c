/* SPDX-License-Identifier: MIT
 *
 * What channel.h does by itself: deadlines and owned permits. channel_cxx_test.cc is the same as
 * C++17.
 */
#include "impls/channel_test.h"
#include "impls/channels.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void deadlines_saturate_and_are_never_now(void **state)
{
	(void)state;
	assert_int_equal(chan_deadline_in(UINT64_MAX), CHAN_FOREVER);
	assert_int_equal(chan_deadline_in(UINT64_MAX - 1), CHAN_FOREVER);
	assert_true(chan_deadline_in(0) != CHAN_NOW);
	assert_true(chan_deadline_in(0) <= chan_now()); /* past, or just now */
	uint64_t before = chan_now(), deadline = chan_deadline_in(1000), after = chan_now();
	assert_true(deadline >= before + 1000 && deadline <= after + 1000);
	/* the largest that does not saturate, nearly */
	uint64_t far = UINT64_MAX - after - 1000000000u;
	assert_true(chan_deadline_in(far) < CHAN_FOREVER && chan_deadline_in(far) > UINT64_MAX / 2);
}

static void owned_permits_move_their_sender(void **state)
{
	(void)state;
	int tried = 0;
	for (size_t i = 0; chan_registry[i] != NULL; i++) {
		const struct chan_mpsc_ops *ops = chan_registry[i]->mpsc;
		if (ops == NULL || ops->reserve == NULL || ops->close == NULL)
			continue;
		assert_null(owned_permits(ops));
		tried++;
	}
	if (tried == 0)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlines_saturate_and_are_never_now),
		cmocka_unit_test(owned_permits_move_their_sender),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
