/* SPDX-License-Identifier: MIT
 *
 * mpsc_queue.c - rules M-22 to M-27: the queue of senders that wait for a slot.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static void no_barging(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	actor_send(a, t, other, 2, CHAN_FOREVER);
	want_blocked(a);
	want_recv(t, rx, 1);
	want(CHAN_FULL, try_send(t, tx, 3));
	want_returns(a, CHAN_OK);
	want_recv(t, rx, 2);
}

static void no_barging_armed(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct counter c;
	open_channel(t, 1, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(CHAN_ARMED, arm_send(t, other, &c));
	want_recv(t, rx, 1);
	want_u64(1, fired(&c));
	want(CHAN_FULL, try_send(t, tx, 3));
	want(CHAN_OK, try_send(t, other, 2));
	want_true(disarm(t, &c));
	want_recv(t, rx, 2);
}

/* Every other sender has a deadline. */
static void four_senders(struct test *t, uint64_t deadline)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *actors[4];
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 0));
	for (uint64_t i = 0; i < 4; i++) {
		actors[i] = actor_start();
		actor_send(actors[i], t, tx_clone(t, tx), i + 1, i % 2 == 0 ? CHAN_FOREVER : deadline);
		want_blocked(actors[i]);
	}
	for (uint64_t i = 0; i < 4; i++) {
		want_recv(t, rx, i);
		want_returns(actors[i], CHAN_OK);
	}
	want_recv(t, rx, 4);
}

static void fifo(struct test *t)
{
	four_senders(t, CHAN_FOREVER);
}

static void fifo_timed(struct test *t)
{
	four_senders(t, in_ms(3600 * 1000));
}

static void fifo_armed(struct test *t)
{
	struct chan_sender *tx, *first, *second;
	struct chan_receiver *rx;
	struct counter one;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	first = tx_clone(t, tx);
	second = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 0));
	want_u64(CHAN_ARMED, arm_send(t, first, &one));
	actor_send(a, t, second, 2, CHAN_FOREVER);
	want_blocked(a);
	want_recv(t, rx, 0);
	want_u64(1, fired(&one));
	want_blocked(a);
	want(CHAN_OK, try_send(t, first, 1));
	want_true(disarm(t, &one));
	want_recv(t, rx, 1);
	want_returns(a, CHAN_OK);
	want_recv(t, rx, 2);
}

static void one_for_one(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *actors[3];
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 0));
	for (uint64_t i = 0; i < 3; i++) {
		actors[i] = actor_start();
		actor_send(actors[i], t, tx_clone(t, tx), i + 1, CHAN_FOREVER);
		want_blocked(actors[i]);
	}
	for (uint64_t freed = 1; freed <= 3; freed++) {
		want(CHAN_OK, try_recv(t, rx, NULL));
		settle();
		uint64_t done = 0;
		for (size_t i = 0; i < 3; i++)
			done += actor_done(actors[i]);
		want_u64(freed, done);
	}
	for (uint64_t i = 0; i < 3; i++)
		want_returns(actors[i], CHAN_OK);
}

static void head_of_line(struct test *t)
{
	struct chan_sender *tx, *many, *single;
	struct chan_receiver *rx;
	struct chan_permit permit;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 3, &tx, &rx);
	many = tx_clone(t, tx);
	single = tx_clone(t, tx);
	for (uint64_t i = 0; i < 3; i++)
		want(CHAN_OK, try_send(t, tx, i));
	actor_reserve(a, t, many, 3, &permit, CHAN_FOREVER);
	want_blocked(a);
	actor_send(b, t, single, 9, CHAN_FOREVER);
	want_blocked(b);
	for (uint64_t i = 0; i < 2; i++) {
		want_recv(t, rx, i);
		want(CHAN_FULL, try_send(t, tx, 8));
		want_blocked(a);
		want_blocked(b);
	}
	want_recv(t, rx, 2);
	want_returns(a, CHAN_OK);
	want_blocked(b);
	permit_release(t, &permit);
	want_returns(b, CHAN_OK);
	want_recv(t, rx, 9);
}

static void gives_up_alone(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	actor_send(a, t, other, 2, in_ms(20));
	want_returns(a, CHAN_TIMEOUT);
	want_recv(t, rx, 1);
	want(CHAN_OK, try_send(t, tx, 3)); /* the slot belongs to nobody who has gone */
	want_recv(t, rx, 3);
	want_none(t, rx, CHAN_EMPTY);
}

static void gives_up_before_another(struct test *t)
{
	struct chan_sender *tx, *first, *second;
	struct chan_receiver *rx;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 1, &tx, &rx);
	first = tx_clone(t, tx);
	second = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	actor_send(a, t, first, 2, in_ms(100));
	settle();
	actor_send(b, t, second, 3, CHAN_FOREVER);
	want_returns(a, CHAN_TIMEOUT);
	want_blocked(b);
	want_recv(t, rx, 1);
	want_returns(b, CHAN_OK);
	want_recv(t, rx, 3);
	want_none(t, rx, CHAN_EMPTY);
}

static void partial_reservation_returns(struct test *t)
{
	struct chan_sender *tx, *many, *single;
	struct chan_receiver *rx;
	struct chan_permit permit;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 2, &tx, &rx);
	many = tx_clone(t, tx);
	single = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_send(t, tx, 2));
	actor_reserve(a, t, many, 2, &permit, in_ms(150));
	settle();
	actor_send(b, t, single, 3, CHAN_FOREVER);
	settle();
	want_recv(t, rx, 1); /* held by the reservation, until it gives up */
	want_returns(a, CHAN_TIMEOUT);
	want_returns(b, CHAN_OK);
	want_recv(t, rx, 2);
	want_recv(t, rx, 3);
	want(CHAN_OK, try_send(t, tx, 4));
	want(CHAN_OK, try_send(t, tx, 5));
	want(CHAN_FULL, try_send(t, tx, 6));
}

static void disarmed_slot_returns(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct counter c;
	open_channel(t, 1, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(CHAN_ARMED, arm_send(t, other, &c));
	want_recv(t, rx, 1);
	want_u64(1, fired(&c));
	want_true(disarm(t, &c));
	want(CHAN_OK, try_send(t, tx, 2));
	want_recv(t, rx, 2);
}

static void disarmed_slot_passed_on(struct test *t)
{
	struct chan_sender *tx, *first, *second;
	struct chan_receiver *rx;
	struct counter c;
	struct actor *b = actor_start();
	open_channel(t, 1, &tx, &rx);
	first = tx_clone(t, tx);
	second = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(CHAN_ARMED, arm_send(t, first, &c));
	actor_send(b, t, second, 2, CHAN_FOREVER);
	want_blocked(b);
	want_recv(t, rx, 1);
	want_u64(1, fired(&c));
	want_blocked(b);
	want_true(disarm(t, &c));
	want_returns(b, CHAN_OK);
	want_recv(t, rx, 2);
}

static void dropped_slot_passed_on(struct test *t)
{
	struct chan_sender *tx, *first, *second;
	struct chan_receiver *rx;
	struct counter c;
	struct actor *b = actor_start();
	open_channel(t, 1, &tx, &rx);
	first = tx_clone(t, tx);
	second = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(CHAN_ARMED, arm_send(t, first, &c));
	actor_send(b, t, second, 2, CHAN_FOREVER);
	want_blocked(b);
	want_recv(t, rx, 1);
	want_u64(1, fired(&c));
	tx_drop(t, &first); /* disarms */
	want_returns(b, CHAN_OK);
	want_recv(t, rx, 2);
}

static void loses_place(struct test *t)
{
	struct chan_sender *tx, *first, *second;
	struct chan_receiver *rx;
	struct counter one, two;
	open_channel(t, 1, &tx, &rx);
	first = tx_clone(t, tx);
	second = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(CHAN_ARMED, arm_send(t, first, &one));
	want_u64(CHAN_ARMED, arm_send(t, second, &two));
	want_true(!disarm(t, &one));
	want_u64(CHAN_ARMED, arm_send(t, first, &one));
	want_recv(t, rx, 1);
	want_u64(1, fired(&two));
	want_u64(0, fired(&one));
	want(CHAN_OK, try_send(t, second, 2));
	want_true(disarm(t, &two));
	want_recv(t, rx, 2);
	want_u64(1, fired(&one));
	want(CHAN_OK, try_send(t, first, 3));
	want_true(disarm(t, &one));
}

const struct rule mpsc_queue_rules[] = {
	{"M-22",
         RULE_MPSC,
         "A slot that is freed while senders wait is the first one's: nobody overtakes.",
         {{"blocked sender", no_barging, "sender_clone", 0},
          {"armed sender", no_barging_armed, "sender_clone arm_send disarm", 0}}},
	{"M-23",
         RULE_MPSC,
         "Senders that wait are served in the order in which they came.",
         {{"four senders", fifo, "sender_clone", 0},
          {"every other with a deadline", fifo_timed, "sender_clone", 0},
          {"armed before blocked", fifo_armed, "sender_clone arm_send disarm", 0}}},
	{"M-24",
         RULE_MPSC,
         "As many senders go on as slots were freed.",
         {{"three senders", one_for_one, "sender_clone", 0}}},
	{"M-25",
         RULE_MPSC,
         "A reservation of several slots at the head keeps what is freed; those behind it wait.",
         {{"three slots", head_of_line, "sender_clone reserve permit_release", 0}}},
	{"M-26",
         RULE_MPSC,
         "The slot of a sender that gave up goes to the next one or back: it is never lost.",
         {{"nobody behind", gives_up_alone, "sender_clone", 0},
          {"another behind", gives_up_before_another, "sender_clone", 0},
          {"slots kept by a reservation", partial_reservation_returns, "sender_clone reserve permit_release", 0},
          {"disarmed", disarmed_slot_returns, "sender_clone arm_send disarm", 0},
          {"disarmed, another behind", disarmed_slot_passed_on, "sender_clone arm_send disarm", 0},
          {"dropped while armed", dropped_slot_passed_on, "sender_clone arm_send disarm", 0}}},
	{"M-27",
         RULE_MPSC,
         "A sender that gave up has lost its place.",
         {{"arm again", loses_place, "sender_clone arm_send disarm", 0}}},
	{0},
};
