/* SPDX-License-Identifier: MIT
 *
 * memory.c - malloc and its family, on the runtime's heap. Allocating is no step: nobody else
 * can tell.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *allocate(size_t size, size_t align, bool zero, uintptr_t pc)
{
	void *block = explore_alloc(size, align, zero, pc);
	if (block == NULL)
		errno = ENOMEM;
	return block;
}

void *explored_malloc(size_t size)
{
	return allocate(size, 1, false, EXPLORE_PC);
}

void *explored_calloc(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return allocate(bytes, 1, true, EXPLORE_PC);
}

/* Always moves: the use of an old address is found out. */
static void *reallocate(void *old, size_t size, uintptr_t pc)
{
	if (old != NULL && size == 0) {
		explore_free(old, pc);
		return NULL;
	}
	void *block = allocate(size, 1, false, pc);
	if (block == NULL || old == NULL)
		return block;
	size_t keep = explore_block_size(old);
	keep = keep < size ? keep : size;
	explore_read(old, keep, pc);
	explore_write(block, keep, pc);
	memcpy(block, old, keep);
	explore_free(old, pc);
	return block;
}

void *explored_realloc(void *old, size_t size)
{
	return reallocate(old, size, EXPLORE_PC);
}

void *explored_reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return reallocate(old, bytes, EXPLORE_PC);
}

void *explored_aligned_alloc(size_t align, size_t size)
{
	if (align == 0 || (align & (align - 1)) != 0) {
		errno = EINVAL;
		return NULL;
	}
	return allocate(size, align, false, EXPLORE_PC);
}

void *explored_memalign(size_t align, size_t size)
{
	return explored_aligned_alloc(align, size);
}

int explored_posix_memalign(void **block, size_t align, size_t size)
{
	if (align < sizeof(void *) || (align & (align - 1)) != 0)
		return EINVAL;
	void *got = explore_alloc(size, align, false, EXPLORE_PC);
	if (got == NULL)
		return ENOMEM;
	explore_write(block, sizeof(*block), EXPLORE_PC);
	*block = got;
	return 0;
}

void explored_free(void *block)
{
	explore_free(block, EXPLORE_PC);
}

size_t explored_malloc_usable_size(void *block)
{
	return explore_block_size(block);
}

static char *duplicate(const char *text, size_t length, uintptr_t pc)
{
	char *copy = allocate(length + 1, 1, false, pc);
	if (copy == NULL)
		return NULL;
	explore_write(copy, length + 1, pc);
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *explored_strdup(const char *text)
{
	size_t length = strlen(text);
	explore_read(text, length + 1, EXPLORE_PC);
	return duplicate(text, length, EXPLORE_PC);
}

char *explored_strndup(const char *text, size_t most)
{
	size_t length = strnlen(text, most);
	explore_read(text, length < most ? length + 1 : most, EXPLORE_PC);
	return duplicate(text, length, EXPLORE_PC);
}

static int print(char **text, const char *format, va_list arguments, uintptr_t pc)
{
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		return -1;
	explore_write(text, sizeof(*text), pc);
	*text = allocate((size_t)length + 1, 1, false, pc);
	if (*text == NULL)
		return -1;
	explore_write(*text, (size_t)length + 1, pc);
	return vsnprintf(*text, (size_t)length + 1, format, arguments);
}

int explored_vasprintf(char **text, const char *format, va_list arguments)
{
	return print(text, format, arguments, EXPLORE_PC);
}

int explored_asprintf(char **text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = print(text, format, arguments, EXPLORE_PC);
	va_end(arguments);
	return length;
}
