/* SPDX-License-Identifier: MIT
 *
 * watch_race_testing.h - what several threads do to one watch channel at a time, for every watch.
 * Included once, by a test program that has included items_testing.h and the source under test, and
 * defines
 *
 *   WATCH   its table
 */
#ifndef CHANBENCH_BASE_WATCH_RACE_TESTING_H
#define CHANBENCH_BASE_WATCH_RACE_TESTING_H

static const struct chan_watch_ops *const ops = &WATCH;
static const struct chan_config items = {
	.size = sizeof(union large_item), .clone = ledger_clone, .destroy = ledger_destroy, .start = UINT64_MAX};

static struct chan_sender *tx;
static struct chan_receiver *rx;

/* ------------------------------------------------------------------------------------------
 * Stress: two writers whose values rise, two receivers that see them rise and see the last.
 */

enum { STRESS_SENDS = 3000 };

static atomic_uint_fast64_t clock_of_values;

/* The value is chosen while no other writer is at work, so the order of values is that of the
 * writes. */
static bool rise(void *value, void *arg)
{
	struct item *item = value;
	struct item old = *item;

	(void)arg;
	*item = item_make(atomic_fetch_add(&clock_of_values, 1) + 1);
	item_end(&old);
	return true;
}

static void stress_write(void *arg)
{
	struct chan_sender *mine = arg;

	for (int i = 0; i < STRESS_SENDS; i++)
		MUST(ops->modify(mine, rise, NULL, NULL) == CHAN_OK);
	ops->sender_drop(&mine);
}

static bool is_last(const void *value, void *arg)
{
	uint64_t *seen = arg, id = ((const struct item *)value)->id;

	MUST(id >= *seen);
	*seen = id;
	return id == 2 * STRESS_SENDS;
}

static void stress_read(void *arg)
{
	struct chan_receiver *mine = arg;
	enum chan_status status;
	union large_item got;
	uint64_t last = 0;
	bool unseen;

	while ((status = ops->changed(mine, CHAN_FOREVER)) == CHAN_OK) {
		MUST(ops->borrow_and_update(mine, &got, &unseen) == CHAN_OK);
		MUST(got.item.id == got.item.token->id && got.item.id >= last);
		last = got.item.id;
		item_end(&got.item);
	}
	MUST(status == CHAN_CLOSED && last == 2 * STRESS_SENDS);
	ops->receiver_drop(&mine);
}

static void stress_wait(void *arg)
{
	struct chan_receiver *mine = arg;
	union large_item got;
	uint64_t seen = 0;

	MUST(ops->wait_for(mine, is_last, &seen, &got, CHAN_FOREVER) == CHAN_OK);
	MUST(got.item.id == 2 * STRESS_SENDS);
	item_end(&got.item);
	ops->receiver_drop(&mine);
}

static void stress(void **state)
{
	struct sleeper threads[4];
	struct chan_receiver *rx2;
	struct chan_sender *tx2;

	(void)state;
	atomic_store(&clock_of_values, 0);
	union large_item initial = {.item = item_make(0)};
	assert_int_equal(ops->open(&items, &initial, &tx, &rx), CHAN_OK);
	assert_int_equal(ops->sender_clone(tx, &tx2), CHAN_OK);
	assert_int_equal(ops->receiver_clone(rx, &rx2), CHAN_OK);
	sleeper_start(&threads[0], stress_write, tx);
	sleeper_start(&threads[1], stress_write, tx2);
	sleeper_start(&threads[2], stress_read, rx);
	sleeper_start(&threads[3], stress_wait, rx2);
	for (int i = 0; i < 4; i++)
		sleeper_join(&threads[i]);
}

/* Sends and replacements beside readers of plain bytes: never torn. */
static void torn_write(void *arg)
{
	struct chan_sender *mine = arg;
	uint64_t words[64];

	for (uint64_t i = 1; i <= STRESS_SENDS; i++) {
		for (int k = 0; k < 64; k++)
			words[k] = i;
		MUST(i % 2 == 0 ? ops->send(mine, words) == CHAN_OK : ops->send_replace(mine, words, words) == CHAN_OK);
	}
	ops->sender_drop(&mine);
}

static void no_torn_values(void **state)
{
	struct chan_config config = {.size = 512};
	uint64_t words[64] = {0};
	struct sleeper writer;

	(void)state;
	assert_int_equal(ops->open(&config, words, &tx, &rx), CHAN_OK);
	sleeper_start(&writer, torn_write, tx);
	while (words[0] != STRESS_SENDS) {
		assert_int_equal(ops->borrow(rx, words, NULL), CHAN_OK);
		for (int k = 1; k < 64; k++)
			assert_int_equal(words[k], words[0]);
	}
	sleeper_join(&writer);
	ops->receiver_drop(&rx);
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, ledger_reset, ledger_check)
#define WATCH_RACE_TESTS TEST(stress), TEST(no_torn_values)

#endif
