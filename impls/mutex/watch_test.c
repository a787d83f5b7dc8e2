/* SPDX-License-Identifier: MIT
 *
 * watch_test.c - what the rules cannot see of a watch channel: who waits for a pinned value, and
 * memory that runs out at each place.
 */
#include "impls/testing/elements.h"
#include "impls/mutex/watch.c" /* its allocations fail on demand */

#include <semaphore.h>

static const struct chan_watch_ops *const ops = &chan_mutex_watch_ops;
static const struct chan_config numbers = {.size = sizeof(uint64_t), .start = UINT64_MAX - 1};
static const struct chan_config items = {
	.size = sizeof(union large_item), .clone = tally_clone, .destroy = tally_destroy, .start = UINT64_MAX};

static struct chan_sender *tx;
static struct chan_receiver *rx;

static void open_numbers(uint64_t initial)
{
	assert_int_equal(ops->open(&numbers, &initial, &tx, &rx), CHAN_OK);
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

static sem_t modify_entered, modify_let_go;

static bool stay(void *value, void *arg)
{
	sem_post(&modify_entered);
	while (sem_wait(&modify_let_go) != 0)
		;
	return set_to(value, arg);
}

static void modify_slowly(void *arg)
{
	MUST(ops->modify(tx, stay, arg, NULL) == CHAN_OK);
}

static void borrow_7(void *arg)
{
	uint64_t value;

	MUST(ops->borrow(arg, &value, NULL) == CHAN_OK && value == 7);
}

static void send_8(void *arg)
{
	uint64_t value = 8;

	MUST(ops->send(arg, &value) == CHAN_OK);
}

static void a_pinned_value_is_left_alone(void **state)
{
	struct sleeper modifier, reader, writer;
	struct chan_sender *other;
	uint64_t value = 7;
	bool unseen;

	(void)state;
	sem_init(&modify_entered, 0, 0);
	sem_init(&modify_let_go, 0, 0);
	open_numbers(0);
	assert_int_equal(ops->sender_clone(tx, &other), CHAN_OK);
	sleeper_start(&modifier, modify_slowly, &value);
	sem_wait(&modify_entered);
	assert_int_equal(ops->changed(rx, CHAN_NOW), CHAN_EMPTY);
	sleeper_start(&reader, borrow_7, rx);
	sleeper_await(&reader);
	sem_post(&modify_let_go);
	sleeper_join(&modifier);
	sleeper_join(&reader);

	sleeper_start(&modifier, modify_slowly, &value);
	sem_wait(&modify_entered);
	sleeper_start(&writer, send_8, other);
	sleeper_await(&writer);
	sem_post(&modify_let_go);
	sleeper_join(&modifier);
	sleeper_join(&writer);
	assert_int_equal(ops->borrow(rx, &value, &unseen), CHAN_OK);
	assert_true(unseen && value == 8);
	ops->sender_drop(&other);
	close_all();
	sem_destroy(&modify_let_go);
	sem_destroy(&modify_entered);
}

static bool always(const void *value, void *arg)
{
	(void)value;
	(void)arg;
	return true;
}

static void nothing_is_lost_without_memory(void **state)
{
	union large_item initial = {.item = item_make(1)}, got;
	enum chan_status status = CHAN_NOMEM;
	struct chan_receiver *other;
	struct chan_sender *clone;
	long n = 0;

	(void)state;
	for (; status != CHAN_OK; n++) {
		tx = NULL;
		rx = NULL;
		atomic_store(&allocations_left, n);
		status = ops->open(&items, &initial, &tx, &rx);
		assert_true(status == CHAN_OK || (status == CHAN_NOMEM && tx == NULL && rx == NULL));
	}
	assert_int_equal(n, 5); /* the channel, its value, a sender, a receiver: each failed once */
	atomic_store(&allocations_left, 0);
	assert_int_equal(send_item(2), CHAN_NOMEM);
	assert_int_equal(ops->sender_clone(tx, &clone), CHAN_NOMEM);
	assert_int_equal(ops->receiver_clone(rx, &other), CHAN_NOMEM);
	assert_int_equal(ops->subscribe(tx, &other), CHAN_NOMEM);
	atomic_store(&allocations_left, PLENTY);
	assert_int_equal(ops->sender_get(tx, CHAN_SENDERS), 1);
	assert_int_equal(ops->sender_get(tx, CHAN_RECEIVERS), 1);
	assert_int_equal(borrow_item(), 1);

	assert_int_equal(send_item(2), CHAN_OK);
	clone_fails = true;
	assert_int_equal(ops->borrow_and_update(rx, &got, NULL), CHAN_NOMEM);
	assert_int_equal(ops->has_changed(rx), CHAN_OK); /* nothing was marked */
	assert_int_equal(ops->sender_borrow(tx, &got), CHAN_NOMEM);
	assert_int_equal(ops->wait_for(rx, always, NULL, &got, CHAN_FOREVER), CHAN_NOMEM);
	clone_fails = false;
	assert_int_equal(ops->wait_for(rx, always, NULL, &got, CHAN_FOREVER), CHAN_OK);
	item_end(&got.item);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(a_pinned_value_is_left_alone),
		TALLIED(nothing_is_lost_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
