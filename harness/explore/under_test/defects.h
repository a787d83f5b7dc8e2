/* SPDX-License-Identifier: MIT
 *
 * defects.h - programs with one defect each, and the same without it.
 */
#ifndef CHANBENCH_EXPLORE_UNDER_TEST_DEFECTS_H
#define CHANBENCH_EXPLORE_UNDER_TEST_DEFECTS_H

/* Each is a program for explore_run; its argument is NULL for the correct one, not NULL for the
 * one with the defect. */
int relaxed_publish(void *broken);
int check_then_wait(void *broken);
int if_around_wait(void *broken);
int chase_lev_fence(void *broken);
int rare_order(void *broken);

int leaks(void *broken);
int frees_early(void *broken);
int frees_then_uses(void *broken);
int frees_untouched(void *broken);
int reads_beyond(void *broken);
int frees_twice(void *broken);
int initialises_late(void *broken);
int spins_plainly(void *broken);
int spins_for_ever(void *broken);
int crashes(void *broken);
int overflows_stack(void *broken);
int sleeps_instead(void *broken);
int keeps_state(void *broken);

/* Never ends, and changes something in each step. */
int counts_for_ever(void *arg);

/* A ring that four threads send through and receive from: what schedules a second are measured
 * on. */
int ring_of_four(void *arg);

/* A Vyukov ring, two threads with two operations each. */
int ring_of_two(void *arg);

#endif
