/* SPDX-License-Identifier: MIT
 *
 * sequence.h - what the targets of oneshot, broadcast and watch share: the frame of a step,
 * callbacks that call back, clones.
 *
 * A target embeds `struct sequence` first in its own state, and runs each step as
 *
 *   sequence_begin(q, in);       reads from the input whether, and from where, something is to be
 *                                called back
 *   ...                          the operation on the model, then on the implementation; then what
 *                                both gave is compared
 *   sequence_end(q);             the events are compared
 *
 * THE MODEL GOES FIRST: when a callback runs in the middle of the implementation's operation, the
 * model is already where that operation leads to, and the callback's own operation is a step of
 * both like any other. In the middle, the properties that count messages are nobody's to know; nor
 * is the order in which messages end. So a step with a call back compares those destroyed as a set.
 *
 * From where (channel.h, CALLBACKS): from `destroy` and from `wake` anything may be called, from
 * `wake` but drops; where a value is pinned (`clone`, the functions of watch) operations must be
 * refused, while properties and drops work. `call_back` is the target's: one small operation,
 * chosen by the few bytes that it is given.
 */
#ifndef CHANBENCH_FUZZ_SEQUENCE_H
#define CHANBENCH_FUZZ_SEQUENCE_H

#include "fuzz/common/bytes.h"
#include "fuzz/common/tally.h"
#include "fuzz/common/table.h"
#include "fuzz/common/waiters.h"
#include "fuzz/model/waiting.h"

enum { SEQUENCE_CLONES = 64, SEQUENCE_CALL = 4 };

enum place { NOWHERE, IN_DESTROY, IN_WAKE, PINNED };

struct sequence {
	struct tally tally; /* first: it is what the hooks are given */
	struct model_step step;
	struct waiters waiters;
	struct model_waiting *waiting; /* the model's */

	void (*call_back)(struct sequence *q, struct bytes *in, enum place place);
	uint8_t call[SEQUENCE_CALL];
	enum place from; /* where this step is to call back, once; NOWHERE: it is not, or has */
	bool called_back;
	unsigned depth; /* callbacks that run */

	bool clones; /* the channel has a clone hook */
	/* Calls of clone in this step, also those that failed: what they were for, as keys. */
	uint64_t cloned[SEQUENCE_CLONES], expected_clones[SEQUENCE_CLONES];
	size_t cloned_count, expected_clone_count;

	uint64_t identity; /* of the channel; 0: not asked yet */
};

/* Begins a run. The configuration has a `clone` too where `clones`: with `destroy`, and
 * sometimes alone. */
struct chan_config sequence_open(struct sequence *q, struct bytes *in, bool clones);

void sequence_begin(struct sequence *q, struct bytes *in);
void sequence_end(struct sequence *q);

/* Runs the step's callback if it is to come from `place`. The hooks and wakes do this by
 * themselves. */
void sequence_call(struct sequence *q, enum place place);

/* An element to send, made of `message`, and one to receive into. Those of a callback are others
 * than those of the step that it interrupts. */
void *sequence_out(struct sequence *q, uint64_t message);
void *sequence_in(struct sequence *q);

/* The value at `element` was received: it is `message`, and is the caller's to end. */
void sequence_received(struct sequence *q, const void *element, uint64_t message);

/* The model says that one clone of `message` is made, or fails, in this step (where there is a
 * hook). */
void sequence_expect_clone(struct sequence *q, uint64_t message);

/* Compares an answer where the rules have one. */
void sequence_property(char handle, unsigned number, enum chan_property property, uint64_t expected, uint64_t seen);

/* Every handle answers with one number for its channel. */
void sequence_identity(struct sequence *q, char handle, unsigned number, uint64_t seen);

/* Before an operation that makes a handle: sometimes there will be no memory for it.
 * `sequence_made`, with its status, says whether it was made, which it is but for the want of
 * memory when the model's status is CHAN_OK. */
void sequence_short_of_memory(struct sequence *q, struct bytes *in);
bool sequence_made(enum chan_status expected, enum chan_status seen);

/* After a drop: what became of the handle that was given. */
void sequence_want_null(const void *handle);

/* A deadline that never waits: CHAN_NOW, or one that is past. */
uint64_t sequence_deadline(struct bytes *in);

/* The number of a waiter that is armed in the model, chosen by the input; MODEL_WAITERS: none
 * is. */
unsigned sequence_pick_waiter(const struct sequence *q, struct bytes *in);

/* Whether something is armed on that handle. */
bool sequence_armed_on(const struct sequence *q, bool sender, unsigned handle);

/* Gives back the waiters that the model does not have armed any more; before the drop's step
 * ends. */
void sequence_give_waiters(struct sequence *q);

#endif
