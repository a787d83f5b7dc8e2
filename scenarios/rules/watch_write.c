/* SPDX-License-Identifier: MIT
 *
 * watch_write.c - rules W-19 to W-25, W-30: other ways to write, and waiting for a value.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

static void replaced(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 1, previous = 9;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, t->watch->send_replace(tx, &value, &previous));
	want_u64(0, previous);
	want(CHAN_OK, t->watch->changed(rx, CHAN_NOW));
	rx_drop(t, &rx);
	value = 2;
	want(CHAN_OK, t->watch->send_replace(tx, &value, &previous));
	want_u64(1, previous);
	rx = subscribe(t, tx);
	want(CHAN_OK, t->watch->borrow(rx, &value, NULL));
	want_u64(2, value);
}

static bool add_and_tell(void *value, void *arg)
{
	*(uint64_t *)value += 10;
	return *(bool *)arg;
}

static void modified(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	bool tell = true, told = false;
	uint64_t value = 0;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	want(CHAN_OK, t->watch->modify(tx, add_and_tell, &tell, &told));
	want_true(told);
	want_returns(a, CHAN_OK);
	want(CHAN_OK, t->watch->borrow(rx, &value, NULL));
	want_u64(10, value);
	rx_drop(t, &rx);
	want(CHAN_OK, t->watch->modify(tx, add_and_tell, &tell, NULL));
	rx = subscribe(t, tx);
	want(CHAN_OK, t->watch->borrow(rx, &value, NULL));
	want_u64(20, value);
}

static void modified_silently(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	bool tell = false, told = true, unseen = true;
	uint64_t value = 0;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	actor_recv(a, t, rx, CHAN_FOREVER);
	want_blocked(a);
	want(CHAN_OK, t->watch->modify(tx, add_and_tell, &tell, &told));
	want_true(!told);
	want_blocked(a);
	tell = true;
	want(CHAN_OK, t->watch->modify(tx, add_and_tell, &tell, &told));
	want_true(told);
	want_returns(a, CHAN_OK);
	tell = false;
	want(CHAN_OK, t->watch->modify(tx, add_and_tell, &tell, &told));
	want(CHAN_OK, t->watch->borrow(rx, &value, &unseen));
	want_u64(30, value);
	want_true(!unseen);
}

/* A predicate and what it saw. */
struct predicate {
	uint64_t wanted, calls, last;
};

static bool equals(const void *value, void *arg)
{
	struct predicate *p = arg;
	p->calls++;
	p->last = *(const uint64_t *)value;
	return p->last == p->wanted;
}

static enum chan_status do_wait_for(struct job *job)
{
	return job->test->watch->wait_for(job->rx, equals, job->array, &job->value, job->deadline);
}

static void actor_wait_for(struct actor *a, struct test *t, struct chan_receiver *rx, struct predicate *p)
{
	actor_run(a, &(struct job){.run = do_wait_for, .test = t, .rx = rx, .array = p, .deadline = CHAN_FOREVER},
	          "wait for %llu", (unsigned long long)p->wanted);
}

static void waits_for_value(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct predicate seen = {.wanted = 0}, p = {.wanted = 3};
	uint64_t value = 9;
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, t->watch->wait_for(rx, equals, &seen, &value, CHAN_NOW));
	want_u64(0, value);
	actor_wait_for(a, t, rx, &p);
	for (uint64_t i = 1; i < 3; i++) {
		want_blocked(a);
		want(CHAN_OK, try_send(t, tx, i));
	}
	want_blocked(a);
	want(CHAN_OK, try_send(t, tx, 3));
	want_gets(a, 3);
	want(CHAN_EMPTY, t->watch->changed(rx, CHAN_NOW));
}

static void closed_last_value(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct predicate p = {.wanted = 5}, q = {.wanted = 1};
	uint64_t value = 9;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	tx_drop(t, &tx);
	want(CHAN_CLOSED, t->watch->wait_for(rx, equals, &p, &value, CHAN_FOREVER));
	want_true(p.calls > 0 && p.last == 1);
	want(CHAN_OK, t->watch->wait_for(rx, equals, &q, &value, CHAN_FOREVER));
	want_u64(1, value);
}

static void closed_while_waiting(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct predicate p = {.wanted = 5};
	struct actor *a = actor_start();
	open_channel(t, 0, &tx, &rx);
	actor_wait_for(a, t, rx, &p);
	want_blocked(a);
	tx_drop(t, &tx);
	want_returns(a, CHAN_CLOSED);
}

static void tested_is_seen(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct predicate p = {.wanted = 5};
	uint64_t value = 9;
	open_channel(t, 0, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_EMPTY, t->watch->wait_for(rx, equals, &p, &value, CHAN_NOW));
	want_u64(1, p.last);
	want(CHAN_EMPTY, t->watch->changed(rx, CHAN_NOW));
	want(CHAN_OK, try_send(t, tx, 2));
	want(CHAN_TIMEOUT, t->watch->wait_for(rx, equals, &p, &value, in_ms(2)));
	want_u64(2, p.last);
	want(CHAN_EMPTY, t->watch->changed(rx, CHAN_NOW));
}

#define WORDS 64

static enum chan_status do_write_words(struct job *job)
{
	uint64_t words[WORDS];
	for (uint64_t i = 0; i < job->n; i++) {
		for (size_t k = 0; k < WORDS; k++)
			words[k] = job->value + i;
		if (job->test->watch->send(job->tx, words) != CHAN_OK)
			return CHAN_INVALID;
	}
	return CHAN_OK;
}

static void never_torn(struct test *t)
{
	struct chan_sender *tx, *tx2;
	struct chan_receiver *rx;
	struct chan_config config = {.size = WORDS * sizeof(uint64_t), .start = t->start};
	uint64_t words[WORDS] = {0};
	struct actor *a = actor_start(), *b = actor_start();
	step("open with elements of %d words", WORDS);
	want(CHAN_OK, t->watch->open(&config, words, &tx, &rx));
	keep_sender(tx);
	keep_receiver(rx);
	tx2 = tx_clone(t, tx);
	const uint64_t first[2] = {1000000, 2000000};
	actor_run(a,
	          &(struct job){.run = do_write_words,
	                        .test = t,
	                        .tx = tx,
	                        .value = first[0],
	                        .n = rounds(3000),
	                        .deadline = CHAN_FOREVER},
	          "%u writes", rounds(3000));
	actor_run(b,
	          &(struct job){.run = do_write_words,
	                        .test = t,
	                        .tx = tx2,
	                        .value = first[1],
	                        .n = rounds(3000),
	                        .deadline = CHAN_FOREVER},
	          "%u writes", rounds(3000));
	for (bool done = false; !done;) {
		done = actor_done(a) && actor_done(b);
		for (unsigned i = 0; i < rounds(100); i++) {
			enum chan_status status = t->watch->borrow(rx, words, NULL);
			if (status != CHAN_OK)
				want(CHAN_OK, status);
			for (size_t k = 1; k < WORDS; k++)
				if (words[k] != words[0])
					broken_because("all words of a value are from one write", "a mixture of two");
		}
	}
	want_returns(a, CHAN_OK);
	want_returns(b, CHAN_OK);
}

const struct rule watch_write_rules[] = {
	{"W-19",
         RULE_WATCH,
         "send_replace stores, receivers or not, and gives the previous value back.",
         {{"with and without receiver", replaced, "send_replace subscribe", 0}}},
	{"W-20",
         RULE_WATCH,
         "A modification that says so is a new version, receivers or not.",
         {{"modify", modified, "modify subscribe", 0}}},
	{"W-21",
         RULE_WATCH,
         "A modification that does not say so can be borrowed, and notifies nobody.",
         {{"silently", modified_silently, "modify", 0}}},
	{"W-23",
         RULE_WATCH,
         "wait_for tries the current value first, waits, and gives the very value that held.",
         {{"0 and 3", waits_for_value, "wait_for", 0}}},
	{"W-24",
         RULE_WATCH,
         "wait_for on a closed channel tries the last value before it says closed.",
         {{"closed before", closed_last_value, "wait_for", 0},
          {"closed meanwhile", closed_while_waiting, "wait_for", 0}}},
	{"W-25",
         RULE_WATCH,
         "wait_for marks every value that it tried as seen.",
         {{"try, timeout", tested_is_seen, "wait_for", 0}}},
	{"W-30",
         RULE_WATCH,
         "Writes are one after another; nobody sees a mixture.",
         {{"two writers", never_torn, "sender_clone", TEST_PLAIN}}},
	{0},
};
