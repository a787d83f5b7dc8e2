/* SPDX-License-Identifier: MIT
 *
 * heap.c - the heap of the program under test: addresses only ever go up within an execution, and
 * begin again at the same one in the next. So nothing is reused, whatever touches freed memory
 * touches nothing else, and a pointer has the same value in each replay. Between two blocks there
 * is a gap that belongs to nobody.
 */
#include "harness/explore/memory/memory.h"
#include "harness/explore/runtime/region.h"
#include "harness/explore/look.h"

#include <stdalign.h>
#include <string.h>

#define GAP         16ul
#define FREED       0xdf    /* what freed memory looks like */
#define FRESH_LIMIT 65536ul /* filled no further than this, at either end of a block's life */
#define BLOCKS_MAX  ((size_t)1 << 20)

static struct explore_block *blocks; /* in the order of their addresses */
static size_t block_count, initial_count;
static uintptr_t top = HEAP_BASE, initial_top = HEAP_BASE;

bool explore_heap_contains(uintptr_t address)
{
	return address - HEAP_BASE < HEAP_SIZE;
}

size_t explore_heap_used(void)
{
	return initial_top - HEAP_BASE;
}

void explore_heap_begin(void)
{
	if (explore_now.generation != 0)
		/* blocks of an execution are no part of the initial state of the next run */
		return;
	initial_count = block_count;
	initial_top = top;
}

void explore_heap_reset(void)
{
	for (size_t i = 0; i < initial_count; i++)
		blocks[i].freed = false;
	block_count = initial_count;
	top = initial_top;
}

const struct explore_block *explore_heap_find(uintptr_t address)
{
	size_t low = 0, high = block_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (blocks[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NULL : &blocks[low - 1];
}

void explore_heap_check(uintptr_t address, uintptr_t pc)
{
	static const struct explore_block *last; /* ranges are checked granule by granule */
	if (last != NULL && last < blocks + block_count && address - last->address < last->size && !last->freed)
		return;
	const struct explore_block *block = last = explore_heap_find(address);
	if (block == NULL || address >= ((block->address + block->size + 7) & ~7ul))
		explore_fail(EXPLORE_CRASH, "access by T%u at " EXPLORE_CODE " outside of any block: " EXPLORE_DATA,
		             explore_self(), pc, address);
	if (block->freed)
		explore_fail(EXPLORE_USE_AFTER_FREE,
		             "access by T%u at " EXPLORE_CODE " to freed memory: " EXPLORE_DATA
		             "\n  freed by T%u at " EXPLORE_CODE,
		             explore_self(), pc, address, block->freed_thread, block->freed_pc);
}

void *explore_alloc(size_t size, size_t align, bool zero, uintptr_t pc)
{
	explore_region_open();
	if (blocks == NULL)
		blocks = explore_reserve(BLOCKS_MAX * sizeof(*blocks), "the table of blocks");
	if (align < alignof(max_align_t))
		align = alignof(max_align_t);
	uintptr_t address = (top + GAP + align - 1) & ~(align - 1);
	if ((align & (align - 1)) != 0 || block_count == BLOCKS_MAX || address < top ||
	    address > HEAP_BASE + HEAP_SIZE || size > HEAP_BASE + HEAP_SIZE - address)
		return NULL;
	if (zero)
		memset((void *)address, 0, size);
	else
		memset((void *)address, EXPLORE_FRESH, size < FRESH_LIMIT ? size : FRESH_LIMIT);
	top = (address + size + 7) & ~7ul;
	blocks[block_count++] = (struct explore_block){
		.address = address, .size = size, .pc = pc, .thread = explore_active() ? (uint8_t)explore_self() : 0};
	return (void *)address;
}

static struct explore_block *block_at(const void *address)
{
	struct explore_block *block = (struct explore_block *)explore_heap_find((uintptr_t)address);
	return block != NULL && block->address == (uintptr_t)address ? block : NULL;
}

void explore_free(void *address, uintptr_t pc)
{
	if (address == NULL)
		return;
	struct explore_block *block = block_at(address);
	if (!explore_active()) {
		if (block != NULL)
			block->freed = true;
		return;
	}
	if (block == NULL)
		explore_fail(EXPLORE_DOUBLE_FREE,
		             "free by T%u at " EXPLORE_CODE " of what malloc did not return: " EXPLORE_DATA,
		             explore_self(), pc, (uintptr_t)address);
	if (block->freed)
		explore_fail(EXPLORE_DOUBLE_FREE,
		             "second free by T%u at " EXPLORE_CODE " of " EXPLORE_DATA
		             "\n  freed by T%u at " EXPLORE_CODE,
		             explore_self(), pc, (uintptr_t)address, block->freed_thread, block->freed_pc);
	explore_access_free(block->address, block->size, pc);
	block->freed = true;
	block->freed_pc = pc;
	block->freed_thread = (uint8_t)explore_self();
	explore_objects_forget(block->address, block->size);
	memset(address, FREED, block->size < FRESH_LIMIT ? block->size : FRESH_LIMIT);
}

size_t explore_block_size(const void *address)
{
	struct explore_block *block = block_at(address);
	return block == NULL || block->freed ? 0 : block->size;
}

/* Leaks: a conservative search from the globals and the thread-local variables of the main
 * thread. What they lead to is not lost; programs are allowed to end with it. */

static bool *reached;
static size_t *queue, queued;

static void visit(uintptr_t word)
{
	struct explore_block *block =
		explore_heap_contains(word) ? (struct explore_block *)explore_heap_find(word) : NULL;
	if (block == NULL || block->freed || word > block->address + block->size || reached[block - blocks])
		return;
	reached[block - blocks] = true;
	queue[queued++] = (size_t)(block - blocks);
}

static void visit_words(uintptr_t from, size_t size)
{
	for (uintptr_t at = (from + 7) & ~7ul; at + 8 <= from + size; at += 8)
		visit(*(const uintptr_t *)at);
}

void explore_heap_leaks(void)
{
	size_t live = 0, lost = 0, bytes = 0;
	for (size_t i = initial_count; i < block_count; i++)
		live += !blocks[i].freed;
	if (live == 0)
		return;
	reached = explore_scratch(block_count * sizeof(*reached));
	queue = explore_scratch(block_count * sizeof(*queue));
	queued = 0;
	explore_state_scan(visit_words);
	for (size_t i = 0; i < initial_count; i++)
		visit(blocks[i].address);
	for (size_t at = 0; at < queued; at++)
		visit_words(blocks[queue[at]].address, blocks[queue[at]].size);
	const struct explore_block *first = NULL;
	for (size_t i = initial_count; i < block_count; i++) {
		if (blocks[i].freed || reached[i])
			continue;
		first = first == NULL ? &blocks[i] : first;
		lost++;
		bytes += blocks[i].size;
	}
	if (first != NULL)
		explore_fail(
			EXPLORE_LEAK,
			"%zu byte%s in %zu block%s are lost; the first: %zu bytes allocated by T%u at " EXPLORE_CODE,
			bytes, bytes == 1 ? "" : "s", lost, lost == 1 ? "" : "s", first->size, first->thread,
			first->pc);
}
