/* SPDX-License-Identifier: MIT
 *
 * spec_mpsc.c - mpsc and unbounded as a sequential channel: a queue, a pool of slots, counts of
 * handles, one flag.
 *
 * A send takes effect in two steps: it acquires a slot, for which the channel must be open and not
 * full, and puts its message there. A slot that is held in between, like one of a permit, keeps a
 * closed channel from being idle (M-49). Slots that an operation held for a while without a trace
 * in its result (facts->slack) excuse a CHAN_FULL, and a CHAN_EMPTY where CHAN_CLOSED would be due.
 *
 * The queue is the part of the log from `head` to `tail`. Steps write the log at `tail` and beyond
 * only, so it stays right for every state on the way to the present one.
 */
#include "harness/stress/spec.h"
#include "harness/stress/spec_mpsc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct mpsc_state {
	uint64_t head, tail, hash;
	uint64_t permits;  /* slots reserved */
	uint64_t acquired; /* slots of sends between their two steps */
	uint64_t senders, receivers;
	uint64_t closed;
	uint64_t unsent; /* the first of facts->received that was not sent yet */
};

static void *mpsc_prepare(const struct history *history)
{
	return mpsc_facts_make(history);
}

static void mpsc_release(void *facts)
{
	mpsc_facts_free(facts);
}

static void mpsc_init(void *state, void *facts)
{
	const struct mpsc_facts *f = facts;
	*(struct mpsc_state *)state =
		(struct mpsc_state){.senders = f->history->senders, .receivers = f->history->receivers};
}

static unsigned mpsc_phases(const struct op *op)
{
	switch ((enum op_code)op->code) {
	case OP_ARMED:
	case OP_LEN:
	case OP_CAPACITY:
		return 0;
	case OP_SEND:
		return op->status == CHAN_NOMEM ? 0 : op->status == CHAN_OK ? 2 : 1;
	default:
		return 1;
	}
}

static uint64_t free_slots(const struct mpsc_state *s, const struct mpsc_facts *f)
{
	return f->history->capacity - (s->tail - s->head) - s->permits - s->acquired;
}

/* What the queue's hash knows a message by: those that nobody receives are all alike. */
static uint64_t symbol(const struct mpsc_facts *f, size_t send)
{
	return spec_mix(f->recv_of[send] == NO_OP ? 0 : send + 1);
}

static bool was_sent(const struct mpsc_state *s, const struct mpsc_facts *f, size_t send)
{
	return f->place[send] < s->tail && f->log[f->place[send]] == send;
}

static bool put(struct mpsc_state *s, struct mpsc_facts *f, size_t send)
{
	const struct op *ops = f->history->ops;
	if (s->unsent < f->received_count && f->received[s->unsent] != send) {
		size_t first = f->recv_of[f->received[s->unsent]];
		if (f->recv_of[send] == NO_OP || mpsc_before(ops, first, f->recv_of[send]))
			return false; /* it could not be received in time any more */
	}
	f->log[s->tail] = send;
	f->place[send] = s->tail++;
	s->hash = s->hash * MPSC_HASH_BASE + symbol(f, send);
	while (s->unsent < f->received_count && was_sent(s, f, f->received[s->unsent]))
		s->unsent++;
	return true;
}

static bool take(struct mpsc_state *s, const struct mpsc_facts *f, size_t recv)
{
	size_t send = f->send_of[recv];
	if (s->head == s->tail || f->log[s->head] != send)
		return false;
	s->head++;
	s->hash -= symbol(f, send) * f->powers[s->tail - s->head];
	return true;
}

static bool step_send(struct mpsc_state *s, struct mpsc_facts *f, size_t i, unsigned phase)
{
	const struct op *op = &f->history->ops[i];
	if (op->status == CHAN_CLOSED)
		return s->closed;
	if (op->status != CHAN_OK) /* CHAN_FULL, CHAN_TIMEOUT */
		return !s->closed && free_slots(s, f) <= f->slack[i];
	if (phase == 0) {
		s->acquired++;
		return !s->closed && free_slots(s, f) < f->history->capacity /* not below 0 */;
	}
	s->acquired--;
	return put(s, f, i);
}

static bool step_reserve(struct mpsc_state *s, const struct mpsc_facts *f, size_t i)
{
	const struct op *op = &f->history->ops[i];
	uint64_t room = free_slots(s, f);
	if (op->status == CHAN_CLOSED)
		return s->closed;
	if (op->status != CHAN_OK)
		return op->slots > f->history->capacity || (!s->closed && room < op->slots + f->slack[i]);
	if (s->closed || room < op->slots)
		return false;
	s->permits += op->slots;
	return true;
}

static bool step_recv(struct mpsc_state *s, const struct mpsc_facts *f, size_t i)
{
	const struct op *op = &f->history->ops[i];
	bool idle = s->closed && s->permits == 0 && s->acquired == 0;
	if (op->status == CHAN_OK)
		return take(s, f, i);
	if (s->head != s->tail)
		return false;
	if (op->status == CHAN_CLOSED)
		return s->senders == 0 || idle;
	return s->senders != 0 && (!idle || f->slack[i] > 0);
}

static bool step_receiver_drop(struct mpsc_state *s)
{
	if (--s->receivers == 0) {
		s->closed = 1;
		s->head = s->tail; /* D-2 */
		s->hash = 0;
	}
	return true;
}

static bool mpsc_step(void *state, void *facts, size_t i, unsigned phase)
{
	struct mpsc_state *s = state;
	struct mpsc_facts *f = facts;
	const struct op *op = &f->history->ops[i];
	switch ((enum op_code)op->code) {
	case OP_SEND:
		return step_send(s, f, i, phase);
	case OP_RESERVE:
		return step_reserve(s, f, i);
	case OP_PERMIT_SEND:
		s->permits--;
		return put(s, f, i);
	case OP_PERMIT_RELEASE:
		s->permits -= op->slots;
		return true;
	case OP_RECV:
		return step_recv(s, f, i);
	case OP_DRAINED:
		return s->head == s->tail;
	case OP_CLOSE:
		s->closed = 1;
		return true;
	case OP_CLOSED:
		return (op->status == CHAN_OK) == (s->closed != 0);
	case OP_SENDER_CLONE:
		s->senders++;
		return true;
	case OP_SENDER_DROP:
		s->senders--;
		return true;
	case OP_UPGRADE:
		if (op->status != CHAN_OK)
			return s->senders == 0;
		return s->senders++ != 0; /* M-75 */
	case OP_RECEIVER_CLONE:
		s->receivers++;
		return true;
	case OP_RECEIVER_DROP:
		return step_receiver_drop(s);
	case OP_SENDER_IS_CLOSED:
		return op->value == s->closed;
	case OP_IS_CLOSED:
		return op->value == (s->closed || s->senders == 0);
	default:
		return false;
	}
}

static uint64_t mpsc_hash(const void *state, const void *facts)
{
	const struct mpsc_state *s = state;
	(void)facts; /* all else follows from the set of steps */
	return spec_mix(s->hash) + s->closed;
}

static void mpsc_describe(const void *state, const void *facts, char *text, size_t size)
{
	const struct mpsc_state *s = state;
	const struct mpsc_facts *f = facts;
	int n = snprintf(text, size, "%" PRIu64 " messages", s->tail - s->head);
	for (uint64_t i = s->head; i < s->tail && i < s->head + 8 && n > 0 && (size_t)n < size; i++) {
		uint64_t value = f->history->ops[f->log[i]].value;
		n += snprintf(text + n, size - (size_t)n, "%s%" PRIu64 ".%" PRIu64, i == s->head ? ": " : ", ",
		              value >> 32, value & UINT32_MAX);
	}
	if (n > 0 && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, "%s; %" PRIu64 " slots reserved, %" PRIu64 " senders, %s",
		         s->tail - s->head > 8 ? " ..." : "", s->permits + s->acquired, s->senders,
		         s->closed ? "closed by the receiver" : "open");
}

static enum spec_role mpsc_role(const struct op *op)
{
	if (mpsc_phases(op) == 0)
		return op->code == OP_ARMED ? ROLE_KEPT : ROLE_OBSERVER;
	switch ((enum op_code)op->code) {
	case OP_SEND:
		if (op->status == CHAN_OK)
			return ROLE_ELEMENT;
		return op->status == CHAN_CLOSED ? ROLE_OBSERVER : ROLE_NEEDY;
	case OP_RESERVE:
		if (op->status == CHAN_OK)
			return ROLE_KEPT;
		return op->status == CHAN_CLOSED ? ROLE_OBSERVER : ROLE_NEEDY;
	case OP_PERMIT_SEND: /* its slot was reserved apart from it */
		return ROLE_FIXED;
	/* what says "empty" may need a send under way, where else it would be CHAN_CLOSED */
	case OP_RECV:
		return op->status == CHAN_OK ? ROLE_ELEMENT : op->status == CHAN_CLOSED ? ROLE_OBSERVER : ROLE_NEEDY;
	case OP_DRAINED:
	case OP_CLOSED:
	case OP_SENDER_IS_CLOSED:
	case OP_IS_CLOSED:
		return ROLE_OBSERVER;
	default:
		return ROLE_KEPT;
	}
}

/* Slack. */
static bool mpsc_lends(const struct op *op)
{
	return mpsc_holds(op) > 0;
}

static bool mpsc_borrows(const struct op *op)
{
	return mpsc_role(op) == ROLE_NEEDY;
}

const struct spec spec_mpsc = {.state_size = sizeof(struct mpsc_state),
                               .prepare = mpsc_prepare,
                               .release = mpsc_release,
                               .init = mpsc_init,
                               .phases = mpsc_phases,
                               .step = mpsc_step,
                               .hash = mpsc_hash,
                               .describe = mpsc_describe,
                               .role = mpsc_role,
                               .lends = mpsc_lends,
                               .borrows = mpsc_borrows};
