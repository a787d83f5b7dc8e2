/* SPDX-License-Identifier: MIT
 *
 * oneshot.c - one value, once.
 *
 * Mode local: one thread opens a channel, sends, receives and drops it, again and again. Mode
 * request_reply: clients send requests over an mpsc channel, each with the sender of a oneshot in
 * it; the server answers through that one. A reply that is lost is waited for without end: the
 * watchdog of the cell says so.
 */
#include "harness/bench/memory.h"
#include "harness/bench/trial.h"

enum { MODE_LOCAL, MODE_REQUEST_REPLY };

static const struct workload_param params[] = {
	{PARAM_PRODUCERS, "1"}, {PARAM_CAPACITY, "32"}, {PARAM_MODE, "local"}, {PARAM_COUNT, NULL}};

static const char *const modes[] = {[MODE_LOCAL] = "local", [MODE_REQUEST_REPLY] = "request_reply", NULL};

static const struct preset presets[] = {
	{"comparison", "in one thread; and as the reply to a request", "mode=local,request_reply"},
	{NULL, NULL, NULL},
};

struct request {
	uint64_t name;
	struct chan_sender *reply;
};

struct desk {
	struct trial *trial;
	const struct chan_oneshot_ops *ops;
	const struct chan_mpsc_ops *requests;
	size_t clients;
	uint64_t current; /* local: the message that is under way */
	struct null_script script;
	struct chan_config reply; /* of each oneshot */
	struct chan_sender **tx;
	struct chan_receiver *rx;
	struct ledger_sent *sent; /* one a client: requests made */
	struct ledger *replies;   /* one a client */
	struct ledger served;     /* requests that arrived */
};

static enum chan_status script_next(void *arg, size_t receiver, uint64_t i, void *msg, uint64_t *missed)
{
	(void)receiver;
	(void)missed;
	const struct desk *desk = arg;
	uint64_t name = message_name(desk->trial->salt, 0, desk->current);
	memcpy(msg, &name, sizeof name);
	return i == 0 ? CHAN_OK : CHAN_CLOSED;
}

static bool open_reply(struct desk *desk, struct chan_sender **tx, struct chan_receiver **rx)
{
	enum chan_status status = desk->ops->open(&desk->reply, tx, rx);
	if (status != CHAN_OK)
		trial_status(desk->trial, "open", status);
	return status == CHAN_OK;
}

static bool send_reply(struct desk *desk, struct chan_sender **tx, uint64_t name)
{
	enum chan_status status = desk->ops->send(tx, &name);
	if (status != CHAN_OK)
		trial_status(desk->trial, "oneshot send", status);
	else if (*tx != NULL)
		trial_fail(desk->trial, "oneshot send did not consume its sender");
	return status == CHAN_OK && *tx == NULL;
}

static bool receive_reply(struct desk *desk, struct chan_receiver *rx, struct ledger *ledger)
{
	uint64_t name = 0;
	enum chan_status status = desk->ops->recv(rx, &name, CHAN_FOREVER);
	if (status == CHAN_OK)
		ledger_receive(ledger, &name, 1);
	else if (status != CHAN_CLOSED)
		trial_status(desk->trial, "oneshot recv", status);
	/* CHAN_CLOSED in place of a message that was sent: the ledger will say that it is lost. */
	return status == CHAN_OK || status == CHAN_CLOSED;
}

static void local(struct worker *worker)
{
	struct desk *desk = worker->arg;
	bool going = true;
	for (uint64_t i = 0; i < desk->trial->messages && going; i++) {
		struct chan_sender *tx = NULL;
		struct chan_receiver *rx = NULL;
		uint64_t name = message_name(desk->trial->salt, 0, i);
		desk->current = i;
		going = open_reply(desk, &tx, &rx) && send_reply(desk, &tx, name);
		if (going) {
			desk->sent[0].count++;
			desk->sent[0].sum += name;
			going = receive_reply(desk, rx, &desk->replies[0]);
		}
		desk->ops->sender_drop(&tx);
		desk->ops->receiver_drop(&rx);
		worker_progress(worker, i + 1);
	}
	worker->stop_ns = chan_now();
}

static void ask(struct worker *worker)
{
	struct desk *desk = worker->arg;
	size_t k = worker->index;
	uint64_t count = ledger_share(desk->trial->messages, desk->clients, k), sum = 0, i = 0;
	for (bool going = true; i < count && going; i++) {
		struct request request = {.name = message_name(desk->trial->salt, k, i)};
		struct chan_receiver *rx = NULL;
		if (!open_reply(desk, &request.reply, &rx))
			break;
		enum chan_status status = desk->requests->send(desk->tx[k], &request, CHAN_FOREVER);
		if (status != CHAN_OK) { /* the request is still ours, and the sender in it */
			trial_status(desk->trial, "send", status);
			desk->ops->sender_drop(&request.reply);
			desk->ops->receiver_drop(&rx);
			break;
		}
		sum += request.name;
		going = receive_reply(desk, rx, &desk->replies[k]);
		desk->ops->receiver_drop(&rx);
		worker_progress(worker, i + 1);
	}
	worker->stop_ns = chan_now();
	desk->sent[k] = (struct ledger_sent){.count = i, .sum = sum};
	desk->requests->sender_drop(&desk->tx[k]);
}

static void serve(struct worker *worker)
{
	struct desk *desk = worker->arg;
	struct request request;
	enum chan_status status;
	while ((status = desk->requests->recv(desk->rx, &request, CHAN_FOREVER)) == CHAN_OK) {
		uint64_t before = desk->served.duplicated;
		/* What is no request holds no handle; and a second copy of one holds a handle
		 * that is no more. */
		if (!ledger_receive(&desk->served, &request.name, 1) || desk->served.duplicated != before)
			continue;
		if (!send_reply(desk, &request.reply, request.name))
			break;
	}
	if (status != CHAN_OK && status != CHAN_CLOSED)
		trial_status(desk->trial, "recv", status);
	desk->requests->receiver_drop(&desk->rx);
	(void)worker;
}

static bool open_requests(struct desk *desk)
{
	const struct chan_config config =
		trial_config(sizeof(struct request), desk->trial->params.v[PARAM_CAPACITY], &desk->script);
	enum chan_status status = desk->requests->open(&config, &desk->tx[0], &desk->rx);
	if (status != CHAN_OK)
		trial_status(desk->trial, "open", status);
	for (size_t k = 1; k < desk->clients && status == CHAN_OK; k++)
		if ((status = desk->requests->sender_clone(desk->tx[0], &desk->tx[k])) != CHAN_OK)
			trial_status(desk->trial, "sender_clone", status);
	return status == CHAN_OK;
}

static void run_clients(struct desk *desk, struct worker *workers)
{
	struct ledger_sent *none = memory_get(8, desk->clients * sizeof *none);
	for (size_t k = 0; k < desk->clients; k++)
		workers[k] = (struct worker){.body = ask, .arg = desk, .index = k};
	workers[desk->clients] = (struct worker){.body = serve, .arg = desk};
	ledger_init(&desk->served, desk->trial->salt, desk->clients, desk->trial->messages, true);
	if (open_requests(desk)) {
		trial_run(desk->trial, workers, desk->clients + 1);
		trial_balance(desk->trial, &desk->served, 1, desk->sent);
		/* each client gets the replies to its own requests */
		for (size_t k = 0; k < desk->clients; k++) {
			struct ledger_sent mine = desk->sent[k];
			memset(none, 0, desk->clients * sizeof *none);
			none[k] = mine;
			desk->trial->items += desk->replies[k].received;
			trial_balance(desk->trial, &desk->replies[k], 1, none);
		}
	}
	for (size_t k = 0; k < desk->clients; k++)
		desk->requests->sender_drop(&desk->tx[k]);
	desk->requests->receiver_drop(&desk->rx);
	ledger_free(&desk->served);
	free(none);
}

static void run(struct trial *trial)
{
	struct desk desk = {.trial = trial,
	                    .ops = trial->impl->oneshot,
	                    .requests = trial->impl->mpsc,
	                    .clients = (size_t)trial->params.v[PARAM_PRODUCERS]};
	desk.script = (struct null_script){.next = script_next, .arg = &desk};
	desk.reply = trial_config(sizeof(uint64_t), 0, &desk.script);
	desk.tx = memory_get(8, desk.clients * sizeof *desk.tx);
	desk.sent = memory_get(8, desk.clients * sizeof *desk.sent);
	desk.replies = memory_get(8, desk.clients * sizeof *desk.replies);
	for (size_t k = 0; k < desk.clients; k++)
		ledger_init(&desk.replies[k], trial->salt, desk.clients, trial->messages, true);
	struct worker *workers = trial_workers(desk.clients + 1);
	if (trial->params.v[PARAM_MODE] == MODE_LOCAL) {
		workers[0] = (struct worker){.body = local, .arg = &desk};
		trial_run(trial, workers, 1);
		trial->items = desk.replies[0].received;
		trial_balance(trial, desk.replies, 1, desk.sent);
	} else {
		run_clients(&desk, workers);
	}
	for (size_t k = 0; k < desk.clients; k++)
		ledger_free(&desk.replies[k]);
	free(workers);
	free(desk.replies);
	free(desk.sent);
	free(desk.tx);
}

static enum kind kind(const struct params *p, const char **why)
{
	if (p->v[PARAM_MODE] == MODE_LOCAL && p->v[PARAM_PRODUCERS] != 1) {
		*why = "mode local is one thread: producers must be 1";
		return KIND_COUNT;
	}
	return KIND_ONESHOT;
}

static const char *lacks(const struct impl_info *info, const struct params *p)
{
	if (p->v[PARAM_MODE] == MODE_LOCAL)
		return NULL;
	if (info->offered[KIND_MPSC] == 0)
		return "mpsc";
	if (p->v[PARAM_PRODUCERS] > 1 && !info_offers(info, KIND_MPSC, "sender_clone"))
		return "sender_clone";
	return NULL;
}

static const char *no_null(const struct params *p)
{
	return p->v[PARAM_MODE] == MODE_REQUEST_REPLY ? "what moves nothing cannot bring the reply's sender" : NULL;
}

const struct workload oneshot = {
	.name = "oneshot",
	.summary = "one value, once: in one thread, or as the reply to a request",
	.kinds = "oneshot",
	.item = "values",
	.params = params,
	.modes = modes,
	.presets = presets,
	.kind = kind,
	.lacks = lacks,
	.no_null = no_null,
	.run = run,
};
