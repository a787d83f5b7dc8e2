/* SPDX-License-Identifier: MIT
 *
 * interval_check.c - are the lengths and capacities that were seen possible? See queue_check.h.
 */
#include "harness/stress/queue_check.h"

#include "harness/stress/spec_mpsc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Amounts that came in or went out, by the stamps at which the calls began and returned. */
struct change {
	uint64_t stamp, amount; /* after summing: of all up to here */
};

struct changes {
	struct change *begun, *returned;
	size_t count;
};

static int by_stamp(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	return x->stamp < y->stamp ? -1 : x->stamp > y->stamp;
}

static bool changes_collect(struct changes *changes, const struct history *history,
                            uint64_t (*amount)(const struct op *op))
{
	changes->count = 0;
	changes->begun = malloc((history->count + 1) * sizeof *changes->begun);
	changes->returned = malloc((history->count + 1) * sizeof *changes->returned);
	if (changes->begun == NULL || changes->returned == NULL)
		return false;
	for (size_t i = 0; i < history->count; i++) {
		const struct op *op = &history->ops[i];
		uint64_t n = amount(op);
		if (n == 0)
			continue;
		changes->begun[changes->count] = (struct change){op->call, n};
		changes->returned[changes->count++] = (struct change){op->ret, n};
	}
	for (int k = 0; k < 2; k++) {
		struct change *of = k == 0 ? changes->begun : changes->returned;
		qsort(of, changes->count, sizeof *of, by_stamp);
		for (size_t i = 1; i < changes->count; i++)
			of[i].amount += of[i - 1].amount;
	}
	return true;
}

static void changes_free(struct changes *changes)
{
	free(changes->begun);
	free(changes->returned);
}

static uint64_t below(const struct change *of, size_t count, uint64_t stamp)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (of[middle].stamp < stamp)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? 0 : of[low - 1].amount;
}

/* What had surely changed when the call began; what may have when it returned. */
static uint64_t surely(const struct changes *changes, const struct op *op)
{
	return below(changes->returned, changes->count, op->call);
}

static uint64_t perhaps(const struct changes *changes, const struct op *op)
{
	return below(changes->begun, changes->count, op->ret);
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t puts_one(const struct op *op)
{
	return mpsc_puts(op);
}

static uint64_t takes_one(const struct op *op)
{
	return mpsc_takes(op);
}

static uint64_t acquires(const struct op *op)
{
	return op->status != CHAN_OK ? 0 : op->code == OP_SEND ? 1 : op->code == OP_RESERVE ? op->slots : 0;
}

static uint64_t gives(const struct op *op)
{
	return op->code == OP_PERMIT_RELEASE ? op->slots : mpsc_takes(op);
}

/* Amounts that come and go within the call; what it keeps or gives back counts already. */
static uint64_t holds(const struct op *op)
{
	return acquires(op) > 0 || gives(op) > 0 ? 0 : mpsc_holds(op);
}

/* From the first drop of a receiver on, messages and slots may have been given back. */
static uint64_t first_drop(const struct history *history)
{
	uint64_t first = UINT64_MAX;
	for (size_t i = 0; i < history->count; i++)
		if (history->ops[i].code == OP_RECEIVER_DROP && history->ops[i].call < first)
			first = history->ops[i].call;
	return first;
}

static void check_range(const struct history *history, size_t i, uint64_t low, uint64_t high, struct pattern *found)
{
	const struct op *op = &history->ops[i];
	if (op->value >= low && op->value <= high)
		return;
	snprintf(found->what, sizeof found->what,
	         "a %s that was not possible at any moment of the call: from %" PRIu64 " to %" PRIu64 " was",
	         op_name(op->code), low, high);
	found->ops[0] = i;
	found->count = 1;
}

bool interval_check(const struct history *history, struct pattern *found)
{
	struct changes in = {0}, out = {0}, taken = {0}, given = {0}, held = {0};
	uint64_t dropped = first_drop(history), capacity = history->capacity;
	bool good = changes_collect(&in, history, puts_one) && changes_collect(&out, history, takes_one) &&
	            changes_collect(&taken, history, acquires) && changes_collect(&given, history, gives) &&
	            changes_collect(&held, history, holds);

	*found = (struct pattern){.count = 0};
	for (size_t i = 0; good && i < history->count && found->what[0] == '\0'; i++) {
		const struct op *op = &history->ops[i];
		bool drained = op->ret > dropped;
		if (op->code == OP_LEN) {
			uint64_t low = drained ? 0 : less(surely(&in, op), perhaps(&out, op));
			check_range(history, i, low, less(perhaps(&in, op), surely(&out, op)), found);
		} else if (op->code == OP_CAPACITY) {
			uint64_t least = drained ? 0 : less(surely(&taken, op), perhaps(&given, op));
			uint64_t most = less(perhaps(&taken, op), surely(&given, op)) +
			                less(perhaps(&held, op), surely(&held, op));
			check_range(history, i, less(capacity, most), less(capacity, least), found);
		}
	}
	changes_free(&in);
	changes_free(&out);
	changes_free(&taken);
	changes_free(&given);
	changes_free(&held);
	return good;
}
