/* SPDX-License-Identifier: MIT
 *
 * sweep.h - from "producers=1,2 capacity=32" to every combination of parameters that it stands for.
 */
#ifndef CHANBENCH_SWEEP_H
#define CHANBENCH_SWEEP_H

#include "harness/bench/workload.h"

enum { SWEEP_LONGEST = 64 }; /* values of one parameter */

struct sweep {
	struct {
		uint64_t v[SWEEP_LONGEST];
		size_t count;
	} of[PARAM_COUNT];
};

/* Whether the workload has that parameter. */
bool sweep_has(const struct workload *workload, enum param param);

/* Every parameter at its default. */
void sweep_default(const struct workload *workload, struct sweep *sweep);

/* Takes one "name=value,value..." (of the first `length` bytes of `text`) in place of what the
 * sweep has for that parameter. NULL; or one line that says what is wrong with it. */
const char *sweep_set(const struct workload *workload, struct sweep *sweep, const char *text, size_t length);

/* Calls `each` for every combination, the last parameter of the workload running fastest. */
void sweep_each(const struct workload *workload, const struct sweep *sweep,
                void (*each)(const struct params *params, void *arg), void *arg);

#endif
