/* SPDX-License-Identifier: MIT
 *
 * broadcast_example.c - see broadcast_example.h
 */
#include "scenarios/workloads/broadcast_example.h"

#include "harness/bench/memory.h"
#include "harness/status.h"

enum { SENDS = 5, STEPS = 4 };

struct example {
	struct trial *trial;
	const struct chan_broadcast_ops *ops;
	size_t words;
	struct null_script script;
	uint64_t *expected; /* the message to compare with */
};

/* What the receiver gets, step by step: missed 3, message 3, message 4, closed. */
static enum chan_status example_next(void *arg, size_t receiver, uint64_t i, void *msg, uint64_t *missed)
{
	static const enum chan_status statuses[STEPS] = {CHAN_LAGGED, CHAN_OK, CHAN_OK, CHAN_CLOSED};
	(void)receiver;
	const struct example *example = arg;
	*missed = SENDS - BROADCAST_EXAMPLE_CAPACITY;
	message_fill(msg, example->words,
	             message_name(example->trial->salt, 0, SENDS - BROADCAST_EXAMPLE_CAPACITY + i - 1));
	return statuses[i < STEPS ? i : STEPS - 1];
}

static bool example_steps(struct example *example, struct chan_receiver *rx, uint64_t *msg)
{
	bool right = true;
	for (uint64_t i = 0; i < STEPS && right; i++) {
		uint64_t due = 0, missed = 0;
		enum chan_status want = example_next(example, 0, i, example->expected, &due);
		enum chan_status status = example->ops->recv(rx, msg, &missed, CHAN_FOREVER);
		if (status != want) {
			trial_fail(example->trial, "capacity 2, five sends: receive %llu returned %s instead of %s",
			           (unsigned long long)i, status_name(status), status_name(want));
			right = false;
		} else if (status == CHAN_LAGGED && missed != due) {
			trial_fail(example->trial, "wrong lag: capacity 2, five sends: missed %llu instead of %llu",
			           (unsigned long long)missed, (unsigned long long)due);
			right = false;
		} else if (status == CHAN_OK &&
		           (msg[0] != example->expected[0] || !message_whole(msg, example->words))) {
			trial_fail(example->trial,
			           "capacity 2, five sends: receive %llu gave another message than %llu",
			           (unsigned long long)i, (unsigned long long)message_seq(example->expected[0]));
			right = false;
		}
	}
	return right;
}

static bool example_once(struct example *example, uint64_t *msg)
{
	const struct chan_config config =
		trial_config(example->words * 8, BROADCAST_EXAMPLE_CAPACITY, &example->script);
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;
	enum chan_status status = example->ops->open(&config, &tx, &rx);
	if (status != CHAN_OK)
		trial_status(example->trial, "open", status);
	for (uint64_t i = 0; i < SENDS && status == CHAN_OK; i++) {
		message_fill(msg, example->words, message_name(example->trial->salt, 0, i));
		status = example->ops->send(tx, msg, NULL);
		if (status != CHAN_OK)
			trial_status(example->trial, "send", status);
	}
	example->ops->sender_drop(&tx);
	bool right = status == CHAN_OK && example_steps(example, rx, msg);
	example->ops->receiver_drop(&rx);
	return right;
}

static void repeat(struct worker *worker)
{
	struct example *example = worker->arg;
	uint64_t *msg = memory_get(64, example->words * 8);
	uint64_t done = 0;
	while (done < example->trial->messages && example_once(example, msg))
		worker_progress(worker, ++done);
	worker->stop_ns = chan_now();
	example->trial->items = done;
	free(msg);
}

void broadcast_example(struct trial *trial)
{
	struct example example = {
		.trial = trial, .ops = trial->impl->broadcast, .words = (size_t)trial->params.v[PARAM_SIZE] / 8};
	example.script = (struct null_script){.next = example_next, .arg = &example};
	example.expected = memory_get(64, example.words * 8);
	struct worker *worker = trial_workers(1);
	*worker = (struct worker){.body = repeat, .arg = &example};
	trial_run(trial, worker, 1);
	free(worker);
	free(example.expected);
}
