/* SPDX-License-Identifier: MIT
 *
 * mpsc_arm_test.c - armed waiters of mpsc: what they own, who takes it, and to whom it is passed
 * on.
 */
#include "impls/mutex/mpsc_testing.h"

/* ------------------------------------------------------------------------------------------
 * Armed waiters
 */

/* A send that blocks behind its own armed waiter takes the slot that this is given; a reserve
 * counts it in, and leaves it as it was if it fails. A receive that blocks behind its own armed
 * waiter takes the message. */
static void nobody_waits_behind_itself(void **state)
{
	struct counter a = COUNTER, b = COUNTER, c = COUNTER;
	uint64_t id;

	(void)state;
	open_items(bounded, 2);
	assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
	assert_int_equal(send_item(tx, 2, CHAN_NOW), CHAN_OK);
	assert_int_equal(bounded->arm_send(tx, &a.waiter), CHAN_ARMED);
	struct call send = {.sender = tx, .id = 3, .deadline = CHAN_FOREVER};
	call_start(&send);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(call_end(&send), CHAN_OK);
	assert_int_equal(a.fired, 1);
	assert_true(bounded->disarm(&a.waiter));

	assert_int_equal(bounded->arm_send(tx, &b.waiter), CHAN_ARMED);
	struct call late_reserve = {.sender = tx, .reserve = 2, .deadline = chan_deadline_in(300000000)};
	sleeper_start(&late_reserve.thread, call_body, &late_reserve);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(call_end(&late_reserve), CHAN_TIMEOUT);
	assert_int_equal(send_item(tx2, 4, CHAN_NOW), CHAN_FULL); /* b still owns it */
	struct call reserve = {.sender = tx, .reserve = 2, .deadline = CHAN_FOREVER};
	call_start(&reserve);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(call_end(&reserve), CHAN_OK);
	assert_true(bounded->disarm(&b.waiter));
	assert_int_equal(slots_left(), 0);
	bounded->permit_release(&reserve.permit);
	assert_int_equal(slots_left(), 2);

	assert_int_equal(bounded->arm_recv(rx, &c.waiter), CHAN_ARMED);
	struct call recv = {.deadline = CHAN_FOREVER};
	call_start(&recv);
	assert_int_equal(send_item(tx, 5, CHAN_NOW), CHAN_OK);
	assert_int_equal(call_end(&recv), CHAN_OK);
	assert_int_equal(recv.id, 5);
	assert_true(bounded->disarm(&c.waiter));
	drop_all();
}

/* Whatever ends an armed sender's claim on its slot, the slot arrives with the next. */
static void an_owned_slot_is_used_or_passed_on(void **state)
{
	for (int way = 0; way < 4; way++) {
		struct counter a = COUNTER, b = COUNTER;
		struct chan_permit permit;
		struct item item = item_make(9);
		size_t sent = 0;
		uint64_t id;

		(void)state;
		open_items(bounded, 1);
		assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
		assert_int_equal(bounded->arm_send(tx, &a.waiter), CHAN_ARMED);
		assert_int_equal(bounded->arm_send(tx2, &b.waiter), CHAN_ARMED);
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
		assert_int_equal(a.fired, 1);
		assert_int_equal(b.fired, 0);
		assert_int_equal(send_item(tx2, 3, CHAN_NOW), CHAN_FULL); /* nobody else's */
		switch (way) {
		case 0: /* used */
			assert_int_equal(bounded->send_many(tx, &item, 1, &sent, CHAN_NOW), CHAN_OK);
			assert_int_equal(send_item(tx, 2, CHAN_NOW), CHAN_FULL);
			assert_true(bounded->disarm(&a.waiter));
			assert_int_equal(b.fired, 0);
			assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
			break;
		case 1: /* reserved, and released */
			assert_int_equal(bounded->reserve(tx, 1, &permit, CHAN_NOW), CHAN_OK);
			assert_true(bounded->disarm(&a.waiter));
			assert_int_equal(b.fired, 0);
			bounded->permit_release(&permit);
			break;
		case 2: /* disarmed */
			assert_true(bounded->disarm(&a.waiter));
			break;
		default: /* dropped */
			bounded->sender_drop(&tx);
			break;
		}
		assert_int_equal(b.fired, 1);
		assert_int_equal(slots_left(), 0);
		/* revoked by the close, and given back by the send that fails (M-33) */
		bounded->close(rx);
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_EMPTY);
		assert_int_equal(send_item(tx2, 4, CHAN_NOW), CHAN_CLOSED);
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_CLOSED);
		assert_int_equal(slots_left(), 1);
		assert_true(bounded->disarm(&b.waiter));
		if (sent == 0)
			item_end(&item);
		drop_all();
	}
}

/* A receiver that was woken for a message and is disarmed without receiving passes the wake on;
 * one that received does not (P-5). */
static void a_wake_for_a_message_is_passed_on_unless_used(void **state)
{
	for (int used = 0; used < 2; used++) {
		struct counter a = COUNTER, b = COUNTER, c = COUNTER;
		struct chan_receiver *rx2;
		uint64_t id;

		(void)state;
		open_items(bounded, 4);
		assert_int_equal(bounded->receiver_clone(rx, &rx2), CHAN_OK);
		assert_int_equal(bounded->arm_recv(rx, &a.waiter), CHAN_ARMED);
		assert_int_equal(bounded->arm_recv(rx2, &b.waiter), CHAN_ARMED);
		assert_int_equal(bounded->arm_recv(rx2, &c.waiter), CHAN_ARMED);
		assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
		assert_int_equal(a.fired, 1);
		assert_int_equal(b.fired, 0);
		if (used)
			assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
		assert_int_equal(send_item(tx, 2, CHAN_NOW), CHAN_OK);
		assert_int_equal(b.fired, 1);
		assert_true(bounded->disarm(&a.waiter));
		assert_int_equal(c.fired, !used);
		bounded->receiver_drop(&rx2); /* disarms b and c, which pass on to nobody */
		drop_all();
	}
}

/* An event has chosen a waiter, and its callback has not begun: the disarm cancels that, says
 * that it had fired, and passes on. */
static void one_that_was_picked_can_be_disarmed(void **state)
{
	struct counter a = COUNTER, b = COUNTER;
	struct list wakes = WAKES_NONE(wakes);
	struct chan_permit held;

	(void)state;
	open_items(bounded, 1);
	assert_int_equal(bounded->reserve(tx, 1, &held, CHAN_NOW), CHAN_OK);
	assert_int_equal(bounded->arm_send(tx, &a.waiter), CHAN_ARMED);
	assert_int_equal(bounded->arm_send(tx2, &b.waiter), CHAN_ARMED);
	pthread_mutex_lock(&channel->core.lock);
	give_slots(channel, held.count, &wakes);
	pthread_mutex_unlock(&channel->core.lock);
	assert_true(bounded->disarm(&a.waiter));
	assert_int_equal(b.fired, 1);
	assert_true(list_empty(&wakes));
	assert_int_equal(a.fired, 0);
	assert_true(bounded->disarm(&b.waiter));
	assert_int_equal(slots_left(), 1);
	drop_all();
}

static struct chan_waiter greedy;

static void receive_one(struct chan_waiter *waiter)
{
	uint64_t id;

	(void)waiter;
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
}

/* What a send_many woke is called before it waits for more room: here it is that which makes
 * room. */
static void wakes_come_before_the_wait(void **state)
{
	struct item items[2] = {item_make(1), item_make(2)};
	size_t sent;
	uint64_t id;

	(void)state;
	greedy.wake = receive_one;
	open_items(bounded, 1);
	assert_int_equal(bounded->arm_recv(rx, &greedy), CHAN_ARMED);
	assert_int_equal(bounded->send_many(tx, items, 2, &sent, CHAN_FOREVER), CHAN_OK);
	assert_int_equal(sent, 2);
	assert_true(bounded->disarm(&greedy));
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(id, 2);
	drop_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_waits_behind_itself, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(an_owned_slot_is_used_or_passed_on, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(a_wake_for_a_message_is_passed_on_unless_used, ledger_reset,
	                                        ledger_check),
		cmocka_unit_test_setup_teardown(one_that_was_picked_can_be_disarmed, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(wakes_come_before_the_wait, ledger_reset, ledger_check),
	};

	impl = &chan_mutex;
	alarm(110); /* a lost wake is a hang */
	return cmocka_run_group_tests_name("mutex/mpsc arm", tests, NULL, NULL);
}
