/* SPDX-License-Identifier: MIT
 *
 * look.h - what a program under test can ask the explorer about its own threads, and should know of
 * its memory.
 *
 * Some rules speak of what a blocked thread does when it goes on ("looks again after it was
 * woken"). A program on real threads can hardly tell whether a thread is blocked, and never whether
 * it has gone on meanwhile. Here it can.
 *
 * SEAM: the four functions are weak. An explorable program is linked with the runtime, which
 * defines them (runtime/settle.c, posix/thread.c). On real threads nobody does, and they are NULL:
 * a program asks before it calls one.
 */
#ifndef CHANBENCH_EXPLORE_LOOK_H
#define CHANBENCH_EXPLORE_LOOK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Each byte of memory that was not initialised. A number that looks like it is what a program
 * uses that wants to see it mistaken for one. */
#define EXPLORE_FRESH 0xb1

/* Whether the thread is blocked at this moment; `*steps` is how many steps it has made. A step
 * of the caller: what it does with the answer depends on everything that others did before. */
bool explore_pthread_blocked(pthread_t thread, uint64_t *steps) __attribute__((weak));

/* Waits until every other thread is blocked, or waits for this, too: nobody can make a step but
 * by a deadline that has not come. What the others stored by then is seen from now on, as after
 * a system call of each of them; it does not happen-before it: a race stays one. */
void explore_settle(void) __attribute__((weak));

/* From now on, deadlines that are further away than this come only when nobody can go on, and
 * the nearest first. So far no machine is slow. (Without it any deadline may come at any
 * moment.) */
void explore_patience(uint64_t ns) __attribute__((weak));

/* A line in the trace, where one is made: what the caller is about to do. */
void explore_note(const char *text) __attribute__((weak));

#endif
