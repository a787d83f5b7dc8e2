/* SPDX-License-Identifier: MIT
 *
 * spec.h - a kind of channel as the search for a linearization sees it: a sequential channel, that
 * is a state, and a question to it. The question is whether an operation with the result that was
 * seen can take effect in that state.
 *
 * An operation takes effect in one step, or in several between which steps of others may come. A
 * send of the mpsc kinds first acquires a slot and then puts its message there: a close between the
 * two does not undo it (M-34). `phases` says how many steps there are. With 0, the operation
 * constrains nothing.
 *
 * Real time orders the messages of all producers (M-66), and the specification demands that. The
 * order in which blocked senders are served is not demanded and therefore not modelled: M-22, M-23
 * and M-25 may be declared as deviations, and results do not show them.
 *
 * WHY THERE ARE TWO SEQUENTIAL SPECIFICATIONS OF A KIND. The models in fuzz/model predict: there,
 * operations come one after another in one thread, so each has one right answer, and the model
 * gives it. The specifications here accept: operations of several threads overlap, and a result is
 * right if some linearization allows it. So a specification never says what the result would be.
 * It only judges the one that was seen, millions of times in one search, and its state holds no
 * more than results depend on.
 *
 * Two sets of tests tie them together. verify_*_test.c of each kind (verify_testing.h) run a model
 * as if several threads did the operations: such a history has to be accepted. Where one of its
 * results is changed, the specification has to say what the model says when every order is tried on
 * it. verify_imitation_test.c adds what a model of whole operations does not have: sends and
 * receives that are cut in two, hand-overs, and deadlines that come late.
 */
#ifndef CHANBENCH_STRESS_SPEC_H
#define CHANBENCH_STRESS_SPEC_H

#include "harness/stress/history.h"

/* What a shrinker may leave out of a right history so that the rest is certainly right, too. An
 * operation that lends (struct spec) stays as long as one that borrows from it does. */
enum spec_role {
	ROLE_KEPT,     /* the operation has to stay */
	ROLE_FIXED,    /* it has to stay, and so has every operation that carries its value */
	ROLE_OBSERVER, /* it changes nothing, and may be left out alone */
	/* it may be left out with all that carry its value, if no needy operation stays */
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

	/* Makes the step if it is possible. False: it is not, and the state is spoilt. A step is
	 * made from a state after all the steps that led to it. So `facts` may hold what earlier
	 * steps wrote, as long as that is right for the state that they led to. */
	bool (*step)(void *state, void *facts, size_t op, unsigned phase);

	uint64_t (*hash)(const void *state, const void *facts);

	/* One line of what the channel holds. */
	void (*describe)(const void *state, const void *facts, char *text, size_t size);

	enum spec_role (*role)(const struct op *op);

	/* Whether an operation may explain the result of one that overlaps it by more than its own
	 * steps, and whether a result may be explained so. NULL: no operation. */
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
