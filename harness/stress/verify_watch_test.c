/* SPDX-License-Identifier: MIT
 *
 * verify_watch_test.c - the checker on watch histories: by hand, and against the model.
 */
#include "harness/stress/verify_testing.h"

#include "fuzz/model/watch.c"

static struct watch_model model;
static struct model_step step;

/* Thread 0 and 1 write; thread 1 and 2 have receivers 4 and 8. */
static void reset(void)
{
	step_clear(&step);
	watch_model_open(&model, history_value(0, 0));
	watch_model_receiver_drop(&model, &step, 0);
	watch_model_sender_clone(&model);
	watch_model_subscribe(&model, 4);
	watch_model_subscribe(&model, 8);
}

static bool choose(uint64_t *random, unsigned thread, uint64_t nth, struct op *op)
{
	static const enum op_code writes[] = {OP_SEND, OP_SEND, OP_REPLACE, OP_MODIFY, OP_MODIFY, OP_SENDER_BORROW};
	static const enum op_code reads[] = {OP_BORROW,         OP_UPDATE,   OP_CHANGED,
	                                     OP_HAS_CHANGED,    OP_WAIT_FOR, OP_MARK_CHANGED,
	                                     OP_MARK_UNCHANGED, OP_CHANGED,  OP_UPDATE};
	bool write = thread == 0 || (thread == 1 && random_below(random, 2) == 0);
	op->wait = WAIT_NOW;
	op->code = (uint8_t)(write ? writes[random_below(random, 6)] : reads[random_below(random, 9)]);
	op->handle = (uint8_t)(thread * 4);
	if (op->code == OP_SEND || op->code == OP_REPLACE || op->code == OP_MODIFY)
		op->value = history_value(thread, nth + 1);
	if (op->code == OP_MODIFY)
		op->flag = random_below(random, 2) == 0;
	if (op->code == OP_WAIT_FOR)
		op->extra = random_below(random, WAIT_FOR_MODULUS);
	return true;
}

static bool perform(struct op *op)
{
	bool unseen = false;
	step_clear(&step);
	switch ((enum op_code)op->code) {
	case OP_SEND:
		op->status = (uint8_t)watch_model_send(&model, &step, op->value);
		return true;
	case OP_REPLACE:
		watch_model_send_replace(&model, &step, op->value, &op->extra);
		return true;
	case OP_MODIFY:
		op->extra = model.value;
		watch_model_modify(&model, &step, op->value, op->flag);
		return true;
	case OP_SENDER_BORROW:
		op->value = model.value;
		return true;
	case OP_BORROW:
	case OP_UPDATE:
		op->value = model.value;
		op->status = (uint8_t)(op->code == OP_BORROW
		                               ? watch_model_borrow(&model, op->handle, false, &unseen)
		                               : watch_model_borrow_and_update(&model, op->handle, false, &unseen));
		op->flag = unseen;
		return true;
	case OP_CHANGED:
		op->status = (uint8_t)watch_model_changed(&model, op->handle, CHAN_NOW);
		return true;
	case OP_HAS_CHANGED:
		op->status = (uint8_t)watch_model_has_changed(&model, op->handle);
		return true;
	case OP_WAIT_FOR: {
		bool holds = (model.value & UINT32_MAX) % WAIT_FOR_MODULUS == op->extra;
		op->value = holds ? model.value : 0;
		op->status = (uint8_t)watch_model_wait_for(&model, op->handle, holds, false, CHAN_NOW);
		return true;
	}
	case OP_MARK_CHANGED:
		watch_model_mark_changed(&model, &step, op->handle);
		return true;
	default:
		watch_model_mark_unchanged(&model, op->handle);
		return true;
	}
}

static void edit(uint64_t *random, struct op *op, const struct op *other)
{
	bool reads = op->code == OP_BORROW || op->code == OP_UPDATE || op->code == OP_SENDER_BORROW;
	if (reads && random_below(random, 2) == 0)
		op->value = other->value;
	else if (op->code == OP_BORROW || op->code == OP_UPDATE)
		op->flag = !op->flag;
	else if (op->code == OP_CHANGED || op->code == OP_HAS_CHANGED)
		op->status = op->status == CHAN_OK ? CHAN_EMPTY : CHAN_OK;
	else if (op->code == OP_REPLACE || op->code == OP_MODIFY)
		op->extra = other->value;
}

static bool exact(const struct op *op)
{
	return op->code < OP_CODES;
}

static const struct subject subject = {
	.history = {.kind = KIND_WATCH, .initial = (uint64_t)0 << 32 | 1, .senders = 2, .receivers = 1 << 4 | 1 << 8},
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

static void test_hand(void **state)
{
	(void)state;
	const struct op sent = {AT(0, 1, 2), .code = OP_SEND, .value = 7};
	HAND(&subject, SEARCH_GOOD, sent, {AT(1, 3, 4), .code = OP_BORROW, .handle = 4, .value = 7, .flag = true});
	/* the old value */
	HAND(&subject, SEARCH_BAD, sent, {AT(1, 3, 4), .code = OP_BORROW, .handle = 4, .value = 1, .flag = true});
	/* "seen" */
	HAND(&subject, SEARCH_BAD, sent, {AT(1, 3, 4), .code = OP_BORROW, .handle = 4, .value = 7});
	HAND(&subject, SEARCH_BAD, sent, {AT(1, 3, 4), .code = OP_CHANGED, .handle = 4},
	     {AT(1, 5, 6), .code = OP_CHANGED, .handle = 4}); /* one version, twice (W-11) */
	HAND(&subject, SEARCH_BAD, {AT(0, 1, 2), .code = OP_SENDER_DROP}, {AT(1, 3, 4), .code = OP_SENDER_DROP},
	     {AT(2, 5, 6), .code = OP_CHANGED, .handle = 8, .status = CHAN_EMPTY}); /* W-5 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_right), cmocka_unit_test(test_edited),
	                                   cmocka_unit_test(test_hand)};
	return cmocka_run_group_tests_name("verify watch", tests, NULL, NULL);
}
