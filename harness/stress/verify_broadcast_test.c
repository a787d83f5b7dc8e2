/* SPDX-License-Identifier: MIT
 *
 * verify_broadcast_test.c - the checker on broadcast histories: by hand, and against the model.
 */
#include "harness/stress/verify_testing.h"

#include "fuzz/model/broadcast.c"

static struct broadcast_model model;
static struct model_step step;
static bool second; /* thread 1 has its receiver 5 */

/* Thread 0 and 1 send; thread 2 has receiver 8, and thread 1 now and then receiver 5. */
static void reset(void)
{
	step_clear(&step);
	broadcast_model_open(&model, 2, false);
	broadcast_model_sender_clone(&model);
	broadcast_model_subscribe(&model, 8);
	second = false;
}

static bool choose(uint64_t *random, unsigned thread, uint64_t nth, struct op *op)
{
	size_t which = random_below(random, 6);
	op->wait = WAIT_NOW;
	op->code = OP_SEND;
	if (thread == 2) {
		op->handle = 8;
		op->code = which == 0 ? OP_IS_CLOSED : OP_RECV;
	} else if (thread == 1 && second && which < 4) {
		op->handle = 5;
		op->code = which == 0 ? OP_RECEIVER_DROP : OP_RECV;
		second = which != 0;
	} else if (thread == 1 && !second && which == 0) {
		op->other = 5;
		op->code = OP_SUBSCRIBE;
		second = true;
	} else {
		op->value = history_value(thread, nth);
	}
	return true;
}

static bool perform(struct op *op)
{
	size_t receivers;
	step_clear(&step);
	switch ((enum op_code)op->code) {
	case OP_SEND:
		op->status = (uint8_t)broadcast_model_send(&model, &step, op->value, &receivers);
		op->extra = receivers;
		return true;
	case OP_RECV:
		if ((model.receivers >> op->handle & 1) == 0)
			return false;
		op->value = op->extra = 0;
		op->status = (uint8_t)broadcast_model_recv(&model, &step, op->handle, false, &op->value, &op->extra,
		                                           CHAN_NOW);
		return true;
	case OP_SUBSCRIBE:
		if ((model.receivers >> op->other & 1) != 0)
			return false;
		broadcast_model_subscribe(&model, op->other);
		return true;
	case OP_RECEIVER_DROP:
		if ((model.receivers >> op->handle & 1) == 0)
			return false;
		broadcast_model_receiver_drop(&model, &step, op->handle);
		return true;
	default:
		op->value = broadcast_model_receiver_get(&model, op->handle, CHAN_IS_CLOSED);
		return true;
	}
}

static void edit(uint64_t *random, struct op *op, const struct op *other)
{
	size_t which = random_below(random, 3);
	if (op->code == OP_SEND && op->status == CHAN_OK) {
		op->extra = which == 0 ? 0 : which;
	} else if (op->code == OP_RECV && op->status == CHAN_LAGGED) {
		op->extra += which == 0 ? 1 : UINT64_MAX;
	} else if (op->code == OP_RECV && op->status == CHAN_OK && which < 2) {
		op->value = other->value;
	} else if (op->code == OP_RECV) {
		op->value = 0;
		op->status = op->status == CHAN_EMPTY ? CHAN_LAGGED : CHAN_EMPTY;
		op->extra = op->status == CHAN_LAGGED;
	}
}

static bool exact(const struct op *op)
{
	return op->code < OP_CODES;
}

static const struct subject subject = {
	.history = {.kind = KIND_BROADCAST, .capacity = 2, .senders = 2, .receivers = 1 << 8},
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
	subject_test_right(&subject);
}

static void test_edited(void **state)
{
	(void)state;
	subject_test_edited(&subject);
}

#define SENT(t, from, to, v)                                                                                           \
	{                                                                                                              \
		AT(t, from, to), .code = OP_SEND, .value = v, .extra = 1                                               \
	}
#define RECEIVED(t, from, to, v)                                                                                       \
	{                                                                                                              \
		AT(t, from, to), .code = OP_RECV, .handle = 8, .value = v                                              \
	}
#define LAGGED(t, from, to, n)                                                                                         \
	{                                                                                                              \
		AT(t, from, to), .code = OP_RECV, .handle = 8, .status = CHAN_LAGGED, .extra = n                       \
	}

static void test_hand(void **state)
{
	(void)state;
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 2, 11), SENT(0, 3, 4, 12), RECEIVED(2, 5, 6, 11), RECEIVED(2, 7, 8, 12));
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(0, 3, 4, 12),
	     RECEIVED(2, 5, 6, 12)); /* skipped without a lag */
	HAND(&subject, SEARCH_GOOD, SENT(0, 1, 2, 11), SENT(0, 3, 4, 12), SENT(0, 5, 6, 13), LAGGED(2, 7, 8, 1),
	     RECEIVED(2, 9, 10, 12));
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(0, 3, 4, 12), SENT(0, 5, 6, 13),
	     LAGGED(2, 7, 8, 2)); /* B-12 */
	HAND(&subject, SEARCH_BAD, SENT(0, 1, 2, 11), SENT(0, 3, 4, 12), SENT(0, 5, 6, 13), RECEIVED(2, 7, 8, 11));
	/* B-4 */
	HAND(&subject, SEARCH_BAD, {AT(0, 1, 2), .code = OP_SEND, .value = 11, .extra = 2});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_right), cmocka_unit_test(test_edited),
	                                   cmocka_unit_test(test_hand)};
	return cmocka_run_group_tests_name("verify broadcast", tests, NULL, NULL);
}
