/* SPDX-License-Identifier: MIT
 *
 * imitation_testing.h - right histories of bounded mpsc channels, for the tests of the checker: one
 * thread plays a channel and all who use it, and goes from one to the other wherever threads could
 * be interrupted.
 *
 * What histories that are made of a model's whole operations do not have, these do: sends and
 * reserves that wait in turn and are handed a slot, or have their message taken from where it lies;
 * reservations that are met bit by bit; deadlines that come at any time; selects whose waiter is
 * granted a slot too late, so that they give it back and begin again; sends that hold a slot before
 * they put their message in; receives that have taken a message and not yet given its slot back;
 * closes and drops amidst all that.
 */
#ifndef CHANBENCH_STRESS_IMITATION_TESTING_H
#define CHANBENCH_STRESS_IMITATION_TESTING_H

#include "harness/bench/random.h"
#include "harness/stress/history.h"

#include <stdlib.h>
#include <string.h>

enum { ACTORS = 5, ACTOR_OPS = 2048, PROBES = 64, IMITATED = ACTORS * ACTOR_OPS + PROBES + 1 };

struct actor {
	enum {
		FREE,
		TRIES,   /* its operation was called */
		HOLDS,   /* a slot for a message that it has yet to put in */
		WAITS,   /* for slots, in turn */
		GRANTED, /* what it waited for, and has yet to find out */
		AWAITS,  /* a message */
		/* slots back: its receive has taken messages, or it releases them one by one */
		GIVES,
		RETURNS,
		LEFT
	} at;
	/* its operations; where the call that is under way begins among them */
	size_t count, first;
	size_t more;      /* elements that this call has yet to send */
	size_t want, got; /* of its wait; GIVES: got */
	size_t permits;
	size_t asleep; /* it is passed over so often */
	bool receives, leaves;
	bool waiter; /* it waits without a thread: a select, or arm..disarm */
	struct op ops[ACTOR_OPS];
};

struct imitation {
	uint64_t random, stamp, capacity, values;
	unsigned senders, receivers; /* handles that are left */
	size_t left;                 /* operations that are yet to begin */
	bool closed, may_close, rests;
	size_t held, head, tail, turns, probes;
	uint64_t queue[IMITATED];
	size_t turn[ACTORS]; /* who waits for slots */
	struct actor actors[ACTORS];
	struct op right[PROBES], wrong[PROBES];
};

static inline size_t chance(struct imitation *p, size_t n)
{
	return random_below(&p->random, n);
}

static inline size_t free_slots(const struct imitation *p)
{
	return (size_t)p->capacity - p->held - (p->tail - p->head);
}

static inline bool has_ended(const struct imitation *p)
{
	return p->head == p->tail && (p->senders == 0 || (p->closed && p->held == 0));
}

static inline struct op *last_op(struct actor *a)
{
	return &a->ops[a->count - 1];
}

static inline void done(struct actor *a, enum chan_status status)
{
	last_op(a)->status = (uint8_t)status;
	a->at = RETURNS;
}

/* The message of the operation goes in. */
static inline void put_in(struct imitation *p, struct actor *a)
{
	p->queue[p->tail++] = last_op(a)->value;
	last_op(a)->status = CHAN_OK;
	a->at = RETURNS;
	if (a->more > 0) {
		struct op *next = &a->ops[a->count++];
		a->more--;
		*next = next[-1];
		next->chained = true;
		next->value = ++p->values;
		a->at = TRIES;
	}
}

static inline void leave_turn(struct imitation *p, size_t who)
{
	size_t n = 0;
	for (size_t i = 0; i < p->turns; i++)
		if (p->turn[i] != who)
			p->turn[n++] = p->turn[i];
	p->turns = n;
}

/* What is free goes to those who wait, in turn. The message of a blocked send may be put in for
 * it. */
static inline void serve(struct imitation *p)
{
	while (p->turns > 0 && free_slots(p) > 0 && !p->closed) {
		struct actor *a = &p->actors[p->turn[0]];
		p->held++;
		if (++a->got < a->want)
			continue;
		leave_turn(p, p->turn[0]);
		a->at = GRANTED;
		a->asleep = chance(p, 30); /* until it finds out */
		if (!a->waiter && last_op(a)->code == OP_SEND && chance(p, 4) != 0) {
			p->held -= a->got;
			a->got = 0;
			put_in(p, a);
		}
	}
}

static inline void give(struct imitation *p, size_t n)
{
	p->held -= n;
	serve(p);
}

static inline void give_up(struct imitation *p, struct actor *a, enum chan_status status)
{
	size_t n = a->got;
	a->got = 0;
	leave_turn(p, (size_t)(a - p->actors));
	a->more = 0;
	done(a, status);
	give(p, n);
}

/* ------------------------------------------------------------------------------------------
 * What begins
 */

static inline struct op *begin(struct imitation *p, struct actor *a, enum op_code code, size_t wait)
{
	struct op *op = &a->ops[a->count++];
	*op = (struct op){
		.call = p->stamp++, .thread = (uint16_t)(a - p->actors), .code = (uint8_t)code, .wait = (uint8_t)wait};
	a->at = TRIES;
	a->waiter = false;
	if (code == OP_SEND || code == OP_PERMIT_SEND)
		op->value = ++p->values;
	return op;
}

static inline void begin_sending(struct imitation *p, struct actor *a)
{
	size_t which = chance(p, 16), wait = chance(p, 3);
	if (a->permits > 0) { /* nobody waits for ever with a permit */
		bool sends = chance(p, 2) == 0 && !p->rests;
		begin(p, a, sends ? OP_PERMIT_SEND : OP_PERMIT_RELEASE, WAIT_NEVER)->slots =
			sends ? 0 : (uint32_t)a->permits;
	} else if (p->rests) {
		begin(p, a, OP_SEND, WAIT_NOW);
	} else if (p->left == 0) {
		begin(p, a, OP_SENDER_DROP, WAIT_NEVER);
		a->leaves = true;
	} else if (which < 3) {
		begin(p, a, OP_SEND, wait);
	} else if (which < 8) { /* a select */
		begin(p, a, OP_SEND, wait)->slots = 1;
		a->waiter = true;
	} else if (which < 10) {
		begin(p, a, OP_SEND, wait);
		a->more = chance(p, 4);
	} else if (which < 13) {
		begin(p, a, OP_RESERVE, wait)->slots = (uint32_t)chance(p, p->capacity + 2);
	} else if (which == 13) {
		begin(p, a, OP_ARMED, WAIT_NEVER)->slots = 1;
		a->waiter = true;
	} else if (which == 14) {
		begin(p, a, OP_SENDER_CLONE, WAIT_NEVER);
	} else {
		begin(p, a, chance(p, 2) == 0 ? OP_CLOSED : OP_SENDER_IS_CLOSED, WAIT_TIMED);
	}
}

static inline void begin_receiving(struct imitation *p, struct actor *a)
{
	size_t which = chance(p, 32);
	bool ended = a->count > 0 && last_op(a)->code == OP_RECV && last_op(a)->status == CHAN_CLOSED;
	a->leaves = p->left == 0 && !p->rests && (ended || chance(p, 40) == 0);
	if (p->rests)
		begin(p, a, OP_RECV, WAIT_NOW);
	else if (p->left == 0)
		begin(p, a, a->leaves ? OP_RECEIVER_DROP : OP_RECV, WAIT_FOREVER);
	else if (which == 0 && p->may_close && p->left < 40)
		begin(p, a, OP_CLOSE, WAIT_NEVER);
	else if (which < 3)
		begin(p, a, OP_IS_CLOSED, WAIT_NEVER);
	else
		begin(p, a, OP_RECV, chance(p, 3))->slots = (uint32_t)(chance(p, 3) == 0 ? 1 + chance(p, 4) : 0);
}

/* ------------------------------------------------------------------------------------------
 * What goes on
 */

static inline void try_slots(struct imitation *p, struct actor *a, size_t n)
{
	struct op *op = last_op(a);
	if (p->closed) {
		a->more = 0;
		done(a, CHAN_CLOSED);
	} else if (n > p->capacity) {
		done(a, CHAN_FULL);
		op->wait = WAIT_NOW;
	} else if (n == 0 || (p->turns == 0 && free_slots(p) >= n)) {
		p->held += op->code == OP_ARMED ? 0 : n;
		a->permits += op->code == OP_RESERVE ? n : 0;
		if (op->code == OP_SEND)
			a->at = HOLDS;
		else
			done(a, CHAN_OK);
	} else if (op->wait == WAIT_NOW && !a->waiter) {
		a->more = 0;
		done(a, CHAN_FULL);
	} else {
		a->want = n;
		a->got = 0;
		a->at = WAITS;
		p->turn[p->turns++] = (size_t)(a - p->actors);
		serve(p);
	}
}

/* A waiter's slot serves what its handle does next. */
static inline void send_with_grant(struct imitation *p, struct actor *a)
{
	struct op armed = *last_op(a);
	begin(p, a, OP_SEND, WAIT_NOW);
	if (p->closed) {
		last_op(a)->status = CHAN_CLOSED;
	} else {
		p->queue[p->tail++] = last_op(a)->value;
		p->held--;
		a->got = 0;
	}
	last_op(a)->ret = p->stamp++;
	a->ops[a->first] = armed;
}

/* It has what it waited for. */
static inline void use_grant(struct imitation *p, struct actor *a)
{
	struct op *op = last_op(a);
	bool late = op->wait != WAIT_FOREVER && chance(p, 2) == 0; /* its deadline came first */
	if (a->ops[a->first].code == OP_ARMED) {
		if (chance(p, 2) == 0)
			send_with_grant(p, a);
		size_t n = a->got;
		a->got = 0;
		a->at = RETURNS;
		give(p, n);
	} else if (p->closed) {
		give_up(p, a, CHAN_CLOSED);
	} else if (late && !a->waiter) {
		give_up(p, a, CHAN_TIMEOUT);
	} else if (op->code == OP_RESERVE) {
		a->permits = a->got;
		a->got = 0;
		done(a, CHAN_OK);
	} else if (late) {
		size_t n = a->got;
		a->got = 0;
		a->at = TRIES;
		a->asleep = chance(p, 40);
		give(p, n);
	} else {
		p->held -= a->got;
		a->got = 0;
		put_in(p, a);
	}
}

static inline void wait_for_slots(struct imitation *p, struct actor *a)
{
	struct op *op = last_op(a);
	if (op->code == OP_ARMED) {
		give_up(p, a, CHAN_OK);
	} else if (p->closed) {
		give_up(p, a, CHAN_CLOSED);
	} else if (op->wait != WAIT_FOREVER && (chance(p, 4) == 0 || p->rests)) {
		give_up(p, a, op->wait == WAIT_NOW ? CHAN_FULL : CHAN_TIMEOUT);
	}
}

static inline void try_recv(struct imitation *p, struct actor *a)
{
	struct op *op = last_op(a);
	size_t most = op->slots == 0 ? 1 : op->slots, there = p->tail - p->head;
	bool many = op->slots > 0;
	if (there == 0) {
		if (has_ended(p))
			done(a, CHAN_CLOSED);
		else if (op->wait == WAIT_NOW ||
		         (op->wait == WAIT_TIMED && a->at == AWAITS && (chance(p, 4) == 0 || p->rests)))
			done(a, op->wait == WAIT_NOW ? CHAN_EMPTY : CHAN_TIMEOUT);
		else
			a->at = AWAITS;
		op->slots = a->at == AWAITS ? op->slots : 0;
		return;
	}
	op->slots = 0;
	a->got = there < most ? there : most;
	for (size_t i = 0; i < a->got; i++) {
		if (i > 0) {
			op = &a->ops[a->count++];
			*op = op[-1];
			op->chained = true;
		}
		op->value = p->queue[p->head++];
	}
	if (many && a->got < most) {
		op = &a->ops[a->count++];
		*op = op[-1];
		op->code = OP_DRAINED;
		op->chained = true;
	}
	p->held += a->got;
	a->at = GIVES;
	if (chance(p, 2) == 0) {
		a->at = RETURNS;
		give(p, a->got);
		a->got = 0;
	}
}

static inline void drop_receiver(struct imitation *p)
{
	if (--p->receivers == 0) {
		p->closed = true;
		p->head = p->tail;
	}
}

static inline void try_it(struct imitation *p, struct actor *a)
{
	struct op *op = last_op(a);
	switch ((enum op_code)op->code) {
	case OP_SEND:
	case OP_ARMED:
		try_slots(p, a, 1);
		return;
	case OP_RESERVE:
		try_slots(p, a, op->slots);
		return;
	case OP_RECV:
		try_recv(p, a);
		return;
	case OP_PERMIT_SEND:
		a->permits--;
		p->held--;
		put_in(p, a);
		return;
	case OP_PERMIT_RELEASE:
		a->got = a->permits;
		a->permits = 0;
		a->at = a->got > 0 ? GIVES : RETURNS;
		return;
	case OP_CLOSE:
		p->closed = true;
		break;
	case OP_CLOSED:
		done(a, p->closed ? CHAN_OK : CHAN_TIMEOUT);
		return;
	case OP_SENDER_IS_CLOSED:
		op->value = p->closed;
		break;
	case OP_IS_CLOSED:
		op->value = p->closed || p->senders == 0;
		break;
	case OP_SENDER_CLONE:
		p->senders++;
		break;
	case OP_SENDER_DROP:
		p->senders--;
		break;
	default: /* OP_RECEIVER_DROP */
		drop_receiver(p);
		break;
	}
	done(a, CHAN_OK);
}

static inline void return_from_it(struct imitation *p, struct actor *a)
{
	enum op_code code = a->ops[a->first].code;
	for (size_t i = a->first; i < a->count; i++)
		if (a->ops[i].ret == 0)
			a->ops[i].ret = p->stamp;
	p->stamp++;
	a->at = FREE;
	if (a->leaves)
		a->at = LEFT;
	if (code != OP_SENDER_CLONE)
		return;
	a->first = a->count; /* the clone takes the place of the one before */
	begin(p, a, OP_SENDER_DROP, WAIT_NEVER);
}

/* Whether somebody has to do something for the others to come to rest. */
static inline bool is_wanted(const struct imitation *p, const struct actor *a)
{
	for (size_t i = 0; i < ACTORS; i++) {
		if (a->receives ? p->actors[i].at == WAITS : p->actors[i].at == AWAITS)
			return true;
		if (!a->receives && a->permits > 0 && p->actors[i].at == WAITS)
			return true;
	}
	return false;
}

static inline void step(struct imitation *p, struct actor *a)
{
	switch (a->at) {
	case FREE:
		if (p->rests && !is_wanted(p, a))
			return;
		a->first = a->count;
		a->more = 0;
		p->left -= p->left > 0 && !p->rests;
		a->receives ? begin_receiving(p, a) : begin_sending(p, a);
		return;
	case TRIES:
		try_it(p, a);
		return;
	case HOLDS:
		p->held--;
		put_in(p, a);
		return;
	case WAITS:
		wait_for_slots(p, a);
		return;
	case GRANTED:
		use_grant(p, a);
		return;
	case AWAITS:
		try_recv(p, a);
		return;
	case GIVES:
		if (--a->got == 0)
			a->at = RETURNS;
		give(p, 1);
		return;
	case RETURNS:
		return_from_it(p, a);
		return;
	default:
		return;
	}
}

#endif
