/* SPDX-License-Identifier: MIT
 *
 * race.c - data races: two accesses to the same bytes, at least one a write, not both atomic, and
 * neither happens-before the other. Freeing memory counts as a write of all of it.
 *
 * Each granule remembers, for each thread and kind of access, the latest one. That is enough: a
 * thread's earlier access happens-before whatever its later one happens-before. A write that is
 * ordered after everything makes the rest forgettable. A race is found by clocks and not by time,
 * so in every schedule in which the two accesses are not ordered, whichever came first; plain
 * accesses therefore need no scheduling points of their own.
 */
#include "harness/explore/memory/memory.h"
#include "harness/explore/memory/granule.h"
#include "harness/explore/memory/clock.h"
#include <string.h>

static const char *kind_name(unsigned kind)
{
	if (kind & EXPLORE_ACCESS_FREE)
		return "free";
	if (kind & EXPLORE_ACCESS_ATOMIC)
		return kind & EXPLORE_ACCESS_WRITE ? "atomic write" : "atomic read";
	return kind & EXPLORE_ACCESS_WRITE ? "write" : "read";
}

static _Noreturn void race(uintptr_t base, uint32_t key, uintptr_t pc, const struct access *other)
{
	unsigned common = (key & other->key & ACCESS_MASK) >> 8, kind = key >> 16;
	uintptr_t address = base + (unsigned)__builtin_ctz(common);
	bool freed = (kind | other->kind) & EXPLORE_ACCESS_FREE;
	explore_fail(freed ? EXPLORE_USE_AFTER_FREE : EXPLORE_RACE,
	             "%s at " EXPLORE_DATA ", %d byte%s\n"
	             "  %s by T%u at " EXPLORE_CODE "\n"
	             "  %s by T%u at " EXPLORE_CODE "\n"
	             "  nothing orders the two",
	             freed ? "access and free" : "data race", address, __builtin_popcount(common),
	             __builtin_popcount(common) == 1 ? "" : "s", kind_name(other->kind), other->thread, other->pc,
	             kind_name(kind), explore_me(), pc);
}

static inline bool ordered(const struct access *earlier)
{
	return earlier->epoch <= explore_clock()->before[earlier->thread];
}

static inline bool conflicts(const struct access *earlier, uint32_t key)
{
	return (earlier->key & key & ACCESS_MASK) && ((earlier->key | key) & ACCESS_KIND(EXPLORE_ACCESS_WRITE));
}

/* Whether whatever races with `earlier` also races with a later access that it happens-before:
 * then it can be forgotten. */
static inline bool covers(uint32_t key, const struct access *earlier)
{
	return ((key & ACCESS_KIND(EXPLORE_ACCESS_WRITE)) || !(earlier->kind & EXPLORE_ACCESS_WRITE)) &&
	       (earlier->key & ~key & ACCESS_MASK) == 0;
}

static void check(const struct accesses *list, uintptr_t base, uint32_t key, uintptr_t pc)
{
	for (; list != NULL; list = list->more) {
		for (unsigned i = 0; i < list->count; i++) {
			const struct access *a = &list->item[i];
			if (conflicts(a, key) && !ordered(a))
				race(base, key, pc, a);
		}
	}
}

static struct access *add(struct accesses *list)
{
	if (list->count == ACCESSES_TOGETHER)
		list = list->more = explore_scratch(sizeof(*list));
	return &list->item[list->count++];
}

static inline void set(struct access *place, uint32_t key, uint32_t epoch, uintptr_t pc)
{
	place->key = key;
	place->epoch = epoch;
	place->pc = pc;
}

static void access_atomic(struct explore_granule *granule, uintptr_t base, uint32_t key, uint32_t epoch, uintptr_t pc)
{
	check(&granule->plain, base, key, pc);
	if (granule->atomic == NULL)
		granule->atomic = explore_scratch(sizeof(*granule->atomic));
	struct accesses *list = granule->atomic;
	for (;; list = list->more) {
		for (unsigned i = 0; i < list->count; i++) {
			if (list->item[i].key == key) {
				set(&list->item[i], key, epoch, pc);
				return;
			}
		}
		if (list->more == NULL)
			break;
	}
	set(add(list), key, epoch, pc);
}

/* Checks against all that is remembered, and takes the place of what it covers, else one more. */
static void access_plain(struct explore_granule *granule, uintptr_t base, uint32_t key, uint32_t epoch, uintptr_t pc)
{
	struct accesses *list = &granule->plain;
	struct access *place = NULL;
	for (;; list = list->more) {
		for (unsigned i = 0; i < list->count; i++) {
			struct access *a = &list->item[i];
			if (a->key == key && a->epoch == epoch)
				return; /* nothing has happened since */
			if (!ordered(a)) {
				if (conflicts(a, key))
					race(base, key, pc, a);
			} else if (covers(key, a)) {
				if (place == NULL)
					place = a;
				else
					a->key = a->epoch = 0; /* a place to be had */
			}
		}
		if (list->more == NULL)
			break;
	}
	if (granule->atomic != NULL)
		check(granule->atomic, base, key, pc);
	set(place != NULL ? place : add(list), key, epoch, pc);
	if (granule->atomic != NULL && (key & ACCESS_KIND(EXPLORE_ACCESS_WRITE)) &&
	    (key & ACCESS_MASK) == ACCESS_MASK) {
		granule->atomic->count = 0; /* all of them happen-before a write of everything */
		granule->atomic->more = NULL;
	}
}

static inline void access_granule(struct explore_granule *granule, uintptr_t base, unsigned mask, unsigned kind,
                                  uintptr_t pc)
{
	unsigned self = explore_me();
	uint32_t key = ACCESS_KEY(self, mask, kind), epoch = explore_clock()->before[self];
	if (kind & EXPLORE_ACCESS_ATOMIC)
		access_atomic(granule, base, key, epoch, pc);
	else
		access_plain(granule, base, key, epoch, pc);
}

/* The plain write of an atomic object (its initialisation, most often) ends its history: nobody
 * can see an older store without a race. */
static void drop_locations(struct explore_granule *granule, unsigned mask)
{
	struct explore_location **link = &granule->locations;
	while (*link != NULL) {
		if ((*link)->mask & mask)
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
}

static _Noreturn void use_after_free(uintptr_t address, unsigned kind, uintptr_t pc)
{
	const struct explore_block *block = explore_heap_find(address);
	explore_fail(EXPLORE_USE_AFTER_FREE,
	             "%s by T%u at " EXPLORE_CODE " of freed memory: " EXPLORE_DATA "\n  freed by T%u at " EXPLORE_CODE,
	             kind_name(kind), explore_me(), pc, address, block->freed_thread, block->freed_pc);
}

/* The first access to a granule. There is nothing to check but that the program has that memory. */
static struct explore_granule *first_access(struct shadow *shadow, uintptr_t address, uint32_t key, uintptr_t pc)
{
	if (explore_heap_contains(address))
		explore_heap_check(address, pc);
	*shadow = (struct shadow){.generation = explore_now.generation, .granule = explore_granule_new()};
	struct explore_granule *granule = granule_of(shadow);
	if (key & ACCESS_KIND(EXPLORE_ACCESS_ATOMIC))
		access_atomic(granule, address & ~7ul, key, clock_epoch(explore_now.current), pc);
	else
		set(add(&granule->plain), key, clock_epoch(explore_now.current), pc);
	return granule;
}

struct explore_granule *explore_access_word(uintptr_t address, unsigned mask, unsigned kind, uintptr_t pc)
{
	struct shadow *shadow = shadow_of(address);
	if (granule_is_new(shadow))
		return first_access(shadow, address, ACCESS_KEY(explore_me(), mask, kind), pc);
	if (unlikely(granule_is_freed(shadow)))
		use_after_free(address, kind, pc);
	struct explore_granule *granule = granule_of(shadow);
	access_granule(granule, address & ~7ul, mask, kind, pc);
	return granule;
}

void explore_access(uintptr_t address, size_t size, unsigned kind, uintptr_t pc)
{
	explore_now.accesses++;
	explore_now.last_pc = pc;
	while (size > 0) {
		unsigned offset = address & 7;
		unsigned bytes = 8 - offset < size ? 8 - offset : (unsigned)size;
		unsigned mask = ((1u << bytes) - 1) << offset;
		struct explore_granule *granule = explore_access_word(address, mask, kind, pc);
		if (unlikely(granule->locations != NULL) && (kind & EXPLORE_ACCESS_WRITE))
			drop_locations(granule, mask);
		address += bytes;
		size -= bytes;
	}
}

/* Only what was accessed in this execution needs a look: the rest is refused when it is first
 * touched (heap.c). */
void explore_access_free(uintptr_t address, size_t size, uintptr_t pc)
{
	for (uintptr_t end = address + size; address < end; address += 8) {
		struct shadow *shadow = shadow_of(address);
		if (granule_is_new(shadow))
			continue;
		access_granule(granule_of(shadow), address, 0xff, EXPLORE_ACCESS_WRITE | EXPLORE_ACCESS_FREE, pc);
		shadow->granule = 0;
	}
}

void explore_read(const volatile void *address, size_t size, uintptr_t pc)
{
	if (explore_runs())
		explore_access((uintptr_t)address, size, 0, pc);
}

void explore_write(const volatile void *address, size_t size, uintptr_t pc)
{
	if (explore_runs())
		explore_access((uintptr_t)address, size, EXPLORE_ACCESS_WRITE, pc);
}
