/* SPDX-License-Identifier: MIT
 *
 * bounded.h - unit tests of a bounded channel with a ring in front of the lock, for what rules
 * cannot see: peers that are preempted in the middle of a step. A test program describes its ring
 * and what such a peer does, and calls bounded_tests.
 */
#ifndef CHANBENCH_TESTING_BOUNDED_H
#define CHANBENCH_TESTING_BOUNDED_H

#include "impls/fastpath/bounded.h"
#include "impls/testing/elements.h"

struct preempted {
	const struct chan_mpsc_ops *ops;
	const struct bounded_store *store;
	/* One of several senders takes the next position and no more; returns it. And finishes. */
	uint64_t (*claim_slot)(struct bounded *ch);
	void (*fill_slot)(struct bounded *ch, uint64_t at, uint64_t v);
	/* One of several receivers takes the oldest message and no more. And finishes. */
	uint64_t (*claim_message)(struct bounded *ch);
	void (*free_slot)(struct bounded *ch, uint64_t at);
};

static const struct preempted *ring;
static const struct chan_mpsc_ops *ops;
static struct chan_sender *tx, *tx2;
static struct chan_receiver *rx, *rx2;

static void open_pair(size_t capacity, uint64_t start)
{
	struct chan_config config = {.size = sizeof(uint64_t), .capacity = capacity, .start = start};

	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	tx2 = NULL;
	rx2 = NULL;
}

static void drop_all(void)
{
	ops->sender_drop(&tx);
	ops->sender_drop(&tx2);
	ops->receiver_drop(&rx);
	ops->receiver_drop(&rx2);
}

static enum chan_status give(struct chan_sender *s, uint64_t v)
{
	return ops->send(s, &v, CHAN_NOW);
}

/* An operation in a thread of its own that must neither end nor sleep before its peer has
 * finished. */
struct attempt {
	pthread_t thread;
	enum { RECEIVES, SENDS, CLOSES } what;
	uint64_t value;
	enum chan_status status;
	atomic_bool done;
};

static void *attempt(void *arg)
{
	struct attempt *a = arg;

	if (a->what == CLOSES)
		ops->close(rx);
	else
		a->status = a->what == SENDS ? ops->send(tx2, &a->value, CHAN_NOW) : ops->recv(rx, &a->value, CHAN_NOW);
	atomic_store(&a->done, true);
	return NULL;
}

/* Returns when the thread has worked for a while, or is done. */
static void attempt_start(struct attempt *a)
{
	struct timespec used = {0, 0};
	clockid_t clock;

	MUST(pthread_create(&a->thread, NULL, attempt, a) == 0);
	MUST(pthread_getcpuclockid(a->thread, &clock) == 0);
	while (!atomic_load(&a->done) && used.tv_nsec < 2000000) {
		sched_yield();
		MUST(clock_gettime(clock, &used) == 0 || atomic_load(&a->done));
	}
}

/* A sender has claimed its slot and not filled it, another one after it has sent: the channel is
 * not empty (M-56). */
static void a_sender_in_the_middle_is_waited_for(void **state)
{
	struct attempt receive = {.what = RECEIVES};
	uint64_t v;

	(void)state;
	open_pair(4, UINT64_MAX - 1);
	assert_int_equal(ops->sender_clone(tx, &tx2), CHAN_OK);
	uint64_t at = ring->claim_slot(bounded_of((struct bounded_handle *)tx));
	assert_int_equal(give(tx, 2), CHAN_OK);
	assert_int_equal(ops->receiver_get(rx, CHAN_LEN), 2);
	attempt_start(&receive);
	assert_false(atomic_load(&receive.done));
	ring->fill_slot(bounded_of((struct bounded_handle *)tx), at, 1);
	pthread_join(receive.thread, NULL);
	assert_int_equal(receive.status, CHAN_OK);
	assert_int_equal(receive.value, 1);
	assert_int_equal(ops->recv(rx, &v, CHAN_NOW), CHAN_OK);
	assert_int_equal(v, 2);
	drop_all();
}

/* A receiver has claimed its message and not copied it out, another one after it has received:
 * the channel is not full (M-21). */
static void a_receiver_in_the_middle_is_waited_for(void **state)
{
	struct attempt send = {.what = SENDS, .value = 4};
	uint64_t v;

	(void)state;
	open_pair(2, UINT64_MAX - 1);
	assert_int_equal(ops->sender_clone(tx, &tx2), CHAN_OK);
	assert_int_equal(ops->receiver_clone(rx, &rx2), CHAN_OK);
	assert_int_equal(give(tx, 1), CHAN_OK);
	assert_int_equal(give(tx, 2), CHAN_OK);
	uint64_t at = ring->claim_message(bounded_of((struct bounded_handle *)tx));
	assert_int_equal(ops->recv(rx2, &v, CHAN_NOW), CHAN_OK);
	assert_int_equal(v, 2);
	attempt_start(&send);
	assert_false(atomic_load(&send.done));
	ring->free_slot(bounded_of((struct bounded_handle *)tx), at);
	pthread_join(send.thread, NULL);
	assert_int_equal(send.status, CHAN_OK);
	assert_int_equal(give(tx, 5), CHAN_OK);
	assert_int_equal(give(tx, 6), CHAN_FULL);
	drop_all();
}

/* The one sender has looked at the state and has not sent yet: a close waits for it, so that its
 * message is received (M-34, M-48). */
static void a_single_sender_in_the_middle_is_waited_for(void **state)
{
	struct attempt close = {.what = CLOSES};
	uint64_t v = 7;

	(void)state;
	open_pair(2, 0);
	struct bounded_handle *h = (struct bounded_handle *)tx;
	struct bounded *ch = bounded_of(h);
	atomic_store(&ch->busy, 1);
	attempt_start(&close);
	assert_false(atomic_load(&close.done));
	assert_int_equal(ring->store->send_alone(h, &v, 1), 1);
	atomic_store(&ch->busy, 0);
	pthread_join(close.thread, NULL);
	assert_int_equal(give(tx, 8), CHAN_CLOSED);
	assert_int_equal(ops->recv(rx, &v, CHAN_NOW), CHAN_OK);
	assert_int_equal(v, 7);
	assert_int_equal(ops->recv(rx, &v, CHAN_NOW), CHAN_CLOSED);
	drop_all();
}

/* The capacity is exact at every place of the ring, over more laps than a byte counts, across
 * the wrap of the counters; and so in each of the four ways, which begin at any fill. */
static void exact_at_every_place(void **state)
{
	static const size_t capacities[] = {1, 2, 3, 5, 8, 10};

	(void)state;
	for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
		for (unsigned way = 0; way < 4; way++) {
			size_t capacity = capacities[c];
			uint64_t in = 0, out = 0, v;

			open_pair(capacity, UINT64_MAX - 300);
			for (uint64_t i = 0; i < 700 * capacity; i++) {
				if (i == capacity + way && way & 1)
					assert_int_equal(ops->sender_clone(tx, &tx2), CHAN_OK);
				if (i == capacity + way && way & 2)
					assert_int_equal(ops->receiver_clone(rx, &rx2), CHAN_OK);
				for (; in - out < capacity; in++)
					assert_int_equal(give(tx2 != NULL && in & 1 ? tx2 : tx, in), CHAN_OK);
				assert_int_equal(give(tx, 0), CHAN_FULL);
				assert_int_equal(ops->receiver_get(rx, CHAN_LEN), capacity);
				for (uint64_t n = 1 + i % capacity; n > 0; n--, out++) {
					assert_int_equal(ops->recv(rx2 != NULL && out & 1 ? rx2 : rx, &v, CHAN_NOW),
					                 CHAN_OK);
					assert_int_equal(v, out);
				}
				assert_int_equal(ops->sender_get(tx, CHAN_CAPACITY), 1 + i % capacity);
			}
			for (; out < in; out++) {
				assert_int_equal(ops->recv(rx, &v, CHAN_NOW), CHAN_OK);
				assert_int_equal(v, out);
			}
			assert_int_equal(ops->recv(rx, &v, CHAN_NOW), CHAN_EMPTY);
			drop_all();
		}
	}
}

enum { ROUNDS = 500, EACH = 40 };

static void *send_each(void *arg)
{
	uint64_t *sent = arg;

	while (*sent < EACH && ops->send(tx, sent, CHAN_FOREVER) == CHAN_OK)
		++*sent;
	return NULL;
}

/* The one sender sends while another comes of a weak one, and while the receiver closes: it
 * changes its way, or is locked out, between two messages, and neither loses nor doubles one
 * (M-34, M-66). */
static void the_single_sender_is_interrupted(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct chan_weak *weak;
		pthread_t thread;
		uint64_t sent = 0, next = 0, v;

		open_pair((size_t)(1 + round % 5), round);
		assert_int_equal(ops->downgrade(tx, &weak), CHAN_OK);
		MUST(pthread_create(&thread, NULL, send_each, &sent) == 0);
		for (; next < round % EACH; next++) {
			assert_int_equal(ops->recv(rx, &v, CHAN_FOREVER), CHAN_OK);
			assert_int_equal(v, next);
		}
		if (round & 1)
			assert_int_equal(ops->upgrade(weak, &tx2), CHAN_OK);
		else
			ops->close(rx);
		for (; next < EACH && ops->recv(rx, &v, CHAN_FOREVER) == CHAN_OK; next++)
			assert_int_equal(v, next);
		pthread_join(thread, NULL);
		assert_int_equal(next, sent);
		ops->weak_drop(&weak);
		drop_all();
	}
}

static int bounded_tests(const struct preempted *what)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sender_in_the_middle_is_waited_for),
		cmocka_unit_test(a_receiver_in_the_middle_is_waited_for),
		cmocka_unit_test(a_single_sender_in_the_middle_is_waited_for),
		cmocka_unit_test(exact_at_every_place),
		cmocka_unit_test(the_single_sender_is_interrupted),
	};

	ring = what;
	ops = what->ops;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
