/* SPDX-License-Identifier: MIT
 *
 * broadcast_race_test.c - what several threads do to one broadcast channel at a time, with senders
 * that get the bias soon and lose it often.
 */
#include "impls/futex/broadcast_testing.h"

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

static void receive_until_closed(void *arg)
{
	struct chan_receiver *rx = arg;
	uint64_t id;

	MUST(recv_id(rx, &id, NULL, CHAN_FOREVER) == CHAN_CLOSED);
}

static void the_last_sender_wakes_who_sleeps(void **state)
{
	struct chan_config config = messages(4);
	struct chan_receiver *rx;
	struct chan_sender *tx;
	struct sleeper thread;
	uint64_t id;

	(void)state;
	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	get_bias(tx);
	while (recv_id(rx, &id, NULL, CHAN_NOW) == CHAN_OK)
		;
	sleeper_start(&thread, receive_until_closed, rx);
	sleeper_await(&thread);
	ops->sender_drop(&tx);
	sleeper_join(&thread);
	ops->receiver_drop(&rx);
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
	struct counter counter = COUNTER;
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
		if (round % 4 == 0 && ops->arm_recv(s->passing, &counter.waiter) == CHAN_ARMED)
			ops->disarm(&counter.waiter);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_reset, ledger_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_biased_sender_wakes_who_sleeps),
		TEST(the_last_sender_wakes_who_sleeps),
		TEST(nothing_is_lost_in_a_stream),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
