/* SPDX-License-Identifier: MIT
 *
 * verify_imitation_test.c - the checker against histories of waits, hand-overs, late deadlines and
 * operations cut in two: what is right is accepted, and so is each beginning of it; one wrong
 * result is found, and it is the one that is named.
 */
#include "harness/stress/excerpt.h"
#include "harness/stress/imitation_testing.h"
#include "harness/stress/verify_testing.h"

#include <inttypes.h>

enum { SEEDS = 250, OPERATIONS = 120 };
#define LIMIT UINT64_C(20000000)

/* ------------------------------------------------------------------------------------------
 * Probes. Now and then everybody comes to rest. Then the results so far say what the channel holds,
 * and so whether an operation that begins and ends there could have a certain result. Those that
 * could are part of the history; any one of the others makes it wrong.
 */

/* Whether an operation that begins and ends while all rest can have this result. */
static bool is_possible(const struct imitation *p, const struct op *op)
{
	size_t room = free_slots(p);
	switch ((enum op_code)op->code) {
	case OP_SEND:
		return op->status == CHAN_CLOSED ? p->closed : !p->closed && (op->status == CHAN_OK) == (room > 0);
	case OP_RESERVE:
		return op->status == CHAN_CLOSED ? p->closed
		                                 : !p->closed && (op->status == CHAN_OK) == (room >= op->slots);
	case OP_RECV:
		if (op->status == CHAN_CLOSED)
			return has_ended(p);
		return p->head == p->tail && !has_ended(p);
	default: /* OP_CLOSED */
		return (op->status == CHAN_OK) == p->closed;
	}
}

static struct op any_probe(struct imitation *p, bool possible)
{
	static const enum chan_status sent[] = {CHAN_OK, CHAN_FULL, CHAN_CLOSED};
	struct op op;
	bool changes;
	do {
		size_t which = chance(p, p->receivers > 0 ? 4 : 3);
		op = (struct op){.call = p->stamp,
		                 .ret = p->stamp + 1,
		                 .thread = (uint16_t)(ACTORS + 2 * p->probes + !possible)};
		op.code = which == 0 ? OP_SEND : which == 1 ? OP_RESERVE : which == 2 ? OP_CLOSED : OP_RECV;
		op.slots = which == 1 ? 1 + (uint32_t)chance(p, p->capacity) : 0;
		op.value = which == 0 ? ++p->values : 0;
		op.status = which < 2    ? (uint8_t)sent[chance(p, 3)]
		            : which == 2 ? (chance(p, 2) == 0 ? CHAN_OK : CHAN_EMPTY)
		                         : (chance(p, 2) == 0 ? CHAN_CLOSED : CHAN_EMPTY);
		changes = op.status == CHAN_OK && which != 2;
	} while (is_possible(p, &op) != possible || (possible && changes));
	p->stamp += 2;
	return op;
}

/* Some go far without being interrupted; some are interrupted for long. */
static void go_on(struct imitation *p, struct actor *a)
{
	if (a->asleep > 0) {
		a->asleep--;
		return;
	}
	for (size_t n = 1 + chance(p, 8); n > 0; n--)
		step(p, a);
	if (chance(p, 10) == 0)
		a->asleep = chance(p, 20);
}

/* Plays until about so many operations were done and all have left. The history has the right
 * probes in it, and stands in `ops`, which has room for IMITATED. */
static void imitate(struct imitation *p, uint64_t seed, size_t operations, struct op *ops, struct history *history)
{
	size_t gone = 0, count = 0, receivers;
	memset(p, 0, sizeof *p);
	*p = (struct imitation){.random = seed, .stamp = 1, .left = operations};
	p->capacity = 1 + chance(p, 3) * chance(p, 2);
	p->may_close = chance(p, 2) == 0;
	receivers = 1 + chance(p, 2);
	p->receivers = (unsigned)receivers;
	p->senders = (unsigned)(ACTORS - receivers);
	for (size_t i = 0; i < receivers; i++)
		p->actors[i].receives = true;
	*history = (struct history){.kind = KIND_MPSC,
	                            .capacity = p->capacity,
	                            .senders = p->senders,
	                            .receivers = p->receivers,
	                            .ops = ops};
	while (gone < ACTORS) {
		size_t idle = gone = 0;
		for (size_t i = 0; i < ACTORS; i++) {
			idle += p->actors[i].at == FREE;
			gone += p->actors[i].at == LEFT;
		}
		if (p->rests && idle + gone == ACTORS) {
			p->right[p->probes] = any_probe(p, true);
			p->wrong[p->probes] = any_probe(p, false);
			p->probes++;
			p->rests = false;
		} else if (!p->rests) {
			p->rests = p->probes < PROBES && chance(p, 60) == 0;
		}
		go_on(p, &p->actors[chance(p, ACTORS)]);
	}
	for (size_t i = 0; i < ACTORS; i++)
		for (size_t k = 0; k < p->actors[i].count; k++)
			ops[count++] = p->actors[i].ops[k];
	for (size_t i = 0; i < p->probes; i++)
		ops[count++] = p->right[i];
	history->count = count;
}

/* ------------------------------------------------------------------------------------------ */

static struct imitation play;
static struct op ops[IMITATED];
static struct history history;
static struct verify_result result;

static enum search_verdict check(void)
{
	verify(&history, LIMIT, NULL, &result);
	return result.verdict;
}

static void complain(const char *what, uint64_t seed)
{
	fputs(result.text, stderr); /* longer than a message of cmocka */
	fail_msg("seed %" PRIu64 ": %s", seed, what);
}

static void test_right(void **state)
{
	size_t seen[CHAN_NOMEM + 1] = {0}, late = 0, probes = 0, chained = 0;
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		uint64_t random = seed;
		imitate(&play, seed, OPERATIONS, ops, &history);
		if (check() != SEARCH_GOOD)
			complain("a right history was found wrong", seed);
		test_beginnings(&history, &random, 4);
		probes += play.probes;
		for (size_t i = 0; i < history.count; i++) {
			seen[ops[i].status]++;
			late += ops[i].code == OP_SEND && ops[i].status == CHAN_OK && ops[i].slots > 0;
			chained += ops[i].chained;
		}
	}
	/* All that is to be tested took place, and often. */
	assert_true(seen[CHAN_FULL] > 500 && seen[CHAN_TIMEOUT] > 500 && seen[CHAN_CLOSED] > 500 &&
	            seen[CHAN_EMPTY] > 500 && late > 500 && chained > 500 && probes > SEEDS);
}

/* The excerpt is wrong for the one result that is: without it, it is the rest of a right
 * history. */
static void test_excerpt_of(const struct op *wrong, uint64_t seed)
{
	static struct op rest[IMITATED];
	struct history without = history;
	struct search_result found;
	size_t count = history.count;
	memcpy(rest, ops, count * sizeof *rest);
	size_t culprit = excerpt(&history, &spec_mpsc, rest, &count, NULL);
	if (rest[culprit].call != wrong->call)
		complain("another result than the wrong one was named", seed);
	memmove(&rest[culprit], &rest[culprit + 1], (count - culprit - 1) * sizeof *rest);
	without.ops = rest;
	without.count = count - 1;
	search(&without, &spec_mpsc, LIMIT, NULL, &found);
	if (found.verdict != SEARCH_GOOD)
		complain("the excerpt is wrong for another reason", seed);
}

/* Behind the operations of that actor. Returns where it stands. */
static size_t insert(const struct op *op, size_t actor)
{
	size_t place = 0;
	for (size_t i = 0; i <= actor; i++)
		place += play.actors[i].count;
	memmove(&ops[place + 1], &ops[place], (history.count - place) * sizeof *ops);
	history.count++;
	ops[place] = *op;
	return place;
}

static void test_wrong(void **state)
{
	size_t tried = 0;
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS / 4; seed++) {
		imitate(&play, seed, OPERATIONS, ops, &history);
		for (size_t i = 0; i < play.probes && i < 3; i++, tried++) {
			size_t place = insert(&play.wrong[i], (seed + i) % ACTORS);
			if (check() != SEARCH_BAD)
				complain("a wrong result was not found", seed);
			/* else without a search */
			if (strncmp(result.text, "no order of these operations", 28) == 0)
				test_excerpt_of(&play.wrong[i], seed);
			history.count--;
			memmove(&ops[place], &ops[place + 1], (history.count - place) * sizeof *ops);
		}
	}
	assert_true(tried > SEEDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_right), cmocka_unit_test(test_wrong)};
	return cmocka_run_group_tests_name("verify imitation", tests, NULL, NULL);
}
