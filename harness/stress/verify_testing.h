/* SPDX-License-Identifier: MIT
 *
 * verify_testing.h - what the tests of the checker share: histories made by hand, and histories
 * made by running a model of the rules (fuzz/model/) one operation at a time while pretending that
 * several threads did it.
 *
 * A history that a model made is right. One whose results were edited may be right by chance: for
 * short ones every order is tried on the model, and the checker must say the same.
 */
#ifndef CHANBENCH_STRESS_VERIFY_TESTING_H
#define CHANBENCH_STRESS_VERIFY_TESTING_H

#include "harness/bench/random.h"
#include "harness/stress/queue_check.h"
#include "harness/stress/verify.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

enum { SUBJECT_THREADS = 3, SUBJECT_OPS = 12000, BRUTE_MAX = 8 };

/* A kind and its model. */
struct subject {
	struct history history; /* kind, capacity, initial, senders, receivers */
	void *state;            /* the model */
	size_t state_size;
	void (*reset)(void);
	/* What the thread does next, without its results. False: nothing any more. */
	bool (*choose)(uint64_t *random, unsigned thread, uint64_t nth, struct op *op);
	/* Does it on the model and fills in the results. False: it cannot be done there. */
	bool (*perform)(struct op *op);
	/* Changes a result. */
	void (*edit)(uint64_t *random, struct op *op, const struct op *other);
	/* Whether the model is as strict as the checker for these operations. */
	bool (*exact)(const struct op *op);
};

static struct op subject_ops[SUBJECT_THREADS][SUBJECT_OPS], subject_all[SUBJECT_OPS];

static inline enum search_verdict verdict_of(const struct subject *subject, const struct op *ops, size_t count)
{
	static struct verify_result result;
	struct history history = subject->history;
	history.ops = ops;
	history.count = count;
	verify(&history, UINT64_C(20000000), NULL, &result);
	return result.verdict;
}

/* Makes a right history of `count` operations; returns how many there are. */
static inline size_t subject_make(const struct subject *subject, uint64_t *random, size_t count)
{
	enum { IDLE, CALLED, DONE, GONE } at[SUBJECT_THREADS] = {IDLE};
	size_t n[SUBJECT_THREADS] = {0}, made = 0, all = 0;
	uint64_t stamp = 1;
	subject->reset();
	for (;;) {
		size_t t = random_below(random, SUBJECT_THREADS);
		struct op *op = &subject_ops[t][n[t]];
		bool busy = false;
		switch (at[t]) {
		case IDLE:
			*op = (struct op){.thread = (uint16_t)t, .call = stamp++, .wait = WAIT_NEVER};
			if (made < count && subject->choose(random, (unsigned)t, n[t], op)) {
				made++;
				at[t] = CALLED;
			} else {
				at[t] = GONE;
			}
			break;
		case CALLED:
			assert_true(subject->perform(op));
			at[t] = DONE;
			break;
		case DONE:
			op->ret = stamp++;
			n[t]++;
			at[t] = IDLE;
			break;
		default:
			break;
		}
		for (size_t i = 0; i < SUBJECT_THREADS; i++)
			busy |= at[i] != GONE;
		if (!busy)
			break;
	}
	for (size_t t = 0; t < SUBJECT_THREADS; t++)
		for (size_t i = 0; i < n[t]; i++)
			subject_all[all++] = subject_ops[t][i];
	return all;
}

static inline bool same_result(const struct op *a, const struct op *b)
{
	return a->status == b->status && a->value == b->value && a->extra == b->extra && a->flag == b->flag;
}

/* Whether some order of the operations that are left explains all results. */
static inline bool brute(const struct subject *subject, const struct op *ops, size_t count, unsigned done)
{
	unsigned char before[65536];
	bool found = done == (1u << count) - 1;
	assert_true(subject->state_size <= sizeof before);
	memcpy(before, subject->state, subject->state_size);
	for (size_t i = 0; i < count && !found; i++) {
		bool first = (done >> i & 1) == 0;
		for (size_t k = 0; k < count && first; k++)
			first = (done >> k & 1) != 0 || ops[k].ret > ops[i].call;
		if (!first)
			continue;
		struct op op = ops[i];
		if (subject->perform(&op) && same_result(&op, &ops[i]))
			found = brute(subject, ops, count, done | 1u << i);
		memcpy(subject->state, before, subject->state_size);
	}
	return found;
}

/* Every beginning of a right history is right: what is pending may have taken effect, or not. */
static inline void test_beginnings(const struct history *history, uint64_t *random, size_t times)
{
	static struct op beginning[SUBJECT_OPS];
	struct history cut = *history;
	struct search_result result;
	cut.ops = beginning;
	assert_in_range(history->count, 1, SUBJECT_OPS);
	for (; times > 0; times--) {
		uint64_t stamp = history->ops[random_below(random, history->count)].ret;
		cut.count = history_cut(history->ops, history->count, stamp, beginning);
		search(&cut, spec_of(history->kind), UINT64_C(20000000), NULL, &result);
		assert_int_equal(result.verdict, SEARCH_GOOD);
	}
}

static inline void subject_test_right(const struct subject *subject)
{
	uint64_t random = 11;
	struct history history = subject->history;
	history.ops = subject_all;
	for (size_t round = 0; round < 60; round++) {
		history.count = subject_make(subject, &random, 20 + round * 10);
		assert_int_equal(verdict_of(subject, subject_all, history.count), SEARCH_GOOD);
		if (history.kind != KIND_ONESHOT) /* of many channels, which are searched apart */
			test_beginnings(&history, &random, 3);
	}
	assert_int_equal(verdict_of(subject, subject_all, subject_make(subject, &random, 10000)), SEARCH_GOOD);
}

/* Edited histories, and the checker against every order. Both outcomes must have come often. */
static inline void subject_test_edited(const struct subject *subject)
{
	uint64_t random = 5;
	size_t good = 0, bad = 0;
	for (size_t round = 0; round < 6000; round++) {
		size_t count = subject_make(subject, &random, 3 + random_below(&random, BRUTE_MAX - 3));
		bool exact = true;
		if (count == 0)
			continue;
		size_t which = random_below(&random, count);
		subject->edit(&random, &subject_all[which], &subject_all[random_below(&random, count)]);
		for (size_t i = 0; i < count; i++)
			exact &= subject->exact(&subject_all[i]);
		subject->reset();
		bool right = brute(subject, subject_all, count, 0);
		enum search_verdict verdict = verdict_of(subject, subject_all, count);
		good += right && exact;
		bad += !right && exact;
		if (verdict == (right ? SEARCH_GOOD : SEARCH_BAD) || (!right && !exact))
			continue;
		for (size_t i = 0; i < count; i++) {
			char line[256];
			op_print(&subject_all[i], subject->history.kind, line, sizeof line);
			print_message("%s%s\n", i == which ? "> " : "  ", line);
		}
		fail_msg("round %zu: the checker said %s, all orders %s", round,
		         verdict == SEARCH_GOOD ? "right" : "wrong", right ? "right" : "wrong");
	}
	assert_in_range(good, 300, SIZE_MAX);
	assert_in_range(bad, 300, SIZE_MAX);
}

/* A history made by hand: its operations in the order of their threads. */
#define HAND(subject, expected, ...)                                                                                   \
	do {                                                                                                           \
		const struct op hand[] = {__VA_ARGS__};                                                                \
		assert_int_equal(verdict_of(subject, hand, sizeof hand / sizeof *hand), expected);                     \
	} while (0)

#define AT(t, from, to) .thread = t, .call = from, .ret = to, .wait = WAIT_NOW

#endif
