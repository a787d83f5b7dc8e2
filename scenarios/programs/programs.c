/* SPDX-License-Identifier: MIT */
#include "scenarios/programs/programs.h"

const struct program *const program_tables[] = {
	programs_mpsc_messages,     programs_mpsc_close,  programs_mpsc_ends,     programs_mpsc_timeout,
	programs_mpsc_claims,       programs_mpsc_permit, programs_mpsc_arm,      programs_mpsc_receivers,
	programs_mpsc_orders,       programs_mpsc_seen,   programs_mpsc_length,   programs_unbounded,
	programs_unbounded_blocks,  programs_select,      programs_oneshot,       programs_broadcast,
	programs_broadcast_handles, programs_watch,       programs_watch_handles, NULL,
};

static void ring(struct chan_waiter *waiter)
{
	struct armed *armed = (struct armed *)waiter;
	armed->woken++;
	sem_post(&armed->bell);
}

void armed_open(struct armed *armed)
{
	armed->waiter.wake = ring;
	sem_init(&armed->bell, 0, 0);
}

void armed_await(struct armed *armed)
{
	while (sem_wait(&armed->bell) != 0)
		;
}
