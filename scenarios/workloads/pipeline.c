/* SPDX-License-Identifier: MIT
 *
 * pipeline.c - numbers are generated, squared, and written as text ("Result: 1764") in a chain of
 * threads.
 *
 * `stages` channels: the generator feeds the first; the second thread squares; the last but one
 * writes the text; in longer chains those between pass the number on. The end of the chain checks
 * each text: the i-th must be that of i squared.
 */
#include "harness/bench/memory.h"
#include "scenarios/workloads/stream.h"

static const struct workload_param params[] = {{PARAM_STAGES, "3"}, {PARAM_CAPACITY, "10"}, {PARAM_COUNT, NULL}};

static const struct preset presets[] = {
	{"documents", "three channels of capacity 10", "stages=3 capacity=10"},
	{"comparison", "the same with plenty of room", "stages=3 capacity=1024"},
	{NULL, NULL, NULL},
};

#define PREFIX      "Result: "
#define PREFIX_SIZE (sizeof PREFIX - 1)

/* 32 bytes: the prefix, at most 20 digits, a zero. */
struct text {
	_Alignas(8) char bytes[32];
};

struct link {
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct null_script script;
	struct chain *chain;
	size_t number;
};

struct chain {
	struct trial *trial;
	const struct chan_mpsc_ops *ops;
	size_t stages;
	struct link *links;
	struct ledger ledger; /* the end's */
	struct ledger_sent sent;
};

/* Numbers whose square fits 64 bits; longer trials begin again at 0 (and the end knows). */
static uint64_t number_of(uint64_t seq)
{
	return seq & UINT32_MAX;
}

static void write_text(struct text *text, uint64_t number)
{
	char digits[20];
	size_t n = 0;
	do
		digits[n++] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	memcpy(text->bytes, PREFIX, PREFIX_SIZE);
	for (size_t i = 0; i < n; i++)
		text->bytes[PREFIX_SIZE + i] = digits[n - 1 - i];
	text->bytes[PREFIX_SIZE + n] = '\0';
}

/* False: this is no such text. */
static bool read_text(const struct text *text, uint64_t *number)
{
	const char *at = text->bytes + PREFIX_SIZE, *end = text->bytes + sizeof text->bytes;
	*number = 0;
	if (memcmp(text->bytes, PREFIX, PREFIX_SIZE) != 0 || *at < '0' || *at > '9')
		return false;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		*number = *number * 10 + (uint64_t)(*at - '0');
	return at < end && *at == '\0';
}

static uint64_t root_of(uint64_t square)
{
	uint64_t root = 0;
	for (uint64_t bit = (uint64_t)1 << 31; bit != 0; bit >>= 1)
		if ((root + bit) * (root + bit) <= square)
			root += bit;
	return root;
}

/* What arrives through link k as its i-th message. */
static void make_message(const struct chain *chain, size_t k, uint64_t i, struct text *text)
{
	uint64_t number = number_of(i) * (k == 0 ? 1 : number_of(i));
	if (k == chain->stages - 1)
		write_text(text, number);
	else
		memcpy(text, &number, sizeof number);
}

static enum chan_status script_next(void *arg, size_t receiver, uint64_t i, void *msg, uint64_t *missed)
{
	(void)receiver;
	(void)missed;
	const struct link *link = arg;
	struct text text;
	if (i >= link->chain->trial->messages)
		return CHAN_CLOSED;
	make_message(link->chain, link->number, i, &text);
	memcpy(msg, &text, link->number == link->chain->stages - 1 ? sizeof text : sizeof(uint64_t));
	return CHAN_OK;
}

static bool pass(struct chain *chain, size_t link, const void *msg)
{
	enum chan_status status = chain->ops->send(chain->links[link].tx, msg, CHAN_FOREVER);
	if (status != CHAN_OK)
		trial_status(chain->trial, "send", status);
	return status == CHAN_OK;
}

static bool take(struct chain *chain, size_t link, void *msg)
{
	enum chan_status status = chain->ops->recv(chain->links[link].rx, msg, CHAN_FOREVER);
	if (status != CHAN_OK && status != CHAN_CLOSED)
		trial_status(chain->trial, "recv", status);
	return status == CHAN_OK;
}

static void generate(struct worker *worker)
{
	struct chain *chain = worker->arg;
	for (uint64_t i = 0; i < chain->trial->messages; i++) {
		uint64_t number = number_of(i);
		if (!pass(chain, 0, &number))
			break;
		chain->sent.count++;
		chain->sent.sum += i;
		worker_progress(worker, i + 1);
	}
	chain->ops->sender_drop(&chain->links[0].tx);
}

/* Worker k stands between links k - 1 and k. */
static void transform(struct worker *worker)
{
	struct chain *chain = worker->arg;
	size_t k = worker->index;
	uint64_t number, done = 0;
	struct text text;
	while (take(chain, k - 1, &number)) {
		const void *msg = &number;
		if (k == 1)
			number *= number;
		if (k == chain->stages - 1) {
			write_text(&text, number);
			msg = &text;
		}
		if (!pass(chain, k, msg))
			break;
		worker_progress(worker, ++done);
	}
	chain->ops->receiver_drop(&chain->links[k - 1].rx);
	chain->ops->sender_drop(&chain->links[k].tx);
}

/* Numbers repeat after 2^32: the one nearest to what is due next. */
static uint64_t seq_of(uint64_t root, uint64_t due)
{
	return due + (uint64_t)(int64_t)(int32_t)(uint32_t)(root - due);
}

static void check_text(struct chain *chain, const struct text *text)
{
	uint64_t square, due = chain->ledger.lanes[0].next;
	if (!read_text(text, &square)) {
		chain->ledger.nameless++;
		return;
	}
	uint64_t root = square == number_of(due) * number_of(due) ? number_of(due) : root_of(square);
	if (root * root != square)
		chain->ledger.nameless++;
	else
		ledger_enter(&chain->ledger, 0, seq_of(root, due), seq_of(root, due));
}

static void finish(struct worker *worker)
{
	struct chain *chain = worker->arg;
	const uint64_t most = 2 * chain->trial->messages + 1000;
	struct text text;
	uint64_t done = 0;
	while (done < most && take(chain, chain->stages - 1, &text)) {
		check_text(chain, &text);
		worker_progress(worker, ++done);
		if (done == chain->trial->messages)
			worker->stop_ns = chan_now();
	}
	if (worker->stop_ns == 0)
		worker->stop_ns = chan_now();
	chain->ops->receiver_drop(&chain->links[chain->stages - 1].rx);
}

static bool open_links(struct chain *chain)
{
	for (size_t k = 0; k < chain->stages; k++) {
		struct link *link = &chain->links[k];
		*link = (struct link){.chain = chain, .number = k};
		link->script = (struct null_script){.next = script_next, .arg = link};
		const struct chan_config config =
			trial_config(k == chain->stages - 1 ? sizeof(struct text) : sizeof(uint64_t),
		                     chain->trial->params.v[PARAM_CAPACITY], &link->script);
		enum chan_status status = chain->ops->open(&config, &link->tx, &link->rx);
		if (status != CHAN_OK) {
			trial_status(chain->trial, "open", status);
			return false;
		}
	}
	return true;
}

static void run(struct trial *trial)
{
	struct chain chain = {
		.trial = trial, .ops = stream_ops(trial), .stages = (size_t)trial->params.v[PARAM_STAGES]};
	chain.links = memory_get(8, chain.stages * sizeof *chain.links);
	ledger_init(&chain.ledger, 0, 1, trial->messages, true);
	struct worker *workers = trial_workers(chain.stages + 1);
	for (size_t k = 0; k <= chain.stages; k++)
		workers[k] = (struct worker){.body = k == 0              ? generate
		                                     : k == chain.stages ? finish
		                                                         : transform,
		                             .arg = &chain,
		                             .index = k};
	if (open_links(&chain)) {
		trial_run(trial, workers, chain.stages + 1);
		trial->items = chain.ledger.received;
		trial_balance(trial, &chain.ledger, 1, &chain.sent);
	}
	for (size_t k = 0; k < chain.stages; k++) {
		chain.ops->sender_drop(&chain.links[k].tx);
		chain.ops->receiver_drop(&chain.links[k].rx);
	}
	ledger_free(&chain.ledger);
	free(chain.links);
	free(workers);
}

const struct workload pipeline = {
	.name = "pipeline",
	.summary = "generate, square, write as text: a chain of channels",
	.kinds = "mpsc unbounded",
	.item = "messages",
	.params = params,
	.presets = presets,
	.kind = stream_kind,
	.run = run,
};
