/* SPDX-License-Identifier: MIT
 *
 * memory.c - the calls that the linker's --wrap sends here. `__real_malloc` is what `malloc` was.
 */
#include "fuzz/common/memory.h"

#include <errno.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
int __real_posix_memalign(void **out, size_t align, size_t size);
void __real_free(void *block);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
int __wrap_posix_memalign(void **out, size_t align, size_t size);
void __wrap_free(void *block);

static struct {
	long blocks;
	size_t countdown; /* allocations until the one that fails, and that one; 0: none will */
	bool failed;
} memory;

void memory_fail(size_t k)
{
	memory.countdown = k;
	memory.failed = false;
}

bool memory_calm(void)
{
	memory.countdown = 0;
	return memory.failed;
}

long memory_blocks(void)
{
	return memory.blocks;
}

/* Whether this allocation is the one to fail. */
static bool fails(void)
{
	if (memory.countdown == 0 || --memory.countdown > 0)
		return false;
	memory.failed = true;
	errno = ENOMEM;
	return true;
}

static void *counted(void *block)
{
	memory.blocks += block != NULL;
	return block;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : counted(__real_aligned_alloc(align, size));
}

int __wrap_posix_memalign(void **out, size_t align, size_t size)
{
	if (fails())
		return ENOMEM;
	int error = __real_posix_memalign(out, align, size);
	memory.blocks += error == 0;
	return error;
}

void *__wrap_realloc(void *block, size_t size)
{
	if (fails())
		return NULL;
	void *now = __real_realloc(block, size);
	if (block == NULL)
		return counted(now);
	memory.blocks -= now == NULL && size == 0;
	return now;
}

void __wrap_free(void *block)
{
	memory.blocks -= block != NULL;
	__real_free(block);
}
