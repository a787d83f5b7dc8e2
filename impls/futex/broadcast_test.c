/* SPDX-License-Identifier: MIT */
#include "impls/futex/broadcast_testing.h"

/* ------------------------------------------------------------------------------------------
 * The bias: who has it, and who takes it away
 */

static void the_bias_comes_and_goes(void **state)
{
	struct chan_config config = messages(4);
	struct counter counter = COUNTER;
	struct chan_receiver *rx, *other;
	struct chan_sender *tx, *second;
	struct chan_weak *weak;
	size_t receivers = 0;

	(void)state;
	/* with nobody to send to it has none */
	assert_int_equal(ops->open(&config, &tx, NULL), CHAN_OK);
	assert_false(biased(tx));
	assert_int_equal(send_id(tx, 1, &receivers), CHAN_CLOSED);
	ops->sender_drop(&tx);
	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	assert_true(biased(tx)); /* from the start */
	assert_int_equal(send_id(tx, 1, &receivers), CHAN_OK);
	assert_int_equal(receivers, 1);
	assert_int_equal(ops->subscribe(tx, &other), CHAN_OK); /* through the owner's own handle */
	assert_false(biased(tx));
	assert_int_equal(send_id(tx, 1, &receivers), CHAN_OK);
	assert_int_equal(receivers, 2);

	get_bias(tx);
	assert_int_equal(send_id(tx, 1, &receivers), CHAN_OK);
	assert_int_equal(receivers, 2);
	ops->receiver_drop(&other);
	assert_false(biased(tx));
	assert_int_equal(send_id(tx, 1, &receivers), CHAN_OK);
	assert_int_equal(receivers, 1);

	get_bias(tx);
	assert_int_equal(ops->resubscribe(rx, &other), CHAN_OK);
	assert_false(biased(tx));
	for (int i = 0; i < 8; i++)
		send_id(tx, 2, NULL);
	assert_true(biased(tx));
	/* which needs no lock */
	assert_int_equal(ops->arm_recv(other, &counter.waiter), CHAN_READY);
	assert_true(biased(tx));
	ops->receiver_drop(&other);

	get_bias(tx);
	assert_int_equal(ops->sender_clone(tx, &second), CHAN_OK);
	assert_true(biased(tx)); /* until the second one sends */
	assert_int_equal(send_id(tx, 3, NULL), CHAN_OK);
	assert_int_equal(send_id(second, 3, NULL), CHAN_OK);
	for (int i = 0; i < 8; i++)
		assert_int_equal(send_id(i % 2 ? tx : second, 4, NULL), CHAN_OK);
	assert_false(biased(tx));
	for (int i = 0; i < 8; i++)
		assert_int_equal(send_id(second, 4, NULL), CHAN_OK);
	assert_false(biased(second)); /* however many in a row: it is not the only one */
	ops->sender_drop(&tx);
	get_bias(second); /* the only one now */

	assert_int_equal(ops->downgrade(second, &weak), CHAN_OK);
	assert_int_equal(ops->upgrade(weak, &tx), CHAN_OK);
	assert_true(biased(second));
	ops->sender_drop(&second); /* the owner itself */
	get_bias(tx);
	ops->receiver_drop(&rx);
	assert_int_equal(send_id(tx, 5, &receivers), CHAN_CLOSED); /* B-5 */
	assert_int_equal(receivers, 0);
	assert_int_equal(ops->subscribe(tx, &rx), CHAN_OK);
	get_bias(tx);
	ops->sender_drop(&tx);
	ops->weak_drop(&weak);
	uint64_t id;
	for (unsigned i = 0; i < BIAS_AFTER; i++)
		assert_int_equal(recv_id(rx, &id, NULL, CHAN_FOREVER), CHAN_OK);
	assert_int_equal(recv_id(rx, &id, NULL, CHAN_FOREVER), CHAN_CLOSED);
	ops->receiver_drop(&rx);
}

static void whoever_is_armed_keeps_the_bias_away(void **state)
{
	struct chan_config config = messages(4);
	struct counter counter = COUNTER;
	struct chan_receiver *rx;
	struct chan_sender *tx;
	uint64_t id;

	(void)state;
	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	get_bias(tx);
	while (recv_id(rx, &id, NULL, CHAN_NOW) == CHAN_OK)
		;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ops->arm_recv(rx, &counter.waiter), CHAN_ARMED);
		assert_false(biased(tx));
		assert_int_equal(send_id(tx, 1, NULL), CHAN_OK);
		assert_int_equal(atomic_load(&counter.fired), i + 1);
		assert_true(ops->disarm(&counter.waiter));
		assert_int_equal(recv_id(rx, &id, NULL, CHAN_NOW), CHAN_OK);
	}
	ops->sender_drop(&tx);
	ops->receiver_drop(&rx);
}

/* ------------------------------------------------------------------------------------------
 * Steps of a send, one by one
 */

static void a_receiver_waits_for_a_send_half_done(void **state)
{
	struct chan_config config = messages(2);
	struct chan_receiver *rx;
	struct chan_sender *tx;
	uint64_t missed = 0;
	struct message m;

	(void)state;
	config.start = UINT64_MAX; /* the second position is 0 */
	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	struct futex_broadcast *ch = channel_of(tx);
	struct chan_futex_broadcast_receiver *r = (struct chan_futex_broadcast_receiver *)rx;
	assert_int_equal(look(r), FOUND_NOTHING);

	/* The receiver stands where a sender writes. */
	struct futex_slot *slot = chan_futex_broadcast_slot(&ch->ring, UINT64_MAX);
	uint64_t before = atomic_load(&slot->stamp);
	atomic_store(&slot->stamp, 2 * UINT64_MAX + 1);
	assert_int_equal(look(r), FOUND_WRITING);
	assert_int_equal(read_next(r, &m), FOUND_WRITING);
	assert_int_equal(ops->arm_recv(rx, NULL), CHAN_READY);
	atomic_store(&slot->stamp, before);
	for (uint64_t id = 0; id < 2; id++)
		assert_int_equal(send_id(tx, id, NULL), CHAN_OK);

	/* The receiver is as far behind as it may be, and a sender has begun to overwrite its
	 * message: lost, but not yet told. */
	atomic_store(&slot->stamp, 2 * UINT64_C(1) + 1);
	assert_int_equal(read_next(r, &m), FOUND_LOST);
	assert_false(jump(r, &missed));
	assert_int_equal(ops->receiver_get(rx, CHAN_LEN), 2);
	atomic_store(&ch->tail, 2);
	assert_true(jump(r, &missed));
	assert_int_equal(missed, 1);
	assert_int_equal(read_next(r, &m), FOUND_MESSAGE);
	assert_int_equal(m.id, 1);
	assert_int_equal(read_next(r, &m), FOUND_WRITING);
	atomic_store(&slot->stamp, 2 * UINT64_C(1));
	assert_int_equal(read_next(r, &m), FOUND_MESSAGE);
	assert_int_equal(read_next(r, &m), FOUND_NOTHING);
	ops->sender_drop(&tx);
	ops->receiver_drop(&rx);
}

static void stamps_are_judged_by_distance(void **state)
{
	static const uint64_t positions[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, (UINT64_C(1) << 63) - 1, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof positions / sizeof positions[0]; i++)
		for (uint64_t retained = 1; retained <= UINT64_C(1) << 40; retained *= 2) {
			uint64_t p = positions[i];
			assert_int_equal(judge(2 * p, p), FOUND_MESSAGE);
			assert_int_equal(judge(2 * p + 1, p), FOUND_WRITING);
			assert_int_equal(judge(2 * (p - retained), p), FOUND_NOTHING);
			assert_int_equal(judge(2 * (p + retained), p), FOUND_LOST);
			assert_int_equal(judge(2 * (p + retained) + 1, p), FOUND_LOST);
			assert_int_equal(judge(2 * (p + 5 * retained), p), FOUND_LOST);
		}
}

static void elements_of_every_size_come_out_as_they_went_in(void **state)
{
	(void)state;
	for (size_t size = 0; size <= 67; size++) {
		struct chan_config config = {.size = size, .align = 1, .capacity = 2};
		unsigned char in[80], out[80];
		struct chan_receiver *rx;
		struct chan_sender *tx;

		assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
		for (unsigned round = 0; round < 6; round++) {
			for (size_t i = 0; i < sizeof in; i++)
				in[i] = (unsigned char)(size * 7 + round * 31 + i);
			memset(out, 0xEE, sizeof out);
			assert_int_equal(ops->send(tx, size == 0 ? NULL : in + 1, NULL), CHAN_OK);
			assert_int_equal(ops->recv(rx, size == 0 ? NULL : out + 3, NULL, CHAN_NOW), CHAN_OK);
			assert_memory_equal(out + 3, in + 1, size);
			assert_int_equal(out[2], 0xEE);
			assert_int_equal(out[3 + size], 0xEE);
		}
		assert_int_equal(ops->send(tx, NULL, NULL), size == 0 ? CHAN_OK : CHAN_INVALID);
		assert_int_equal(ops->recv(rx, NULL, NULL, CHAN_NOW), size == 0 ? CHAN_OK : CHAN_INVALID);
		ops->sender_drop(&tx);
		ops->receiver_drop(&rx);
	}
}

/* ------------------------------------------------------------------------------------------
 * The plea of who is overtaken
 */

static void a_plea_is_made_where_it_helps(void **state)
{
	struct chan_config config = messages(2);
	struct chan_receiver *rx;
	struct chan_sender *tx;
	uint64_t id, missed;

	(void)state;
	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	struct futex_broadcast *ch = channel_of(tx);
	struct chan_futex_broadcast_receiver *r = (struct chan_futex_broadcast_receiver *)rx;
	get_bias(tx);
	unsigned due = 1, expected = 0; /* at the first lag it asks nothing */
	for (int lag = 0; lag < 3000; lag++) {
		for (int i = 0; i < 3; i++)
			send_id(tx, 1, NULL);
		assert_false(atomic_load(&ch->plea)); /* the sender has heard it, and went on */
		assert_int_equal(recv_id(rx, &id, &missed, CHAN_NOW), CHAN_LAGGED);
		assert_int_equal(atomic_load(&ch->plea), due == 0);
		if (due-- == 0) {
			due = expected;
			expected = expected < SILENCE_MOST ? 2 * expected + 1 : SILENCE_MOST;
		}
	}
	assert_int_equal(r->silence, SILENCE_MOST);

	/* One that brings something: heard again at once. */
	while (!r->pleaded) {
		for (int i = 0; i < 3; i++)
			send_id(tx, 1, NULL);
		assert_int_equal(recv_id(rx, &id, &missed, CHAN_NOW), CHAN_LAGGED);
	}
	while (recv_id(rx, &id, NULL, CHAN_NOW) == CHAN_OK)
		;
	for (int i = 0; i < PLEA_PAYS; i++) {
		send_id(tx, 1, NULL);
		assert_int_equal(recv_id(rx, &id, NULL, CHAN_NOW), CHAN_OK);
	}
	for (int i = 0; i < 3; i++)
		send_id(tx, 1, NULL);
	assert_int_equal(recv_id(rx, &id, &missed, CHAN_NOW), CHAN_LAGGED);
	assert_int_equal(r->silence, 0);

	/* Nobody to hear it: no sender has the bias. */
	atomic_store(&ch->plea, false);
	assert_int_equal(ops->subscribe(tx, &rx), CHAN_OK);
	r->silent = 0;
	plead(r);
	assert_false(atomic_load(&ch->plea));
	ops->receiver_drop(&rx);
	rx = (struct chan_receiver *)r;
	ops->sender_drop(&tx);
	ops->receiver_drop(&rx);
}

/* ------------------------------------------------------------------------------------------ */

static void nothing_is_lost_without_memory(void **state)
{
	struct chan_config config = messages(2);
	struct chan_receiver *rx = NULL, *other = NULL;
	struct chan_sender *tx = NULL;
	uint64_t id;
	long n = 0;

	(void)state;
	for (enum chan_status status = CHAN_NOMEM; status != CHAN_OK; n++) {
		atomic_store(&allocations_left, n);
		status = ops->open(&config, &tx, &rx);
		assert_true(status == CHAN_OK || (status == CHAN_NOMEM && tx == NULL && rx == NULL));
	}
	assert_int_equal(n, 2); /* the channel with its slots and its handles failed once */
	for (int i = 0; i < 2; i++)
		assert_int_equal(send_id(tx, 1, NULL), CHAN_OK);
	atomic_store(&allocations_left, 0);
	assert_int_equal(ops->subscribe(tx, &other), CHAN_NOMEM);
	assert_int_equal(ops->resubscribe(rx, &other), CHAN_NOMEM);
	assert_true(biased(tx));
	assert_int_equal(ops->sender_get(tx, CHAN_RECEIVERS), 1);
	assert_int_equal(send_id(tx, 1, NULL), CHAN_OK);
	assert_int_equal(recv_id(rx, &id, NULL, CHAN_NOW), CHAN_LAGGED);
	assert_int_equal(recv_id(rx, &id, NULL, CHAN_NOW), CHAN_OK);
	atomic_store(&allocations_left, PLENTY);

	/* The first handles end before the channel that they lie in; others come and go with
	 * their own memory. */
	struct chan_sender *second;
	assert_int_equal(ops->sender_clone(tx, &second), CHAN_OK);
	assert_int_equal(ops->subscribe(tx, &other), CHAN_OK);
	ops->receiver_drop(&rx);
	ops->sender_drop(&tx);
	assert_int_equal(send_id(second, 7, NULL), CHAN_OK);
	assert_int_equal(recv_id(other, &id, NULL, CHAN_NOW), CHAN_OK);
	assert_int_equal(id, 7);
	ops->receiver_drop(&other);
	ops->sender_drop(&second);

	config.capacity = 0;
	assert_int_equal(ops->open(&config, &tx, NULL), CHAN_INVALID);
	config.capacity = CHAN_BROADCAST_CAPACITY_MAX;
	/* times the size it is too much for a size_t */
	assert_int_equal(ops->open(&config, &tx, NULL), CHAN_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_reset, ledger_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_bias_comes_and_goes),
		TEST(whoever_is_armed_keeps_the_bias_away),
		TEST(a_receiver_waits_for_a_send_half_done),
		TEST(stamps_are_judged_by_distance),
		TEST(elements_of_every_size_come_out_as_they_went_in),
		TEST(a_plea_is_made_where_it_helps),
		TEST(nothing_is_lost_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
