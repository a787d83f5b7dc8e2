/* SPDX-License-Identifier: MIT
 *
 * mpsc_test.c - what the rules cannot see of mpsc and unbounded: moments that only their lock can
 * make, memory that runs out at each place, drains that are reentered, and what armed waiters own.
 */
#include "impls/testing/elements.h"
#include "impls/mutex/mpsc.c"
#include "impls/mutex/queue.c"
#include "impls/mutex/mutex.h"

static const struct chan_mpsc_ops *const bounded = &chan_mutex_mpsc_ops;

static struct chan_sender *tx, *tx2;
static struct chan_receiver *rx;
static struct mpsc *channel;
#define MESSAGES (&((struct mutex_mpsc *)channel)->messages)

static void open_items(const struct chan_mpsc_ops *ops, size_t capacity)
{
	struct chan_config config = {
		.size = sizeof(struct item), .capacity = capacity, .start = UINT64_MAX - 2, .destroy = tally_destroy};

	assert_int_equal(ops->open(&config, &tx, &rx), CHAN_OK);
	assert_int_equal(ops->sender_clone(tx, &tx2), CHAN_OK);
	channel = mpsc_of((struct handle *)tx);
}

static void drop_all(void)
{
	bounded->sender_drop(&tx);
	bounded->sender_drop(&tx2);
	bounded->receiver_drop(&rx);
}

/* Sends an item, or ends it where that fails. */
static enum chan_status send_item(struct chan_sender *s, uint64_t id, uint64_t deadline)
{
	struct item item = item_make(id);
	enum chan_status status = bounded->send(s, &item, deadline);

	if (status != CHAN_OK)
		item_end(&item);
	return status;
}

static enum chan_status recv_item(uint64_t *id, uint64_t deadline)
{
	struct item item;
	enum chan_status status = bounded->recv(rx, &item, deadline);

	if (status == CHAN_OK) {
		*id = item.id;
		item_end(&item);
	}
	return status;
}

static uint64_t slots_left(void)
{
	return bounded->receiver_get(rx, CHAN_CAPACITY);
}

/* An operation that blocks, in a thread that is seen to sleep. */
struct call {
	struct sleeper thread;
	struct chan_sender *sender; /* NULL: a receive */
	size_t reserve;             /* 0: a send */
	uint64_t deadline;
	struct chan_permit permit;
	enum chan_status status;
	uint64_t id;
};

static void call_body(void *arg)
{
	struct call *c = arg;

	if (c->sender == NULL)
		c->status = recv_item(&c->id, c->deadline);
	else if (c->reserve == 0)
		c->status = send_item(c->sender, c->id, c->deadline);
	else
		c->status = bounded->reserve(c->sender, c->reserve, &c->permit, c->deadline);
}

static void call_start(struct call *c)
{
	sleeper_start(&c->thread, call_body, c);
	sleeper_await(&c->thread);
}

static enum chan_status call_end(struct call *c)
{
	sleeper_join(&c->thread);
	return c->status;
}
static const struct chan_mpsc_ops *const unbounded = &chan_mutex_unbounded_ops;

/* ------------------------------------------------------------------------------------------
 * Memory that runs out
 */

static void every_allocation_may_fail(void **state)
{
	struct chan_config config = {.size = 8, .capacity = 4};
	struct chan_sender *s = NULL;
	struct chan_receiver *r = NULL;
	struct chan_weak *w = NULL;

	(void)state;
	for (long left = 0; left < 4; left++) {
		atomic_store(&allocations_left, left);
		assert_int_equal(bounded->open(&config, &s, &r), CHAN_NOMEM);
		assert_null(s);
		assert_null(r);
	}
	atomic_store(&allocations_left, 4);
	assert_int_equal(bounded->open(&config, &s, &r), CHAN_OK);
	assert_int_equal(bounded->sender_clone(s, &tx), CHAN_NOMEM);
	assert_int_equal(bounded->receiver_clone(r, &rx), CHAN_NOMEM);
	assert_int_equal(bounded->downgrade(s, &w), CHAN_NOMEM);
	assert_int_equal(bounded->sender_get(s, CHAN_SENDERS), 1);
	assert_int_equal(bounded->sender_get(s, CHAN_RECEIVERS), 1);
	assert_int_equal(bounded->sender_get(s, CHAN_WEAK_SENDERS), 0);
	bounded->sender_drop(&s);
	bounded->receiver_drop(&r);
}

static void an_unbounded_send_without_memory_keeps_the_value(void **state)
{
	struct item items[400];
	size_t sent, fit;
	uint64_t id;

	(void)state;
	open_items(unbounded, 0);
	for (size_t i = 0; i < 400; i++)
		items[i] = item_make(i);
	atomic_store(&allocations_left, 0);
	assert_int_equal(unbounded->send(tx, &items[0], CHAN_FOREVER), CHAN_NOMEM);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_EMPTY);
	atomic_store(&allocations_left, 1);
	assert_int_equal(unbounded->send_many(tx, items, 400, &fit, CHAN_NOW), CHAN_NOMEM);
	assert_int_equal(fit, MESSAGES->per_block);
	assert_int_equal(unbounded->receiver_get(rx, CHAN_LEN), fit);
	atomic_store(&allocations_left, PLENTY);
	assert_int_equal(unbounded->send_many(tx, items + fit, 400 - fit, &sent, CHAN_NOW), CHAN_OK);
	for (uint64_t i = 0; i < 400; i++) {
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
		assert_int_equal(id, i);
	}
	unbounded->close(rx); /* idle: the failed sends kept no slot */
	assert_int_equal(recv_item(&id, CHAN_FOREVER), CHAN_CLOSED);
	drop_all();
}

/* ------------------------------------------------------------------------------------------
 * Moments that only the lock can make: several things happen before a woken thread comes back
 */

/* A slot is assigned, then the channel is closed, then the sender comes back: it fails, its slot
 * goes back, and that is what lets the receiver see the end (M-33, M-49, M-50). */
static void a_slot_assigned_before_the_close_is_given_back(void **state)
{
	for (size_t n = 1; n <= 2; n++) { /* reserve of one; of two */
		struct list wakes = WAKES_NONE(wakes);
		struct chan_permit held;
		uint64_t id;

		(void)state;
		open_items(bounded, 2);
		assert_int_equal(bounded->reserve(tx, 2, &held, CHAN_NOW), CHAN_OK);
		struct call blocked = {.sender = tx2, .reserve = n, .deadline = CHAN_FOREVER};
		call_start(&blocked);

		pthread_mutex_lock(&channel->core.lock);
		give_slots(channel, 2, &wakes);
		close_channel(channel, &wakes);
		assert_false(ended(channel)); /* assigned is not idle */
		assert_int_equal(channel->held, n);
		chan_wait_unlock(&channel->core.lock, &wakes);
		assert_int_equal(recv_item(&id, CHAN_FOREVER), CHAN_CLOSED);
		assert_int_equal(call_end(&blocked), CHAN_CLOSED);
		assert_int_equal(slots_left(), 2);
		drop_all();
	}
}

/* Gives the only slot to the sender that waits for it, but not before its deadline has passed,
 * with the lock held, so that it cannot notice the one before the other. False if it had given
 * up before. */
static bool grant_at(uint64_t deadline)
{
	struct list wakes = WAKES_NONE(wakes);

	while (chan_now() < deadline) {
		pthread_mutex_lock(&channel->core.lock);
		bool queued = !list_empty(&channel->send_queue);
		if (queued) {
			struct item item;

			while (chan_now() < deadline)
				sched_yield();
			queue_pop(MESSAGES, &item);
			serve(channel, &wakes);
			item_end(&item);
		}
		chan_wait_unlock(&channel->core.lock, &wakes);
		if (queued)
			return true;
	}
	return false;
}

/* A slot is assigned when the deadline has come and before the sender has noticed: it has it. */
static void a_slot_assigned_at_the_deadline_counts(void **state)
{
	uint64_t id;

	(void)state;
	open_items(bounded, 1);
	assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
	for (bool granted = false; !granted;) {
		struct call blocked = {.sender = tx2, .id = 2, .deadline = chan_deadline_in(50000000)};

		sleeper_start(&blocked.thread, call_body, &blocked);
		granted = grant_at(blocked.deadline);
		assert_int_equal(call_end(&blocked), granted ? CHAN_OK : CHAN_TIMEOUT);
	}
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(id, 2);
	drop_all();
}

/* ------------------------------------------------------------------------------------------
 * Destruction
 */

static struct chan_permit late;
static uint64_t destroyed[8];
static size_t destroyed_count;

static void reenter(const struct item *item)
{
	destroyed[destroyed_count++] = item->id;
	if (item->id == 1) {
		struct item more = item_make(10);

		assert_int_equal(send_item(tx, 11, CHAN_FOREVER), CHAN_CLOSED);
		bounded->permit_send(&late, &more); /* drained by the same drop */
		assert_int_equal(bounded->closed(tx, CHAN_NOW), CHAN_OK);
	} else if (item->id == 2) {
		bounded->sender_drop(&tx2);
	}
}

/* destroy may call the channel; what a permit sends during the drain goes with it, what it sends
 * later with the last handle (D-2, D-4). */
static void a_drain_may_be_reentered(void **state)
{
	struct item last = item_make(20);
	struct chan_weak *weak;

	(void)state;
	destroyed_count = 0;
	destroy_probe = reenter;
	open_items(bounded, 5);
	assert_int_equal(bounded->downgrade(tx, &weak), CHAN_OK);
	assert_int_equal(bounded->reserve(tx, 2, &late, CHAN_NOW), CHAN_OK);
	for (uint64_t id = 1; id <= 3; id++)
		assert_int_equal(send_item(tx2, id, CHAN_NOW), CHAN_OK);
	bounded->receiver_drop(&rx);
	assert_int_equal(destroyed_count, 4);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(destroyed[i], i + 1);
	assert_int_equal(destroyed[3], 10);
	assert_int_equal(bounded->sender_get(tx, CHAN_CAPACITY), 4);
	bounded->permit_send(&late, &last);
	bounded->sender_drop(&tx);
	assert_int_equal(bounded->upgrade(weak, &tx), CHAN_CLOSED);
	bounded->weak_drop(&weak);
	assert_int_equal(destroyed_count, 5);
	assert_int_equal(destroyed[4], 20);
}

/* ------------------------------------------------------------------------------------------
 * Armed waiters
 */

/* A send that blocks behind its own armed waiter takes the slot that this is given; a reserve
 * counts it in, and leaves it as it was if it fails. A receive that blocks behind its own armed
 * waiter takes the message. */
static void nobody_waits_behind_itself(void **state)
{
	struct test_waiter a = test_waiter(), b = test_waiter(), c = test_waiter();
	uint64_t id;

	(void)state;
	open_items(bounded, 2);
	assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
	assert_int_equal(send_item(tx, 2, CHAN_NOW), CHAN_OK);
	assert_int_equal(bounded->arm_send(tx, &a.waiter), CHAN_ARMED);
	struct call send = {.sender = tx, .id = 3, .deadline = CHAN_FOREVER};
	call_start(&send);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(call_end(&send), CHAN_OK);
	assert_int_equal(a.fired, 1);
	assert_true(bounded->disarm(&a.waiter));

	assert_int_equal(bounded->arm_send(tx, &b.waiter), CHAN_ARMED);
	struct call late_reserve = {.sender = tx, .reserve = 2, .deadline = chan_deadline_in(300000000)};
	sleeper_start(&late_reserve.thread, call_body, &late_reserve);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(call_end(&late_reserve), CHAN_TIMEOUT);
	assert_int_equal(send_item(tx2, 4, CHAN_NOW), CHAN_FULL); /* b still owns it */
	struct call reserve = {.sender = tx, .reserve = 2, .deadline = CHAN_FOREVER};
	call_start(&reserve);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(call_end(&reserve), CHAN_OK);
	assert_true(bounded->disarm(&b.waiter));
	assert_int_equal(slots_left(), 0);
	bounded->permit_release(&reserve.permit);
	assert_int_equal(slots_left(), 2);

	assert_int_equal(bounded->arm_recv(rx, &c.waiter), CHAN_ARMED);
	struct call recv = {.deadline = CHAN_FOREVER};
	call_start(&recv);
	assert_int_equal(send_item(tx, 5, CHAN_NOW), CHAN_OK);
	assert_int_equal(call_end(&recv), CHAN_OK);
	assert_int_equal(recv.id, 5);
	assert_true(bounded->disarm(&c.waiter));
	drop_all();
}

/* Whatever ends an armed sender's claim on its slot, the slot arrives with the next. */
static void an_owned_slot_is_used_or_passed_on(void **state)
{
	for (int way = 0; way < 4; way++) {
		struct test_waiter a = test_waiter(), b = test_waiter();
		struct chan_permit permit;
		struct item item = item_make(9);
		size_t sent = 0;
		uint64_t id;

		(void)state;
		open_items(bounded, 1);
		assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
		assert_int_equal(bounded->arm_send(tx, &a.waiter), CHAN_ARMED);
		assert_int_equal(bounded->arm_send(tx2, &b.waiter), CHAN_ARMED);
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
		assert_int_equal(a.fired, 1);
		assert_int_equal(b.fired, 0);
		assert_int_equal(send_item(tx2, 3, CHAN_NOW), CHAN_FULL); /* nobody else's */
		switch (way) {
		case 0: /* used */
			assert_int_equal(bounded->send_many(tx, &item, 1, &sent, CHAN_NOW), CHAN_OK);
			assert_int_equal(send_item(tx, 2, CHAN_NOW), CHAN_FULL);
			assert_true(bounded->disarm(&a.waiter));
			assert_int_equal(b.fired, 0);
			assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
			break;
		case 1: /* reserved, and released */
			assert_int_equal(bounded->reserve(tx, 1, &permit, CHAN_NOW), CHAN_OK);
			assert_true(bounded->disarm(&a.waiter));
			assert_int_equal(b.fired, 0);
			bounded->permit_release(&permit);
			break;
		case 2: /* disarmed */
			assert_true(bounded->disarm(&a.waiter));
			break;
		default: /* dropped */
			bounded->sender_drop(&tx);
			break;
		}
		assert_int_equal(b.fired, 1);
		assert_int_equal(slots_left(), 0);
		/* revoked by the close, and given back by the send that fails (M-33) */
		bounded->close(rx);
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_EMPTY);
		assert_int_equal(send_item(tx2, 4, CHAN_NOW), CHAN_CLOSED);
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_CLOSED);
		assert_int_equal(slots_left(), 1);
		assert_true(bounded->disarm(&b.waiter));
		if (sent == 0)
			item_end(&item);
		drop_all();
	}
}

/* A receiver that was woken for a message and is disarmed without receiving passes the wake on;
 * one that received does not (P-5). */
static void a_wake_for_a_message_is_passed_on_unless_used(void **state)
{
	for (int used = 0; used < 2; used++) {
		struct test_waiter a = test_waiter(), b = test_waiter(), c = test_waiter();
		struct chan_receiver *rx2;
		uint64_t id;

		(void)state;
		open_items(bounded, 4);
		assert_int_equal(bounded->receiver_clone(rx, &rx2), CHAN_OK);
		assert_int_equal(bounded->arm_recv(rx, &a.waiter), CHAN_ARMED);
		assert_int_equal(bounded->arm_recv(rx2, &b.waiter), CHAN_ARMED);
		assert_int_equal(bounded->arm_recv(rx2, &c.waiter), CHAN_ARMED);
		assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
		assert_int_equal(a.fired, 1);
		assert_int_equal(b.fired, 0);
		if (used)
			assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
		assert_int_equal(send_item(tx, 2, CHAN_NOW), CHAN_OK);
		assert_int_equal(b.fired, 1);
		assert_true(bounded->disarm(&a.waiter));
		assert_int_equal(c.fired, !used);
		bounded->receiver_drop(&rx2); /* disarms b and c, which pass on to nobody */
		drop_all();
	}
}

/* An event has chosen a waiter, and its callback has not begun: the disarm cancels that, says
 * that it had fired, and passes on. */
static void one_that_was_picked_can_be_disarmed(void **state)
{
	struct test_waiter a = test_waiter(), b = test_waiter();
	struct list wakes = WAKES_NONE(wakes);
	struct chan_permit held;

	(void)state;
	open_items(bounded, 1);
	assert_int_equal(bounded->reserve(tx, 1, &held, CHAN_NOW), CHAN_OK);
	assert_int_equal(bounded->arm_send(tx, &a.waiter), CHAN_ARMED);
	assert_int_equal(bounded->arm_send(tx2, &b.waiter), CHAN_ARMED);
	pthread_mutex_lock(&channel->core.lock);
	give_slots(channel, held.count, &wakes);
	pthread_mutex_unlock(&channel->core.lock);
	assert_true(bounded->disarm(&a.waiter));
	assert_int_equal(b.fired, 1);
	assert_true(list_empty(&wakes));
	assert_int_equal(a.fired, 0);
	assert_true(bounded->disarm(&b.waiter));
	assert_int_equal(slots_left(), 1);
	drop_all();
}

static struct chan_waiter greedy;

static void receive_one(struct chan_waiter *waiter)
{
	uint64_t id;

	(void)waiter;
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
}

/* What a send_many woke is called before it waits for more room: here it is that which makes
 * room. */
static void wakes_come_before_the_wait(void **state)
{
	struct item items[2] = {item_make(1), item_make(2)};
	size_t sent;
	uint64_t id;

	(void)state;
	greedy.wake = receive_one;
	open_items(bounded, 1);
	assert_int_equal(bounded->arm_recv(rx, &greedy), CHAN_ARMED);
	assert_int_equal(bounded->send_many(tx, items, 2, &sent, CHAN_FOREVER), CHAN_OK);
	assert_int_equal(sent, 2);
	assert_true(bounded->disarm(&greedy));
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(id, 2);
	drop_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(every_allocation_may_fail),
		TALLIED(an_unbounded_send_without_memory_keeps_the_value),
		TALLIED(a_slot_assigned_before_the_close_is_given_back),
		TALLIED(a_slot_assigned_at_the_deadline_counts),
		TALLIED(a_drain_may_be_reentered),
		TALLIED(nobody_waits_behind_itself),
		TALLIED(an_owned_slot_is_used_or_passed_on),
		TALLIED(a_wake_for_a_message_is_passed_on_unless_used),
		TALLIED(one_that_was_picked_can_be_disarmed),
		TALLIED(wakes_come_before_the_wait),
	};

	impl = &chan_mutex;
	alarm(110); /* a lost wake is a hang */
	return cmocka_run_group_tests_name("mutex/mpsc", tests, NULL, NULL);
}
