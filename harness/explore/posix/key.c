/* SPDX-License-Identifier: MIT
 *
 * key.c - thread-specific data: pthread keys.
 *
 * The values stand in thread-local storage, which each execution begins with anew, and which the
 * search for leaks looks through. A key's number is used once in an execution. Making and deleting
 * keys are steps, using them is not: a thread's values are its own.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <limits.h>

#define KEYS 64

struct key {
	bool used;
	void (*destructor)(void *);
};

static struct key keys[KEYS];
static unsigned next, next_at_start; /* those made before the first execution stay */
static _Thread_local void *values[KEYS];
static const char table; /* what the steps are about: the table of keys */

void sync_key_reset(void)
{
	next = next_at_start;
	for (unsigned i = 0; i < next; i++)
		keys[i].used = true;
}

static void reach(const char *name, uintptr_t pc)
{
	struct explore_op op = {.name = name, .object = &table, .size = 1, .deadline = EXPLORE_NEVER, .pc = pc};
	if (explore_active())
		explore_reach(&op);
}

int explored_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	reach("pthread_key_create", EXPLORE_PC);
	if (next == KEYS)
		explore_fail(EXPLORE_UNSUPPORTED, "pthread_key_create: more than %d keys in one execution", KEYS);
	keys[next] = (struct key){.used = true, .destructor = destructor};
	explore_write(key, sizeof(*key), EXPLORE_PC);
	*key = next++;
	if (!explore_active())
		next_at_start = next;
	return 0;
}

static void check(pthread_key_t key, const char *function)
{
	if (key >= next || !keys[key].used)
		explore_fail(EXPLORE_ASSERT, "%s by T%u: there is no key %u", function, explore_self(), key);
}

int explored_pthread_key_delete(pthread_key_t key)
{
	sync_inside("pthread_key_delete");
	reach("pthread_key_delete", EXPLORE_PC);
	check(key, "pthread_key_delete");
	keys[key].used = false;
	return 0;
}

int explored_pthread_setspecific(pthread_key_t key, const void *value)
{
	sync_inside("pthread_setspecific");
	check(key, "pthread_setspecific");
	values[key] = (void *)(uintptr_t)value;
	return 0;
}

void *explored_pthread_getspecific(pthread_key_t key)
{
	sync_inside("pthread_getspecific");
	check(key, "pthread_getspecific");
	return values[key];
}

static bool destroy_all(void)
{
	bool any = false;
	for (unsigned i = 0; i < next; i++) {
		void *value = values[i];
		if (value == NULL || !keys[i].used || keys[i].destructor == NULL)
			continue;
		values[i] = NULL;
		any = true;
		keys[i].destructor(value);
	}
	return any;
}

void sync_key_destructors(void)
{
	for (unsigned round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && destroy_all(); round++)
		;
}
