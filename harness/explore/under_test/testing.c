/* SPDX-License-Identifier: MIT
 *
 * testing.c - threads, mutexes, condition variables and futexes for the programs in under_test/,
 * and for the tests of the runtime. Also an example of how little a stand-in for libc has to do.
 */
#include "harness/explore/under_test/testing.h"
#include "harness/explore/runtime/runtime.h"
#include "harness/explore/under_test/threads.h"
#include <stdio.h>
#include <stdlib.h>

enum object_type { OBJECT_LOCK, OBJECT_CONDITION, OBJECT_FUTEX, OBJECT_THREADS };

struct lock_state {
	bool held;
	struct explore_clock clock;
};

struct waiters {
	unsigned waiting, woken; /* masks of threads */
	struct explore_clock clock;
};

static void *enter(void *body)
{
	((void (*)(void))(uintptr_t)body)();
	return NULL;
}

static unsigned *started(void)
{
	static char where;
	return explore_object(&where, OBJECT_THREADS, sizeof(unsigned));
}

void start(void (*body)(void))
{
	unsigned id = explore_thread_create(enter, (void *)(uintptr_t)body, EXPLORE_PC);
	*started() |= 1u << id;
}

static bool has_ended(const struct explore_op *op)
{
	return explore_thread_ended((unsigned)op->argument);
}

void join_all(void)
{
	for (unsigned mask = *started(); mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		struct explore_op op = {.name = "join",
		                        .enabled = has_ended,
		                        .argument = id,
		                        .deadline = EXPLORE_NEVER,
		                        .pc = EXPLORE_PC};
		explore_reach(&op);
		explore_thread_acquire(id);
	}
	*started() = 0;
}

static bool is_free(const struct explore_op *op)
{
	return !((struct lock_state *)op->state)->held;
}

static void acquire_lock(struct lock *object, uintptr_t pc)
{
	struct lock_state *state = explore_object(object, OBJECT_LOCK, sizeof(*state));
	struct explore_op op = {.name = "lock",
	                        .object = object,
	                        .size = sizeof(*object),
	                        .enabled = is_free,
	                        .state = state,
	                        .deadline = EXPLORE_NEVER,
	                        .pc = pc};
	explore_reach(&op);
	state->held = true;
	explore_acquire(&state->clock);
}

static void release_lock(struct lock *object)
{
	struct lock_state *state = explore_object(object, OBJECT_LOCK, sizeof(*state));
	state->held = false;
	explore_release_store(&state->clock);
}

void lock(struct lock *object)
{
	acquire_lock(object, EXPLORE_PC);
}

void unlock(struct lock *object)
{
	struct explore_op op = {.name = "unlock",
	                        .object = object,
	                        .size = sizeof(*object),
	                        .deadline = EXPLORE_NEVER,
	                        .pc = EXPLORE_PC};
	explore_reach(&op);
	release_lock(object);
}

static bool is_woken(const struct explore_op *op)
{
	return ((struct waiters *)op->state)->woken >> op->argument & 1;
}

/* Joins the waiters and blocks until somebody has woken this thread. */
static void wait_among(struct waiters *waiters, const char *name, const volatile void *object, uintptr_t pc)
{
	unsigned self = explore_self();
	waiters->waiting |= 1u << self;
	struct explore_op op = {.name = name,
	                        .object = object,
	                        .size = 4,
	                        .enabled = is_woken,
	                        .state = waiters,
	                        .argument = self,
	                        .deadline = EXPLORE_NEVER,
	                        .pc = pc};
	explore_reach(&op);
	waiters->woken &= ~(1u << self);
}

void condition_wait(struct condition *condition, struct lock *object)
{
	struct waiters *waiters = explore_object(condition, OBJECT_CONDITION, sizeof(*waiters));
	struct explore_op op = {
		.name = "wait: unlock", .flags = EXPLORE_ANY, .deadline = EXPLORE_NEVER, .pc = EXPLORE_PC};
	explore_reach(&op);
	release_lock(object);
	wait_among(waiters, "wait", condition, EXPLORE_PC);
	acquire_lock(object, EXPLORE_PC);
}

void condition_signal(struct condition *condition)
{
	struct waiters *waiters = explore_object(condition, OBJECT_CONDITION, sizeof(*waiters));
	struct explore_op op = {
		.name = "signal", .object = condition, .size = 4, .deadline = EXPLORE_NEVER, .pc = EXPLORE_PC};
	explore_reach(&op);
	unsigned first = waiters->waiting & -waiters->waiting;
	waiters->waiting &= ~first;
	waiters->woken |= first;
}

void futex_wait(const volatile uint32_t *word, uint32_t expected)
{
	struct waiters *waiters = explore_object(word, OBJECT_FUTEX, sizeof(*waiters));
	struct explore_op op = {
		.name = "futex compare", .object = word, .size = 4, .deadline = EXPLORE_NEVER, .pc = EXPLORE_PC};
	explore_reach(&op);
	if (explore_read_atomic32(word, EXPLORE_PC) == expected)
		wait_among(waiters, "futex wait", word, EXPLORE_PC);
}

void futex_wake_all(const volatile uint32_t *word)
{
	struct waiters *waiters = explore_object(word, OBJECT_FUTEX, sizeof(*waiters));
	struct explore_op op = {
		.name = "futex wake", .object = word, .size = 4, .deadline = EXPLORE_NEVER, .pc = EXPLORE_PC};
	explore_reach(&op);
	waiters->woken |= waiters->waiting;
	waiters->waiting = 0;
}

void yield(void)
{
	struct explore_op op = {.name = "yield", .flags = EXPLORE_YIELD, .deadline = EXPLORE_NEVER, .pc = EXPLORE_PC};
	explore_reach(&op);
}

static bool never(const struct explore_op *op)
{
	(void)op;
	return false;
}

void sleep_for(uint64_t ns)
{
	struct explore_op op = {.name = "sleep",
	                        .flags = EXPLORE_TIME,
	                        .enabled = never,
	                        .deadline = explore_clock_now() + ns,
	                        .pc = EXPLORE_PC};
	explore_reach(&op);
}

void *take(uint64_t size)
{
	return explore_alloc(size, 0, false, EXPLORE_PC);
}

void give_back(void *block)
{
	explore_free(block, EXPLORE_PC);
}

void check_failed(const char *condition, int line)
{
	explore_fail(EXPLORE_ASSERT, "'%s' is false in T%u, line %d", condition, explore_self(), line);
}

void testing_run(int (*program)(void *), void *arg, const struct explore_options *options,
                 struct explore_result *result)
{
	if (explore_run(program, arg, options, result) != 0) {
		fprintf(stderr, "%s\n", result->message);
		abort();
	}
}
