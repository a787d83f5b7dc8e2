/* SPDX-License-Identifier: MIT
 *
 * mpsc.h - an input as a sequence of operations on an mpsc or unbounded channel and on its model.
 * What its bytes mean: mpsc.c.
 */
#ifndef CHANBENCH_FUZZ_RUN_MPSC_H
#define CHANBENCH_FUZZ_RUN_MPSC_H

#include "fuzz/common/bytes.h"
#include "impls/channel.h"

/* Runs one input. */
void mpsc_run(const struct chan_impl *impl, const struct chan_mpsc_ops *ops, bool bounded, struct bytes *in);

#endif
