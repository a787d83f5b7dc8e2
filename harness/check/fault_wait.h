/* SPDX-License-Identifier: MIT
 *
 * fault_wait.h - waits that end for no reason, and a wall clock that jumps.
 *
 * The waits are those of pthread_cond_*wait, cnd_*wait, sem_*wait, and of the futex through
 * syscall(). The wall clock is read by clock_gettime, gettimeofday, time and timespec_get. The
 * machine's clock is never touched. What this process is told of it is shifted, and a wait until a
 * time of the wall clock ends when the shifted clock says so.
 *
 *   if (!fault_wait_ready())
 *           untestable(fault_wait_why);
 *   fault_wait_disturb(50);                this thread's next 50 waits are over at once, by turns
 *                                          as a wakeup, EINTR, EAGAIN
 *   status = ops->recv(rx, &value, CHAN_FOREVER);
 *   n = fault_wait_disturbed();            how many were; none from here on
 */
#ifndef CHANBENCH_CHECK_FAULT_WAIT_H
#define CHANBENCH_CHECK_FAULT_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True: from now on waits and the wall clock are seen. */
bool fault_wait_ready(void);
extern const char fault_wait_why[];

void fault_wait_disturb(size_t n);
size_t fault_wait_disturbed(void);

/* Announces that the wall clock will be stepped. From now on a wait for a time of the wall clock
 * looks at the clock every millisecond, and no thread may be woken until the step. Each such wait
 * adds to fault_clock_waiters. */
void fault_clock_expect(void);
size_t fault_clock_waiters(void);

/* The clock jumps by so many seconds, and is not expected to jump again. */
void fault_clock_step(int64_t seconds);

#endif
