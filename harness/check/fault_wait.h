/* SPDX-License-Identifier: MIT
 *
 * fault_wait.h - waits that end for no reason, and a wall clock that jumps.
 *
 * Seen are pthread_cond_*wait, cnd_*wait, sem_*wait and futex waits through syscall(); and for the
 * wall clock clock_gettime, gettimeofday, time and timespec_get. The machine's clock is never
 * touched: what this process is told of it is shifted, and waits until a time of the wall clock end
 * when the shifted clock says so.
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

/* Once it was true, waits and the wall clock are seen. */
bool fault_wait_ready(void);
extern const char fault_wait_why[];

void fault_wait_disturb(size_t n);
size_t fault_wait_disturbed(void);

/* The wall clock will be stepped: from now on waits for a time of the wall clock look at it
 * every millisecond, and nobody may be woken until it was. fault_clock_waiters grows with every
 * such wait. */
void fault_clock_expect(void);
size_t fault_clock_waiters(void);

/* It jumps by so many seconds, and is not expected to jump again. */
void fault_clock_step(int64_t seconds);

#endif
