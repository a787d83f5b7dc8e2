/* SPDX-License-Identifier: MIT
 *
 * elements.h - what the unit tests of impls/ are made of: assertions, channels of uint64_t, threads
 * that are seen to sleep, memory that runs out, and elements that are tallied.
 *
 * ASSERTIONS. MUST is for any thread: it aborts the program, which fails the test. cmocka's
 * assert_* are for the thread of the test alone.
 *
 * IMPLEMENTATIONS. testing_run runs tests over every implementation of the registry; `impl` is the
 * one at work. A test of what an implementation does not offer is shown as skipped.
 *
 * MEMORY THAT RUNS OUT. Calls of calloc and posix_memalign are redirected at the link
 * (CMakeLists.txt), in the library as well as in the test: set `allocations_left` to how many shall
 * still succeed.
 *
 * THE TALLY. An `item` owns a piece of heap. destroy frees it, and clone makes another. So a value
 * that is destroyed twice, or never, shows in the tally and to AddressSanitizer. A clone that meets
 * another clone of the same value fails the test (B-33).
 */
#ifndef CHANBENCH_TESTING_ELEMENTS_H
#define CHANBENCH_TESTING_ELEMENTS_H

#include "impls/channels.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MUST(condition) ((condition) ? (void)0 : must_fail(__FILE__, __LINE__, #condition))

_Noreturn void must_fail(const char *file, int line, const char *condition);

/* The implementation at work; NULL where a test knows its own. */
extern const struct chan_impl *impl;

/* Runs the tests on every implementation whose mpsc channels can be waited for; returns the exit
 * status. */
int testing_run(const struct CMUnitTest *tests, size_t count);

/* --- one mpsc channel of uint64_t, of `impl` --- */

struct pair {
	struct chan_sender *tx;
	struct chan_receiver *rx;
};

struct pair pair_open(size_t capacity);
void pair_close(struct pair *p);
enum chan_status put(struct pair *p, uint64_t v);

/* What is received, or UINT64_MAX for none. */
uint64_t take(struct pair *p);

/* --- threads --- */

/* A thread whose kernel id is known. */
struct sleeper {
	pthread_t thread;
	_Atomic pid_t tid;
	atomic_bool returned;
	void (*body)(void *arg);
	void *arg;
};

void sleeper_start(struct sleeper *s, void (*body)(void *), void *arg);

/* The thread's count of context switches if it is asleep, -1 if it is not. */
long sleeper_look(struct sleeper *s);

/* Waits until the thread is seen asleep, without a context switch between five looks (true), or
 * until its body has returned (false). sleeper_await is for a thread that must sleep. */
bool sleeper_sleeps(struct sleeper *s);
void sleeper_await(struct sleeper *s);
void sleeper_join(struct sleeper *s);

/* The `n`th CPU that this process may use, or -1. */
int nth_cpu(int n);

/* Lets the calling thread run on this CPU only. */
void pin_to_cpu(int cpu);

/* --- memory that runs out --- */

#define PLENTY LONG_MAX

extern atomic_long allocations_left;

/* --- the tally --- */

struct item {
	uint64_t id;
	struct token *token;
};

/* Elements may be larger than an item: it stands at the beginning. */
union large_item {
	struct item item;
	char bytes[512];
};

extern atomic_bool clone_fails;
extern void (*clone_probe)(void); /* called in each clone */
extern void (*destroy_probe)(const struct item *);

struct item item_make(uint64_t id);
void item_end(struct item *item);

/* The callbacks of a config whose elements are items. */
int tally_clone(void *dst, const void *src, void *context);
void tally_destroy(void *msg, void *context);

/* How many items were made and have not ended. */
long tally_alive(void);

/* Setup and teardown of a test with items: what was made has ended. */
int tally_reset(void **state);
int tally_check(void **state);

#define TALLIED(test) cmocka_unit_test_setup_teardown(test, tally_reset, tally_check)

/* --- a waiter that counts how often it was woken --- */

struct test_waiter {
	struct chan_waiter waiter;
	atomic_int fired;
};

struct test_waiter test_waiter(void);

#endif
