/* SPDX-License-Identifier: MIT
 *
 * deadline.c - rules S-12 to S-17: time. Only order and lower bounds are asserted: a loaded machine
 * is late, never early.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <pthread.h>
#include <signal.h>

static void operation_first(struct test *t)
{
	const uint64_t past[] = {1, chan_now(), chan_now() - 1000000};
	for (size_t i = 0; i < 3; i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 2, &tx, &rx);
		give(t, &tx, 1);
		want(CHAN_OK, recv_until(t, rx, NULL, past[i]));
	}
}

static void closed_first(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	tx_drop(t, &tx);
	want(CHAN_CLOSED, recv_until(t, rx, NULL, 1));
}

static void past_is_timeout(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	want(CHAN_TIMEOUT, recv_until(t, rx, NULL, 1));
	want(CHAN_TIMEOUT, recv_until(t, rx, NULL, chan_now()));
	want(CHAN_EMPTY, recv_until(t, rx, NULL, CHAN_NOW));
}

static void never_early(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	for (uint64_t ns = 1; ns < 30000000; ns *= 5) {
		uint64_t deadline = chan_deadline_in(ns);
		want(CHAN_TIMEOUT, recv_until(t, rx, NULL, deadline));
		want_true(chan_now() >= deadline);
	}
}

static void send_never_early(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	for (uint64_t ns = 1; ns < 30000000; ns *= 5) {
		uint64_t deadline = chan_deadline_in(ns);
		want(CHAN_TIMEOUT, send_until(t, tx, 2, deadline));
		want_true(chan_now() >= deadline);
	}
}

static void huge(struct test *t)
{
	const uint64_t deadlines[] = {CHAN_FOREVER - 1,
	                              INT64_MAX,
	                              (uint64_t)INT64_MAX + 1,
	                              UINT64_C(1) << 62,
	                              chan_deadline_in(UINT64_MAX),
	                              chan_deadline_in(UINT64_MAX - chan_now())};
	for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		struct actor *a = actor_start();
		open_channel(t, 2, &tx, &rx);
		actor_recv(a, t, rx, deadlines[i]);
		want_blocked(a);
		give(t, &tx, 1);
		settle();
		want_true(actor_done(a));
		want_returns(a, CHAN_OK);
	}
}

static void nothing_on_signal(int number)
{
	(void)number;
}

/* The thread that waits, known by what it reports. */
static pthread_t waiting;

static enum chan_status do_receive_here(struct job *job)
{
	__atomic_store_n(&waiting, pthread_self(), __ATOMIC_SEQ_CST);
	return recv_until((struct test *)(uintptr_t)job->test, job->rx, NULL, job->deadline);
}

static void signals(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	/* no SA_RESTART: calls are interrupted */
	struct sigaction action = {.sa_handler = nothing_on_signal};
	struct actor *a = actor_start();
	sigaction(SIGUSR1, &action, NULL);
	open_channel(t, 2, &tx, &rx);
	actor_run(a, &(struct job){.run = do_receive_here, .test = t, .rx = rx, .deadline = CHAN_FOREVER},
	          "receive, for ever");
	for (int i = 0; i < 5; i++) {
		want_blocked(a);
		step("a signal to thread a");
		pthread_kill(__atomic_load_n(&waiting, __ATOMIC_SEQ_CST), SIGUSR1);
	}
	want_blocked(a);
	give(t, &tx, 1);
	want_returns(a, CHAN_OK);
}

static void timeout_keeps_message(struct test *t)
{
	uint64_t got = 0;
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 4, &tx, &rx);
	for (uint64_t i = 1; i <= rounds(60); i++) {
		enum chan_status status;
		actor_recv(a, t, rx, chan_deadline_in(i * 2000)); /* races with the send */
		want(CHAN_OK, try_send(t, tx, i));
		got = actor_join(a, &status, __FILE__, __LINE__)->value;
		if (status == CHAN_TIMEOUT)
			want_recv(t, rx, i);
		else
			want_u64(i, got);
		want_none(t, rx, CHAN_EMPTY);
	}
}

static void repeatable(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 2, &tx, &rx);
	for (unsigned i = 0; i < rounds(20); i++)
		want(CHAN_TIMEOUT, recv_until(t, rx, NULL, chan_deadline_in(10000)));
	give(t, &tx, 1);
	want(CHAN_OK, recv_until(t, rx, NULL, CHAN_FOREVER));
}

#define ALL (RULE_QUEUES | RULE_ONESHOT | RULE_BROADCAST | RULE_WATCH)

const struct rule deadline_rules[] = {
	{"S-12",
         ALL,
         "What can complete does, however old its deadline; closed wins over the time.",
         {{"past deadlines", operation_first, "", 0},
          {"closed", closed_first, "", 0},
          {"nothing there", past_is_timeout, "", 0}}},
	{"S-13", ALL, "A timeout does not come before its deadline.", {{"1 ns to 16 ms", never_early, "", 0}}},
	{"S-13",
         RULE_MPSC,
         "A send's timeout does not come before its deadline.",
         {{"send, 1 ns to 16 ms", send_never_early, "", 0}}},
	{"S-14",
         ALL,
         "A deadline beyond the clock is no deadline, neither past nor a crash.",
         {{"six of them", huge, "", 0}}},
	{"S-15",
         RULE_QUEUES | RULE_BROADCAST,
         "A timeout that races with a message leaves it for the next receive.",
         {{"60 races", timeout_keeps_message, "", 0}}},
	{"S-16", ALL, "Signals do not end a wait.", {{"five signals", signals, "", TEST_SIGNALS}}},
	{"S-17", ALL, "After any number of timeouts a receive works.", {{"20 timeouts", repeatable, "", 0}}},
	{0},
};
