/* SPDX-License-Identifier: MIT
 *
 * mpsc_handles.c - rules M-71 to M-78 and P: closed(), weak senders, several receivers.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static void closed_waits(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_EMPTY, try_closed(t, tx));
	actor_closed(a, t, tx, CHAN_FOREVER);
	actor_closed(b, t, other, CHAN_FOREVER);
	want_blocked(a);
	want_blocked(b);
	close_rx(t, rx);
	want_returns(a, CHAN_OK);
	want_returns(b, CHAN_OK);
	want(CHAN_OK, try_closed(t, tx));
}

static void closed_by_drop(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	actor_closed(a, t, tx, in_ms(5));
	want_returns(a, CHAN_TIMEOUT);
	actor_closed(a, t, tx, CHAN_FOREVER);
	want_blocked(a);
	rx_drop(t, &rx);
	want_returns(a, CHAN_OK);
}

static void closed_with_messages(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	actor_closed(a, t, tx, CHAN_FOREVER);
	want_blocked(a);
	close_rx(t, rx);
	want_returns(a, CHAN_OK);
	want_recv(t, rx, 1);
}

/* The same with nobody waiting meanwhile: needs no thread to come to rest. */
static void closed_already(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_EMPTY, try_closed(t, tx));
	close_rx(t, rx);
	want(CHAN_OK, try_closed(t, tx));
	want_recv(t, rx, 1);
}

static void closed_races(struct test *t)
{
	struct actor *a = actor_start();
	for (unsigned i = 0; i < rounds(50); i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 2, &tx, &rx);
		actor_closed(a, t, tx, CHAN_FOREVER);
		close_rx(t, rx);
		want_returns(a, CHAN_OK);
		tx_drop(t, &tx);
		rx_drop(t, &rx);
	}
}

static void weak_does_not_hold(struct test *t)
{
	struct chan_sender *tx, *strong;
	struct chan_receiver *rx;
	struct chan_weak *weak;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	weak = downgrade(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_recv(t, rx, 1);
	want(CHAN_OK, upgrade(t, weak, &strong));
	tx_drop(t, &tx);
	want(CHAN_OK, try_send(t, strong, 2));
	want_recv(t, rx, 2);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	tx_drop(t, &strong);
	want_returns(a, CHAN_CLOSED);
}

static void upgrade_fails_for_ever(struct test *t)
{
	struct chan_sender *tx, *strong = NULL;
	struct chan_receiver *rx;
	struct chan_weak *weak;
	open_channel(t, 2, &tx, &rx);
	weak = downgrade(t, tx);
	tx_drop(t, &tx);
	for (int i = 0; i < 3; i++)
		want(CHAN_CLOSED, upgrade(t, weak, &strong));
	rx_drop(t, &rx);
	want(CHAN_CLOSED, upgrade(t, weak, &strong));
}

static void upgrade_by_owned_permit(struct test *t)
{
	struct chan_sender *tx, *strong;
	struct chan_receiver *rx;
	struct chan_weak *weak;
	struct chan_permit permit;
	open_channel(t, 2, &tx, &rx);
	weak = downgrade(t, tx);
	forget(tx);
	want(CHAN_OK, chan_reserve_owned(t->mpsc, &tx, &permit, NULL, CHAN_NOW));
	want(CHAN_OK, upgrade(t, weak, &strong));
	tx_drop(t, &strong);
	step("release the owned permit");
	chan_owned_release(t->mpsc, &permit, NULL);
	want(CHAN_CLOSED, upgrade(t, weak, &strong));
}

static void upgrade_when_closed(struct test *t)
{
	struct chan_sender *tx, *strong;
	struct chan_receiver *rx;
	struct chan_weak *weak;
	open_channel(t, 2, &tx, &rx);
	weak = downgrade(t, tx);
	rx_drop(t, &rx);
	want(CHAN_OK, upgrade(t, weak, &strong));
	want(CHAN_CLOSED, try_send(t, strong, 1));
}

static void counts(struct test *t)
{
	struct chan_sender *tx, *tx2, *up;
	struct chan_receiver *rx;
	struct chan_weak *w1, *w2;
	open_channel(t, 2, &tx, &rx);
	want_u64(1, tx_get(t, tx, CHAN_SENDERS));
	want_u64(0, tx_get(t, tx, CHAN_WEAK_SENDERS));
	tx2 = tx_clone(t, tx);
	w1 = downgrade(t, tx);
	w2 = weak_clone(t, w1);
	want_u64(2, tx_get(t, tx2, CHAN_SENDERS));
	want_u64(2, weak_get(t, w1, CHAN_SENDERS));
	want_u64(2, rx_get(t, rx, CHAN_SENDERS));
	want_u64(2, tx_get(t, tx, CHAN_WEAK_SENDERS));
	want_u64(2, weak_get(t, w2, CHAN_WEAK_SENDERS));
	want_u64(2, rx_get(t, rx, CHAN_WEAK_SENDERS));
	want(CHAN_OK, upgrade(t, w1, &up));
	want_u64(3, rx_get(t, rx, CHAN_SENDERS));
	tx_drop(t, &up);
	tx_drop(t, &tx);
	weak_drop(t, &w1);
	want_u64(1, rx_get(t, rx, CHAN_SENDERS));
	want_u64(1, rx_get(t, rx, CHAN_WEAK_SENDERS));
	tx_drop(t, &tx2);
	want_u64(0, rx_get(t, rx, CHAN_SENDERS));
	want_u64(0, weak_get(t, w2, CHAN_SENDERS));
}

static void each_once(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	struct actor *actors[2] = {actor_start(), actor_start()};
	open_channel(t, 8, &tx, &rx);
	rx2 = rx_clone(t, rx);
	for (uint64_t i = 0; i < 8; i++)
		want(CHAN_OK, try_send(t, tx, i));
	for (uint64_t i = 0; i < 8; i++) {
		actor_recv(actors[i % 2], t, i % 2 ? rx2 : rx, CHAN_FOREVER);
		want_gets(actors[i % 2], i);
	}
	want_none(t, rx, CHAN_EMPTY);
	want_none(t, rx2, CHAN_EMPTY);
}

static void last_receiver_closes(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	open_channel(t, 4, &tx, &rx);
	rx2 = rx_clone(t, rx);
	want(CHAN_OK, try_send(t, tx, 1));
	rx_drop(t, &rx);
	want(CHAN_OK, try_send(t, tx, 2));
	want_recv(t, rx2, 1);
	rx_drop(t, &rx2);
	want(CHAN_CLOSED, try_send(t, tx, 3));
}

static void wakes_one(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 4, &tx, &rx);
	rx2 = rx_clone(t, rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	actor_recv(b, t, rx2, CHAN_FOREVER);
	want_blocked(a);
	want_blocked(b);
	want(CHAN_OK, try_send(t, tx, 1));
	settle();
	want_u64(1, (uint64_t)actor_done(a) + actor_done(b));
	tx_drop(t, &tx);
	settle();
	want_u64(2, (uint64_t)actor_done(a) + actor_done(b));
	enum chan_status one, two;
	actor_join(a, &one, __FILE__, __LINE__);
	actor_join(b, &two, __FILE__, __LINE__);
	want_true((one == CHAN_OK && two == CHAN_CLOSED) || (one == CHAN_CLOSED && two == CHAN_OK));
}

static void wake_is_passed_on(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	struct counter c;
	struct actor *b = actor_start();
	open_channel(t, 4, &tx, &rx);
	rx2 = rx_clone(t, rx);
	want_u64(CHAN_ARMED, arm_recv(t, rx, &c));
	actor_recv(b, t, rx2, CHAN_FOREVER);
	want_blocked(b);
	want(CHAN_OK, try_send(t, tx, 1));
	/* whoever was woken: the message must not sleep */
	want_true(disarm(t, &c) || actor_done(b));
	want_gets(b, 1);
}

static void close_closes_for_all(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx, *rx2;
	struct actor *b = actor_start();
	open_channel(t, 4, &tx, &rx);
	rx2 = rx_clone(t, rx);
	actor_recv(b, t, rx2, CHAN_FOREVER);
	want_blocked(b);
	close_rx(t, rx);
	want_returns(b, CHAN_CLOSED);
	want_none(t, rx, CHAN_CLOSED);
	want(CHAN_CLOSED, try_send(t, tx, 1));
}

#define WEAK "downgrade upgrade weak_drop"

const struct rule mpsc_handles_rules[] = {
	{"M-71",
         RULE_QUEUES,
         "closed() waits until the receiver closes or is gone, on several handles.",
         {{"close", closed_waits, "closed close sender_clone", 0}, {"receiver dropped", closed_by_drop, "closed", 0}}},
	{"M-72",
         RULE_QUEUES,
         "closed() does not wait until the messages were received.",
         {{"one message", closed_with_messages, "closed close", 0},
          {"asked after", closed_already, "closed close", 0}}},
	{"M-73",
         RULE_QUEUES,
         "closed() misses no close that races with it.",
         {{"50 races", closed_races, "closed close", 0}}},
	{"M-74",
         RULE_QUEUES,
         "A weak sender does not hold the channel open.",
         {{"upgrade and drop", weak_does_not_hold, WEAK, 0}}},
	{"M-75",
         RULE_QUEUES,
         "A weak sender can be upgraded while there is a sender, and never again after.",
         {{"no sender", upgrade_fails_for_ever, WEAK, 0}}},
	{"M-75",
         RULE_MPSC,
         "An owned permit is a sender that a weak one can be upgraded by.",
         {{"owned permit", upgrade_by_owned_permit, WEAK " reserve permit_release", 0}}},
	{"M-76",
         RULE_QUEUES,
         "An upgrade does not look at the receiver.",
         {{"receiver dropped", upgrade_when_closed, WEAK, 0}}},
	{"M-77",
         RULE_QUEUES,
         "The numbers of senders and weak senders agree from every handle.",
         {{"clones and drops", counts, WEAK " sender_clone weak_clone sender_get receiver_get weak_get", 0}}},
	{"P-1",
         RULE_QUEUES,
         "Each message goes to exactly one receiver.",
         {{"two receivers", each_once, "receiver_clone", 0}}},
	{"P-3",
         RULE_QUEUES,
         "Only the last receiver's drop closes the channel.",
         {{"two receivers", last_receiver_closes, "receiver_clone", 0}}},
	{"P-4",
         RULE_QUEUES,
         "One message wakes one waiting receiver, the last sender's drop all.",
         {{"two receivers", wakes_one, "receiver_clone", 0}}},
	{"P-5",
         RULE_QUEUES,
         "A receiver that was woken and gives up passes the wake on.",
         {{"disarmed", wake_is_passed_on, "receiver_clone arm_recv disarm", 0}}},
	{"P-6",
         RULE_QUEUES,
         "A close by one receiver closes for all.",
         {{"two receivers", close_closes_for_all, "receiver_clone close", 0}}},
	{0},
};
