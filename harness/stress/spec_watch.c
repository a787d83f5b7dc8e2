/* SPDX-License-Identifier: MIT
 *
 * spec_watch.c - watch as a sequential channel: a value, and for each receiver whether there is a
 * version that it has not seen.
 */
#include "harness/stress/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct watch_state {
	uint64_t value, senders;
	uint64_t receivers, unseen; /* a bit each */
};

static void *watch_prepare(const struct history *history)
{
	const struct history **facts = malloc(sizeof(const struct history *));
	if (facts != NULL)
		*facts = history;
	return facts;
}

static void watch_init(void *state, void *facts)
{
	const struct history *history = *(const struct history **)facts;
	*(struct watch_state *)state = (struct watch_state){
		.value = history->initial, .senders = history->senders, .receivers = history->receivers};
}

static unsigned watch_phases(const struct op *op)
{
	return op->code != OP_ARMED && op->code != OP_LEN && op->status != CHAN_NOMEM;
}

static bool write_value(struct watch_state *s, uint64_t value, bool notify)
{
	s->value = value;
	if (notify)
		s->unseen = s->receivers;
	return true;
}

static bool step_read(struct watch_state *s, const struct op *op, uint64_t me)
{
	bool unseen = (s->unseen & me) != 0;
	switch ((enum op_code)op->code) {
	case OP_SENDER_BORROW:
		return op->value == s->value;
	case OP_BORROW:
		return op->value == s->value && op->flag == unseen;
	case OP_UPDATE:
		s->unseen &= ~me;
		return op->value == s->value && op->flag == unseen;
	case OP_HAS_CHANGED: /* W-7 */
		return op->status == (s->senders == 0 ? CHAN_CLOSED : unseen ? CHAN_OK : CHAN_EMPTY);
	case OP_CHANGED:
		s->unseen &= ~me;
		if (op->status == CHAN_OK)
			return unseen;
		return !unseen && (op->status == CHAN_CLOSED) == (s->senders == 0);
	default: { /* OP_WAIT_FOR */
		bool holds = (s->value & UINT32_MAX) % WAIT_FOR_MODULUS == op->extra;
		s->unseen &= ~me; /* W-25 */
		if (op->status == CHAN_OK)
			return holds && op->value == s->value;
		return !holds && (op->status == CHAN_CLOSED) == (s->senders == 0);
	}
	}
}

static bool watch_step(void *state, void *facts, size_t i, unsigned phase)
{
	struct watch_state *s = state;
	const struct op *op = &(*(const struct history **)facts)->ops[i];
	uint64_t me = UINT64_C(1) << op->handle, other = UINT64_C(1) << op->other;
	(void)phase;
	switch ((enum op_code)op->code) {
	case OP_SEND:
		if (op->status == CHAN_CLOSED)
			return s->receivers == 0; /* W-18 */
		return s->receivers != 0 && write_value(s, op->value, true);
	case OP_REPLACE:
		return op->extra == s->value && write_value(s, op->value, true);
	case OP_MODIFY:
		return op->extra == s->value && write_value(s, op->value, op->flag);
	case OP_MARK_CHANGED:
		s->unseen |= me;
		return true;
	case OP_MARK_UNCHANGED:
		s->unseen &= ~me;
		return true;
	case OP_RECEIVER_CLONE: /* W-16 */
		s->receivers |= other;
		s->unseen = (s->unseen & ~other) | ((s->unseen & me) != 0 ? other : 0);
		return true;
	case OP_SUBSCRIBE: /* W-17 */
		s->receivers |= other;
		s->unseen &= ~other;
		return true;
	case OP_RECEIVER_DROP:
		s->receivers &= ~me;
		s->unseen &= ~me;
		return true;
	case OP_SENDER_CLONE:
		s->senders++;
		return true;
	case OP_SENDER_DROP:
		s->senders--;
		return true;
	case OP_CLOSED:
		return (op->status == CHAN_OK) == (s->receivers == 0);
	case OP_SENDER_IS_CLOSED:
		return op->value == (s->receivers == 0);
	default:
		return step_read(s, op, me);
	}
}

static uint64_t watch_hash(const void *state, const void *facts)
{
	const struct watch_state *s = state;
	(void)facts; /* who is there follows from the set of steps */
	return spec_mix(s->value ^ spec_mix(s->unseen));
}

static void watch_describe(const void *state, const void *facts, char *text, size_t size)
{
	const struct watch_state *s = state;
	(void)facts;
	int n = snprintf(text, size,
	                 "value %" PRIu64 ".%" PRIu64 ", %" PRIu64 " senders; receivers (* has not seen it):",
	                 s->value >> 32, s->value & UINT32_MAX, s->senders);
	for (unsigned i = 0; i < 64 && n > 0 && (size_t)n < size; i++)
		if ((s->receivers >> i & 1) != 0)
			n += snprintf(text + n, size - (size_t)n, " %u%s", i, (s->unseen >> i & 1) != 0 ? "*" : "");
}

static enum spec_role watch_role(const struct op *op)
{
	switch ((enum op_code)op->code) {
	case OP_BORROW:
	case OP_SENDER_BORROW:
	case OP_HAS_CHANGED:
	case OP_CLOSED:
	case OP_SENDER_IS_CLOSED:
		return ROLE_OBSERVER;
	case OP_CHANGED:
		/* else it was seen already */
		return op->status == CHAN_OK ? ROLE_KEPT : ROLE_OBSERVER;
	case OP_SEND:
		return op->status == CHAN_CLOSED ? ROLE_OBSERVER : ROLE_KEPT;
	default:
		return ROLE_KEPT;
	}
}

const struct spec spec_watch = {.state_size = sizeof(struct watch_state),
                                .prepare = watch_prepare,
                                .release = free,
                                .init = watch_init,
                                .phases = watch_phases,
                                .step = watch_step,
                                .hash = watch_hash,
                                .describe = watch_describe,
                                .role = watch_role};
