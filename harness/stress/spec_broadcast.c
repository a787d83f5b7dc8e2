/* SPDX-License-Identifier: MIT
 *
 * spec_broadcast.c - broadcast as a sequential channel: a log that grows, and a cursor for each
 * receiver.
 *
 * The results of a receiver tell where in the log its messages stand. A receiver that was there at
 * first counts from 0. The place of one that came later is known as soon as it has a message in
 * common with one whose place is known. So nearly every message has its place before the search,
 * and the search tries its send there only.
 */
#include "harness/stress/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECEIVERS = 64 };
#define NO_PLACE SIZE_MAX

struct broadcast_state {
	uint64_t tail, hash, senders;
	uint64_t receivers; /* a bit each */
	uint64_t next[RECEIVERS];
};

/* One message received, by a receiver between its subscription and its drop. */
struct seen {
	size_t receiver; /* which, counting each subscription anew */
	size_t send;     /* the operation that sent it */
	uint64_t offset; /* from where that receiver began */
};

struct facts {
	const struct history *history;
	uint64_t retained;
	size_t *send_of;  /* of each receive; NO_PLACE: nobody sent that */
	size_t *place;    /* of each send, or NO_PLACE */
	size_t *reserved; /* of each place: the send that stands there, or NO_PLACE */
	bool *received;   /* of each send: by anybody */
	size_t *log;
};

/* ------------------------------------------------------------------------------------------
 * Places
 */

struct sent {
	uint64_t value;
	size_t op;
};

static int by_value(const void *a, const void *b)
{
	const struct sent *x = a, *y = b;
	return x->value < y->value ? -1 : x->value > y->value;
}

static bool match(struct facts *facts)
{
	const struct history *history = facts->history;
	struct sent *sent = malloc((history->count + 1) * sizeof *sent);
	size_t count = 0;
	if (sent == NULL)
		return false;
	for (size_t i = 0; i < history->count; i++)
		if (history->ops[i].code == OP_SEND && history->ops[i].status == CHAN_OK)
			sent[count++] = (struct sent){history->ops[i].value, i};
	qsort(sent, count, sizeof *sent, by_value);
	for (size_t i = 0; i < history->count; i++) {
		struct sent key = {.value = history->ops[i].value};
		const struct sent *found = NULL;
		facts->send_of[i] = facts->place[i] = facts->reserved[i] = NO_PLACE;
		if (history->ops[i].code == OP_RECV && history->ops[i].status == CHAN_OK)
			found = bsearch(&key, sent, count, sizeof *sent, by_value);
		if (found == NULL)
			continue;
		facts->send_of[i] = found->op;
		facts->received[found->op] = true;
	}
	free(sent);
	return true;
}

/* Lists what was received with its offset, receiver by receiver. A receiver is used by one
 * thread, so its operations stand in order. */
static size_t list_seen(struct facts *facts, struct seen *seen, uint64_t *base, size_t *receivers)
{
	const struct history *history = facts->history;
	size_t current[RECEIVERS], count = 0;
	uint64_t offset[RECEIVERS] = {0};
	for (size_t i = 0; i < RECEIVERS; i++) {
		current[i] = i;
		base[i] = 0;
	}
	*receivers = RECEIVERS;
	for (size_t i = 0; i < history->count; i++) {
		const struct op *op = &history->ops[i];
		if (op->code == OP_SUBSCRIBE || op->code == OP_RESUBSCRIBE) {
			base[*receivers] = UINT64_MAX; /* not known yet */
			current[op->other] = (*receivers)++;
			offset[op->other] = 0;
		} else if (op->code == OP_RECV && op->status == CHAN_LAGGED) {
			offset[op->handle] += op->extra;
		} else if (op->code == OP_RECV && (op->status == CHAN_OK || op->status == CHAN_NOMEM)) {
			if (facts->send_of[i] != NO_PLACE)
				seen[count++] =
					(struct seen){current[op->handle], facts->send_of[i], offset[op->handle]};
			offset[op->handle]++;
		}
	}
	return count;
}

static void find_places(struct facts *facts, const struct seen *seen, size_t count, uint64_t *base)
{
	bool found = true;
	while (found) {
		found = false;
		for (size_t i = 0; i < count; i++) {
			size_t *place = &facts->place[seen[i].send];
			uint64_t *begin = &base[seen[i].receiver];
			if (*begin != UINT64_MAX && *place == NO_PLACE) {
				*place = *begin + seen[i].offset;
				found = true;
			} else if (*begin == UINT64_MAX && *place != NO_PLACE && *place >= seen[i].offset) {
				*begin = *place - seen[i].offset;
				found = true;
			}
		}
	}
	for (size_t i = 0; i < facts->history->count; i++)
		if (facts->place[i] < facts->history->count)
			facts->reserved[facts->place[i]] = i;
}

static void broadcast_release(void *arg)
{
	struct facts *facts = arg;
	free(facts->send_of);
	free(facts->place);
	free(facts->reserved);
	free(facts->received);
	free(facts->log);
	free(facts);
}

static void *broadcast_prepare(const struct history *history)
{
	size_t n = history->count + RECEIVERS + 1, receivers;
	struct facts *facts = calloc(1, sizeof *facts);
	struct seen *seen = malloc(n * sizeof *seen);
	uint64_t *base = malloc(n * sizeof *base);
	if (facts == NULL)
		goto failed;
	facts->history = history;
	for (facts->retained = 1; facts->retained < history->capacity;)
		facts->retained *= 2; /* B-2 */
	facts->send_of = malloc(n * sizeof *facts->send_of);
	facts->place = malloc(n * sizeof *facts->place);
	facts->reserved = malloc(n * sizeof *facts->reserved);
	facts->received = calloc(n, sizeof *facts->received);
	facts->log = malloc(n * sizeof *facts->log);
	if (seen == NULL || base == NULL || facts->send_of == NULL || facts->place == NULL || facts->reserved == NULL ||
	    facts->received == NULL || facts->log == NULL || !match(facts))
		goto failed;
	find_places(facts, seen, list_seen(facts, seen, base, &receivers), base);
	free(base);
	free(seen);
	return facts;
failed:
	free(base);
	free(seen);
	if (facts != NULL)
		broadcast_release(facts);
	return NULL;
}

/* ------------------------------------------------------------------------------------------
 * Steps
 */

static void broadcast_init(void *state, void *arg)
{
	const struct facts *facts = arg;
	struct broadcast_state *s = state;
	memset(s, 0, sizeof *s);
	s->senders = facts->history->senders;
	s->receivers = facts->history->receivers;
}

static unsigned broadcast_phases(const struct op *op)
{
	return op->code != OP_ARMED && op->code != OP_LEN && (op->code == OP_RECV || op->status != CHAN_NOMEM);
}

static bool step_send(struct broadcast_state *s, struct facts *facts, size_t i)
{
	const struct op *op = &facts->history->ops[i];
	if (op->status == CHAN_CLOSED)
		/* B-5 */
		return s->receivers == 0;
	/* B-4 */
	if (s->receivers == 0 || (uint64_t)__builtin_popcountll(s->receivers) != op->extra)
		return false;
	if (facts->place[i] != NO_PLACE ? facts->place[i] != s->tail : facts->reserved[s->tail] != NO_PLACE)
		return false;
	facts->log[s->tail++] = i;
	s->hash = spec_mix(s->hash ^ (facts->received[i] ? i + 1 : 0));
	return true;
}

static bool step_recv(struct broadcast_state *s, const struct facts *facts, size_t i)
{
	const struct op *op = &facts->history->ops[i];
	uint64_t *next = &s->next[op->handle], behind = s->tail - *next;
	switch ((enum chan_status)op->status) {
	case CHAN_OK:
	case CHAN_NOMEM: /* B-34 */
		if (behind == 0 || behind > facts->retained)
			return false;
		return (*next)++, op->status == CHAN_NOMEM || facts->log[*next - 1] == facts->send_of[i];
	case CHAN_LAGGED: /* B-12 */
		if (behind <= facts->retained || behind - facts->retained != op->extra)
			return false;
		*next += op->extra;
		return true;
	case CHAN_CLOSED:
		return behind == 0 && s->senders == 0;
	default:
		return behind == 0 && s->senders != 0;
	}
}

static bool broadcast_step(void *state, void *arg, size_t i, unsigned phase)
{
	struct broadcast_state *s = state;
	struct facts *facts = arg;
	const struct op *op = &facts->history->ops[i];
	(void)phase;
	switch ((enum op_code)op->code) {
	case OP_SEND:
		return step_send(s, facts, i);
	case OP_RECV:
		return step_recv(s, facts, i);
	case OP_SUBSCRIBE:
	case OP_RESUBSCRIBE:
		s->receivers |= UINT64_C(1) << op->other;
		s->next[op->other] = s->tail;
		return true;
	case OP_RECEIVER_DROP:
		s->receivers &= ~(UINT64_C(1) << op->handle);
		s->next[op->handle] = 0;
		return true;
	case OP_SENDER_CLONE:
		s->senders++;
		return true;
	case OP_SENDER_DROP:
		s->senders--;
		return true;
	case OP_UPGRADE:
		if (op->status != CHAN_OK)
			return s->senders == 0;
		return s->senders++ != 0;
	case OP_CLOSED:
		return (op->status == CHAN_OK) == (s->receivers == 0);
	case OP_SENDER_IS_CLOSED:
		return op->value == (s->receivers == 0);
	case OP_IS_CLOSED: /* B-25 */
		return op->value == (s->senders == 0);
	default:
		return false;
	}
}

static uint64_t broadcast_hash(const void *state, const void *facts)
{
	const struct broadcast_state *s = state;
	uint64_t hash = s->hash;
	(void)facts;
	for (unsigned i = 0; i < RECEIVERS; i++)
		if (s->next[i] != 0)
			hash += spec_mix(s->next[i] * RECEIVERS + i);
	return hash;
}

static void broadcast_describe(const void *state, const void *arg, char *text, size_t size)
{
	const struct broadcast_state *s = state;
	const struct facts *facts = arg;
	int n = snprintf(text, size,
	                 "%" PRIu64 " sent (%" PRIu64 " retained at most), %" PRIu64 " senders; receivers behind:",
	                 s->tail, facts->retained, s->senders);
	for (unsigned i = 0; i < RECEIVERS && n > 0 && (size_t)n < size; i++)
		if ((s->receivers >> i & 1) != 0)
			n += snprintf(text + n, size - (size_t)n, " %u by %" PRIu64, i, s->tail - s->next[i]);
}

static enum spec_role broadcast_role(const struct op *op)
{
	switch ((enum op_code)op->code) {
	case OP_CLOSED:
	case OP_SENDER_IS_CLOSED:
	case OP_IS_CLOSED:
		return ROLE_OBSERVER;
	case OP_SEND:
		return op->status == CHAN_CLOSED ? ROLE_OBSERVER : ROLE_KEPT;
	case OP_RECV:
		return op->status == CHAN_EMPTY || op->status == CHAN_TIMEOUT || op->status == CHAN_CLOSED
		               ? ROLE_OBSERVER
		               : ROLE_KEPT;
	default:
		return ROLE_KEPT;
	}
}

const struct spec spec_broadcast = {.state_size = sizeof(struct broadcast_state),
                                    .prepare = broadcast_prepare,
                                    .release = broadcast_release,
                                    .init = broadcast_init,
                                    .phases = broadcast_phases,
                                    .step = broadcast_step,
                                    .hash = broadcast_hash,
                                    .describe = broadcast_describe,
                                    .role = broadcast_role};
