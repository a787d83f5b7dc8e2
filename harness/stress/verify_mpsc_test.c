/* SPDX-License-Identifier: MIT
 *
 * verify_mpsc_test.c - the checker on mpsc histories: by hand, and against the model.
 */
#include "harness/stress/verify_testing.h"

#include "fuzz/model/mpsc.c"

static struct mpsc_model model;
static struct model_step step;
static size_t permits_of[SUBJECT_THREADS];
static bool closes;

static void reset(void)
{
	mpsc_model_open(&model, 3);
	step_clear(&step);
	mpsc_model_sender_clone(&model, &step);
	memset(permits_of, 0, sizeof permits_of);
}

/* Two threads send, one receives. */
static bool choose(uint64_t *random, unsigned thread, uint64_t nth, struct op *op)
{
	size_t which = random_below(random, 16);
	op->wait = WAIT_NOW;
	if (thread == 2) {
		op->code = which == 0 && closes ? OP_CLOSE : which < 3 ? OP_IS_CLOSED : which < 5 ? OP_LEN : OP_RECV;
		return true;
	}
	op->value = history_value(thread, nth);
	op->slots = 1;
	if (permits_of[thread] > 0)
		op->code = which < 8 ? OP_PERMIT_SEND : OP_PERMIT_RELEASE;
	else if (which < 3 && closes)
		op->code = OP_RESERVE;
	else
		op->code = which == 3 ? OP_CLOSED : which == 4 ? OP_CAPACITY : OP_SEND;
	return true;
}

static bool perform(struct op *op)
{
	step_clear(&step);
	switch ((enum op_code)op->code) {
	case OP_SEND:
		op->slots = 0;
		op->status = (uint8_t)mpsc_model_send(&model, &step, op->thread, op->value, CHAN_NOW);
		return true;
	case OP_RECV:
		op->value = 0;
		op->status = (uint8_t)mpsc_model_recv(&model, &step, 0, &op->value, CHAN_NOW);
		return true;
	case OP_RESERVE:
		op->value = 0;
		op->status = (uint8_t)mpsc_model_reserve(&model, &step, op->thread, op->slots, CHAN_NOW);
		permits_of[op->thread] += op->status == CHAN_OK ? op->slots : 0;
		return true;
	case OP_PERMIT_SEND:
		if (model.permits == 0)
			return false;
		mpsc_model_permit_send(&model, &step, op->value);
		permits_of[op->thread]--;
		return true;
	case OP_PERMIT_RELEASE:
		if (model.permits == 0)
			return false;
		mpsc_model_permit_release(&model, &step, op->slots);
		permits_of[op->thread]--;
		return true;
	case OP_CLOSE:
		mpsc_model_close(&model, &step);
		return true;
	case OP_CLOSED:
		op->status = (uint8_t)mpsc_model_closed(&model, CHAN_NOW);
		return true;
	case OP_IS_CLOSED:
		op->value = mpsc_model_get(&model, true, CHAN_IS_CLOSED);
		return true;
	case OP_LEN:
		op->value = mpsc_model_get(&model, true, CHAN_LEN);
		return true;
	default:
		op->value = mpsc_model_get(&model, false, CHAN_CAPACITY);
		return true;
	}
}

static void edit(uint64_t *random, struct op *op, const struct op *other)
{
	if (op->code == OP_RECV && random_below(random, 2) == 0) {
		op->status = op->status == CHAN_OK ? CHAN_EMPTY : CHAN_OK;
		op->value = op->status == CHAN_OK ? other->value : 0;
	} else if (op->code == OP_RECV) {
		op->value = op->status == CHAN_OK ? other->value : 0;
	} else if (op->code == OP_SEND) {
		op->status = op->status == CHAN_OK ? CHAN_CLOSED : CHAN_OK;
	} else if (op->code == OP_CLOSED) {
		op->status = op->status == CHAN_OK ? CHAN_EMPTY : CHAN_OK;
	}
}

/* Where the checker allows more than one step after another: slots that are held for a while, a
 * send that a close comes amidst; and lengths, which it takes for what was possible. */
static bool exact(const struct op *op)
{
	return op->code == OP_CLOSED || op->code == OP_IS_CLOSED ||
	       ((op->code == OP_SEND || op->code == OP_RECV) && op->status != CHAN_FULL);
}

static const struct subject subject = {
	.history = {.kind = KIND_MPSC, .capacity = 3, .senders = 2, .receivers = 1},
	.state = &model,
	.state_size = sizeof model,
	.reset = reset,
	.choose = choose,
	.perform = perform,
	.edit = edit,
	.exact = exact,
};

static void test_right(void **state)
{
	(void)state;
	closes = true;
	subject_test_right(&subject);
	closes = false;
	subject_test_right(&subject);
}

static void test_edited(void **state)
{
	(void)state;
	closes = false;
	subject_test_edited(&subject);
	closes = true;
	subject_test_edited(&subject);
}

#define SENT(t, from, to, v)                                                                                           \
	{                                                                                                              \
		AT(t, from, to), .code = OP_SEND, .value = v                                                           \
	}
#define RECEIVED(t, from, to, v)                                                                                       \
	{                                                                                                              \
		AT(t, from, to), .code = OP_RECV, .value = v                                                           \
	}
#define GOT(t, from, to, s)                                                                                            \
	{                                                                                                              \
		AT(t, from, to), .code = OP_RECV, .status = s                                                          \
	}

static void test_order(void **state)
{
	(void)state;
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 4, 11), SENT(1, 2, 3, 22), RECEIVED(2, 5, 6, 22), RECEIVED(2, 7, 8, 11));
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(1, 3, 4, 22), RECEIVED(2, 5, 6, 22), RECEIVED(2, 7, 8, 11));
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(1, 3, 4, 22),
	     RECEIVED(2, 5, 6, 22)); /* 11 is lost, or late */
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), RECEIVED(2, 3, 4, 11), RECEIVED(2, 5, 6, 11));
	HAND(&subject, SEARCH_BAD, SENT(0, 3, 4, 11), RECEIVED(2, 1, 2, 11));
	HAND(&subject, SEARCH_BAD, RECEIVED(2, 1, 2, 11));
	/* In one call, where no stamps tell them apart. */
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), {AT(0, 1, 2), .code = OP_SEND, .value = 12, .chained = true},
	     RECEIVED(2, 3, 4, 12), {AT(2, 3, 4), .code = OP_RECV, .value = 11, .chained = true});
}

static void test_empty(void **state)
{
	(void)state;
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), GOT(2, 3, 4, CHAN_EMPTY));
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 4, 11), GOT(2, 2, 3, CHAN_EMPTY));
	/* One message or the other was there all the time. */
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(0, 4, 5, 12), RECEIVED(1, 6, 7, 11),
	     GOT(2, 3, 8, CHAN_TIMEOUT));
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 2, 11), SENT(0, 6, 9, 12), RECEIVED(1, 4, 7, 11),
	     GOT(2, 3, 10, CHAN_TIMEOUT));
}

static void test_close(void **state)
{
	(void)state;
	const struct op drop0 = {AT(0, 3, 4), .code = OP_SENDER_DROP}, drop1 = {AT(1, 1, 2), .code = OP_SENDER_DROP};
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 2, 11), drop0, drop1, RECEIVED(2, 5, 6, 11), GOT(2, 7, 8, CHAN_CLOSED));
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), drop0, drop1, GOT(2, 5, 6, CHAN_CLOSED));
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), drop0, RECEIVED(2, 5, 6, 11), GOT(2, 7, 8, CHAN_CLOSED));
	/* A permit keeps a closed channel open for what it sends (M-49, M-55). */
	HAND(&subject, SEARCH_BAD, {AT(0, 1, 2), .code = OP_RESERVE, .slots = 1}, {AT(2, 3, 4), .code = OP_CLOSE},
	     GOT(2, 5, 6, CHAN_CLOSED));
	HAND(&subject, SEARCH_GOOD, {AT(0, 1, 2), .code = OP_RESERVE, .slots = 1},
	     {AT(0, 7, 8), .code = OP_PERMIT_SEND, .value = 11}, {AT(2, 3, 4), .code = OP_CLOSE},
	     GOT(2, 5, 6, CHAN_EMPTY), RECEIVED(2, 9, 10, 11), GOT(2, 11, 12, CHAN_CLOSED));
	HAND(&subject, SEARCH_BAD, SENT(0, 3, 4, 11), {AT(2, 1, 2), .code = OP_CLOSE}); /* M-18 */
}

static void test_full(void **state)
{
	(void)state;
	const struct op full = {AT(1, 7, 8), .code = OP_SEND, .value = 21, .status = CHAN_FULL};
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 2, 11), SENT(0, 3, 4, 12), SENT(0, 5, 6, 13), full);
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(0, 3, 4, 12), full); /* M-21 */
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(0, 3, 4, 12), SENT(0, 5, 6, 13), SENT(0, 7, 8, 14));
	/* A slot that an armed waiter may own (M-22). */
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 2, 11), SENT(0, 3, 4, 12), {AT(0, 5, 9), .code = OP_ARMED, .slots = 1},
	     full);
}

/* A select that was granted a slot too late gives it back and begins again (capacity 1, as it
 * was recorded). In its result nothing shows of it; the CHAN_FULL of others meanwhile does. */
static void test_late_select(void **state)
{
	struct op select = {AT(0, 5, 16), .code = OP_SEND, .value = 12, .slots = 1}, plain = select;
	struct subject one = subject;
	(void)state;
	one.history.capacity = 1;
	plain.slots = 0;
#define MEANWHILE                                                                                                      \
	{AT(1, 8, 9), .code = OP_SEND, .value = 21, .status = CHAN_FULL},                                              \
		{AT(1, 10, 11), .code = OP_RESERVE, .slots = 1}, {AT(1, 12, 13), .code = OP_PERMIT_SEND, .value = 22}, \
		RECEIVED(2, 6, 7, 11), RECEIVED(2, 14, 15, 22), RECEIVED(2, 17, 18, 12)
	HAND(&one, SEARCH_GOOD, SENT(0, 1, 2, 11), select, MEANWHILE);
	/* A sender that waits in a send has a slot only when it has it for good. */
	HAND(&one, SEARCH_BAD, SENT(0, 1, 2, 11), plain, MEANWHILE);
}

static void test_intervals(void **state)
{
	(void)state;
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 2, 11), SENT(0, 3, 6, 12), {AT(2, 4, 5), .code = OP_LEN, .value = 1});
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 2, 11), SENT(0, 3, 6, 12), {AT(2, 4, 5), .code = OP_LEN, .value = 2});
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(0, 3, 6, 12), {AT(2, 4, 5), .code = OP_LEN, .value = 0});
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(0, 3, 6, 12), {AT(2, 4, 5), .code = OP_LEN, .value = 3});
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), {AT(2, 4, 5), .code = OP_CAPACITY, .value = 3});
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 2, 11), {AT(2, 4, 5), .code = OP_CAPACITY, .value = 2});
}

/* The patterns are found without a search, which would find them, too. */
static void expect_pattern(const char *words, const struct op *ops, size_t count)
{
	struct history history = subject.history;
	struct pattern found;
	history.ops = ops;
	history.count = count;
	assert_true(queue_check(&history, &found));
	assert_string_equal(found.what, words);
}

static void test_patterns(void **state)
{
	(void)state;
	const struct op lost[] = {SENT(0, 1, 2, 11), SENT(1, 3, 4, 22), RECEIVED(2, 5, 6, 22)};
	expect_pattern("a value was never received, one that was sent after it was", lost, 3);
	const struct op batch[] = {SENT(0, 1, 2, 11),
	                           {AT(0, 1, 2), .code = OP_SEND, .value = 12, .chained = true},
	                           RECEIVED(1, 3, 4, 12),
	                           RECEIVED(2, 5, 6, 11)};
	expect_pattern("two values were received in the other order than they were sent", batch, 4);
	const struct op taken[] = {SENT(0, 1, 2, 11),
	                           SENT(1, 3, 4, 22),
	                           RECEIVED(2, 5, 6, 22),
	                           {AT(2, 5, 6), .code = OP_RECV, .value = 11, .chained = true}};
	expect_pattern("two values were received in the other order than they were sent", taken, 4);
	const struct op both[] = {batch[0],
	                          batch[1],
	                          RECEIVED(2, 3, 4, 12),
	                          {AT(2, 3, 4), .code = OP_RECV, .value = 11, .chained = true}};
	expect_pattern("two values were received in the other order than they were sent", both, 4);
	const struct op covered[] = {SENT(0, 1, 2, 11), SENT(0, 4, 5, 12), RECEIVED(1, 6, 7, 11),
	                             GOT(2, 3, 8, CHAN_TIMEOUT)};
	expect_pattern("nothing was found although there was a message all the time", covered, 4);
	expect_pattern("", covered, 3);
}

/* The search by itself: elements of one call go in the order in which they stand there. */
static void test_chain(void **state)
{
	(void)state;
	struct op ops[] = {SENT(0, 1, 2, 11),
	                   {AT(0, 1, 2), .code = OP_SEND, .value = 12, .chained = true},
	                   RECEIVED(1, 3, 4, 12),
	                   RECEIVED(2, 5, 6, 11)};
	struct history history = subject.history;
	struct search_result result;
	history.ops = ops;
	history.count = 4;
	search(&history, &spec_mpsc, 1000, NULL, &result);
	assert_int_equal(result.verdict, SEARCH_BAD);
	ops[1].chained = false;
	search(&history, &spec_mpsc, 1000, NULL, &result);
	assert_int_equal(result.verdict, SEARCH_GOOD);
}

/* What contradicts what, and nothing else. */
static void test_excerpt(void **state)
{
	static struct verify_result result;
	uint64_t random = 3;
	(void)state;
	closes = true;
	size_t count = subject_make(&subject, &random, 2000), at = 0;
	for (at = count / 2; subject_all[at].code != OP_RECV || subject_all[at].status != CHAN_EMPTY;)
		at = (at + 1) % count;
	subject_all[at].status = CHAN_CLOSED; /* while the senders live */
	struct history history = subject.history;
	history.ops = subject_all;
	history.count = count;
	for (size_t i = 0; i < count; i++)
		if (subject_all[i].code == OP_CLOSE)
			subject_all[i].code = OP_IS_CLOSED, subject_all[i].value = 0, subject_all[i].status = CHAN_OK;
	verify(&history, UINT64_C(20000000), NULL, &result);
	assert_int_equal(result.verdict, SEARCH_BAD);
	assert_non_null(strstr(result.text, "CLOSED"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),       cmocka_unit_test(test_edited), cmocka_unit_test(test_order),
		cmocka_unit_test(test_empty),       cmocka_unit_test(test_close),  cmocka_unit_test(test_full),
		cmocka_unit_test(test_patterns),    cmocka_unit_test(test_chain),  cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_late_select), cmocka_unit_test(test_excerpt)};
	return cmocka_run_group_tests_name("verify mpsc", tests, NULL, NULL);
}
