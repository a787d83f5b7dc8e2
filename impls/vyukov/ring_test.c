/* SPDX-License-Identifier: MIT */
#include "impls/vyukov/ring.c"

#define LANE_TESTED chan_vyukov_mpsc_ops

static uint64_t claim_slot(struct lane *lane)
{
	uint64_t at = atomic_load(&lane->ring.tail);

	atomic_store(&lane->ring.tail, ring_next(&lane->ring, at));
	return at;
}

static void fill_slot(struct lane *lane, uint64_t at, uint64_t v)
{
	ring_write(&lane->ring, at, &v, 1);
}

static uint64_t claim_message(struct lane *lane)
{
	uint64_t at = atomic_load(&lane->ring.head);

	atomic_store(&lane->ring.head, ring_next(&lane->ring, at));
	return at;
}

static void free_slot(struct lane *lane, uint64_t at)
{
	uint64_t v;

	ring_read(&lane->ring, at, &v, 1);
}

#include "impls/fastpath/bounded_testing.h"

int main(void)
{
	return lane_tests();
}
