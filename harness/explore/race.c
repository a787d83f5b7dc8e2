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
	             kind_name(kind), explore_self(), pc);
}

static inline bool ordered(const struct access *earlier)
{
	return earlier->epoch <= explore_clock()->before[earlier->thread];
}

static inline bool conflict(unsigned a, unsigned b)
{
	return ((a | b) & EXPLORE_ACCESS_WRITE) && !(a & b & EXPLORE_ACCESS_ATOMIC);
}

/* Whether whatever races with `earlier` also races with a later access that it happens-before: then it can be forgotten. */
static inline bool covers(unsigned kind, unsigned mask, const struct access *earlier)
{
	bool at_least = (kind & EXPLORE_ACCESS_WRITE) || !(earlier->kind & EXPLORE_ACCESS_WRITE);
	bool as_plain = !(kind & EXPLORE_ACCESS_ATOMIC) || (earlier->kind & EXPLORE_ACCESS_ATOMIC);
	return at_least && as_plain && (earlier->mask & ~mask) == 0;
}

static void check(struct explore_cell *cell, uintptr_t granule, unsigned mask, unsigned kind, uintptr_t pc)
{
	unsigned self = explore_self();
	uint32_t epoch = explore_clock()->before[self];
	struct access *slot = NULL;
	for (struct explore_cell *part = cell; part != NULL; part = part->more) {
		for (unsigned i = 0; i < part->count; i++) {
			struct access *a = &part->access[i];
			if (a->thread == self && a->kind == kind && a->mask == mask && a->epoch == epoch)
				return; /* nothing has happened since */
			if (a->thread != self && (a->mask & mask) && conflict(a->kind, kind) && !ordered(a))
				race(granule, mask, kind, pc, a);
			if (slot == NULL && (a->mask == 0 || (covers(kind, mask, a) && ordered(a))))
				slot = a;
			else if (slot != NULL && covers(kind, mask, a) && ordered(a))
				a->mask = 0;
		}
	}
	if (slot == NULL) {
		struct explore_cell *part = cell;
		while (part->count == CELL_ACCESSES) {
			if (part->more == NULL)
				part->more = explore_scratch(sizeof(*part));
			part = part->more;
		}
		slot = &part->access[part->count++];
	}
	*slot = (struct access){
		.pc = pc, .epoch = epoch, .thread = (uint8_t)self, .mask = (uint8_t)mask, .kind = (uint8_t)kind};
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
	             kind_name(kind), explore_self(), pc, address, block->freed_thread, block->freed_pc);
}

struct explore_cell *explore_access_word(uintptr_t address, unsigned mask, unsigned kind, uintptr_t pc)
{
	struct explore_cell *cell = cell_get(address, pc);
	if (unlikely(cell->freed))
		use_after_free(address, kind, pc);
	check(cell, address & ~7ul, mask, kind, pc);
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
		check(cell, address, 0xff, EXPLORE_ACCESS_WRITE | EXPLORE_ACCESS_FREE, pc);
		cell->freed = true;
	}
}

void explore_read(const volatile void *address, size_t size, uintptr_t pc)
{
	if (explore_active())
		explore_access((uintptr_t)address, size, 0, pc);
}

void explore_write(const volatile void *address, size_t size, uintptr_t pc)
{
	if (explore_active())
		explore_access((uintptr_t)address, size, EXPLORE_ACCESS_WRITE, pc);
}
