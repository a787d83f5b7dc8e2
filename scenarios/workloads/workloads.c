/* SPDX-License-Identifier: MIT
 *
 * workloads.c - the scenarios, by an explicit list. A new one is one file and one line here.
 */
#include "harness/bench/workload.h"

extern const struct workload fan_in, spsc, mpmc, pipeline, broadcast_lag, backpressure, ping_pong, oneshot, watch;

const struct workload *const workloads[] = {
	&fan_in, &pipeline, &broadcast_lag, &backpressure, &spsc, &mpmc, &ping_pong, &oneshot, &watch, NULL,
};
