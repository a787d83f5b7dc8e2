/* SPDX-License-Identifier: MIT
 *
 * round_test.c - rounds of stress: right channels pass, and the tally and the histories find what
 * a receive does wrong.
 */
#include "harness/stress/round.h"
#include "harness/stress/verify.h"
#include "impls/channels.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

static char failure[sizeof((struct round *)0)->failure];
static struct verify_result checked;

/* Runs a round; true: nothing was found. What was found stands in `failure` or `checked`. */
static bool run(const struct chan_impl *impl, enum kind kind, uint64_t seed, bool recorded)
{
	static struct board board;
	struct round *round = calloc(1, sizeof *round);
	assert_non_null(round);
	*round = (struct round){.kind = kind,
	                        .impl = impl,
	                        .scenario = stress_scenarios[kind],
	                        .board = &board,
	                        .seed = seed,
	                        .threads = 2 + (unsigned)(seed % 4),
	                        .recorded = recorded,
	                        .honours_start = (impl->flags & CHAN_HONOURS_START) != 0};
	assert_true(round_run(round, 600));
	bool good = !atomic_load(&round->failed);
	memcpy(failure, round->failure, sizeof failure);
	if (good && recorded) {
		verify(&round->history, UINT64_C(1000000), NULL, &checked);
		good = checked.verdict != SEARCH_BAD;
		memcpy(failure, checked.text, sizeof failure - 1);
	}
	round_free(round);
	free(round);
	return good;
}

static void test_right(void **state)
{
	(void)state;
	for (const struct chan_impl *const *impl = chan_registry; *impl != NULL; impl++) {
		const void *const tables[KIND_COUNT] = {(*impl)->mpsc, (*impl)->unbounded, (*impl)->oneshot,
		                                        (*impl)->broadcast, (*impl)->watch};
		for (enum kind kind = 0; kind < KIND_COUNT; kind++)
			for (uint64_t seed = 0; seed < 12 && tables[kind] != NULL; seed++)
				if (!run(*impl, kind, seed, seed % 3 != 0))
					fail_msg("%s, %s, seed %d: %s", (*impl)->name, kind_names[kind], (int)seed,
					         failure);
	}
}

/* Where the counters of a soak begin: so near before an end that a round of any length goes
 * beyond it. */
static void test_wrap(void **state)
{
	static const uint64_t ends[] = {0, (uint64_t)1 << 63, (uint64_t)1 << 31, (uint64_t)1 << 15};
	static struct round round = {.wrap = true, .honours_start = true, .random = 7};
	unsigned seen[4] = {0};

	(void)state;
	for (int i = 0; i < 400; i++) {
		size_t k = 0;
		round_choose_config(&round, false);
		while (k < 4 && ends[k] - round.config.start - 1 >= 40)
			k++;
		assert_true(k < 4);
		seen[k]++;
	}
	assert_true(seen[0] > 200 && seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
	round.honours_start = false;
	round_choose_config(&round, false);
	assert_int_equal(round.config.start, 0);
}

/* ------------------------------------------------------------------------------------------
 * A receive that is wrong now and then, around that of the first implementation
 */

static struct chan_mpsc_ops ops;
static const struct chan_mpsc_ops *inner;
static size_t size;
static atomic_uint calls;

static bool now_and_then(void)
{
	return atomic_fetch_add(&calls, 1) % 37 == 36;
}

static enum chan_status open_and_note(const struct chan_config *config, struct chan_sender **tx,
                                      struct chan_receiver **rx)
{
	size = config->size;
	return inner->open(config, tx, rx);
}

static enum chan_status recv_loses(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	if (now_and_then())
		inner->recv(rx, msg, CHAN_NOW);
	return inner->recv(rx, msg, deadline);
}

static enum chan_status recv_repeats(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	static _Thread_local unsigned char last[ELEMENT_MAX];
	static _Thread_local bool have;
	if (have && now_and_then()) {
		have = false;
		memcpy(msg, last, size);
		return CHAN_OK;
	}
	enum chan_status status = inner->recv(rx, msg, deadline);
	have = status == CHAN_OK;
	if (have)
		memcpy(last, msg, size);
	return status;
}

static enum chan_status recv_spoils(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	enum chan_status status = inner->recv(rx, msg, deadline);
	if (status == CHAN_OK && size > 8 && now_and_then())
		((unsigned char *)msg)[size - 1] ^= 1;
	return status;
}

static enum chan_status recv_denies(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	if (deadline == CHAN_NOW && now_and_then())
		return CHAN_EMPTY;
	return inner->recv(rx, msg, deadline);
}

static enum chan_status recv_gives_up(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	if (deadline == CHAN_FOREVER && now_and_then())
		return CHAN_TIMEOUT;
	return inner->recv(rx, msg, deadline);
}

/* Some round must find it, and say so in these words. */
static void expect_found(enum chan_status (*recv)(struct chan_receiver *, void *, uint64_t), const char *words)
{
	struct chan_impl impl = *chan_registry[0];
	inner = impl.mpsc;
	ops = *inner;
	ops.open = open_and_note;
	ops.recv = recv;
	ops.recv_many = NULL;
	impl.mpsc = &ops;
	for (uint64_t seed = 0; seed < 300; seed++)
		if (!run(&impl, KIND_MPSC, seed, true) && strstr(failure, words) != NULL)
			return;
	fail_msg("not found: %s", words);
}

static void test_wrong(void **state)
{
	(void)state;
	expect_found(recv_loses, "never ended");
	expect_found(recv_repeats, "after it had ended");
	expect_found(recv_spoils, "is torn");
	expect_found(recv_denies, "nothing was found although there was a message");
	expect_found(recv_gives_up, "recv(forever) returned CHAN_TIMEOUT");
}

/* So late that the deadline of a select has come, and a slot too: the select gives it back and
 * begins again, and nothing of that shows in its result. What others saw meanwhile is right all
 * the same. */
static bool disarm_late(struct chan_waiter *waiter)
{
	for (int i = 0; i < 20; i++)
		sched_yield();
	return inner->disarm(waiter);
}

static void test_late(void **state)
{
	(void)state;
	struct chan_impl impl = *chan_registry[0];
	inner = impl.mpsc;
	ops = *inner;
	ops.disarm = disarm_late;
	impl.mpsc = &ops;
	for (uint64_t seed = 0; seed < 60; seed++)
		if (!run(&impl, KIND_MPSC, seed, true))
			fail_msg("seed %d: %s", (int)seed, failure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_right), cmocka_unit_test(test_wrap),
	                                   cmocka_unit_test(test_wrong), cmocka_unit_test(test_late)};
	return cmocka_run_group_tests_name("round", tests, NULL, NULL);
}
