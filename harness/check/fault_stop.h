/* SPDX-License-Identifier: MIT
 *
 * fault_stop.h - a thread that is stopped in the middle of what it does, at any instruction.
 *
 * The processor's single-step flag counts the instructions of the thread that sets it; at the one
 * asked for, the thread waits in the trap's handler until it is told to go on, as a thread does
 * that the scheduler has taken the processor from. Nothing is guessed: the same stop is the same
 * instruction. One thread at a time.
 *
 *   in the thread                              in the test
 *   fault_stop_begin(17);                      if (fault_stop_wait())      it stands
 *   ops->send(tx, &value, CHAN_NOW);                   ... what do the others?
 *   n = fault_stop_end();                      fault_stop_resume();
 */
#ifndef CHANBENCH_CHECK_FAULT_STOP_H
#define CHANBENCH_CHECK_FAULT_STOP_H

#include <stdbool.h>
#include <stddef.h>

/* Before each run. False: not on this machine (other than x86-64) or in this build
 * (ThreadSanitizer delays signals). */
bool fault_stop_ready(void);
extern const char fault_stop_why[];

/* The calling thread stops at its `k`-th instruction from here, from 1; SIZE_MAX: it only
 * counts. */
void fault_stop_begin(size_t k);
/* How many instructions there were, up to the stop. */
size_t fault_stop_end(void);

/* Waits until the thread stands (true) or has come to its end. */
bool fault_stop_wait(void);
void fault_stop_resume(void);

#endif
