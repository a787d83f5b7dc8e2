/* SPDX-License-Identifier: MIT
 *
 * run.c - from options to a result: executes again and again as a strategy says, counts, stops at
 * the first failure, and makes it readable.
 */
#include "harness/explore/memory/memory.h"
#include "harness/explore/search/search.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Of strategies that know no end, when neither schedules nor seconds are given. */
#define DEFAULT_SCHEDULES 10000
#define CLOCK_STEPS       20000 /* steps between two looks at the clock */
#define STATES_BITS       22

/* Executions of one strategy in the first round of auto, and the most: it doubles each round. */
#define AUTO_FIRST 50
#define AUTO_LAST  200000

struct search {
	int (*program)(void *);
	void *arg;
	const struct explore_options *options;
	struct explore_result *result;
	double started;
	uint64_t next_look; /* at the clock, in steps */
	uint64_t limit;     /* of executions */
	const char *stopped;
};

static uint64_t *states;

static double real_time(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void count_state(struct explore_result *result, uint64_t hash)
{
	size_t mask = ((size_t)1 << STATES_BITS) - 1;
	hash |= hash == 0;
	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		if (states[at] == hash)
			return;
		if (states[at] != 0)
			continue;
		if (result->states < mask / 4 * 3) {
			states[at] = hash;
			result->states++;
		}
		return;
	}
}

/* One execution. Returns false when the search is over: it failed, or the budget is used up. */
static bool step(struct search *search)
{
	struct explore_result *result = search->result;
	if (result->executions == search->limit) {
		search->stopped = "schedules";
		return false;
	}
	/* However little the time is, there is one execution: what was explored was run. */
	if (search->options->seconds > 0 && result->executions > 0 && result->steps >= search->next_look) {
		search->next_look = result->steps + CLOCK_STEPS;
		if (real_time() - search->started >= search->options->seconds) {
			search->stopped = "seconds";
			return false;
		}
	}
	explore_execute(search->program, search->arg);
	result->executions++;
	result->steps += explore_now.steps;
	if (explore_now.cut != NULL)
		result->truncated = explore_now.cut;
	if (explore_now.verdict != EXPLORE_OK)
		return false;
	if (explore_now.pruned) {
		result->redundant++;
		explore_state_restore();
		return true;
	}
	if (search->options->after != NULL)
		search->options->after(search->options->after_arg);
	count_state(result, explore_state_restore());
	return true;
}

/* Up to `count` executions of one strategy. Returns false when the whole search is over. */
static bool go(struct search *search, const struct explore_strategy_table *table, void *self, uint64_t count,
               bool *ended)
{
	explore_strategy_now = (struct explore_running_strategy){table, self};
	*ended = false;
	while (count-- > 0) {
		if (!step(search))
			return false;
		if (!table->end(self)) {
			*ended = true;
			return true;
		}
	}
	return true;
}

static void search_auto(struct search *search)
{
	struct explore_random random = {0};
	struct explore_pct pct = {0};
	struct explore_dfs *full, *bounded;
	bool ended;
	unsigned bound = 1;
	full = explore_dfs_open(EXPLORE_UNBOUNDED, search->options->steps);
	bounded = explore_dfs_open(bound, search->options->steps);
	uint64_t first = search->limit / 6 + 1; /* a small limit has a whole round in it */
	for (uint64_t count = first < AUTO_FIRST ? first : AUTO_FIRST;;
	     count = count * 2 < AUTO_LAST ? count * 2 : AUTO_LAST) {
		/* As many as all others together: what can be exhausted is, in no more than
		 * twice the time. */
		if (!go(search, &explore_dfs_table, full, 3 * count, &ended))
			break;
		if (ended) {
			search->result->exhausted = true;
			break;
		}
		if (!go(search, &explore_random_table, &random, count, &ended))
			break;
		pct.depth = 2;
		if (!go(search, &explore_pct_table, &pct, (count + 1) / 2, &ended))
			break;
		pct.depth = search->options->depth;
		if (!go(search, &explore_pct_table, &pct, (count + 1) / 2, &ended))
			break;
		if (!go(search, &explore_dfs_table, bounded, count, &ended))
			break;
		if (ended) {
			explore_dfs_close(bounded);
			bounded = explore_dfs_open(++bound, search->options->steps);
		}
	}
	explore_dfs_close(full);
	explore_dfs_close(bounded);
}

static void search_dfs(struct search *search)
{
	struct explore_dfs *dfs = explore_dfs_open(search->options->bound, search->options->steps);
	bool ended;
	if (go(search, &explore_dfs_table, dfs, UINT64_MAX, &ended)) {
		search->result->exhausted = true;
		if (explore_dfs_cut(dfs))
			search->stopped = "bound";
	}
	explore_dfs_close(dfs);
}

static void search_all(struct search *search)
{
	const struct explore_options *options = search->options;
	struct explore_random random = {0};
	struct explore_pct pct = {.depth = options->depth};
	struct explore_script bytes = {.made = options->bytes, .count = options->bytes_count};
	bool ended;
	search->limit = options->schedules != 0 ? options->schedules : UINT64_MAX;
	if (search->limit == UINT64_MAX && options->seconds <= 0 && options->strategy != EXPLORE_DFS)
		search->limit = DEFAULT_SCHEDULES;
	switch (options->strategy) {
	case EXPLORE_AUTO:
		search_auto(search);
		break;
	case EXPLORE_RANDOM:
		go(search, &explore_random_table, &random, UINT64_MAX, &ended);
		break;
	case EXPLORE_PCT:
		go(search, &explore_pct_table, &pct, UINT64_MAX, &ended);
		break;
	case EXPLORE_DFS:
		search_dfs(search);
		break;
	case EXPLORE_BYTES:
		go(search, &explore_bytes_table, &bytes, 1, &ended);
		break;
	}
	if (search->stopped != NULL)
		search->result->truncated = search->stopped;
}

/* The execution that just failed: its schedule, a shorter one, and a trace of that. */
static void explain(struct search *search)
{
	struct explore_result *result = search->result;
	enum explore_verdict verdict = explore_now.verdict;
	size_t count = explore_choices.count;
	uint8_t *made = malloc(explore_choices.room);
	if (made == NULL) {
		fprintf(stderr, "chanbench: explore: no memory for the failing schedule\n");
		exit(3);
	}
	memcpy(made, explore_choices.made, count);
	result->verdict = verdict;
	result->failed_after = result->executions - 1;
	result->replay = explore_replay_encode(made, count);
	explore_state_restore();
	if (search->options->shorten && verdict != EXPLORE_HANG) {
		explore_shorten(search->program, search->arg, verdict, &made, &count);
		result->replay_short = explore_replay_encode(made, count);
		if (strcmp(result->replay_short, result->replay) == 0) {
			free(result->replay_short);
			result->replay_short = NULL;
		}
	}
	explore_follow(search->program, search->arg, made, count, true);
	free(made);
	struct explore_text message = {0};
	explore_text_add(&message, "%s", explore_now.message);
	if (explore_now.verdict != verdict)
		explore_text_add(
			&message,
			"\n(the same schedule, run again, ended with '%s': the program depends on something besides the "
			"schedule)",
			explore_verdict_name(explore_now.verdict));
	char *trace = explore_trace_text();
	result->message = explore_symbolize(message.text);
	result->trace = explore_symbolize(trace);
	free(message.text);
	free(trace);
}

static int refuse(struct explore_result *result, const char *what, const char *why)
{
	struct explore_text text = {0};
	explore_text_add(&text, "%s%s", what, why);
	result->message = text.text;
	return -1;
}

static int replay(struct search *search)
{
	uint8_t *made;
	size_t count;
	const char *why = explore_replay_decode(search->options->replay, &explore_options, &made, &count);
	if (why != NULL)
		return refuse(search->result, "the replay string is refused: ", why);
	struct explore_script script = {.made = made, .count = count};
	bool ended;
	search->limit = 1;
	go(search, &explore_script_table, &script, 1, &ended);
	search->result->truncated = "replay";
	if (explore_now.verdict != EXPLORE_OK) {
		explain(search);
	} else {
		explore_follow(search->program, search->arg, made, count, true);
		char *trace = explore_trace_text();
		search->result->trace = explore_symbolize(trace);
		free(trace);
	}
	free(made);
	return 0;
}

int explore_run(int (*program)(void *), void *arg, const struct explore_options *options, struct explore_result *result)
{
	struct search search = {
		.program = program, .arg = arg, .options = options, .result = result, .started = real_time()};
	int status = 0;
	memset(result, 0, sizeof(*result));
	explore_options = *options;
	if (options->steps == 0 || options->steps > 100000000)
		return refuse(result, "steps: ", "1 to 100000000");
	if (options->strategy == EXPLORE_PCT && options->depth == 0)
		return refuse(result, "depth: ", "at least 1");
	explore_weakening = options->weaken.pc != 0;
	explore_region_open();
	explore_coroutine_open();
	explore_choices_reserve(options->steps);
	explore_heap_begin();
	explore_state_save();
	states = explore_reserve(sizeof(*states) << STATES_BITS, "the final states");
	explore_signals_install();
	if (options->replay != NULL) {
		status = replay(&search);
	} else {
		search_all(&search);
		if (explore_now.verdict != EXPLORE_OK)
			explain(&search);
	}
	explore_signals_remove();
	explore_scratch_release();
	munmap(states, sizeof(*states) << STATES_BITS);
	result->elapsed = real_time() - search.started;
	return status;
}

void explore_result_free(struct explore_result *result)
{
	free(result->message);
	free(result->trace);
	free(result->replay);
	free(result->replay_short);
	memset(result, 0, sizeof(*result));
}
