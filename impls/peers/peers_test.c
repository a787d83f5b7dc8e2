/* SPDX-License-Identifier: MIT
 *
 * peers_test.c - what every peer has to do, whatever it is: hand over in order, say when it is
 * full, empty, too late or at its end, lose nothing, and let nobody wait for a side that has left.
 */
#include "impls/peers/peers.h"

#include "impls/testing/elements.h"

#include <string.h>

/* Asked by the sanitizers: memory that cannot be had is NULL, as without them. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* The channel that is under test. */
static const struct chan_mpsc_ops *ops;
static bool bounded;

static size_t destroyed;

static void count_destroyed(void *msg, void *context)
{
	(void)msg;
	(void)context;
	destroyed++;
}

static void open_sized(size_t size, struct pair *p)
{
	const struct chan_config config = {.size = size, .capacity = 4, .destroy = count_destroyed};
	destroyed = 0;
	assert_int_equal(ops->open(&config, &p->tx, &p->rx), CHAN_OK);
}

static void drop_both(struct pair *p)
{
	ops->sender_drop(&p->tx);
	assert_null(p->tx);
	ops->receiver_drop(&p->rx);
	assert_null(p->rx);
}

/* What it says that it holds. */
static uint64_t true_capacity(const struct pair *p)
{
	return ops->receiver_get(p->rx, CHAN_MAX_CAPACITY);
}

static uint64_t sent, got;

static enum chan_status send_number(struct pair *p, uint64_t number, uint64_t deadline)
{
	sent = number;
	return ops->send(p->tx, &sent, deadline);
}

static void expect_number(struct pair *p, uint64_t number)
{
	assert_int_equal(ops->recv(p->rx, &got, CHAN_NOW), CHAN_OK);
	assert_int_equal(got, number);
}

static void hands_over_in_order_to_the_end(void **state)
{
	struct pair p;
	(void)state;
	open_sized(8, &p);
	assert_int_equal(ops->recv(p.rx, &got, CHAN_NOW), CHAN_EMPTY);
	for (uint64_t round = 0; round < 50; round++) {
		for (uint64_t i = 0; i < 4; i++)
			assert_int_equal(send_number(&p, 4 * round + i, CHAN_FOREVER), CHAN_OK);
		for (uint64_t i = 0; i < 4; i++)
			expect_number(&p, 4 * round + i);
	}
	assert_int_equal(send_number(&p, 7, CHAN_NOW), CHAN_OK);
	ops->sender_drop(&p.tx);
	expect_number(&p, 7);
	assert_int_equal(ops->recv(p.rx, &got, CHAN_FOREVER), CHAN_CLOSED);
	assert_int_equal(ops->recv(p.rx, &got, CHAN_NOW), CHAN_CLOSED);
	drop_both(&p);
	assert_int_equal(destroyed, 0);
}

/* Sizes that are stored, boxed or nothing at all. */
static void keeps_every_byte(void **state)
{
	static const size_t sizes[] = {0, 1, 4, 8, 12, 16, 64, 72, 4096, 5000, 70000};
	static _Alignas(16) unsigned char out[70000], in[70000];
	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		struct pair p;
		open_sized(sizes[s], &p);
		for (int round = 0; round < 3; round++) {
			for (size_t i = 0; i < sizes[s]; i++)
				out[i] = (unsigned char)(i * 31 + (size_t)round + s);
			memset(in, 0xee, sizeof in);
			assert_int_equal(ops->send(p.tx, out, CHAN_NOW), CHAN_OK);
			assert_int_equal(ops->recv(p.rx, in, CHAN_FOREVER), CHAN_OK);
			assert_memory_equal(in, out, sizes[s]);
			if (sizes[s] < sizeof in)
				assert_int_equal(in[sizes[s]], 0xee);
		}
		drop_both(&p);
	}
}

static void holds_what_it_says(void **state)
{
	struct pair p;
	(void)state;
	if (!bounded)
		return; /* nothing to fill */
	open_sized(8, &p);
	uint64_t capacity = true_capacity(&p), count = 0;
	assert_true(capacity != CHAN_UNKNOWN && capacity >= 4);
	while (count <= capacity && send_number(&p, count, CHAN_NOW) == CHAN_OK)
		count++;
	assert_int_equal(count, capacity);
	assert_int_equal(send_number(&p, count, CHAN_NOW), CHAN_FULL);
	for (uint64_t i = 0; i < count; i++)
		expect_number(&p, i);
	drop_both(&p);
}

/* Batches, of elements that are stored and of those that are boxed: what fits goes in, in order,
 * and comes out. */
static void moves_batches(void **state)
{
	static const size_t sizes[] = {0, 4, 8, 12, 72};
	enum { COUNT = 300 };
	static unsigned char out[COUNT * 72], in[COUNT * 72];
	(void)state;
	if (ops->send_many == NULL && ops->recv_many == NULL)
		return;
	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		struct pair p;
		size_t done = 9, size = sizes[s];
		open_sized(size, &p);
		assert_int_equal(ops->recv_many(p.rx, in, COUNT, &done, CHAN_NOW), CHAN_EMPTY);
		assert_int_equal(done, 0);
		for (size_t i = 0; i < size * COUNT; i++)
			out[i] = (unsigned char)(i * 7 + i / size);
		assert_int_equal(ops->send_many(p.tx, out, COUNT, &done, CHAN_NOW), bounded ? CHAN_FULL : CHAN_OK);
		assert_int_equal(done, bounded ? true_capacity(&p) : COUNT);
		size_t in_all = done, half = in_all / 2;
		memset(in, 0xee, sizeof in);
		assert_int_equal(ops->recv_many(p.rx, in, 0, &done, CHAN_NOW), CHAN_OK);
		assert_int_equal(done, 0);
		assert_int_equal(ops->recv_many(p.rx, in, half, &done, CHAN_FOREVER), CHAN_OK);
		assert_int_equal(done, half);
		assert_int_equal(ops->recv_many(p.rx, in + half * size, COUNT, &done, CHAN_NOW), CHAN_OK);
		assert_int_equal(done, in_all - half);
		assert_memory_equal(in, out, in_all * size);
		assert_int_equal(ops->recv_many(p.rx, in, COUNT, &done, chan_deadline_in(1000000)), CHAN_TIMEOUT);
		ops->receiver_drop(&p.rx);
		assert_int_equal(ops->send_many(p.tx, out, 2, &done, CHAN_FOREVER), CHAN_CLOSED);
		assert_int_equal(done, 0);
		drop_both(&p);
	}
}

static void never_gives_up_before_its_time(void **state)
{
	const uint64_t patience = 20000000;
	struct pair p;
	(void)state;
	open_sized(8, &p);
	uint64_t deadline = chan_deadline_in(patience);
	assert_int_equal(ops->recv(p.rx, &got, deadline), CHAN_TIMEOUT);
	assert_true(chan_now() >= deadline);
	assert_int_equal(ops->recv(p.rx, &got, 1), CHAN_TIMEOUT); /* long past */
	for (uint64_t i = 0; bounded && i < true_capacity(&p); i++)
		assert_int_equal(send_number(&p, i, CHAN_NOW), CHAN_OK);
	if (bounded) {
		deadline = chan_deadline_in(patience);
		assert_int_equal(send_number(&p, 99, deadline), CHAN_TIMEOUT);
		assert_true(chan_now() >= deadline);
	}
	drop_both(&p);
}

static void destroys_what_nobody_receives(void **state)
{
	struct pair p;
	(void)state;
	open_sized(8, &p);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(send_number(&p, i, CHAN_NOW), CHAN_OK);
	ops->receiver_drop(&p.rx);
	assert_int_equal(destroyed, 3);
	assert_int_equal(send_number(&p, 3, CHAN_NOW), CHAN_CLOSED);
	assert_int_equal(send_number(&p, 3, CHAN_FOREVER), CHAN_CLOSED);
	drop_both(&p);
	assert_int_equal(destroyed, 3);
}

static void refuses_what_is_never_right(void **state)
{
	struct pair p = {NULL, NULL};
	struct chan_config config = {.size = CHAN_SIZE_MAX + 1, .capacity = 4};
	(void)state;
	assert_int_equal(ops->open(&config, &p.tx, &p.rx), CHAN_INVALID);
	config = (struct chan_config){.size = 8, .capacity = 0};
	if (bounded)
		assert_int_equal(ops->open(&config, &p.tx, &p.rx), CHAN_INVALID);
	/* More than there can be: no memory, or less, and it says so. */
	config.capacity = CHAN_CAPACITY_MAX / 64;
	if (bounded && ops->open(&config, &p.tx, &p.rx) == CHAN_OK) {
		assert_true(true_capacity(&p) < config.capacity || strcmp(impl->name, "tbb") == 0);
		drop_both(&p);
	}
	assert_null(p.tx);
}

/* --- who waits --- */

static enum chan_status waited;

static void wait_receiving(void *arg)
{
	uint64_t number;
	waited = ops->recv(((struct pair *)arg)->rx, &number, CHAN_FOREVER);
}

static void wait_sending(void *arg)
{
	uint64_t number = 1;
	waited = ops->send(((struct pair *)arg)->tx, &number, CHAN_FOREVER);
}

/* One that spins is seen by the CPU time that it has used: it has nothing else to use it for. */
static void await_spinning(const struct sleeper *s)
{
	struct timespec used;
	clockid_t clock;

	assert_int_equal(pthread_getcpuclockid(s->thread, &clock), 0);
	do {
		sched_yield();
		assert_int_equal(clock_gettime(clock, &used), 0);
	} while (used.tv_sec == 0 && used.tv_nsec < 2000000);
}

/* Waits until the thread waits. */
static void await(struct sleeper *s)
{
	if ((impl->flags & CHAN_SPINS) == 0)
		sleeper_await(s);
	else
		await_spinning(s);
}

static void wakes_a_receiver(bool by_a_message)
{
	struct sleeper s;
	struct pair p;
	open_sized(8, &p);
	sleeper_start(&s, wait_receiving, &p);
	await(&s);
	if (by_a_message)
		assert_int_equal(send_number(&p, 1, CHAN_FOREVER), CHAN_OK);
	else
		ops->sender_drop(&p.tx);
	sleeper_join(&s);
	assert_int_equal(waited, by_a_message ? CHAN_OK : CHAN_CLOSED);
	drop_both(&p);
}

static void a_message_wakes_a_receiver(void **state)
{
	(void)state;
	wakes_a_receiver(true);
}

static void the_last_sender_wakes_a_receiver(void **state)
{
	(void)state;
	wakes_a_receiver(false);
}

static void wakes_a_sender(bool by_a_receive)
{
	struct sleeper s;
	struct pair p;
	if (!bounded)
		return; /* it never waits */
	open_sized(8, &p);
	uint64_t capacity = true_capacity(&p), received = 0;
	for (uint64_t i = 0; i < capacity; i++)
		assert_int_equal(send_number(&p, i, CHAN_NOW), CHAN_OK);
	sleeper_start(&s, wait_sending, &p);
	await(&s);
	if (by_a_receive)
		/* A pipe has room again when a whole page of it is free. */
		for (; received < capacity; received++)
			expect_number(&p, received);
	else
		ops->receiver_drop(&p.rx);
	sleeper_join(&s);
	/* One that was in progress when the receiver left may have got through: destroyed, like
	 * the others. */
	assert_true(waited == CHAN_OK || (waited == CHAN_CLOSED && !by_a_receive));
	drop_both(&p);
	assert_int_equal(received + destroyed, capacity + (waited == CHAN_OK ? 1 : 0));
}

static void a_receive_wakes_a_sender(void **state)
{
	(void)state;
	wakes_a_sender(true);
}

static void the_last_receiver_wakes_a_sender(void **state)
{
	(void)state;
	wakes_a_sender(false);
}

/* --- several on each side: all arrives once --- */

enum { SIDES = 3, EACH = 2000 };

struct worker {
	struct sleeper thread;
	struct pair handles;
	uint64_t first, count, sum;
};

static void work_sending(void *arg)
{
	struct worker *w = arg;
	for (uint64_t i = 0; i < EACH; i++) {
		uint64_t number = w->first + i;
		if (ops->send(w->handles.tx, &number, CHAN_FOREVER) == CHAN_OK)
			w->count++;
	}
	ops->sender_drop(&w->handles.tx);
}

static void work_receiving(void *arg)
{
	struct worker *w = arg;
	uint64_t number;
	while (ops->recv(w->handles.rx, &number, CHAN_FOREVER) == CHAN_OK) {
		w->count++;
		w->sum += number;
	}
	ops->receiver_drop(&w->handles.rx);
}

static void every_message_arrives_once(void **state)
{
	struct worker senders[SIDES] = {0}, receivers[SIDES] = {0};
	size_t from = ops->sender_clone != NULL ? SIDES : 1, to = ops->receiver_clone != NULL ? SIDES : 1;
	uint64_t count = 0, sum = 0, all = from * EACH;
	struct pair p;
	(void)state;

	open_sized(8, &p);
	senders[0].handles.tx = p.tx;
	receivers[0].handles.rx = p.rx;
	for (size_t i = 1; i < from; i++)
		assert_int_equal(ops->sender_clone(p.tx, &senders[i].handles.tx), CHAN_OK);
	for (size_t i = 1; i < to; i++)
		assert_int_equal(ops->receiver_clone(p.rx, &receivers[i].handles.rx), CHAN_OK);
	for (size_t i = 0; i < to; i++)
		sleeper_start(&receivers[i].thread, work_receiving, &receivers[i]);
	for (size_t i = 0; i < from; i++) {
		senders[i].first = i * EACH;
		sleeper_start(&senders[i].thread, work_sending, &senders[i]);
	}
	for (size_t i = 0; i < from; i++) {
		sleeper_join(&senders[i].thread);
		assert_int_equal(senders[i].count, EACH);
	}
	for (size_t i = 0; i < to; i++) {
		sleeper_join(&receivers[i].thread);
		count += receivers[i].count;
		sum += receivers[i].sum;
	}
	assert_int_equal(count, all);
	assert_int_equal(sum, all * (all - 1) / 2);
	assert_int_equal(destroyed, 0);
}

/* --- */

static int run(const char *name, const struct chan_mpsc_ops *table, const char *kind)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_over_in_order_to_the_end),
		cmocka_unit_test(keeps_every_byte),
		cmocka_unit_test(holds_what_it_says),
		cmocka_unit_test(moves_batches),
		cmocka_unit_test(never_gives_up_before_its_time),
		cmocka_unit_test(destroys_what_nobody_receives),
		cmocka_unit_test(refuses_what_is_never_right),
		cmocka_unit_test(a_message_wakes_a_receiver),
		cmocka_unit_test(the_last_sender_wakes_a_receiver),
		cmocka_unit_test(a_receive_wakes_a_sender),
		cmocka_unit_test(the_last_receiver_wakes_a_sender),
		cmocka_unit_test(every_message_arrives_once),
	};
	char group[64];
	if (table == NULL)
		return 0;
	ops = table;
	bounded = strcmp(kind, "mpsc") == 0;
	snprintf(group, sizeof group, "%s %s", name, kind);
	return cmocka_run_group_tests_name(group, tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	int failed = 0, ran = 0;

	for (const struct peer_entry *entry = chan_peers; entry->name != NULL; entry++) {
		if (argc > 1 && strcmp(argv[1], entry->name) != 0)
			continue;
		impl = entry->impl;
		if (impl == NULL) {
			printf("%s: %s\n", entry->name, entry->cure);
			continue;
		}
		ran++;
		failed +=
			strcmp(impl->name, entry->name) != 0 || (impl->flags & CHAN_PEER) == 0 || impl->package == NULL;
		failed += run(impl->name, impl->mpsc, "mpsc") + run(impl->name, impl->unbounded, "unbounded");
	}
	if (ran == 0)
		printf("no peer was run\n");
	return failed != 0 || ran == 0;
}
