/* SPDX-License-Identifier: MIT
 *
 * cell.c - trials of one cell: naming, running, calibrating.
 */
#include "harness/bench/cell.h"

#include "harness/any.h"

#include <malloc.h>
#include <math.h>

void cell_name(const struct cell_request *request, char *text, size_t size)
{
	int at = snprintf(text, size, "%s/%s", request->workload->name, request->impl);
	for (const struct workload_param *p = request->workload->params; p->param != PARAM_COUNT; p++) {
		char value[64];
		param_print(request->workload, p->param, request->params.v[p->param], value, sizeof value);
		if (at >= 0 && (size_t)at < size)
			at += snprintf(text + at, size - (size_t)at, "/%s:%s", param_name(p->param), value);
	}
}

void cell_trial(struct cell *cell, uint64_t messages, struct trial *trial)
{
	trial_init(trial);
	trial->workload = cell->request->workload;
	trial->impl = cell->impl;
	trial->params = cell->request->params;
	trial->kind = cell->kind;
	trial->messages = messages;
	trial->control = cell->request->control;
	/* Messages of an earlier trial, left behind in memory, are no messages of this one. */
	trial->salt = (cell->request->seed + 1) * MESSAGE_MIX + ++cell->trials * 0xd1b54a32d192ed03u;
	trial->workload->run(trial);
	if (!trial_failed(trial) && trial->items == 0)
		trial_fail(trial, "nothing was received");
}

/* Runs one trial, and says how many nanoseconds it took. */
static double time_trial(struct cell *cell, struct trial *trial)
{
	cell_trial(cell, cell->messages, trial);
	if (trial_failed(trial) && cell->calibration[0] == '\0')
		snprintf(cell->calibration, sizeof cell->calibration, "while calibrating: %s", trial->failure);
	return trial->use.elapsed_ns > 1 ? (double)trial->use.elapsed_ns : 1;
}

void cell_calibrate(struct cell *cell)
{
	static struct trial trial;
	const double wanted = cell->request->seconds * 1e9;
	uint64_t rate = cell->request->params.v[PARAM_RATE];
	if (rate != 0) { /* known, and as long for everybody */
		cell->messages = (uint64_t)((double)rate * cell->request->seconds) + 1;
		return;
	}
	/* Long enough that the threads' start does not count for much, then as many as the rate
	 * found there asks for. A broken channel gets enough messages to show what it does, and
	 * its clock is not to be believed. */
	const uint64_t enough = 100000;
	cell->messages = 64;
	for (bool done = false; !done;) {
		double took = time_trial(cell, &trial);
		/* A thread that the machine held up makes few messages look like enough: it
		 * takes two trials to say so. */
		if (took * 2 >= wanted)
			took = fmin(took, time_trial(cell, &trial));
		double factor = wanted / took;
		done = took * 2 >= wanted;
		if (trial_failed(&trial) && cell->messages >= enough)
			return;
		double next = (double)cell->messages * (!done && factor > 16 ? 16 : factor);
		cell->messages = next < 1 ? 1 : next > (double)MESSAGE_SEQ_MAX ? MESSAGE_SEQ_MAX : (uint64_t)next;
	}
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MALLOC_KNOWN 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MALLOC_KNOWN 0
#endif
#endif
#ifndef MALLOC_KNOWN
#define MALLOC_KNOWN 1
#endif

struct pair {
	struct chan_sender *tx;
	struct chan_receiver *rx;
};

uint64_t cell_bytes(const struct chan_impl *impl, enum kind kind, const struct params *params)
{
	/* Many, so that what the allocator had at hand from before does not matter; big ones are
	 * mapped by themselves. */
	enum { MANY = 64 };
	const double small = 1 << 16;
	struct pair pairs[MANY] = {{NULL, NULL}};
	static const char zeros[(size_t)1 << 20];
	const void *table = any_table(impl, kind);
	const struct any_ops any = any_of(kind, table);
	uint64_t size = params->v[PARAM_SIZE] ? params->v[PARAM_SIZE] : 8;
	uint64_t capacity = params->v[PARAM_CAPACITY] == CAPACITY_UNBOUNDED ? 1 : params->v[PARAM_CAPACITY];
	if (!MALLOC_KNOWN)
		return 0;
	struct chan_config config = trial_config(size, capacity ? capacity : 1, NULL);
	size_t count = (double)size * (double)config.capacity <= small ? MANY : 1, opened = 0;
	struct mallinfo2 before = mallinfo2();
	while (opened < count && any_open(kind, table, &config, zeros, &pairs[opened].tx, &pairs[opened].rx) == CHAN_OK)
		opened++;
	struct mallinfo2 after = mallinfo2();
	for (size_t i = 0; i < opened; i++) {
		any.sender_drop(&pairs[i].tx);
		any.receiver_drop(&pairs[i].rx);
	}
	uint64_t used = (uint64_t)(after.uordblks + after.hblkhd) - (uint64_t)(before.uordblks + before.hblkhd);
	return opened != 0 && used < UINT64_MAX / 2 ? used / opened : 0;
}

uint64_t cell_true_capacity(const struct chan_impl *impl, enum kind kind, const struct params *params)
{
	uint64_t size = params->v[PARAM_SIZE] ? params->v[PARAM_SIZE] : 8, capacity = params->v[PARAM_CAPACITY];
	struct pair pair;

	if (kind != KIND_MPSC || capacity == 0 || impl->mpsc->receiver_get == NULL)
		return 0;
	struct chan_config config = trial_config(size, capacity, NULL);
	if (impl->mpsc->open(&config, &pair.tx, &pair.rx) != CHAN_OK)
		return 0;
	uint64_t told = impl->mpsc->receiver_get(pair.rx, CHAN_MAX_CAPACITY);
	impl->mpsc->sender_drop(&pair.tx);
	impl->mpsc->receiver_drop(&pair.rx);
	return told == CHAN_UNKNOWN || told == capacity ? 0 : told;
}
