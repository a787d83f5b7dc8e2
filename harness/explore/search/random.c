/* SPDX-License-Identifier: MIT
 *
 * random.c - the random walk: every choice uniform, and independent of all others. Finds what many
 * schedules show.
 */
#include "harness/explore/search/search.h"

/* splitmix64 */
uint64_t explore_random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void begin(void *self)
{
	struct explore_random *random = self;
	random->state = explore_options.seed * 0x9e3779b97f4a7c15u + random->execution++;
	random->state = explore_random_next(&random->state);
}

static unsigned value(void *self, unsigned n)
{
	struct explore_random *random = self;
	return (unsigned)((explore_random_next(&random->state) >> 32) * n >> 32);
}

static unsigned thread(void *self, const struct explore_candidates *candidates)
{
	return candidates->count > 1 ? value(self, candidates->count) : 0;
}

static bool end(void *self)
{
	(void)self;
	return true;
}

const struct explore_strategy_table explore_random_table = {begin, thread, value, end};
