/* SPDX-License-Identifier: MIT
 *
 * items_testing.h - what the unit tests of oneshot, broadcast and watch share. Included once, by a
 * test program.
 *
 * MEMORY THAT RUNS OUT. The sources under test are compiled into the test program, with allocations
 * that fail on demand: set `allocations_left` to how many shall still succeed.
 *
 * THE LEDGER. An `item` owns a piece of heap. destroy frees it, clone makes another; so a value
 * that is destroyed twice, or never, shows in the ledger and to AddressSanitizer. A clone that
 * meets another clone of the same value fails the test (B-33).
 */
#ifndef CHANBENCH_BASE_ITEMS_TESTING_H
#define CHANBENCH_BASE_ITEMS_TESTING_H

#include "impls/testing/sleepers.h"

#include <errno.h>
#include <limits.h>

#define PLENTY LONG_MAX

static atomic_long allocations_left = PLENTY;

static bool allocation_fails(void)
{
	if (atomic_load(&allocations_left) == PLENTY)
		return false;
	return atomic_fetch_sub(&allocations_left, 1) <= 0;
}

#define calloc(n, size)              (allocation_fails() ? NULL : calloc(n, size))
#define posix_memalign(out, a, size) (allocation_fails() ? ENOMEM : posix_memalign(out, a, size))
#include "impls/base/config.c"
#include "impls/base/core.c"

/* ------------------------------------------------------------------------------------------
 * The ledger
 */

struct token {
	uint64_t id;
	atomic_int cloning;
};

struct item {
	uint64_t id;
	struct token *token;
};

/* Elements may be larger than an item: it stands at the beginning. */
union large_item {
	struct item item;
	char bytes[512];
};

static atomic_long ledger_made, ledger_ended;
static atomic_bool clone_fails;
static void (*clone_probe)(void); /* called in each clone */
static void (*destroy_probe)(const struct item *);

static struct item item_make(uint64_t id)
{
	struct item made = {.id = id, .token = malloc(sizeof(struct token))};

	made.token->id = id;
	atomic_init(&made.token->cloning, 0);
	atomic_fetch_add(&ledger_made, 1);
	return made;
}

static void item_end(struct item *item)
{
	assert_int_equal(item->token->id, item->id);
	free(item->token);
	item->token = NULL;
	atomic_fetch_add(&ledger_ended, 1);
}

static long ledger_alive(void)
{
	return atomic_load(&ledger_made) - atomic_load(&ledger_ended);
}

static inline int ledger_clone(void *dst, const void *src, void *context)
{
	const struct item *from = src;

	(void)context;
	if (atomic_fetch_add(&from->token->cloning, 1) != 0)
		abort(); /* two at once on one value */
	if (clone_probe != NULL)
		clone_probe();
	bool failed = atomic_load(&clone_fails);
	if (!failed)
		*(struct item *)dst = item_make(from->id);
	atomic_fetch_sub(&from->token->cloning, 1);
	return failed;
}

static inline void ledger_destroy(void *msg, void *context)
{
	struct item item = *(struct item *)msg;

	(void)context;
	memset(msg, 0xEE, sizeof item);
	if (destroy_probe != NULL)
		destroy_probe(&item);
	item_end(&item);
}

static int ledger_reset(void **state)
{
	static const struct chan_impl under_test = {.name = "mutex"};

	(void)state;
	impl = &under_test; /* whom MUST names */
	atomic_store(&ledger_made, 0);
	atomic_store(&ledger_ended, 0);
	atomic_store(&clone_fails, false);
	atomic_store(&allocations_left, PLENTY);
	clone_probe = NULL;
	destroy_probe = NULL;
	return 0;
}

/* Teardown of every test: what was made has ended. */
static int ledger_check(void **state)
{
	(void)state;
	return ledger_alive() == 0 ? 0 : -1;
}

/* ------------------------------------------------------------------------------------------
 * A waiter that counts how often it fired
 */

struct counter {
	struct chan_waiter waiter;
	atomic_int fired;
};

static inline void counter_wake(struct chan_waiter *waiter)
{
	atomic_fetch_add(&((struct counter *)waiter)->fired, 1);
}

#define COUNTER                                                                                                        \
	{                                                                                                              \
		.waiter = {.wake = counter_wake }                                                                      \
	}

#endif
