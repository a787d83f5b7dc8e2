/* SPDX-License-Identifier: MIT
 *
 * faults_test.c - the workloads themselves: all presets on the null control, and a good
 * implementation that is made to do one thing wrong at a time, which must be named for just that.
 */
#include "harness/bench/sweep.h"
#include "harness/bench/trial.h"
#include "impls/channels.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct workload fan_in, spsc, mpmc, pipeline, broadcast_lag, backpressure, oneshot, watch;

static struct trial trial;

/* Runs one trial; what it failed with, or "ok". */
static const char *outcome(const struct workload *workload, const struct chan_impl *impl, const struct params *params,
                           uint64_t messages)
{
	const char *why = NULL;
	trial_init(&trial);
	trial.workload = workload;
	trial.impl = impl;
	trial.params = *params;
	trial.kind = workload->kind(params, &why);
	trial.messages = messages;
	trial.salt = 0x5a5a5a5a5a5a5a5a;
	trial.control = impl == &null_impl;
	assert_int_not_equal(trial.kind, KIND_COUNT);
	workload->run(&trial);
	return trial_failed(&trial) ? trial.failure : "ok";
}

/* --- the null control --- */

static const struct workload *presets_of;
static size_t presets_run;

static void run_on_null(const struct params *params, void *arg)
{
	(void)arg;
	if (presets_of->no_null != NULL && presets_of->no_null(params) != NULL)
		return;
	for (uint64_t messages = 1; messages <= 1000; messages = messages * 3 + 1) {
		assert_string_equal(outcome(presets_of, &null_impl, params, messages), "ok");
		assert_true(trial.items >= messages);
	}
	presets_run++;
}

static void test_null(void **state)
{
	(void)state;
	for (size_t i = 0; workloads[i] != NULL; i++) {
		presets_of = workloads[i];
		presets_run = 0;
		for (const struct preset *preset = presets_of->presets; preset->name != NULL; preset++) {
			struct sweep sweep;
			sweep_default(presets_of, &sweep);
			for (const char *word = preset->params; *word != '\0';) {
				size_t length = strcspn(word, " ");
				assert_null(sweep_set(presets_of, &sweep, word, length));
				word += length + strspn(word + length, " ");
			}
			sweep_each(presets_of, &sweep, run_on_null, NULL);
		}
		assert_true(presets_run > 0);
	}
}

/* --- one fault at a time, planted into a good implementation --- */

enum fault { NONE, DROP, DUPLICATE, SWAP, CORRUPT, STATUS, OVERCOUNT, UNDERCOUNT, OLDER, DEEPER, HASTY };

enum { EVERY = 100, SIZE_MOST = 64 };

static enum fault fault;
static size_t size; /* of the messages that the fault meets */
static const struct chan_impl *good;

/* A thread's own; each trial has new threads. */
static _Thread_local uint64_t calls;
static _Thread_local uint64_t kept[SIZE_MOST / 8];
static _Thread_local bool owed; /* SWAP: `kept` comes next */

static enum chan_status faulty_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	if (owed) {
		owed = false;
		memcpy(msg, kept, size);
		return CHAN_OK;
	}
	bool now = ++calls % EVERY == 0;
	if (now && fault == STATUS)
		return CHAN_EMPTY;
	if (now && fault == DUPLICATE) {
		memcpy(msg, kept, size);
		return CHAN_OK;
	}
	enum chan_status status = good->mpsc->recv(rx, msg, deadline);
	if (status != CHAN_OK)
		return status;
	if (now && fault == CORRUPT)
		*(uint64_t *)msg ^= (uint64_t)1 << 20;
	if (now && fault == DROP)
		return good->mpsc->recv(rx, msg, deadline);
	memcpy(kept, msg, size);
	if (now && fault == SWAP)
		owed = good->mpsc->recv(rx, msg, deadline) == CHAN_OK;
	return CHAN_OK;
}

static enum chan_status hasty_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	bool timed = deadline != CHAN_NOW && deadline != CHAN_FOREVER;
	return timed && fault == HASTY ? CHAN_TIMEOUT : good->mpsc->send(tx, msg, deadline);
}

static enum chan_status deeper_open(const struct chan_config *config, struct chan_sender **tx,
                                    struct chan_receiver **rx)
{
	struct chan_config more = *config;
	more.capacity += fault == DEEPER;
	return good->mpsc->open(&more, tx, rx);
}

static enum chan_status faulty_broadcast_recv(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline)
{
	enum chan_status status = good->broadcast->recv(rx, msg, missed, deadline);
	bool now = ++calls % EVERY == 0;
	if (status == CHAN_OK && now && fault == DROP)
		return good->broadcast->recv(rx, msg, missed, deadline);
	if (status == CHAN_LAGGED && fault == OVERCOUNT)
		++*missed;
	if (status == CHAN_LAGGED && fault == UNDERCOUNT && *missed > 1)
		--*missed;
	return status;
}

static enum chan_status faulty_borrow(struct chan_receiver *rx, void *value, bool *unseen)
{
	enum chan_status status = good->watch->borrow(rx, value, unseen);
	calls++;
	if (calls == 1)
		memcpy(kept, value, size);
	if (calls % EVERY == 0 && fault == CORRUPT)
		((uint64_t *)value)[size / 8 - 1] = kept[size / 8 - 1] + 1;
	if (calls % EVERY == 0 && fault == OLDER)
		memcpy(value, kept, size);
	return status;
}

static enum chan_status faulty_oneshot_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	if (++calls % EVERY == 0 && fault == DROP)
		return CHAN_CLOSED;
	return good->oneshot->recv(rx, msg, deadline);
}

static struct chan_mpsc_ops mpsc;
static struct chan_broadcast_ops broadcast;
static struct chan_watch_ops watch_ops;
static struct chan_oneshot_ops oneshot_ops;
static struct chan_impl faulty;

static int plant(void **state)
{
	(void)state;
	good = chan_registry[0];
	faulty = *good;
	mpsc = *good->mpsc;
	broadcast = *good->broadcast;
	watch_ops = *good->watch;
	oneshot_ops = *good->oneshot;
	mpsc.open = deeper_open;
	mpsc.send = hasty_send;
	mpsc.recv = faulty_recv;
	broadcast.recv = faulty_broadcast_recv;
	watch_ops.borrow = faulty_borrow;
	oneshot_ops.recv = faulty_oneshot_recv;
	faulty.mpsc = &mpsc;
	faulty.broadcast = &broadcast;
	faulty.watch = &watch_ops;
	faulty.oneshot = &oneshot_ops;
	return 0;
}

static const char *with(enum fault planted, const struct workload *workload, const char *text, uint64_t messages)
{
	struct sweep sweep;
	struct params params;
	params_default(workload, &params);
	sweep_default(workload, &sweep);
	for (const char *word = text; *word != '\0';) {
		size_t length = strcspn(word, " ");
		assert_null(sweep_set(workload, &sweep, word, length));
		word += length + strspn(word + length, " ");
	}
	for (const struct workload_param *p = workload->params; p->param != PARAM_COUNT; p++)
		params.v[p->param] = sweep.of[p->param].v[0];
	size = params.v[PARAM_SIZE] != 0 ? (size_t)params.v[PARAM_SIZE] : 8;
	fault = planted;
	return outcome(workload, &faulty, &params, messages);
}

static void expect_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' in place of '%s'", text, part);
}

static void test_good(void **state)
{
	(void)state;
	assert_string_equal(with(NONE, &fan_in, "producers=2 capacity=4", 1000), "ok");
	assert_string_equal(with(NONE, &mpmc, "producers=2 consumers=2", 1000), "ok");
	assert_string_equal(with(NONE, &pipeline, "stages=5", 1000), "ok");
	assert_string_equal(with(NONE, &broadcast_lag, "capacity=16 consumers=2 slow=1", 1000), "ok");
	assert_string_equal(with(NONE, &backpressure, "capacity=3 work_ns=5000", 300), "ok");
	assert_string_equal(with(NONE, &oneshot, "mode=request_reply producers=2", 1000), "ok");
	assert_string_equal(with(NONE, &watch, "consumers=2 mode=read", 1000), "ok");
	assert_string_equal(with(NONE, &watch, "consumers=2 mode=wake", 1000), "ok");
}

static void test_streams(void **state)
{
	(void)state;
	static const char *const params[] = {"producers=1 size=8", "producers=4 size=8 capacity=2",
	                                     "producers=4 size=64"};
	for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
		assert_string_equal(with(DROP, &fan_in, params[i], 1000), "lost 9 of 1000 messages");
		assert_string_equal(with(DUPLICATE, &fan_in, params[i], 1000), "duplicated 10 of 1000 messages");
		assert_string_equal(with(CORRUPT, &fan_in, params[i], 1000), "corrupted 10 of 1000 messages");
		assert_string_equal(with(STATUS, &fan_in, params[i], 1000), "recv returned CHAN_EMPTY");
	}
	assert_string_equal(with(SWAP, &spsc, "", 1000), "reordered 9 of 1000 messages");
	assert_string_equal(with(DROP, &backpressure, "work_ns=0", 1000), "lost 9 of 1000 messages");
	expect_in(with(DROP, &mpmc, "producers=2 consumers=2", 10000), "lost ");
	expect_in(with(DUPLICATE, &mpmc, "producers=2 consumers=2", 10000), "duplicated ");
	expect_in(with(STATUS, &pipeline, "", 1000), "recv returned CHAN_EMPTY");
}

static void test_depth(void **state)
{
	(void)state;
	assert_string_equal(with(DEEPER, &backpressure, "capacity=3 work_ns=20000", 1000),
	                    "held 4 messages with a capacity of 3");
}

static void test_hurry(void **state)
{
	(void)state;
	/* half of it is the deadline: time enough to be seen as early */
	const char *params = "mode=deadline work_ns=1000000000";
	assert_string_equal(with(HASTY, &backpressure, params, 10), "send returned CHAN_TIMEOUT before its deadline");
}

static void test_lag(void **state)
{
	(void)state;
	const char *example = "producers=1 consumers=1 capacity=2 mode=example";
	assert_string_equal(with(NONE, &broadcast_lag, example, 10), "ok");
	assert_string_equal(with(OVERCOUNT, &broadcast_lag, example, 10),
	                    "wrong lag: capacity 2, five sends: missed 4 instead of 3");
	assert_string_equal(with(UNDERCOUNT, &broadcast_lag, example, 10),
	                    "wrong lag: capacity 2, five sends: missed 2 instead of 3");
	/* a receiver that is so slow that it lags */
	const char *slow = "producers=1 consumers=1 capacity=2 slow=1 work_ns=5000";
	expect_in(with(OVERCOUNT, &broadcast_lag, slow, 5000), "wrong lag: told of ");
	expect_in(with(UNDERCOUNT, &broadcast_lag, slow, 5000), "lost ");
	/* one that never lags, since everything fits: what is dropped is lost */
	expect_in(with(DROP, &broadcast_lag, "producers=1 consumers=1 capacity=4096", 1000),
	          "lost 9 of 1000 messages (receiver 0)");
}

static void test_watch(void **state)
{
	(void)state;
	expect_in(with(CORRUPT, &watch, "consumers=1 size=64", 1000), "corrupted: 10 torn values in 1000 reads");
	/* what was borrowed first is old as soon as the writer has written; it writes as long as
	 * somebody reads */
	expect_in(with(OLDER, &watch, "consumers=1", 1000000), "reordered: ");
	expect_in(with(OLDER, &watch, "consumers=1 mode=wake", 1000), "woken for version 100, but version 1 was read");
}

static void test_oneshot(void **state)
{
	(void)state;
	assert_string_equal(with(DROP, &oneshot, "mode=local", 1000), "lost 10 of 1000 messages");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_null),  cmocka_unit_test(test_good),    cmocka_unit_test(test_streams),
		cmocka_unit_test(test_depth), cmocka_unit_test(test_hurry),   cmocka_unit_test(test_lag),
		cmocka_unit_test(test_watch), cmocka_unit_test(test_oneshot),
	};
	work_calibrate();
	return cmocka_run_group_tests(tests, plant, NULL);
}
