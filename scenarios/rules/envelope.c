/* SPDX-License-Identifier: MIT
 *
 * envelope.c - rules: no wake is lost, everything may be asked at any time, and all
 * operations together are those of a plain sequential object.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

/* ------------------------------------------------------------------------------------------
 * two threads that answer each other. Each round needs two wakes; one that is lost leaves both
 * asleep.
 */
#define ROUNDS rounds(300)

/* One step each way, on two channels. `array` is a struct chan_receiver and a struct chan_sender
 * to answer with. */
struct pair {
	struct chan_receiver *in;
	struct chan_sender *out;
};

static enum chan_status take(const struct test *t, struct chan_receiver *rx, uint64_t *value)
{
	enum chan_status status = recv_element(t, rx, value, NULL, CHAN_FOREVER);
	return status == CHAN_OK && t->kind == KIND_WATCH ? t->watch->borrow(rx, value, NULL) : status;
}

static enum chan_status put(const struct test *t, struct chan_sender *tx, uint64_t value)
{
	return send_element(t, &tx, &value, NULL, CHAN_FOREVER);
}

static enum chan_status do_answer(struct job *job)
{
	const struct pair *pair = job->array;
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		uint64_t value = 0;
		enum chan_status status = CHAN_OK;
		if (job->n == 1)
			status = put(job->test, pair->out, i);
		if (status == CHAN_OK)
			status = take(job->test, pair->in, &value);
		if (status == CHAN_OK && job->n != 1)
			status = put(job->test, pair->out, i);
		if (status != CHAN_OK || value != i)
			return status != CHAN_OK ? status : CHAN_INVALID;
	}
	return CHAN_OK;
}

static void ping_pong(struct test *t)
{
	struct pair pairs[2];
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 1, &pairs[0].out, &pairs[1].in);
	open_channel(t, 1, &pairs[1].out, &pairs[0].in);
	actor_run(a, &(struct job){.run = do_answer, .test = t, .array = &pairs[0], .n = 1, .deadline = CHAN_FOREVER},
	          "%u times: send, then receive the answer", ROUNDS);
	actor_run(b, &(struct job){.run = do_answer, .test = t, .array = &pairs[1], .n = 0, .deadline = CHAN_FOREVER},
	          "%u times: receive, then answer", ROUNDS);
	actor_await(a);
	want_returns(a, CHAN_OK);
	want_returns(b, CHAN_OK);
}

static void oneshot_wakes(struct test *t)
{
	struct actor *a = actor_start();
	for (uint64_t i = 0; i < rounds(100); i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, 0, &tx, &rx);
		actor_recv(a, t, rx, CHAN_FOREVER);
		forget(tx);
		want(CHAN_OK, t->oneshot->send(&tx, &i));
		want_gets(a, i);
		rx_drop(t, &rx);
	}
}

/* Senders that all wait for the same few slots: each slot that is freed wakes somebody. */
static enum chan_status do_send_many_times(struct job *job)
{
	enum chan_status status = CHAN_OK;
	for (uint64_t i = 0; i < job->n && status == CHAN_OK; i++)
		status = job->test->mpsc->send(job->tx, &i, CHAN_FOREVER);
	return status;
}

static void crowd(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct actor *actors[4];
	open_channel(t, 1, &tx, &rx);
	for (size_t i = 0; i < 4; i++) {
		actors[i] = actor_start();
		actor_run(actors[i],
		          &(struct job){.run = do_send_many_times,
		                        .test = t,
		                        .tx = tx_clone(t, tx),
		                        .n = ROUNDS,
		                        .deadline = CHAN_FOREVER},
		          "%u sends", ROUNDS);
	}
	step("receive %u messages", 4 * ROUNDS);
	for (unsigned i = 0; i < 4 * ROUNDS; i++)
		if (recv_until(t, rx, NULL, CHAN_FOREVER) != CHAN_OK)
			broken_because("CHAN_OK", "a receive failed");
	for (size_t i = 0; i < 4; i++)
		want_returns(actors[i], CHAN_OK);
}

/* ------------------------------------------------------------------------------------------
 * a thread asks everything while two others work.
 */
static enum chan_status do_work(struct job *job)
{
	const struct test *t = job->test;
	enum chan_status status = CHAN_OK;
	uint64_t value = 0;
	for (uint64_t i = 0; i < job->n && status == CHAN_OK; i++) {
		if (job->tx != NULL)
			status = put(t, job->tx, i);
		else
			status = take(t, job->rx, &value);
		if (t->kind == KIND_BROADCAST && status == CHAN_LAGGED)
			status = CHAN_OK;
		if (status == CHAN_CLOSED && job->tx == NULL)
			return CHAN_OK;
	}
	return status;
}

static void ask(struct test *t, const struct chan_sender *tx,
                uint64_t (*get)(const struct chan_sender *, enum chan_property))
{
	static const enum chan_property all[] = {CHAN_LEN,     CHAN_CAPACITY,     CHAN_MAX_CAPACITY, CHAN_IS_CLOSED,
	                                         CHAN_SENDERS, CHAN_WEAK_SENDERS, CHAN_RECEIVERS,    CHAN_IDENTITY};
	const uint64_t identity = get(tx, CHAN_IDENTITY);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint64_t value = get(tx, all[i]);
		uint64_t most = all[i] == CHAN_IS_CLOSED                                ? 0
		                : all[i] == CHAN_LEN && t->kind == KIND_UNBOUNDED       ? 4 * ROUNDS
		                : all[i] == CHAN_SENDERS || all[i] == CHAN_WEAK_SENDERS ? 2
		                                                                        : 8;
		if (value != CHAN_UNKNOWN && (all[i] == CHAN_IDENTITY ? value != identity : value > most))
			broken_because("an answer that was right at some moment", "one that never was");
	}
}

static void asked_meanwhile(struct test *t)
{
	struct chan_sender *tx, *asking;
	struct chan_receiver *rx;
	struct actor *a = actor_start(), *b = actor_start();
	open_channel(t, 8, &tx, &rx);
	asking = tx_clone(t, tx);
	actor_run(a, &(struct job){.run = do_work, .test = t, .tx = tx, .n = 4 * ROUNDS, .deadline = CHAN_FOREVER},
	          "%u sends", 4 * ROUNDS);
	actor_run(b, &(struct job){.run = do_work, .test = t, .rx = rx, .n = SIZE_MAX, .deadline = CHAN_FOREVER},
	          "receive until closed");
	step("ask for every property while they work");
	while (!actor_done(a))
		ask(t, asking, t->any.sender_get);
	want_returns(a, CHAN_OK);
	tx_drop(t, &tx);
	tx_drop(t, &asking);
	actor_await(b);
	want_returns(b, CHAN_OK);
}

/* ------------------------------------------------------------------------------------------
 * random operations, one after another, against the sequential object.
 */
#define CAPACITY 3

/* A queue with slots: what an mpsc channel is to one thread. */
struct queue {
	uint64_t of[CAPACITY];
	size_t count, reserved;
	bool closed;
};

static enum chan_status queue_room(const struct queue *q)
{
	return q->closed ? CHAN_CLOSED : q->count + q->reserved == CAPACITY ? CHAN_FULL : CHAN_OK;
}

static void queue_put(struct queue *q, uint64_t value)
{
	q->of[q->count++] = value;
}

static void want_queue_recv(struct test *t, struct chan_receiver *rx, struct queue *q)
{
	if (q->count == 0) {
		want_none(t, rx, q->closed && q->reserved == 0 ? CHAN_CLOSED : CHAN_EMPTY);
		return;
	}
	want_recv(t, rx, q->of[0]);
	q->count--;
	for (size_t i = 0; i < q->count; i++)
		q->of[i] = q->of[i + 1];
}

static void queue_walk(struct test *t, uint64_t seed)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit = {.count = 0};
	struct queue q = {.count = 0};
	open_channel(t, CAPACITY, &tx, &rx);
	for (uint64_t i = 0; i < 60; i++) {
		enum chan_status room = queue_room(&q);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		switch (seed >> 33 & 7) {
		case 0:
		case 1:
		case 2:
			want(room, try_send(t, tx, i));
			if (room == CHAN_OK)
				queue_put(&q, i);
			break;
		case 3:
			if (permit.count > 0) {
				permit_send(t, &permit, i);
				q.reserved--;
				queue_put(&q, i);
			} else {
				want(room, try_reserve(t, tx, 1, &permit));
				q.reserved += room == CHAN_OK;
			}
			break;
		case 4:
			if (permit.count > 0) {
				permit_release(t, &permit);
				q.reserved = 0;
			}
			break;
		case 5:
			if ((seed >> 40 & 7) == 0) {
				close_rx(t, rx);
				q.closed = true;
			}
			break;
		default:
			want_queue_recv(t, rx, &q);
		}
	}
	if (permit.count > 0)
		permit_release(t, &permit);
	handles_drop(t);
}

static void like_a_queue(struct test *t)
{
	for (uint64_t seed = 1; seed <= 40; seed++)
		queue_walk(t, seed * 977);
}

/* A log and a cursor a receiver. */
static void like_a_log(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx[2];
	uint64_t seed = 5, tail = 0, cursor[2] = {0, 0};
	open_channel(t, 4, &tx, &rx[0]);
	rx[1] = subscribe(t, tx);
	for (int i = 0; i < 600; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		size_t which = seed >> 40 & 1;
		uint64_t value = 0, missed = 0, behind = tail - cursor[which];
		if ((seed >> 33 & 7) < 4) {
			want(CHAN_OK, try_send(t, tx, tail));
			tail++;
			continue;
		}
		enum chan_status expected = behind == 0 ? CHAN_EMPTY : behind > 4 ? CHAN_LAGGED : CHAN_OK;
		want(expected, t->broadcast->recv(rx[which], &value, &missed, CHAN_NOW));
		if (expected == CHAN_OK)
			want_u64(cursor[which]++, value);
		if (expected == CHAN_LAGGED) {
			want_u64(behind - 4, missed);
			cursor[which] += missed;
		}
	}
}

/* A value with a version, and the version that each receiver has seen. */
static void like_a_register(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx[2];
	uint64_t seed = 5, version = 0, seen[2] = {0, 0};
	open_channel(t, 0, &tx, &rx[0]);
	rx[1] = rx_clone(t, rx[0]);
	for (int i = 0; i < 600; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		size_t which = seed >> 40 & 1;
		uint64_t value = 0;
		bool unseen = false;
		switch (seed >> 33 & 3) {
		case 0:
			want(CHAN_OK, try_send(t, tx, ++version));
			break;
		case 1:
			want(seen[which] == version ? CHAN_EMPTY : CHAN_OK, t->watch->changed(rx[which], CHAN_NOW));
			seen[which] = version;
			break;
		default:
			want(CHAN_OK, t->watch->borrow(rx[which], &value, &unseen));
			want_u64(version, value);
			want_u64(seen[which] != version, unseen);
		}
	}
}

const struct rule envelope_rules[] = {
	{"X-1",
         RULE_QUEUES | RULE_BROADCAST | RULE_WATCH,
         "No wake is lost: what can go on does.",
         {{"300 answers", ping_pong, "", 0}}},
	{"X-1",
         RULE_MPSC,
         "No wake is lost: what can go on does.",
         {{"four senders, one slot", crowd, "sender_clone", 0}}},
	{"X-1", RULE_ONESHOT, "No wake is lost: what can go on does.", {{"100 values", oneshot_wakes, "", 0}}},
	{"X-3",
         RULE_QUEUES | RULE_BROADCAST | RULE_WATCH,
         "Everything may be asked at any time, whatever others do.",
         {{"two threads work", asked_meanwhile, "sender_clone sender_get", 0}}},
	{"X-4",
         RULE_MPSC,
         "Its operations are those of a queue with slots and a closed flag.",
         {{"40 random walks", like_a_queue, "reserve permit_send permit_release close", 0}}},
	{"X-4",
         RULE_BROADCAST,
         "Its operations are those of a log with a cursor for each receiver.",
         {{"600 random steps", like_a_log, "", 0}}},
	{"X-4",
         RULE_WATCH,
         "Its operations are those of a register with a version.",
         {{"600 random steps", like_a_register, "receiver_clone", 0}}},
	{0},
};
