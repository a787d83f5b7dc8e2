/* SPDX-License-Identifier: MIT
 *
 * spec.h - a sequential channel as the search for a linearization sees it: a state, and whether an
 * operation with the result that was seen can take effect in it.
 *
 * An operation takes effect in one step, or in several between which others may come: a send of the
 * mpsc kinds acquires a slot and then puts its message there (M-34: a close between the two does
 * not undo it). `phases` says in how many; 0: it constrains nothing.
 *
 * What is not demanded, and therefore not modelled: the order in which blocked senders are served
 * (M-22, M-23, M-25, which may be declared as deviations, cannot be seen from the results). What
 * is: the order of messages in real time across all producers (M-66).
 */
#ifndef CHANBENCH_STRESS_SPEC_H
#define CHANBENCH_STRESS_SPEC_H

#include "harness/stress/history.h"

/* What a shrinker may leave out and be sure that what remains of a right history is right. But
 * what lends (struct spec) stays as long as something does that borrows from it. */
enum spec_role {
	ROLE_KEPT,     /* nothing */
	ROLE_FIXED,    /* nothing, nor anything that carries the same value */
	ROLE_OBSERVER, /* it changes nothing: alone */
	/* together with all that carry the same value, if no needy operation stays */
	ROLE_ELEMENT,
	/* an observer whose result may need elements to be there or under way: CHAN_FULL */
	ROLE_NEEDY
};

struct spec {
	size_t state_size;

	/* What is known of the whole history before the search. NULL: out of memory. */
	void *(*prepare)(const struct history *history);
	void (*release)(void *facts);

	void (*init)(void *state, void *facts);
	unsigned (*phases)(const struct op *op);

	/* Makes the step if it is possible; false: it is not, and the state is spoilt. Steps are
	 * made from a state and everything that led to it; `facts` may therefore hold what
	 * earlier steps wrote, as long as it is right for the state that they led to. */
	bool (*step)(void *state, void *facts, size_t op, unsigned phase);

	uint64_t (*hash)(const void *state, const void *facts);

	/* One line of what the channel holds. */
	void (*describe)(const void *state, const void *facts, char *text, size_t size);

	enum spec_role (*role)(const struct op *op);

	/* Whether an operation may help to explain the result of one that overlaps it by more
	 * than its own steps; whether a result may be explained so. NULL: none. */
	bool (*lends)(const struct op *op);
	bool (*borrows)(const struct op *op);
};

extern const struct spec spec_mpsc /* unbounded, too */, spec_oneshot, spec_broadcast, spec_watch;

const struct spec *spec_of(enum kind kind);

/* splitmix64's finalizer. */
static inline uint64_t spec_mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

#endif
