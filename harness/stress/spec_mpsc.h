/* SPDX-License-Identifier: MIT
 *
 * spec_mpsc.h - what is known of a whole mpsc history before the search for its linearization:
 * spec_facts.c fills it in, spec_mpsc.c uses it.
 */
#ifndef CHANBENCH_STRESS_SPEC_MPSC_H
#define CHANBENCH_STRESS_SPEC_MPSC_H

#include "harness/stress/history.h"

#define NO_OP SIZE_MAX

struct mpsc_facts {
	const struct history *history;

	size_t *send_of; /* of each receive: the operation that sent the value; NO_OP: none did */
	size_t *recv_of; /* of each send: the operation that received the value; NO_OP: none did */

	/* Of each operation: how many slots others that overlap it may have held for a while
	 * without a trace in the results (a send that waited and then gave up, an armed waiter,
	 * a select that was granted one too late and began again, a receive between taking the
	 * message and giving the slot back). */
	uint64_t *slack;

	/* The sends whose values were received, in the order in which the receives returned. A
	 * value whose receive returned before another's began must have been sent before that one.
	 * So most orders of overlapping sends need not be tried. A receive that is pending need
	 * not have taken place. */
	size_t *received;
	size_t received_count;

	/* Written by the steps: what was put into the queue, in order, and where. */
	size_t *log;
	size_t *place;
	uint64_t *powers; /* of the base that the queue's hash is computed with */
};

/* NULL: out of memory. */
struct mpsc_facts *mpsc_facts_make(const struct history *history);
void mpsc_facts_free(struct mpsc_facts *facts);

/* A message that was put into the queue; one that was taken out. */
bool mpsc_puts(const struct op *op);
bool mpsc_takes(const struct op *op);

/* How many slots it may hold for a while without a trace in its result. */
uint64_t mpsc_holds(const struct op *op);

/* Whether x came before y: in real time, or in the order of their thread. */
bool mpsc_before(const struct op *ops, size_t x, size_t y);

#define MPSC_HASH_BASE UINT64_C(0x9ddfea08eb382d69)

#endif
