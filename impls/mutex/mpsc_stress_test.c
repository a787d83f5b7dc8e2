/* SPDX-License-Identifier: MIT
 *
 * mpsc_stress_test.c - everything that senders and receivers can do, at once and at random, with a
 * ledger: each value ends exactly once, in order, and every thread comes home. A lost wake shows as
 * a hang, which the alarm ends.
 */
#include "impls/testing/items_testing.h"
#include "impls/mutex/mutex.h"

enum { PRODUCERS = 3, RECEIVERS = 3, ROUNDS = 240, STEPS = 120 };

/* How a round ends, beside by the senders' last drop. */
enum ending { BY_SENDERS, BY_CLOSE, BY_RECEIVERS, ENDINGS };

struct run {
	const struct chan_mpsc_ops *ops;
	enum ending ending;
	size_t capacity; /* 0: unbounded */
	struct chan_weak *weak;
};

struct worker {
	struct run *run;
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t random, id, sent, received;
	uint64_t last[PRODUCERS]; /* a receiver: of each producer */
};

static uint64_t roll(struct worker *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (w->random >> 16) % below;
}

static uint64_t some_deadline(struct worker *w)
{
	switch (roll(w, 4)) {
	case 0:
		return CHAN_NOW;
	case 1:
		return CHAN_FOREVER;
	default:
		return chan_deadline_in(roll(w, 200000));
	}
}

static void send_some(struct worker *w)
{
	struct item items[5];
	size_t n = 1 + roll(w, 5), sent = 0;

	for (size_t i = 0; i < n; i++)
		items[i] = item_make(++w->id);
	if (n == 1)
		sent = w->run->ops->send(w->tx, items, some_deadline(w)) == CHAN_OK;
	else if ((w->run->ops->send_many(w->tx, items, n, &sent, some_deadline(w)) == CHAN_OK) != (sent == n))
		abort();
	for (size_t i = sent; i < n; i++)
		item_end(&items[i]);
	w->sent += sent;
}

static void send_with_permits(struct worker *w)
{
	const struct chan_mpsc_ops *ops = w->run->ops;
	struct chan_permit permit;

	if (ops->reserve(w->tx, roll(w, w->run->capacity + 1), &permit, some_deadline(w)) != CHAN_OK)
		return;
	while (permit.count > 0 && roll(w, 4) != 0) {
		struct item item = item_make(++w->id);
		ops->permit_send(&permit, &item);
		w->sent++;
	}
	ops->permit_release(&permit);
}

/* What was armed is given time to fire, or not; then it is used, disarmed, or left to the drop
 * of a clone. */
static void arm_and_send(struct worker *w)
{
	const struct chan_mpsc_ops *ops = w->run->ops;
	struct chan_sender *clone;
	struct counter c = COUNTER;

	MUST(ops->sender_clone(w->tx, &clone) == CHAN_OK);
	if (ops->arm_send(clone, &c.waiter) == CHAN_ARMED) {
		for (uint64_t patience = roll(w, 50); patience > 0 && atomic_load(&c.fired) == 0; patience--)
			sched_yield();
		if (atomic_load(&c.fired) != 0 && roll(w, 2) == 0) {
			struct item item = item_make(++w->id);
			enum chan_status status = ops->send(clone, &item, CHAN_NOW);
			MUST(status == CHAN_OK || status == CHAN_CLOSED); /* it owns the slot */
			if (status == CHAN_OK)
				w->sent++;
			else
				item_end(&item);
		}
		if (roll(w, 2) == 0)
			ops->disarm(&c.waiter);
	}
	ops->sender_drop(&clone);
}

static void *produce(void *arg)
{
	struct worker *w = arg;
	const struct chan_mpsc_ops *ops = w->run->ops;

	for (int step = 0; step < STEPS; step++) {
		struct chan_sender *other;

		switch (roll(w, 6)) {
		case 0:
			if (w->run->capacity != 0)
				send_with_permits(w);
			break;
		case 1:
			arm_and_send(w);
			break;
		case 2:
			MUST(ops->upgrade(w->run->weak, &other) == CHAN_OK);
			ops->sender_drop(&w->tx);
			w->tx = other;
			break;
		case 3:
			ops->closed(w->tx, chan_deadline_in(roll(w, 1000)));
			break;
		default:
			send_some(w);
		}
	}
	ops->sender_drop(&w->tx);
	return NULL;
}

static void account(struct worker *w, struct item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t producer = items[i].id >> 32;

		MUST(items[i].id > w->last[producer]); /* P-2 */
		w->last[producer] = items[i].id;
		item_end(&items[i]);
	}
	w->received += n;
}

static void *consume(void *arg)
{
	struct worker *w = arg;
	const struct chan_mpsc_ops *ops = w->run->ops;
	enum chan_status status = CHAN_OK;

	for (int step = 0; status != CHAN_CLOSED; step++) {
		struct item items[4];
		size_t n = 0;

		if (w->run->ending == BY_CLOSE && step == STEPS)
			ops->close(w->rx);
		if (w->run->ending == BY_RECEIVERS && step == STEPS)
			break;
		if (roll(w, 4) == 0) {
			struct counter c = COUNTER;
			if (ops->arm_recv(w->rx, &c.waiter) == CHAN_ARMED) {
				for (uint64_t patience = roll(w, 50); patience > 0 && c.fired == 0; patience--)
					sched_yield();
				if (roll(w, 2) == 0)
					n = (status = ops->recv(w->rx, items, CHAN_NOW)) == CHAN_OK;
				ops->disarm(&c.waiter);
			}
		} else if (roll(w, 2) == 0) {
			n = (status = ops->recv(w->rx, items, some_deadline(w))) == CHAN_OK;
		} else {
			status = ops->recv_many(w->rx, items, 1 + roll(w, 4), &n, some_deadline(w));
			MUST((status == CHAN_OK) == (n > 0));
		}
		account(w, items, n);
	}
	if (status == CHAN_CLOSED) {
		struct item item;
		MUST(ops->recv(w->rx, &item, CHAN_FOREVER) == CHAN_CLOSED); /* for ever */
	}
	ops->receiver_drop(&w->rx);
	return NULL;
}

static void one_round(struct run *run, uint64_t seed)
{
	struct chan_config config = {.size = sizeof(struct item),
	                             .capacity = run->capacity,
	                             .start = 0 - (uint64_t)STEPS,
	                             .destroy = ledger_destroy};
	struct worker workers[PRODUCERS + RECEIVERS];
	pthread_t threads[PRODUCERS + RECEIVERS];
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t sent = 0, received = 0;

	MUST(run->ops->open(&config, &tx, &rx) == CHAN_OK);
	MUST(run->ops->downgrade(tx, &run->weak) == CHAN_OK);
	for (uint64_t i = 0; i < PRODUCERS + RECEIVERS; i++) {
		workers[i] = (struct worker){.run = run, .random = (seed + i + 1) * 0x9E3779B97F4A7C15u, .id = i << 32};
		if (i < PRODUCERS)
			MUST(run->ops->sender_clone(tx, &workers[i].tx) == CHAN_OK);
		else
			MUST(run->ops->receiver_clone(rx, &workers[i].rx) == CHAN_OK);
	}
	run->ops->receiver_drop(&rx);
	struct chan_weak *weaks[PRODUCERS];
	for (size_t i = 0; i < PRODUCERS; i++)
		MUST(run->ops->weak_clone(run->weak, &weaks[i]) == CHAN_OK);
	run->ops->weak_drop(&run->weak);
	struct run runs[PRODUCERS];
	for (size_t i = 0; i < PRODUCERS; i++) {
		runs[i] = *run;
		runs[i].weak = weaks[i];
		workers[i].run = &runs[i];
	}
	for (size_t i = 0; i < PRODUCERS + RECEIVERS; i++)
		MUST(pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume, &workers[i]) == 0);
	run->ops->sender_drop(&tx);
	for (size_t i = 0; i < PRODUCERS + RECEIVERS; i++) {
		pthread_join(threads[i], NULL);
		sent += workers[i].sent;
		received += workers[i].received;
	}
	assert_int_equal(run->ops->upgrade(weaks[0], &tx), CHAN_CLOSED);
	assert_int_equal(run->ops->weak_get(weaks[0], CHAN_SENDERS), 0);
	assert_int_equal(run->ops->weak_get(weaks[0], CHAN_RECEIVERS), 0);
	assert_int_equal(run->ops->weak_get(weaks[0], CHAN_WEAK_SENDERS), PRODUCERS);
	for (size_t i = 0; i < PRODUCERS; i++)
		run->ops->weak_drop(&weaks[i]);
	if (run->ending == BY_RECEIVERS)
		assert_in_range(received, 0, sent); /* the rest was destroyed */
	else
		assert_int_equal(received, sent);
	assert_int_equal(ledger_alive(), 0);
}

static void everything_at_once(void **state)
{
	static const size_t capacities[] = {0, 1, 2, 7};

	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct run run = {.capacity = capacities[round % 4], .ending = (enum ending)(round / 4 % ENDINGS)};

		run.ops = run.capacity == 0 ? &chan_mutex_unbounded_ops : &chan_mutex_mpsc_ops;
		one_round(&run, round * 100);
	}
}

struct racer {
	pthread_barrier_t barrier;
	struct chan_sender *tx;
	struct chan_weak *weak;
};

static void *drop_sender(void *arg)
{
	struct racer *r = arg;

	pthread_barrier_wait(&r->barrier);
	chan_mutex_mpsc_ops.sender_drop(&r->tx);
	return NULL;
}

/* Either a live sender, with which the receiver gets one more message, or none; and CLOSED
 * afterwards (M-75). */
static void upgrade_races_with_the_last_drop(void **state)
{
	const struct chan_mpsc_ops *ops = &chan_mutex_mpsc_ops;

	(void)state;
	for (int i = 0; i < 500; i++) {
		struct chan_config config = {.size = sizeof(struct item), .capacity = 1, .destroy = ledger_destroy};
		struct racer r;
		struct chan_receiver *rx;
		struct chan_sender *tx = NULL;
		struct item item;
		pthread_t thread;

		MUST(ops->open(&config, &r.tx, &rx) == CHAN_OK);
		MUST(ops->downgrade(r.tx, &r.weak) == CHAN_OK);
		pthread_barrier_init(&r.barrier, NULL, 2);
		pthread_create(&thread, NULL, drop_sender, &r);
		pthread_barrier_wait(&r.barrier);
		if (ops->upgrade(r.weak, &tx) == CHAN_OK) {
			item = item_make(1);
			assert_int_equal(ops->receiver_get(rx, CHAN_IS_CLOSED), 0);
			assert_int_equal(ops->send(tx, &item, CHAN_NOW), CHAN_OK);
			ops->sender_drop(&tx);
			assert_int_equal(ops->recv(rx, &item, CHAN_FOREVER), CHAN_OK);
			item_end(&item);
		}
		assert_null(tx);
		assert_int_equal(ops->recv(rx, &item, CHAN_FOREVER), CHAN_CLOSED);
		ops->receiver_drop(&rx);
		pthread_join(thread, NULL);
		pthread_barrier_destroy(&r.barrier);
		ops->weak_drop(&r.weak);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_at_once, ledger_reset, ledger_check),
		cmocka_unit_test_setup_teardown(upgrade_races_with_the_last_drop, ledger_reset, ledger_check),
	};

	impl = &chan_mutex;
	alarm(110);
	return cmocka_run_group_tests_name("mutex/mpsc stress", tests, NULL, NULL);
}
