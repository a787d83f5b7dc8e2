/* SPDX-License-Identifier: MIT
 *
 * spec_oneshot.c - oneshot as a sequential channel: one place, and who is still there.
 */
#include "harness/stress/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct oneshot_state {
	bool sender;   /* neither used nor dropped */
	bool receiver; /* not dropped */
	bool closed;   /* by the receiver */
	bool full;
	bool terminated; /* the receiver has had its result */
	uint64_t value;
};

static void *oneshot_prepare(const struct history *history)
{
	const struct history **facts = malloc(sizeof(const struct history *));
	if (facts != NULL)
		*facts = history;
	return facts;
}

static void oneshot_init(void *state, void *facts)
{
	(void)facts;
	*(struct oneshot_state *)state = (struct oneshot_state){.sender = true, .receiver = true};
}

static unsigned oneshot_phases(const struct op *op)
{
	return op->code != OP_ARMED;
}

static bool step_recv(struct oneshot_state *s, const struct op *op)
{
	bool ended = !s->sender || s->closed;
	switch ((enum chan_status)op->status) {
	case CHAN_OK:
		if (!s->full || s->value != op->value || s->terminated)
			return false;
		s->full = false;
		s->terminated = true;
		return true;
	case CHAN_CLOSED:
		if (!s->terminated && (s->full || !ended))
			return false;
		s->terminated = true;
		return true;
	default: /* not yet */
		return !s->terminated && !s->full && !ended;
	}
}

static bool oneshot_step(void *state, void *facts, size_t i, unsigned phase)
{
	struct oneshot_state *s = state;
	const struct op *op = &(*(const struct history **)facts)->ops[i];
	bool refused = s->closed || !s->receiver;
	(void)phase;
	switch ((enum op_code)op->code) {
	case OP_SEND:
		if (!s->sender || (op->status == CHAN_OK) == refused)
			return false; /* O-11 */
		s->sender = false;
		if (op->status == CHAN_OK) {
			s->full = true;
			s->value = op->value;
		}
		return true;
	case OP_RECV:
		return step_recv(s, op);
	case OP_CLOSE:
		s->closed = s->closed || !s->terminated; /* O-10 */
		return true;
	case OP_CLOSED:
		return (op->status == CHAN_OK) == refused;
	case OP_SENDER_IS_CLOSED:
		return op->value == refused;
	case OP_IS_TERMINATED:
		return op->value == s->terminated;
	case OP_SENDER_DROP:
		s->sender = false;
		return true;
	case OP_RECEIVER_DROP:
		s->receiver = s->full = false;
		return true;
	default:
		return false;
	}
}

static uint64_t oneshot_hash(const void *state, const void *facts)
{
	const struct oneshot_state *s = state;
	(void)facts;
	return spec_mix(s->value + s->full) +
	       (uint64_t)(s->sender | s->receiver << 1 | s->closed << 2 | s->terminated << 3);
}

static void oneshot_describe(const void *state, const void *facts, char *text, size_t size)
{
	const struct oneshot_state *s = state;
	(void)facts;
	snprintf(text, size, "sender %s, receiver %s, %s; %s", s->sender ? "there" : "used or dropped",
	         !s->receiver    ? "dropped"
	         : s->terminated ? "terminated"
	                         : "waiting",
	         s->closed ? "closed" : "open", s->full ? "the value lies there" : "no value lies there");
}

static enum spec_role oneshot_role(const struct op *op)
{
	bool result = op->code == OP_RECV && (op->status == CHAN_OK || op->status == CHAN_CLOSED);
	switch ((enum op_code)op->code) {
	case OP_CLOSED:
	case OP_SENDER_IS_CLOSED:
	case OP_IS_TERMINATED:
		return ROLE_OBSERVER;
	default:
		return op->code == OP_RECV && !result ? ROLE_OBSERVER : ROLE_KEPT;
	}
}

const struct spec spec_oneshot = {.state_size = sizeof(struct oneshot_state),
                                  .prepare = oneshot_prepare,
                                  .release = free,
                                  .init = oneshot_init,
                                  .phases = oneshot_phases,
                                  .step = oneshot_step,
                                  .hash = oneshot_hash,
                                  .describe = oneshot_describe,
                                  .role = oneshot_role};
