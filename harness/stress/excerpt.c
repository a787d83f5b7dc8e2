/* SPDX-License-Identifier: MIT */
#include "harness/stress/excerpt.h"

#include <stdlib.h>
#include <string.h>

/* What one question of the shrinker may cost; one that costs more counts as "no longer wrong". */
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

/* What had begun before the stamp; what had not returned by then is pending. */
static size_t cut(const struct op *ops, size_t count, uint64_t stamp, struct op *out)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (ops[i].call >= stamp)
			continue;
		out[n] = ops[i];
		if (out[n].ret > stamp)
			out[n].ret = OP_PENDING;
		n++;
	}
	return n;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* The shortest wrong beginning, by bisection over the returns: a beginning of a right one is right. */
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
		size_t n = cut(shrinking->ops, shrinking->count, stamps[middle], scratch);
		if (is_wrong(shrinking, scratch, n))
			high = middle;
		else
			low = middle + 1;
	}
	size_t n = cut(shrinking->ops, shrinking->count, stamps[high], scratch);
	if (!is_wrong(shrinking, scratch, n))
		return; /* the limits had their say: all of it stays */
	memcpy(shrinking->ops, scratch, n * sizeof *scratch);
	shrinking->count = n;
}

/* A group of operations that stand and fall together: `group` of each; 0: never left out. */
static size_t make_groups(const struct shrinking *shrinking, size_t *group, bool elements)
{
	size_t groups = 0;
	for (size_t i = 0; i < shrinking->count; i++) {
		const struct op *op = &shrinking->ops[i];
		enum spec_role role = shrinking->spec->role(op);
		bool linked = op->chained || (i + 1 < shrinking->count && op[1].chained);
		group[i] = 0;
		if (role == ROLE_KEPT || (linked && role != ROLE_ELEMENT))
			continue;
		if (role != ROLE_ELEMENT) {
			group[i] = elements ? 0 : ++groups;
			continue;
		}
		if (!elements)
			continue;
		for (size_t k = 0; k < i && group[i] == 0; k++)
			if (group[k] != 0 && shrinking->ops[k].value == op->value)
				group[i] = group[k];
		if (group[i] == 0)
			group[i] = ++groups;
	}
	return groups;
}

/* Copies all but the groups from `first` to `last`. Who followed an operation that is gone follows the one before, of the same call. */
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

static bool needs_full(const struct shrinking *shrinking)
{
	for (size_t i = 0; i < shrinking->count; i++)
		if (shrinking->spec->role(&shrinking->ops[i]) == ROLE_FULL)
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
		thin_out(&shrinking, scratch, group, scratch_group, false);
		if (!needs_full(&shrinking))
			thin_out(&shrinking, scratch, group, scratch_group, true);
		thin_out(&shrinking, scratch, group, scratch_group, false);
	}
	free(scratch_group);
	free(group);
	free(stamps);
	free(scratch);
	*count = shrinking.count;
	return last_to_return(ops, *count);
}
