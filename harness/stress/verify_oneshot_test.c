/* SPDX-License-Identifier: MIT
 *
 * verify_oneshot_test.c - the checker on oneshot histories: by hand, and against the model.
 */
#include "harness/stress/verify_testing.h"

#include "fuzz/model/oneshot.c"

static struct oneshot_model model;
static struct model_step step;
static bool used; /* the sender was */

static void reset(void)
{
	step_clear(&step);
	oneshot_model_open(&model);
	used = false;
}

/* Thread 0 sends, thread 1 receives. */
static bool choose(uint64_t *random, unsigned thread, uint64_t nth, struct op *op)
{
	static const enum op_code sends[] = {OP_CLOSED, OP_SENDER_IS_CLOSED, OP_SEND, OP_SEND, OP_SENDER_DROP};
	static const enum op_code receives[] = {OP_RECV, OP_RECV, OP_RECV, OP_CLOSE, OP_IS_TERMINATED};
	op->wait = WAIT_NOW;
	if (thread == 2 || (thread == 0 && used))
		return false;
	op->code = (uint8_t)(thread == 0 ? sends : receives)[random_below(random, 5)];
	used |= op->code == OP_SEND || op->code == OP_SENDER_DROP;
	if (op->code == OP_SEND)
		op->value = history_value(thread, nth);
	return true;
}

static bool perform(struct op *op)
{
	step_clear(&step);
	switch ((enum op_code)op->code) {
	case OP_SEND:
		op->status = (uint8_t)oneshot_model_send(&model, &step, op->value);
		return true;
	case OP_RECV:
		op->value = 0;
		op->status = (uint8_t)oneshot_model_recv(&model, &op->value, CHAN_NOW);
		return true;
	case OP_CLOSED:
		op->status = (uint8_t)oneshot_model_closed(&model, CHAN_NOW);
		return true;
	case OP_CLOSE:
		oneshot_model_close(&model, &step);
		return true;
	case OP_SENDER_DROP:
		oneshot_model_sender_drop(&model, &step);
		return true;
	case OP_IS_TERMINATED:
		op->value = oneshot_model_get(&model, true, CHAN_IS_TERMINATED);
		return true;
	default:
		op->value = oneshot_model_get(&model, false, CHAN_IS_CLOSED);
		return true;
	}
}

static void edit(uint64_t *random, struct op *op, const struct op *other)
{
	static const enum chan_status statuses[] = {CHAN_OK, CHAN_EMPTY, CHAN_CLOSED};
	if (op->code == OP_SEND || op->code == OP_CLOSED) {
		op->status = op->status == CHAN_OK ? (op->code == OP_SEND ? CHAN_CLOSED : CHAN_EMPTY) : CHAN_OK;
	} else if (op->code == OP_RECV) {
		op->status = (uint8_t)statuses[random_below(random, 3)];
		op->value = op->status == CHAN_OK ? other->value : 0;
	} else if (op->code == OP_IS_TERMINATED || op->code == OP_SENDER_IS_CLOSED) {
		op->value = !op->value;
	}
}

static bool exact(const struct op *op)
{
	return op->code < OP_CODES;
}

static const struct subject subject = {
	.history = {.kind = KIND_ONESHOT},
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
	uint64_t random = 8;
	(void)state;
	for (size_t round = 0; round < 3000; round++)
		assert_int_equal(verdict_of(&subject, subject_all, subject_make(&subject, &random, 14)), SEARCH_GOOD);
}

static void test_edited(void **state)
{
	(void)state;
	subject_test_edited(&subject);
}

static void test_hand(void **state)
{
	(void)state;
	const struct op sent = {AT(0, 1, 4), .code = OP_SEND, .value = 7},
			refused = {AT(0, 1, 4), .code = OP_SEND, .value = 7, .status = CHAN_CLOSED};
	HAND(&subject, SEARCH_GOOD, sent, {AT(1, 2, 3), .code = OP_CLOSE}, {AT(1, 5, 6), .code = OP_RECV, .value = 7});
	HAND(&subject, SEARCH_GOOD, refused, {AT(1, 2, 3), .code = OP_CLOSE},
	     {AT(1, 5, 6), .code = OP_RECV, .status = CHAN_CLOSED});
	/* Both, or neither (O-11). */
	HAND(&subject, SEARCH_BAD, refused, {AT(1, 2, 3), .code = OP_CLOSE},
	     {AT(1, 5, 6), .code = OP_RECV, .value = 7});
	HAND(&subject, SEARCH_BAD, sent, {AT(1, 2, 3), .code = OP_CLOSE},
	     {AT(1, 5, 6), .code = OP_RECV, .status = CHAN_CLOSED});
	HAND(&subject, SEARCH_GOOD, sent, {AT(1, 5, 6), .code = OP_RECV, .value = 7},
	     {AT(1, 7, 8), .code = OP_SEND, .value = 9, .channel = 1},
	     {AT(0, 9, 10), .code = OP_RECV, .value = 9, .channel = 1});
	/* Of two channels each is looked at by itself. */
	HAND(&subject, SEARCH_BAD, sent, {AT(1, 5, 6), .code = OP_RECV, .value = 7},
	     {AT(1, 7, 8), .code = OP_SEND, .value = 9, .channel = 1},
	     {AT(0, 9, 10), .code = OP_RECV, .status = CHAN_EMPTY, .channel = 1});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_right), cmocka_unit_test(test_edited),
	                                   cmocka_unit_test(test_hand)};
	return cmocka_run_group_tests_name("verify oneshot", tests, NULL, NULL);
}
