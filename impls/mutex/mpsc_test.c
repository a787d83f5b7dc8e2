/* SPDX-License-Identifier: MIT
 *
 * mpsc_test.c - what only the inside of the mpsc and unbounded channels can show: moments that the lock makes, memory that runs
 * out, handles that callbacks end, and everything at once with a ledger.
 */
#include "impls/mutex/testing.h"
#include "impls/mutex/queue.c"
#include "impls/mutex/mpsc_life.c"
#include "impls/mutex/mutex.h"

static const struct chan_mpsc_ops *const bounded = &mutex_mpsc_ops;
static const struct chan_mpsc_ops *const unbounded = &mutex_unbounded_ops;

static struct chan_sender *tx, *tx2;
static struct chan_receiver *rx;
static struct mpsc *channel;

static void open_ops(const struct chan_mpsc_ops *ops, size_t capacity)
{
	struct chan_config config = {
		.size = sizeof(struct item), .capacity = capacity, .start = UINT64_MAX - 2, .destroy = ledger_destroy};

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

static uint64_t free_slots(void)
{
	return bounded->receiver_get(rx, CHAN_CAPACITY);
}

/* ------------------------------------------------------------------------------------------------------------------
 * The queue
 */

static void queue_keeps_order_and_alignment(void **state)
{
	static const struct {
		size_t size, align, capacity;
	} cases[] = {{8, 8, 1}, {8, 8, 3}, {8, 8, 0}, {24, 8, 0}, {64, 64, 5}, {4096, 4096, 0}, {9000, 8, 0}};

	(void)state;
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		struct layout layout = {cases[c].size, cases[c].align, cases[c].size};
		unsigned char *msg = calloc(1, layout.size);
		struct queue q;
		uint64_t in = 0, out = 0, id;

		assert_true(queue_open(&q, &layout, cases[c].capacity, UINT64_MAX - 3));
		for (size_t round = 0; round < 200; round++) {
			size_t most = cases[c].capacity != 0 ? cases[c].capacity : 1 + round * 7;
			while (queue_len(&q) < most) {
				memcpy(msg, &in, sizeof in);
				assert_true(queue_push(&q, msg));
				in++;
			}
			for (size_t n = round % 2 == 0 ? most : (most + 1) / 2; n > 0; n--) {
				assert_int_equal((uintptr_t)queue_front(&q) % layout.align, 0);
				queue_pop(&q, msg);
				memcpy(&id, msg, sizeof id);
				assert_int_equal(id, out);
				out++;
			}
			assert_int_equal(queue_len(&q), in - out);
		}
		queue_close(&q);
		free(msg);
	}
}

/* What a drained queue keeps is the block at its end and one spare: with no memory to be had, no more than that fits (U-7). */
static void a_drained_queue_keeps_one_spare(void **state)
{
	struct layout layout = {8, 8, 8};
	uint64_t v = 0;
	size_t fit = 0;
	struct queue q;

	(void)state;
	assert_true(queue_open(&q, &layout, 0, 0));
	for (size_t i = 0; i < 100 * q.per_block + 1; i++)
		assert_true(queue_push(&q, &v));
	while (queue_len(&q) > 0)
		queue_pop(&q, NULL);
	atomic_store(&allocations_left, 0);
	while (queue_push(&q, &v))
		fit++;
	assert_int_equal(fit, 2 * q.per_block - 1);
	assert_int_equal(queue_len(&q), fit);
	atomic_store(&allocations_left, PLENTY);
	assert_true(queue_push(&q, &v));
	queue_close(&q);
}

/* ------------------------------------------------------------------------------------------------------------------
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
	open_ops(unbounded, 0);
	for (size_t i = 0; i < 400; i++)
		items[i] = item_make(i);
	atomic_store(&allocations_left, 0);
	assert_int_equal(unbounded->send(tx, &items[0], CHAN_FOREVER), CHAN_NOMEM);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_EMPTY);
	atomic_store(&allocations_left, 1);
	assert_int_equal(unbounded->send_many(tx, items, 400, &fit, CHAN_NOW), CHAN_NOMEM);
	assert_int_equal(fit, channel->messages.per_block);
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

/* ------------------------------------------------------------------------------------------------------------------
 * Moments that only the lock can make: several things happen before a woken thread comes back
 */

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

/* A slot is assigned, then the channel is closed, then the sender comes back: it fails, its slot goes back, and that is what
 * lets the receiver see the end (M-33, M-49, M-50). */
static void a_slot_assigned_before_the_close_is_given_back(void **state)
{
	for (size_t n = 0; n <= 2; n++) { /* send; reserve of one; of two */
		struct list firing = WAIT_FIRING(firing);
		struct chan_permit held;
		uint64_t id;

		(void)state;
		open_ops(bounded, 2);
		assert_int_equal(bounded->reserve(tx, 2, &held, CHAN_NOW), CHAN_OK);
		struct call blocked = {.sender = tx2, .reserve = n, .deadline = CHAN_FOREVER};
		call_start(&blocked);

		pthread_mutex_lock(&channel->core.lock);
		mutex_slots_give(channel, 2, &firing);
		shut(channel, &firing);
		assert_false(mutex_ended(channel)); /* assigned is not idle */
		assert_int_equal(channel->free, n == 2 ? 0 : 1);
		wait_unlock(&channel->core.lock, &firing);
		assert_int_equal(recv_item(&id, CHAN_FOREVER), CHAN_CLOSED);
		assert_int_equal(call_end(&blocked), CHAN_CLOSED);
		assert_int_equal(free_slots(), 2);
		drop_all();
	}
}

/* Gives the only slot to the sender that waits for it, but not before its deadline has passed, with the lock held, so that it
 * cannot notice the one before the other. False if it had given up before. */
static bool grant_at(uint64_t deadline)
{
	struct list firing = WAIT_FIRING(firing);

	while (chan_now() < deadline) {
		pthread_mutex_lock(&channel->core.lock);
		bool queued = !list_empty(&channel->writers);
		if (queued) {
			struct item item;

			while (chan_now() < deadline)
				sched_yield();
			queue_pop(&channel->messages, &item);
			mutex_slots_give(channel, 1, &firing);
			item_end(&item);
		}
		wait_unlock(&channel->core.lock, &firing);
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
	open_ops(bounded, 1);
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

/* Half a reservation is held at the head; when that gives up the next one gets it (M-25, M-26). */
static void a_partial_holding_is_passed_on(void **state)
{
	struct chan_permit held;

	(void)state;
	open_ops(bounded, 3);
	assert_int_equal(bounded->reserve(tx, 3, &held, CHAN_NOW), CHAN_OK);
	struct call many = {.sender = tx2, .reserve = 3, .deadline = chan_deadline_in(1000000000)};
	call_start(&many);
	struct chan_sender *tx3;
	assert_int_equal(bounded->sender_clone(tx, &tx3), CHAN_OK);
	struct call one = {.sender = tx3, .reserve = 1, .deadline = CHAN_FOREVER};
	call_start(&one);

	held.count = 1; /* gives back one of three */
	bounded->permit_release(&held);
	held.count = 2;
	assert_int_equal(free_slots(), 0);
	assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_FULL);
	assert_int_equal(call_end(&many), CHAN_TIMEOUT);
	assert_int_equal(call_end(&one), CHAN_OK);
	assert_int_equal(free_slots(), 0);
	bounded->permit_release(&held);
	bounded->permit_release(&one.permit);
	assert_int_equal(free_slots(), 3);
	bounded->sender_drop(&tx3);
	drop_all();
}

/* ------------------------------------------------------------------------------------------------------------------
 * Armed waiters
 */

/* An armed sender owns the slot that it fired for; a reserve of more than it owns may not keep it while it stands behind others
 * (two of those would wait for each other for ever). */
static void two_owners_do_not_wait_for_each_other(void **state)
{
	struct counter a = COUNTER, b = COUNTER;
	uint64_t id;

	(void)state;
	open_ops(bounded, 2);
	assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
	assert_int_equal(send_item(tx, 2, CHAN_NOW), CHAN_OK);
	assert_int_equal(bounded->arm_send(tx, &a.waiter), CHAN_ARMED);
	assert_int_equal(bounded->arm_send(tx2, &b.waiter), CHAN_ARMED);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(a.fired + b.fired, 2);
	assert_int_equal(free_slots(), 0);
	struct call first = {.sender = tx, .reserve = 2, .deadline = CHAN_FOREVER};
	struct call second = {.sender = tx2, .reserve = 2, .deadline = CHAN_FOREVER};
	call_start(&first);
	sleeper_start(&second.thread, call_body, &second);
	assert_int_equal(call_end(&first), CHAN_OK);
	bounded->permit_release(&first.permit);
	assert_int_equal(call_end(&second), CHAN_OK);
	bounded->permit_release(&second.permit);
	assert_true(bounded->disarm(&a.waiter));
	assert_true(bounded->disarm(&b.waiter));
	assert_int_equal(free_slots(), 2);
	drop_all();
}

/* Whatever ends an armed sender's claim on its slot, the slot arrives with the next. */
static void an_owned_slot_is_used_or_passed_on(void **state)
{
	for (int way = 0; way < 4; way++) {
		struct counter a = COUNTER, b = COUNTER;
		struct chan_permit permit;
		struct item item = item_make(9);
		size_t sent = 0;
		uint64_t id;

		(void)state;
		open_ops(bounded, 1);
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
		assert_int_equal(free_slots(), 0);
		/* revoked by the close, and given back by the send that fails (M-33) */
		bounded->close(rx);
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_EMPTY);
		assert_int_equal(send_item(tx2, 4, CHAN_NOW), CHAN_CLOSED);
		assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_CLOSED);
		assert_int_equal(free_slots(), 1);
		assert_true(bounded->disarm(&b.waiter));
		if (sent == 0)
			item_end(&item);
		drop_all();
	}
}

/* A receiver that was woken for a message and is disarmed without receiving passes the wake on; one that received does not (P-5). */
static void a_wake_for_a_message_is_passed_on_unless_used(void **state)
{
	for (int used = 0; used < 2; used++) {
		struct counter a = COUNTER, b = COUNTER;
		struct chan_receiver *rx2;
		uint64_t id;

		(void)state;
		open_ops(bounded, 4);
		assert_int_equal(bounded->receiver_clone(rx, &rx2), CHAN_OK);
		assert_int_equal(bounded->arm_recv(rx, &a.waiter), CHAN_ARMED);
		assert_int_equal(bounded->arm_recv(rx2, &b.waiter), CHAN_ARMED);
		assert_int_equal(send_item(tx, 1, CHAN_NOW), CHAN_OK);
		assert_int_equal(a.fired, 1);
		assert_int_equal(b.fired, 0);
		if (used)
			assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
		assert_true(bounded->disarm(&a.waiter));
		assert_int_equal(b.fired, !used);
		bounded->receiver_drop(&rx2); /* disarms b, which passes on to nobody */
		drop_all();
	}
}

static struct counter victim;

static void disarm_the_other(struct chan_waiter *waiter)
{
	counter_wake(waiter);
	assert_true(bounded->disarm(&victim.waiter)); /* the event had chosen it */
}

/* Both are picked by one close; the first callback ends the second before its turn. */
static void a_callback_may_disarm_one_that_was_picked_with_it(void **state)
{
	struct counter first = {.waiter = {.wake = disarm_the_other}};

	(void)state;
	victim = (struct counter)COUNTER;
	open_ops(bounded, 1);
	assert_int_equal(bounded->arm_closed(tx, &first.waiter), CHAN_ARMED);
	assert_int_equal(bounded->arm_closed(tx2, &victim.waiter), CHAN_ARMED);
	bounded->close(rx);
	assert_int_equal(first.fired, 1);
	assert_int_equal(victim.fired, 0);
	assert_true(bounded->disarm(&first.waiter));
	drop_all();
}

static void drop_senders(struct chan_waiter *waiter)
{
	counter_wake(waiter);
	bounded->sender_drop(&tx);
	bounded->sender_drop(&tx2);
}

/* The wake that a send causes drops the sender that sends. */
static void a_callback_may_drop_the_handle_at_work(void **state)
{
	struct counter w = {.waiter = {.wake = drop_senders}};
	struct chan_sender *sender;
	uint64_t id;

	(void)state;
	open_ops(bounded, 1);
	sender = tx;
	assert_int_equal(bounded->arm_recv(rx, &w.waiter), CHAN_ARMED);
	assert_int_equal(send_item(sender, 5, CHAN_NOW), CHAN_OK);
	assert_null(tx);
	assert_true(bounded->disarm(&w.waiter));
	assert_int_equal(recv_item(&id, CHAN_NOW), CHAN_OK);
	assert_int_equal(recv_item(&id, CHAN_FOREVER), CHAN_CLOSED);
	drop_all();
}

/* ------------------------------------------------------------------------------------------------------------------
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

/* destroy may call the channel; what a permit sends during the drain goes with it, what it sends later with the last handle
 * (D-2, D-4). */
static void a_drain_may_be_reentered(void **state)
{
	struct item last = item_make(20);
	struct chan_weak *weak;

	(void)state;
	destroyed_count = 0;
	destroy_probe = reenter;
	open_ops(bounded, 5);
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

/* Elements without bytes need no buffers. */
static void nothing_can_be_sent(void **state)
{
	const struct chan_mpsc_ops *all[] = {bounded, unbounded};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct chan_config config = {.size = 0, .capacity = 3};
		size_t n;

		assert_int_equal(all[i]->open(&config, &tx, &rx), CHAN_OK);
		assert_int_equal(all[i]->send(tx, NULL, CHAN_NOW), CHAN_OK);
		assert_int_equal(all[i]->send_many(tx, NULL, 2, &n, CHAN_NOW), CHAN_OK);
		assert_int_equal(all[i]->recv_many(rx, NULL, 9, &n, CHAN_NOW), CHAN_OK);
		assert_int_equal(n, 3);
		assert_int_equal(all[i]->send(tx, NULL, CHAN_NOW), CHAN_OK);
		all[i]->receiver_drop(&rx);
		all[i]->sender_drop(&tx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(queue_keeps_order_and_alignment, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(a_drained_queue_keeps_one_spare, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(every_allocation_may_fail, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(an_unbounded_send_without_memory_keeps_the_value, ledger_reset,
	                                        ledger_check),
		cmocka_unit_test_setup_teardown(a_slot_assigned_before_the_close_is_given_back, ledger_reset,
	                                        ledger_check),
		cmocka_unit_test_setup_teardown(a_slot_assigned_at_the_deadline_counts, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(a_partial_holding_is_passed_on, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(two_owners_do_not_wait_for_each_other, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(an_owned_slot_is_used_or_passed_on, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(a_wake_for_a_message_is_passed_on_unless_used, ledger_reset,
	                                        ledger_check),
		cmocka_unit_test_setup_teardown(a_callback_may_disarm_one_that_was_picked_with_it, ledger_reset,
	                                        ledger_check),
		cmocka_unit_test_setup_teardown(a_callback_may_drop_the_handle_at_work, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(a_drain_may_be_reentered, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(nothing_can_be_sent, ledger_reset, ledger_check),
	};

	impl = &chan_mutex;
	alarm(110); /* a lost wake is a hang */
	return cmocka_run_group_tests_name("mutex/mpsc", tests, NULL, NULL);
}
