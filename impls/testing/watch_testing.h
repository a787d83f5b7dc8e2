/* SPDX-License-Identifier: MIT
 *
 * watch_testing.h - unit tests that every watch passes. Included once, by a test program that has
 * included items_testing.h and the source under test, and defines
 *
 *   WATCH             its table
 *   WATCH_SEEN_ALL(rx) whether a receiver has seen the newest version
 */
#ifndef CHANBENCH_BASE_WATCH_TESTING_H
#define CHANBENCH_BASE_WATCH_TESTING_H

static const struct chan_watch_ops *const ops = &WATCH;
static const struct chan_config numbers = {.size = sizeof(uint64_t), .start = UINT64_MAX - 1};
static const struct chan_config items = {
	.size = sizeof(union large_item), .clone = ledger_clone, .destroy = ledger_destroy, .start = UINT64_MAX};

static struct chan_sender *tx;
static struct chan_receiver *rx;

static void open_numbers(uint64_t initial)
{
	assert_int_equal(ops->open(&numbers, &initial, &tx, &rx), CHAN_OK);
}

static void open_items(uint64_t id)
{
	union large_item initial = {.item = item_make(id)};
	enum chan_status status = ops->open(&items, &initial, &tx, &rx);

	assert_int_equal(status, CHAN_OK);
}

static void close_all(void)
{
	ops->sender_drop(&tx);
	ops->receiver_drop(&rx);
}

static enum chan_status send_item(uint64_t id)
{
	union large_item large = {.item = item_make(id)};
	enum chan_status status = ops->send(tx, &large);

	if (status != CHAN_OK)
		item_end(&large.item);
	return status;
}

static uint64_t borrow_item(void)
{
	union large_item large;

	assert_int_equal(ops->borrow(rx, &large, NULL), CHAN_OK);
	uint64_t id = large.item.id;
	item_end(&large.item);
	return id;
}

static bool set_to(void *value, void *arg)
{
	*(uint64_t *)value = *(uint64_t *)arg;
	return true;
}

static bool set_silently(void *value, void *arg)
{
	set_to(value, arg);
	return false;
}

static bool equals(const void *value, void *arg)
{
	return *(const uint64_t *)value == *(uint64_t *)arg;
}

static void versions_wrap(void **state)
{
	uint64_t value;
	bool unseen;

	(void)state;
	open_numbers(0);
	for (uint64_t i = 1; i < 6; i++) { /* over the wrap */
		assert_int_equal(ops->has_changed(rx), CHAN_EMPTY);
		assert_int_equal(ops->changed(rx, CHAN_NOW), CHAN_EMPTY);
		assert_int_equal(ops->changed(rx, 1), CHAN_TIMEOUT);
		ops->mark_changed(rx);
		ops->mark_changed(rx);
		assert_int_equal(ops->has_changed(rx), CHAN_OK);
		ops->mark_unchanged(rx);
		assert_int_equal(ops->has_changed(rx), CHAN_EMPTY);
		ops->mark_changed(rx);
		assert_int_equal(ops->changed(rx, CHAN_NOW), CHAN_OK);
		assert_int_equal(ops->send(tx, &i), CHAN_OK);
		assert_int_equal(ops->borrow(rx, &value, &unseen), CHAN_OK);
		assert_true(unseen && value == i);
		assert_int_equal(ops->changed(rx, CHAN_NOW), CHAN_OK);
		assert_int_equal(ops->borrow(rx, &value, &unseen), CHAN_OK);
		assert_false(unseen);
		assert_int_equal(ops->send(tx, &i), CHAN_OK); /* an equal value is a change (W-9) */
		assert_int_equal(ops->borrow_and_update(rx, &value, &unseen), CHAN_OK);
		assert_true(unseen);
	}
	close_all();
}

static void the_last_value_is_never_missed(void **state)
{
	struct chan_receiver *other;
	uint64_t value = 5, want = 5;
	bool unseen;

	(void)state;
	open_numbers(0);
	assert_int_equal(ops->send(tx, &value), CHAN_OK);
	assert_int_equal(ops->receiver_clone(rx, &other), CHAN_OK);
	ops->sender_drop(&tx);
	assert_int_equal(ops->has_changed(rx), CHAN_CLOSED); /* W-7 */
	assert_int_equal(ops->borrow(rx, &value, &unseen), CHAN_OK);
	assert_true(unseen);
	assert_int_equal(ops->changed(rx, CHAN_FOREVER), CHAN_OK); /* W-6 */
	assert_int_equal(ops->changed(rx, CHAN_FOREVER), CHAN_CLOSED);
	/* W-24 */
	assert_int_equal(ops->wait_for(rx, equals, &want, &value, CHAN_FOREVER), CHAN_OK);
	assert_int_equal(value, 5);
	want = 6;
	assert_int_equal(ops->wait_for(rx, equals, &want, &value, CHAN_FOREVER), CHAN_CLOSED);
	assert_int_equal(ops->changed(other, CHAN_NOW), CHAN_OK);
	ops->receiver_drop(&rx);
	ops->receiver_drop(&other);
}

static void writers_and_receivers_that_come_and_go(void **state)
{
	struct counter closed = COUNTER, changed = COUNTER;
	uint64_t value = 1, previous = 9;
	bool modified, unseen;

	(void)state;
	open_numbers(0);
	assert_int_equal(ops->arm_closed(tx, &closed.waiter), CHAN_ARMED);
	ops->receiver_drop(&rx);
	assert_int_equal(atomic_load(&closed.fired), 1);
	assert_true(ops->disarm(&closed.waiter));
	assert_int_equal(ops->closed(tx, CHAN_FOREVER), CHAN_OK);
	assert_int_equal(ops->send(tx, &value), CHAN_CLOSED); /* not stored (W-18) */
	assert_int_equal(ops->sender_borrow(tx, &previous), CHAN_OK);
	assert_int_equal(previous, 0);
	assert_int_equal(ops->send_replace(tx, &value, &previous), CHAN_OK);
	assert_int_equal(previous, 0);
	value = 2;
	assert_int_equal(ops->send_replace(tx, &value, &value), CHAN_OK); /* in one place */
	assert_int_equal(value, 1);
	assert_int_equal(ops->subscribe(tx, &rx), CHAN_OK);
	assert_int_equal(ops->closed(tx, CHAN_NOW), CHAN_EMPTY);
	assert_int_equal(ops->closed(tx, 1), CHAN_TIMEOUT);
	assert_int_equal(ops->borrow(rx, &value, &unseen), CHAN_OK);
	assert_true(!unseen && value == 2);

	value = 3;
	assert_int_equal(ops->arm_changed(rx, &changed.waiter), CHAN_ARMED);
	assert_int_equal(ops->modify(tx, set_silently, &value, &modified), CHAN_OK);
	assert_false(modified);
	assert_int_equal(atomic_load(&changed.fired), 0);
	assert_int_equal(ops->has_changed(rx), CHAN_EMPTY);
	value = 0;
	assert_int_equal(ops->borrow(rx, &value, NULL), CHAN_OK);
	assert_int_equal(value, 3);
	assert_int_equal(ops->modify(tx, set_to, &value, &modified), CHAN_OK);
	assert_true(modified);
	assert_int_equal(atomic_load(&changed.fired), 1);
	assert_int_equal(ops->arm_changed(rx, &closed.waiter), CHAN_READY);
	assert_true(ops->disarm(&changed.waiter));
	assert_int_equal(ops->sender_get(tx, CHAN_IDENTITY), ops->receiver_get(rx, CHAN_IDENTITY));
	assert_int_equal(ops->sender_get(tx, CHAN_LEN), CHAN_UNKNOWN);
	close_all();
}

/* ------------------------------------------------------------------------------------------
 * Blocked threads
 */

struct waiting {
	uint64_t want, value;
	enum chan_status status;
};

static void wait_for_want(void *arg)
{
	struct waiting *w = arg;

	w->status = ops->wait_for(rx, equals, &w->want, &w->value, CHAN_FOREVER);
}

static void changed_forever(void *status)
{
	*(enum chan_status *)status = ops->changed(rx, CHAN_FOREVER);
}

static void blocked_ones_are_woken(void **state)
{
	struct waiting w = {.want = 3};
	enum chan_status status;
	struct sleeper s;
	uint64_t value;

	(void)state;
	open_numbers(0);
	sleeper_start(&s, wait_for_want, &w);
	for (value = 1; value <= 3; value++) {
		sleeper_await(&s);
		assert_int_equal(ops->send(tx, &value), CHAN_OK);
	}
	sleeper_join(&s);
	assert_true(w.status == CHAN_OK && w.value == 3);
	assert_int_equal(ops->has_changed(rx), CHAN_EMPTY); /* W-25 */

	w.want = 9;
	sleeper_start(&s, wait_for_want, &w);
	sleeper_await(&s);
	assert_int_equal(ops->modify(tx, set_silently, &w.want, NULL), CHAN_OK);
	sleeper_await(&s); /* not notified ... */
	ops->sender_drop(&tx);
	sleeper_join(&s);
	assert_true(w.status == CHAN_OK && w.value == 9); /* ... but it is the last value (W-24) */
	ops->receiver_drop(&rx);

	open_numbers(0);
	sleeper_start(&s, changed_forever, &status);
	sleeper_await(&s);
	assert_int_equal(ops->send_replace(tx, &value, &value), CHAN_OK);
	sleeper_join(&s);
	assert_int_equal(status, CHAN_OK);
	sleeper_start(&s, changed_forever, &status);
	sleeper_await(&s);
	ops->sender_drop(&tx);
	sleeper_join(&s);
	assert_int_equal(status, CHAN_CLOSED);
	ops->receiver_drop(&rx);
}

/* ------------------------------------------------------------------------------------------
 * Callbacks
 */

/* A predicate may drop a sender that is not in use. */
static bool drop_the_sender(const void *value, void *arg)
{
	(void)value;
	++*(int *)arg;
	ops->sender_drop(&tx);
	return false;
}

static void a_predicate_that_closes(void **state)
{
	uint64_t value;
	int calls = 0;

	(void)state;
	open_numbers(0);
	assert_int_equal(ops->wait_for(rx, drop_the_sender, &calls, &value, CHAN_NOW), CHAN_CLOSED);
	assert_int_equal(calls, 1);
	close_all();
}

static struct chan_receiver *dropped_inside;
static int probes;

static void call_inside(void)
{
	struct chan_receiver *out;
	struct counter counter = COUNTER;
	union large_item large = {.bytes = {0}};
	struct chan_sender *clone;
	uint64_t n = 0;

	if (++probes > 1)
		return;
	assert_int_equal(ops->send(tx, &large), CHAN_INVALID);
	assert_int_equal(ops->send_replace(tx, &large, &large), CHAN_INVALID);
	assert_int_equal(ops->modify(tx, set_to, &n, NULL), CHAN_INVALID);
	assert_int_equal(ops->sender_borrow(tx, &large), CHAN_INVALID);
	assert_int_equal(ops->borrow(rx, &large, NULL), CHAN_INVALID);
	assert_int_equal(ops->borrow_and_update(rx, &large, NULL), CHAN_INVALID);
	assert_int_equal(ops->changed(rx, CHAN_FOREVER), CHAN_INVALID);
	assert_int_equal(ops->has_changed(rx), CHAN_INVALID);
	assert_int_equal(ops->wait_for(rx, equals, &n, &large, CHAN_FOREVER), CHAN_INVALID);
	assert_int_equal(ops->sender_clone(tx, &clone), CHAN_INVALID);
	assert_int_equal(ops->receiver_clone(rx, &out), CHAN_INVALID);
	assert_int_equal(ops->subscribe(tx, &out), CHAN_INVALID);
	assert_int_equal(ops->closed(tx, CHAN_FOREVER), CHAN_INVALID);
	assert_int_equal(ops->arm_changed(rx, &counter.waiter), CHAN_NOT_ARMED);
	assert_int_equal(ops->arm_closed(tx, &counter.waiter), CHAN_NOT_ARMED);
	ops->mark_changed(rx);
	assert_true(WATCH_SEEN_ALL(rx));
	assert_int_equal(ops->receiver_get(rx, CHAN_SENDERS), 1);
	ops->receiver_drop(&dropped_inside);
	assert_int_equal(ops->sender_get(tx, CHAN_RECEIVERS), 1);
}

static bool modify_inside(void *value, void *arg)
{
	(void)value;
	(void)arg;
	call_inside();
	return true;
}

static bool pred_inside(const void *value, void *arg)
{
	(void)value;
	(void)arg;
	call_inside();
	return true;
}

static void call_from_functions(void)
{
	union large_item large;

	probes = 0;
	assert_int_equal(ops->wait_for(rx, pred_inside, NULL, &large, CHAN_NOW), CHAN_OK);
	assert_int_equal(probes, 1);
	if (ledger_alive() != 0)
		item_end(&large.item);
	probes = 0;
	assert_int_equal(ops->modify(tx, modify_inside, NULL, NULL), CHAN_OK);
	assert_int_equal(probes, 1);
}

static void calls_from_inside_are_refused(void **state)
{
	(void)state;
	open_items(1);
	probes = 0;
	assert_int_equal(ops->subscribe(tx, &dropped_inside), CHAN_OK);
	clone_probe = call_inside;
	assert_int_equal(borrow_item(), 1);
	clone_probe = NULL;
	assert_int_equal(probes, 1);
	call_from_functions();
	close_all();
}

static void calls_from_inside_are_refused_without_hooks(void **state)
{
	(void)state;
	open_numbers(1);
	assert_int_equal(ops->subscribe(tx, &dropped_inside), CHAN_OK);
	call_from_functions();
	close_all();
}

static int resends;

static void send_again(const struct item *item)
{
	(void)item;
	if (resends-- > 0)
		send_item(100);
}

static void destroy_may_send_on_the_same_channel(void **state)
{
	(void)state;
	open_items(1);
	destroy_probe = send_again;
	resends = 2;
	assert_int_equal(send_item(2), CHAN_OK);
	assert_int_equal(resends, -1);
	destroy_probe = NULL;
	assert_int_equal(borrow_item(), 100);
	assert_int_equal(ledger_alive(), 1);
	ops->sender_drop(&tx);
	assert_int_equal(ledger_alive(), 1); /* W-32 */
	ops->receiver_drop(&rx);
	assert_int_equal(ledger_alive(), 0);

	open_items(1);
	ops->receiver_drop(&rx);
	assert_int_equal(send_item(2), CHAN_CLOSED); /* nothing was replaced, so nothing ends */
	assert_int_equal(ledger_alive(), 1);
	ops->sender_drop(&tx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_reset, ledger_check)
#define WATCH_TESTS                                                                                                    \
	TEST(versions_wrap), TEST(the_last_value_is_never_missed), TEST(writers_and_receivers_that_come_and_go),       \
		TEST(blocked_ones_are_woken), TEST(a_predicate_that_closes), TEST(calls_from_inside_are_refused),      \
		TEST(calls_from_inside_are_refused_without_hooks), TEST(destroy_may_send_on_the_same_channel)

#endif
