/* SPDX-License-Identifier: MIT
 *
 * atomic.c - the C11 memory model, operationally.
 *
 * Each atomic object keeps its stores in modification order, which is the order in which they were
 * executed. A read-modify-write reads the newest. A load may read any store that is not hidden from
 * it, and that is a choice of the schedule; 0 is the newest. A store is hidden when a newer one is
 * *known* to the reader (coherence):
 *
 *   - somebody wrote or read the newer one, and that happens-before the load (all four coherence
 *     rules in one: read-read, write-read and so on, of the same thread or through
 *     synchronisation);
 *   - or somebody did that before a seq_cst fence, and that fence precedes one that happens-before
 *     the load, or precedes the load itself if that is seq_cst;
 *   - or a seq_cst operation wrote or read the newer one, and precedes such a fence, or the load
 *     itself if that is seq_cst.
 *
 * The first two are one comparison of clocks: a thread's `visible` clock is its happens-before
 * clock and what seq_cst fences added. It travels with synchronisation like the other, but orders
 * nothing: a race is judged by `before` alone. The third is a number: the place in the total order
 * of seq_cst operations up to which everything is visible.
 *
 * The total order of seq_cst operations is the order of execution. These are the rules of RC11 and
 * C++20, which mended those of C11 (there, two fences did not always restore sequential
 * consistency; nobody relies on that).
 *
 * Synchronisation is by what a store carries, `release`: the clock of the thread at a release
 * store, or at its last release fence; a read-modify-write passes on what the store it replaces
 * carried (release sequences), and so does a later store of the same thread. An acquire load takes
 * it; a relaxed load keeps it for an acquire fence.
 */
#include "harness/explore/memory/memory.h"
#include "harness/explore/memory/granule.h"
#include "harness/explore/memory/clock.h"
#include <string.h>

#define STALE_MAX 8 /* a load chooses among so many stores at most */

static uint64_t read_memory(uintptr_t address, unsigned size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)address;
	case 2:
		return *(const volatile uint16_t *)address;
	case 4:
		return *(const volatile uint32_t *)address;
	default:
		return *(const volatile uint64_t *)address;
	}
}

static void write_memory(uintptr_t address, unsigned size, uint64_t value)
{
	memcpy((void *)address, &value, size);
}

static inline uint64_t narrow(uint64_t value, unsigned size)
{
	return size == 8 ? value : value & ((1ull << 8 * size) - 1);
}

/* ---- locations and their stores ---- */

static const struct explore_clock *both(const struct explore_clock *a, const struct explore_clock *b)
{
	if (a == NULL || b == NULL || a == b)
		return a == NULL ? b : a;
	struct explore_clock *sum = copy_clock(a);
	clock_join(sum, b);
	return sum;
}

static struct store *add_store(struct explore_location *location, uint64_t value)
{
	struct store *store = explore_scratch(sizeof(*store));
	store->older = location->newest;
	store->value = value;
	store->place = UINT32_MAX;
	memset(store->seen, 0xff, sizeof(store->seen));
	location->newest = store;
	return store;
}

/* Objects of another size over the same bytes are not C11. They see of each other the memory as
 * it is now, and synchronise with whatever the newest stores there carried. */
static struct explore_location *new_location(struct explore_granule *granule, unsigned mask, unsigned size,
                                             uint64_t value)
{
	const struct explore_clock *release = NULL;
	struct explore_location **link = &granule->locations;
	while (*link != NULL) {
		if ((*link)->mask & mask) {
			release = both(release, (*link)->newest->release);
			*link = (*link)->next;
		} else {
			link = &(*link)->next;
		}
	}
	struct explore_location *location = explore_scratch(sizeof(*location));
	location->mask = (uint8_t)mask;
	location->size = (uint8_t)size;
	location->next = granule->locations;
	granule->locations = location;
	add_store(location, value)->release = release;
	return location;
}

static struct explore_location *granule_location(uintptr_t address, unsigned size)
{
	const struct shadow *shadow = shadow_of(address);
	unsigned mask = ((1u << size) - 1) << (address & 7);
	if (granule_is_new(shadow) || granule_is_freed(shadow))
		return NULL;
	struct explore_location *location = granule_of(shadow)->locations;
	while (location != NULL && location->mask != mask)
		location = location->next;
	return location;
}

static struct explore_location *locate(uintptr_t address, unsigned size, unsigned kind, uintptr_t pc)
{
	if (unlikely(address % size != 0))
		explore_fail(EXPLORE_UNSUPPORTED,
		             "atomic access at " EXPLORE_CODE " that is not aligned: " EXPLORE_DATA, pc, address);
	unsigned mask = ((1u << size) - 1) << (address & 7);
	struct explore_granule *granule = explore_access_word(address, mask, kind | EXPLORE_ACCESS_ATOMIC, pc);
	uint64_t value = read_memory(address, size);
	for (struct explore_location *location = granule->locations; location != NULL; location = location->next) {
		if (location->mask == mask) {
			if (likely(location->newest->value == value))
				return location;
			break; /* written behind our back: by libc, by the kernel */
		}
	}
	return new_location(granule, mask, size, value);
}

/* ---- what a load may see ---- */

static inline bool known(const struct explore_thread *self, const struct store *store, bool sc)
{
	const struct explore_clock *now = &self->now;
	unsigned threads = explore_now.threads;
	if (store->seen[explore_id(self)] != UINT32_MAX || store->place <= now->fenced)
		return true;
	for (unsigned i = 0; i < threads; i++) {
		if (store->seen[i] <= now->visible[i])
			return true;
	}
	if (!sc)
		return false;
	for (unsigned i = 0; i < threads; i++) {
		if (store->seen[i] <= explore_now.visible[i])
			return true;
	}
	return store->place != UINT32_MAX;
}

/* Everything from the newest to the first that is known, newest first. */
static unsigned visible_stores(const struct explore_thread *self, const struct explore_location *location, bool sc,
                               struct store **found)
{
	unsigned count = 0;
	bool newest_only = explore_options.memory == EXPLORE_SC;
	for (struct store *store = location->newest; store != NULL; store = store->older) {
		if (count == STALE_MAX) {
			explore_now.cut = "stale stores";
			break;
		}
		found[count++] = store;
		if (newest_only || known(self, store, sc))
			break;
	}
	if (count > 1 && self->stale >= EXPLORE_STALE_KNOWN) {
		explore_now.cut = "stale loads";
		count = 1;
	}
	return count;
}

/* Whether an older one that can be seen as well has the same value. */
static bool repeats(struct store *const *found, unsigned count, unsigned which)
{
	for (unsigned older = which + 1; older < count; older++) {
		if (found[older]->value == found[which]->value)
			return true;
	}
	return false;
}

/* A compare-exchange succeeds on the newest store only; it may fail on any visible one of
 * another value. */
static unsigned comparable_stores(struct store **found, unsigned count, uint64_t expected)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < count; i++) {
		if (found[i]->value != expected || i == 0)
			found[kept++] = found[i];
	}
	return kept;
}

/* One of the stores that can be seen, newest first. A search that reduces knows which of them it
 * has seen already, and of those with the same value takes the oldest: see search/dfs.c. */
static struct store *choose_store(struct store *const *found, unsigned count)
{
	uint8_t offered[STALE_MAX + 1];
	unsigned offers = 0;
	for (unsigned i = 0; i < count; i++) {
		bool old = found[i]->step < explore_now.since;
		if (!explore_now.reduces || !(old || repeats(found, count, i)))
			offered[offers++] = (uint8_t)i;
	}
	if (offers == 0)
		explore_prune();
	return found[count > 1 ? explore_choose_offered(offered, offers) : 0];
}

bool explore_atomic_news(const struct explore_thread *thread)
{
	const struct explore_op *op = thread->pending;
	uintptr_t address = (uintptr_t)op->object;
	struct store *found[STALE_MAX];
	const char *cut = explore_now.cut;
	const struct explore_location *location = granule_location(address, (unsigned)op->size);
	if (location == NULL)
		return true;
	unsigned count = visible_stores(thread, location, op->flags & EXPLORE_SEES_SC, found);
	if (!(op->flags & EXPLORE_READS))
		count = comparable_stores(found, count, op->argument);
	explore_now.cut = cut;
	return count == 0 || found[0] != location->newest || !repeats(found, count, 0);
}

/* A load has chosen its store: what it now knows, and what it synchronises with. */
static uint64_t observe(const struct explore_location *location, struct store *store, int order)
{
	struct explore_thread *self = explore_now.current;
	unsigned id = explore_id(self);
	explore_now.saw = store->step;
	explore_now.stale = store != location->newest;
	if (store->seen[id] == UINT32_MAX) {
		store->seen[id] = clock_epoch(self);
		self->stale = 0;
	} else {
		self->stale += store->value != location->newest->value;
		explore_idle();
	}
	if (order == __ATOMIC_SEQ_CST) {
		uint32_t place = ++explore_now.place;
		if (place < store->place)
			store->place = place;
	}
	if (store->release != NULL)
		clock_join(acquires(order) ? &self->now : &self->acquired, store->release);
	return store->value;
}

/* ---- what a store carries ---- */

/* Puts the store of `value` at the end of the modification order. `read`: the store that the
 * same operation has read, for a read-modify-write. */
static void publish(struct explore_location *location, uintptr_t address, uint64_t value, int order,
                    const struct store *read)
{
	struct explore_thread *self = explore_now.current;
	unsigned id = explore_id(self);
	struct store *store = add_store(location, value);
	store->step = (uint32_t)explore_now.steps;
	explore_now.wrote = true;
	store->seen[id] = clock_epoch(self);
	if (order == __ATOMIC_SEQ_CST)
		store->place = read != NULL ? explore_now.place : ++explore_now.place;
	const struct explore_clock *own = releases(order) ? copy_clock(&self->now) : self->fence;
	const struct explore_clock *head = location->heads >> id & 1 ? location->head[id] : NULL;
	head = both(own, head);
	store->release = read != NULL ? both(own, read->release) : head;
	/* Another thread's store interrupts the release sequences of all others. */
	if (read == NULL)
		location->heads &= (uint16_t)(1u << id);
	if (head != NULL) {
		location->heads |= (uint16_t)(1u << id);
		if (location->head == NULL)
			location->head = explore_scratch(EXPLORE_THREADS * sizeof(*location->head));
		location->head[id] = head;
	}
	write_memory(address, location->size, value);
	if (own != NULL)
		clock_tick(self);
}

/* ---- the operations ---- */

static void reach(const char *name, uintptr_t address, unsigned size, unsigned flags, int order, int load_order,
                  uint64_t expected, uintptr_t pc)
{
	struct explore_op op = {.name = name,
	                        .object = (const void *)address,
	                        .size = size,
	                        .flags = flags | EXPLORE_ATOMIC | (order == __ATOMIC_SEQ_CST ? EXPLORE_ORDERED : 0u) |
	                                 (load_order == __ATOMIC_SEQ_CST ? EXPLORE_SEES_SC : 0u),
	                        .argument = expected,
	                        .deadline = EXPLORE_NEVER,
	                        .pc = pc};
	explore_reach(&op);
}

static void trace_load(const struct explore_location *location, const struct store *store, int order)
{
	unsigned newer = 0;
	for (const struct store *at = location->newest; at != store; at = at->older)
		newer++;
	explore_trace("-> %#lx %s", store->value, explore_order_name(order));
	if (newer > 0)
		explore_trace("(not the newest: %u newer)", newer);
}

/* A load of the newest store that does not depend on the fences of others: see search/dfs.c. */
static bool quiet(const struct store *store, int order)
{
	const struct explore_clock *now = explore_clock(), *release = store->release;
	bool happened = false, news = false;
	for (unsigned i = 0; i < EXPLORE_THREADS; i++)
		happened |= store->seen[i] <= now->before[i];
	for (unsigned i = 0; i < EXPLORE_THREADS && release != NULL; i++)
		news |= release->before[i] > now->before[i] || release->visible[i] > now->visible[i];
	news |= release != NULL && release->fenced > now->fenced;
	return happened && !news && order != __ATOMIC_SEQ_CST;
}

uint64_t explore_atomic_load(uintptr_t address, unsigned size, int order, uintptr_t pc)
{
	struct store *found[STALE_MAX];
	reach("atomic load", address, size, EXPLORE_READS | EXPLORE_SEES, order, order, 0, pc);
	struct explore_location *location = locate(address, size, 0, pc);
	unsigned count = visible_stores(explore_now.current, location, order == __ATOMIC_SEQ_CST, found);
	struct store *store = choose_store(found, count);
	explore_now.quiet = explore_now.reduces && store == location->newest && quiet(store, order);
	if (unlikely(explore_now.tracing))
		trace_load(location, store, order);
	return observe(location, store, order);
}

void explore_atomic_store(uintptr_t address, unsigned size, uint64_t value, int order, uintptr_t pc)
{
	reach("atomic store", address, size, 0, order, order, 0, pc);
	struct explore_location *location = locate(address, size, EXPLORE_ACCESS_WRITE, pc);
	value = narrow(value, size);
	if (unlikely(explore_now.tracing))
		explore_trace("= %#lx %s", value, explore_order_name(order));
	publish(location, address, value, order, NULL);
}

static uint64_t combine(enum explore_rmw what, uint64_t old, uint64_t operand)
{
	switch (what) {
	case RMW_EXCHANGE:
		return operand;
	case RMW_ADD:
		return old + operand;
	case RMW_SUB:
		return old - operand;
	case RMW_AND:
		return old & operand;
	case RMW_OR:
		return old | operand;
	case RMW_XOR:
		return old ^ operand;
	case RMW_NAND:
		return ~(old & operand);
	}
	return old;
}

static const char *const rmw_names[] = {"atomic exchange", "atomic add", "atomic sub", "atomic and",
                                        "atomic or",       "atomic xor", "atomic nand"};

uint64_t explore_atomic_rmw(uintptr_t address, unsigned size, enum explore_rmw what, uint64_t operand, int order,
                            uintptr_t pc)
{
	reach(rmw_names[what], address, size, 0, order, order, 0, pc);
	struct explore_location *location = locate(address, size, EXPLORE_ACCESS_WRITE, pc);
	struct store *store = location->newest;
	uint64_t old = observe(location, store, order);
	uint64_t value = narrow(combine(what, old, operand), size);
	if (value != old)
		explore_now.current->idled = false; /* it has news for the others */
	if (unlikely(explore_now.tracing))
		explore_trace("%#lx -> %#lx %s", old, value, explore_order_name(order));
	publish(location, address, value, order, store);
	return old;
}

static bool failed(const struct explore_location *location, struct store *store, uint64_t *expected, int order,
                   const char *how)
{
	if (unlikely(explore_now.tracing)) {
		explore_trace("%s, expected %#lx", how, *expected);
		trace_load(location, store, order);
	}
	*expected = observe(location, store, order);
	return false;
}

bool explore_atomic_compare(uintptr_t address, unsigned size, uint64_t *expected, uint64_t desired, int success,
                            int failure, bool weak, uintptr_t pc)
{
	struct store *found[STALE_MAX];
	int order = success == __ATOMIC_SEQ_CST ? success : failure;
	reach("atomic compare-exchange", address, size, EXPLORE_SEES, order, failure, *expected, pc);
	struct explore_location *location = locate(address, size, 0, pc);
	unsigned count = visible_stores(explore_now.current, location, failure == __ATOMIC_SEQ_CST, found);
	struct store *store = choose_store(found, comparable_stores(found, count, *expected));
	if (store->value != *expected)
		return failed(location, store, expected, failure, "fails");
	if (weak && explore_spurious("spurious")) {
		/* It would not have failed on another store: it does not commute as a load does. */
		explore_now.wrote = true;
		return failed(location, store, expected, failure, "fails spuriously");
	}
	if (unlikely(explore_now.tracing))
		explore_trace("%#lx -> %#lx %s", *expected, narrow(desired, size), explore_order_name(success));
	locate(address, size, EXPLORE_ACCESS_WRITE, pc); /* it is a write only now */
	observe(location, store, success);
	explore_now.current->idled = false;
	publish(location, address, narrow(desired, size), success, store);
	return true;
}

uint32_t explore_read_atomic32(const volatile uint32_t *address, uintptr_t pc)
{
	struct store *newest = locate((uintptr_t)address, sizeof(*address), 0, pc)->newest;
	unsigned id = explore_me();
	if (newest->seen[id] == UINT32_MAX)
		newest->seen[id] = clock_epoch(explore_now.current);
	return *address;
}

/* ---- fences, and the kernel's membarrier ---- */

static void fence(struct explore_thread *self, int order)
{
	if (acquires(order))
		clock_join(&self->now, &self->acquired);
	if (order == __ATOMIC_SEQ_CST) {
		clock_max(explore_now.visible, self->now.visible);
		clock_max(self->now.visible, explore_now.visible);
		self->now.fenced = ++explore_now.place;
	}
	if (releases(order)) {
		self->fence = copy_clock(&self->now);
		clock_tick(self);
	}
}

void explore_fence_all(void)
{
	fence(explore_now.current, __ATOMIC_SEQ_CST);
	/* ended ones, too: their stores are out as well */
	for (unsigned id = 0; id < explore_now.threads; id++)
		fence(&explore_now.thread[id], __ATOMIC_SEQ_CST);
	fence(explore_now.current, __ATOMIC_SEQ_CST);
}

/* A fence that is not seq_cst concerns its own thread only, and needs no scheduling point. */
void explore_atomic_fence(int order, uintptr_t pc)
{
	if (order == __ATOMIC_SEQ_CST) {
		struct explore_op op = {.name = "seq_cst fence",
		                        .flags = EXPLORE_ORDERED | EXPLORE_SC_FENCE,
		                        .deadline = EXPLORE_NEVER,
		                        .pc = pc};
		explore_reach(&op);
	}
	fence(explore_now.current, order);
}

/* ---- synchronisation objects that are not atomics ---- */

void explore_acquire(const struct explore_clock *clock)
{
	clock_join(explore_clock(), clock);
}

void explore_release(struct explore_clock *clock)
{
	clock_join(clock, explore_clock());
	clock_tick(explore_now.current);
}

void explore_release_store(struct explore_clock *clock)
{
	*clock = *explore_clock();
	clock_tick(explore_now.current);
}
