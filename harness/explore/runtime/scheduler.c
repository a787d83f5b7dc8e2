/* SPDX-License-Identifier: MIT
 *
 * scheduler.c - steps: which threads can make the next one, and which does.
 *
 * A thread announces an operation and only then reaches the scheduling point. So at every choice
 * the next operation of each thread is known: whether it is enabled, whether anybody is at all (if
 * not, that is a deadlock), and which threads' next steps commute (what the reductions of
 * search/dfs.c need).
 *
 * Spinning. A thread that keeps making steps that change nothing and tell it nothing new waits for
 * somebody else, although nothing says so. After SPIN_LIMIT of them, or two yields with nothing in
 * between, it becomes passive: others go first until one of them makes progress. That is needed for
 * the search to end, and it cuts off schedules (a loop that gives up after N rounds), so the result
 * says that it was done.
 */
#include "harness/explore/memory/clock.h"

#define SPIN_LIMIT  50
#define YIELD_LIMIT 2
#define SLICE_LIMIT 1000 /* steps in a row, whatever they do, before others go first once */

struct explore_execution explore_now;
struct explore_options explore_options;
struct explore_running_strategy explore_strategy_now;

void explore_idle(void)
{
	explore_now.current->idled = true;
}

/* The step that the running thread makes is over. */
static void account(struct explore_thread *self)
{
	if (!self->idled) {
		self->idle = 0;
		self->yields = 0;
		explore_now.passive = 0;
	} else if (++self->idle >= SPIN_LIMIT) {
		explore_now.passive |= 1u << explore_id(self);
	}
	self->idled = false;
}

static inline bool may_go(const struct explore_thread *thread)
{
	/* asked at every step while main waits for all others */
	if (thread->pending->flags & EXPLORE_JOINS)
		return explore_now.thread[thread->pending->argument].ended;
	return thread->pending->enabled(thread->pending);
}

static void add_timed(struct explore_candidates *c, unsigned id)
{
	uint64_t deadline = explore_now.thread[id].pending->deadline;
	unsigned at = c->count++;
	while (at > c->ready && explore_now.thread[c->id[at - 1]].pending->deadline > deadline) {
		c->id[at] = c->id[at - 1];
		at--;
	}
	c->id[at] = (uint8_t)id;
}

/* Puts the threads of a mask in order: round from the running one, which comes first or
 * (yielding) last. */
static void add_ready(struct explore_candidates *c, unsigned ready, unsigned self, bool yields)
{
	c->stays = (ready >> self & 1) && !yields;
	if (c->stays)
		c->id[c->count++] = (uint8_t)self;
	for (unsigned mask = ready >> self >> 1 << self << 1; mask != 0; mask &= mask - 1)
		c->id[c->count++] = (uint8_t)__builtin_ctz(mask);
	for (unsigned mask = ready & ((1u << self) - 1); mask != 0; mask &= mask - 1)
		c->id[c->count++] = (uint8_t)__builtin_ctz(mask);
	if ((ready >> self & 1) && yields)
		c->id[c->count++] = (uint8_t)self;
	c->ready = c->count;
}

static void collect(struct explore_candidates *c, unsigned self)
{
	unsigned ready, timed = 0, passive = explore_now.passive;
	const struct explore_op *own = explore_now.thread[self].pending;
	ready = explore_now.alive & ~explore_now.conditional;
	for (unsigned mask = explore_now.alive & explore_now.conditional; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		if (may_go(&explore_now.thread[id]))
			ready |= 1u << id;
		else if (explore_now.thread[id].pending->deadline != EXPLORE_NEVER)
			timed |= 1u << id;
	}
	if (unlikely(timed != 0 && explore_now.patience != EXPLORE_NEVER))
		timed = explore_near(timed, ready != 0);
	bool yields = own != NULL && (own->flags & EXPLORE_YIELD);
	if (explore_now.slice >= SLICE_LIMIT) {
		passive |= 1u << self;
		yields = true;
	}
	/* one that sleeps again and again */
	if ((timed & passive) != 0 && (ready & ~passive) != 0) {
		timed &= ~passive;
		explore_now.cut = "spinning";
	}
	if ((ready & passive) != 0) {
		if ((ready & ~passive) != 0 || timed != 0) {
			ready &= ~passive;
			explore_now.cut = "spinning";
		} else {
			yields = true;
		}
	}
	c->count = 0;
	c->spinning = ready != 0 && (ready & ~passive) == 0;
	add_ready(c, ready, self, yields);
	for (unsigned mask = timed; mask != 0; mask &= mask - 1)
		add_timed(c, (unsigned)__builtin_ctz(mask));
}

void explore_schedule(void)
{
	struct explore_candidates candidates;
	unsigned self = explore_id(explore_now.current);
	collect(&candidates, self);
	if (candidates.count == 0) {
		if (explore_now.alive == 0)
			explore_end();
		explore_deadlock();
	}
	if (++explore_now.steps > explore_options.steps)
		explore_livelock();
	unsigned choice = explore_choose_thread(&candidates);
	explore_now.wrote = explore_now.quiet = explore_now.stale = false;
	unsigned id = candidates.id[choice];
	struct explore_thread *next = &explore_now.thread[id];
	next->timed_out = choice >= candidates.ready;
	if (next->timed_out && next->pending->deadline > explore_now.time)
		explore_now.time = next->pending->deadline;
	explore_now.slice = id == self ? explore_now.slice + 1 : 0;
	clock_tick(next);
	if (unlikely(explore_now.tracing))
		explore_trace_step(id, next->pending, next->timed_out);
	if (id != self)
		explore_coroutine_switch(id);
}

bool explore_reach(struct explore_op *op)
{
	struct explore_thread *self = explore_now.current;
	account(self);
	self->pending = op;
	if (op->enabled == NULL)
		explore_now.conditional &= ~(1u << explore_id(self));
	else
		explore_now.conditional |= 1u << explore_id(self);
	if ((op->flags & EXPLORE_YIELD) && ++self->yields >= YIELD_LIMIT)
		explore_now.passive |= 1u << explore_id(self);
	explore_schedule();
	/* A look at the clock is no progress, either. */
	self->idled = (op->flags & EXPLORE_YIELD) ||
	              (op->flags & (EXPLORE_READS | EXPLORE_TIME)) == (EXPLORE_READS | EXPLORE_TIME);
	return !self->timed_out;
}

unsigned explore_choose(unsigned n, const char *what)
{
	if (n < 2)
		return 0;
	unsigned choice = explore_choose_value(n);
	if (unlikely(explore_now.tracing) && choice != 0)
		explore_trace("%s: %u of %u", what, choice, n);
	return choice;
}

bool explore_spurious(const char *what)
{
	if (explore_now.spurious == 0 || explore_choose(2, what) == 0)
		return false;
	explore_now.spurious--;
	return true;
}

uint64_t explore_clock_now(void)
{
	return explore_now.time;
}

void explore_clock_advance(uint64_t ns)
{
	explore_now.time += ns;
}
