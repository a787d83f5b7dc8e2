/* SPDX-License-Identifier: MIT
 *
 * broadcast_example.h - broadcast_lag's mode example: the documents' own example of a lagging
 * receiver, again and again, on a fresh channel each time and in one thread: capacity 2, five
 * sends, then "missed 3", message 3, message 4, and closed. An item is one such example.
 */
#ifndef CHANBENCH_BROADCAST_EXAMPLE_H
#define CHANBENCH_BROADCAST_EXAMPLE_H

#include "harness/bench/trial.h"

enum { BROADCAST_EXAMPLE_CAPACITY = 2 };

void broadcast_example(struct trial *trial);

#endif
