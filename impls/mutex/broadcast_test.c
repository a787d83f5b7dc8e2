/* SPDX-License-Identifier: MIT */
#include "impls/mutex/broadcast_testing.h"

/* ------------------------------------------------------------------------------------------
 * Against a model: positions only. Every step checks every property, and which values are alive.
 */

enum { MODEL_RECEIVERS = 4 };

struct model {
	uint64_t sent, retained, next[MODEL_RECEIVERS];
	struct chan_receiver *rx[MODEL_RECEIVERS];
};

static void model_check(struct model *m, struct chan_sender *tx)
{
	uint64_t owed = 0, count = 0;

	for (int i = 0; i < MODEL_RECEIVERS; i++)
		if (m->rx[i] != NULL) {
			uint64_t len = m->sent - m->next[i];
			count++;
			owed = len > owed ? len : owed;
			assert_int_equal(ops->receiver_get(m->rx[i], CHAN_LEN), len);
		}
	owed = owed > m->retained ? m->retained : owed;
	assert_int_equal(ops->sender_get(tx, CHAN_LEN), owed); /* B-27 */
	assert_int_equal(ops->sender_get(tx, CHAN_RECEIVERS), count);
	assert_int_equal(ops->sender_get(tx, CHAN_IS_CLOSED), count == 0);
	assert_int_equal(ledger_alive(), owed); /* B-30, B-31: no value outlives its debt */
}

static void model_step(struct model *m, struct chan_sender *tx, unsigned dice)
{
	unsigned i = dice / 8 % MODEL_RECEIVERS;
	uint64_t missed = 0;

	if (dice % 8 < 3) {
		bool any = false;
		for (int r = 0; r < MODEL_RECEIVERS; r++)
			any = any || m->rx[r] != NULL;
		assert_int_equal(send_item(tx, m->sent), any ? CHAN_OK : CHAN_CLOSED);
		m->sent += any;
	} else if (m->rx[i] == NULL) {
		if (dice % 8 == 3)
			assert_int_equal(ops->subscribe(tx, &m->rx[i]), CHAN_OK);
		m->next[i] = m->sent;
	} else if (dice % 64 == 7) {
		ops->receiver_drop(&m->rx[i]);
	} else {
		uint64_t len = m->sent - m->next[i];
		uint64_t got = take_item(m->rx[i], &missed);
		if (len == 0) {
			assert_int_equal(got, GAVE(CHAN_EMPTY));
		} else if (len > m->retained) {
			assert_int_equal(got, GAVE(CHAN_LAGGED));
			assert_int_equal(missed, len - m->retained);
			m->next[i] += missed;
		} else {
			assert_int_equal(got, m->next[i]++);
		}
	}
}

static void it_does_what_the_model_does(void **state)
{
	static const uint64_t starts[] = {0, UINT64_MAX - 20, (uint64_t)UINT32_MAX - 3};
	unsigned seed = 1;

	(void)state;
	for (size_t capacity = 1; capacity <= 5; capacity++)
		for (size_t s = 0; s < 3; s++)
			for (size_t size = sizeof(struct item); size <= 512; size += 496) {
				struct chan_config config = items(size, capacity);
				struct model m = {.retained = capacity == 3 ? 4 : capacity == 5 ? 8 : capacity};
				struct chan_sender *tx;

				config.start = starts[s];
				assert_int_equal(ops->open(&config, &tx, &m.rx[0]), CHAN_OK);
				assert_int_equal(ops->sender_get(tx, CHAN_CAPACITY), capacity);
				assert_int_equal(ops->sender_get(tx, CHAN_MAX_CAPACITY), m.retained);
				for (int step = 0; step < 2000; step++) {
					model_step(&m, tx, (unsigned)rand_r(&seed) >> 8);
					model_check(&m, tx);
				}
				ops->sender_drop(&tx);
				for (int i = 0; i < MODEL_RECEIVERS; i++)
					ops->receiver_drop(&m.rx[i]);
				assert_int_equal(ledger_alive(), 0);
			}
}

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
		assert_int_equal(ledger_alive(), 1);
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
		assert_int_equal(ledger_alive(), 0);
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
	assert_int_equal(ledger_alive(), 2);
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
	assert_int_equal(ledger_alive(), 1);
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
	struct counter counter = COUNTER;
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
	assert_int_equal(ops->arm_recv(shared_rx, &counter.waiter), CHAN_NOT_ARMED);
	assert_int_equal(ops->arm_closed(shared_tx, &counter.waiter), CHAN_NOT_ARMED);
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
	assert_int_equal(ledger_alive(), 0);
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
		assert_int_equal(ledger_alive(), id < 3);
	}
	send_item(tx, 5);
	send_item(tx, 6);
	atomic_store(&allocations_left, 0);
	assert_int_equal(take_item(rx, NULL), 5); /* stays until the channel ends */
	ops->receiver_drop(&rx);                  /* ends 6 for all that */
	assert_int_equal(ledger_alive(), 1);
	ops->sender_drop(&tx);
	assert_int_equal(ledger_alive(), 0);
}

static void closed_forever(void *status)
{
	*(enum chan_status *)status = ops->closed(shared_tx, CHAN_FOREVER);
}

static void recv_forever(void *status)
{
	*(enum chan_status *)status = ops->recv(shared_rx, NULL, NULL, CHAN_FOREVER);
}

static void closing_reopening_and_weak_handles(void **state)
{
	struct chan_config config = {.size = 0, .capacity = 1};
	struct counter closed = COUNTER, received = COUNTER;
	struct chan_weak *weak, *weaker;
	struct chan_sender *strong;
	enum chan_status status;
	struct sleeper sleeper;
	size_t receivers = 9;

	(void)state;
	assert_int_equal(ops->open(&config, &shared_tx, NULL), CHAN_OK);
	assert_int_equal(ops->closed(shared_tx, CHAN_NOW), CHAN_OK); /* B-37 */
	assert_int_equal(ops->send(shared_tx, NULL, &receivers), CHAN_CLOSED);
	assert_int_equal(receivers, 0);
	assert_int_equal(ops->subscribe(shared_tx, &shared_rx), CHAN_OK);
	assert_int_equal(ops->closed(shared_tx, CHAN_NOW), CHAN_EMPTY);
	assert_int_equal(ops->closed(shared_tx, 1), CHAN_TIMEOUT);
	assert_int_equal(ops->sender_clone(shared_tx, &strong), CHAN_OK);
	sleeper_start(&sleeper, closed_forever, &status);
	sleeper_await(&sleeper);
	struct core *core =
		/* a receiver came back before the woken one looked (B-36) */
		((struct handle *)shared_tx)->core;
	struct list wakes = WAKES_NONE(wakes);
	pthread_mutex_lock(&core->lock);
	chan_wait_wake_all(&core->closed_queue, &wakes);
	chan_wait_unlock(&core->lock, &wakes);
	sleeper_await(&sleeper);
	assert_int_equal(ops->arm_closed(strong, &closed.waiter), CHAN_ARMED);
	ops->receiver_drop(&shared_rx);
	sleeper_join(&sleeper);
	assert_int_equal(status, CHAN_OK);
	assert_int_equal(atomic_load(&closed.fired), 1);
	assert_true(ops->disarm(&closed.waiter));
	ops->sender_drop(&strong);

	assert_int_equal(ops->subscribe(shared_tx, &shared_rx), CHAN_OK); /* B-38 */
	assert_int_equal(ops->send(shared_tx, NULL, &receivers), CHAN_OK);
	assert_int_equal(receivers, 1);
	assert_int_equal(ops->recv(shared_rx, NULL, NULL, CHAN_NOW), CHAN_OK);
	assert_int_equal(ops->recv(shared_rx, NULL, NULL, 1), CHAN_TIMEOUT);
	assert_int_equal(ops->downgrade(shared_tx, &weak), CHAN_OK);
	assert_int_equal(ops->weak_clone(weak, &weaker), CHAN_OK);
	assert_int_equal(ops->upgrade(weak, &strong), CHAN_OK);
	assert_int_equal(ops->weak_get(weak, CHAN_SENDERS), 2);
	assert_int_equal(ops->receiver_get(shared_rx, CHAN_WEAK_SENDERS), 2);
	assert_int_equal(ops->weak_get(weak, CHAN_IDENTITY), ops->receiver_get(shared_rx, CHAN_IDENTITY));
	ops->sender_drop(&strong);
	ops->weak_drop(&weaker);
	assert_int_equal(ops->arm_recv(shared_rx, &received.waiter), CHAN_ARMED);
	sleeper_start(&sleeper, recv_forever, &status);
	sleeper_await(&sleeper);
	ops->sender_drop(&shared_tx);
	sleeper_join(&sleeper);
	assert_int_equal(status, CHAN_CLOSED);
	assert_int_equal(ops->receiver_get(shared_rx, CHAN_IS_CLOSED), 1);
	assert_int_equal(atomic_load(&received.fired), 1);
	assert_int_equal(ops->upgrade(weak, &strong), CHAN_CLOSED);
	struct chan_receiver *other;
	assert_int_equal(ops->resubscribe(shared_rx, &other), CHAN_OK);
	assert_int_equal(ops->recv(other, NULL, NULL, CHAN_FOREVER), CHAN_CLOSED); /* B-9 */
	ops->receiver_drop(&other);
	ops->receiver_drop(&shared_rx); /* with a waiter armed that had fired */
	ops->weak_drop(&weak);

	config.capacity = 0;
	assert_int_equal(ops->open(&config, &shared_tx, NULL), CHAN_INVALID);
	config.capacity = CHAN_BROADCAST_CAPACITY_MAX + 1;
	assert_int_equal(ops->open(&config, &shared_tx, NULL), CHAN_INVALID);
	config.capacity = 1;
	config.destroy = ledger_destroy;
	assert_int_equal(ops->open(&config, &shared_tx, NULL), CHAN_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_reset, ledger_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_does_what_the_model_does),
		TEST(destroy_may_send_on_the_same_channel),
		TEST(what_is_sent_during_a_drop_is_not_owed_to_it),
		TEST(a_failed_clone_counts_as_received),
		TEST(calls_from_clone_are_refused),
		TEST(wake_may_drop_the_handle_that_fired_it),
		TEST(nothing_is_lost_without_memory),
		TEST(closing_reopening_and_weak_handles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
