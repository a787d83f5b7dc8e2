/* SPDX-License-Identifier: MIT
 *
 * race.c - data races: two accesses to the same bytes, at least one a write, not both atomic, and neither happens-before the
 * other. Freeing memory counts as a write of all of it.
 *
 * Each granule remembers, for each thread and kind of access, the latest one. That is enough: a thread's earlier access
 * happens-before whatever its later one happens-before. A write that is ordered after everything makes the rest forgettable.
 * A race is found by clocks and not by time, so in every schedule in which the two accesses are not ordered, whichever came
 * first; plain accesses therefore need no scheduling points of their own.
 */
#include "cell.h"
#include "clock.h"
#include <string.h>

static const char *kind_name(unsigned kind)
{
	if (kind & EXPLORE_ACCESS_FREE)
		return "free";
	if (kind & EXPLORE_ACCESS_ATOMIC)
		return kind & EXPLORE_ACCESS_WRITE ? "atomic write" : "atomic read";
	return kind & EXPLORE_ACCESS_WRITE ? "write" : "read";
}

static _Noreturn void race(uintptr_t granule, unsigned mask, unsigned kind, uintptr_t pc, const struct access *other)
{
	unsigned common = mask & other->mask;
	uintptr_t address = granule + (unsigned)__builtin_ctz(common);
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

/* Whether whatever races with `earlier` also races with a later access that it happens-before: then it can be forgotten. */
static inline bool covers(unsigned kind, unsigned mask, const struct access *earlier)
{
	return ((kind & EXPLORE_ACCESS_WRITE) || !(earlier->kind & EXPLORE_ACCESS_WRITE)) &&
	       (earlier->mask & ~mask) == 0;
}

static void check(const struct accesses *list, uintptr_t granule, unsigned mask, unsigned kind, uintptr_t pc)
{
	for (; list != NULL; list = list->more) {
		for (unsigned i = 0; i < list->count; i++) {
			const struct access *a = &list->item[i];
			if ((a->mask & mask) && ((a->kind | kind) & EXPLORE_ACCESS_WRITE) && !ordered(a))
				race(granule, mask, kind, pc, a);
		}
	}
}

/* Where in a list an access is to be remembered: in place of one that it covers, else at its end. */
static struct access *place_for(struct accesses *list, unsigned mask, unsigned kind)
{
	struct access *place = NULL;
	for (;; list = list->more) {
		for (unsigned i = 0; i < list->count; i++) {
			struct access *a = &list->item[i];
			if (a->mask != 0 && !(covers(kind, mask, a) && ordered(a)))
				continue;
			if (place == NULL)
				place = a;
			else
				a->mask = 0;
		}
		if (list->more == NULL)
			break;
	}
	if (place != NULL)
		return place;
	if (list->count == ACCESSES_TOGETHER)
		list = list->more = explore_scratch(sizeof(*list));
	return &list->item[list->count++];
}

static void access_atomic(struct explore_cell *cell, uintptr_t granule, struct access now)
{
	check(&cell->plain, granule, now.mask, now.kind, now.pc);
	if (cell->atomic == NULL)
		cell->atomic = explore_scratch(sizeof(*cell->atomic));
	struct accesses *list = cell->atomic;
	for (;; list = list->more) {
		for (unsigned i = 0; i < list->count; i++) {
			if (list->item[i].key == now.key) {
				list->item[i] = now;
				return;
			}
		}
		if (list->more == NULL)
			break;
	}
	if (list->count == ACCESSES_TOGETHER)
		list = list->more = explore_scratch(sizeof(*list));
	list->item[list->count++] = now;
}

static void access_plain(struct explore_cell *cell, uintptr_t granule, struct access now)
{
	struct accesses *list = &cell->plain;
	for (unsigned i = 0; i < list->count; i++) {
		if (list->item[i].key == now.key && list->item[i].epoch == now.epoch)
			return; /* nothing has happened since */
	}
	check(list, granule, now.mask, now.kind, now.pc);
	if (cell->atomic != NULL)
		check(cell->atomic, granule, now.mask, now.kind, now.pc);
	*place_for(list, now.mask, now.kind) = now;
	if (cell->atomic != NULL && (now.kind & EXPLORE_ACCESS_WRITE) && now.mask == 0xff) {
		cell->atomic->count = 0; /* all of them happen-before a write of everything */
		cell->atomic->more = NULL;
	}
}

static void access_cell(struct explore_cell *cell, uintptr_t granule, unsigned mask, unsigned kind, uintptr_t pc)
{
	unsigned self = explore_me();
	/* In one piece, for bytes that are written one by one and read as a word wait for each other. */
	struct access now = {.pc = pc, .epoch = explore_clock()->before[self], .key = self | mask << 8 | kind << 16};
	if (kind & EXPLORE_ACCESS_ATOMIC)
		access_atomic(cell, granule, now);
	else
		access_plain(cell, granule, now);
}

/* The plain write of an atomic object (its initialisation, most often) ends its history: nobody can see an older store
 * without a race. */
static void drop_locations(struct explore_cell *cell, unsigned mask)
{
	struct explore_location **link = &cell->locations;
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

struct explore_cell *explore_access_word(uintptr_t address, unsigned mask, unsigned kind, uintptr_t pc)
{
	struct explore_cell *cell = cell_get(address, pc);
	if (unlikely(cell->freed))
		use_after_free(address, kind, pc);
	access_cell(cell, address & ~7ul, mask, kind, pc);
	return cell;
}

void explore_access(uintptr_t address, size_t size, unsigned kind, uintptr_t pc)
{
	explore_now.accesses++;
	explore_now.last_pc = pc;
	while (size > 0) {
		unsigned offset = address & 7;
		unsigned bytes = 8 - offset < size ? 8 - offset : (unsigned)size;
		unsigned mask = ((1u << bytes) - 1) << offset;
		struct explore_cell *cell = explore_access_word(address, mask, kind, pc);
		if (unlikely(cell->locations != NULL) && (kind & EXPLORE_ACCESS_WRITE))
			drop_locations(cell, mask);
		address += bytes;
		size -= bytes;
	}
}

/* Only what was accessed in this execution needs a look: the rest is refused when it is first touched (heap.c). */
void explore_access_free(uintptr_t address, size_t size, uintptr_t pc)
{
	for (uintptr_t end = address + size; address < end; address += 8) {
		struct shadow *shadow = shadow_of(address);
		if (shadow->generation != explore_now.generation)
			continue;
		struct explore_cell *cell = cell_of(shadow);
		access_cell(cell, address, 0xff, EXPLORE_ACCESS_WRITE | EXPLORE_ACCESS_FREE, pc);
		cell->freed = true;
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
