/* SPDX-License-Identifier: MIT
 *
 * broadcast_race_test.c - what several threads do to one broadcast channel at a time.
 */
#include "impls/mutex/broadcast_testing.h"

#include <semaphore.h>

/* A clone that stays inside until it is let go. */
static sem_t clone_entered, clone_let_go;
static atomic_bool clone_stays;

static void stay(void)
{
	if (!atomic_exchange(&clone_stays, false))
		return;
	sem_post(&clone_entered);
	while (sem_wait(&clone_let_go) != 0)
		;
}

static void take_7(void *rx)
{
	MUST(take_item(rx, NULL) == 7);
}

static void overwrite_7(void *tx)
{
	MUST(send_item(tx, 8) == CHAN_OK);
}

static void a_slot_that_is_cloned_is_left_alone(void **state)
{
	struct chan_config config = items(sizeof(struct item), 1);
	struct chan_receiver *first, *second, *third;
	struct sleeper cloner, reader, writer;
	struct chan_sender *tx;

	(void)state;
	sem_init(&clone_entered, 0, 0);
	sem_init(&clone_let_go, 0, 0);
	clone_probe = stay;
	assert_int_equal(ops->open(&config, &tx, &first), CHAN_OK);
	assert_int_equal(ops->subscribe(tx, &second), CHAN_OK);
	assert_int_equal(ops->subscribe(tx, &third), CHAN_OK);
	send_item(tx, 7);

	clone_stays = true;
	sleeper_start(&cloner, take_7, first);
	sem_wait(&clone_entered);
	sleeper_start(&reader, take_7, second);
	sleeper_await(&reader); /* B-33 */
	ops->receiver_drop(&third);
	assert_int_equal(ledger_alive(), 1);
	sem_post(&clone_let_go);
	sleeper_join(&cloner);
	sleeper_join(&reader);
	assert_int_equal(ledger_alive(), 0);

	send_item(tx, 7);
	clone_stays = true;
	sleeper_start(&cloner, take_7, first);
	sem_wait(&clone_entered);
	sleeper_start(&writer, overwrite_7, tx);
	sleeper_await(&writer); /* B-35 */
	ops->receiver_drop(&second);
	sem_post(&clone_let_go);
	sleeper_join(&cloner);
	sleeper_join(&writer);
	assert_int_equal(take_item(first, NULL), 8);
	ops->receiver_drop(&first);
	ops->sender_drop(&tx);
	sem_destroy(&clone_let_go);
	sem_destroy(&clone_entered);
}

/* A wake that drops the sender through which it was fired. The thread that ran it must find the
 * channel again. */
static struct chan_sender *last_tx;
static sem_t wake_entered, wake_let_go;

static void wake_drops_the_sender(struct chan_waiter *waiter)
{
	(void)waiter;
	ops->sender_drop(&last_tx);
	sem_post(&wake_entered);
	while (sem_wait(&wake_let_go) != 0)
		;
}

static void send_and_lose_the_sender(void *arg)
{
	(void)arg;
	MUST(send_item(last_tx, 1) == CHAN_OK);
}

static void the_channel_outlives_its_wakes(void **state)
{
	struct chan_config config = items(sizeof(struct item), 1);
	struct chan_waiter waiter = {.wake = wake_drops_the_sender};
	struct sleeper sender;
	struct chan_receiver *rx;

	(void)state;
	sem_init(&wake_entered, 0, 0);
	sem_init(&wake_let_go, 0, 0);
	assert_int_equal(ops->open(&config, &last_tx, &rx), CHAN_OK);
	struct core *core = ((struct handle *)rx)->core;
	assert_int_equal(ops->arm_recv(rx, &waiter), CHAN_ARMED);
	sleeper_start(&sender, send_and_lose_the_sender, NULL);
	sem_wait(&wake_entered);
	pthread_mutex_lock(&core->lock);
	sem_post(&wake_let_go);
	/* it wants the lock again: its own hold is what keeps it, should the receiver go now */
	sleeper_await(&sender);
	assert_int_equal(atomic_load(&core->refs), 2);
	pthread_mutex_unlock(&core->lock);
	sleeper_join(&sender);
	assert_true(ops->disarm(&waiter));
	assert_int_equal(take_item(rx, NULL), 1);
	ops->receiver_drop(&rx);
	sem_destroy(&wake_let_go);
	sem_destroy(&wake_entered);
}

/* ------------------------------------------------------------------------------------------
 * Stress: two senders, three receivers of which one comes and goes, with hooks. What a receiver got
 * and missed is what was sent since it came, and the messages of a sender rise.
 */

enum { STRESS_SENDS = 4000 };

static void stress_send(void *arg)
{
	struct chan_sender *tx = arg;
	static atomic_uint senders;
	uint64_t self = atomic_fetch_add(&senders, 1) % 2;

	for (uint64_t i = 1; i <= STRESS_SENDS; i++)
		send_item(tx, i * 2 + self);
	ops->sender_drop(&tx);
}

static void stress_recv(void *arg)
{
	struct chan_receiver *rx = arg;
	uint64_t got = 0, lost = 0, missed, last[2] = {0, 0};
	union large_item item;

	for (;;) {
		enum chan_status status = ops->recv(rx, &item, &missed, CHAN_FOREVER);
		if (status == CHAN_CLOSED)
			break;
		MUST(status == CHAN_OK || status == CHAN_LAGGED);
		if (status == CHAN_OK) {
			MUST(item.item.id > last[item.item.id % 2]);
			last[item.item.id % 2] = item.item.id;
			item_end(&item.item);
		}
		got += status == CHAN_OK;
		lost += status == CHAN_LAGGED ? missed : 0;
	}
	MUST(got + lost == 2 * STRESS_SENDS); /* B-17 */
	ops->receiver_drop(&rx);
}

static void stress_come_and_go(void *arg)
{
	struct chan_receiver *rx = arg, *next;
	struct counter counter = COUNTER;
	enum chan_status status = CHAN_OK;

	while (status != CHAN_CLOSED) {
		union large_item item;

		status = ops->recv(rx, &item, NULL, CHAN_NOW);
		if (status == CHAN_OK)
			item_end(&item.item);
		bool armed = ops->arm_recv(rx, &counter.waiter) == CHAN_ARMED;
		MUST(ops->resubscribe(rx, &next) == CHAN_OK);
		if (armed && atomic_load(&counter.fired) % 2 == 0)
			ops->disarm(&counter.waiter);
		ops->receiver_drop(&rx);
		rx = next;
	}
	ops->receiver_drop(&rx);
}

static void stress(void **state)
{
	(void)state;
	for (size_t capacity = 1; capacity <= 16; capacity *= 4) {
		struct chan_config config = items(capacity == 4 ? 512 : sizeof(struct item), capacity);
		struct chan_receiver *rx[3];
		struct chan_sender *tx[2];
		struct sleeper threads[5];

		config.start = UINT64_MAX - STRESS_SENDS;
		assert_int_equal(ops->open(&config, &tx[0], &rx[0]), CHAN_OK);
		assert_int_equal(ops->sender_clone(tx[0], &tx[1]), CHAN_OK);
		assert_int_equal(ops->subscribe(tx[0], &rx[1]), CHAN_OK);
		assert_int_equal(ops->subscribe(tx[0], &rx[2]), CHAN_OK);
		sleeper_start(&threads[0], stress_recv, rx[0]);
		sleeper_start(&threads[1], stress_recv, rx[1]);
		sleeper_start(&threads[2], stress_come_and_go, rx[2]);
		sleeper_start(&threads[3], stress_send, tx[0]);
		sleeper_start(&threads[4], stress_send, tx[1]);
		for (int i = 0; i < 5; i++)
			sleeper_join(&threads[i]);
		assert_int_equal(ledger_alive(), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_reset, ledger_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_slot_that_is_cloned_is_left_alone),
		TEST(the_channel_outlives_its_wakes),
		TEST(stress),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
