/* SPDX-License-Identifier: MIT
 *
 * oneshot_test.c - what the rules cannot see of a oneshot channel: the bits of its word, and two
 * sides that do one thing each at the same moment.
 */
#include "impls/testing/elements.h"

#include "impls/futex/oneshot.c"

static const struct chan_oneshot_ops *const ops = &chan_futex_oneshot_ops;
static const struct chan_config items = {.size = sizeof(struct item), .destroy = tally_destroy};

static struct chan_sender *tx;
static struct chan_receiver *rx;

static void open_items(void)
{
	assert_int_equal(ops->open(&items, &tx, &rx), CHAN_OK);
}

#define ROUNDS 20000

/* ------------------------------------------------------------------------------------------
 * Two sides that do one thing each at the same moment, again and again, on a fresh channel
 */

static struct race {
	_Alignas(64) atomic_int begun[2];
	_Alignas(64) atomic_int done[2];
	void (*sender)(int round);
	enum chan_status sent;
} race;

static void await_round(atomic_int *other, int round)
{
	for (int tries = 0; atomic_load(other) <= round; tries++)
		if (tries > 200)
			sched_yield();
}

static void run_sender(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		await_round(&race.begun[1], i);
		atomic_store(&race.begun[0], i + 1);
		chan_relax_for((uint32_t)(i % 7) * 40);
		race.sender(i);
		atomic_store(&race.done[0], i + 1);
	}
}

static void run_race(void (*sender)(int), void (*receiver)(int))
{
	struct sleeper s;

	chan_spin_setup();
	race.sender = sender;
	for (int i = 0; i < 2; i++) {
		atomic_store(&race.begun[i], 0);
		atomic_store(&race.done[i], 0);
	}
	sleeper_start(&s, run_sender, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		open_items();
		atomic_store(&race.begun[1], i + 1);
		await_round(&race.begun[0], i);
		chan_relax_for((uint32_t)(i % 11) * 30);
		receiver(i);
		await_round(&race.done[0], i);
		assert_int_equal(tally_alive(), 0);
	}
	sleeper_join(&s);
}

static void send_or_drop(int round)
{
	struct item mine = item_make(1);

	race.sent = CHAN_CLOSED;
	if (round % 4 != 0)
		race.sent = ops->send(&tx, &mine);
	else
		ops->sender_drop(&tx);
	if (race.sent != CHAN_OK)
		item_end(&mine);
}

static enum chan_status take_item(uint64_t deadline)
{
	struct item got;
	enum chan_status status = ops->recv(rx, &got, deadline);

	if (status == CHAN_OK)
		item_end(&got);
	return status;
}

/* The bit that says "asleep" is set and taken back while the sender is done, and wakes. */
static void receive_with_a_deadline(int round)
{
	enum chan_status status = take_item(chan_deadline_in((uint64_t)(round % 5) * 100));

	while (status == CHAN_TIMEOUT)
		status = take_item(chan_deadline_in(1000));
	await_round(&race.done[0], round);
	assert_int_equal(status, race.sent);
	ops->receiver_drop(&rx);
}

static void deadlines_race_with_the_send(void **state)
{
	(void)state;
	run_race(send_or_drop, receive_with_a_deadline);
	atomic_store(&chan_spin_looks, 0); /* asleep at once */
	run_race(send_or_drop, receive_with_a_deadline);
	atomic_store(&chan_spin_looks, UINT32_MAX);
}

/* What is armed fires once, or says that it is ready; and a receiver that is dropped at once
 * leaves the sender to free. */
static void arm_and_drop(int round)
{
	struct test_waiter first = test_waiter(), second = test_waiter();
	enum chan_arm armed = ops->arm_recv(rx, &first.waiter);
	enum chan_arm again = ops->arm_recv(rx, &second.waiter);

	assert_true(armed == CHAN_ARMED || (armed == CHAN_READY && again == CHAN_READY));
	if (round % 2 == 0) {
		if (armed == CHAN_ARMED) {
			while (atomic_load(&first.fired) == 0)
				sched_yield();
			assert_true(ops->disarm(&first.waiter));
			assert_int_equal(atomic_load(&first.fired), 1);
			assert_int_equal(ops->arm_recv(rx, &first.waiter), CHAN_READY);
		}
		if (again == CHAN_ARMED && round % 4 == 0)
			ops->disarm(&second.waiter);
		take_item(CHAN_NOW);
	}
	ops->receiver_drop(&rx);
	memset(&first, 0xEE, sizeof first);
	memset(&second, 0xEE, sizeof second);
}

static void arms_race_with_the_send(void **state)
{
	(void)state;
	run_race(send_or_drop, arm_and_drop);
}

static void arm_closed_and_end(int round)
{
	struct test_waiter closed = test_waiter();
	enum chan_arm armed = ops->arm_closed(tx, &closed.waiter);

	if (round % 3 == 0) {
		MUST(ops->closed(tx, CHAN_FOREVER) == CHAN_OK);
		if (armed == CHAN_ARMED)
			MUST(ops->disarm(&closed.waiter)); /* the event has chosen it */
	}
	send_or_drop(round);
	memset(&closed, 0xEE, sizeof closed);
}

static void close_and_drop(int round)
{
	if (round % 2 == 0) {
		ops->close(rx);
		take_item(CHAN_NOW);
	}
	ops->receiver_drop(&rx);
}

static void closes_race_with_the_sender(void **state)
{
	(void)state;
	run_race(arm_closed_and_end, close_and_drop);
	atomic_store(&chan_spin_looks, 0);
	run_race(arm_closed_and_end, close_and_drop);
	atomic_store(&chan_spin_looks, UINT32_MAX);
}

/* ------------------------------------------------------------------------------------------
 * The word, step by step
 */

static uint32_t word_of_rx(void)
{
	return atomic_load(&of_rx(rx)->word);
}

static void each_step_leaves_its_bits(void **state)
{
	struct test_waiter closed = test_waiter(), received = test_waiter();
	struct item mine = item_make(1);

	(void)state;
	open_items();
	assert_int_equal(word_of_rx(), 0);
	assert_int_equal(take_item(1), CHAN_TIMEOUT);
	assert_int_equal(ops->closed(tx, 1), CHAN_TIMEOUT);
	assert_int_equal(word_of_rx(), 0); /* who gave up is not asleep */
	assert_int_equal(ops->arm_closed(tx, &closed.waiter), CHAN_ARMED);
	assert_int_equal(word_of_rx(), TX_ARMED);
	assert_int_equal(ops->send(&tx, &mine), CHAN_OK);
	assert_int_equal(word_of_rx(), TX_ARMED | TX_DONE | TX_SENT);
	assert_true(tx_gone(word_of_rx()));
	assert_int_equal(take_item(CHAN_NOW), CHAN_OK);
	ops->receiver_drop(&rx);

	open_items();
	assert_int_equal(ops->arm_recv(rx, &received.waiter), CHAN_ARMED);
	assert_int_equal(word_of_rx(), RX_ARMED);
	ops->sender_drop(&tx);
	assert_int_equal(word_of_rx(), RX_ARMED | TX_DONE | TX_LEFT);
	assert_false(tx_gone(RX_ARMED | TX_DONE)); /* its callbacks still run */
	ops->close(rx);
	assert_int_equal(word_of_rx(), RX_ARMED | TX_DONE | TX_LEFT | RX_CLOSED);
	ops->receiver_drop(&rx);
}

/* A callback may use the receiver that it stands for, and the sender's call goes on after it. */
static struct item received_inside;

static void receive_inside(struct chan_waiter *waiter)
{
	(void)waiter;
	assert_int_equal(ops->recv(rx, &received_inside, CHAN_FOREVER), CHAN_OK);
	assert_int_equal(ops->receiver_get(rx, CHAN_IS_TERMINATED), 1);
	ops->close(rx);
}

static void a_callback_may_receive(void **state)
{
	struct chan_waiter waiter = {.wake = receive_inside};
	struct item mine = item_make(9);

	(void)state;
	open_items();
	assert_int_equal(ops->arm_recv(rx, &waiter), CHAN_ARMED);
	assert_int_equal(ops->send(&tx, &mine), CHAN_OK);
	assert_int_equal(received_inside.id, 9);
	item_end(&received_inside);
	ops->receiver_drop(&rx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(each_step_leaves_its_bits),    TALLIED(a_callback_may_receive),
		TALLIED(deadlines_race_with_the_send), TALLIED(arms_race_with_the_send),
		TALLIED(closes_race_with_the_sender),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
