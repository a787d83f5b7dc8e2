/* SPDX-License-Identifier: MIT
 *
 * fault_time.c - rules S-13 and S-16 with faults: every operation that waits, while its waits end
 * for no reason, while signals interrupt it, and while the wall clock is stepped under it.
 */
#include "harness/check/fault_wait.h"
#include "harness/check/quiesce.h"
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { SPURIOUS = 50, CAPACITY = 1, DEADLINE_MS = 20, SIGNALS = 20 };

/* One operation that waits. */
struct waiting {
	const char *what;
	enum chan_status (*call)(struct job *job);
	void (*block)(struct test *t, struct chan_sender *tx); /* makes it wait; NULL */
	void (*release)(struct test *t, struct chan_sender **tx,
	                struct chan_receiver **rx); /* lets it return CHAN_OK */
};

/* ------------------------------------------------------------------------------------------
 * The operations
 */

static enum chan_status call_receive(struct job *job)
{
	return recv_until((struct test *)(uintptr_t)job->test, job->rx, NULL, job->deadline);
}

static enum chan_status call_recv_many(struct job *job)
{
	uint64_t values[4];
	size_t n;
	return job->test->mpsc->recv_many(job->rx, values, 4, &n, job->deadline);
}

static enum chan_status call_send(struct job *job)
{
	uint64_t value = 7;
	return job->test->mpsc->send(job->tx, &value, job->deadline);
}

static enum chan_status call_send_many(struct job *job)
{
	uint64_t value = 7;
	size_t n;
	return job->test->mpsc->send_many(job->tx, &value, 1, &n, job->deadline);
}

static enum chan_status call_reserve(struct job *job)
{
	struct chan_permit permit = {0};
	enum chan_status status = job->test->mpsc->reserve(job->tx, 1, &permit, job->deadline);
	if (status == CHAN_OK)
		job->test->mpsc->permit_release(&permit);
	return status;
}

static enum chan_status call_closed(struct job *job)
{
	return job->test->any.closed(job->tx, job->deadline);
}

static bool is_one(const void *value, void *arg)
{
	uint64_t number;
	(void)arg;
	memcpy(&number, value, sizeof(number));
	return number == 1;
}

static enum chan_status call_wait_for(struct job *job)
{
	uint64_t value;
	return job->test->watch->wait_for(job->rx, is_one, NULL, &value, job->deadline);
}

static void fill(struct test *t, struct chan_sender *tx)
{
	for (uint64_t i = 0; i < CAPACITY; i++)
		want(CHAN_OK, try_send(t, tx, i));
}

static void give_one(struct test *t, struct chan_sender **tx, struct chan_receiver **rx)
{
	(void)rx;
	give(t, tx, 1);
}

static void take(struct test *t, struct chan_sender **tx, struct chan_receiver **rx)
{
	(void)tx;
	want_recv(t, *rx, 0);
}

static void leave(struct test *t, struct chan_sender **tx, struct chan_receiver **rx)
{
	(void)tx;
	rx_drop(t, rx);
}

/* ------------------------------------------------------------------------------------------
 * The faults
 */

static pthread_t waiting_thread; /* __atomic */

/* `n`: how many waits to disturb, and how many were; `array`: the operation; `missed`: when it
 * had returned. */
static enum chan_status disturbed(struct job *job)
{
	const struct waiting *waiting = job->array;
	__atomic_store_n(&waiting_thread, pthread_self(), __ATOMIC_SEQ_CST);
	fault_wait_disturb(job->n);
	enum chan_status status = waiting->call(job);
	job->n = fault_wait_disturbed();
	job->missed = chan_now();
	return status;
}

struct waiting_scene {
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *actor;
	uint64_t deadline;
};

static void begin(struct test *t, const struct waiting *waiting, struct waiting_scene *s, size_t disturb, uint64_t ms)
{
	if (!fault_wait_ready())
		untestable(fault_wait_why);
	s->actor = actor_start();
	open_channel(t, CAPACITY, &s->tx, &s->rx);
	if (waiting->block != NULL)
		waiting->block(t, s->tx);
	s->deadline = ms == 0 ? CHAN_FOREVER : in_ms(ms);
	actor_run(s->actor,
	          &(struct job){.run = disturbed,
	                        .test = t,
	                        .tx = s->tx,
	                        .rx = s->rx,
	                        .array = (void *)(uintptr_t)waiting,
	                        .n = disturb,
	                        .deadline = s->deadline},
	          "%s, %s", waiting->what, ms == 0 ? "for ever" : "with a deadline");
}

/* It gave up, in time, and works afterwards. */
static void want_timed_out(struct test *t, const struct waiting *waiting, struct waiting_scene *s)
{
	const struct job *job = want_returns(s->actor, CHAN_TIMEOUT);
	step("it gave up %lld ns after its deadline", (long long)(job->missed - s->deadline));
	if (job->missed < s->deadline)
		broken_because("a timeout does not come before its deadline", "it did");
	struct job again = {.test = t, .tx = s->tx, .rx = s->rx, .deadline = CHAN_FOREVER};
	waiting->release(t, &s->tx, &s->rx);
	want(CHAN_OK, waiting->call(&again));
}

static void run_spurious(struct test *t, const struct waiting *waiting)
{
	struct waiting_scene s;
	begin(t, waiting, &s, SPURIOUS, 0);
	want_blocked(s.actor);
	waiting->release(t, &s.tx, &s.rx);
	if (want_returns(s.actor, CHAN_OK)->n == 0)
		untestable("it waits in none of the ways that can be intercepted");
}

static void run_spurious_deadline(struct test *t, const struct waiting *waiting)
{
	struct waiting_scene s;
	begin(t, waiting, &s, SPURIOUS, DEADLINE_MS);
	want_timed_out(t, waiting, &s);
}

static void nothing_on_signal(int number)
{
	(void)number;
}

static void run_signals(struct test *t, const struct waiting *waiting)
{
	struct waiting_scene s;
	struct sigaction action = {.sa_handler = nothing_on_signal}; /* no SA_RESTART */
	sigaction(SIGUSR1, &action, NULL);
	begin(t, waiting, &s, 0, DEADLINE_MS);
	settle();
	step("signals to thread a until it returns");
	for (int i = 0; i < SIGNALS && !actor_done(s.actor); i++) {
		pthread_kill(__atomic_load_n(&waiting_thread, __ATOMIC_SEQ_CST), SIGUSR1);
		quiesce(5000000);
	}
	want_timed_out(t, waiting, &s);
}

static void run_clock(struct test *t, const struct waiting *waiting)
{
	static const int64_t steps[] = {3600, -3600};
	for (size_t i = 0; i < 2; i++) {
		struct waiting_scene s;
		if (!fault_wait_ready())
			untestable(fault_wait_why);
		fault_clock_expect();
		size_t before = fault_clock_waiters();
		begin(t, waiting, &s, 0, 2 * DEADLINE_MS);
		while (fault_clock_waiters() == before && !actor_done(s.actor) && !quiesce(5000000))
			;
		step("the wall clock is stepped by %lld s", (long long)steps[i]);
		fault_clock_step(steps[i]);
		want_timed_out(t, waiting, &s);
	}
}

/* ------------------------------------------------------------------------------------------ */

static const struct waiting receive = {"receive", call_receive, NULL, give_one};
static const struct waiting recv_many = {"recv_many", call_recv_many, NULL, give_one};
static const struct waiting send = {"send", call_send, fill, take};
static const struct waiting send_many = {"send_many", call_send_many, fill, take};
static const struct waiting reserve = {"reserve", call_reserve, fill, take};
static const struct waiting closed = {"closed", call_closed, NULL, leave};
static const struct waiting wait_for = {"wait_for", call_wait_for, NULL, give_one};

#define TESTS(name)                                                                                                    \
	static void spurious_##name(struct test *t)                                                                    \
	{                                                                                                              \
		run_spurious(t, &name);                                                                                \
	}                                                                                                              \
	static void deadline_##name(struct test *t)                                                                    \
	{                                                                                                              \
		run_spurious_deadline(t, &name);                                                                       \
	}                                                                                                              \
	static void signals_##name(struct test *t)                                                                     \
	{                                                                                                              \
		run_signals(t, &name);                                                                                 \
	}                                                                                                              \
	static void clock_##name(struct test *t)                                                                       \
	{                                                                                                              \
		run_clock(t, &name);                                                                                   \
	}

TESTS(receive)
TESTS(recv_many)
TESTS(send)
TESTS(send_many)
TESTS(reserve)
TESTS(closed)
TESTS(wait_for)

#define ALL        (RULE_QUEUES | RULE_ONESHOT | RULE_BROADCAST | RULE_WATCH)
#define SPURIOUSLY "Waits that end for no reason are not seen, and deadlines are kept: "
#define STEPPED    "Steps of the wall clock end no wait and prolong none: "

#define RULES(name, kinds, needs)                                                                                      \
	{"S-16",                                                                                                       \
	 kinds,                                                                                                        \
	 SPURIOUSLY #name ".",                                                                                         \
	 {{#name ", 50 times", spurious_##name, needs, TEST_FAULT},                                                    \
	  {#name ", 50 times, deadline", deadline_##name, needs, TEST_FAULT},                                          \
	  {#name ", signals, deadline", signals_##name, needs, TEST_FAULT}}},                                          \
	{                                                                                                              \
		"S-13", kinds, STEPPED #name ".",                                                                      \
		{                                                                                                      \
			{                                                                                              \
#name ", an hour either way", clock_##name, needs, TEST_FAULT                          \
			}                                                                                              \
		}                                                                                                      \
	}

const struct rule fault_time_rules[] = {
	RULES(receive, ALL, ""),
	RULES(recv_many, RULE_QUEUES, "recv_many"),
	RULES(send, RULE_MPSC, ""),
	RULES(send_many, RULE_MPSC, "send_many"),
	RULES(reserve, RULE_MPSC, "reserve permit_release"),
	RULES(closed, ALL, "closed"),
	RULES(wait_for, RULE_WATCH, "wait_for"),
	{0},
};
