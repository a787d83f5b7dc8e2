/* SPDX-License-Identifier: MIT */
#include "harness/stress/search.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------
 * The configurations that were met: an open-addressed set of 128-bit hashes, never {0, 0}
 */

struct mark {
	uint64_t a, b;
};

struct marks {
	struct mark *slots;
	size_t mask, count;
};

static bool marks_grow(struct marks *marks)
{
	size_t size = marks->slots == NULL ? 1 << 12 : (marks->mask + 1) * 2;
	struct mark *slots = calloc(size, sizeof *slots);
	if (slots == NULL)
		return false;
	for (size_t i = 0; marks->slots != NULL && i <= marks->mask; i++) {
		struct mark mark = marks->slots[i];
		if (mark.a == 0 && mark.b == 0)
			continue;
		size_t at = mark.a & (size - 1);
		while (slots[at].a != 0 || slots[at].b != 0)
			at = (at + 1) & (size - 1);
		slots[at] = mark;
	}
	free(marks->slots);
	marks->slots = slots;
	marks->mask = size - 1;
	return true;
}

/* 1: it is new; 0: it was there; -1: out of memory. */
static int marks_add(struct marks *marks, struct mark mark)
{
	if ((marks->slots == NULL || marks->count * 2 > marks->mask) && !marks_grow(marks))
		return -1;
	if (mark.a == 0 && mark.b == 0)
		mark.b = 1;
	size_t at = mark.a & marks->mask;
	for (; marks->slots[at].a != 0 || marks->slots[at].b != 0; at = (at + 1) & marks->mask)
		if (marks->slots[at].a == mark.a && marks->slots[at].b == mark.b)
			return 0;
	marks->slots[at] = mark;
	marks->count++;
	return 1;
}

/* ------------------------------------------------------------------------------------------
 * The search
 */

#define NONE SIZE_MAX

/* The operations that are not done yet, in the order of their calls. They are a doubly linked list
 * of indices, whose head and tail is `count`. */
struct node {
	size_t next, previous;
	unsigned phase, phases;
};

struct frame {
	size_t op;        /* whose step led here */
	struct mark mark; /* of the set of steps */
};

struct attempt {
	const struct history *history;
	const struct spec *spec;
	void *facts;
	struct node *nodes;
	struct frame *frames; /* one a step */
	char *states;         /* one a step: after it */
	size_t depth, steps, required;
	struct marks met;
};

static int by_call(const void *a, const void *b, void *arg)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	const struct op *ops = arg;
	if (ops[x].call != ops[y].call)
		return ops[x].call < ops[y].call ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool link_operations(struct attempt *attempt)
{
	const struct history *history = attempt->history;
	size_t count = 0, last = history->count;
	size_t *order = malloc((history->count + 1) * sizeof *order);
	if (order == NULL)
		return false;
	for (size_t i = 0; i < history->count; i++) {
		attempt->nodes[i].phases = attempt->spec->phases(&history->ops[i]);
		attempt->nodes[i].phase = 0;
		if (attempt->nodes[i].phases == 0)
			continue;
		order[count++] = i;
		attempt->steps += attempt->nodes[i].phases;
		attempt->required += history->ops[i].ret != OP_PENDING;
	}
	qsort_r(order, count, sizeof *order, by_call, (void *)(uintptr_t)history->ops);
	for (size_t i = 0; i < count; i++) {
		attempt->nodes[last].next = order[i];
		attempt->nodes[order[i]].previous = last;
		last = order[i];
	}
	attempt->nodes[last].next = history->count;
	attempt->nodes[history->count].previous = last;
	free(order);
	return true;
}

static void *state_at(struct attempt *attempt, size_t depth)
{
	return attempt->states + depth * attempt->spec->state_size;
}

static struct mark step_mark(size_t op, unsigned phase)
{
	uint64_t z = spec_mix((uint64_t)op * 4 + phase + 1);
	return (struct mark){z, spec_mix(z ^ 0x5851f42d4c957f2du)};
}

/* Whether the operation before this one in its chain is done, or there is none. */
static bool chain_allows(const struct attempt *attempt, size_t op)
{
	if (!attempt->history->ops[op].chained)
		return true;
	const struct node *before = &attempt->nodes[op - 1];
	return before->phase == before->phases;
}

/* Makes the step if it is possible and leads to a configuration that was not met yet. 1, 0, or
 * -1: out of memory. */
static int try_step(struct attempt *attempt, size_t op)
{
	struct node *node = &attempt->nodes[op];
	void *state = state_at(attempt, attempt->depth + 1);
	if (!chain_allows(attempt, op))
		return 0;
	memcpy(state, state_at(attempt, attempt->depth), attempt->spec->state_size);
	if (!attempt->spec->step(state, attempt->facts, op, node->phase))
		return 0;
	struct mark set = attempt->frames[attempt->depth].mark, mark = step_mark(op, node->phase);
	set.a += mark.a;
	set.b += mark.b;
	uint64_t hash = attempt->spec->hash(state, attempt->facts);
	int added = marks_add(&attempt->met, (struct mark){spec_mix(set.a ^ hash), spec_mix(set.b + hash)});
	if (added <= 0)
		return added;
	attempt->frames[++attempt->depth] = (struct frame){op, set};
	if (++node->phase == node->phases) {
		attempt->nodes[node->previous].next = node->next;
		attempt->nodes[node->next].previous = node->previous;
		attempt->required -= attempt->history->ops[op].ret != OP_PENDING;
	}
	return 1;
}

static size_t undo_step(struct attempt *attempt)
{
	size_t op = attempt->frames[attempt->depth--].op;
	struct node *node = &attempt->nodes[op];
	if (node->phase-- == node->phases) {
		attempt->nodes[node->previous].next = op;
		attempt->nodes[node->next].previous = op;
		attempt->required += attempt->history->ops[op].ret != OP_PENDING;
	}
	return op;
}

/* The first return among the unfinished that stand before `op` in the list. */
static uint64_t first_return_before(const struct attempt *attempt, size_t op)
{
	uint64_t first = OP_PENDING;
	for (size_t i = attempt->nodes[attempt->history->count].next; i != op; i = attempt->nodes[i].next)
		if (attempt->history->ops[i].ret < first)
			first = attempt->history->ops[i].ret;
	return first;
}

/* Tries the operations that may be next, from the one after `after` on (NONE: from the first). */
static int advance(struct attempt *attempt, size_t after)
{
	const struct op *ops = attempt->history->ops;
	size_t end = attempt->history->count, i = attempt->nodes[after == NONE ? end : after].next;
	uint64_t first = first_return_before(attempt, i);
	for (; i != end && ops[i].call < first; i = attempt->nodes[i].next) {
		int made = try_step(attempt, i);
		if (made != 0)
			return made;
		if (ops[i].ret < first)
			first = ops[i].ret;
	}
	return 0;
}

static void run(struct attempt *attempt, uint64_t limit, void (*alive)(void), struct search_result *result)
{
	size_t after = NONE, required = attempt->required, best = SIZE_MAX;
	result->verdict = SEARCH_GOOD;
	while (attempt->required > 0) {
		int made = advance(attempt, after);
		if (made < 0) {
			result->verdict = SEARCH_NOMEM;
			return;
		}
		after = NONE;
		if (made == 1) {
			if (++result->configurations == limit) {
				result->verdict = SEARCH_UNDECIDED;
				return;
			}
			if (alive != NULL && (result->configurations & 0xfff) == 0)
				alive();
			continue;
		}
		if (attempt->required < best) {
			best = attempt->required;
			result->done = required - best;
			attempt->spec->describe(state_at(attempt, attempt->depth), attempt->facts, result->state,
			                        sizeof result->state);
		}
		if (attempt->depth == 0) {
			result->verdict = SEARCH_BAD;
			return;
		}
		after = undo_step(attempt);
	}
	result->done = required;
}

void search(const struct history *history, const struct spec *spec, uint64_t limit, void (*alive)(void),
            struct search_result *result)
{
	struct attempt attempt = {.history = history, .spec = spec};
	*result = (struct search_result){.verdict = SEARCH_NOMEM};
	attempt.nodes = calloc(history->count + 1, sizeof *attempt.nodes);
	if (attempt.nodes == NULL || !link_operations(&attempt))
		goto done;
	attempt.facts = spec->prepare(history);
	attempt.frames = calloc(attempt.steps + 1, sizeof *attempt.frames);
	attempt.states = malloc((attempt.steps + 2) * spec->state_size);
	if (attempt.facts == NULL || attempt.frames == NULL || attempt.states == NULL)
		goto done;
	spec->init(state_at(&attempt, 0), attempt.facts);
	run(&attempt, limit, alive, result);
done:
	if (attempt.facts != NULL)
		spec->release(attempt.facts);
	free(attempt.met.slots);
	free(attempt.states);
	free(attempt.frames);
	free(attempt.nodes);
}
