/* SPDX-License-Identifier: MIT
 *
 * watch.c - one value that is always there.
 *
 * Mode read: one writer writes without a pause, R readers borrow; no reader may get a torn value,
 * or an older one than before, and after the last write everybody must find the last value. Mode
 * wake: after each write the writer waits until every reader has been woken by changed(), has
 * borrowed that very value, and has said so over a watch channel of its own.
 */
#include "harness/bench/memory.h"
#include "harness/bench/trial.h"

enum { MODE_READ, MODE_WAKE };

static const struct workload_param params[] = {
	{PARAM_CONSUMERS, "4"}, {PARAM_SIZE, "64"}, {PARAM_MODE, "read"}, {PARAM_COUNT, NULL}};

static const char *const modes[] = {[MODE_READ] = "read", [MODE_WAKE] = "wake", NULL};

static const struct preset presets[] = {
	{"comparison", "one writer, four readers: borrowing, and woken by each write",
         "consumers=4 size=8,64 mode=read,wake"},
	{NULL, NULL, NULL},
};

static const struct figure figures[] = {
	{"writes_per_second", "writes/s", "1/s"},
	{NULL, NULL, NULL},
};

/* A reader; `ack_*` is mode wake's channel back. */
struct reader {
	_Alignas(128) struct chan_receiver *rx;
	struct chan_sender *ack_tx;
	struct chan_receiver *ack_rx;
	uint64_t newest; /* the highest version read */
	uint64_t torn, older, reads;
};

struct tower {
	_Alignas(128) _Atomic size_t finished; /* readers */
	_Alignas(128) struct trial *trial;
	const struct chan_watch_ops *ops;
	size_t readers, words;
	uint64_t rounds; /* mode wake */
	struct null_script script, ack_script;
	struct chan_sender *tx;
	struct reader *reader;
	uint64_t last; /* the last version written; read after CHAN_CLOSED */
};

/* Versions are numbered from 0, the initial value; each is a message of that number. */
static uint64_t name_of(const struct tower *tower, uint64_t version)
{
	return message_name(tower->trial->salt, 0, version);
}

static enum chan_status script_next(void *arg, size_t receiver, uint64_t i, void *value, uint64_t *missed)
{
	(void)receiver;
	(void)missed;
	const struct tower *tower = arg;
	bool wake = tower->trial->params.v[PARAM_MODE] == MODE_WAKE;
	if (value != NULL)
		message_fill_all(value, tower->words, name_of(tower, wake ? i + 1 : 0));
	return wake && i < tower->rounds ? CHAN_OK : value != NULL ? CHAN_OK : CHAN_CLOSED;
}

static enum chan_status ack_next(void *arg, size_t receiver, uint64_t i, void *value, uint64_t *missed)
{
	(void)arg;
	(void)receiver;
	(void)i;
	(void)value;
	(void)missed;
	return CHAN_OK;
}

/* Borrows and checks; the version, or UINT64_MAX when it cannot be told. */
static uint64_t read_one(struct tower *tower, struct reader *reader, uint64_t *value)
{
	enum chan_status status = tower->ops->borrow(reader->rx, value, NULL);
	if (status != CHAN_OK) {
		trial_status(tower->trial, "borrow", status);
		return UINT64_MAX;
	}
	uint64_t version = message_seq(value[0]);
	reader->reads++;
	if (value[0] != name_of(tower, version) || !message_whole_all(value, tower->words)) {
		reader->torn++;
		return version;
	}
	if (version < reader->newest)
		reader->older++;
	else
		reader->newest = version;
	return version;
}

static bool write_one(struct tower *tower, uint64_t *value, uint64_t version)
{
	message_fill_all(value, tower->words, name_of(tower, version));
	enum chan_status status = tower->ops->send(tower->tx, value);
	if (status != CHAN_OK)
		trial_status(tower->trial, "send", status);
	return status == CHAN_OK;
}

/* --- mode read --- */

static void write_all(struct worker *worker)
{
	struct tower *tower = worker->arg;
	uint64_t *value = memory_get(64, tower->words * 8);
	uint64_t version = 0;
	while (atomic_load_explicit(&tower->finished, memory_order_relaxed) < tower->readers) {
		if (!write_one(tower, value, version + 1))
			break;
		worker_progress(worker, ++version);
	}
	tower->last = version;
	tower->ops->sender_drop(&tower->tx);
	free(value);
}

/* After the writer has gone: what is there must be what it wrote last. */
static void read_last(struct tower *tower, struct reader *reader, uint64_t *value)
{
	enum chan_status status;
	while ((status = tower->ops->changed(reader->rx, CHAN_FOREVER)) == CHAN_OK)
		;
	if (status != CHAN_CLOSED) {
		trial_status(tower->trial, "changed", status);
		return;
	}
	uint64_t version = read_one(tower, reader, value);
	if (version != tower->last)
		trial_fail(tower->trial, "lost the last value: version %llu was written last, version %llu was read",
		           (unsigned long long)tower->last, (unsigned long long)version);
}

static void read_all(struct worker *worker)
{
	struct tower *tower = worker->arg;
	struct reader *reader = &tower->reader[worker->index];
	uint64_t *value = memory_get(64, tower->words * 8);
	uint64_t count = ledger_share(tower->trial->messages, tower->readers, worker->index);
	while (reader->reads < count && read_one(tower, reader, value) != UINT64_MAX)
		worker_progress(worker, reader->reads);
	worker->stop_ns = chan_now();
	uint64_t reads = reader->reads;
	atomic_fetch_add_explicit(&tower->finished, 1, memory_order_relaxed);
	/* The null control waits for nobody: its readers may be here before the last write. */
	if (!tower->trial->control)
		read_last(tower, reader, value);
	reader->reads = reads;
	tower->ops->receiver_drop(&reader->rx);
	free(value);
}

/* --- mode wake --- */

static void write_rounds(struct worker *worker)
{
	struct tower *tower = worker->arg;
	uint64_t *value = memory_get(64, tower->words * 8);
	for (uint64_t version = 1; version <= tower->rounds; version++) {
		if (!write_one(tower, value, version))
			break;
		tower->last = version;
		for (size_t i = 0; i < tower->readers; i++) {
			enum chan_status status = tower->ops->changed(tower->reader[i].ack_rx, CHAN_FOREVER);
			if (status != CHAN_OK) {
				trial_status(tower->trial, "changed", status);
				version = tower->rounds; /* nobody is there to be written to */
			}
		}
		worker_progress(worker, version);
	}
	worker->stop_ns = chan_now();
	tower->ops->sender_drop(&tower->tx);
	free(value);
}

static void wake_up(struct worker *worker)
{
	struct tower *tower = worker->arg;
	struct reader *reader = &tower->reader[worker->index];
	uint64_t *value = memory_get(64, tower->words * 8);
	enum chan_status status;
	while ((status = tower->ops->changed(reader->rx, CHAN_FOREVER)) == CHAN_OK) {
		uint64_t due = reader->reads + 1, version = read_one(tower, reader, value);
		if (version != due) {
			trial_fail(tower->trial, "woken for version %llu, but version %llu was read",
			           (unsigned long long)due, (unsigned long long)version);
			break;
		}
		if ((status = tower->ops->send(reader->ack_tx, &due)) != CHAN_OK)
			break;
		worker_progress(worker, reader->reads);
	}
	if (status != CHAN_OK && status != CHAN_CLOSED)
		trial_status(tower->trial, "changed", status);
	tower->ops->sender_drop(&reader->ack_tx);
	tower->ops->receiver_drop(&reader->rx);
	free(value);
}

/* --- the trial --- */

static bool add_reader(struct tower *tower, struct reader *reader, struct chan_receiver *first)
{
	enum chan_status status = CHAN_OK;
	if (reader->rx == NULL)
		status = tower->ops->subscribe != NULL ? tower->ops->subscribe(tower->tx, &reader->rx)
		                                       : tower->ops->receiver_clone(first, &reader->rx);
	if (status != CHAN_OK) {
		trial_status(tower->trial, tower->ops->subscribe != NULL ? "subscribe" : "receiver_clone", status);
		return false;
	}
	if (tower->trial->params.v[PARAM_MODE] != MODE_WAKE)
		return true;
	const struct chan_config config = trial_config(sizeof(uint64_t), 0, &tower->ack_script);
	const uint64_t initial = 0;
	status = tower->ops->open(&config, &initial, &reader->ack_tx, &reader->ack_rx);
	if (status != CHAN_OK)
		trial_status(tower->trial, "open", status);
	return status == CHAN_OK;
}

static bool open_tower(struct tower *tower)
{
	const struct chan_config config = trial_config(tower->words * 8, 0, &tower->script);
	uint64_t *initial = memory_get(64, tower->words * 8);
	message_fill_all(initial, tower->words, name_of(tower, 0));
	enum chan_status status = tower->ops->open(&config, initial, &tower->tx, &tower->reader[0].rx);
	free(initial);
	if (status != CHAN_OK) {
		trial_status(tower->trial, "open", status);
		return false;
	}
	for (size_t i = 0; i < tower->readers; i++)
		if (!add_reader(tower, &tower->reader[i], tower->reader[0].rx))
			return false;
	return true;
}

static void conclude(struct tower *tower)
{
	struct trial *trial = tower->trial;
	bool wake = trial->params.v[PARAM_MODE] == MODE_WAKE;
	for (size_t i = 0; i < tower->readers; i++) {
		const struct reader *reader = &tower->reader[i];
		trial->items += reader->reads;
		if (reader->torn != 0)
			trial_fail(trial, "corrupted: %llu torn values in %llu reads", (unsigned long long)reader->torn,
			           (unsigned long long)reader->reads);
		if (reader->older != 0)
			trial_fail(trial, "reordered: %llu values in %llu reads were older than one read before",
			           (unsigned long long)reader->older, (unsigned long long)reader->reads);
		if (!trial->control && reader->newest > tower->last)
			trial_fail(trial, "invented: version %llu was read, version %llu was written last",
			           (unsigned long long)reader->newest, (unsigned long long)tower->last);
		if (wake && reader->reads != tower->rounds)
			trial_fail(trial, "lost: reader %zu was woken %llu times for %llu writes", i,
			           (unsigned long long)reader->reads, (unsigned long long)tower->rounds);
	}
	trial->figures[0] = (double)tower->last * 1e9 / (double)trial->use.elapsed_ns;
}

static void run(struct trial *trial)
{
	struct tower tower = {.trial = trial,
	                      .ops = trial->impl->watch,
	                      .readers = (size_t)trial->params.v[PARAM_CONSUMERS],
	                      .words = (size_t)trial->params.v[PARAM_SIZE] / 8};
	bool wake = trial->params.v[PARAM_MODE] == MODE_WAKE;
	tower.rounds = trial->messages / tower.readers + (trial->messages % tower.readers != 0);
	tower.script = (struct null_script){.next = script_next, .arg = &tower};
	tower.ack_script = (struct null_script){.next = ack_next, .arg = &tower};
	tower.reader = memory_get(128, tower.readers * sizeof *tower.reader);
	struct worker *workers = trial_workers(tower.readers + 1);
	workers[0] = (struct worker){.body = wake ? write_rounds : write_all, .arg = &tower};
	for (size_t i = 0; i < tower.readers; i++)
		workers[i + 1] = (struct worker){.body = wake ? wake_up : read_all, .arg = &tower, .index = i};
	if (open_tower(&tower)) {
		trial_run(trial, workers, tower.readers + 1);
		conclude(&tower);
	}
	tower.ops->sender_drop(&tower.tx);
	for (size_t i = 0; i < tower.readers; i++) {
		tower.ops->receiver_drop(&tower.reader[i].rx);
		tower.ops->sender_drop(&tower.reader[i].ack_tx);
		tower.ops->receiver_drop(&tower.reader[i].ack_rx);
	}
	free(workers);
	free(tower.reader);
}

static enum kind kind(const struct params *p, const char **why)
{
	(void)p;
	(void)why;
	return KIND_WATCH;
}

static const char *lacks(const struct impl_info *info, const struct params *p)
{
	if (p->v[PARAM_CONSUMERS] > 1 && !info_offers(info, KIND_WATCH, "subscribe") &&
	    !info_offers(info, KIND_WATCH, "receiver_clone"))
		return "subscribe";
	return NULL;
}

const struct workload watch = {
	.name = "watch",
	.summary = "one writer, many readers: borrowing, or woken by each write",
	.kinds = "watch",
	.item = "reads",
	.params = params,
	.modes = modes,
	.presets = presets,
	.figures = figures,
	.kind = kind,
	.lacks = lacks,
	.run = run,
};
