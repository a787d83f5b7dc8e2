/* SPDX-License-Identifier: MIT
 *
 * ping_pong.c - a message there and back over two channels: what a hand-over costs when somebody
 * waits for it.
 */
#include "harness/bench/memory.h"
#include "scenarios/workloads/stream.h"

static const struct workload_param params[] = {{PARAM_CAPACITY, "1"}, {PARAM_SIZE, "8"}, {PARAM_COUNT, NULL}};

static const struct preset presets[] = {
	{"comparison", "two channels of capacity 1", "capacity=1"},
	{NULL, NULL, NULL},
};

/* One direction. The caller sends "producer 0" messages, the answerer "producer 1" ones: an echo
 * is not an answer. */
struct way {
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct ledger ledger; /* the receiver's */
	struct ledger_sent sent[2];
	struct null_script script;
	struct table *table;
	uint64_t producer;
};

struct table {
	struct trial *trial;
	const struct chan_mpsc_ops *ops;
	size_t words;
	struct way there, back;
};

static enum chan_status script_next(void *arg, size_t receiver, uint64_t i, void *msg, uint64_t *missed)
{
	(void)receiver;
	(void)missed;
	const struct way *way = arg;
	if (i >= way->table->trial->messages)
		return CHAN_CLOSED;
	message_fill(msg, way->table->words, message_name(way->table->trial->salt, way->producer, i));
	return CHAN_OK;
}

static bool send_one(struct table *table, struct way *way, uint64_t *msg, uint64_t i)
{
	uint64_t name = message_name(table->trial->salt, way->producer, i);
	message_fill(msg, table->words, name);
	enum chan_status status = table->ops->send(way->tx, msg, CHAN_FOREVER);
	if (status != CHAN_OK) {
		trial_status(table->trial, "send", status);
		return false;
	}
	way->sent[way->producer].count++;
	way->sent[way->producer].sum += name;
	return true;
}

/* False: closed, or broken. */
static bool receive_one(struct table *table, struct way *way, uint64_t *msg)
{
	enum chan_status status = table->ops->recv(way->rx, msg, CHAN_FOREVER);
	if (status == CHAN_OK)
		ledger_receive(&way->ledger, msg, table->words);
	else if (status != CHAN_CLOSED)
		trial_status(table->trial, "recv", status);
	return status == CHAN_OK;
}

/* Exactly one message is under way at any time, so one that is lost is waited for without end:
 * the watchdog of the cell says so. */
static void call(struct worker *worker)
{
	struct table *table = worker->arg;
	uint64_t *msg = memory_get(64, table->words * 8);
	for (uint64_t i = 0; i < table->trial->messages; i++) {
		if (!send_one(table, &table->there, msg, i) || !receive_one(table, &table->back, msg))
			break;
		worker_progress(worker, i + 1);
	}
	worker->stop_ns = chan_now();
	table->ops->sender_drop(&table->there.tx);
	table->ops->receiver_drop(&table->back.rx);
	free(msg);
}

static void answer(struct worker *worker)
{
	struct table *table = worker->arg;
	uint64_t *msg = memory_get(64, table->words * 8);
	for (uint64_t i = 0; receive_one(table, &table->there, msg); i++)
		if (!send_one(table, &table->back, msg, i))
			break;
	table->ops->sender_drop(&table->back.tx);
	table->ops->receiver_drop(&table->there.rx);
	free(msg);
}

static bool way_open(struct table *table, struct way *way, uint64_t producer)
{
	*way = (struct way){.table = table, .producer = producer};
	way->script = (struct null_script){.next = script_next, .arg = way};
	const struct chan_config config =
		trial_config(table->words * 8, table->trial->params.v[PARAM_CAPACITY], &way->script);
	enum chan_status status = table->ops->open(&config, &way->tx, &way->rx);
	if (status != CHAN_OK)
		trial_status(table->trial, "open", status);
	/* Two producers' worth of room, so that the other direction's messages are known for
	 * what they are. */
	ledger_init(&way->ledger, table->trial->salt, 2, 2 * table->trial->messages, true);
	return status == CHAN_OK;
}

static void way_close(struct table *table, struct way *way)
{
	table->ops->sender_drop(&way->tx);
	table->ops->receiver_drop(&way->rx);
	ledger_free(&way->ledger);
}

static void run(struct trial *trial)
{
	struct table table = {
		.trial = trial, .ops = stream_ops(trial), .words = (size_t)trial->params.v[PARAM_SIZE] / 8};
	struct worker *workers = trial_workers(2);
	workers[0] = (struct worker){.body = call, .arg = &table};
	workers[1] = (struct worker){.body = answer, .arg = &table};
	bool opened = way_open(&table, &table.there, 0);
	opened = way_open(&table, &table.back, 1) && opened;
	if (opened) {
		trial_run(trial, workers, 2);
		trial->items = table.back.ledger.received;
		trial_balance(trial, &table.there.ledger, 1, table.there.sent);
		trial_balance(trial, &table.back.ledger, 1, table.back.sent);
		if (trial->items != trial->messages)
			trial_fail(trial, "closed after %llu of %llu round trips", (unsigned long long)trial->items,
			           (unsigned long long)trial->messages);
	}
	way_close(&table, &table.there);
	way_close(&table, &table.back);
	free(workers);
}

const struct workload ping_pong = {
	.name = "ping_pong",
	.summary = "round trips over two channels",
	.kinds = "mpsc unbounded",
	.item = "round trips",
	.params = params,
	.presets = presets,
	.kind = stream_kind,
	.run = run,
};
