/* SPDX-License-Identifier: MIT
 *
 * The model by itself: the rules that whoever runs it without an implementation relies on, and its
 * state as data.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fuzz/model/mpsc.h"

enum { PAST = 1, TX = 0, OTHER_TX = 1, RX = 0, OTHER_RX = 1 };

static struct mpsc_model m;
static struct model_step s;

static int fresh(void **state)
{
	(void)state;
	mpsc_model_open(&m, 2);
	step_clear(&s);
	return 0;
}

static void messages_come_in_order_and_slots_bound_them(void **state)
{
	uint64_t message;
	(void)state;
	assert_int_equal(mpsc_model_send(&m, &s, TX, 7, CHAN_NOW), CHAN_OK);
	assert_int_equal(mpsc_model_send(&m, &s, TX, 8, CHAN_NOW), CHAN_OK);
	assert_int_equal(mpsc_model_send(&m, &s, TX, 9, CHAN_NOW), CHAN_FULL);
	assert_int_equal(mpsc_model_send(&m, &s, TX, 9, PAST), CHAN_TIMEOUT);
	assert_int_equal(mpsc_model_free(&m), 0);
	for (uint64_t i = 7; i < 9; i++) {
		assert_int_equal(mpsc_model_recv(&m, &s, RX, &message, CHAN_NOW), CHAN_OK);
		assert_int_equal(message, i);
	}
	assert_int_equal(mpsc_model_recv(&m, &s, RX, &message, CHAN_NOW), CHAN_EMPTY);
	assert_int_equal(mpsc_model_recv(&m, &s, RX, &message, PAST), CHAN_TIMEOUT);
}

static void a_freed_slot_is_its_waiters_in_turn(void **state)
{
	uint64_t message;
	(void)state;
	mpsc_model_sender_clone(&m, &s);
	mpsc_model_send(&m, &s, TX, 0, CHAN_NOW);
	mpsc_model_send(&m, &s, TX, 1, CHAN_NOW);
	assert_int_equal(mpsc_model_arm_send(&m, OTHER_TX, 20), CHAN_ARMED);
	assert_int_equal(mpsc_model_arm_send(&m, TX, 21), CHAN_ARMED);
	mpsc_model_recv(&m, &s, RX, &message, CHAN_NOW);
	assert_int_equal(s.expected.fired_count, 1);
	assert_int_equal(s.expected.fired[0], 20);
	assert_true(s.expected.in_turn[0]);
	assert_int_equal(mpsc_model_send(&m, &s, TX, 2, CHAN_NOW), CHAN_FULL); /* M-22 */
	assert_true(mpsc_model_disarm(&m, &s, 20));                            /* M-26 */
	assert_int_equal(s.expected.fired[1], 21);
	assert_int_equal(mpsc_model_send(&m, &s, TX, 2, CHAN_NOW), CHAN_OK);
}

static void where_any_turn_is_declared_the_seen_one_counts(void **state)
{
	uint64_t message;
	(void)state;
	mpsc_model_send(&m, &s, TX, 0, CHAN_NOW);
	mpsc_model_send(&m, &s, TX, 1, CHAN_NOW);
	mpsc_model_arm_send(&m, TX, 20);
	mpsc_model_arm_send(&m, OTHER_TX, 21);
	s.any_turn = true;
	s.seen.fired[0] = 21;
	s.seen.fired_count = 1;
	mpsc_model_recv(&m, &s, RX, &message, CHAN_NOW);
	s.any_turn = false;
	assert_int_equal(s.expected.fired_count, 1);
	assert_int_equal(s.expected.fired[0], 21);
	assert_false(s.expected.in_turn[0]);
}

static void a_closed_channel_ends_when_it_is_idle(void **state)
{
	uint64_t message;
	(void)state;
	assert_int_equal(mpsc_model_reserve(&m, &s, TX, 1, CHAN_NOW), CHAN_OK);
	assert_int_equal(mpsc_model_arm_recv(&m, RX, 3), CHAN_ARMED);
	mpsc_model_close(&m, &s);
	assert_int_equal(mpsc_model_send(&m, &s, TX, 0, CHAN_NOW), CHAN_CLOSED);
	assert_int_equal(mpsc_model_recv(&m, &s, RX, &message, CHAN_NOW), CHAN_EMPTY); /* M-55 */
	assert_int_equal(s.expected.fired_count, 0);                                   /* M-51 */
	mpsc_model_permit_release(&m, &s, 1);
	assert_int_equal(s.expected.fired_count, 1); /* M-50 */
	assert_int_equal(mpsc_model_recv(&m, &s, RX, &message, CHAN_NOW), CHAN_CLOSED);
}

static void the_last_receiver_destroys_in_order(void **state)
{
	(void)state;
	mpsc_model_receiver_clone(&m, &s);
	mpsc_model_send(&m, &s, TX, 5, CHAN_NOW);
	mpsc_model_send(&m, &s, TX, 6, CHAN_NOW);
	mpsc_model_receiver_drop(&m, &s, OTHER_RX);
	assert_int_equal(s.expected.destroyed_count, 0);
	mpsc_model_receiver_drop(&m, &s, RX);
	assert_int_equal(s.expected.destroyed_count, 2);
	assert_int_equal(s.expected.destroyed[0], 5);
	assert_int_equal(s.expected.destroyed[1], 6);
	assert_true(mpsc_model_idle(&m));
}

static void state_is_copied_compared_and_hashed(void **state)
{
	static struct mpsc_model copy;
	uint64_t message;
	(void)state;
	mpsc_model_send(&m, &s, TX, 1, CHAN_NOW);
	mpsc_model_arm_closed(&m, TX, 4);
	mpsc_model_copy(&copy, &m);
	assert_true(mpsc_model_equal(&copy, &m));
	assert_true(mpsc_model_hash(&copy) == mpsc_model_hash(&m));

	mpsc_model_recv(&copy, &s, RX, &message, CHAN_NOW);
	assert_false(mpsc_model_equal(&copy, &m));
	assert_int_equal(m.len, 1);
	mpsc_model_send(&copy, &s, TX, 2, CHAN_NOW);
	assert_false(mpsc_model_equal(&copy, &m)); /* another message */
	assert_false(mpsc_model_hash(&copy) == mpsc_model_hash(&m));
	mpsc_model_recv(&copy, &s, RX, &message, CHAN_NOW);
	mpsc_model_send(&copy, &s, TX, 1, CHAN_NOW);
	assert_true(mpsc_model_equal(&copy, &m)); /* how it came to be does not matter */
	mpsc_model_close(&copy, &s);
	assert_false(mpsc_model_hash(&copy) == mpsc_model_hash(&m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(messages_come_in_order_and_slots_bound_them, fresh),
		cmocka_unit_test_setup(a_freed_slot_is_its_waiters_in_turn, fresh),
		cmocka_unit_test_setup(where_any_turn_is_declared_the_seen_one_counts, fresh),
		cmocka_unit_test_setup(a_closed_channel_ends_when_it_is_idle, fresh),
		cmocka_unit_test_setup(the_last_receiver_destroys_in_order, fresh),
		cmocka_unit_test_setup(state_is_copied_compared_and_hashed, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
