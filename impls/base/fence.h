/* SPDX-License-Identifier: MIT
 *
 * fence.h - a full fence for which the frequent side pays nothing.
 *
 * Every sleeper raises the question that Dekker's algorithm answers. One thread announces that it
 * is going to sleep, and looks once more whether there is something to do. Another thread makes
 * something to do, and looks whether anybody sleeps. If one of them misses the other's store, the
 * other must see its own. That takes a full fence between the store and the load of each side.
 *
 *   the side that makes something to do (often)     the side that goes to sleep (rarely)
 *   -------------------------------------------     ------------------------------------
 *   1  publishes                                    1  announces
 *   2  chan_fence_light()                           2  chan_fence_heavy()
 *   3  reads the announcement                       3  looks again, and sleeps if there is nothing
 *
 * THE HEAVY SIDE makes the system call membarrier. It runs a full fence on every CPU on which a
 * thread of this process is running. A thread that is not running has gone through the scheduler,
 * which is a full fence too.
 *
 * THE LIGHT SIDE only keeps the compiler from reordering. The heavy side's fence comes to it before
 * step 1, between 1 and 3, or after 3. In the first case step 3 sees the announcement; in the last,
 * the other side's step 3 sees what was published; in between, both do.
 *
 * Where membarrier is not to be had, both sides run a real fence. They do so, too, from the moment
 * at which it is refused: a sandbox is often closed after the first channel was opened (fence.c).
 *
 * ORDER. The pairing orders stores before loads, and nothing else. Data is published with release
 * and acquire on the operations themselves.
 *
 * NOTES
 *
 * What it saves. A full fence is 10 to 20 ns on each message, for the sake of a sleep that takes
 * 25 us.
 *
 * ThreadSanitizer knows neither kind of fence. It needs neither for what it checks: a fence that is
 * missing here is a lost wake, never a race on data.
 */
#ifndef CHANBENCH_BASE_FENCE_H
#define CHANBENCH_BASE_FENCE_H

#include "impls/base/fast.h"

/* Every open calls it before it gives out a handle, so that all threads that use the channel
 * agree on which fence it is. */
void chan_fence_setup(void);

/* Stands between the stores and the loads of the side that goes to sleep. The light side stands in
 * fast.h. */
void chan_fence_heavy(void);

#endif
