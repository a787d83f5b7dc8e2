/* SPDX-License-Identifier: MIT */
#include "harness/check/fault_memory.h"

#include "harness/check/fault_redirect.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#if FAULT_REDIRECT_KNOWN
const char fault_memory_why[] = "allocations cannot be intercepted in this build (sanitizer, or a static C library)";
#else
const char fault_memory_why[] = "allocations cannot be intercepted on this machine: its relocations are not known";
#endif

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_reallocarray)(void *, size_t, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static void *(*real_memalign)(size_t, size_t);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static int (*real_munmap)(void *, size_t);
static void (*real_free)(void *);

/* ------------------------------------------------------------------------------------------
 * What is alive: a hash table of addresses with open addressing. A place that was used is never
 * empty again, so that searches stay right.
 */
#define PLACES  ((size_t)1 << 16)
#define REMOVED ((uintptr_t)1)

static pthread_mutex_t live_mutex = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t live[PLACES];
static size_t live_count;

static size_t place_of(uintptr_t address)
{
	return (size_t)((address >> 4) * 0x9e3779b97f4a7c15u >> 48) % PLACES;
}

static void *born(void *block)
{
	uintptr_t address = (uintptr_t)block;
	if (block == NULL)
		return NULL;
	pthread_mutex_lock(&live_mutex);
	for (size_t i = 0, at = place_of(address); i < PLACES; i++, at = (at + 1) % PLACES)
		if (live[at] <= REMOVED) {
			live[at] = address;
			live_count++;
			break;
		}
	pthread_mutex_unlock(&live_mutex);
	return block;
}

/* Forgets a block and returns whether it was known. The caller really frees it afterwards, and not
 * before: a free address may become another thread's block at once. */
static bool died(void *block)
{
	uintptr_t address = (uintptr_t)block;
	bool known = false;
	if (block == NULL)
		return false;
	pthread_mutex_lock(&live_mutex);
	for (size_t i = 0, at = place_of(address); i < PLACES && live[at] != 0; i++, at = (at + 1) % PLACES)
		if (live[at] == address) {
			live[at] = REMOVED;
			live_count--;
			known = true;
			break;
		}
	pthread_mutex_unlock(&live_mutex);
	return known;
}

size_t fault_memory_live(void)
{
	pthread_mutex_lock(&live_mutex);
	size_t count = live_count;
	pthread_mutex_unlock(&live_mutex);
	return count;
}

/* ------------------------------------------------------------------------------------------
 * What is called instead
 */
/* It is volatile since compilers assume that malloc changes nothing of ours. */
static _Thread_local volatile struct {
	bool armed, later_too, hit;
	size_t k, tried;
} plan;

static bool fails(void)
{
	if (!plan.armed)
		return false;
	plan.tried++;
	if (plan.k == 0 || plan.tried < plan.k || (plan.tried > plan.k && !plan.later_too))
		return false;
	plan.hit = true;
	errno = ENOMEM;
	return true;
}

static void *our_malloc(size_t size)
{
	return fails() ? NULL : born(real_malloc(size));
}

static void *our_calloc(size_t count, size_t size)
{
	return fails() ? NULL : born(real_calloc(count, size));
}

/* `resized` is what the block has become. NULL: it is still there, or, with size 0, it is gone. */
static void *moved(void *block, void *resized, bool known, size_t size)
{
	if (resized != NULL)
		return born(resized);
	if (known && size != 0)
		born(block);
	return NULL;
}

static void *our_realloc(void *block, size_t size)
{
	if (fails())
		return NULL;
	bool known = died(block);
	return moved(block, real_realloc(block, size), known, size);
}

static void *our_reallocarray(void *block, size_t count, size_t size)
{
	if (fails())
		return NULL;
	bool known = died(block);
	return moved(block, real_reallocarray(block, count, size), known, count * size);
}

static int our_posix_memalign(void **block, size_t align, size_t size)
{
	if (fails())
		return ENOMEM;
	int error = real_posix_memalign(block, align, size);
	if (error == 0)
		born(*block);
	return error;
}

static void *our_aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : born(real_aligned_alloc(align, size));
}

static void *our_memalign(size_t align, size_t size)
{
	return fails() ? NULL : born(real_memalign(align, size));
}

static void *our_mmap(void *where, size_t size, int protection, int flags, int fd, off_t offset)
{
	if ((flags & MAP_ANONYMOUS) == 0)
		return real_mmap(where, size, protection, flags, fd, offset);
	if (fails())
		return MAP_FAILED;
	void *block = real_mmap(where, size, protection, flags, fd, offset);
	if (block != MAP_FAILED)
		born(block);
	return block;
}

static int our_munmap(void *block, size_t size)
{
	died(block);
	return real_munmap(block, size);
}

static void our_free(void *block)
{
	died(block);
	real_free(block);
}

/* ------------------------------------------------------------------------------------------ */

void fault_memory_arm(size_t k, bool later_too)
{
	plan.k = k;
	plan.later_too = later_too;
	plan.tried = 0;
	plan.hit = false;
	plan.armed = true;
}

bool fault_memory_disarm(size_t *tried)
{
	plan.armed = false;
	if (tried != NULL)
		*tried = plan.tried;
	return plan.hit;
}

#define REDIRECT(name)                                                                                                 \
	{                                                                                                              \
#name, (void *)(uintptr_t)our_##name, (void **)&real_##name                                            \
	}

static bool redirect_all(void)
{
	static const struct fault_redirect list[] = {
		REDIRECT(malloc),         REDIRECT(calloc),        REDIRECT(realloc),  REDIRECT(reallocarray),
		REDIRECT(posix_memalign), REDIRECT(aligned_alloc), REDIRECT(memalign), REDIRECT(mmap),
		REDIRECT(munmap),         REDIRECT(free),
	};
	size_t tried;
	if (!fault_redirect(list, sizeof(list) / sizeof(list[0])))
		return false;
	/* A call of our own, which the compiler must not do away with, shows whether it took. */
	fault_memory_arm(0, false);
	void *volatile block = malloc(16);
	free(block);
	fault_memory_disarm(&tried);
	return tried == 1;
}

bool fault_memory_ready(void)
{
	static bool done, ready;
	if (!done)
		ready = redirect_all();
	done = true;
	return ready;
}
