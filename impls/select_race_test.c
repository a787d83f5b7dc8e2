/* SPDX-License-Identifier: MIT
 *
 * What happens to a select in the middle of its work. The deterministic half puts a step of
 * somebody else between two of its own, through a copy of the implementation's table whose
 * functions do that step first; the other half is left to chance, and to a tally.
 */
#include "impls/select.h"
#include "impls/testing/elements.h"

#include <sched.h>

static struct pair a, b;
static uint64_t got[2], value = 7;

static int setup(void **state)
{
	(void)state;
	a = pair_open(1);
	b = pair_open(1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_close(&a);
	pair_close(&b);
	return 0;
}

/* --- a table that does `step` once, before the function it is set on --- */

static void (*step)(void);

static void do_step(void)
{
	void (*f)(void) = step;
	step = NULL;
	if (f != NULL)
		f();
}

static enum chan_status recv_after_step(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	do_step();
	return impl->mpsc->recv(rx, msg, deadline);
}

static enum chan_arm arm_after_step(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	do_step();
	return impl->mpsc->arm_recv(rx, waiter);
}

static bool disarm_after_step(struct chan_waiter *waiter)
{
	do_step();
	return impl->mpsc->disarm(waiter);
}

/* --- one moment, not a smear (S-3): the message moves from b to a while the select looks at b
 * --- */

static void message_to_a_from_b(void)
{
	assert_int_equal(take(&b), 1);
	assert_int_equal(put(&a, 2), CHAN_OK);
}

static void message_to_a(void)
{
	assert_int_equal(put(&a, 2), CHAN_OK);
}

static void never_says_none_of_a_smear(void **state)
{
	(void)state;
	const uint64_t deadlines[] = {CHAN_NOW, 1};
	for (int where = 0; where < 3; where++)
		for (int d = 0; d < 2; d++) {
			struct chan_mpsc_ops ops = *impl->mpsc;
			size_t chosen;
			if (where == 0)
				ops.recv = recv_after_step;
			else if (where == 1)
				ops.arm_recv = arm_after_step;
			else
				ops.disarm = disarm_after_step;
			/* Before b is first looked at, after a was armed, before a is disarmed.
			 * Only the first time b can have been ready until then: arming it would
			 * have said so. */
			if (where == 0)
				assert_int_equal(put(&b, 1), CHAN_OK);
			step = where == 0 ? message_to_a_from_b : message_to_a;
			struct chan_branch branches[] = {chan_on_recv(where == 2 ? &ops : impl->mpsc, a.rx, got),
			                                 chan_on_recv(where == 2 ? impl->mpsc : &ops, b.rx, got + 1)};
			assert_int_equal(chan_select(branches, 2, deadlines[d], CHAN_BIASED, &chosen), CHAN_OK);
			assert_int_equal(chosen, 0);
			assert_int_equal(got[0], 2);
			assert_null(step);
		}
}

/* --- the same, when who made a ready was held up before it could call back: another waiter's
 * wake is before the select's --- */

static _Atomic int wake_runs, wake_may_go;

static void held_up(struct chan_waiter *waiter)
{
	(void)waiter;
	atomic_store(&wake_runs, 1);
	while (!atomic_load(&wake_may_go))
		sched_yield();
}

static void close_channel(void *arg)
{
	(void)arg;
	impl->mpsc->sender_drop(&a.tx);
}

static struct sleeper closer;

static void closes_and_is_held_up(void)
{
	sleeper_start(&closer, close_channel, NULL);
	while (!atomic_load(&wake_runs))
		sched_yield();
}

static void goes_by_the_event_and_not_by_its_callback(void **state)
{
	(void)state;
	if (impl->mpsc->receiver_clone == NULL)
		skip();
	struct chan_mpsc_ops ops = *impl->mpsc;
	struct chan_receiver *first;
	struct chan_waiter waiter = {.wake = held_up};
	atomic_store(&wake_runs, 0);
	atomic_store(&wake_may_go, 0);
	assert_int_equal(impl->mpsc->receiver_clone(a.rx, &first), CHAN_OK);
	assert_int_equal(impl->mpsc->arm_recv(first, &waiter), CHAN_ARMED);
	ops.disarm = disarm_after_step;
	step = closes_and_is_held_up;
	struct chan_branch branch = chan_on_recv(&ops, a.rx, got);
	enum chan_status status = chan_select(&branch, 1, CHAN_NOW, 0, NULL);
	atomic_store(&wake_may_go, 1);
	sleeper_join(&closer);
	assert_true(impl->mpsc->disarm(&waiter));
	impl->mpsc->receiver_drop(&first);
	assert_int_equal(status, CHAN_OK);
	assert_int_equal(branch.status, CHAN_CLOSED);
}

/* --- a loser that was granted something passes it on (S-8) --- */

struct other {
	struct chan_sender *tx;
	struct chan_receiver *rx;
	enum chan_status status;
	uint64_t got;
};

static struct other other;
static struct sleeper other_thread;

static void send_blocked(void *arg)
{
	struct other *o = (struct other *)arg;
	uint64_t nine = 9;
	o->status = impl->mpsc->send(o->tx, &nine, CHAN_FOREVER);
}

static void recv_blocked(void *arg)
{
	struct other *o = (struct other *)arg;
	o->status = impl->mpsc->recv(o->rx, &o->got, CHAN_FOREVER);
}

/* The select is first in a's queue, the other thread second; then the slot comes, and b is ready
 * as well. */
static void slot_comes_and_b_too(void)
{
	sleeper_start(&other_thread, send_blocked, &other);
	sleeper_await(&other_thread);
	assert_int_equal(take(&a), 1);
	assert_int_equal(put(&b, 2), CHAN_OK);
}

static void losing_send_passes_its_slot_on(void **state)
{
	(void)state;
	if (impl->mpsc->sender_clone == NULL)
		skip();
	struct chan_mpsc_ops ops = *impl->mpsc;
	size_t chosen;
	ops.arm_recv = arm_after_step;
	assert_int_equal(put(&a, 1), CHAN_OK);
	assert_int_equal(impl->mpsc->sender_clone(a.tx, &other.tx), CHAN_OK);
	step = slot_comes_and_b_too;
	struct chan_branch branches[] = {chan_on_send(impl->mpsc, a.tx, &value), chan_on_recv(&ops, b.rx, got)};
	assert_int_equal(chan_select(branches, 2, CHAN_FOREVER, CHAN_BIASED, &chosen), CHAN_OK);
	assert_int_equal(chosen, 1);
	sleeper_join(&other_thread); /* or hangs */
	assert_int_equal(other.status, CHAN_OK);
	assert_int_equal(take(&a), 9);
	assert_int_equal(take(&a), UINT64_MAX); /* the loser sent nothing (S-10) */
	assert_int_equal(put(&a, 3), CHAN_OK);  /* and keeps no slot */
	impl->mpsc->sender_drop(&other.tx);
}

static void message_comes_and_b_too(void)
{
	sleeper_start(&other_thread, recv_blocked, &other);
	sleeper_await(&other_thread);
	assert_int_equal(put(&a, 8), CHAN_OK);
	assert_int_equal(put(&b, 2), CHAN_OK);
}

static void losing_receive_passes_its_wake_on(void **state)
{
	(void)state;
	if (impl->mpsc->receiver_clone == NULL)
		skip();
	struct chan_mpsc_ops ops = *impl->mpsc;
	size_t chosen;
	ops.arm_recv = arm_after_step;
	assert_int_equal(impl->mpsc->receiver_clone(a.rx, &other.rx), CHAN_OK);
	step = message_comes_and_b_too;
	struct chan_branch branches[] = {chan_on_recv(impl->mpsc, a.rx, got), chan_on_recv(&ops, b.rx, got + 1)};
	assert_int_equal(chan_select(branches, 2, CHAN_FOREVER, CHAN_BIASED, &chosen), CHAN_OK);
	assert_int_equal(chosen, 1);
	sleeper_join(&other_thread); /* or hangs */
	assert_int_equal(other.status, CHAN_OK);
	assert_int_equal(other.got, 8);
	impl->mpsc->receiver_drop(&other.rx);
}

/* --- one of two is ready at every moment: a select that does not wait must never find none
 * (S-3) --- */

enum { RACES = 20000 };

static _Atomic int turn; /* even: the main thread's; odd: the selecting one's */
static _Atomic int missed_both;

static void pass_turn(int to)
{
	atomic_store(&turn, to);
}

static void await_turn(int which)
{
	while (atomic_load(&turn) != which)
		sched_yield();
}

static void select_in_race(void *arg)
{
	(void)arg;
	struct chan_branch branches[] = {chan_on_recv(impl->mpsc, other.rx, got),
	                                 chan_on_recv(impl->mpsc, b.rx, got + 1)};
	for (int i = 0; i < RACES; i++) {
		await_turn(2 * i + 1);
		if (chan_select(branches, 2, CHAN_NOW, 0, NULL) != CHAN_OK)
			atomic_fetch_add(&missed_both, 1);
		pass_turn(2 * i + 2);
	}
}

static void finds_one_of_two_that_take_turns(void **state)
{
	(void)state;
	if (impl->mpsc->receiver_clone == NULL)
		skip();
	struct sleeper s;
	atomic_store(&turn, 0);
	atomic_store(&missed_both, 0);
	assert_int_equal(impl->mpsc->receiver_clone(a.rx, &other.rx), CHAN_OK);
	sleeper_start(&s, select_in_race, NULL);
	for (int i = 0; i < RACES; i++) {
		assert_int_equal(put(&a, 1), CHAN_OK);
		pass_turn(2 * i + 1);
		assert_int_equal(put(&b, 1), CHAN_OK); /* from here on b, until here a */
		take(&a);
		await_turn(2 * i + 2);
		take(&a);
		take(&b);
	}
	sleeper_join(&s);
	assert_int_equal(atomic_load(&missed_both), 0);
	impl->mpsc->receiver_drop(&other.rx);
}

/* --- the tally: everything once, whatever was granted to losers --- */

enum { THREADS = 3, MESSAGES = 2000 };

struct worker {
	struct sleeper thread;
	struct chan_sender *tx[2];
	struct chan_receiver *rx[2];
	uint64_t id, received;
	unsigned random;
};

static struct worker producers[THREADS], consumers[THREADS];
static _Atomic unsigned char seen[THREADS * MESSAGES];

static uint64_t some_deadline(struct worker *w)
{
	w->random = w->random * 1103515245u + 12345u;
	switch (w->random >> 16 & 3) {
	case 0:
		return CHAN_NOW;
	case 1:
		return chan_deadline_in(w->random >> 18 & 0xfff);
	default:
		return CHAN_FOREVER;
	}
}

static void produce(void *arg)
{
	struct worker *w = (struct worker *)arg;
	for (uint64_t i = 0; i < MESSAGES;) {
		uint64_t message = w->id * MESSAGES + i;
		struct chan_branch branches[] = {chan_on_send(impl->mpsc, w->tx[0], &message),
		                                 chan_on_send(impl->mpsc, w->tx[1], &message)};
		size_t chosen;
		enum chan_status status = chan_select(branches, 2, some_deadline(w), 0, &chosen);
		/* Nobody may write here any more (S-9); the sanitizers see to that, and so does
		 * the next round. */
		if (status == CHAN_OK) {
			MUST(branches[chosen].status == CHAN_OK);
			i++;
		} else {
			MUST(status == CHAN_EMPTY || status == CHAN_TIMEOUT);
		}
		memset(branches, 0xa5, sizeof branches);
	}
	impl->mpsc->sender_drop(&w->tx[0]);
	impl->mpsc->sender_drop(&w->tx[1]);
}

static void consume(void *arg)
{
	struct worker *w = (struct worker *)arg;
	uint64_t message[2];
	struct chan_branch branches[] = {chan_on_recv(impl->mpsc, w->rx[0], &message[0]),
	                                 chan_on_recv(impl->mpsc, w->rx[1], &message[1])};
	while (!branches[0].disabled || !branches[1].disabled) {
		size_t chosen;
		enum chan_status status = chan_select(branches, 2, some_deadline(w), 0, &chosen);
		if (status != CHAN_OK) {
			MUST(status == CHAN_EMPTY || status == CHAN_TIMEOUT);
		} else if (branches[chosen].status == CHAN_CLOSED) {
			branches[chosen].disabled = true;
		} else {
			MUST(branches[chosen].status == CHAN_OK && message[chosen] < THREADS * MESSAGES);
			MUST(atomic_fetch_add(&seen[message[chosen]], 1) == 0); /* once */
			w->received++;
		}
	}
	impl->mpsc->receiver_drop(&w->rx[0]);
	impl->mpsc->receiver_drop(&w->rx[1]);
}

static void loses_and_doubles_nothing(void **state)
{
	(void)state;
	const struct chan_mpsc_ops *ops = impl->mpsc;
	if (ops->receiver_clone == NULL || ops->sender_clone == NULL)
		skip();
	uint64_t received = 0;
	memset(seen, 0, sizeof seen);
	for (unsigned i = 0; i < THREADS; i++) {
		producers[i] = (struct worker){.id = i, .random = i + 1};
		consumers[i] = (struct worker){.id = i, .random = i + 100};
		for (int c = 0; c < 2; c++) {
			assert_int_equal(ops->sender_clone(c ? b.tx : a.tx, &producers[i].tx[c]), CHAN_OK);
			assert_int_equal(ops->receiver_clone(c ? b.rx : a.rx, &consumers[i].rx[c]), CHAN_OK);
		}
	}
	ops->sender_drop(&a.tx);
	ops->sender_drop(&b.tx);
	for (int i = 0; i < THREADS; i++) {
		sleeper_start(&producers[i].thread, produce, &producers[i]);
		sleeper_start(&consumers[i].thread, consume, &consumers[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		sleeper_join(&producers[i].thread);
		sleeper_join(&consumers[i].thread);
		received += consumers[i].received;
	}
	assert_int_equal(received, THREADS * MESSAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(never_says_none_of_a_smear, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_by_the_event_and_not_by_its_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(losing_send_passes_its_slot_on, setup, teardown),
		cmocka_unit_test_setup_teardown(losing_receive_passes_its_wake_on, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_one_of_two_that_take_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(loses_and_doubles_nothing, setup, teardown),
	};
	return testing_run(tests, sizeof tests / sizeof tests[0]);
}
