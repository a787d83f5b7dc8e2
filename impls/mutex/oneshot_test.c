/* SPDX-License-Identifier: MIT */
#include "impls/testing/items_testing.h"
#include "impls/mutex/oneshot.c"

#define ONESHOT           chan_mutex_oneshot_ops
#define ONESHOT_VALUE(rx) (((struct oneshot *)((struct handle *)(rx))->core)->value)
#include "impls/testing/oneshot_testing.h"

int main(void)
{
	const struct CMUnitTest tests[] = {ONESHOT_TESTS};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
