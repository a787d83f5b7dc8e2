/* SPDX-License-Identifier: MIT
 *
 * straight.h - the way of nearly every operation is to be straight-line code, and the rest
 * elsewhere.
 *
 * CHAN_INLINE is for what stands on that way: with a call in between, a compiler saves registers
 * for it on every operation. CHAN_APART is for what an operation comes to rarely; best as its last
 * call, with the arguments that it was called with, for then nothing has to be saved for it.
 * Measured where each is used: a few ns of operations that take ten to thirty.
 */
#ifndef CHANBENCH_BASE_STRAIGHT_H
#define CHANBENCH_BASE_STRAIGHT_H

#define CHAN_INLINE    inline __attribute__((always_inline))
#define CHAN_APART     __attribute__((noinline))
#define CHAN_RARELY(x) __builtin_expect(!!(x), 0)

#endif
