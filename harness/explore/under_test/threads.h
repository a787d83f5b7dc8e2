/* SPDX-License-Identifier: MIT
 *
 * threads.h - for the programs that the runtime's own tests explore: threads, and the least of
 * mutexes, condition variables and futexes, made of nothing but runtime.h (testing.c). So these
 * tests need no stand-in for libc.
 */
#ifndef CHANBENCH_EXPLORE_UNDER_TEST_THREADS_H
#define CHANBENCH_EXPLORE_UNDER_TEST_THREADS_H

#include <stdint.h>

void start(void (*body)(void));
void join_all(void); /* what the threads did happens-before what follows */

struct lock {
	int word;
};
struct condition {
	int word;
};
void lock(struct lock *lock);
void unlock(struct lock *lock);
void condition_wait(struct condition *condition, struct lock *lock);
void condition_signal(struct condition *condition);

void futex_wait(const volatile uint32_t *word, uint32_t expected);
void futex_wake_all(const volatile uint32_t *word);

void yield(void);
void sleep_for(uint64_t ns);

void *take(uint64_t size);
void give_back(void *block);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			check_failed(#condition, __LINE__);                                                            \
	} while (0)
_Noreturn void check_failed(const char *condition, int line);

#endif
