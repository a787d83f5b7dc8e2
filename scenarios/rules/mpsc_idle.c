/* SPDX-License-Identifier: MIT
 *
 * mpsc_idle.c - rules M-49 to M-55: a closed channel ends only when nothing can come any more, and
 * then at once.
 *
 * Each way of M-50 by which a closed channel becomes idle has a test of its own: it must wake the
 * receiver.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

/* A closed channel of capacity 1 whose only slot is reserved, and a receiver that waits in
 * another thread. */
struct closing {
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	struct actor *a;
};

static void closing_open(struct test *t, struct closing *c, size_t slots)
{
	open_channel(t, slots, &c->tx, &c->rx);
	want(CHAN_OK, try_reserve(t, c->tx, slots, &c->permit));
	close_rx(t, c->rx);
	c->a = actor_start();
	actor_recv(c->a, t, c->rx, CHAN_FOREVER);
	want_blocked(c->a);
}

/* The same with an owned permit. */
static void closing_open_owned(struct test *t, struct closing *c)
{
	open_channel(t, 1, &c->tx, &c->rx);
	forget(c->tx);
	want(CHAN_OK, chan_reserve_owned(t->mpsc, &c->tx, &c->permit, NULL, CHAN_NOW));
	close_rx(t, c->rx);
	c->a = actor_start();
	actor_recv(c->a, t, c->rx, CHAN_FOREVER);
	want_blocked(c->a);
}

static void release_permit(struct test *t)
{
	struct closing c;
	closing_open(t, &c, 1);
	permit_release(t, &c.permit);
	want_returns(c.a, CHAN_CLOSED);
}

static void release_rest(struct test *t)
{
	struct closing c;
	closing_open(t, &c, 3);
	permit_send(t, &c.permit, 1);
	want_gets(c.a, 1);
	actor_recv(c.a, t, c.rx, CHAN_FOREVER);
	want_blocked(c.a);
	permit_release(t, &c.permit);
	want_returns(c.a, CHAN_CLOSED);
}

static void send_permit(struct test *t)
{
	struct closing c;
	closing_open(t, &c, 1);
	permit_send(t, &c.permit, 1);
	want_gets(c.a, 1);
	actor_recv(c.a, t, c.rx, CHAN_FOREVER);
	want_returns(c.a, CHAN_CLOSED);
}

static void send_owned(struct test *t)
{
	struct closing c;
	closing_open_owned(t, &c);
	step("send with the owned permit");
	chan_owned_send(t->mpsc, &c.permit, &(uint64_t){1}, NULL);
	want_gets(c.a, 1);
	actor_recv(c.a, t, c.rx, CHAN_FOREVER);
	want_returns(c.a, CHAN_CLOSED);
}

static void drop_owned(struct test *t)
{
	struct closing c;
	closing_open_owned(t, &c);
	step("drop the owned permit");
	chan_owned_release(t->mpsc, &c.permit, NULL);
	want_returns(c.a, CHAN_CLOSED);
}

static void release_owned(struct test *t)
{
	struct closing c;
	closing_open_owned(t, &c);
	step("release the owned permit");
	chan_owned_release(t->mpsc, &c.permit, &c.tx);
	keep_sender(c.tx);
	want_returns(c.a, CHAN_CLOSED);
}

/* A reservation waits for slots that somebody else still has; the channel is closed. It fails,
 * which alone does not make the channel idle; the last slot's return does. */
static void failed_reservation(struct test *t, size_t n)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct chan_permit held, wanted;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, n, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_reserve(t, tx, n, &held));
	actor_reserve(b, t, other, n, &wanted, CHAN_FOREVER);
	want_blocked(b);
	if (n > 1) { /* the waiting reservation has been given one slot */
		permit_send(t, &held, 1);
		want_recv(t, rx, 1);
		want_blocked(b);
	}
	close_rx(t, rx);
	want_returns(b, CHAN_CLOSED);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	permit_release(t, &held);
	want_returns(a, CHAN_CLOSED);
}

static void failed_reserve(struct test *t)
{
	failed_reservation(t, 1);
}

static void failed_reserve_many(struct test *t)
{
	failed_reservation(t, 2);
}

/* A sender that was given a slot gives it up only after the close. */
static void cancelled(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct counter c;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(CHAN_ARMED, arm_send(t, other, &c));
	want_recv(t, rx, 1);
	want_u64(1, fired(&c));
	close_rx(t, rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a); /* a slot is owned */
	want_true(disarm(t, &c));
	want_returns(a, CHAN_CLOSED);
}

/* The same, ended by a reservation that fails, by a send that fails, and by the drop of the
 * handle. */
static void cancelled_otherwise(struct test *t)
{
	for (int end = 0; end < 2; end++) {
		struct chan_sender *tx, *other;
		struct chan_receiver *rx;
		struct counter c;
		struct actor *a = actor_start();
		open_channel(t, 1, &tx, &rx);
		other = tx_clone(t, tx);
		want(CHAN_OK, try_send(t, tx, 1));
		want_u64(CHAN_ARMED, arm_send(t, other, &c));
		want_recv(t, rx, 1);
		want_u64(1, fired(&c));
		close_rx(t, rx);
		actor_recv(a, t, rx, CHAN_FOREVER);
		want_blocked(a);
		if (end == 0)
			want(CHAN_CLOSED, try_send(t, other, 2));
		else
			tx_drop(t, &other);
		want_returns(a, CHAN_CLOSED);
		if (end == 0)
			want_true(disarm(t, &c));
	}
}

/* A sender that was given a slot tries to reserve two, in vain: the slot is still its own, and
 * is given up after the close. */
static void cancelled_many(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct chan_permit permit = {.count = 0};
	struct counter c;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_send(t, tx, 2));
	want_u64(CHAN_ARMED, arm_send(t, other, &c));
	want_recv(t, rx, 1);
	want_u64(1, fired(&c));
	want(CHAN_FULL, try_reserve(t, other, 2, &permit));
	want(CHAN_TIMEOUT, t->mpsc->reserve(other, 2, &permit, in_ms(2)));
	want_u64(0, permit.count);
	close_rx(t, rx);
	want_recv(t, rx, 2);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	want_true(disarm(t, &c));
	want_returns(a, CHAN_CLOSED);
}

/* A timed reservation of two slots has collected one, or both, when its time is up. */
static void gave_up_collecting(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct chan_permit permit;
	struct actor *a = actor_start(), *b = actor_start();
	enum chan_status status;
	open_channel(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_send(t, tx, 2));
	actor_reserve(b, t, other, 2, &permit, in_ms(40));
	settle();
	want_recv(t, rx, 1);
	settle();
	want_recv(t, rx, 2);
	actor_join(b, &status, __FILE__, __LINE__);
	if (status == CHAN_OK) /* it got both before its time was up */
		permit_release(t, &permit);
	close_rx(t, rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_returns(a, CHAN_CLOSED);
}

static void not_before(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct chan_permit one, two;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_reserve(t, tx, 1, &one));
	want(CHAN_OK, try_reserve(t, other, 1, &two));
	close_rx(t, rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	permit_release(t, &one);
	want_blocked(a);
	permit_send(t, &two, 7);
	want_gets(a, 7);
	want_none(t, rx, CHAN_CLOSED);
}

static void try_with_permit(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_reserve(t, tx, 1, &permit));
	close_rx(t, rx);
	want_none(t, rx, CHAN_EMPTY);
	want(CHAN_TIMEOUT, recv_until(t, rx, NULL, in_ms(1)));
	permit_release(t, &permit);
	want_none(t, rx, CHAN_CLOSED);
}

static void dropped_sender_with_permit_used(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_reserve(t, tx, 1, &permit));
	tx_drop(t, &other);
	want_none(t, rx, CHAN_EMPTY);
	permit_send(t, &permit, 1);
	tx_drop(t, &tx);
	want_recv(t, rx, 1);
	want_none(t, rx, CHAN_CLOSED);
}

#define PERMIT "reserve permit_send permit_release close"

const struct rule mpsc_idle_rules[] = {
	{"M-49",
         RULE_MPSC,
         "On a closed channel a receive waits while a permit may still send.",
         {{"sent with", send_permit, PERMIT, 0},
          {"senders dropped", dropped_sender_with_permit_used, PERMIT " sender_clone", 0}}},
	{"M-50",
         RULE_MPSC,
         "Whatever makes a closed channel idle wakes its receiver.",
         {{"the last permit is released", release_permit, PERMIT, 0},
          {"the rest of a permit is released", release_rest, PERMIT, 0},
          {"the last owned permit sends", send_owned, PERMIT, 0},
          {"the last owned permit is dropped", drop_owned, PERMIT, 0},
          {"the last owned permit is released", release_owned, PERMIT, 0},
          {"a reservation fails", failed_reserve, PERMIT " sender_clone", 0},
          {"a reservation of many fails", failed_reserve_many, PERMIT " sender_clone", 0},
          {"a sender with a slot gives up", cancelled, "close sender_clone arm_send disarm", 0}}},
	{"M-50",
         RULE_MPSC,
         "Slots that a reservation had collected when it gave up do not keep a closed channel busy.",
         {{"a reservation of many gives up", gave_up_collecting, PERMIT " sender_clone", 0},
          {"a slot that a reservation of many counted in", cancelled_many, "close sender_clone arm_send disarm reserve",
           0},
          {"a sender with a slot fails, or goes", cancelled_otherwise, "close sender_clone arm_send disarm", 0}}},
	{"M-51",
         RULE_MPSC,
         "Nothing short of idle wakes it.",
         {{"one of two permits", not_before, PERMIT " sender_clone", 0}}},
	{"M-55",
         RULE_MPSC,
         "A try to receive on a closed channel is empty, not closed, while a permit is out.",
         {{"one permit", try_with_permit, PERMIT, 0}}},
	{0},
};
