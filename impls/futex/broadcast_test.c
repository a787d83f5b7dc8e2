/* SPDX-License-Identifier: MIT
 *
 * broadcast_test.c - what the rules cannot see of a broadcast channel of bytes: who has the bias,
 * the steps of a send one by one, the pause for who catches up. With a sender that gets the bias
 * soon, and messages of several words, of which each tells whether the copy is whole.
 */
#define BIAS_AFTER 2u
#include "impls/testing/elements.h"

#include "impls/futex/broadcast.c"

static const struct chan_broadcast_ops *const ops = &chan_futex_broadcast_ops;

struct message {
	uint64_t id;
	uint64_t inverse;
	uint64_t again;
};

static struct chan_config messages(size_t capacity)
{
	return (struct chan_config){.size = sizeof(struct message), .capacity = capacity};
}

static enum chan_status send_id(struct chan_sender *tx, uint64_t id, size_t *receivers)
{
	struct message m = {.id = id, .inverse = ~id, .again = id};

	return ops->send(tx, &m, receivers);
}

static enum chan_status recv_id(struct chan_receiver *rx, uint64_t *id, uint64_t *missed, uint64_t deadline)
{
	struct message m;
	enum chan_status status = ops->recv(rx, &m, missed, deadline);

	if (status == CHAN_OK) {
		MUST(m.inverse == ~m.id && m.again == m.id); /* else it was torn */
		*id = m.id;
	}
	return status;
}

static struct channel *channel_of_tx(const struct chan_sender *tx)
{
	return channel_of((const struct handle *)tx);
}

/* Whether this sender has the bias. */
static bool biased(const struct chan_sender *tx)
{
	return atomic_load(&channel_of_tx(tx)->owner) == (const struct handle *)tx;
}

/* Sends until it has. */
static void get_bias(struct chan_sender *tx)
{
	for (unsigned i = 0; i < BIAS_AFTER && !biased(tx); i++)
		MUST(send_id(tx, 0, NULL) == CHAN_OK);
	MUST(biased(tx));
}

/* ------------------------------------------------------------------------------------------
 * The bias: who has it, and who takes it away
 */

static void the_bias_comes_and_goes(void **state)
{
	struct chan_config config = messages(4);
	struct test_waiter waiter = test_waiter();
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
	assert_int_equal(ops->arm_recv(other, &waiter.waiter), CHAN_READY);
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
	struct test_waiter waiter = test_waiter();
	struct chan_receiver *rx;
	struct chan_sender *tx;
	uint64_t id;

	(void)state;
	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	get_bias(tx);
	while (recv_id(rx, &id, NULL, CHAN_NOW) == CHAN_OK)
		;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ops->arm_recv(rx, &waiter.waiter), CHAN_ARMED);
		assert_false(biased(tx));
		assert_int_equal(send_id(tx, 1, NULL), CHAN_OK);
		assert_int_equal(atomic_load(&waiter.fired), i + 1);
		assert_true(ops->disarm(&waiter.waiter));
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
	struct channel *ch = channel_of_tx(tx);
	struct receiver *r = (struct receiver *)rx;
	assert_int_equal(look(r), FOUND_NOTHING);

	/* The receiver stands where a sender writes. */
	struct ring_slot *slot = slot_at(&ch->ring, UINT64_MAX);
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
 * The pause for who catches up
 */

static void a_pause_is_asked_for_where_it_helps(void **state)
{
	struct chan_config config = messages(2);
	struct chan_receiver *rx;
	struct chan_sender *tx;
	uint64_t id, missed;

	(void)state;
	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	struct channel *ch = channel_of_tx(tx);
	struct receiver *r = (struct receiver *)rx;
	get_bias(tx);
	unsigned due = 1, expected = 0; /* at the first lag it asks nothing */
	for (int lag = 0; lag < 3000; lag++) {
		for (int i = 0; i < 3; i++)
			send_id(tx, 1, NULL);
		assert_false(atomic_load(&ch->catchup)); /* the sender has heard it, and went on */
		assert_int_equal(recv_id(rx, &id, &missed, CHAN_NOW), CHAN_LAGGED);
		assert_int_equal(atomic_load(&ch->catchup), due == 0);
		if (due-- == 0) {
			due = expected;
			expected = expected < CATCHUP_SKIP_MOST ? 2 * expected + 1 : CATCHUP_SKIP_MOST;
		}
	}
	assert_int_equal(r->skip, CATCHUP_SKIP_MOST);

	/* One that brings something: heard again at once. */
	while (!r->asked) {
		for (int i = 0; i < 3; i++)
			send_id(tx, 1, NULL);
		assert_int_equal(recv_id(rx, &id, &missed, CHAN_NOW), CHAN_LAGGED);
	}
	while (recv_id(rx, &id, NULL, CHAN_NOW) == CHAN_OK)
		;
	for (int i = 0; i < CATCHUP_PAYS; i++) {
		send_id(tx, 1, NULL);
		assert_int_equal(recv_id(rx, &id, NULL, CHAN_NOW), CHAN_OK);
	}
	for (int i = 0; i < 3; i++)
		send_id(tx, 1, NULL);
	assert_int_equal(recv_id(rx, &id, &missed, CHAN_NOW), CHAN_LAGGED);
	assert_int_equal(r->skip, 0);

	/* Nobody to hear it: no sender has the bias. */
	atomic_store(&ch->catchup, false);
	assert_int_equal(ops->subscribe(tx, &rx), CHAN_OK);
	r->skips_left = 0;
	ask_for_pause(r);
	assert_false(atomic_load(&ch->catchup));
	ops->receiver_drop(&rx);
	rx = (struct chan_receiver *)r;
	ops->sender_drop(&tx);
	ops->receiver_drop(&rx);
}

/* They end before the channel that they lie in. */
static void the_first_handles_lie_in_the_channel(void **state)
{
	struct chan_config config = messages(2);
	struct chan_receiver *rx, *other;
	struct chan_sender *tx, *second;
	uint64_t id;

	(void)state;
	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	assert_ptr_equal(tx, &channel_of_tx(tx)->sender);
	assert_ptr_equal(rx, receiver_first(channel_of_tx(tx)));
	assert_int_equal(ops->sender_clone(tx, &second), CHAN_OK);
	assert_int_equal(ops->subscribe(tx, &other), CHAN_OK);
	ops->receiver_drop(&rx);
	ops->sender_drop(&tx);
	assert_int_equal(send_id(second, 7, NULL), CHAN_OK);
	assert_int_equal(recv_id(other, &id, NULL, CHAN_NOW), CHAN_OK);
	assert_int_equal(id, 7);
	ops->receiver_drop(&other);
	ops->sender_drop(&second);
}

/* ------------------------------------------------------------------------------------------
 * Sleepers
 */

static void receive_id(void *arg)
{
	struct chan_receiver *rx = arg;
	uint64_t id = 0;

	MUST(recv_id(rx, &id, NULL, CHAN_FOREVER) == CHAN_OK);
	MUST(id == 7);
}

/* Two receivers fall asleep while the sender has the bias; its next send must see them. */
static void a_biased_sender_wakes_who_sleeps(void **state)
{
	struct chan_config config = messages(4);
	struct chan_receiver *rx[2];
	struct chan_sender *tx;

	(void)state;
	assert_int_equal(ops->open(&config, &tx, &rx[0]), CHAN_OK);
	assert_int_equal(ops->subscribe(tx, &rx[1]), CHAN_OK);
	for (int round = 0; round < 20; round++) {
		struct sleeper threads[2];
		uint64_t id;

		get_bias(tx);
		for (int i = 0; i < 2; i++)
			while (recv_id(rx[i], &id, NULL, CHAN_NOW) != CHAN_EMPTY)
				;
		for (int i = 0; i < 2; i++)
			sleeper_start(&threads[i], receive_id, rx[i]);
		for (int i = 0; i < 2; i++)
			sleeper_await(&threads[i]);
		assert_false(biased(tx));
		assert_int_equal(send_id(tx, 7, NULL), CHAN_OK);
		for (int i = 0; i < 2; i++)
			sleeper_join(&threads[i]);
	}
	ops->sender_drop(&tx);
	ops->receiver_drop(&rx[0]);
	ops->receiver_drop(&rx[1]);
}

/* ------------------------------------------------------------------------------------------
 * A stream: one sender that is mostly biased, receivers that stay and account for everything, and a
 * thread that makes receivers come and go, and senders.
 */

enum { STREAM = 60000, STAY = 2 };

struct stream {
	struct chan_sender *tx, *second;
	struct chan_receiver *rx[STAY], *passing;
	atomic_ulong extras; /* what the other thread has sent */
};

struct stay {
	struct stream *stream;
	int number;
};

static void stream_send(void *arg)
{
	struct stream *s = arg;

	for (uint64_t i = 1; i <= STREAM; i++) {
		size_t receivers = 0;
		MUST(send_id(s->tx, 2 * i, &receivers) == CHAN_OK);
		MUST(receivers > STAY && receivers <= STAY + 2); /* B-4 */
	}
	ops->sender_drop(&s->tx);
}

static void stream_stay(void *arg)
{
	struct stay *stay = arg;
	struct chan_receiver *rx = stay->stream->rx[stay->number];
	uint64_t got = 0, lost = 0, missed, id, last[2] = {0, 0};
	enum chan_status status;

	while ((status = recv_id(rx, &id, &missed, CHAN_FOREVER)) != CHAN_CLOSED) {
		MUST(status == CHAN_OK || status == CHAN_LAGGED);
		if (status == CHAN_OK) {
			MUST(id > last[id % 2]);
			last[id % 2] = id;
		}
		got += status == CHAN_OK;
		lost += status == CHAN_LAGGED ? missed : 0;
	}
	MUST(got + lost == STREAM + atomic_load(&stay->stream->extras)); /* B-17 */
}

/* Goes on until the stream has ended: a receiver that comes sees what is sent from then on, in
 * one piece (B-7, B-10). */
static void stream_pass(void *arg)
{
	struct stream *s = arg;
	struct test_waiter waiter = test_waiter();
	struct chan_receiver *next;
	struct chan_sender *extra;
	uint64_t id, before = 0;
	bool ended = false;

	for (unsigned round = 0; !ended; round++) {
		enum chan_status status =
			recv_id(s->passing, &id, NULL, round % 2 ? CHAN_NOW : chan_deadline_in(50000));
		if (status == CHAN_OK && id % 2 == 0) {
			/* also across two receivers, of which one took the other's place */
			MUST(id > before);
			before = id;
		}
		ended = status == CHAN_CLOSED;
		if (round % 4 == 0 && ops->arm_recv(s->passing, &waiter.waiter) == CHAN_ARMED)
			ops->disarm(&waiter.waiter);
		if (round % 8 == 1) {
			MUST(ops->resubscribe(s->passing, &next) == CHAN_OK);
			ops->receiver_drop(&s->passing);
			s->passing = next;
		}
		if (round % 16 == 2 && s->second != NULL && !ended) {
			MUST(ops->sender_clone(s->second, &extra) == CHAN_OK);
			MUST(send_id(extra, 2 * atomic_fetch_add(&s->extras, 1) + 1, NULL) == CHAN_OK);
			ops->sender_drop(&extra);
		}
		if (round == 64) /* alone from here on, so that the bias is given */
			ops->sender_drop(&s->second);
	}
	ops->sender_drop(&s->second);
}

static void nothing_is_lost_in_a_stream(void **state)
{
	(void)state;
	for (size_t capacity = 1; capacity <= 1024; capacity *= 8) {
		struct chan_config config = messages(capacity);
		struct stream s = {0};
		struct stay stays[STAY];
		struct sleeper threads[STAY + 2];

		config.start = 0 - (uint64_t)STREAM / 2;
		assert_int_equal(ops->open(&config, &s.tx, &s.rx[0]), CHAN_OK);
		assert_int_equal(ops->sender_clone(s.tx, &s.second), CHAN_OK);
		assert_int_equal(ops->subscribe(s.tx, &s.rx[1]), CHAN_OK);
		assert_int_equal(ops->subscribe(s.tx, &s.passing), CHAN_OK);
		for (int i = 0; i < STAY; i++) {
			stays[i] = (struct stay){.stream = &s, .number = i};
			sleeper_start(&threads[i], stream_stay, &stays[i]);
		}
		sleeper_start(&threads[STAY], stream_pass, &s);
		sleeper_start(&threads[STAY + 1], stream_send, &s);
		for (int i = 0; i < STAY + 2; i++)
			sleeper_join(&threads[i]);
		ops->receiver_drop(&s.rx[0]);
		ops->receiver_drop(&s.rx[1]);
		ops->receiver_drop(&s.passing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(the_bias_comes_and_goes),
		TALLIED(whoever_is_armed_keeps_the_bias_away),
		TALLIED(a_receiver_waits_for_a_send_half_done),
		TALLIED(stamps_are_judged_by_distance),
		TALLIED(elements_of_every_size_come_out_as_they_went_in),
		TALLIED(a_pause_is_asked_for_where_it_helps),
		TALLIED(the_first_handles_lie_in_the_channel),
		TALLIED(a_biased_sender_wakes_who_sleeps),
		TALLIED(nothing_is_lost_in_a_stream),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
