/* SPDX-License-Identifier: MIT
 *
 * excerpt.h - makes a history that is not linearizable small. The rest is not linearizable either,
 * and it is what a reader is shown.
 *
 * 1. The history is cut to its shortest beginning that is wrong: no order explains the last result
 *    of it.
 * 2. Operations are left out that a right history could lose and still be right (spec_role), as
 *    long as the rest is still wrong.
 */
#ifndef CHANBENCH_STRESS_EXCERPT_H
#define CHANBENCH_STRESS_EXCERPT_H

#include "harness/stress/search.h"

/* Replaces `*count` operations at `ops` by a smaller wrong history; `history` is what they came
 * from. Returns the index of the operation that returned last of those without which it was
 * right. */
size_t excerpt(const struct history *history, const struct spec *spec, struct op *ops, size_t *count,
               void (*alive)(void));

#endif
