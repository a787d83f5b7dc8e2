/* SPDX-License-Identifier: MIT
 *
 * fault_stop.h - a thread that is stopped in the middle of what it does, at any instruction.
 *
 * With the processor's single-step flag a thread counts its own instructions. At the chosen one it
 * waits in the trap's handler until it is told to go on. It stands there like a thread from which
 * the scheduler has taken the processor. Nothing is guessed: the same number is the same
 * instruction. One thread can be stopped at a time.
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

/* To be called before each run. False: it cannot be done on this machine (other than x86-64) or in
 * this build (ThreadSanitizer delays signals). */
bool fault_stop_ready(void);
extern const char fault_stop_why[];

/* The calling thread stops at its `k`-th instruction from here, from 1. With SIZE_MAX it only
 * counts. */
void fault_stop_begin(size_t k);
/* How many instructions there were, up to the stop. */
size_t fault_stop_end(void);

/* Waits until the thread stands (true) or has reached fault_stop_end. */
bool fault_stop_wait(void);
void fault_stop_resume(void);

#endif
