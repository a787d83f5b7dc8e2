/* SPDX-License-Identifier: MIT
 *
 * pct.c - probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte 2010).
 *
 * Threads get random priorities, and always the highest enabled one runs; at depth - 1 random steps
 * the running one falls below all others. A bug that needs d ordering constraints is found with a
 * probability of at least 1 / (threads * steps^(d-1)) in each execution, however rare it is in the
 * random walk.
 *
 * Priorities starve: so whoever yields, or is let go by its deadline, falls below all others, too;
 * and spinning threads are no candidates at all (scheduler.c).
 */
#include "harness/explore/search/search.h"

#define CHANGES_MAX 32

/* One choice in so many lets a deadline come although a thread could go on. */
#define EARLY_TIMEOUT 16

static void begin(void *self)
{
	struct explore_pct *pct = self;
	pct->random = explore_options.seed * 0xd1342543de82ef95u + pct->execution++;
	pct->random = explore_random_next(&pct->random);
	pct->known = 0;
	pct->lowest = 0;
	pct->contested = 0;
	for (unsigned i = 0; i + 1 < pct->depth && i < CHANGES_MAX; i++)
		pct->change[i] = 1 + explore_random_next(&pct->random) % (pct->longest + (pct->longest == 0));
}

static void drop(struct explore_pct *pct, unsigned id)
{
	pct->priority[id] = --pct->lowest;
	pct->known |= 1u << id;
}

static void fall_behind(struct explore_pct *pct, const struct explore_candidates *candidates)
{
	unsigned running = explore_self();
	bool yields = candidates->count > 0 && !candidates->stays;
	if (candidates->count > 1)
		pct->contested++;
	for (unsigned i = 0; i + 1 < pct->depth && i < CHANGES_MAX; i++)
		yields |= pct->change[i] == pct->contested;
	if (yields)
		drop(pct, running);
}

static unsigned value(void *self, unsigned n)
{
	struct explore_pct *pct = self;
	uint64_t random = explore_random_next(&pct->random);
	if (random & 1)
		return 0;
	return (unsigned)((random >> 32) * n >> 32);
}

static unsigned highest(struct explore_pct *pct, const struct explore_candidates *candidates, unsigned among)
{
	unsigned best = 0;
	for (unsigned i = 0; i < among; i++) {
		unsigned id = candidates->id[i];
		if (!(pct->known >> id & 1)) {
			pct->priority[id] = (int64_t)(explore_random_next(&pct->random) >> 2);
			pct->known |= 1u << id;
		}
		if (pct->priority[id] > pct->priority[candidates->id[best]])
			best = i;
	}
	return best;
}

static unsigned thread(void *self, const struct explore_candidates *candidates)
{
	struct explore_pct *pct = self;
	fall_behind(pct, candidates);
	if (candidates->count < 2)
		return 0;
	unsigned among = candidates->ready;
	if (among == 0 || (among < candidates->count && explore_random_next(&pct->random) % EARLY_TIMEOUT == 0))
		among = candidates->count;
	unsigned choice = highest(pct, candidates, among);
	if (choice >= candidates->ready)
		drop(pct, candidates->id[choice]);
	return choice;
}

static bool end(void *self)
{
	struct explore_pct *pct = self;
	if (pct->contested > pct->longest)
		pct->longest = pct->contested;
	return true;
}

const struct explore_strategy_table explore_pct_table = {begin, thread, value, end};
