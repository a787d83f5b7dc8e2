/* SPDX-License-Identifier: MIT
 *
 * sync_futex.h - what futex and futex_waitv share: a queue for each word, and tags that say who
 * wakes whom.
 */
#ifndef CHANBENCH_EXPLORE_SYNC_FUTEX_H
#define CHANBENCH_EXPLORE_SYNC_FUTEX_H

#include "harness/explore/posix/sync.h"

struct sync_queue *futex_queue(const volatile void *word);
uint64_t futex_tag(bool is_private, uint32_t bits);
long futex_failed(int error); /* sets errno; -1 */

#endif
