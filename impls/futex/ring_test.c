/* SPDX-License-Identifier: MIT */
#include "impls/futex/ring.c"

#include "impls/testing/bounded.h"

static uint64_t claim_slot(struct bounded *ch)
{
	return atomic_fetch_add(&((struct ring *)ch)->claim, 2);
}

static void fill_slot(struct bounded *ch, uint64_t at, uint64_t v)
{
	ring_publish((struct ring *)ch, at, &v, 1);
}

static uint64_t claim_message(struct bounded *ch)
{
	return atomic_fetch_add(&((struct ring *)ch)->head, 2);
}

static void free_slot(struct bounded *ch, uint64_t at)
{
	struct ring *r = (struct ring *)ch;

	atomic_store(&r->taken[ring_place(r, at)], ring_lap(r, at));
}

int main(void)
{
	return bounded_tests(&(const struct preempted){&chan_futex_mpsc_ops, &store, claim_slot, fill_slot,
	                                               claim_message, free_slot});
}
