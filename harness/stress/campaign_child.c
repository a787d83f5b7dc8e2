/* SPDX-License-Identifier: MIT */
#include "harness/stress/campaign_child.h"

#include "harness/say.h"
#include "harness/stress/history.h"
#include "harness/stress/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a round that has failed may take to end by itself. */
#define GRACE_NS UINT64_C(2000000000)
/* For how many timeouts the threads of a round may go on. A round takes a second, or ten on a busy
 * machine. */
#define ROUND_TIMEOUTS 6

struct child {
	const struct stress_campaign *campaign;
	const struct scenario *scenario;
	const struct chan_impl *impl;
	int pipe;
	struct stress_result sums;
	pthread_mutex_t lock;
	struct round *round; /* under the lock; NULL: between rounds */
	/* under the lock: when the threads of the round began; 0: they do not run */
	uint64_t begun;
	atomic_bool reported;
};

static struct board *board;

static void alive(void)
{
	atomic_fetch_add_explicit(&board->checking, 1, memory_order_relaxed);
}

static void report(struct child *child, const char *verdict, const char *text)
{
	if (atomic_exchange(&child->reported, true))
		return;
	dprintf(child->pipe, "%s\n", verdict);
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		dprintf(child->pipe, "text %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

/* Reports a round that does not end by itself, and ends the process. It is called under the lock,
 * which stays locked. */
static void end_now(struct child *child, const char *verdict, const char *text)
{
	report(child, verdict, text);
	dprintf(child->pipe, "ended\n");
	_exit(EXIT_GOOD);
}

/* Tells the parent that something moves, as long as it does. It also ends two kinds of rounds: one
 * that has failed, since its threads may wait for ever; and one whose threads do something without
 * end (a receive that says CHAN_LAGGED each time). */
static void *heart(void *arg)
{
	struct child *child = arg;
	const uint64_t patience = (uint64_t)(child->campaign->options->timeout * ROUND_TIMEOUTS * 1e9);
	uint64_t before = 0, failed_at = 0;
	for (;; usleep(50000)) {
		uint64_t now = atomic_load_explicit(&board->checking, memory_order_relaxed);
		for (unsigned i = 0; i < THREADS_MAX; i++)
			now += atomic_load_explicit(&board->seats[i].operations, memory_order_relaxed);
		if (now != before)
			dprintf(child->pipe, "alive\n");
		before = now;
		pthread_mutex_lock(&child->lock);
		if (child->round == NULL || !atomic_load(&child->round->failed)) {
			failed_at = 0;
		} else if (failed_at == 0) {
			failed_at = chan_now();
		} else if (chan_now() - failed_at > GRACE_NS) {
			end_now(child, "tally", child->round->failure);
		}
		if (child->begun != 0 && chan_now() - child->begun > patience)
			end_now(child, "endless", "the threads of the round are at work, and do not come to an end");
		pthread_mutex_unlock(&child->lock);
	}
	return NULL;
}

static void set_round(struct child *child, struct round *round, uint64_t begun)
{
	pthread_mutex_lock(&child->lock);
	child->round = round;
	child->begun = begun;
	pthread_mutex_unlock(&child->lock);
}

static void send_stats(struct child *child)
{
	const struct stress_result *s = &child->sums;
	dprintf(child->pipe, STATS_PRINT "\n", s->rounds, s->operations, s->histories, s->recorded, s->undecided,
	        s->made, s->received, s->returned, s->destroyed, s->largest, s->largest_ns);
}

static void add_up(struct child *child, const struct round *round)
{
	struct stress_result *sums = &child->sums;
	const struct tally *tally = &round->tally;
	sums->rounds++;
	sums->operations = 0;
	for (unsigned i = 0; i < THREADS_MAX; i++)
		sums->operations += atomic_load(&board->seats[i].operations);
	sums->made += atomic_load(&tally->made) + atomic_load(&tally->cloned);
	sums->received += atomic_load(&tally->ended[VALUE_RECEIVED]);
	sums->returned += atomic_load(&tally->ended[VALUE_RETURNED]);
	sums->destroyed += atomic_load(&tally->ended[VALUE_DESTROYED]);
}

/* Reports which operations contradict each other, and where the whole history is. */
static void report_history(struct child *child, const struct round *round, const struct verify_result *result)
{
	static char text[VERIFY_TEXT + 2 * HISTORY_PATH_MAX], path[HISTORY_PATH_MAX];
	const char *directory = child->campaign->options->histories;
	int error =
		history_save(directory, child->campaign->info->name, round->seed, &round->history, path, sizeof path);
	if (error == 0)
		snprintf(text, sizeof text,
		         "%sthe whole history is in %s; chanbench stress --check-history=FILE checks it again\n",
		         result->text, path);
	else
		snprintf(text, sizeof text,
		         "%sthe whole history could not be written to a file in %s: %s (--histories names another "
		         "folder)\n",
		         result->text, directory, strerror(error));
	report(child, "history", text);
}

static bool check_history(struct child *child, const struct round *round)
{
	struct verify_result result;
	uint64_t began = chan_now();
	verify(&round->history, VERIFY_CONFIGURATIONS, alive, &result);
	uint64_t took = chan_now() - began;
	child->sums.histories++;
	child->sums.recorded += round->history.count;
	child->sums.undecided += result.verdict == SEARCH_UNDECIDED;
	if (result.verdict == SEARCH_GOOD && took > child->sums.largest_ns) {
		child->sums.largest = round->history.count;
		child->sums.largest_ns = took;
	}
	if (result.verdict == SEARCH_NOMEM) {
		fprintf(stderr, "out of memory for the check of a history\n");
		return false;
	}
	if (result.verdict == SEARCH_BAD)
		report_history(child, round, &result);
	return result.verdict != SEARCH_BAD;
}

/* One round. False: that was the last. */
static bool run_round(struct child *child, uint64_t number)
{
	static const size_t sizes[] = {300, 1000, 4000, 10000};
	const struct stress_options *options = child->campaign->options;
	uint64_t seed = options->seed + number, random = seed;
	struct round *round = calloc(1, sizeof *round);
	bool good = false;
	if (round == NULL)
		return false;
	round->kind = child->campaign->kind;
	round->impl = child->impl;
	round->scenario = child->scenario;
	round->board = board;
	round->seed = seed;
	round->honours_start = (child->campaign->info->flags & CHAN_HONOURS_START) != 0;
	round->wrap = options->wrap;
	round->threads = 2 + (unsigned)random_below(&random, options->threads - 1);
	round->recorded = options->history && random_below(&random, 4) != 0;
	size_t operations = sizes[random_below(&random, 4)];
	dprintf(child->pipe, "round %" PRIu64 " %" PRIu64 "\n", number, seed);
	set_round(child, round, chan_now());
	bool ran = round_run(round, operations);
	set_round(child, round, 0);
	if (!ran) {
		fprintf(stderr, "out of memory, or of threads\n");
		goto done;
	}
	add_up(child, round);
	if (atomic_load(&round->failed))
		report(child, "tally", round->failure);
	else
		good = !round->recorded || check_history(child, round);
	send_stats(child);
done:
	set_round(child, NULL, 0);
	round_free(round);
	free(round);
	return good;
}

int stress_campaign_child(int pipe, void *arg)
{
	const struct stress_campaign *campaign = arg;
	static struct child child;
	char error[512];
	pthread_t heartbeat;

	child.campaign = campaign;
	child.pipe = pipe;
	pthread_mutex_init(&child.lock, NULL);
	child.scenario = stress_scenarios[campaign->kind];
	board = campaign->board;
	child.impl = impl_load(campaign->info->name, campaign->info->plugin, error, sizeof error);
	if (child.impl == NULL) {
		fprintf(stderr, "%s\n", error);
		return EXIT_MACHINE;
	}
	for (unsigned i = 0; i < THREADS_MAX; i++)
		atomic_store(&board->seats[i].code, OP_CODES);
	if (pthread_create(&heartbeat, NULL, heart, &child) != 0)
		return EXIT_MACHINE;
	uint64_t end = chan_now() + (uint64_t)(campaign->options->seconds * 1e9);
	for (uint64_t n = 0; run_round(&child, n); n++)
		if (campaign->options->operations != 0 ? child.sums.operations >= campaign->options->operations
		                                       : chan_now() >= end)
			break;
	dprintf(pipe, "ended\n");
	return EXIT_GOOD;
}
