/* SPDX-License-Identifier: MIT */
#include "impls/testing/items_testing.h"
#include "impls/futex/watch.c"
#include "impls/futex/watch_write.c"
#include "impls/futex/watch_read.c"

#define WATCH chan_futex_watch_ops
#include "impls/testing/watch_race_testing.h"

/* ------------------------------------------------------------------------------------------
 * Lost wakes: a lone writer that makes no system call, and one who goes to sleep at the same moment
 */

enum { ROUNDS = 20000 };

static void answer(void *arg)
{
	struct chan_sender *back = arg;
	uint64_t got = 0;
	bool unseen;

	while (got != ROUNDS) {
		MUST(ops->changed(rx, CHAN_FOREVER) == CHAN_OK);
		uint64_t before = got;
		MUST(ops->borrow_and_update(rx, &got, &unseen) == CHAN_OK);
		MUST(!unseen && got == before + 1);
		MUST(ops->send(back, &got) == CHAN_OK);
	}
	ops->sender_drop(&back);
	ops->receiver_drop(&rx);
}

/* Each number is sent when the one before has come back. `looks`: how often to look before
 * sleeping; 0 sleeps at once. */
static void play(uint32_t looks)
{
	struct chan_config config = {.size = sizeof(uint64_t), .start = UINT64_MAX - ROUNDS / 2};
	struct chan_receiver *answers;
	struct chan_sender *back;
	struct sleeper player;
	uint64_t got = 0;

	chan_spin_setup();
	uint32_t before = atomic_exchange(&chan_spin_looks, looks);
	assert_int_equal(ops->open(&config, &got, &tx, &rx), CHAN_OK);
	assert_int_equal(ops->open(&config, &got, &back, &answers), CHAN_OK);
	sleeper_start(&player, answer, back);
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		assert_int_equal(ops->send(tx, &i), CHAN_OK);
		assert_int_equal(ops->changed(answers, CHAN_FOREVER), CHAN_OK);
		assert_int_equal(ops->borrow(answers, &got, NULL), CHAN_OK);
		assert_int_equal(got, i);
	}
	sleeper_join(&player);
	assert_int_equal(ops->changed(answers, CHAN_FOREVER), CHAN_CLOSED);
	ops->sender_drop(&tx);
	ops->receiver_drop(&answers);
	atomic_store(&chan_spin_looks, before);
}

static void no_wake_is_lost(void **state)
{
	(void)state;
	play(0);
	play(3);
}

/* Clones of the sender come and go while it writes: with one sender without the lock, with two
 * under it. */
static void clone_and_drop(void *arg)
{
	struct chan_sender *mine = arg, *other;
	uint64_t words[64];

	for (uint64_t i = 1; i <= STRESS_SENDS; i++) {
		for (int k = 0; k < 64; k++)
			words[k] = i;
		MUST(ops->sender_clone(mine, &other) == CHAN_OK);
		MUST(ops->send(mine, words) == CHAN_OK);
		ops->sender_drop(i % 2 == 0 ? &mine : &other);
		if (mine == NULL)
			mine = other;
		MUST(ops->send_replace(mine, words, words) == CHAN_OK);
	}
	ops->sender_drop(&mine);
}

static void senders_come_and_go(void **state)
{
	struct chan_config config = {.size = 512};
	uint64_t words[64] = {0};
	struct chan_sender *tx2;
	struct sleeper writers[2];
	enum chan_status status;

	(void)state;
	assert_int_equal(ops->open(&config, words, &tx, &rx), CHAN_OK);
	assert_int_equal(ops->sender_clone(tx, &tx2), CHAN_OK);
	sleeper_start(&writers[0], clone_and_drop, tx);
	sleeper_start(&writers[1], clone_and_drop, tx2);
	while ((status = ops->changed(rx, CHAN_FOREVER)) == CHAN_OK) {
		assert_int_equal(ops->borrow(rx, words, NULL), CHAN_OK);
		for (int k = 1; k < 64; k++)
			assert_int_equal(words[k], words[0]);
	}
	assert_int_equal(status, CHAN_CLOSED);
	assert_int_equal(words[0], STRESS_SENDS);
	for (int i = 0; i < 2; i++)
		sleeper_join(&writers[i]);
	ops->receiver_drop(&rx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_RACE_TESTS,
		TEST(no_wake_is_lost),
		TEST(senders_come_and_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
