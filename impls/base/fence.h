/* SPDX-License-Identifier: MIT
 *
 * fence.h - a full fence of which the frequent side pays nothing.
 *
 * The question of every sleeper (Dekker's): one thread announces that it is going to sleep and
 * looks once more whether there is something to do; another makes something to do and looks whether
 * somebody sleeps. Each must see the other's store if the other missed its own, and for that the
 * store and the load of each side need a full fence between them: 10 to 20 ns on each message, for
 * the sake of a sleep that takes 25 us.
 *
 *   who makes something to do (often)         who goes to sleep (rarely)
 *   ---------------------------------         --------------------------
 *   publish                                   announce
 *   chan_fence_light()                        chan_fence_heavy()
 *   read the announcement                     look again; sleep if there is nothing
 *
 * Linux has a system call that runs a full fence on every CPU on which a thread of this process is
 * running: membarrier. The one that goes to sleep makes it, and the others need only keep the
 * compiler from reordering: the fence comes to them, between two of their instructions, before or
 * after the two in question or between them; in each case one side sees the other. (A thread that
 * is not running has gone through the scheduler, which is a full fence too.)
 *
 * Where membarrier is not to be had, both sides run a real fence. The pairing is one of stores
 * before loads only; data is published with release and acquire on the operations themselves.
 *
 * THREADSANITIZER knows neither kind of fence. Nothing here is needed for what it checks: a lost
 * fence is a lost wake, never a race on data.
 */
#ifndef CHANBENCH_BASE_FENCE_H
#define CHANBENCH_BASE_FENCE_H

#include "impls/base/fast.h"

/* Every open calls it before it gives out a handle, and so all who use the channel agree. */
void chan_fence_setup(void);

/* For the sides that sleep. Between its stores before and its loads after. */
void chan_fence_heavy(void);

#endif
