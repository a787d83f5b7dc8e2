/* SPDX-License-Identifier: MIT
 *
 * dfs.c - every schedule, depth first: the choices of one execution are a path in a tree, and the
 * next execution follows it to the last node that has an alternative left.
 *
 * OVERVIEW
 *
 * Unbounded, the search leaves out what only repeats. Two steps commute when either order gives the
 * same. Schedules that differ in the order of steps that commute are one class, and only one of
 * each class is explored in full. Two reductions do that together:
 *
 *   partial-order reduction  says what must be tried: an alternative is explored only where the
 *                            order of two steps turned out to matter (Flanagan, Godefroid 2005;
 *                            the source sets of Abdulla, Aronis, Jonsson, Sagonas 2014)
 *   sleep sets               say what need not be tried: an alternative that begins with what has
 *                            been explored from an earlier node on (Godefroid 1996). When all that
 *                            could go on sleep, the execution is redundant
 *
 * With a bound, the search explores the executions with at most so many preemptions: switches away
 * from a thread that could go on, and deadlines that come although a thread could. Most bugs need
 * one or two (Musuvathi, Qadeer 2007). What loads see is not bounded. Neither reduction is sound
 * together with a bound, and both are off.
 *
 * PARTIAL-ORDER REDUCTION
 *
 * Most alternatives lead to nothing new. That another thread could have gone first matters only if
 * its step, or what comes of it, does not commute with what was done instead.
 *
 *   1. A node begins with one alternative.
 *   2. The step of a thread p is compared with the steps that were made before. It races with one
 *      that it does not commute with and that does not come before it anyway.
 *   3. At the node at which that one was chosen, the other order has to be explored, too. It begins
 *      with p, or with a thread that must go before p's step.
 *
 * "Comes before it anyway" is kept as vector clocks over numbers of steps. Before a step come: the
 * earlier steps of the same thread; those that it does not commute with; the birth of the thread;
 * the steps of the thread that it joins; the step that ended its being blocked.
 *
 * A step is compared when it is made. One that is blocked, or becomes so, is compared at that
 * moment, too: what then keeps it from coming first may itself come before it when it is made at
 * last, as the unlocking of a mutex does. So is what is pending when the program ends.
 *
 * SLEEP SETS
 *
 * Once all that begins with a step of thread p at some node is explored, p sleeps in the
 * alternatives there. It wakes when another thread makes a step that does not commute with p's:
 * before that, p's step would only lead to what has been seen.
 *
 * A load can see stores that are not the newest. So a load of an older store commutes with the
 * newer store, as if it had come first. Two things follow. A store that sleeps is not woken by a
 * load: what the load may see, it may see after the store as well. A load that sleeps when another
 * thread stores to its object is woken for what is new only: all other stores are explored. That
 * does not go for two seq_cst operations, whose order is part of their meaning: what one seq_cst
 * load of an object saw, the next cannot miss. Nor does it go when loads see the newest store only.
 *
 * NOTES
 *
 * Equal values. Of the stores with the same value that a load can see, only the oldest is tried
 * (memory/atomic.c). The thread reads the same. By the older store it learns no more than by the
 * newer one, and what it does not know restricts no later load: whatever may follow on the newer
 * may follow on the older. So a load that sleeps is not woken by a store of a value that it could
 * have seen anyway.
 *
 * A futex has two sides: its word, and those who wait. A wait reads the one and joins the other. A
 * wake concerns the other only, so it commutes with all loads and stores of the word.
 *
 * A membarrier commutes with nothing but quiet loads. A load is quiet when its store is the newest
 * and happens-before it, so that there is nothing else to see, and when the store carries nothing
 * that the thread does not know. A fence of that thread before or after the load makes no
 * difference. (After a membarrier the same load may be quiet because of it.)
 */
#include "harness/explore/memory/memory.h"
#include "harness/explore/search/search.h"
#include <string.h>
#include <sys/mman.h>

/* A step, made or pending, as far as its order with others is concerned. */
struct step {
	uintptr_t object;
	uint32_t size;
	uint16_t flags; /* enum explore_op_flags */
	uint8_t id;     /* whose it is */
	bool wrote;     /* of one that was made: as in explore_now */
	bool quiet;
	bool stale;
	uint32_t saw;
};

/* The threads that sleep: their next step has been explored from an earlier node on, and nothing
 * since would let it lead elsewhere. A thread sleeps in part when another has stored to what it
 * is going to load: of the stores that it can choose from, those from before step `since` have
 * been explored. */
struct sleepers {
	uint32_t whole, part;            /* masks */
	uint32_t since[EXPLORE_THREADS]; /* of either */
};

struct node {
	uint8_t count; /* alternatives */
	uint8_t chosen;
	bool thread;  /* a choice of threads, else of values */
	uint8_t free; /* alternatives below this one cost nothing */
	uint8_t id[EXPLORE_THREADS];
	uint32_t candidates;    /* mask of them */
	uint32_t wanted;        /* mask: those that are to be explored here */
	uint32_t done;          /* mask: those that have been */
	uint32_t spent;         /* preemptions before this node */
	uint32_t step;          /* number of the step that is chosen, or that chooses */
	struct sleepers asleep; /* when the node was reached */
};

#define NO_NODE UINT32_MAX

/* A step of the path, and which steps of each thread come before it in each order of independent
 * steps: the last of them; itself included. */
struct event {
	struct step step;
	uint32_t node; /* at which it was chosen; NO_NODE: there was no other */
	uint32_t before[EXPLORE_THREADS];
};

struct explore_dfs {
	struct node *node;
	size_t depth, room; /* nodes of the current path */
	size_t at;          /* where the execution under way is on it */
	unsigned bound, spent;
	bool cut; /* the bound kept something out */
	struct sleepers asleep;

	struct event *event; /* by number of step, from 1 */
	size_t events;       /* room for so many */
	uint64_t known;      /* so many steps are the same as in the execution before */
	uint64_t made;       /* in this execution, the one being made included */

	/* Before the last step: the threads that were alive; those of them that were blocked;
	 * those of these that have a deadline. */
	uint32_t alive, blocked, timed;
	uint32_t latest[EXPLORE_THREADS]; /* each thread's last step */
	/* what came before the last step of all, whatever it did */
	uint32_t anyway[EXPLORE_THREADS];
	/* what comes before each thread's next step */
	uint32_t before[EXPLORE_THREADS][EXPLORE_THREADS];
};

/* ---- the tree ---- */

struct explore_dfs *explore_dfs_open(unsigned bound, uint64_t steps)
{
	struct explore_dfs *dfs = explore_reserve(sizeof(*dfs), "a search");
	*dfs = (struct explore_dfs){.bound = bound, .room = (size_t)steps * 4 + 1024, .events = (size_t)steps + 2};
	dfs->node = explore_reserve(dfs->room * sizeof(*dfs->node), "the tree of schedules");
	dfs->event = explore_reserve(dfs->events * sizeof(*dfs->event), "the steps of a schedule");
	return dfs;
}

void explore_dfs_close(struct explore_dfs *dfs)
{
	munmap(dfs->node, dfs->room * sizeof(*dfs->node));
	munmap(dfs->event, dfs->events * sizeof(*dfs->event));
	munmap(dfs, sizeof(*dfs));
}

bool explore_dfs_cut(const struct explore_dfs *dfs)
{
	return dfs->cut;
}

static bool reduces(const struct explore_dfs *dfs)
{
	return dfs->bound == EXPLORE_UNBOUNDED;
}

/* ---- which steps commute ---- */

/* What a thread is going to do. `timed`: its deadline comes. */
static struct step pending_step(unsigned id, bool timed)
{
	const struct explore_op *op = explore_now.thread[id].pending;
	unsigned flags = op->flags;
	if ((flags & EXPLORE_WOKEN) && op->deadline == EXPLORE_NEVER)
		return (struct step){.id = (uint8_t)id};
	if (op->deadline != EXPLORE_NEVER)
		flags &= ~(unsigned)EXPLORE_LOCKS; /* its deadline may come before */
	if (timed)
		flags = (flags | EXPLORE_TIME) & ~(unsigned)(EXPLORE_READS | EXPLORE_ATOMIC);
	return (struct step){.object = (uintptr_t)op->object,
	                     .size = (uint32_t)op->size,
	                     .flags = (uint16_t)flags,
	                     .id = (uint8_t)id};
}

static bool overlap(const struct step *a, const struct step *b)
{
	return a->object != 0 && b->object != 0 && a->object < b->object + b->size && b->object < a->object + a->size;
}

/* Whether the order of two steps of different threads can matter. `a` was made already, or is
 * pending as `b` is. */
static bool dependent(const struct step *a, const struct step *b)
{
	unsigned either = a->flags | b->flags, both = a->flags & b->flags;
	if (either & EXPLORE_ANY)
		return !(a->quiet && (b->flags & EXPLORE_SC_FENCE)); /* that is a membarrier */
	/* What a seq_cst load saw, a later one cannot miss. */
	bool writes = !(both & EXPLORE_READS) || (both & EXPLORE_ORDERED);
	if ((both & EXPLORE_TIME) && writes)
		return true;
	if ((either & EXPLORE_SC_FENCE) && (both & EXPLORE_ORDERED))
		return true;
	if (!overlap(a, b))
		return false;
	return (both & EXPLORE_QUEUE) || (writes && !(either & EXPLORE_ASIDE));
}

enum relation { COMMUTES, NEWS, CONFLICTS };

/* A thread that goes on looking is forced to see the newest store in the end: then its loads do
 * not commute. */
static bool patient(unsigned id)
{
	const struct explore_thread *thread = &explore_now.thread[id];
	return thread->stale + thread->idle < EXPLORE_STALE_KNOWN;
}

/* What a step does to one that sleeps. */
static enum relation relate(const struct step *asleep, const struct step *made)
{
	if (!dependent(made, asleep))
		return COMMUTES;
	unsigned both = asleep->flags & made->flags;
	if (!(both & EXPLORE_ATOMIC) || (both & EXPLORE_ORDERED) || explore_options.memory == EXPLORE_SC ||
	    asleep->object != made->object || asleep->size != made->size)
		return CONFLICTS;
	if (!made->wrote)
		return patient(made->id) ? COMMUTES : CONFLICTS;
	if (!(asleep->flags & EXPLORE_SEES))
		return CONFLICTS;
	return explore_atomic_news(&explore_now.thread[asleep->id]) ? NEWS : COMMUTES;
}

/* ---- sleep sets ---- */

/* After the last step: wakes the threads whose steps do not commute with it. */
static void wake(struct explore_dfs *dfs)
{
	struct sleepers *asleep = &dfs->asleep;
	if (dfs->made == 0)
		return;
	struct step *made = &dfs->event[dfs->made].step;
	made->wrote = explore_now.wrote;
	made->quiet = explore_now.quiet;
	made->stale = explore_now.stale;
	made->saw = explore_now.saw;
	if ((made->flags & EXPLORE_ATOMIC) && !made->wrote)
		made->flags |= EXPLORE_READS; /* also a compare-exchange that failed */
	asleep->whole &= explore_now.alive;
	asleep->part &= explore_now.alive;
	for (unsigned mask = asleep->whole | asleep->part; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask), bit = 1u << id;
		struct step step = pending_step(id, dfs->timed & bit);
		enum relation relation = relate(&step, made);
		if (relation != COMMUTES)
			asleep->whole &= ~bit;
		if (relation == NEWS)
			asleep->part |= bit;
		else if (relation == CONFLICTS)
			asleep->part &= ~bit;
	}
}

/* Before the step of thread `id`: which threads sleep meanwhile. `node`: where it was chosen; NULL:
 * there was no other. */
static void sleep_during(struct explore_dfs *dfs, const struct node *node, unsigned id)
{
	struct sleepers *asleep = &dfs->asleep;
	if (node != NULL) {
		*asleep = node->asleep;
		asleep->whole |= node->done;
		asleep->part &= ~node->done;
		for (unsigned mask = node->done; mask != 0; mask &= mask - 1)
			asleep->since[__builtin_ctz(mask)] = node->step;
	}
	explore_now.since = asleep->part >> id & 1 ? asleep->since[id] : 0;
	asleep->whole &= ~(1u << id);
	asleep->part &= ~(1u << id);
}

/* ---- partial-order reduction ---- */

static void join(uint32_t *restrict into, const uint32_t *restrict from)
{
	for (unsigned i = 0; i < EXPLORE_THREADS; i++)
		into[i] = into[i] < from[i] ? from[i] : into[i];
}

static void race_begin(struct explore_dfs *dfs)
{
	dfs->made = 0;
	memset(dfs->latest, 0, sizeof(dfs->latest));
	dfs->timed = dfs->blocked = dfs->alive = 0;
}

/* At the node where step `number` was chosen, something is to be explored that begins with one
 * of `first`. What is explored there anyway will do, as will what sleeps there: that has been
 * explored elsewhere. */
static void want(struct explore_dfs *dfs, uint64_t number, uint32_t first, unsigned preferred)
{
	if (dfs->event[number].node == NO_NODE)
		return;
	struct node *node = &dfs->node[dfs->event[number].node];
	first &= node->candidates;
	if (first == 0)
		node->wanted |= node->candidates;
	else if ((first & (node->wanted | node->asleep.whole)) == 0)
		node->wanted |= first >> preferred & 1 ? 1u << preferred : first & -first;
}

/* A step with these predecessors could be the first of those that began (in `begun`, by thread)
 * without step `number`. */
static bool is_first(const uint32_t *before, const uint32_t *begun)
{
	for (unsigned i = 0; i < EXPLORE_THREADS; i++) {
		if (begun[i] != 0 && before[i] >= begun[i])
			return false;
	}
	return true;
}

/* The pending step of thread `id`, with these predecessors, races with step `number`: it could
 * be made before that, after those steps since then that do not come after `number` anyway. Who
 * could begin with that? */
static void reverse(struct explore_dfs *dfs, uint64_t number, unsigned id, const uint32_t *before)
{
	uint32_t begun[EXPLORE_THREADS] = {0}, first = 0;
	unsigned other = dfs->event[number].step.id;
	for (uint64_t at = number + 1; at <= dfs->made; at++) {
		const struct event *event = &dfs->event[at];
		unsigned by = event->step.id;
		if (event->before[other] >= number || begun[by] != 0)
			continue;
		event = &dfs->event[at];
		begun[by] = UINT32_MAX; /* its own number is among its predecessors */
		if (is_first(event->before, begun))
			first |= 1u << by;
		begun[by] = (uint32_t)at;
	}
	if (is_first(before, begun))
		first |= 1u << id;
	want(dfs, number, first, id);
}

/* Up to which step everything comes before a step with these predecessors: there is nothing to
 * compare. */
static uint64_t settled(const struct explore_dfs *dfs, const uint32_t *before)
{
	uint64_t up_to = dfs->made;
	for (unsigned i = 0; i < EXPLORE_THREADS; i++) {
		if (dfs->latest[i] > before[i] && before[i] < up_to)
			up_to = before[i];
	}
	return up_to;
}

/* A lock cannot come before the unlock that it waits for. It may come before the lock that
 * belongs to that. */
static bool is_fixed(const struct step *earlier, const struct step *step)
{
	return (earlier->flags & EXPLORE_UNLOCKS) && (step->flags & EXPLORE_LOCKS);
}

static void compare(struct explore_dfs *dfs, const struct step *step)
{
	uint32_t before[EXPLORE_THREADS], all[EXPLORE_THREADS];
	uint64_t end = settled(dfs, dfs->before[step->id]);
	memcpy(all, dfs->before[step->id], sizeof(all));
	for (uint64_t number = dfs->made; number > end; number--) {
		const struct event *event = &dfs->event[number];
		if (all[event->step.id] < number && dependent(&event->step, step))
			join(all, event->before);
	}
	memcpy(before, dfs->before[step->id], sizeof(before));
	for (uint64_t number = dfs->made; number > end; number--) {
		const struct event *event = &dfs->event[number];
		if (before[event->step.id] >= number || !dependent(&event->step, step) || is_fixed(&event->step, step))
			continue;
		join(before, event->before);
		if (event->step.id != step->id)
			reverse(dfs, number, step->id, all);
	}
}

static uint32_t who_is_blocked(void)
{
	uint32_t blocked = 0;
	for (unsigned mask = explore_now.alive & explore_now.conditional; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		const struct explore_op *op = explore_now.thread[id].pending;
		if (!op->enabled(op))
			blocked |= 1u << id;
	}
	return blocked;
}

/* A load of an old store might as well have come before the newer ones. */
static bool follows(const struct step *step, const struct step *earlier, uint64_t number)
{
	if (step->stale && number > step->saw && (earlier->flags & EXPLORE_ATOMIC) && earlier->object == step->object &&
	    earlier->size == step->size)
		return false;
	return dependent(earlier, step);
}

/* What comes before the last step. */
static void order(struct explore_dfs *dfs)
{
	struct event *event = &dfs->event[dfs->made];
	memcpy(event->before, dfs->anyway, sizeof(event->before));
	for (uint64_t at = dfs->made - 1, end = settled(dfs, event->before); at > end; at--) {
		const struct event *earlier = &dfs->event[at];
		if (event->before[earlier->step.id] < at && follows(&event->step, &earlier->step, at))
			join(event->before, earlier->before);
	}
	event->before[event->step.id] = (uint32_t)dfs->made;
}

/* Before the next step: what has changed since the last one. */
static void race_look(struct explore_dfs *dfs)
{
	uint32_t timed = 0, blocked = who_is_blocked(), alive = explore_now.alive;
	bool fresh = dfs->made > dfs->known;
	if (fresh && dfs->event[dfs->made].step.stale) {
		order(dfs);
		memcpy(dfs->before[dfs->event[dfs->made].step.id], dfs->event[dfs->made].before, sizeof(dfs->anyway));
	}
	for (unsigned mask = blocked; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		if (explore_now.thread[id].pending->deadline != EXPLORE_NEVER)
			timed |= 1u << id;
	}
	for (unsigned mask = alive & ~dfs->alive; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		if (dfs->made == 0)
			memset(dfs->before[id], 0, sizeof(dfs->before[id]));
		else
			memcpy(dfs->before[id], dfs->before[explore_self()], sizeof(dfs->before[id]));
	}
	unsigned last = dfs->made > 0 ? dfs->event[dfs->made].step.id : EXPLORE_NO_THREAD;
	for (unsigned mask = alive; mask != 0 && dfs->made > 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask), bit = 1u << id;
		/* Its step was pending before the last one. */
		bool known = id != last && (dfs->alive & bit);
		/* The last step enabled it: with a deadline, that might have come before. */
		if (known && (dfs->blocked & ~dfs->timed & ~blocked & bit))
			join(dfs->before[id], dfs->event[dfs->made].before);
		if (fresh && (blocked & bit) && !(known && (dfs->blocked & bit))) {
			struct step step = pending_step(id, timed & bit);
			compare(dfs, &step);
		}
	}
	dfs->timed = timed;
	dfs->blocked = blocked;
	dfs->alive = alive;
}

/* The next step is chosen. Marks what is to be explored at the nodes of those that it races
 * with. */
static void race_step(struct explore_dfs *dfs, unsigned id, uint32_t node)
{
	uint64_t number = dfs->made + 1;
	struct event *event = &dfs->event[number];
	if (number > dfs->known) {
		const struct explore_op *op = explore_now.thread[id].pending;
		event->step = pending_step(id, dfs->timed >> id & 1);
		compare(dfs, &event->step);
		event->node = node;
		memcpy(dfs->anyway, dfs->before[id], sizeof(dfs->anyway));
		if ((op->flags & EXPLORE_JOINS) && !(dfs->timed >> id & 1))
			join(dfs->anyway, dfs->before[op->argument]);
	}
	dfs->made = number;
	if (number > dfs->known)
		order(dfs);
	memcpy(dfs->before[id], event->before, sizeof(event->before));
	dfs->latest[id] = (uint32_t)number;
}

/* After the execution's last step: compares what is still pending. */
static void race_end(struct explore_dfs *dfs)
{
	for (unsigned mask = explore_now.alive & dfs->alive; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		struct step step = pending_step(id, dfs->timed >> id & 1);
		if (id != dfs->event[dfs->made].step.id)
			compare(dfs, &step);
	}
}

/* ---- the strategy ---- */

static void begin(void *self)
{
	struct explore_dfs *dfs = self;
	dfs->at = 0;
	dfs->asleep.whole = dfs->asleep.part = 0;
	dfs->spent = 0;
	explore_now.reduces = reduces(dfs);
	race_begin(dfs);
}

static struct node *arrive(struct explore_dfs *dfs, unsigned count, bool *fresh)
{
	struct node *node = &dfs->node[dfs->at];
	*fresh = dfs->at == dfs->depth;
	if (*fresh) {
		if (dfs->depth == dfs->room)
			explore_fail(EXPLORE_UNSUPPORTED, "one execution makes more than %zu choices", dfs->room);
		dfs->depth++;
		*node = (struct node){.count = (uint8_t)count,
		                      .spent = dfs->spent,
		                      .step = (uint32_t)explore_now.steps,
		                      .asleep = dfs->asleep};
	} else if (node->count != count) {
		explore_fail(EXPLORE_UNSUPPORTED,
		             "the program does not do the same thing twice: it depends on something besides the "
		             "schedule (an address, the real clock, memory it did not initialise)");
	}
	dfs->at++;
	return node;
}

static bool affordable(struct explore_dfs *dfs, const struct node *node, unsigned choice)
{
	if (reduces(dfs) || choice < node->free || node->spent < dfs->bound)
		return true;
	dfs->cut = true;
	return false;
}

/* The first alternative from `from` on that is to be explored; the node's count when there is
 * none. */
static unsigned next_choice(struct explore_dfs *dfs, const struct node *node, unsigned from)
{
	for (unsigned choice = from; choice < node->count; choice++) {
		uint32_t bit = 1u << node->id[choice];
		if (node->thread && ((node->asleep.whole | node->done | ~node->wanted) & bit))
			continue;
		if (affordable(dfs, node, choice))
			return choice;
	}
	return node->count;
}

static unsigned value(void *self, unsigned n)
{
	struct explore_dfs *dfs = self;
	bool fresh;
	struct node *node = arrive(dfs, n, &fresh);
	node->free = node->count;
	return node->chosen;
}

static bool sleeps(const struct explore_dfs *dfs, unsigned id)
{
	return dfs->asleep.whole >> id & 1;
}

/* A new node: chooses the thread that is explored first there. False: all of them sleep. */
static bool enter(struct explore_dfs *dfs, struct node *node, const struct explore_candidates *candidates)
{
	node->thread = true;
	node->free = candidates->stays ? 1 : (uint8_t)(candidates->ready > 0 ? candidates->ready : candidates->count);
	for (unsigned i = 0; i < candidates->count; i++) {
		node->id[i] = candidates->id[i];
		node->candidates |= 1u << candidates->id[i];
	}
	node->wanted = node->candidates;
	unsigned choice = next_choice(dfs, node, 0);
	if (choice == node->count)
		return false;
	node->chosen = (uint8_t)choice;
	if (reduces(dfs))
		node->wanted = 1u << node->id[choice];
	return true;
}

static unsigned thread(void *self, const struct explore_candidates *candidates)
{
	struct explore_dfs *dfs = self;
	struct node *node = NULL;
	unsigned choice = 0;
	bool fresh;
	if (reduces(dfs)) {
		wake(dfs);
		race_look(dfs);
	}
	/* Nobody but spinning threads is awake, and what they do will not wake anybody: they
	 * would go on for ever. */
	for (unsigned i = 0; candidates->spinning && i < candidates->ready; i++) {
		if (sleeps(dfs, candidates->id[i]))
			return EXPLORE_PRUNE;
	}
	if (candidates->count > 1) {
		node = arrive(dfs, candidates->count, &fresh);
		if (fresh && !enter(dfs, node, candidates)) {
			dfs->depth--; /* nothing to come back to */
			return EXPLORE_PRUNE;
		}
		choice = node->chosen;
		dfs->spent = node->spent + (choice >= node->free);
	} else if (sleeps(dfs, candidates->id[0])) {
		return EXPLORE_PRUNE;
	}
	if (reduces(dfs)) {
		sleep_during(dfs, node, candidates->id[choice]);
		race_step(dfs, candidates->id[choice], node != NULL ? (uint32_t)(node - dfs->node) : NO_NODE);
	}
	return choice;
}

static bool end(void *self)
{
	struct explore_dfs *dfs = self;
	if (reduces(dfs) && !explore_now.pruned)
		race_end(dfs);
	while (dfs->depth > 0) {
		struct node *node = &dfs->node[dfs->depth - 1];
		if (node->thread && reduces(dfs))
			node->done |= 1u << node->id[node->chosen];
		/* Of threads, also earlier ones can have become wanted. */
		unsigned choice = next_choice(dfs, node, node->thread && reduces(dfs) ? 0 : node->chosen + 1u);
		if (choice < node->count) {
			node->chosen = (uint8_t)choice;
			dfs->known = node->step - 1;
			return true;
		}
		dfs->depth--;
	}
	return false;
}

const struct explore_strategy_table explore_dfs_table = {begin, thread, value, end};
