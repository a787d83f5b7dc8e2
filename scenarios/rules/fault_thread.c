/* SPDX-License-Identifier: MIT
 *
 * fault_thread.c - threads that end while they hold something of a channel: a handle, a permit, an
 * armed waiter, the memory of a wait that gave up. What they held is others' to drop; until then it
 * counts, and afterwards nothing is stuck.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <pthread.h>
#include <stdio.h>

/* How a thread ends. A cancellation acts where the thread asks for it, never inside an
 * operation. */
enum ending { RETURNS, EXITS, IS_CANCELLED, ENDINGS };
static const char *const ending_names[ENDINGS] = {"returns", "calls pthread_exit", "is cancelled"};

struct mortal {
	enum ending ending;
	struct test *t;
	void (*act)(struct mortal *m);
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	struct counter counter;
	enum chan_status status;
	enum chan_arm armed;
};

static void *live(void *arg)
{
	struct mortal *m = arg;
	m->act(m);
	if (m->ending == RETURNS)
		return NULL;
	if (m->ending == EXITS)
		pthread_exit(NULL);
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return NULL;
}

/* A thread does `act`, and ends. */
static void live_and_die(struct mortal *m)
{
	pthread_t thread;
	step("a thread does its part and %s", ending_names[m->ending]);
	if (pthread_create(&thread, NULL, live, m) != 0)
		untestable("a thread could not be started");
	pthread_join(thread, NULL);
}

/* The thread that goes on. */
static struct actor *a;

static void each_ending(struct test *t, void (*run)(struct test *t, struct mortal *m))
{
	a = actor_start();
	for (int ending = RETURNS; ending < ENDINGS; ending++) {
		static struct mortal m;
		m = (struct mortal){.ending = (enum ending)ending, .t = t};
		run(t, &m);
		handles_drop(t);
	}
}

/* ------------------------------------------------------------------------------------------ */

static void act_send(struct mortal *m)
{
	m->status = try_send(m->t, m->tx, 1);
}

/* Its sender keeps the channel open, and no longer. */
static void holds_sender(struct test *t, struct mortal *m)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	m->tx = tx_clone(t, tx);
	m->act = act_send;
	live_and_die(m);
	want_u64(CHAN_OK, m->status);
	tx_drop(t, &tx);
	if (t->kind == KIND_WATCH)
		want(CHAN_OK, t->watch->changed(rx, CHAN_NOW));
	else
		want_recv(t, rx, 1);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	tx_drop(t, &m->tx);
	want_returns(a, CHAN_CLOSED);
}

static void act_wait(struct mortal *m)
{
	m->status = recv_until(m->t, m->rx, NULL, in_ms(2));
}

/* Nothing is left of a wait that gave up but its handle. */
static void waited(struct test *t, struct mortal *m)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	m->rx = rx;
	m->act = act_wait;
	live_and_die(m);
	want_u64(CHAN_TIMEOUT, m->status);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	give(t, &tx, 1);
	want_returns(a, CHAN_OK);
}

static void act_send_waits(struct mortal *m)
{
	m->status = send_until(m->t, m->tx, 2, in_ms(2));
}

static void sender_waited(struct test *t, struct mortal *m)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 1, &tx, &rx);
	m->tx = tx_clone(t, tx);
	m->act = act_send_waits;
	want(CHAN_OK, try_send(t, tx, 1));
	live_and_die(m);
	want_u64(CHAN_TIMEOUT, m->status);
	actor_send(a, t, tx, 3, CHAN_FOREVER);
	want_blocked(a);
	want_recv(t, rx, 1);
	want_returns(a, CHAN_OK);
	want_recv(t, rx, 3);
}

static void act_reserve(struct mortal *m)
{
	m->status = try_reserve(m->t, m->tx, 1, &m->permit);
}

/* Its permit holds its slot until somebody gives it back. */
static void holds_permit(struct test *t, struct mortal *m)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 1, &tx, &rx);
	m->tx = tx_clone(t, tx);
	m->act = act_reserve;
	live_and_die(m);
	want_u64(CHAN_OK, m->status);
	actor_send(a, t, tx, 3, CHAN_FOREVER);
	want_blocked(a);
	permit_release(t, &m->permit);
	want_returns(a, CHAN_OK);
	want_recv(t, rx, 3);
}

static void act_arm_send(struct mortal *m)
{
	m->armed = arm_send(m->t, m->tx, &m->counter);
}

/* Its armed sender keeps its turn; the drop of the handle passes the slot on. */
static void armed_to_send(struct test *t, struct mortal *m)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 1, &tx, &rx);
	m->tx = tx_clone(t, tx);
	m->act = act_arm_send;
	want(CHAN_OK, try_send(t, tx, 1));
	live_and_die(m);
	want_u64(CHAN_ARMED, m->armed);
	actor_send(a, t, tx, 3, CHAN_FOREVER);
	want_blocked(a);
	want_recv(t, rx, 1);
	want_blocked(a);
	want_u64(1, fired(&m->counter));
	tx_drop(t, &m->tx);
	want_returns(a, CHAN_OK);
	want_recv(t, rx, 3);
}

static void act_arm_recv(struct mortal *m)
{
	m->armed = arm_recv(m->t, m->rx, &m->counter);
}

/* Its waiter fires in who sends, and is disarmed by another thread. */
static void armed_to_receive(struct test *t, struct mortal *m)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	m->rx = rx;
	m->act = act_arm_recv;
	live_and_die(m);
	want_u64(CHAN_ARMED, m->armed);
	give(t, &tx, 1);
	want_u64(1, fired(&m->counter));
	want_true(disarm(t, &m->counter));
	if (t->kind == KIND_WATCH)
		want(CHAN_OK, t->watch->changed(rx, CHAN_NOW));
	else
		want_recv(t, rx, 1);
}

#define TEST(name)                                                                                                     \
	static void dies_##name(struct test *t)                                                                        \
	{                                                                                                              \
		each_ending(t, name);                                                                                  \
	}
TEST(holds_sender)
TEST(waited)
TEST(sender_waited)
TEST(holds_permit)
TEST(armed_to_send)
TEST(armed_to_receive)

const struct rule fault_thread_rules[] = {
	{"D-13",
         RULE_QUEUES | RULE_BROADCAST | RULE_WATCH,
         "A handle outlives the thread that used it, and ends with its drop in any thread.",
         {{"thread ends with a sender", dies_holds_sender, "sender_clone", TEST_FAULT}}},
	{"D-14",
         RULE_QUEUES | RULE_ONESHOT | RULE_BROADCAST | RULE_WATCH,
         "Of a thread that waited and ended the channel keeps nothing.",
         {{"thread ends after a receive", dies_waited, "", TEST_FAULT}}},
	{"D-14",
         RULE_MPSC,
         "Of a sender whose thread ended nothing is stuck once it is dropped.",
         {{"thread ends after a send", dies_sender_waited, "sender_clone", TEST_FAULT},
          {"thread ends with a permit", dies_holds_permit, "sender_clone reserve permit_release", TEST_FAULT},
          {"thread ends armed to send", dies_armed_to_send, "sender_clone arm_send", TEST_FAULT}}},
	{"D-14",
         RULE_QUEUES | RULE_ONESHOT | RULE_BROADCAST,
         "A waiter fires although the thread that armed it has ended.",
         {{"thread ends armed to receive", dies_armed_to_receive, "arm_recv disarm", TEST_FAULT}}},
	{"D-14",
         RULE_WATCH,
         "A waiter fires although the thread that armed it has ended.",
         {{"thread ends armed to receive", dies_armed_to_receive, "arm_changed disarm", TEST_FAULT}}},
	{0},
};
