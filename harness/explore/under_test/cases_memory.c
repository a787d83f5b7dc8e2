/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[32] = "abc";
static char *shared;

static void family(void)
{
	int *numbers = calloc(4, sizeof(*numbers));
	assert(numbers[0] == 0 && numbers[3] == 0);
	numbers[3] = 5;
	numbers = realloc(numbers, 8 * sizeof(*numbers));
	assert(numbers[3] == 5);
	free(numbers);
	void *aligned = aligned_alloc(4096, 100);
	assert((uintptr_t)aligned % 4096 == 0);
	free(aligned);
	assert(posix_memalign(&aligned, 64, 1) == 0 && (uintptr_t)aligned % 64 == 0);
	free(aligned);
	assert(posix_memalign(&aligned, 3, 1) == EINVAL);
	volatile size_t too_much = SIZE_MAX;
	assert(calloc(too_much, 2) == NULL && errno == ENOMEM);
	char *copy = strdup(text), *part = strndup("abcdef", 2), *printed;
	assert(strcmp(copy, "abc") == 0 && strcmp(part, "ab") == 0);
	assert(asprintf(&printed, "%s-%d", copy, 7) == 5 && strcmp(printed, "abc-7") == 0);
	free(copy);
	free(part);
	free(printed);
	free(NULL);
	assert(malloc(too_much / 4) == NULL);
}

static void functions(void)
{
	char a[16], b[16];
	assert(memset(a, 'x', sizeof(a)) == a && a[15] == 'x');
	assert(memcpy(b, a, sizeof(b)) == b && memcmp(a, b, sizeof(a)) == 0);
	b[7] = 'w';
	assert(memcmp(a, b, sizeof(a)) > 0 && memcmp(b, a, sizeof(a)) < 0);
	assert(memchr(b, 'w', sizeof(b)) == b + 7 && memchr(a, 'w', sizeof(a)) == NULL);
	assert(strcpy(a, "hello") == a && strlen(a) == 5 && strnlen(a, 3) == 3);
	assert(memmove(a + 1, a, 5) == a + 1 && a[5] == 'o');
	a[6] = 0;
	assert(strcmp(a, "hhello") == 0 && strcmp(a, "hhellp") < 0 && strncmp(a, "hhxxxx", 2) == 0);
	assert(strcmp("\xff", "a") > 0 && strcmp("", "") == 0);
	assert(strncpy(b, "xy", 5) == b && b[4] == 0 && strcmp(b, "xy") == 0);
	assert(strcat(b, "z") == b && strncat(b, "123", 2) == b && strcmp(b, "xyz12") == 0);
	assert(strchr(b, 'z') == b + 2 && strchr(b, 'q') == NULL && strrchr(b, '2') == b + 4 &&
	       strstr(b, "z1") == b + 2);
	assert(stpcpy(a, "12") == a + 2);
}

static void *read_text(void *arg)
{
	outcome = (unsigned)strlen(text);
	return arg;
}

static void *write_text(void *arg)
{
	memcpy(text, "xyz", 3);
	return arg;
}

static void *write_beside(void *arg)
{
	memset(text + 8, 0, 8);
	return arg;
}

static void *free_shared(void *arg)
{
	free(shared);
	return arg;
}

static void *copy_shared(void *arg)
{
	memcpy(text, shared, 4);
	return arg;
}

static void racing_copy(void)
{
	two_threads(read_text, write_text);
}

static void beside(void)
{
	two_threads(read_text, write_beside);
}

static void freed_while_copied(void)
{
	shared = calloc(1, 8);
	two_threads(copy_shared, free_shared);
}

static void freed_twice(void)
{
	shared = malloc(8);
	two_threads(free_shared, free_shared);
}

static void old_address_after_realloc(void)
{
	char *old = calloc(1, 8), *new = realloc(old, 16);
	text[0] = old[0];
	free(new);
}

static void not_from_malloc(void)
{
	free(text + *(volatile int *)&(int){0});
}

static void copy_past_the_end(void)
{
	shared = malloc(16);
	memset(shared, 0, 25);
	free(shared);
}

static void lost(void)
{
	char *block = malloc(100);
	block[0] = 1;
	outcome = (unsigned)block[0];
}

static void kept(void)
{
	shared = malloc(100);
}

const struct explore_case memory_cases[] = {
	RIGHT(family, SEEN(0)),
	RIGHT(functions, SEEN(0)),
	RIGHT(beside, SEEN(3)),
	RIGHT(kept, SEEN(0)),
	WRONG(racing_copy, EXPLORE_RACE, "text"),
	WRONG(freed_while_copied, EXPLORE_USE_AFTER_FREE, "free"),
	WRONG(freed_twice, EXPLORE_DOUBLE_FREE, "free"),
	WRONG(old_address_after_realloc, EXPLORE_USE_AFTER_FREE, "free"),
	WRONG(not_from_malloc, EXPLORE_DOUBLE_FREE, "malloc did not return"),
	WRONG(copy_past_the_end, EXPLORE_CRASH, "outside of any block"),
	WRONG(lost, EXPLORE_LEAK, "100 bytes"),
	{0},
};
