/* SPDX-License-Identifier: MIT
 *
 * trial.c - see trial.h
 */
#include "harness/bench/trial.h"

#include "harness/bench/memory.h"
#include "harness/status.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void trial_init(struct trial *trial)
{
	memset(trial, 0, sizeof *trial);
	for (size_t i = 0; i < TRIAL_FIGURES; i++)
		trial->figures[i] = NAN;
	histogram_init(&trial->latency);
	pthread_mutex_init(&trial->lock, NULL);
}

void trial_fail(struct trial *trial, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	pthread_mutex_lock(&trial->lock);
	if (trial->failure[0] == '\0')
		vsnprintf(trial->failure, sizeof trial->failure, format, args);
	pthread_mutex_unlock(&trial->lock);
	va_end(args);
}

void trial_status(struct trial *trial, const char *call, enum chan_status status)
{
	trial_fail(trial, "%s returned %s", call, status_name(status));
}

bool trial_failed(struct trial *trial)
{
	pthread_mutex_lock(&trial->lock);
	bool failed = trial->failure[0] != '\0';
	pthread_mutex_unlock(&trial->lock);
	return failed;
}

struct worker *trial_workers(size_t count)
{
	return memory_get(_Alignof(struct worker), count * sizeof(struct worker));
}

void trial_run(struct trial *trial, struct worker *workers, size_t count)
{
	threads_run(workers, count, &trial->use);
	trial->threads = count;
}

struct chan_config trial_config(uint64_t size, uint64_t capacity, const struct null_script *script)
{
	/* Without hooks `context` is handed to nobody: only the null control, which is ours,
	 * looks at it. */
	return (struct chan_config){
		.size = (size_t)size, .capacity = (size_t)capacity, .context = (void *)(uintptr_t)script};
}

void trial_balance(struct trial *trial, struct ledger *ledgers, size_t consumers, const struct ledger_sent *sent)
{
	struct ledger_balance balance;
	char text[200];
	ledger_balance(ledgers, consumers, sent, &balance);
	if (ledger_verdict(&balance, text, sizeof text))
		trial_fail(trial, "%s", text);
}

void trial_rate(struct trial *trial, uint64_t rate)
{
	/* Five parts in a hundred are for the start, and for the last message's own latency. */
	double due = (double)trial->items / (double)rate * 1e9;
	trial->saturated = rate != 0 && (double)trial->use.elapsed_ns > due * 1.05;
}
