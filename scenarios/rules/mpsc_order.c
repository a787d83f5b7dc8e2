/* SPDX-License-Identifier: MIT
 *
 * mpsc_order.c - what holds while several threads are at work: rules M-9 to M-11 (the length),
 * M-21, M-56 (nothing fails for no reason), M-62, M-64 (all forms of an operation are one), P-2.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

/* Sends `n` elements value, value + 1 ... and counts what has begun and what has returned. */
static uint64_t begun, returned;

static enum chan_status do_counted_sends(struct job *job)
{
	for (uint64_t i = 0; i < job->n; i++) {
		uint64_t value = job->value + i;
		__atomic_fetch_add(&begun, 1, __ATOMIC_SEQ_CST);
		enum chan_status status = job->test->mpsc->send(job->tx, &value, job->deadline);
		if (status != CHAN_OK)
			return status;
		__atomic_fetch_add(&returned, 1, __ATOMIC_SEQ_CST);
	}
	return CHAN_OK;
}

static void actor_sends(struct actor *a, struct test *t, struct chan_sender *tx, uint64_t from, size_t n,
                        uint64_t deadline)
{
	actor_run(a,
	          &(struct job){
			  .run = do_counted_sends, .test = t, .tx = tx, .value = from, .n = n, .deadline = deadline},
	          "%zu sends", n);
}

#define EACH_SENDS rounds(1500)

static void wrong_length(uint64_t least, uint64_t most, uint64_t length)
{
	char expected[80], seen[32];
	snprintf(expected, sizeof(expected), "a length from %" PRIu64 " to %" PRIu64, least, most);
	snprintf(seen, sizeof(seen), "%" PRIu64, length);
	broken_because(expected, seen);
}

static void length_is_between(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *actors[2];
	uint64_t taken = 0;
	open_channel(t, 16, &tx, &rx);
	for (size_t i = 0; i < 2; i++) {
		actors[i] = actor_start();
		actor_sends(actors[i], t, tx_clone(t, tx), 0, EACH_SENDS, CHAN_FOREVER);
	}
	step("ask for the length %u times while two threads send", 2 * EACH_SENDS);
	while (taken < 2 * EACH_SENDS) {
		uint64_t least = __atomic_load_n(&returned, __ATOMIC_SEQ_CST) - taken;
		uint64_t length = rx_get(t, rx, CHAN_LEN);
		uint64_t most = __atomic_load_n(&begun, __ATOMIC_SEQ_CST) - taken;
		if (length > most || (length < least && least <= most))
			wrong_length(least, most, length);
		if (try_recv(t, rx, NULL) == CHAN_OK)
			taken++;
		else
			sched_yield();
	}
	for (size_t i = 0; i < 2; i++)
		want_returns(actors[i], CHAN_OK);
	want_u64(0, rx_get(t, rx, CHAN_LEN));
}

/* Empties the channel, sends, and looks at once. False: others had filled it meanwhile, and
 * nothing was sent. */
static bool send_and_look(struct test *t, struct chan_sender *tx, struct chan_receiver *rx, bool by_length)
{
	while (try_recv(t, rx, NULL) == CHAN_OK)
		;
	if (try_send(t, tx, 7) != CHAN_OK)
		return false;
	if (by_length && rx_get(t, rx, CHAN_LEN) == 0)
		broken_because("a length of 1 or more after a send had returned", "0");
	if (!by_length && try_recv(t, rx, NULL) != CHAN_OK)
		broken_because("a message after a send had returned", "none");
	return true;
}

/* Others send at the same time and may have claimed earlier places: what this thread sent is
 * there at once all the same. */
static void own_send_is_there(struct test *t, bool by_length)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *actors[2];
	open_channel(t, 64, &tx, &rx);
	for (size_t i = 0; i < 2; i++) {
		actors[i] = actor_start();
		actor_sends(actors[i], t, tx_clone(t, tx), 0, EACH_SENDS, CHAN_FOREVER);
	}
	step("send and look at once, while two threads send");
	while (!actor_done(actors[0]) || !actor_done(actors[1]))
		send_and_look(t, tx, rx, by_length);
	while (try_recv(t, rx, NULL) == CHAN_OK)
		;
	for (size_t i = 0; i < 2; i++)
		want_returns(actors[i], CHAN_OK);
	/* the others may have been done before this thread began */
	want_true(send_and_look(t, tx, rx, by_length));
}

static void not_empty_after_send(struct test *t)
{
	own_send_is_there(t, true);
}

static void no_spurious_empty(struct test *t)
{
	own_send_is_there(t, false);
}

static void empty_means_none(struct test *t)
{
	static const uint64_t numbers[] = {1, 2, 31, 32, 33, 63, 64, 65};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 65, &tx, &rx);
		for (uint64_t k = 0; k < numbers[i]; k++) {
			want(CHAN_OK, try_send(t, tx, k));
			want_u64(k + 1, rx_get(t, rx, CHAN_LEN));
		}
		tx_drop(t, &tx);
		for (uint64_t k = numbers[i]; k > 0; k--) {
			want_u64(k, rx_get(t, rx, CHAN_LEN));
			want(CHAN_OK, try_recv(t, rx, NULL));
		}
		want_u64(0, rx_get(t, rx, CHAN_LEN));
		want_none(t, rx, CHAN_CLOSED);
		want_u64(0, rx_get(t, rx, CHAN_LEN));
		rx_drop(t, &rx);
	}
}

static void no_spurious_full(struct test *t)
{
	struct actor *actors[3];
	for (size_t i = 0; i < 3; i++)
		actors[i] = actor_start();
	for (unsigned round = 0; round < rounds(40); round++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 60, &tx, &rx);
		for (size_t i = 0; i < 3; i++)
			actor_sends(actors[i], t, tx_clone(t, tx), 0, 20, CHAN_NOW);
		for (size_t i = 0; i < 3; i++)
			want_returns(actors[i], CHAN_OK);
		want(CHAN_FULL, try_send(t, tx, 1));
		handles_drop(t);
	}
}

/* One channel is read one by one and the other in batches: the same messages in the same order. */
static void batches_in_order(struct test *t)
{
	struct chan_sender *tx[2], *other[2];
	struct chan_receiver *rx[2];
	uint64_t next = 0, batch[9], got = 0;
	for (size_t c = 0; c < 2; c++) {
		open_channel(t, 64, &tx[c], &rx[c]);
		other[c] = tx_clone(t, tx[c]);
	}
	for (size_t limit = 1; limit <= 9; limit++) {
		size_t n = 0;
		for (uint64_t i = 0; i < 40; i++, next++)
			for (size_t c = 0; c < 2; c++)
				want(CHAN_OK, try_send(t, next % 3 == 0 ? other[c] : tx[c], next));
		for (size_t left = 40; left > 0; left -= n) {
			want(CHAN_OK, t->mpsc->recv_many(rx[1], batch, limit, &n, CHAN_NOW));
			want_u64(left < limit ? left : limit, n);
			for (size_t i = 0; i < n; i++) {
				want(CHAN_OK, try_recv(t, rx[0], &got));
				want_u64(got, batch[i]);
			}
		}
	}
}

/* Every form of a receive takes what every form of a send has sent, waiting before it or after
 * it. */
static void all_forms(struct test *t)
{
	struct actor *a = actor_start();
	struct chan_sender *tx;
	struct chan_receiver *rx;
	const uint64_t forms[] = {CHAN_FOREVER, in_ms(3600000), CHAN_NOW};
	uint64_t value = 0;
	open_channel(t, 1, &tx, &rx);
	for (size_t s = 0; s < 3; s++)
		for (size_t r = 0; r < 3; r++) {
			want(CHAN_OK, send_until(t, tx, ++value, forms[s]));
			actor_recv(a, t, rx, forms[r]);
			want_gets(a, value);
			if (r == 2)
				continue;
			actor_recv(a, t, rx, forms[r]);
			want_blocked(a);
			want(CHAN_OK, send_until(t, tx, ++value, forms[s]));
			want_gets(a, value);
		}
}

static void waiting_senders_all_forms(struct test *t)
{
	struct actor *a = actor_start();
	struct chan_sender *tx;
	struct chan_receiver *rx;
	const uint64_t forms[] = {CHAN_FOREVER, in_ms(3600000), CHAN_NOW};
	uint64_t value = 0, got = 0;
	open_channel(t, 1, &tx, &rx);
	for (size_t s = 0; s < 2; s++)
		for (size_t r = 0; r < 3; r++) {
			want(CHAN_OK, try_send(t, tx, value++));
			actor_send(a, t, tx, value++, forms[s]);
			want_blocked(a);
			want(CHAN_OK, recv_until(t, rx, &got, forms[r]));
			want_u64(value - 2, got);
			want_returns(a, CHAN_OK);
			want(CHAN_OK, recv_until(t, rx, &got, forms[r]));
			want_u64(value - 1, got);
		}
}

/* Receives until it is closed; fails when a producer's number does not rise. */
static enum chan_status do_rising_receives(struct job *job)
{
	uint64_t last[2] = {0, 0}, value = 0;
	enum chan_status status;
	for (job->n = 0; (status = job->test->mpsc->recv(job->rx, &value, CHAN_FOREVER)) == CHAN_OK; job->n++) {
		uint64_t *producer = &last[value >> 32 & 1];
		if ((value & UINT32_MAX) <= *producer)
			return CHAN_INVALID;
		*producer = value & UINT32_MAX;
	}
	return status;
}

static void rising_in_each(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx[2];
	struct actor *producers[2] = {actor_start(), actor_start()}, *receivers[2] = {actor_start(), actor_start()};
	open_channel(t, 8, &tx, &rx[0]);
	other = tx_clone(t, tx);
	rx[1] = rx_clone(t, rx[0]);
	for (size_t i = 0; i < 2; i++)
		actor_run(receivers[i],
		          &(struct job){.run = do_rising_receives, .test = t, .rx = rx[i], .deadline = CHAN_FOREVER},
		          "receive until closed");
	actor_sends(producers[0], t, tx, 1, EACH_SENDS, CHAN_FOREVER);
	actor_sends(producers[1], t, other, UINT64_C(1) << 32 | 1, EACH_SENDS, CHAN_FOREVER);
	for (size_t i = 0; i < 2; i++) {
		actor_await(producers[i]);
		want_returns(producers[i], CHAN_OK);
	}
	tx_drop(t, &tx);
	tx_drop(t, &other);
	uint64_t received = want_returns(receivers[0], CHAN_CLOSED)->n;
	want_u64(2 * EACH_SENDS, received + want_returns(receivers[1], CHAN_CLOSED)->n);
}

const struct rule mpsc_order_rules[] = {
	{"M-9",
         RULE_QUEUES,
         "While others send, the length counts every send that has returned and none that has not begun.",
         {{"two threads send", length_is_between, "sender_clone receiver_get", 0}}},
	{"M-10",
         RULE_QUEUES,
         "A channel is not empty after a send has returned, even if a slower sender has the place before it.",
         {{"two more threads send", not_empty_after_send, "sender_clone receiver_get", 0}}},
	{"M-11",
         RULE_QUEUES,
         "It is empty exactly when its length is 0, at every fill level and around the close.",
         {{"1 to 65", empty_means_none, "receiver_get", 0}}},
	{"M-21",
         RULE_MPSC,
         "A try to send is never full while there is a slot for it.",
         {{"60 tries of three threads for 60 slots", no_spurious_full, "sender_clone", 0}}},
	{"M-56",
         RULE_QUEUES,
         "A try to receive is never empty after a send has returned.",
         {{"two more threads send", no_spurious_empty, "sender_clone", 0}}},
	{"M-62",
         RULE_QUEUES,
         "Receiving many gives the messages in the order of single receives.",
         {{"limits 1 to 9", batches_in_order, "sender_clone recv_many", 0}}},
	{"M-64",
         RULE_QUEUES,
         "Trying, waiting with a deadline and waiting for ever are one operation and work with each other.",
         {{"receives, waiting and not", all_forms, "", 0}}},
	{"M-64",
         RULE_MPSC,
         "Trying, waiting with a deadline and waiting for ever are one operation and work with each other.",
         {{"sends that wait", waiting_senders_all_forms, "", 0}}},
	{"P-2",
         RULE_QUEUES,
         "The messages of one sender rise within each receiver.",
         {{"two senders, two receivers", rising_in_each, "sender_clone receiver_clone", 0}}},
	{0},
};
