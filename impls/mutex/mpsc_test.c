/* SPDX-License-Identifier: MIT
 *
 * mpsc_test.c - moments of mpsc and unbounded that only their lock can make, memory that runs out,
 * and destruction.
 */
#include "impls/mutex/mpsc_testing.h"

static const struct chan_mpsc_ops *const unbounded = &chan_mutex_unbounded_ops;

/* ------------------------------------------------------------------------------------------
 * Memory that runs out
 */

static void every_allocation_may_fail(void **state)
{
	struct chan_config config = {.size = 8, .capacity = 4};
	struct chan_sender *s = NULL;
	struct chan_receiver *r = NULL;
	struct chan_weak *w = NULL;

	(void)state;
	for (long left = 0; left < 4; left++) {
		atomic_store(&allocations_left, left);
		assert_int_equal(bounded->open(&config, &s, &r), CHAN_NOMEM);
		assert_null(s);
		assert_null(r);
	}
	atomic_store(&allocations_left, 4);
	assert_int_equal(bounded->open(&config, &s, &r), CHAN_OK);
	assert_int_equal(bounded->sender_clone(s, &tx), CHAN_NOMEM);
	assert_int_equal(bounded->receiver_clone(r, &rx), CHAN_NOMEM);
	assert_int_equal(bounded->downgrade(s, &w), CHAN_NOMEM);
	assert_int_equal(bounded->sender_get(s, CHAN_SENDERS), 1);
	assert_int_equal(bounded->sender_get(s, CHAN_RECEIVERS), 1);
	assert_int_equal(bounded->sender_get(s, CHAN_WEAK_SENDERS), 0);
	bounded->sender_drop(&s);
	bounded->receiver_drop(&r);
}

static void an_unbounded_send_without_memory_keeps_the_value(void **state)
{
	struct item items[400];
	size_t sent, fit;
	uint64_t id;

	(void)state;
	open_items(unbounded, 0);
	for (size_t i = 0; i < 400; i++)
		items[i] = item_make(i);
	atomic_store(&allocations_left, 0);
	assert_int_equal(unbounded->send(tx, &items[0], CHAN_FOREVER), CHAN_NOMEM);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_EMPTY);
	atomic_store(&allocations_left, 1);
	assert_int_equal(unbounded->send_many(tx, items, 400, &fit, CHAN_NOW), CHAN_NOMEM);
	assert_int_equal(fit, MESSAGES->per_block);
	assert_int_equal(unbounded->receiver_get(rx, CHAN_LEN), fit);
	atomic_store(&allocations_left, PLENTY);
	assert_int_equal(unbounded->send_many(tx, items + fit, 400 - fit, &sent, CHAN_NOW), CHAN_OK);
	for (uint64_t i = 0; i < 400; i++) {
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
		assert_int_equal(id, i);
	}
	unbounded->close(rx); /* idle: the failed sends kept no slot */
	assert_int_equal(recv_item(&id, CHAN_FOREVER), CHAN_CLOSED);
	drop_all();
}

/* ------------------------------------------------------------------------------------------
 * Moments that only the lock can make: several things happen before a woken thread comes back
 */

/* A slot is assigned, then the channel is closed, then the sender comes back: it fails, its slot
 * goes back, and that is what lets the receiver see the end (M-33, M-49, M-50). */
static void a_slot_assigned_before_the_close_is_given_back(void **state)
{
	for (size_t n = 1; n <= 2; n++) { /* reserve of one; of two */
		struct list wakes = WAKES_NONE(wakes);
		struct chan_permit held;
		uint64_t id;

		(void)state;
		open_items(bounded, 2);
		assert_int_equal(bounded->reserve(tx, 2, &held, CHAN_NOW), CHAN_OK);
		struct call blocked = {.sender = tx2, .reserve = n, .deadline = CHAN_FOREVER};
		call_start(&blocked);

		pthread_mutex_lock(&channel->core.lock);
		give_slots(channel, 2, &wakes);
		close_channel(channel, &wakes);
		assert_false(ended(channel)); /* assigned is not idle */
		assert_int_equal(channel->held, n);
		chan_wait_unlock(&channel->core.lock, &wakes);
		assert_int_equal(recv_item(&id, CHAN_FOREVER), CHAN_CLOSED);
		assert_int_equal(call_end(&blocked), CHAN_CLOSED);
		assert_int_equal(slots_left(), 2);
		drop_all();
	}
}

/* Gives the only slot to the sender that waits for it, but not before its deadline has passed,
 * with the lock held, so that it cannot notice the one before the other. False if it had given
 * up before. */
static bool grant_at(uint64_t deadline)
{
	struct list wakes = WAKES_NONE(wakes);

	while (chan_now() < deadline) {
		pthread_mutex_lock(&channel->core.lock);
		bool queued = !list_empty(&channel->send_queue);
		if (queued) {
			struct item item;

			while (chan_now() < deadline)
				sched_yield();
			queue_pop(MESSAGES, &item);
			serve(channel, &wakes);
			item_end(&item);
		}
		chan_wait_unlock(&channel->core.lock, &wakes);
		if (queued)
			return true;
	}
	return false;
}

/* A slot is assigned when the deadline has come and before the sender has noticed: it has it. */
static void a_slot_assigned_at_the_deadline_counts(void **state)
{
	uint64_t id;

	(void)state;
	open_items(bounded, 1);
	assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
	for (bool granted = false; !granted;) {
		struct call blocked = {.sender = tx2, .id = 2, .deadline = chan_deadline_in(50000000)};

		sleeper_start(&blocked.thread, call_body, &blocked);
		granted = grant_at(blocked.deadline);
		assert_int_equal(call_end(&blocked), granted ? CHAN_OK : CHAN_TIMEOUT);
	}
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(id, 2);
	drop_all();
}

/* What is free when a reservation begins to wait is held by it at once: nobody passes it (M-22,
 * M-25). */
static void a_reservation_that_waits_holds_what_is_free(void **state)
{
	struct chan_permit held;

	(void)state;
	open_items(bounded, 3);
	assert_int_equal(bounded->reserve(tx, 2, &held, CHAN_NOW), CHAN_OK);
	struct call many = {.sender = tx2, .reserve = 2, .deadline = CHAN_FOREVER};
	call_start(&many);
	assert_int_equal(slots_left(), 0);
	assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_FULL);
	bounded->permit_release(&held);
	assert_int_equal(call_end(&many), CHAN_OK);
	assert_int_equal(slots_left(), 1);
	bounded->permit_release(&many.permit);
	drop_all();
}

/* Half a reservation is held at the head; when that gives up the next one gets it (M-25, M-26). */
static void a_partial_holding_is_passed_on(void **state)
{
	struct chan_permit held;

	(void)state;
	open_items(bounded, 3);
	assert_int_equal(bounded->reserve(tx, 3, &held, CHAN_NOW), CHAN_OK);
	struct call many = {.sender = tx2, .reserve = 3, .deadline = chan_deadline_in(1000000000)};
	call_start(&many);
	struct chan_sender *tx3;
	assert_int_equal(bounded->sender_clone(tx, &tx3), CHAN_OK);
	struct call one = {.sender = tx3, .reserve = 1, .deadline = CHAN_FOREVER};
	call_start(&one);

	held.count = 1; /* gives back one of three */
	bounded->permit_release(&held);
	held.count = 2;
	assert_int_equal(slots_left(), 0);
	assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_FULL);
	assert_int_equal(call_end(&many), CHAN_TIMEOUT);
	assert_int_equal(call_end(&one), CHAN_OK);
	assert_int_equal(slots_left(), 0);
	bounded->permit_release(&held);
	bounded->permit_release(&one.permit);
	assert_int_equal(slots_left(), 3);
	bounded->sender_drop(&tx3);
	drop_all();
}

/* ------------------------------------------------------------------------------------------
 * Destruction
 */

static struct chan_permit late;
static uint64_t destroyed[8];
static size_t destroyed_count;

static void reenter(const struct item *item)
{
	destroyed[destroyed_count++] = item->id;
	if (item->id == 1) {
		struct item more = item_make(10);

		assert_int_equal(send_item(tx, 11, CHAN_FOREVER), CHAN_CLOSED);
		bounded->permit_send(&late, &more); /* drained by the same drop */
		assert_int_equal(bounded->closed(tx, CHAN_NOW), CHAN_OK);
	} else if (item->id == 2) {
		bounded->sender_drop(&tx2);
	}
}

/* destroy may call the channel; what a permit sends during the drain goes with it, what it sends
 * later with the last handle (D-2, D-4). */
static void a_drain_may_be_reentered(void **state)
{
	struct item last = item_make(20);
	struct chan_weak *weak;

	(void)state;
	destroyed_count = 0;
	destroy_probe = reenter;
	open_items(bounded, 5);
	assert_int_equal(bounded->downgrade(tx, &weak), CHAN_OK);
	assert_int_equal(bounded->reserve(tx, 2, &late, CHAN_NOW), CHAN_OK);
	for (uint64_t id = 1; id <= 3; id++)
		assert_int_equal(send_item(tx2, id, CHAN_NOW), CHAN_OK);
	bounded->receiver_drop(&rx);
	assert_int_equal(destroyed_count, 4);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(destroyed[i], i + 1);
	assert_int_equal(destroyed[3], 10);
	assert_int_equal(bounded->sender_get(tx, CHAN_CAPACITY), 4);
	bounded->permit_send(&late, &last);
	bounded->sender_drop(&tx);
	assert_int_equal(bounded->upgrade(weak, &tx), CHAN_CLOSED);
	bounded->weak_drop(&weak);
	assert_int_equal(destroyed_count, 5);
	assert_int_equal(destroyed[4], 20);
}

/* A close through one receiver ends what another is blocked in (P-6). */
static void a_close_wakes_other_receivers(void **state)
{
	struct call recv = {.deadline = CHAN_FOREVER};
	struct chan_receiver *rx2;

	(void)state;
	open_items(bounded, 1);
	assert_int_equal(bounded->receiver_clone(rx, &rx2), CHAN_OK);
	call_start(&recv);
	bounded->close(rx2);
	assert_int_equal(call_end(&recv), CHAN_CLOSED);
	bounded->receiver_drop(&rx2);
	drop_all();
}

/* Elements without bytes need no buffers. */
static void nothing_can_be_sent(void **state)
{
	const struct chan_mpsc_ops *all[] = {bounded, unbounded};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct chan_config config = {.size = 0, .capacity = 3};
		size_t n;

		assert_int_equal(all[i]->open(&config, &tx, &rx), CHAN_OK);
		assert_int_equal(all[i]->send(tx, NULL, CHAN_NOW), CHAN_OK);
		assert_int_equal(all[i]->send_many(tx, NULL, 2, &n, CHAN_NOW), CHAN_OK);
		assert_int_equal(all[i]->recv_many(rx, NULL, 9, &n, CHAN_NOW), CHAN_OK);
		assert_int_equal(n, 3);
		assert_int_equal(all[i]->send(tx, NULL, CHAN_NOW), CHAN_OK);
		all[i]->receiver_drop(&rx);
		all[i]->sender_drop(&tx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_allocation_may_fail, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(an_unbounded_send_without_memory_keeps_the_value, ledger_reset,
	                                        ledger_check),
		cmocka_unit_test_setup_teardown(a_slot_assigned_before_the_close_is_given_back, ledger_reset,
	                                        ledger_check),
		cmocka_unit_test_setup_teardown(a_slot_assigned_at_the_deadline_counts, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(a_reservation_that_waits_holds_what_is_free, ledger_reset,
	                                        ledger_check),
		cmocka_unit_test_setup_teardown(a_partial_holding_is_passed_on, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(a_drain_may_be_reentered, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(a_close_wakes_other_receivers, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(nothing_can_be_sent, ledger_reset, ledger_check),
	};

	impl = &chan_mutex;
	alarm(110); /* a lost wake is a hang */
	return cmocka_run_group_tests_name("mutex/mpsc", tests, NULL, NULL);
}
