/* SPDX-License-Identifier: MIT
 *
 * excerpt.h - makes a history that is not linearizable small: what is left is not linearizable
 * either, and is what a reader is shown.
 *
 * First the shortest beginning that is wrong already: its last result is the one that nothing
 * explains. Then everything is left out that a right history could do without and be right
 * (spec_role), as long as what remains is still wrong.
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
