/* SPDX-License-Identifier: MIT */
#include "harness/stress/verify.h"

#include "harness/stress/excerpt.h"
#include "harness/stress/queue_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 24, LIMIT_OF_EXCERPT = 1 << 20 };

__attribute__((format(printf, 2, 3))) static void add(struct verify_result *result, const char *format, ...)
{
	size_t used = strlen(result->text);
	va_list args;
	va_start(args, format);
	vsnprintf(result->text + used, sizeof result->text - used, format, args);
	va_end(args);
}

const struct spec *spec_of(enum kind kind)
{
	static const struct spec *const specs[KIND_COUNT] = {&spec_mpsc, &spec_mpsc, &spec_oneshot, &spec_broadcast,
	                                                     &spec_watch};
	return specs[kind];
}

static int by_call(const void *a, const void *b)
{
	const struct op *x = a, *y = b;
	return x->call < y->call ? -1 : x->call > y->call;
}

static void add_op(struct verify_result *result, const struct op *op, enum kind kind, const char *mark)
{
	char line[256];
	op_print(op, kind, line, sizeof line);
	add(result, "  %s %s\n", mark, line);
}

static void tell_pattern(const struct history *history, const struct pattern *found, struct verify_result *result)
{
	struct op ops[PATTERN_MAX];
	for (size_t i = 0; i < found->count; i++)
		ops[i] = history->ops[found->ops[i]];
	qsort(ops, found->count, sizeof *ops, by_call);
	result->verdict = SEARCH_BAD;
	add(result, "%s (stamps of call and return in brackets):\n", found->what);
	for (size_t i = 0; i < found->count; i++)
		add_op(result, &ops[i], history->kind, " ");
}

/* The patterns that need no search. True when they decide it. */
static bool verify_queue(const struct history *history, struct verify_result *result)
{
	bool (*const checks[])(const struct history *, struct pattern *) = {queue_check, interval_check};
	for (size_t i = 0; i < 2; i++) {
		struct pattern found;
		if (!checks[i](history, &found)) {
			result->verdict = SEARCH_NOMEM;
			return true;
		}
		if (found.what[0] != '\0') {
			tell_pattern(history, &found, result);
			return true;
		}
	}
	return false;
}

static void tell_excerpt(const struct history *history, const struct spec *spec, void (*alive)(void),
                         struct verify_result *result)
{
	size_t count = 0;
	struct op *ops = malloc((history->count + 1) * sizeof *ops);
	struct history rest = *history;
	struct search_result reached;
	if (ops == NULL) {
		add(result, "no order of the operations explains the results (no memory to make an excerpt)\n");
		return;
	}
	for (size_t i = 0; i < history->count; i++) /* what constrains nothing explains nothing */
		if (spec->phases(&history->ops[i]) > 0 || history->ops[i].slots > 0)
			ops[count++] = history->ops[i];
	struct op culprit = ops[excerpt(history, spec, ops, &count, alive)];
	rest.ops = ops;
	rest.count = count;
	search(&rest, spec, LIMIT_OF_EXCERPT, alive, &reached);
	qsort(ops, count, sizeof *ops, by_call);
	add(result,
	    "no order of these operations explains the result marked > (stamps of call and return in brackets):\n");
	if (count > SHOWN)
		add(result, "    ... (%zu operations before)\n", count - SHOWN);
	for (size_t i = count > SHOWN ? count - SHOWN : 0; i < count; i++)
		add_op(result, &ops[i], history->kind, memcmp(&ops[i], &culprit, sizeof culprit) == 0 ? ">" : " ");
	add(result, "  the longest attempt got to: %s\n", reached.state);
	free(ops);
}

static void verify_one(const struct history *history, uint64_t limit, void (*alive)(void), struct verify_result *result)
{
	const struct spec *spec = spec_of(history->kind);
	struct search_result found;
	if ((history->kind == KIND_MPSC || history->kind == KIND_UNBOUNDED) && verify_queue(history, result))
		return;
	search(history, spec, limit, alive, &found);
	result->configurations += found.configurations;
	result->verdict = found.verdict;
	if (found.verdict == SEARCH_BAD)
		tell_excerpt(history, spec, alive, result);
}

static int by_channel(const void *a, const void *b, void *arg)
{
	const struct op *ops = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	if (ops[x].channel != ops[y].channel)
		return ops[x].channel < ops[y].channel ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Channel by channel, the operations of each in the order that they had. */
static void verify_channels(const struct history *history, uint64_t limit, void (*alive)(void),
                            struct verify_result *result)
{
	size_t *order = malloc((history->count + 1) * sizeof *order);
	struct op *ops = malloc((history->count + 1) * sizeof *ops);
	result->verdict = SEARCH_NOMEM;
	if (order == NULL || ops == NULL)
		goto done;
	for (size_t i = 0; i < history->count; i++)
		order[i] = i;
	qsort_r(order, history->count, sizeof *order, by_channel, (void *)(uintptr_t)history->ops);
	for (size_t i = 0; i < history->count; i++)
		ops[i] = history->ops[order[i]];
	result->verdict = SEARCH_GOOD;
	for (size_t first = 0, end; first < history->count && result->verdict == SEARCH_GOOD; first = end) {
		for (end = first; end < history->count && ops[end].channel == ops[first].channel;)
			end++;
		struct history one = *history;
		one.ops = ops + first;
		one.count = end - first;
		verify_one(&one, limit, alive, result);
	}
done:
	free(ops);
	free(order);
}

void verify(const struct history *history, uint64_t limit, void (*alive)(void), struct verify_result *result)
{
	*result = (struct verify_result){.verdict = SEARCH_GOOD};
	if (history->kind == KIND_ONESHOT)
		verify_channels(history, limit, alive, result);
	else
		verify_one(history, limit, alive, result);
}
