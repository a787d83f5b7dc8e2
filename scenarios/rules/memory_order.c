/* SPDX-License-Identifier: MIT
 *
 * memory_order.c - rules M-67 to M-70, O-19, W-34: what was done before one operation is seen after
 * another.
 *
 * Plain (not atomic) data are written before the one and read after the other, with nothing else
 * between the two threads that would order them. Where the order is missing the data may be old,
 * and in a build with ThreadSanitizer it is always a reported race.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <sched.h>

#define NOTES  400
#define ROUNDS rounds(NOTES)

/* Plain on purpose. */
static uint64_t notes[NOTES + 1];

static void want_note(uint64_t i)
{
	if (notes[i] != i + 1)
		broken_because("what the other thread wrote before", "something older");
}

static enum chan_status do_note_and_send(struct job *job)
{
	for (uint64_t i = 0; i < ROUNDS; i++) {
		enum chan_status status;
		notes[i] = i + 1;
		if (job->permit != NULL) {
			status = job->test->mpsc->reserve(job->tx, 1, job->permit, CHAN_FOREVER);
			if (status == CHAN_OK)
				job->test->mpsc->permit_send(job->permit, &i);
		} else {
			status = send_element(job->test, &job->tx, &i, NULL, CHAN_FOREVER);
		}
		if (status != CHAN_OK)
			return status;
	}
	return CHAN_OK;
}

static void send_to_receipt(struct test *t, struct chan_permit *permit)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	uint64_t i = 0;
	open_channel(t, t->kind == KIND_BROADCAST ? ROUNDS : 3, &tx, &rx);
	actor_run(
		a,
		&(struct job){.run = do_note_and_send, .test = t, .tx = tx, .permit = permit, .deadline = CHAN_FOREVER},
		"%u notes, each followed by a send", ROUNDS);
	step("receive %u messages, read each one's note", ROUNDS);
	for (uint64_t n = 0; n < ROUNDS; n++) {
		if (recv_until(t, rx, &i, CHAN_FOREVER) != CHAN_OK || i != n)
			broken_because("the next message", "another, or none");
		want_note(i);
	}
	want_returns(a, CHAN_OK);
}

static void sent_before(struct test *t)
{
	send_to_receipt(t, NULL);
}

static void sent_before_with_permit(struct test *t)
{
	struct chan_permit permit = {.count = 0};
	send_to_receipt(t, &permit);
}

/* The i-th receive frees the slot for the send after it. */
static enum chan_status do_note_and_receive(struct job *job)
{
	for (uint64_t i = 0, value; i < ROUNDS; i++) {
		notes[i] = i + 1;
		if (job->test->mpsc->recv(job->rx, &value, CHAN_FOREVER) != CHAN_OK)
			return CHAN_INVALID;
	}
	return CHAN_OK;
}

static void slot_handed_back(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 0));
	actor_run(a, &(struct job){.run = do_note_and_receive, .test = t, .rx = rx, .deadline = CHAN_FOREVER},
	          "%u notes, each followed by a receive", ROUNDS);
	step("send %u messages into one slot, read the note of each receive that freed it", ROUNDS - 1);
	for (uint64_t i = 0; i + 1 < ROUNDS; i++) {
		if (send_until(t, tx, i, CHAN_FOREVER) != CHAN_OK)
			broken_because("CHAN_OK", "a send failed");
		want_note(i);
	}
	want_returns(a, CHAN_OK);
}

/* What another thread does after its note. */
enum act { DROP_SENDER, CLOSE };

static enum chan_status do_note_and_end(struct job *job)
{
	const struct test *t = job->test;
	notes[0] = 1;
	if (job->n == DROP_SENDER)
		t->any.sender_drop(&job->tx);
	else
		t->any.close(job->rx);
	return CHAN_OK;
}

static void actor_end(struct actor *a, struct test *t, struct chan_sender *tx, struct chan_receiver *rx, enum act act)
{
	notes[0] = 0;
	actor_run(a,
	          &(struct job){
			  .run = do_note_and_end, .test = t, .tx = tx, .rx = rx, .n = act, .deadline = CHAN_FOREVER},
	          "a note, then %s", act == DROP_SENDER ? "drop the sender" : "close");
}

/* The sender (and the messages that it had sent) is seen to be gone: so is everything before
 * that. */
static void drop_publishes(struct test *t)
{
	struct actor *a = actor_start();
	for (unsigned round = 0; round < rounds(50); round++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		uint64_t sent = round % 3, got = 0;
		enum chan_status status;
		open_channel(t, 4, &tx, &rx);
		for (uint64_t i = 0; i < sent; i++)
			want(CHAN_OK, try_send(t, tx, i));
		forget(tx);
		actor_end(a, t, tx, NULL, DROP_SENDER);
		step("receive until closed");
		for (; (status = recv_until(t, rx, NULL, CHAN_NOW)) != CHAN_CLOSED; got += status == CHAN_OK)
			sched_yield();
		want_note(0);
		want_u64(sent, got);
		want_returns(a, CHAN_OK);
		handles_drop(t);
	}
}

/* A send that fails sees all that was done before what makes it fail. */
static void closed_is_acquire(struct test *t, bool by_property)
{
	struct actor *a = actor_start();
	for (unsigned round = 0; round < rounds(50); round++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 1, &tx, &rx);
		if (t->kind == KIND_MPSC)
			want(CHAN_OK, try_send(t, tx, 0));
		actor_end(a, t, NULL, rx, CLOSE);
		step("%s until it is closed", by_property ? "ask" : "try to send");
		if (by_property)
			while (tx_get(t, tx, CHAN_IS_CLOSED) == 0)
				sched_yield();
		else
			while (try_send(t, tx, 1) != CHAN_CLOSED)
				sched_yield();
		want_note(0);
		want_returns(a, CHAN_OK);
		handles_drop(t);
	}
}

static void failed_send(struct test *t)
{
	closed_is_acquire(t, false);
}

static void closed_property(struct test *t)
{
	closed_is_acquire(t, true);
}

static enum chan_status do_note_and_fill(struct job *job)
{
	uint64_t value = 7;
	notes[0] = 1;
	return job->test->mpsc->send(job->tx, &value, CHAN_FOREVER);
}

static void full_is_acquire(struct test *t)
{
	struct actor *a = actor_start();
	for (unsigned round = 0; round < rounds(50); round++) {
		struct chan_sender *tx, *other;
		struct chan_receiver *rx;
		struct chan_permit permit = {.count = 0};
		enum chan_status status;
		notes[0] = 0;
		open_channel(t, 1, &tx, &rx);
		other = tx_clone(t, tx);
		actor_run(a, &(struct job){.run = do_note_and_fill, .test = t, .tx = other, .deadline = CHAN_FOREVER},
		          "a note, then fill the only slot");
		step("reserve and release the slot until the other thread has it");
		while ((status = t->mpsc->reserve(tx, 1, &permit, CHAN_NOW)) == CHAN_OK) {
			t->mpsc->permit_release(&permit);
			sched_yield();
		}
		want(CHAN_FULL, status);
		want_note(0);
		want_returns(a, CHAN_OK);
		handles_drop(t);
	}
}

static enum chan_status do_note_and_send_once(struct job *job)
{
	uint64_t value = 5;
	notes[0] = 1;
	return job->test->oneshot->send(&job->tx, &value);
}

static void oneshot_send(struct test *t)
{
	struct actor *a = actor_start();
	for (unsigned round = 0; round < rounds(100); round++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 0, &tx, &rx);
		notes[0] = 0;
		forget(tx);
		actor_run(a, &(struct job){.run = do_note_and_send_once, .test = t, .tx = tx, .deadline = CHAN_FOREVER},
		          "a note, then send");
		step("receive");
		enum chan_status status = CHAN_EMPTY;
		while (round % 2 == 0 && (status = recv_until(t, rx, NULL, CHAN_NOW)) == CHAN_EMPTY)
			sched_yield();
		if (round % 2 != 0)
			status = recv_until(t, rx, NULL, CHAN_FOREVER);
		want(CHAN_OK, status);
		want_note(0);
		want_returns(a, CHAN_OK);
		rx_drop(t, &rx);
	}
}

static void oneshot_close(struct test *t)
{
	struct actor *a = actor_start();
	for (unsigned round = 0; round < rounds(100); round++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 0, &tx, &rx);
		actor_end(a, t, NULL, rx, CLOSE);
		step("wait until it is closed");
		if (round % 2 == 0)
			while (try_closed(t, tx) != CHAN_OK)
				sched_yield();
		else
			want_status(CHAN_OK, t->oneshot->closed(tx, CHAN_FOREVER), __FILE__, __LINE__);
		want_note(0);
		want_returns(a, CHAN_OK);
		handles_drop(t);
	}
}

static enum chan_status do_note_and_write(struct job *job)
{
	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t value = i + 1;
		notes[value] = value + 1;
		if (job->test->watch->send(job->tx, &value) != CHAN_OK)
			return CHAN_INVALID;
	}
	return CHAN_OK;
}

static void write_to_borrow(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *a = actor_start();
	uint64_t value = 0;
	notes[0] = 1;
	open_channel(t, 0, &tx, &rx);
	actor_run(a, &(struct job){.run = do_note_and_write, .test = t, .tx = tx, .deadline = CHAN_FOREVER},
	          "%u notes, each followed by a write", ROUNDS);
	step("borrow, read the value's note");
	while (value < ROUNDS) {
		if (t->watch->borrow(rx, &value, NULL) != CHAN_OK || value > ROUNDS)
			broken_because("a value that was written", "another, or none");
		want_note(value);
	}
	want_returns(a, CHAN_OK);
}

const struct rule memory_order_rules[] = {
	{"M-67",
         RULE_QUEUES | RULE_BROADCAST,
         "What was done before a send is seen after its receipt.",
         {{"400 sends", sent_before, "", 0}}},
	{"M-67",
         RULE_MPSC,
         "What was done before a send through a permit is seen after its receipt.",
         {{"400 permits", sent_before_with_permit, "reserve permit_send permit_release", 0}}},
	{"M-68",
         RULE_MPSC,
         "What a receiver did before it freed a slot is seen by the sender that got the slot.",
         {{"one slot, 400 times", slot_handed_back, "", 0}}},
	{"M-69",
         RULE_QUEUES,
         "A thread that sees that a sender is gone sees all that was done, and sent, before.",
         {{"50 drops", drop_publishes, "", 0}}},
	{"M-70",
         RULE_QUEUES,
         "An operation that fails sees all that was done before what makes it fail.",
         {{"closed", failed_send, "close", 0}, {"is it closed", closed_property, "close sender_get", 0}}},
	{"M-70",
         RULE_MPSC,
         "An operation that fails sees all that was done before what makes it fail.",
         {{"full", full_is_acquire, "sender_clone reserve permit_release", 0}}},
	{"O-19",
         RULE_ONESHOT,
         "What was done before the send is seen after the receipt; before the close, by who sees it closed.",
         {{"100 sends", oneshot_send, "", 0}, {"100 closes", oneshot_close, "close closed", 0}}},
	{"W-34",
         RULE_WATCH,
         "What was done before a write is seen by whoever borrows its value.",
         {{"400 writes", write_to_borrow, "", 0}}},
	{0},
};
