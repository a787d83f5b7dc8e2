/* SPDX-License-Identifier: MIT */
#include "harness/stress/spec_mpsc.h"

#include <stdlib.h>

bool mpsc_puts(const struct op *op)
{
	return op->code == OP_PERMIT_SEND || (op->code == OP_SEND && op->status == CHAN_OK);
}

bool mpsc_takes(const struct op *op)
{
	return op->code == OP_RECV && op->status == CHAN_OK;
}

uint64_t mpsc_holds(const struct op *op)
{
	bool waited = op->wait == WAIT_TIMED || op->wait == WAIT_FOREVER;
	switch ((enum op_code)op->code) {
	/* by a select also one that succeeded: what its waiter was granted may have come too
	 * late, and gone back */
	case OP_SEND:
		return op->status == CHAN_OK ? op->slots : waited || op->slots > 0;
	case OP_RECV:
		return op->status == CHAN_OK;
	case OP_RESERVE:
		return waited && (op->status != CHAN_OK || op->slots > 1) ? op->slots : 0;
	case OP_PERMIT_RELEASE:
	case OP_ARMED:
		return op->slots;
	default:
		return 0;
	}
}

bool mpsc_before(const struct op *ops, size_t x, size_t y)
{
	return ops[x].ret < ops[y].call || (ops[x].thread == ops[y].thread && x < y);
}

/* ------------------------------------------------------------------------------------------
 * Who received what
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

static int by_return(const void *a, const void *b, void *arg)
{
	const struct mpsc_facts *facts = arg;
	size_t x = facts->recv_of[*(const size_t *)a], y = facts->recv_of[*(const size_t *)b];
	const struct op *ops = facts->history->ops;
	if (ops[x].ret != ops[y].ret)
		return ops[x].ret < ops[y].ret ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool match(struct mpsc_facts *facts)
{
	const struct history *history = facts->history;
	struct sent *sent = malloc((history->count + 1) * sizeof *sent);
	size_t count = 0;
	if (sent == NULL)
		return false;
	for (size_t i = 0; i < history->count; i++) {
		facts->send_of[i] = facts->recv_of[i] = NO_OP;
		if (mpsc_puts(&history->ops[i]))
			sent[count++] = (struct sent){history->ops[i].value, i};
	}
	qsort(sent, count, sizeof *sent, by_value);
	for (size_t i = 0; i < history->count; i++) {
		if (!mpsc_takes(&history->ops[i]))
			continue;
		struct sent key = {.value = history->ops[i].value};
		const struct sent *found = bsearch(&key, sent, count, sizeof *sent, by_value);
		if (found == NULL)
			continue;
		facts->send_of[i] = found->op;
		if (facts->recv_of[found->op] == NO_OP && history->ops[i].ret != OP_PENDING)
			facts->received[facts->received_count++] = found->op;
		facts->recv_of[found->op] = i;
	}
	qsort_r(facts->received, facts->received_count, sizeof *facts->received, by_return, facts);
	free(sent);
	return true;
}

/* ------------------------------------------------------------------------------------------
 * Slots held for a while
 */

struct held {
	uint64_t stamp, slots; /* after summing: of all up to here */
};

static int by_stamp(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	return x->stamp < y->stamp ? -1 : x->stamp > y->stamp;
}

static void sum_up(struct held *held, size_t count)
{
	qsort(held, count, sizeof *held, by_stamp);
	for (size_t i = 1; i < count; i++)
		held[i].slots += held[i - 1].slots;
}

/* The slots of those with a smaller stamp. */
static uint64_t sum_below(const struct held *held, size_t count, uint64_t stamp)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (held[middle].stamp < stamp)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? 0 : held[low - 1].slots;
}

static bool find_slack(struct mpsc_facts *facts)
{
	const struct history *history = facts->history;
	struct held *begun = malloc((history->count + 1) * sizeof *begun);
	struct held *ended = malloc((history->count + 1) * sizeof *ended);
	size_t count = 0;
	bool good = begun != NULL && ended != NULL;
	for (size_t i = 0; good && i < history->count; i++) {
		uint64_t holds = mpsc_holds(&history->ops[i]);
		if (holds == 0)
			continue;
		begun[count] = (struct held){history->ops[i].call, holds};
		ended[count++] = (struct held){history->ops[i].ret, holds};
	}
	if (good) {
		sum_up(begun, count);
		sum_up(ended, count);
	}
	for (size_t i = 0; good && i < history->count; i++) {
		const struct op *op = &history->ops[i];
		facts->slack[i] = sum_below(begun, count, op->ret) - sum_below(ended, count, op->call) - mpsc_holds(op);
	}
	free(ended);
	free(begun);
	return good;
}

struct mpsc_facts *mpsc_facts_make(const struct history *history)
{
	struct mpsc_facts *facts = calloc(1, sizeof *facts);
	size_t n = history->count + 1;
	if (facts == NULL)
		return NULL;
	facts->history = history;
	facts->send_of = malloc(n * sizeof *facts->send_of);
	facts->recv_of = malloc(n * sizeof *facts->recv_of);
	facts->slack = malloc(n * sizeof *facts->slack);
	facts->received = malloc(n * sizeof *facts->received);
	facts->log = calloc(n, sizeof *facts->log);
	facts->place = calloc(n, sizeof *facts->place);
	facts->powers = malloc(n * sizeof *facts->powers);
	if (facts->send_of == NULL || facts->recv_of == NULL || facts->slack == NULL || facts->received == NULL ||
	    facts->log == NULL || facts->place == NULL || facts->powers == NULL || !match(facts) ||
	    !find_slack(facts)) {
		mpsc_facts_free(facts);
		return NULL;
	}
	facts->powers[0] = 1;
	for (size_t i = 1; i < n; i++)
		facts->powers[i] = facts->powers[i - 1] * MPSC_HASH_BASE;
	return facts;
}

void mpsc_facts_free(struct mpsc_facts *facts)
{
	free(facts->send_of);
	free(facts->recv_of);
	free(facts->slack);
	free(facts->received);
	free(facts->log);
	free(facts->place);
	free(facts->powers);
	free(facts);
}
