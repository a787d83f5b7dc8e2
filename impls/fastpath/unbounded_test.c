/* SPDX-License-Identifier: MIT
 *
 * unbounded_test.c - where the chain and the lock meet: the flags, who sleeps and who is woken, and
 * senders that are stopped half-way.
 */
#include "impls/testing/items_testing.h"
#include "impls/futex/blocks_fast.h"
#include "impls/fastpath/unbounded.h"

static const struct chan_mpsc_ops *const ops = &chan_unbounded_ops;

static struct chan_sender *tx;
static struct chan_receiver *rx, *rx2;
static struct unbounded *channel;

static void open_items(void)
{
	struct chan_config config = {.size = sizeof(struct item), .start = UINT64_MAX - 2, .destroy = ledger_destroy};

	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	rx2 = NULL;
	channel = unbounded_of((struct handle *)tx);
}

static void drop_all(void)
{
	ops->sender_drop(&tx);
	ops->receiver_drop(&rx);
	ops->receiver_drop(&rx2);
}

static enum chan_status send_item(uint64_t id)
{
	struct item item = item_make(id);
	enum chan_status status = ops->send(tx, &item, CHAN_NOW);

	if (status != CHAN_OK)
		item_end(&item);
	return status;
}

static enum chan_status recv_item(struct chan_receiver *from, uint64_t *id, uint64_t deadline)
{
	struct item item;
	enum chan_status status = ops->recv(from, &item, deadline);

	if (status == CHAN_OK) {
		*id = item.id;
		item_end(&item);
	}
	return status;
}

static bool flagged(unsigned flag)
{
	return (chan_chain_flags(&channel->chain) & flag) != 0;
}

/* A receive, or a drop, in a thread of its own. */
struct call {
	struct sleeper thread;
	struct chan_receiver **receiver;
	uint64_t deadline; /* CHAN_NOW: a drop */
	enum chan_status status;
	uint64_t id;
	atomic_bool done;
};

static void call_body(void *arg)
{
	struct call *c = arg;

	if (c->deadline == CHAN_NOW)
		ops->receiver_drop(c->receiver);
	else
		c->status = recv_item(*c->receiver, &c->id, c->deadline);
	atomic_store(&c->done, true);
}

static void call_start(struct call *c, struct chan_receiver **receiver, uint64_t deadline)
{
	*c = (struct call){.receiver = receiver, .deadline = deadline};
	sleeper_start(&c->thread, call_body, c);
}

/* It has begun and does not end, asleep or not. */
static void call_stays(struct call *c)
{
	while (atomic_load(&c->thread.tid) == 0)
		sched_yield();
	for (int i = 0; i < 1000; i++)
		sched_yield();
	assert_false(atomic_load(&c->done));
}

static void a_sleeper_is_flagged_and_woken(void **state)
{
	struct call call;

	(void)state;
	open_items();
	for (uint64_t i = 1; i < 50; i++) {
		assert_false(flagged(CHAIN_WAITING));
		call_start(&call, &rx, CHAN_FOREVER);
		if (i % 10 == 0) {
			sleeper_await(&call.thread);
			assert_true(flagged(CHAIN_WAITING));
		}
		assert_int_equal(send_item(i), CHAN_OK);
		sleeper_join(&call.thread);
		assert_int_equal(call.status, CHAN_OK);
		assert_int_equal(call.id, i);
	}
	assert_false(flagged(CHAIN_WAITING));
	drop_all();
}

static void who_gives_up_takes_the_flag_along(void **state)
{
	struct counter counter = COUNTER;
	uint64_t id;

	(void)state;
	open_items();
	assert_int_equal(recv_item(rx, &id, chan_deadline_in(1000000)), CHAN_TIMEOUT);
	assert_false(flagged(CHAIN_WAITING));
	assert_int_equal(ops->arm_recv(rx, &counter.waiter), CHAN_ARMED);
	assert_true(flagged(CHAIN_WAITING));
	assert_false(ops->disarm(&counter.waiter));
	assert_false(flagged(CHAIN_WAITING));
	assert_int_equal(send_item(1), CHAN_OK);
	assert_int_equal(ops->arm_recv(rx, &counter.waiter), CHAN_READY);
	assert_false(flagged(CHAIN_WAITING));
	assert_int_equal(recv_item(rx, &id, CHAN_NOW), CHAN_OK);
	drop_all();
}

/* Nobody sleeps: a send and a receive go by while somebody holds the lock. */
static void pass(void *arg)
{
	uint64_t id;

	MUST(send_item(3) == CHAN_OK && recv_item(rx, &id, CHAN_NOW) == CHAN_OK && id == 3);
	MUST(recv_item(rx, &id, CHAN_NOW) == CHAN_EMPTY);
	atomic_store((atomic_bool *)arg, true);
}

static void the_frequent_case_takes_no_lock(void **state)
{
	struct sleeper thread;
	atomic_bool done = false;

	(void)state;
	open_items();
	pthread_mutex_lock(&channel->core.lock);
	sleeper_start(&thread, pass, &done);
	long before = -1;
	/* asleep, and staying so: on the lock */
	for (int same = 0; same < 5 && !atomic_load(&done);) {
		long now = atomic_load(&thread.tid) != 0 ? sleeper_look(&thread) : -1;
		same = now >= 0 && now == before ? same + 1 : 0;
		before = now;
		usleep(1000);
	}
	bool passed = atomic_load(&done);
	pthread_mutex_unlock(&channel->core.lock);
	sleeper_join(&thread);
	assert_true(passed);
	drop_all();
}

static void a_send_that_was_begun_is_received_after_the_close(void **state)
{
	struct chain_claim claim;
	struct item item = item_make(5);
	struct call call;
	uint64_t id;

	(void)state;
	open_items();
	assert_int_equal(chan_chain_claim(&channel->chain, 1, &claim), CHAN_OK);
	ops->close(rx);
	assert_int_equal(send_item(6), CHAN_CLOSED);
	call_start(&call, &rx, CHAN_FOREVER);
	call_stays(&call); /* U-3 */
	chan_chain_publish(&channel->chain, &claim, &item);
	sleeper_join(&call.thread);
	assert_int_equal(call.status, CHAN_OK);
	assert_int_equal(call.id, 5);
	assert_int_equal(recv_item(rx, &id, CHAN_FOREVER), CHAN_CLOSED);
	drop_all();
}

static void a_send_that_was_begun_is_destroyed_by_the_drop(void **state)
{
	struct chain_claim claim;
	struct item item = item_make(5);
	struct call call;

	(void)state;
	open_items();
	assert_int_equal(send_item(4), CHAN_OK);
	assert_int_equal(chan_chain_claim(&channel->chain, 1, &claim), CHAN_OK);
	call_start(&call, &rx, CHAN_NOW);
	call_stays(&call);
	chan_chain_publish(&channel->chain, &claim, &item);
	sleeper_join(&call.thread);
	assert_int_equal(ledger_alive(), 0); /* D-2: though the sender is still there */
	assert_int_equal(send_item(6), CHAN_CLOSED);
	drop_all();
}

/* Nobody sleeps beside a message, although the one who was woken for it does not come for it. */
static void an_unused_wake_is_passed_on(void **state)
{
	struct counter counter = COUNTER;
	struct call call;

	(void)state;
	open_items();
	assert_int_equal(ops->receiver_clone(rx, &rx2), CHAN_OK);
	assert_int_equal(ops->arm_recv(rx, &counter.waiter), CHAN_ARMED);
	call_start(&call, &rx2, CHAN_FOREVER);
	sleeper_await(&call.thread);
	assert_int_equal(send_item(1), CHAN_OK);
	assert_int_equal(atomic_load(&counter.fired), 1);
	sleeper_await(&call.thread);
	assert_true(ops->disarm(&counter.waiter)); /* P-5 */
	sleeper_join(&call.thread);
	assert_int_equal(call.status, CHAN_OK);
	drop_all();
}

static void the_end_is_shared_as_long_as_there_are_two(void **state)
{
	struct chan_receiver *rx3;
	uint64_t id, next = 0;

	(void)state;
	open_items();
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(send_item(i), CHAN_OK);
	for (int round = 0; round < 12; round++) {
		for (int i = 0; i < 27; i++, next++) {
			assert_int_equal(recv_item(rx, &id, CHAN_NOW), CHAN_OK);
			assert_int_equal(id, next);
		}
		assert_false(atomic_load(&channel->chain.shared));
		assert_int_equal(ops->receiver_clone(rx, &rx2), CHAN_OK);
		assert_int_equal(ops->receiver_clone(rx2, &rx3), CHAN_OK);
		for (int i = 0; i < 51; i++, next++) {
			struct chan_receiver *from[] = {rx, rx2, rx3};
			assert_true(atomic_load(&channel->chain.shared));
			assert_int_equal(recv_item(from[i % 3], &id, CHAN_NOW), CHAN_OK);
			assert_int_equal(id, next);
			if (i == 40) {
				ops->receiver_drop(&rx);
				assert_true(atomic_load(&channel->chain.shared)); /* two are left */
				assert_int_equal(ops->receiver_clone(rx2, &rx), CHAN_OK);
			}
		}
		ops->receiver_drop(&rx2);
		ops->receiver_drop(round % 2 ? &rx3 : &rx);
		if (rx == NULL)
			rx = rx3;
	}
	assert_int_equal(ops->receiver_get(rx, CHAN_LEN), 1000 - next);
	drop_all();
}

static void the_last_sender_wakes_all(void **state)
{
	struct call calls[2];

	(void)state;
	open_items();
	assert_int_equal(ops->receiver_clone(rx, &rx2), CHAN_OK);
	call_start(&calls[0], &rx, CHAN_FOREVER);
	call_start(&calls[1], &rx2, chan_deadline_in(UINT64_C(3600000000000)));
	sleeper_await(&calls[0].thread);
	sleeper_await(&calls[1].thread);
	ops->sender_drop(&tx);
	for (int i = 0; i < 2; i++) {
		sleeper_join(&calls[i].thread);
		assert_int_equal(calls[i].status, CHAN_CLOSED);
	}
	assert_true(flagged(CHAIN_ORPHAN) && !flagged(CHAIN_WAITING));
	drop_all();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_reset, ledger_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sleeper_is_flagged_and_woken),
		TEST(who_gives_up_takes_the_flag_along),
		TEST(the_frequent_case_takes_no_lock),
		TEST(a_send_that_was_begun_is_received_after_the_close),
		TEST(a_send_that_was_begun_is_destroyed_by_the_drop),
		TEST(an_unused_wake_is_passed_on),
		TEST(the_end_is_shared_as_long_as_there_are_two),
		TEST(the_last_sender_wakes_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
