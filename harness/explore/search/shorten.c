/* SPDX-License-Identifier: MIT
 *
 * shorten.c - a simpler schedule that fails the same way: fewer choices that are not 0.
 *
 * Delta debugging: sets ever smaller groups of them to 0, and keeps what still gives the same
 * verdict. A later choice may mean something else once an earlier one has changed; what was really
 * chosen is what is kept.
 */
#include "harness/explore/search/search.h"
#include <stdlib.h>
#include <string.h>

#define TRIES     2000
#define STEPS_MAX 5000000 /* in all tries together */

struct attempt {
	int (*program)(void *);
	void *arg;
	enum explore_verdict verdict;
	uint8_t *best;
	size_t count;
	uint8_t *trial;
	unsigned tries;
	uint64_t steps;
};

void explore_follow(int (*program)(void *), void *arg, const uint8_t *made, size_t count, bool tracing)
{
	struct explore_script script = {.made = made, .count = count};
	struct explore_running_strategy before = explore_strategy_now;
	explore_strategy_now = (struct explore_running_strategy){&explore_script_table, &script};
	explore_now.tracing = tracing;
	explore_execute(program, arg);
	explore_now.tracing = false;
	explore_state_restore();
	explore_strategy_now = before;
}

static size_t trimmed(const uint8_t *made, size_t count)
{
	while (count > 0 && made[count - 1] == 0)
		count--;
	return count;
}

static size_t deviations(const uint8_t *made, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += made[i] != 0;
	return n;
}

static bool try(struct attempt *a, size_t count)
{
	a->tries++;
	explore_follow(a->program, a->arg, a->trial, count, false);
	a->steps += explore_now.steps;
	if (explore_now.verdict != a->verdict)
		return false;
	count = trimmed(explore_choices.made, explore_choices.count);
	if (deviations(explore_choices.made, count) >= deviations(a->best, a->count))
		return false;
	memcpy(a->best, explore_choices.made, count);
	a->count = count;
	return true;
}

/* Sets the deviations number `from` to `from + size - 1` to 0. */
static bool try_without(struct attempt *a, size_t from, size_t size)
{
	size_t seen = 0;
	memcpy(a->trial, a->best, a->count);
	for (size_t i = 0; i < a->count; i++) {
		if (a->trial[i] == 0)
			continue;
		if (seen >= from && seen < from + size)
			a->trial[i] = 0;
		seen++;
	}
	return try(a, a->count);
}

static bool exhausted(const struct attempt *a)
{
	return a->tries >= TRIES || a->steps >= STEPS_MAX;
}

void explore_shorten(int (*program)(void *), void *arg, enum explore_verdict verdict, uint8_t **made, size_t *count)
{
	struct attempt a = {.program = program, .arg = arg, .verdict = verdict, .count = trimmed(*made, *count)};
	a.best = malloc(explore_choices.room);
	a.trial = malloc(explore_choices.room);
	if (a.best == NULL || a.trial == NULL)
		goto out;
	memcpy(a.best, *made, a.count);
	for (size_t size = deviations(a.best, a.count); size > 0 && !exhausted(&a);) {
		bool shorter = false;
		for (size_t from = 0; from < deviations(a.best, a.count) && !exhausted(&a);) {
			if (try_without(&a, from, size))
				shorter = true;
			else
				from += size;
		}
		if (!shorter || size > 1)
			size /= 2;
	}
	memcpy(*made, a.best, a.count);
	*count = a.count;
out:
	free(a.best);
	free(a.trial);
}
