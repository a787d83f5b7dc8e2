/* SPDX-License-Identifier: MIT */
#include "harness/stress/queue_check.h"

#include "harness/stress/spec_mpsc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void report(struct pattern *found, const char *what, const size_t *ops, size_t count)
{
	snprintf(found->what, sizeof found->what, "%s", what);
	found->count = 0;
	for (size_t i = 0; i < count && i < PATTERN_MAX; i++)
		if (ops[i] != NO_OP)
			found->ops[found->count++] = ops[i];
}

/* Values from nowhere, and values that come twice. */
static void check_values(const struct history *history, const struct mpsc_facts *facts, struct pattern *found)
{
	for (size_t i = 0; i < history->count; i++) {
		if (!mpsc_takes(&history->ops[i]))
			continue;
		size_t send = facts->send_of[i];
		if (send == NO_OP)
			report(found, "a value was received that nobody sent", &i, 1);
		else if (facts->recv_of[send] != i)
			report(found, "a value was received twice", (size_t[]){send, facts->recv_of[send], i}, 3);
		else if (mpsc_before(history->ops, i, send))
			report(found, "a value was received before its send began", (size_t[]){send, i}, 2);
		if (found->what[0] != '\0')
			return;
	}
}

/* ------------------------------------------------------------------------------------------
 * Order. When the value of `a` was sent before that of `b`, b's receive must not come before a's.
 */

static void report_order(struct pattern *found, const struct mpsc_facts *facts, size_t a, size_t b)
{
	report(found,
	       facts->recv_of[a] == NO_OP ? "a value was never received, one that was sent after it was"
	                                  : "two values were received in the other order than they were sent",
	       (size_t[]){a, b, facts->recv_of[b], facts->recv_of[a]}, 4);
}

static uint64_t recv_call(const struct mpsc_facts *facts, size_t send)
{
	size_t recv = facts->recv_of[send];
	return recv == NO_OP ? UINT64_MAX : facts->history->ops[recv].call;
}

static uint64_t recv_ret(const struct mpsc_facts *facts, size_t send)
{
	size_t recv = facts->recv_of[send];
	return recv == NO_OP ? UINT64_MAX : facts->history->ops[recv].ret;
}

static int by_return(const void *a, const void *b, void *arg)
{
	const struct op *ops = arg;
	uint64_t x = ops[*(const size_t *)a].ret, y = ops[*(const size_t *)b].ret;
	return x < y ? -1 : x > y;
}

static int by_call(const void *a, const void *b, void *arg)
{
	const struct op *ops = arg;
	uint64_t x = ops[*(const size_t *)a].call, y = ops[*(const size_t *)b].call;
	return x < y ? -1 : x > y;
}

/* Sends in the order of real time: of those that had returned when b began, the one whose
 * receive began last. */
static void check_real_time(const struct mpsc_facts *facts, size_t *returned, size_t *begun, size_t count,
                            struct pattern *found)
{
	const struct op *ops = facts->history->ops;
	size_t latest = NO_OP, j = 0;
	qsort_r(returned, count, sizeof *returned, by_return, (void *)(uintptr_t)ops);
	qsort_r(begun, count, sizeof *begun, by_call, (void *)(uintptr_t)ops);
	for (size_t i = 0; i < count; i++) {
		size_t b = begun[i];
		for (; j < count && ops[returned[j]].ret < ops[b].call; j++)
			if (latest == NO_OP || recv_call(facts, returned[j]) > recv_call(facts, latest))
				latest = returned[j];
		if (latest != NO_OP && recv_ret(facts, b) < recv_call(facts, latest)) {
			report_order(found, facts, latest, b);
			return;
		}
	}
}

/* Sends in the order of their thread, which the stamps of one call do not show. */
static void check_producers(const struct mpsc_facts *facts, struct pattern *found)
{
	const struct op *ops = facts->history->ops;
	size_t latest = NO_OP;
	for (size_t b = 0; b < facts->history->count; b++) {
		if (latest != NO_OP && ops[latest].thread != ops[b].thread)
			latest = NO_OP;
		if (!mpsc_puts(&ops[b]))
			continue;
		if (latest != NO_OP && recv_ret(facts, b) < recv_call(facts, latest)) {
			report_order(found, facts, latest, b);
			return;
		}
		if (latest == NO_OP || recv_call(facts, b) > recv_call(facts, latest))
			latest = b;
	}
}

/* Receives in the order of their thread: none after one whose send came after its own. */
static void check_consumers(const struct mpsc_facts *facts, struct pattern *found)
{
	const struct op *ops = facts->history->ops;
	size_t latest = NO_OP; /* the receive whose send began last */
	size_t last_of[1 << 10];
	memset(last_of, 0xff, sizeof last_of);
	for (size_t i = 0; i < facts->history->count; i++) {
		if (latest != NO_OP && ops[latest].thread != ops[i].thread) {
			latest = NO_OP;
			memset(last_of, 0xff, sizeof last_of);
		}
		if (!mpsc_takes(&ops[i]))
			continue;
		size_t a = facts->send_of[i], *last = &last_of[ops[a].thread % (sizeof last_of / sizeof *last_of)];
		if (*last != NO_OP && ops[*last].thread == ops[a].thread && *last > a)
			report_order(found, facts, a, *last);
		else if (latest != NO_OP && ops[a].ret < ops[facts->send_of[latest]].call)
			report_order(found, facts, a, facts->send_of[latest]);
		if (found->what[0] != '\0')
			return;
		*last = a;
		if (latest == NO_OP || ops[a].call > ops[facts->send_of[latest]].call)
			latest = i;
	}
}

/* ------------------------------------------------------------------------------------------
 * "Empty". A message is certainly there from the return of its send to the call of its receive.
 */

/* When the last receiver is dropped, what is left is destroyed. */
static uint64_t drained_from(const struct history *history)
{
	uint64_t first = UINT64_MAX;
	for (size_t i = 0; i < history->count; i++)
		if (history->ops[i].code == OP_RECEIVER_DROP && history->ops[i].call < first)
			first = history->ops[i].call;
	return first;
}

static bool says_empty(const struct op *op)
{
	return op->code == OP_DRAINED || (op->code == OP_RECV && op->status != CHAN_OK);
}

/* Whether from `from` to `to` there was a message at each moment, as far as the chain of certain
 * presences reaches: `returned` are the sends in the order of their returns. */
static void check_one_empty(const struct mpsc_facts *facts, const size_t *returned, const size_t *best, size_t count,
                            size_t empty, struct pattern *found)
{
	const struct op *ops = facts->history->ops, *op = &ops[empty];
	uint64_t covered = op->call;
	size_t chain[PATTERN_MAX] = {empty}, length = 1;
	for (;;) {
		size_t low = 0, high = count;
		while (low < high) { /* the sends that had returned when the cover ends */
			size_t middle = low + (high - low) / 2;
			if (ops[returned[middle]].ret < covered)
				low = middle + 1;
			else
				high = middle;
		}
		if (low == 0 || recv_call(facts, best[low - 1]) <= covered)
			return;
		covered = recv_call(facts, best[low - 1]);
		if (length < PATTERN_MAX)
			chain[length++] = best[low - 1];
		if (length < PATTERN_MAX)
			chain[length++] = facts->recv_of[best[low - 1]];
		if (covered > op->ret) {
			report(found, "nothing was found although there was a message all the time", chain, length);
			return;
		}
	}
}

/* `returned` in the order of returns. */
static bool check_empty(const struct mpsc_facts *facts, const size_t *returned, size_t count, struct pattern *found)
{
	const struct history *history = facts->history;
	uint64_t drained = drained_from(history);
	/* of the first so many: the one received last */
	size_t *best = malloc((count + 1) * sizeof *best);
	if (best == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		best[i] = i > 0 && recv_call(facts, best[i - 1]) >= recv_call(facts, returned[i]) ? best[i - 1]
		                                                                                  : returned[i];
	for (size_t i = 0; i < history->count && found->what[0] == '\0'; i++)
		if (says_empty(&history->ops[i]) && history->ops[i].ret < drained)
			check_one_empty(facts, returned, best, count, i, found);
	free(best);
	return true;
}

bool queue_check(const struct history *history, struct pattern *found)
{
	size_t *returned = malloc((history->count + 1) * sizeof *returned);
	size_t *begun = malloc((history->count + 1) * sizeof *begun), count = 0;
	struct mpsc_facts *facts = mpsc_facts_make(history);
	bool good = returned != NULL && begun != NULL && facts != NULL;

	*found = (struct pattern){.count = 0};
	if (!good)
		goto done;
	for (size_t i = 0; i < history->count; i++)
		if (mpsc_puts(&history->ops[i]))
			returned[count] = begun[count] = i, count++;
	check_values(history, facts, found);
	if (found->what[0] == '\0')
		check_real_time(facts, returned, begun, count, found);
	if (found->what[0] == '\0')
		check_producers(facts, found);
	if (found->what[0] == '\0')
		check_consumers(facts, found);
	if (found->what[0] == '\0')
		good = check_empty(facts, returned, count, found);
done:
	if (facts != NULL)
		mpsc_facts_free(facts);
	free(begun);
	free(returned);
	return good;
}
