/* SPDX-License-Identifier: MIT
 *
 * quiesce.h - waits until nothing moves any more, so that a test can see that a call blocks.
 *
 * A process is quiet when each of its threads but the caller's sleeps (state S) and has done so
 * without a context switch over several consecutive looks at /proc/self/task. A thread that was
 * woken and has not got a processor yet is in state R. So load on the machine makes the wait
 * longer, and never the answer wrong. What a test asserts afterwards ("still blocked") holds until
 * the caller or a timer does something.
 *
 * Under the explorer there is no /proc to look at. It knows itself which threads can go on
 * (harness/explore/driver/rule_expect.c).
 */
#ifndef CHANBENCH_CHECK_QUIESCE_H
#define CHANBENCH_CHECK_QUIESCE_H

#include <stdbool.h>
#include <stdint.h>

/* True when the process is quiet. False when it was not within `bound_ns`: a thread spins, or polls
 * with short sleeps. */
bool quiesce(uint64_t bound_ns);

#endif
