/* SPDX-License-Identifier: MIT
 *
 * testing.h - what the runtime's own tests share.
 */
#ifndef CHANBENCH_EXPLORE_TESTING_H
#define CHANBENCH_EXPLORE_TESTING_H

#include "harness/explore/explore.h"

/* Explores, and fails the test with the message when the request is refused. */
void testing_run(int (*program)(void *), void *arg, const struct explore_options *options,
                 struct explore_result *result);

#endif
