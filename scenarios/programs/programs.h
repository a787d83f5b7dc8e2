/* SPDX-License-Identifier: MIT
 *
 * programs.h - the tables of programs, one for each file; program_tables (program.h) lists them.
 */
#ifndef CHANBENCH_PROGRAMS_H
#define CHANBENCH_PROGRAMS_H

#include "harness/explore/driver/program.h"

#include <semaphore.h>

enum {
	ON_MPSC = 1 << KIND_MPSC,
	ON_UNBOUNDED = 1 << KIND_UNBOUNDED,
	ON_ONESHOT = 1 << KIND_ONESHOT,
	ON_BROADCAST = 1 << KIND_BROADCAST,
	ON_WATCH = 1 << KIND_WATCH
};

extern const struct program programs_mpsc_messages[], programs_mpsc_close[], programs_mpsc_ends[],
	programs_mpsc_timeout[], programs_mpsc_claims[], programs_mpsc_permit[], programs_mpsc_arm[],
	programs_mpsc_receivers[], programs_mpsc_orders[], programs_mpsc_seen[], programs_mpsc_length[],
	programs_unbounded[], programs_unbounded_blocks[], programs_select[], programs_oneshot[], programs_broadcast[],
	programs_broadcast_handles[], programs_watch[], programs_watch_handles[];

/* A waiter whose wake counts and rings. `woken` is written by the wake and read after the disarm,
 * both plainly: a wake that still ran then would race. */
struct armed {
	struct chan_waiter waiter; /* first: the wake finds the rest from it */
	unsigned woken;
	sem_t bell;
};

void armed_open(struct armed *armed);
void armed_await(struct armed *armed);

#endif
