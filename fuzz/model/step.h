/* SPDX-License-Identifier: MIT
 *
 * step.h - what a step brings about besides its result, as all models of this folder say it.
 *
 * A model is a struct of plain data, and an operation a function that changes it and returns the
 * status. Models share nothing with any implementation but the types of channel.h; handles,
 * messages and waiters are numbers here, given by whoever runs the model.
 *
 * Where the rules leave a choice (which of several waiting receivers a message wakes; whether what
 * comes too late is destroyed at once), the model takes the choice that was `seen`, if it is an
 * allowed one, and otherwise one of its own, so that the comparison shows the difference. A model
 * that is run by itself has seen nothing: it gets a zeroed `seen`.
 *
 * WHY THERE ARE TWO SEQUENTIAL SPECIFICATIONS OF A KIND. A model here predicts: operations come one
 * after another in one thread, so that each has one right answer, and the model gives it, together
 * with everything that can be seen besides (which waiters fire, what is destroyed, each property).
 * The specifications in harness/stress/spec_*.c accept: operations of several threads overlap, so
 * that a result is right when some order allows it. They are asked whether a result that was seen
 * can take effect in a state. The search for a linearization asks that millions of times, so their
 * state is only what results depend on, and an operation may take effect in several steps.
 *
 * Neither can take the other's place, and they were written apart, so that a mistake in reading a
 * rule shows as a difference. harness/stress/verify_*_test.c tie them together: histories whose
 * results come from a model must be accepted. Where one result is changed, the specification must
 * say what the model says when every order is tried on it.
 */
#ifndef CHANBENCH_FUZZ_MODEL_STEP_H
#define CHANBENCH_FUZZ_MODEL_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_WAITERS = 64, MODEL_DESTROYED = 4096 };

struct model_events {
	unsigned fired[MODEL_WAITERS]; /* waiters, in order */
	/* expected only: served in the order in which they came (M-23) */
	bool in_turn[MODEL_WAITERS];
	size_t fired_count;

	uint64_t destroyed[MODEL_DESTROYED]; /* messages, in order */
	size_t destroyed_count;
};

struct model_step {
	struct model_events seen;     /* what the implementation did */
	struct model_events expected; /* what the model says; filled in by its operation */
	/* the implementation returned CHAN_NOMEM, and was entitled to: so does the model */
	bool no_memory;
	bool any_turn; /* it declares that it serves senders in any order */
};

static inline void step_clear(struct model_step *step)
{
	step->seen.fired_count = step->seen.destroyed_count = 0;
	step->expected.fired_count = step->expected.destroyed_count = 0;
	step->no_memory = false;
}

static inline void expect_destroyed(struct model_step *step, uint64_t message)
{
	step->expected.destroyed[step->expected.destroyed_count++] = message;
}

static inline void expect_fired(struct model_step *step, unsigned waiter, bool in_turn)
{
	step->expected.in_turn[step->expected.fired_count] = in_turn;
	step->expected.fired[step->expected.fired_count++] = waiter;
}

#endif
