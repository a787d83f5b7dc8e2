/* SPDX-License-Identifier: MIT
 *
 * broadcast_test.c - what the rules cannot see of a broadcast channel: callbacks that call back,
 * memory that runs out at each place, and two threads at a given point.
 */
#include "impls/testing/elements.h"
#include "impls/mutex/broadcast.c" /* its allocations fail on demand */

#include <semaphore.h>

static const struct chan_broadcast_ops *const ops = &chan_mutex_broadcast_ops;

static struct chan_config items(size_t size, size_t capacity)
{
	return (struct chan_config){.size = size, .capacity = capacity, .clone = tally_clone, .destroy = tally_destroy};
}

static enum chan_status send_item(struct chan_sender *tx, uint64_t id)
{
	union large_item large = {.item = item_make(id)};
	enum chan_status status = ops->send(tx, &large, NULL);

	if (status != CHAN_OK)
		item_end(&large.item);
	return status;
}

/* Receives at once; the id, or UINT64_MAX - status. */
static uint64_t take_item(struct chan_receiver *rx, uint64_t *missed)
{
	union large_item large;
	enum chan_status status = ops->recv(rx, &large, missed, CHAN_NOW);

	if (status != CHAN_OK)
		return UINT64_MAX - (uint64_t)status;
	uint64_t id = large.item.id;
	item_end(&large.item);
	return id;
}

#define GAVE(status) (UINT64_MAX - (uint64_t)(status))

/* ------------------------------------------------------------------------------------------
 * Callbacks
 */

static struct chan_sender *shared_tx;
static struct chan_receiver *shared_rx;
static int resends;

static void send_again(const struct item *item)
{
	(void)item;
	if (resends-- > 0)
		send_item(shared_tx, 1000);
}

static void destroy_may_send_on_the_same_channel(void **state)
{
	(void)state;
	for (size_t size = sizeof(struct item); size <= 512; size += 496) {
		struct chan_config config = items(size, 1);
		struct chan_receiver *other;

		assert_int_equal(ops->open(&config, &shared_tx, &shared_rx), CHAN_OK);
		assert_int_equal(ops->subscribe(shared_tx, &other), CHAN_OK);
		send_item(shared_tx, 1);
		destroy_probe = send_again;
		resends = 3;
		send_item(shared_tx, 2); /* overwrites 1, whose end sends, which overwrites 2 ... */
		assert_int_equal(resends, -1);
		assert_int_equal(tally_alive(), 1);
		resends = 1;
		ops->receiver_drop(&other);
		uint64_t missed;
		assert_int_equal(take_item(shared_rx, &missed), GAVE(CHAN_LAGGED));
		assert_int_equal(missed, 4);
		/* the last one: its end sends one more */
		assert_int_equal(take_item(shared_rx, &missed), 1000);
		assert_int_equal(take_item(shared_rx, &missed), 1000);
		send_item(shared_tx, 3);
		resends = 1;
		ops->receiver_drop(
			/* the send from inside finds nobody: it keeps its value, which ends too */
			&shared_rx);
		assert_int_equal(tally_alive(), 0);
		ops->sender_drop(&shared_tx);
	}
}

static void send_four(const struct item *item)
{
	(void)item;
	destroy_probe = NULL;
	for (int i = 0; i < 4; i++)
		send_item(shared_tx, 1000);
}

/* The end of its first value sends so much that the drop finds nothing left that it owes. */
static void what_is_sent_during_a_drop_is_not_owed_to_it(void **state)
{
	struct chan_config config = items(sizeof(struct item), 2);
	struct chan_receiver *other;
	uint64_t missed = 0;

	(void)state;
	assert_int_equal(ops->open(&config, &shared_tx, &shared_rx), CHAN_OK);
	assert_int_equal(ops->subscribe(shared_tx, &other), CHAN_OK);
	send_item(shared_tx, 1);
	send_item(shared_tx, 2);
	assert_int_equal(take_item(shared_rx, NULL), 1);
	destroy_probe = send_four;
	ops->receiver_drop(&other);
	assert_int_equal(tally_alive(), 2);
	assert_int_equal(ops->sender_get(shared_tx, CHAN_LEN), 2);
	assert_int_equal(take_item(shared_rx, &missed), GAVE(CHAN_LAGGED));
	assert_int_equal(missed, 3);
	assert_int_equal(take_item(shared_rx, NULL), 1000);
	assert_int_equal(take_item(shared_rx, NULL), 1000);
	assert_int_equal(ops->sender_get(shared_tx, CHAN_LEN), 0);
	ops->receiver_drop(&shared_rx);
	ops->sender_drop(&shared_tx);
}

static void a_failed_clone_counts_as_received(void **state)
{
	struct chan_config config = items(sizeof(struct item), 4);
	struct chan_receiver *rx, *other;
	struct chan_sender *tx;

	(void)state;
	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	assert_int_equal(ops->subscribe(tx, &other), CHAN_OK);
	send_item(tx, 1);
	send_item(tx, 2);
	clone_fails = true;
	assert_int_equal(take_item(rx, NULL), GAVE(CHAN_NOMEM));
	assert_int_equal(take_item(other, NULL), GAVE(CHAN_NOMEM));
	assert_int_equal(tally_alive(), 1);
	clone_fails = false;
	assert_int_equal(take_item(rx, NULL), 2);
	assert_int_equal(take_item(other, NULL), 2);
	ops->sender_drop(&tx);
	assert_int_equal(take_item(rx, NULL), GAVE(CHAN_CLOSED));
	ops->receiver_drop(&other);
	ops->receiver_drop(&rx);
}

static struct chan_receiver *dropped_inside;
static int probes;

static void call_from_clone(void)
{
	struct test_waiter waiter = test_waiter();
	struct chan_receiver *out;
	struct chan_sender *clone;
	struct item item = {0};

	if (++probes > 1)
		return;
	assert_int_equal(ops->send(shared_tx, &item, NULL), CHAN_INVALID);
	assert_int_equal(ops->recv(shared_rx, &item, NULL, CHAN_FOREVER), CHAN_INVALID);
	assert_int_equal(ops->subscribe(shared_tx, &out), CHAN_INVALID);
	assert_int_equal(ops->resubscribe(shared_rx, &out), CHAN_INVALID);
	assert_int_equal(ops->sender_clone(shared_tx, &clone), CHAN_INVALID);
	assert_int_equal(ops->closed(shared_tx, CHAN_FOREVER), CHAN_INVALID);
	assert_int_equal(ops->arm_recv(shared_rx, &waiter.waiter), CHAN_NOT_ARMED);
	assert_int_equal(ops->arm_closed(shared_tx, &waiter.waiter), CHAN_NOT_ARMED);
	assert_int_equal(ops->receiver_get(shared_rx, CHAN_RECEIVERS), 2);
	ops->receiver_drop(&dropped_inside); /* owed the very value that is being cloned */
}

static void calls_from_clone_are_refused(void **state)
{
	struct chan_config config = items(sizeof(struct item), 1);

	(void)state;
	probes = 0;
	assert_int_equal(ops->open(&config, &shared_tx, &shared_rx), CHAN_OK);
	assert_int_equal(ops->subscribe(shared_tx, &dropped_inside), CHAN_OK);
	send_item(shared_tx, 5);
	clone_probe = call_from_clone;
	assert_int_equal(take_item(shared_rx, NULL), 5);
	assert_null(dropped_inside);
	assert_int_equal(tally_alive(), 0);
	ops->receiver_drop(&shared_rx);
	ops->sender_drop(&shared_tx);
}

/* A wake that sends, and drops the handle whose receive or send brought it about. */
static void wake_drops_the_sender(struct chan_waiter *waiter)
{
	(void)waiter;
	send_item(shared_tx, 2);
	ops->sender_drop(&shared_tx);
}

static void wake_may_drop_the_handle_that_fired_it(void **state)
{
	struct chan_config config = items(sizeof(struct item), 2);
	struct chan_waiter waiter = {.wake = wake_drops_the_sender};

	(void)state;
	assert_int_equal(ops->open(&config, &shared_tx, &shared_rx), CHAN_OK);
	assert_int_equal(ops->arm_recv(shared_rx, &waiter), CHAN_ARMED);
	assert_int_equal(send_item(shared_tx, 1), CHAN_OK);
	assert_null(shared_tx);
	assert_true(ops->disarm(&waiter));
	assert_int_equal(take_item(shared_rx, NULL), 1);
	assert_int_equal(take_item(shared_rx, NULL), 2);
	assert_int_equal(take_item(shared_rx, NULL), GAVE(CHAN_CLOSED));
	ops->receiver_drop(&shared_rx);
}

/* ------------------------------------------------------------------------------------------
 * Memory that runs out, handles
 */

static void nothing_is_lost_without_memory(void **state)
{
	struct chan_config config = items(sizeof(union large_item), 2);
	struct chan_receiver *rx = NULL, *other = NULL;
	struct chan_sender *tx = NULL, *clone = NULL;
	struct chan_weak *weak = NULL;
	long n = 0;

	(void)state;
	for (enum chan_status status = CHAN_NOMEM; status != CHAN_OK; n++) {
		atomic_store(&allocations_left, n);
		status = ops->open(&config, &tx, &rx);
		assert_true(status == CHAN_OK || (status == CHAN_NOMEM && tx == NULL && rx == NULL));
	}
	assert_int_equal(
		/* the channel, its slots and elements, a sender, a receiver and its spare: each
		 * failed once */
		n, 7);
	for (n = 0; n < 2; n++) {
		atomic_store(&allocations_left, n);
		assert_int_equal(ops->subscribe(tx, &other), CHAN_NOMEM);
	}
	atomic_store(&allocations_left, 0);
	assert_int_equal(ops->sender_clone(tx, &clone), CHAN_NOMEM);
	assert_int_equal(ops->downgrade(tx, &weak), CHAN_NOMEM);
	assert_int_equal(send_item(tx, 1), CHAN_NOMEM);
	assert_int_equal(ops->sender_get(tx, CHAN_SENDERS), 1);
	assert_int_equal(ops->sender_get(tx, CHAN_RECEIVERS), 1);

	atomic_store(&allocations_left, PLENTY);
	/* the original of 1 cannot be moved out: it ends when 3 overwrites it */
	for (uint64_t id = 1; id <= 4; id++) {
		send_item(tx, id);
		atomic_store(&allocations_left, id == 1 ? 0 : PLENTY);
		assert_int_equal(take_item(rx, NULL), id);
		atomic_store(&allocations_left, PLENTY);
		assert_int_equal(tally_alive(), id < 3);
	}
	send_item(tx, 5);
	send_item(tx, 6);
	atomic_store(&allocations_left, 0);
	assert_int_equal(take_item(rx, NULL), 5); /* stays until the channel ends */
	ops->receiver_drop(&rx);                  /* ends 6 for all that */
	assert_int_equal(tally_alive(), 1);
	ops->sender_drop(&tx);
	assert_int_equal(tally_alive(), 0);
}

/* ------------------------------------------------------------------------------------------
 * Two threads at a given point
 */

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
	assert_int_equal(tally_alive(), 1);
	sem_post(&clone_let_go);
	sleeper_join(&cloner);
	sleeper_join(&reader);
	assert_int_equal(tally_alive(), 0);

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

static void wake_drops_the_last_sender(struct chan_waiter *waiter)
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
	struct chan_waiter waiter = {.wake = wake_drops_the_last_sender};
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(destroy_may_send_on_the_same_channel),   TALLIED(what_is_sent_during_a_drop_is_not_owed_to_it),
		TALLIED(a_failed_clone_counts_as_received),      TALLIED(calls_from_clone_are_refused),
		TALLIED(wake_may_drop_the_handle_that_fired_it), TALLIED(nothing_is_lost_without_memory),
		TALLIED(a_slot_that_is_cloned_is_left_alone),    TALLIED(the_channel_outlives_its_wakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
