/* SPDX-License-Identifier: MIT
 *
 * broadcast_lag.c - senders that never wait, receivers of which some are slow: what is lost, and
 * whether they are told.
 *
 * Mode stream: S senders send their share, R receivers receive until closed; the first `slow` of
 * them work `work_ns` on each message. For each receiver: received + lagged = sent (nothing is left
 * unread, since it reads until closed), in order for each sender; with one sender every single
 * LAGGED must count exactly the messages missing at that place. What each of them missed is
 * `lagged` of the row, an array. Mode example: see broadcast_example.h.
 */
#include "harness/bench/memory.h"
#include "harness/bench/trial.h"
#include "scenarios/workloads/broadcast_example.h"

#include <inttypes.h>
#include <stdio.h>

enum { MODE_STREAM, MODE_EXAMPLE };

static const struct workload_param params[] = {
	{PARAM_PRODUCERS, "1"}, {PARAM_CONSUMERS, "4"},  {PARAM_CAPACITY, "1024"}, {PARAM_SIZE, "8"},
	{PARAM_SLOW, "0"},      {PARAM_WORK_NS, "1000"}, {PARAM_MODE, "stream"},   {PARAM_COUNT, NULL},
};

static const char *const modes[] = {[MODE_STREAM] = "stream", [MODE_EXAMPLE] = "example", NULL};

static const struct preset presets[] = {
	{"example", "capacity 2, five sends: missed 3, then 3 and 4",
         "producers=1 consumers=1 capacity=2 mode=example"},
	{"documents", "the capacities of the documents; one of the receivers is slow", "capacity=16,100 slow=1"},
	{"comparison", "one sender, four receivers, plenty of room", "consumers=4 capacity=1024"},
	{NULL, NULL, NULL},
};

static const struct figure figures[] = {
	{"deliveries_per_second", "deliveries/s", "1/s"},
	/* by the receiver that lost least, of what was sent */
	{"lagged_least", "least lost", "ratio"},
	{"lagged_most", "most lost", "ratio"}, /* by the receiver that lost most */
	{"lag_longest", "longest lag, messages", "messages"},
	{NULL, NULL, NULL},
};

struct listener {
	_Alignas(128) struct chan_receiver *rx;
	struct ledger ledger;
	uint64_t told;    /* the sum of all LAGGED */
	uint64_t pending; /* of those since the last message */
	uint64_t longest;
	uint64_t wrong_told, wrong_missed; /* the first LAGGED that did not count right */
	/* the last message had no name: nothing is known of its place */
	bool unsure;
};

struct air {
	struct trial *trial;
	const struct chan_broadcast_ops *ops;
	size_t senders, receivers, words;
	struct null_script script;
	struct chan_sender **tx;
	struct ledger_sent *sent;
	struct listener *listeners;
};

static enum chan_status script_next(void *arg, size_t receiver, uint64_t i, void *msg, uint64_t *missed)
{
	(void)receiver;
	(void)missed;
	const struct air *air = arg;
	if (i >= air->trial->messages)
		return CHAN_CLOSED;
	/* one sender after the other: no division, which would be most of the floor */
	uint64_t producer = 0;
	while (i >= ledger_share(air->trial->messages, air->senders, producer))
		i -= ledger_share(air->trial->messages, air->senders, producer++);
	message_fill(msg, air->words, message_name(air->trial->salt, producer, i));
	return CHAN_OK;
}

static void speak(struct worker *worker)
{
	struct air *air = worker->arg;
	uint64_t *msg = memory_get(64, air->words * 8);
	uint64_t count = ledger_share(air->trial->messages, air->senders, worker->index), sum = 0, i;
	for (i = 0; i < count; i++) {
		uint64_t name = message_name(air->trial->salt, worker->index, i);
		message_fill(msg, air->words, name);
		size_t reached = 0;
		enum chan_status status = air->ops->send(air->tx[worker->index], msg, &reached);
		if (status != CHAN_OK) {
			trial_status(air->trial, "send", status);
			break;
		}
		if (reached != air->receivers) {
			trial_fail(air->trial, "send counted %zu receivers instead of %zu", reached, air->receivers);
			break;
		}
		sum += name;
		worker_progress(worker, i + 1);
	}
	air->sent[worker->index] = (struct ledger_sent){.count = i, .sum = sum};
	air->ops->sender_drop(&air->tx[worker->index]);
	free(msg);
}

static void lagged(struct air *air, struct listener *listener, size_t number, uint64_t missed)
{
	if (missed == 0)
		trial_fail(air->trial, "wrong lag: receiver %zu was told that it missed 0 messages", number);
	listener->told += missed;
	listener->pending += missed;
	if (missed > listener->longest)
		listener->longest = missed;
}

/* With one sender, what is missing before this message is what was announced. A gap that was not
 * announced at all is counted as lost at the end. */
static void enter(struct air *air, struct listener *listener, const uint64_t *msg)
{
	uint64_t due = listener->ledger.lanes[0].next;
	bool known = ledger_receive(&listener->ledger, msg, air->words);
	uint64_t seq = message_seq(msg[0]), gap = seq > due ? seq - due : 0;
	if (air->senders == 1 && known && !listener->unsure && listener->pending != 0 && gap != listener->pending &&
	    listener->wrong_told == 0) {
		listener->wrong_told = listener->pending;
		listener->wrong_missed = gap;
	}
	listener->unsure = !known;
	listener->pending = 0;
}

static void listen(struct worker *worker)
{
	struct air *air = worker->arg;
	struct listener *listener = &air->listeners[worker->index];
	const uint64_t most = 2 * air->trial->messages + 1000;
	uint64_t work_ns = worker->index < air->trial->params.v[PARAM_SLOW] ? air->trial->params.v[PARAM_WORK_NS] : 0;
	uint64_t *msg = memory_get(64, air->words * 8);
	uint64_t steps = 0;
	enum chan_status status;
	for (;;) {
		uint64_t missed = 0;
		status = air->ops->recv(listener->rx, msg, &missed, CHAN_FOREVER);
		if (status == CHAN_LAGGED) {
			lagged(air, listener, worker->index, missed);
		} else if (status == CHAN_OK) {
			enter(air, listener, msg);
			work(work_ns);
		} else {
			break;
		}
		if (++steps > most) {
			trial_fail(air->trial, "receiver %zu got more than twice what was sent", worker->index);
			break;
		}
		worker_progress(worker, steps);
	}
	worker->stop_ns = chan_now();
	if (status != CHAN_CLOSED)
		trial_status(air->trial, "recv", status);
	else if (listener->pending != 0)
		trial_fail(air->trial,
		           "wrong lag: receiver %zu was told that it missed %llu messages, and nothing came after",
		           worker->index, (unsigned long long)listener->pending);
	air->ops->receiver_drop(&listener->rx);
	free(msg);
}

static bool open_air(struct air *air)
{
	const struct chan_config config =
		trial_config(air->words * 8, air->trial->params.v[PARAM_CAPACITY], &air->script);
	enum chan_status status = air->ops->open(&config, &air->tx[0], &air->listeners[0].rx);
	if (status != CHAN_OK)
		trial_status(air->trial, "open", status);
	for (size_t i = 1; i < air->senders && status == CHAN_OK; i++)
		if ((status = air->ops->sender_clone(air->tx[0], &air->tx[i])) != CHAN_OK)
			trial_status(air->trial, "sender_clone", status);
	for (size_t i = 1; i < air->receivers && status == CHAN_OK; i++)
		if ((status = air->ops->subscribe(air->tx[0], &air->listeners[i].rx)) != CHAN_OK)
			trial_status(air->trial, "subscribe", status);
	return status == CHAN_OK;
}

/* The identity: what a receiver did not get is what it was told that it missed; and it was told
 * so at the right places. */
static uint64_t balance(struct air *air, size_t number)
{
	struct listener *listener = &air->listeners[number];
	struct ledger_balance books;
	char text[160] = "", lag[120] = "";
	ledger_balance(&listener->ledger, 1, air->sent, &books);
	uint64_t missing = books.lost, told = listener->told;
	books.lost = missing > told ? missing - told : 0;
	bool wrong = ledger_verdict(&books, text, sizeof text);
	if (listener->wrong_told != 0)
		snprintf(lag, sizeof lag,
		         "wrong lag: told of %" PRIu64 " missed messages at one place, where %" PRIu64 " were",
		         listener->wrong_told, listener->wrong_missed);
	else if (told > missing)
		snprintf(lag, sizeof lag,
		         "wrong lag: told of %" PRIu64 " missed messages in all, where %" PRIu64 " were", told,
		         missing);
	if (wrong || lag[0] != '\0')
		trial_fail(air->trial, "%s%s%s (receiver %zu)", text, wrong && lag[0] != '\0' ? "; " : "", lag, number);
	return missing;
}

static void conclude(struct air *air)
{
	struct trial *trial = air->trial;
	uint64_t received = 0, least = UINT64_MAX, most = 0, longest = 0;
	for (size_t p = 0; p < air->senders; p++)
		trial->items += air->sent[p].count;
	for (size_t r = 0; r < air->receivers; r++) {
		uint64_t missing = balance(air, r);
		trial->lagged[r] = missing;
		received += air->listeners[r].ledger.received;
		least = missing < least ? missing : least;
		most = missing > most ? missing : most;
		longest = air->listeners[r].longest > longest ? air->listeners[r].longest : longest;
	}
	trial->lagged_count = air->receivers;
	trial->figures[0] = (double)received * 1e9 / (double)trial->use.elapsed_ns;
	trial->figures[1] = (double)least / (double)trial->items;
	trial->figures[2] = (double)most / (double)trial->items;
	trial->figures[3] = (double)longest;
}

static void run_stream(struct trial *trial)
{
	struct air air = {.trial = trial,
	                  .ops = trial->impl->broadcast,
	                  .senders = (size_t)trial->params.v[PARAM_PRODUCERS],
	                  .receivers = (size_t)trial->params.v[PARAM_CONSUMERS],
	                  .words = (size_t)trial->params.v[PARAM_SIZE] / 8};
	air.script = (struct null_script){.next = script_next, .arg = &air};
	air.tx = memory_get(8, air.senders * sizeof *air.tx);
	air.sent = memory_get(8, air.senders * sizeof *air.sent);
	air.listeners = memory_get(128, air.receivers * sizeof *air.listeners);
	struct worker *workers = trial_workers(air.senders + air.receivers);
	for (size_t i = 0; i < air.senders; i++)
		workers[i] = (struct worker){.body = speak, .arg = &air, .index = i};
	for (size_t i = 0; i < air.receivers; i++) {
		workers[air.senders + i] = (struct worker){.body = listen, .arg = &air, .index = i};
		/* Gaps are to be expected: bits from the start. */
		ledger_init(&air.listeners[i].ledger, trial->salt, air.senders, trial->messages, false);
	}
	if (open_air(&air)) {
		trial_run(trial, workers, air.senders + air.receivers);
		conclude(&air);
	}
	for (size_t i = 0; i < air.senders; i++)
		air.ops->sender_drop(&air.tx[i]);
	for (size_t i = 0; i < air.receivers; i++) {
		air.ops->receiver_drop(&air.listeners[i].rx);
		ledger_free(&air.listeners[i].ledger);
	}
	free(workers);
	free(air.listeners);
	free(air.sent);
	free(air.tx);
}

static void run(struct trial *trial)
{
	if (trial->params.v[PARAM_MODE] == MODE_EXAMPLE)
		broadcast_example(trial);
	else
		run_stream(trial);
}

static enum kind kind(const struct params *p, const char **why)
{
	if (p->v[PARAM_SLOW] > p->v[PARAM_CONSUMERS]) {
		*why = "slow is how many of the consumers are slow: at most consumers";
		return KIND_COUNT;
	}
	if (p->v[PARAM_MODE] == MODE_EXAMPLE &&
	    (p->v[PARAM_PRODUCERS] != 1 || p->v[PARAM_CONSUMERS] != 1 ||
	     p->v[PARAM_CAPACITY] != BROADCAST_EXAMPLE_CAPACITY || p->v[PARAM_SLOW] != 0)) {
		*why = "mode example is producers=1 consumers=1 capacity=2 slow=0";
		return KIND_COUNT;
	}
	return KIND_BROADCAST;
}

static const char *lacks(const struct impl_info *info, const struct params *p)
{
	if (p->v[PARAM_PRODUCERS] > 1 && !info_offers(info, KIND_BROADCAST, "sender_clone"))
		return "sender_clone";
	return NULL;
}

const struct workload broadcast_lag = {
	.name = "broadcast_lag",
	.summary = "senders that never wait, receivers of which some are slow",
	.kinds = "broadcast",
	.item = "messages sent",
	.params = params,
	.modes = modes,
	.presets = presets,
	.figures = figures,
	.kind = kind,
	.lacks = lacks,
	.run = run,
};
