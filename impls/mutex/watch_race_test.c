/* SPDX-License-Identifier: MIT */
#include "impls/testing/items_testing.h"
#include "impls/mutex/watch.c"

#define WATCH chan_mutex_watch_ops
#include "impls/testing/watch_race_testing.h"

int main(void)
{
	const struct CMUnitTest tests[] = {WATCH_RACE_TESTS};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
