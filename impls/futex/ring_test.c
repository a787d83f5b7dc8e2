/* SPDX-License-Identifier: MIT */
#include "impls/futex/ring.c"

#define LANE_TESTED chan_futex_mpsc_ops

static uint64_t claim_slot(struct lane *lane)
{
	return atomic_fetch_add(&lane->ring.claim, 2);
}

static void fill_slot(struct lane *lane, uint64_t at, uint64_t v)
{
	ring_publish(&lane->ring, at, &v, 1, &lane->gate);
}

static uint64_t claim_message(struct lane *lane)
{
	return atomic_fetch_add(&lane->ring.head, 2);
}

static void free_slot(struct lane *lane, uint64_t at)
{
	atomic_store(&lane->ring.taken[ring_place(&lane->ring, at)], ring_lap(&lane->ring, at));
}

#include "impls/fastpath/bounded_testing.h"

int main(void)
{
	return lane_tests();
}
