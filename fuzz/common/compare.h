/* SPDX-License-Identifier: MIT
 *
 * compare.h - after each step: did what happened beside the result agree with the model?
 */
#ifndef CHANBENCH_FUZZ_COMPARE_H
#define CHANBENCH_FUZZ_COMPARE_H

#include "fuzz/common/tally.h"
#include "fuzz/model/step.h"

/* Compares the events of a step: the same messages destroyed, in the same order, and the same
 * waiters fired, those among them that the model marks `in_turn` in the model's order. Does not
 * return if they differ. */
void compare_events(const struct tally *tally, const struct model_step *step);

/* Compares an answer of a *_get; CHAN_UNKNOWN is always an answer where the model expects a
 * number (not offered), and never is a number where the model expects CHAN_UNKNOWN. `handle` is
 * 's', 'r' or 'w'. */
void compare_property(char handle, unsigned number, enum chan_property property, uint64_t expected, uint64_t seen);

#endif
