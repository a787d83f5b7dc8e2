/* SPDX-License-Identifier: MIT */
#include "harness/stress/excerpt.h"

#include <stdlib.h>
#include <string.h>

/* What one question of the shrinker may cost. If it costs more, the answer is "no longer wrong". */
#define LIMIT UINT64_C(200000)
/* How many it may ask. */
#define QUESTIONS 400

struct shrinking {
	struct history history; /* what is being looked at: `ops` of the caller, so many */
	const struct spec *spec;
	struct op *ops;
	size_t count;
	unsigned questions;
	void (*alive)(void);
};

static bool is_wrong(struct shrinking *shrinking, const struct op *ops, size_t count)
{
	struct search_result result;
	if (shrinking->questions++ >= QUESTIONS)
		return false;
	shrinking->history.ops = ops;
	shrinking->history.count = count;
	if (shrinking->alive != NULL)
		shrinking->alive();
	search(&shrinking->history, shrinking->spec, LIMIT, shrinking->alive, &result);
	return result.verdict == SEARCH_BAD;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Finds the shortest wrong beginning by bisection over the returns: every beginning of a right one
 * is right. */
static void shorten(struct shrinking *shrinking, struct op *scratch, uint64_t *stamps)
{
	size_t low = 0, high = 0;
	for (size_t i = 0; i < shrinking->count; i++)
		if (shrinking->ops[i].ret != OP_PENDING)
			stamps[high++] = shrinking->ops[i].ret;
	qsort(stamps, high, sizeof *stamps, by_number);
	if (high == 0)
		return;
	high--; /* wrong up to here, and right below `low` */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t n = history_cut(shrinking->ops, shrinking->count, stamps[middle], scratch);
		if (is_wrong(shrinking, scratch, n))
			high = middle;
		else
			low = middle + 1;
	}
	size_t n = history_cut(shrinking->ops, shrinking->count, stamps[high], scratch);
	if (!is_wrong(shrinking, scratch, n))
		return; /* a limit was reached: all of it stays */
	memcpy(shrinking->ops, scratch, n * sizeof *scratch);
	shrinking->count = n;
}

static bool overlap(const struct op *a, const struct op *b)
{
	return a->call < b->ret && b->call < a->ret;
}

/* Finds out which operations are needed by one that is left: `needed` of each. False: out of
 * memory. */
static bool find_needed(const struct shrinking *shrinking, bool *needed)
{
	const struct spec *spec = shrinking->spec;
	const struct op *ops = shrinking->ops;
	size_t *borrowers = malloc((shrinking->count + 1) * sizeof *borrowers), count = 0;
	if (borrowers == NULL)
		return false;
	for (size_t i = 0; i < shrinking->count && spec->borrows != NULL; i++)
		if (spec->borrows(&ops[i]))
			borrowers[count++] = i;
	for (size_t i = 0; i < shrinking->count; i++) {
		needed[i] = spec->role(&ops[i]) == ROLE_FIXED;
		for (size_t k = 0; k < count && !needed[i] && spec->lends(&ops[i]); k++)
			needed[i] = borrowers[k] != i && overlap(&ops[i], &ops[borrowers[k]]);
	}
	free(borrowers);
	return true;
}

/* A group of operations that stand and fall together: `group` of each; 0: never left out. Those
 * of one value are a group where `elements`; each observer is one where not. */
static size_t make_groups(const struct shrinking *shrinking, size_t *group, bool elements)
{
	size_t groups = 0, n = shrinking->count;
	bool *needed = malloc((n + 1) * sizeof *needed), *stays = calloc(n + 1, sizeof *stays);
	if (needed == NULL || stays == NULL || !find_needed(shrinking, needed))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		const struct op *op = &shrinking->ops[i];
		enum spec_role role = shrinking->spec->role(op);
		bool linked = op->chained || (i + 1 < n && op[1].chained);
		bool element = role == ROLE_ELEMENT || role == ROLE_FIXED;
		group[i] = 0;
		if (role == ROLE_KEPT || element != elements || (linked && !element))
			continue;
		for (size_t k = 0; k < i && group[i] == 0 && element; k++)
			if (group[k] != 0 && shrinking->ops[k].value == op->value)
				group[i] = group[k];
		if (group[i] == 0)
			group[i] = ++groups;
		stays[group[i]] |= needed[i];
	}
	for (size_t i = 0; i < n; i++)
		if (stays[group[i]])
			group[i] = 0;
	free(stays);
	free(needed);
	return n == 0 ? 0 : groups;
}

/* Copies all but the groups from `first` to `last`. An operation whose predecessor in its call is
 * gone follows the one before that. */
static size_t without(const struct shrinking *shrinking, const size_t *group, size_t first, size_t last, struct op *out,
                      size_t *out_group)
{
	size_t n = 0;
	for (size_t i = 0; i < shrinking->count; i++) {
		if (group[i] != 0 && group[i] >= first && group[i] <= last)
			continue;
		out[n] = shrinking->ops[i];
		out[n].chained &= n > 0 && out[n - 1].thread == out[n].thread && out[n - 1].call == out[n].call;
		out_group[n] = group[i];
		n++;
	}
	return n;
}

/* Leaves out ever smaller runs of groups. */
static void thin_out(struct shrinking *shrinking, struct op *scratch, size_t *group, size_t *scratch_group,
                     bool elements)
{
	size_t groups = make_groups(shrinking, group, elements);
	for (size_t run = groups; run > 0; run /= 2) {
		for (size_t first = 1; first <= groups; first += run) {
			size_t n = without(shrinking, group, first, first + run - 1, scratch, scratch_group);
			if (n == shrinking->count || !is_wrong(shrinking, scratch, n))
				continue;
			memcpy(shrinking->ops, scratch, n * sizeof *scratch);
			memcpy(group, scratch_group, n * sizeof *group);
			shrinking->count = n;
		}
	}
}

static bool has_needy(const struct shrinking *shrinking)
{
	for (size_t i = 0; i < shrinking->count; i++)
		if (shrinking->spec->role(&shrinking->ops[i]) == ROLE_NEEDY)
			return true;
	return false;
}

static size_t last_to_return(const struct op *ops, size_t count)
{
	size_t last = 0;
	for (size_t i = 0; i < count; i++)
		if (ops[i].ret != OP_PENDING && (ops[last].ret == OP_PENDING || ops[i].ret > ops[last].ret))
			last = i;
	return last;
}

size_t excerpt(const struct history *history, const struct spec *spec, struct op *ops, size_t *count,
               void (*alive)(void))
{
	struct shrinking shrinking = {.history = *history, .spec = spec, .ops = ops, .count = *count, .alive = alive};
	struct op *scratch = malloc((*count + 1) * sizeof *scratch);
	uint64_t *stamps = malloc((*count + 1) * sizeof *stamps);
	size_t *group = malloc((*count + 1) * sizeof *group), *scratch_group = malloc((*count + 1) * sizeof *group);
	if (scratch != NULL && stamps != NULL && group != NULL && scratch_group != NULL) {
		shorten(&shrinking, scratch, stamps);
		size_t before;
		do { /* an operation that goes may have been the one that needed another */
			before = shrinking.count;
			thin_out(&shrinking, scratch, group, scratch_group, false);
			if (!has_needy(&shrinking))
				thin_out(&shrinking, scratch, group, scratch_group, true);
		} while (shrinking.count < before);
	}
	free(scratch_group);
	free(group);
	free(stamps);
	free(scratch);
	*count = shrinking.count;
	return last_to_return(ops, *count);
}
