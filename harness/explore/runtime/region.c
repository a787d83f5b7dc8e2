/* SPDX-License-Identifier: MIT
 *
 * region.c - the fixed mappings, shadow memory, and the memory of one execution. See region.h.
 *
 * Nothing is cleared between executions: shadow is stamped with the execution's number, scratch
 * memory is cleared when it is handed out.
 */
#include "harness/explore/runtime/region.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define OTHER_BITS 16

uintptr_t explore_globals_base;
size_t explore_globals_size;
struct shadow *explore_globals_shadow;

static struct other {
	uintptr_t granule;
	struct shadow shadow;
} * other;

static size_t scratch_used;
static uint32_t granules_used;

static _Noreturn void no_memory(const char *what, size_t size)
{
	fprintf(stderr, "chanbench: explore: no address space for %s (%zu MiB: %s); raise 'ulimit -v'\n", what,
	        size >> 20, strerror(errno));
	exit(3);
}

static void map(uintptr_t base, size_t size, const char *what)
{
	void *at = mmap((void *)base, size, PROT_READ | PROT_WRITE,
	                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (at != (void *)base)
		no_memory(what, size);
}

void *explore_reserve(size_t size, const char *what)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		no_memory(what, size);
	return at;
}

void explore_region_open(void)
{
	static bool open;
	if (open)
		return;
	open = true;
	map(REGION_BASE, REGION_SIZE, "stacks and heap");
	map(SHADOW_BASE, REGION_SIZE, "shadow memory");
	map(GRANULES_BASE, GRANULES_SIZE, "the state of an execution");
	map(SCRATCH_BASE, SCRATCH_SIZE, "the state of an execution");
	for (unsigned id = 0; id < EXPLORE_THREADS; id++)
		mprotect((void *)slot_base(id), 4096, PROT_NONE);
	other = explore_reserve(sizeof(*other) << OTHER_BITS, "shadow memory");
}

void explore_region_forget(void)
{
	madvise((void *)SHADOW_BASE, REGION_SIZE, MADV_DONTNEED);
	madvise(other, sizeof(*other) << OTHER_BITS, MADV_DONTNEED);
	madvise(explore_globals_shadow, explore_globals_size, MADV_DONTNEED);
	explore_now.generation = 1;
}

struct shadow *explore_shadow_other(uintptr_t address)
{
	uintptr_t granule = address / 8;
	size_t at = (granule * 0x9e3779b97f4a7c15ul) >> (64 - OTHER_BITS);
	for (unsigned tries = 0; tries < 1u << OTHER_BITS; tries++, at = (at + 1) & ((1u << OTHER_BITS) - 1)) {
		struct other *entry = &other[at];
		if (entry->granule == granule)
			return &entry->shadow;
		if (entry->shadow.generation != explore_now.generation) {
			entry->granule = granule;
			return &entry->shadow;
		}
	}
	explore_fail(EXPLORE_UNSUPPORTED,
	             "more than %u words outside of heap, stacks and globals are shared: the explorer's "
	             "table for them is full",
	             1u << OTHER_BITS);
}

void explore_scratch_reset(void)
{
	scratch_used = 0;
	granules_used = 0;
}

void explore_scratch_release(void)
{
	madvise((void *)GRANULES_BASE, GRANULES_SIZE, MADV_DONTNEED);
	madvise((void *)SCRATCH_BASE, SCRATCH_SIZE, MADV_DONTNEED);
}

static _Noreturn void exhausted(size_t size)
{
	explore_fail(EXPLORE_UNSUPPORTED,
	             "one execution needs more than %lu MiB of state: fewer steps (--steps) or less memory",
	             size >> 20);
}

uint32_t explore_granule_new(void)
{
	if (unlikely(++granules_used == GRANULES_SIZE / GRANULE_SIZE))
		exhausted(GRANULES_SIZE);
	memset((void *)(GRANULES_BASE + granules_used * GRANULE_SIZE), 0, GRANULE_SIZE);
	return granules_used;
}

void *explore_scratch(size_t size)
{
	size_t rounded = (size + SCRATCH_GRAIN - 1) & ~(SCRATCH_GRAIN - 1);
	if (unlikely(rounded > SCRATCH_SIZE - scratch_used))
		exhausted(SCRATCH_SIZE);
	void *at = (void *)(SCRATCH_BASE + scratch_used);
	scratch_used += rounded;
	return memset(at, 0, rounded);
}
