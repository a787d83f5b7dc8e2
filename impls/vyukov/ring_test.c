/* SPDX-License-Identifier: MIT */
#include "impls/vyukov/ring.c"

#include "impls/testing/bounded.h"

static uint64_t claim_slot(struct bounded *ch)
{
	struct ring *r = (struct ring *)ch;
	uint64_t at = atomic_load(&r->tail);

	atomic_store(&r->tail, ring_next(r, at));
	return at;
}

static void fill_slot(struct bounded *ch, uint64_t at, uint64_t v)
{
	ring_write((struct ring *)ch, at, &v, 1);
}

static uint64_t claim_message(struct bounded *ch)
{
	struct ring *r = (struct ring *)ch;
	uint64_t at = atomic_load(&r->head);

	atomic_store(&r->head, ring_next(r, at));
	return at;
}

static void free_slot(struct bounded *ch, uint64_t at)
{
	uint64_t v;

	ring_read((struct ring *)ch, at, &v, 1);
}

int main(void)
{
	return bounded_tests(&(const struct preempted){&chan_vyukov_mpsc_ops, &store, claim_slot, fill_slot,
	                                               claim_message, free_slot});
}
