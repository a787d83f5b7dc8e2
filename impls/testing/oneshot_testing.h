/* SPDX-License-Identifier: MIT
 *
 * oneshot_testing.h - unit tests that every oneshot passes. Included once, by a test program that
 * has included items_testing.h and the source under test, and defines
 *
 *   ONESHOT           its table
 *   ONESHOT_VALUE(rx) where the channel of a receiver keeps the value
 */
#ifndef CHANBENCH_BASE_ONESHOT_TESTING_H
#define CHANBENCH_BASE_ONESHOT_TESTING_H

static const struct chan_oneshot_ops *const ops = &ONESHOT;
static const struct chan_config items = {.size = sizeof(struct item), .destroy = ledger_destroy};

static struct chan_sender *tx;
static struct chan_receiver *rx;

static void open_items(void)
{
	assert_int_equal(ops->open(&items, &tx, &rx), CHAN_OK);
}

static uint64_t rx_get(enum chan_property property)
{
	return ops->receiver_get(rx, property);
}

static void a_value_passes_once(void **state)
{
	struct item sent = item_make(7), got;

	(void)state;
	open_items();
	assert_int_equal(ops->recv(rx, &got, CHAN_NOW), CHAN_EMPTY);
	assert_int_equal(ops->recv(rx, &got, 1), CHAN_TIMEOUT);
	assert_int_equal(rx_get(CHAN_LEN), 0);
	assert_int_equal(ops->send(&tx, &sent), CHAN_OK);
	assert_null(tx);
	assert_int_equal(ops->send(&tx, &sent), CHAN_INVALID);
	assert_int_equal(rx_get(CHAN_LEN), 1);
	assert_int_equal(rx_get(CHAN_IS_TERMINATED), 0);
	ops->close(rx); /* too late: it was sent (O-9) */
	assert_int_equal(ops->recv(rx, &got, 1), CHAN_OK);
	item_end(&got);
	assert_int_equal(rx_get(CHAN_LEN), 0);
	assert_int_equal(rx_get(CHAN_IS_TERMINATED), 1);
	ops->close(rx);
	assert_int_equal(ops->recv(rx, &got, CHAN_NOW), CHAN_CLOSED);
	assert_int_equal(ops->recv(rx, &got, 1), CHAN_INVALID);
	assert_int_equal(ops->recv(rx, &got, CHAN_FOREVER), CHAN_INVALID);
	ops->receiver_drop(&rx);
	assert_null(rx);
	ops->receiver_drop(&rx);
	ops->sender_drop(&tx);
}

static void a_dropped_sender_ends_it(void **state)
{
	struct item got;

	(void)state;
	open_items();
	ops->sender_drop(&tx);
	assert_int_equal(rx_get(CHAN_IS_TERMINATED), 0);
	assert_int_equal(rx_get(CHAN_IS_CLOSED), 1);
	assert_int_equal(ops->recv(rx, &got, CHAN_FOREVER), CHAN_CLOSED);
	assert_int_equal(rx_get(CHAN_IS_TERMINATED), 1);
	ops->receiver_drop(&rx);
}

static void a_closed_one_refuses(void **state)
{
	struct item mine = item_make(1), got;

	(void)state;
	open_items();
	assert_int_equal(ops->closed(tx, CHAN_NOW), CHAN_EMPTY);
	assert_int_equal(ops->closed(tx, 1), CHAN_TIMEOUT);
	ops->close(rx);
	assert_int_equal(ops->closed(tx, CHAN_FOREVER), CHAN_OK);
	assert_int_equal(ops->sender_get(tx, CHAN_IS_CLOSED), 1);
	assert_int_equal(ops->send(&tx, &mine), CHAN_CLOSED);
	item_end(&mine);
	assert_int_equal(ops->recv(rx, &got, CHAN_NOW), CHAN_CLOSED);
	ops->receiver_drop(&rx);
}

static pthread_t destroyed_by;

static void note_thread(const struct item *item)
{
	(void)item;
	destroyed_by = pthread_self();
}

static void the_receivers_drop_ends_the_value(void **state)
{
	struct item mine = item_make(1);

	(void)state;
	open_items();
	destroy_probe = note_thread;
	assert_int_equal(ops->send(&tx, &mine), CHAN_OK);
	assert_int_equal(ledger_alive(), 1);
	ops->receiver_drop(&rx);
	assert_int_equal(ledger_alive(), 0);
	assert_true(pthread_equal(destroyed_by, pthread_self()));
}

static void sizes_and_alignments(void **state)
{
	char got[8192];

	(void)state;
	for (size_t align = 1; align <= CHAN_ALIGN_MAX; align *= 2) {
		struct chan_config config = {.size = align, .align = align};
		assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
		assert_int_equal((uintptr_t)ONESHOT_VALUE(rx) % align, 0);
		memset(got, 'x', align);
		assert_int_equal(ops->send(&tx, got), CHAN_OK);
		memset(got, 0, sizeof got);
		assert_int_equal(ops->recv(rx, got, CHAN_NOW), CHAN_OK);
		assert_int_equal(got[align - 1], 'x');
		ops->receiver_drop(&rx);
	}
	struct chan_config nothing = {.size = 0};
	assert_int_equal(ops->open(&nothing, &tx, &rx), CHAN_OK);
	assert_int_equal(ops->send(&tx, NULL), CHAN_OK);
	assert_int_equal(ops->recv(rx, NULL, CHAN_NOW), CHAN_OK);
	ops->receiver_drop(&rx);

	struct chan_config odd = {.size = 3, .align = 2};
	assert_int_equal(ops->open(&odd, &tx, &rx), CHAN_INVALID);
	allocations_left = 0;
	assert_int_equal(ops->open(&items, &tx, &rx), CHAN_NOMEM);
}

static enum chan_status blocked_status;

static void recv_forever(void *arg)
{
	struct item got;

	blocked_status = ops->recv(rx, &got, CHAN_FOREVER);
	if (blocked_status == CHAN_OK)
		item_end(&got);
	(void)arg;
}

static void closed_forever(void *arg)
{
	blocked_status = ops->closed(tx, CHAN_FOREVER);
	(void)arg;
}

static void blocked_ones_are_woken(void **state)
{
	struct sleeper t;
	struct item mine = item_make(3);

	(void)state;
	open_items();
	sleeper_start(&t, recv_forever, NULL);
	sleeper_await(&t);
	assert_int_equal(ops->send(&tx, &mine), CHAN_OK);
	sleeper_join(&t);
	assert_int_equal(blocked_status, CHAN_OK);
	ops->receiver_drop(&rx);

	open_items();
	sleeper_start(&t, recv_forever, NULL);
	sleeper_await(&t);
	ops->sender_drop(&tx);
	sleeper_join(&t);
	assert_int_equal(blocked_status, CHAN_CLOSED);
	ops->receiver_drop(&rx);

	for (int by_drop = 0; by_drop < 2; by_drop++) {
		open_items();
		sleeper_start(&t, closed_forever, NULL);
		sleeper_await(&t);
		if (by_drop)
			ops->receiver_drop(&rx);
		else
			ops->close(rx);
		sleeper_join(&t);
		assert_int_equal(blocked_status, CHAN_OK);
		ops->sender_drop(&tx);
		ops->receiver_drop(&rx);
	}
}

static void waiters_fire_once_and_end_with_their_handle(void **state)
{
	struct counter received = COUNTER, closed = COUNTER, unfired = COUNTER;
	struct item mine = item_make(3);

	(void)state;
	open_items();
	assert_int_equal(ops->arm_recv(rx, &received.waiter), CHAN_ARMED);
	assert_int_equal(ops->arm_recv(rx, &unfired.waiter), CHAN_ARMED);
	assert_int_equal(ops->arm_closed(tx, &closed.waiter), CHAN_ARMED);
	assert_false(ops->disarm(&unfired.waiter));
	assert_int_equal(ops->send(&tx, &mine), CHAN_OK); /* ends tx, and what is armed on it */
	memset(&closed, 0xAA, sizeof closed);
	assert_int_equal(atomic_load(&received.fired), 1);
	assert_int_equal(atomic_load(&unfired.fired), 0);
	assert_true(ops->disarm(&received.waiter));
	assert_int_equal(ops->arm_recv(rx, &received.waiter), CHAN_READY);
	ops->receiver_drop(&rx);

	struct counter again = COUNTER, left = COUNTER;
	open_items();
	assert_int_equal(ops->arm_closed(tx, &again.waiter), CHAN_ARMED);
	assert_int_equal(ops->arm_recv(rx, &left.waiter), CHAN_ARMED);
	ops->receiver_drop(&rx);
	memset(&left, 0xAA, sizeof left);
	assert_int_equal(atomic_load(&again.fired), 1);
	assert_int_equal(ops->arm_closed(tx, &left.waiter), CHAN_READY);
	ops->sender_drop(&tx); /* disarms `again` */
}

static void race_close(void *arg)
{
	struct item got;

	ops->close(rx);
	*(enum chan_status *)arg = ops->recv(rx, &got, CHAN_NOW);
	if (*(enum chan_status *)arg == CHAN_OK)
		item_end(&got);
	ops->receiver_drop(&rx);
}

static void race_drop(void *arg)
{
	ops->receiver_drop(&rx);
	(void)arg;
}

static void race_send(void *arg)
{
	struct item mine = item_make(1);
	enum chan_status *status = arg;

	*status = ops->send(&tx, &mine);
	if (*status != CHAN_OK)
		item_end(&mine);
}

static void close_and_send_race(void **state)
{
	enum chan_status sent, received;
	struct sleeper a, b;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		open_items();
		sleeper_start(&a, race_send, &sent);
		sleeper_start(&b, race_close, &received);
		sleeper_join(&a);
		sleeper_join(&b);
		assert_true((sent == CHAN_OK) == (received == CHAN_OK)); /* O-11 */
		assert_int_equal(ledger_alive(), 0);

		open_items();
		sleeper_start(&b, race_drop, NULL);
		sleeper_start(&a, race_send, &sent);
		sleeper_join(&a);
		sleeper_join(&b);
		assert_int_equal(ledger_alive(), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_reset, ledger_check)

#define ONESHOT_TESTS                                                                                                  \
	TEST(a_value_passes_once), TEST(a_dropped_sender_ends_it), TEST(a_closed_one_refuses),                         \
		TEST(the_receivers_drop_ends_the_value), TEST(sizes_and_alignments), TEST(blocked_ones_are_woken),     \
		TEST(waiters_fire_once_and_end_with_their_handle), TEST(close_and_send_race)

#endif
