/* SPDX-License-Identifier: MIT
 *
 * fault_stop.c - rule X-2: a thread is stopped in the middle of an operation; which operations of
 * the others wait for it? It is measured and told, for no implementation claims anything here. What
 * is demanded: when it goes on, so do all, and no message is lost.
 */
#include "harness/check/fault_stop.h"
#include "harness/check/quiesce.h"
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <stdio.h>

enum {
	STOPS = 40,   /* about so many instructions of each operation, evenly spread */
	OBSERVED = 3, /* operations of others: a send, a receive, a property */
	SPINS_MS = 50 /* one that is neither done nor asleep after so long spins; only reported */
};

enum operation { SEND, RECEIVE, PROPERTY, DROP };
static const char *const names[] = {"send", "receive", "property", "sender_drop"};

struct stage {
	struct chan_sender *tx, *tx2, *tx3;
	struct chan_receiver *rx;
};

static enum chan_status operate(const struct test *const_test, enum operation operation, struct chan_sender **tx,
                                struct chan_receiver *rx)
{
	struct test *t = (struct test *)(uintptr_t)const_test;
	uint64_t value = 9;
	switch (operation) {
	case SEND:
		return send_element(t, tx, &value, NULL, CHAN_NOW);
	case RECEIVE:
		return t->kind == KIND_WATCH ? t->watch->borrow(rx, &value, NULL) : try_recv(t, rx, &value);
	case PROPERTY:
		t->any.sender_get(*tx, t->kind == KIND_WATCH ? CHAN_IS_CLOSED : CHAN_LEN);
		return CHAN_OK;
	default:
		t->any.sender_drop(tx);
		return CHAN_OK;
	}
}

/* `value`: which operation; `n`: where to stop, and how many instructions there were; `array`:
 * its sender. */
static enum chan_status stopped(struct job *job)
{
	struct chan_sender **tx = job->array;
	fault_stop_begin(job->n);
	enum chan_status status = operate(job->test, (enum operation)job->value, tx, job->rx);
	job->n = fault_stop_end();
	return status;
}

static enum chan_status observed(struct job *job)
{
	return operate(job->test, (enum operation)job->value, job->array, job->rx);
}

static void run(struct actor *a, struct test *t, enum chan_status (*how)(struct job *), enum operation operation,
                struct chan_sender **tx, struct chan_receiver *rx, size_t n)
{
	actor_run(a,
	          &(struct job){.run = how,
	                        .test = t,
	                        .rx = rx,
	                        .array = tx,
	                        .n = n,
	                        .value = operation,
	                        .deadline = CHAN_FOREVER},
	          how == stopped ? "%s, stopped" : "%s", names[operation]);
}

/* Whether the operation came to its end although the other stands. */
static bool goes_on(struct actor *a)
{
	uint64_t end = in_ms(SPINS_MS);
	while (!actor_done(a))
		if (quiesce(2000000) || chan_now() > end)
			return actor_done(a);
	return true;
}

static void set_up(struct test *t, struct stage *s)
{
	open_channel(t, 8, &s->tx, &s->rx);
	s->tx2 = s->tx3 = NULL;
	if (t->kind == KIND_ONESHOT)
		return;
	s->tx2 = tx_clone(t, s->tx);
	s->tx3 = tx_clone(t, s->tx);
	for (uint64_t i = 0; i < 3; i++)
		want(CHAN_OK, try_send(t, s->tx, i));
}

/* All that was sent, and not received by others, is there. */
static void want_all(struct test *t, struct stage *s, uint64_t there)
{
	uint64_t n = 0;
	if (t->kind == KIND_ONESHOT || t->kind == KIND_WATCH)
		return;
	while (try_recv(t, s->rx, NULL) == CHAN_OK)
		n++;
	want_u64(there, n);
}

static struct actor *peer, *others[OBSERVED];

/* How often the peer stood, and how often each operation was tried then, and waited. */
struct tally {
	size_t stops, tried[OBSERVED], waited[OBSERVED];
};

/* One stop. Gives the number of instructions. */
static size_t at_stop(struct test *t, enum operation operation, size_t k, struct tally *tally)
{
	struct stage s;
	enum chan_status status;
	bool begun[OBSERVED] = {false};
	uint64_t there = 3;
	if (!fault_stop_ready())
		untestable(fault_stop_why);
	set_up(t, &s);
	if (t->kind == KIND_ONESHOT)
		there = 0;
	struct chan_sender *gone = operation == DROP || t->kind == KIND_ONESHOT ? s.tx : NULL;
	run(peer, t, stopped, operation, &s.tx, s.rx, k);
	bool stands = fault_stop_wait();
	tally->stops += stands ? 1 : 0;
	for (int i = 0; i < OBSERVED && stands; i++) {
		struct chan_sender **tx = i == SEND ? &s.tx2 : &s.tx3;
		if (t->kind == KIND_ONESHOT)
			tx = &s.tx;
		if ((enum operation)i == operation || (t->kind == KIND_ONESHOT && i == PROPERTY))
			if (t->kind == KIND_ONESHOT || i == RECEIVE)
				continue; /* its handle is in use */
		run(others[i], t, observed, (enum operation)i, tx, s.rx, 0);
		begun[i] = true;
		tally->tried[i]++;
		tally->waited[i] += goes_on(others[i]) ? 0 : 1;
	}
	if (stands)
		fault_stop_resume();
	size_t length = actor_join(peer, &status, __FILE__, __LINE__)->n;
	there = operation == SEND ? there + 1 : operation == RECEIVE && status == CHAN_OK ? there - 1 : there;
	for (int i = 0; i < OBSERVED; i++)
		if (begun[i]) {
			actor_join(others[i], &status, __FILE__, __LINE__);
			there += i == SEND && status == CHAN_OK ? 1 : 0;
			there -= i == RECEIVE && status == CHAN_OK ? 1 : 0;
		}
	if (gone != NULL && s.tx == NULL)
		forget(gone);
	want_all(t, &s, there);
	handles_drop(t);
	return length;
}

static void at_all_stops(struct test *t, enum operation operation)
{
	char text[400];
	struct tally tally = {0};
	peer = actor_start();
	for (int i = 0; i < OBSERVED; i++)
		others[i] = actor_start();
	at_stop(t, operation, SIZE_MAX, &tally); /* binds what is bound at the first call */
	size_t length = at_stop(t, operation, SIZE_MAX, &tally);
	for (size_t k = 1; k <= length; k += length / STOPS + 1)
		at_stop(t, operation, k, &tally);
	int n = snprintf(text, sizeof(text), "a peer stopped in %s, at %zu of its %zu instructions, stops",
	                 names[operation], tally.stops, length);
	for (int i = 0; i < OBSERVED; i++)
		if (tally.tried[i] > 0)
			n += snprintf(text + n, sizeof(text) - (size_t)n, " %s at %zu", names[i], tally.waited[i]);
	measured(text);
	if (tally.stops == 0)
		untestable("the thread could not be stopped");
}

static void in_send(struct test *t)
{
	at_all_stops(t, SEND);
}

static void in_receive(struct test *t)
{
	at_all_stops(t, RECEIVE);
}

static void in_drop(struct test *t)
{
	at_all_stops(t, DROP);
}

#define NEEDS "sender_clone sender_get"

const struct rule fault_stop_rules[] = {
	{"X-2",
         RULE_QUEUES | RULE_BROADCAST | RULE_WATCH,
         "A peer stopped in the middle of its operation loses nothing, and stops nobody for longer (measured: whom).",
         {{"in send", in_send, NEEDS, TEST_FAULT},
          {"in receive", in_receive, NEEDS, TEST_FAULT},
          {"in sender_drop", in_drop, NEEDS, TEST_FAULT}}},
	{"X-2",
         RULE_ONESHOT,
         "A peer stopped in the middle of its operation loses nothing, and stops nobody for longer (measured: whom).",
         {{"in send", in_send, "", TEST_FAULT}, {"in receive", in_receive, "", TEST_FAULT}}},
	{0},
};
