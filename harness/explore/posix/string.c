/* SPDX-License-Identifier: MIT
 *
 * string.c - memcpy, strlen and the like: what they read and write, checked as the program's
 * own accesses are.
 */
#include "harness/explore/posix/sync.h"
#include <string.h>
#include <strings.h>

static void *copy(void *to, const void *from, size_t size, uintptr_t pc)
{
	explore_read(from, size, pc);
	explore_write(to, size, pc);
	return memmove(to, from, size);
}

static void *fill(void *to, int byte, size_t size, uintptr_t pc)
{
	explore_write(to, size, pc);
	return memset(to, byte, size);
}

void *explored_memcpy(void *to, const void *from, size_t size)
{
	return copy(to, from, size, EXPLORE_PC);
}

void *explored_memmove(void *to, const void *from, size_t size)
{
	return copy(to, from, size, EXPLORE_PC);
}

void *explored_mempcpy(void *to, const void *from, size_t size)
{
	return (char *)copy(to, from, size, EXPLORE_PC) + size;
}

void explored_bcopy(const void *from, void *to, size_t size)
{
	copy(to, from, size, EXPLORE_PC);
}

void *explored_memset(void *to, int byte, size_t size)
{
	return fill(to, byte, size, EXPLORE_PC);
}

void explored_bzero(void *to, size_t size)
{
	fill(to, 0, size, EXPLORE_PC);
}

/* What a comparison or a search reads ends where its result is decided. */
static size_t common(const unsigned char *a, const unsigned char *b, size_t size)
{
	size_t i = 0;
	while (i < size && a[i] == b[i])
		i++;
	return i < size ? i + 1 : size;
}

static int compare(const void *a, const void *b, size_t size, uintptr_t pc)
{
	size_t looked_at = common(a, b, size);
	explore_read(a, looked_at, pc);
	explore_read(b, looked_at, pc);
	return memcmp(a, b, size);
}

int explored_memcmp(const void *a, const void *b, size_t size)
{
	return compare(a, b, size, EXPLORE_PC);
}

int explored_bcmp(const void *a, const void *b, size_t size)
{
	return compare(a, b, size, EXPLORE_PC);
}

void *explored_memchr(const void *text, int byte, size_t size)
{
	const char *found = memchr(text, byte, size);
	explore_read(text, found == NULL ? size : (size_t)(found - (const char *)text) + 1, EXPLORE_PC);
	return (void *)(uintptr_t)found;
}

size_t explored_strlen(const char *text)
{
	size_t length = strlen(text);
	explore_read(text, length + 1, EXPLORE_PC);
	return length;
}

size_t explored_strnlen(const char *text, size_t most)
{
	size_t length = strnlen(text, most);
	explore_read(text, length < most ? length + 1 : most, EXPLORE_PC);
	return length;
}

static int compare_text(const char *a, const char *b, size_t most, uintptr_t pc)
{
	size_t i = 0;
	while (i < most && a[i] == b[i] && a[i] != '\0')
		i++;
	size_t looked_at = i < most ? i + 1 : most;
	explore_read(a, looked_at, pc);
	explore_read(b, looked_at, pc);
	return i < most ? (unsigned char)a[i] - (unsigned char)b[i] : 0;
}

int explored_strcmp(const char *a, const char *b)
{
	return compare_text(a, b, SIZE_MAX, EXPLORE_PC);
}

int explored_strncmp(const char *a, const char *b, size_t most)
{
	return compare_text(a, b, most, EXPLORE_PC);
}

char *explored_strcpy(char *to, const char *from)
{
	return copy(to, from, strlen(from) + 1, EXPLORE_PC);
}

char *explored_stpcpy(char *to, const char *from)
{
	size_t length = strlen(from);
	return (char *)copy(to, from, length + 1, EXPLORE_PC) + length;
}

char *explored_strncpy(char *to, const char *from, size_t size)
{
	size_t length = strnlen(from, size);
	copy(to, from, length, EXPLORE_PC);
	fill(to + length, 0, size - length, EXPLORE_PC);
	return to;
}

char *explored_strcat(char *to, const char *from)
{
	size_t length = strlen(to);
	explore_read(to, length + 1, EXPLORE_PC);
	copy(to + length, from, strlen(from) + 1, EXPLORE_PC);
	return to;
}

char *explored_strncat(char *to, const char *from, size_t most)
{
	size_t length = strlen(to), adds = strnlen(from, most);
	explore_read(to, length + 1, EXPLORE_PC);
	copy(to + length, from, adds, EXPLORE_PC);
	fill(to + length + adds, 0, 1, EXPLORE_PC);
	return to;
}

char *explored_strchr(const char *text, int c)
{
	const char *found = strchr(text, c);
	explore_read(text, found == NULL ? strlen(text) + 1 : (size_t)(found - text) + 1, EXPLORE_PC);
	return (char *)(uintptr_t)found;
}

char *explored_strrchr(const char *text, int c)
{
	explore_read(text, strlen(text) + 1, EXPLORE_PC);
	return (char *)(uintptr_t)strrchr(text, c);
}

char *explored_strstr(const char *text, const char *part)
{
	explore_read(text, strlen(text) + 1, EXPLORE_PC);
	explore_read(part, strlen(part) + 1, EXPLORE_PC);
	return (char *)(uintptr_t)strstr(text, part);
}
