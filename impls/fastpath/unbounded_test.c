/* SPDX-License-Identifier: MIT
 *
 * unbounded_test.c - where a store and the lock meet: the state, the receivers that sleep and are
 * woken, and senders that are stopped half-way. The store is the futex family's, and its claims are
 * made by hand.
 */
#include "impls/testing/elements.h"
#include "impls/futex/blocks.c"

static const struct chan_mpsc_ops *const ops = &chan_futex_unbounded_ops;

static struct chan_sender *tx;
static struct chan_receiver *rx, *rx2;
static struct unbounded *channel;

static void open_items(void)
{
	struct chan_config config = {.size = sizeof(struct item), .start = UINT64_MAX - 2, .destroy = tally_destroy};

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

static bool has_state(unsigned bit)
{
	return (blocks_state(channel) & bit) != 0;
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

static void a_sleeper_shows_and_is_woken(void **state)
{
	struct call call;

	(void)state;
	open_items();
	for (uint64_t i = 1; i < 50; i++) {
		assert_false(has_state(UNBOUNDED_WAITING));
		call_start(&call, &rx, CHAN_FOREVER);
		if (i % 10 == 0) {
			sleeper_await(&call.thread);
			assert_true(has_state(UNBOUNDED_WAITING));
		}
		assert_int_equal(send_item(i), CHAN_OK);
		sleeper_join(&call.thread);
		assert_int_equal(call.status, CHAN_OK);
		assert_int_equal(call.id, i);
	}
	assert_false(has_state(UNBOUNDED_WAITING));
	drop_all();
}

static void giving_up_takes_the_bit_along(void **state)
{
	struct test_waiter waiter = test_waiter();
	uint64_t id;

	(void)state;
	open_items();
	assert_int_equal(recv_item(rx, &id, chan_deadline_in(1000000)), CHAN_TIMEOUT);
	assert_false(has_state(UNBOUNDED_WAITING));
	assert_int_equal(ops->arm_recv(rx, &waiter.waiter), CHAN_ARMED);
	assert_true(has_state(UNBOUNDED_WAITING));
	assert_false(ops->disarm(&waiter.waiter));
	assert_false(has_state(UNBOUNDED_WAITING));
	assert_int_equal(send_item(1), CHAN_OK);
	assert_int_equal(ops->arm_recv(rx, &waiter.waiter), CHAN_READY);
	assert_false(has_state(UNBOUNDED_WAITING));
	assert_int_equal(recv_item(rx, &id, CHAN_NOW), CHAN_OK);
	drop_all();
}

/* Nobody sleeps: a send and a receive go by while somebody holds the lock. */
static void pass(void *arg)
{
	uint64_t id;

	(void)arg;
	MUST(send_item(3) == CHAN_OK && recv_item(rx, &id, CHAN_NOW) == CHAN_OK && id == 3);
	MUST(recv_item(rx, &id, CHAN_NOW) == CHAN_EMPTY);
}

static void the_frequent_case_takes_no_lock(void **state)
{
	struct sleeper thread;

	(void)state;
	open_items();
	pthread_mutex_lock(&channel->core.lock);
	sleeper_start(&thread, pass, NULL);
	bool sleeps = sleeper_sleeps(&thread); /* on the lock */
	pthread_mutex_unlock(&channel->core.lock);
	sleeper_join(&thread);
	assert_false(sleeps);
	drop_all();
}

static void a_send_that_was_begun_is_received_after_the_close(void **state)
{
	struct claim claim;
	struct item item = item_make(5);
	struct call call;
	uint64_t id;

	(void)state;
	open_items();
	assert_int_equal(claim_slots((struct blocks *)channel, 1, &claim), CHAN_OK);
	ops->close(rx);
	assert_int_equal(send_item(6), CHAN_CLOSED);
	call_start(&call, &rx, CHAN_FOREVER);
	call_stays(&call); /* U-3 */
	publish((struct blocks *)channel, &claim, &item);
	sleeper_join(&call.thread);
	assert_int_equal(call.status, CHAN_OK);
	assert_int_equal(call.id, 5);
	assert_int_equal(recv_item(rx, &id, CHAN_FOREVER), CHAN_CLOSED);
	drop_all();
}

static void a_send_that_was_begun_is_destroyed_by_the_drop(void **state)
{
	struct claim claim;
	struct item item = item_make(5);
	struct call call;

	(void)state;
	open_items();
	assert_int_equal(send_item(4), CHAN_OK);
	assert_int_equal(claim_slots((struct blocks *)channel, 1, &claim), CHAN_OK);
	call_start(&call, &rx, CHAN_NOW);
	call_stays(&call);
	publish((struct blocks *)channel, &claim, &item);
	sleeper_join(&call.thread);
	assert_int_equal(tally_alive(), 0); /* D-2: though the sender is still there */
	assert_int_equal(send_item(6), CHAN_CLOSED);
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
		assert_false(atomic_load(&channel->shared));
		assert_int_equal(ops->receiver_clone(rx, &rx2), CHAN_OK);
		assert_int_equal(ops->receiver_clone(rx2, &rx3), CHAN_OK);
		for (int i = 0; i < 51; i++, next++) {
			struct chan_receiver *from[] = {rx, rx2, rx3};
			assert_true(atomic_load(&channel->shared));
			assert_int_equal(recv_item(from[i % 3], &id, CHAN_NOW), CHAN_OK);
			assert_int_equal(id, next);
			if (i == 40) {
				ops->receiver_drop(&rx);
				assert_true(atomic_load(&channel->shared)); /* two are left */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(a_sleeper_shows_and_is_woken),
		TALLIED(giving_up_takes_the_bit_along),
		TALLIED(the_frequent_case_takes_no_lock),
		TALLIED(a_send_that_was_begun_is_received_after_the_close),
		TALLIED(a_send_that_was_begun_is_destroyed_by_the_drop),
		TALLIED(the_end_is_shared_as_long_as_there_are_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
