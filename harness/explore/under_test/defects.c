/* SPDX-License-Identifier: MIT
 *
 * defects.c - see defects.h.
 */
#include "harness/explore/under_test/defects.h"
#include "harness/explore/under_test/threads.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static bool broken;
static int plain, plain_copy;
static atomic_int flag, other, turns;

#define rlx memory_order_relaxed
#define acq memory_order_acquire
#define rel memory_order_release
#define sc  memory_order_seq_cst

static int run(void *how, void (*first)(void), void (*second)(void))
{
	broken = how != NULL;
	start(first);
	start(second);
	join_all();
	return 0;
}

/* A message is published with a relaxed store. */
static void publish(void)
{
	plain = 42;
	atomic_store_explicit(&flag, 1, broken ? rlx : rel);
}
static void look(void)
{
	while (atomic_load_explicit(&flag, acq) == 0)
		yield();
	CHECK(plain == 42);
}
int relaxed_publish(void *how)
{
	return run(how, publish, look);
}

/* A futex wait whose expected value is read again after the check: a wakeup between the two is
 * lost. */
static _Atomic uint32_t word;
static void wait_for_word(void)
{
	for (;;) {
		uint32_t seen = atomic_load_explicit(&word, acq);
		if (seen != 0)
			return;
		futex_wait((const volatile uint32_t *)&word, broken ? atomic_load_explicit(&word, acq) : seen);
	}
}
static void set_word(void)
{
	atomic_store_explicit(&word, 1, rel);
	futex_wake_all((const volatile uint32_t *)&word);
}
int check_then_wait(void *how)
{
	return run(how, wait_for_word, set_word);
}

/* Two consumers, and `if` where `while` belongs: the one that was woken finds nothing. */
static struct lock mutex;
static struct condition nonempty;
static int items;
static void consume(void)
{
	lock(&mutex);
	if (broken) {
		if (items == 0)
			condition_wait(&nonempty, &mutex);
	} else {
		while (items == 0)
			condition_wait(&nonempty, &mutex);
	}
	CHECK(items > 0);
	items--;
	unlock(&mutex);
}
static void produce(void)
{
	for (int i = 0; i < 2; i++) {
		lock(&mutex);
		items++;
		unlock(&mutex);
		condition_signal(&nonempty);
	}
}
int if_around_wait(void *how)
{
	broken = how != NULL;
	start(consume);
	start(consume);
	start(produce);
	join_all();
	return 0;
}

/* A Chase-Lev deque: take() needs a seq_cst fence between its store of bottom and its load of
 * top, else both it and a thief get the last element. */
static atomic_long top, bottom;
static atomic_int slots[4], taken[4];
static void push(int value)
{
	long b = atomic_load_explicit(&bottom, rlx);
	atomic_store_explicit(&slots[b % 4], value, rlx);
	atomic_thread_fence(rel);
	atomic_store_explicit(&bottom, b + 1, rlx);
}
static int take_last(void)
{
	long b = atomic_load_explicit(&bottom, rlx) - 1;
	atomic_store_explicit(&bottom, b, rlx);
	if (broken)
		atomic_thread_fence(memory_order_acq_rel);
	else
		atomic_thread_fence(sc);
	long t = atomic_load_explicit(&top, rlx);
	if (t > b) {
		atomic_store_explicit(&bottom, b + 1, rlx);
		return -1;
	}
	int value = atomic_load_explicit(&slots[b % 4], rlx);
	if (t == b) {
		if (!atomic_compare_exchange_strong_explicit(&top, &t, t + 1, sc, rlx))
			value = -1;
		atomic_store_explicit(&bottom, b + 1, rlx);
	}
	return value;
}
static int steal(void)
{
	long t = atomic_load_explicit(&top, acq);
	atomic_thread_fence(sc);
	long b = atomic_load_explicit(&bottom, acq);
	if (t >= b)
		return -1;
	int value = atomic_load_explicit(&slots[t % 4], rlx);
	return atomic_compare_exchange_strong_explicit(&top, &t, t + 1, sc, rlx) ? value : -1;
}
static void got(int value)
{
	if (value >= 0)
		CHECK(atomic_fetch_add_explicit(&taken[value], 1, rlx) == 0);
}
static void owner(void)
{
	got(take_last());
	got(take_last());
}
static void thief(void)
{
	got(steal());
	got(steal());
}
int chase_lev_fence(void *how)
{
	push(0);
	push(1);
	return run(how, thief, owner);
}

/* Wrong only when the second thread does nothing until the first has done nearly everything, and
 * then all of it at once. */
#define ROUNDS 6
static void climb(void)
{
	for (int i = 0; i < ROUNDS; i++)
		atomic_fetch_add_explicit(&turns, 1, sc);
	int all = atomic_load_explicit(&flag, sc);
	if (broken)
		CHECK(all != ROUNDS);
}
static void follow(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (atomic_load_explicit(&turns, sc) == ROUNDS)
			atomic_fetch_add_explicit(&flag, 1, sc);
	}
}
int rare_order(void *how)
{
	return run(how, climb, follow);
}

/* ---- memory ---- */

static _Atomic(int *) shared;
static void allocate(void)
{
	int *block = take(sizeof(int));
	*block = 7;
	atomic_store_explicit(&shared, block, rel);
}
static void drop(void)
{
	int *block = atomic_exchange_explicit(&shared, NULL, acq);
	if (broken)
		block = NULL; /* lost when it was there already */
	if (block != NULL)
		give_back(block);
}
int leaks(void *how)
{
	run(how, allocate, drop);
	give_back(atomic_load_explicit(&shared, rlx));
	return 0;
}

static void use(void)
{
	int *block = atomic_load_explicit(&shared, acq);
	if (block != NULL)
		CHECK(*block == 7);
	atomic_store_explicit(&flag, 1, rel);
}
static void free_it(void)
{
	int *block = take(sizeof(int));
	*block = 7;
	atomic_store_explicit(&shared, block, rel);
	if (!broken) {
		while (atomic_load_explicit(&flag, acq) == 0)
			yield();
	}
	give_back(block);
}
int frees_early(void *how)
{
	return run(how, use, free_it);
}

/* In order, by one thread: no race, and wrong all the same. */
int frees_then_uses(void *how)
{
	int *block = take(sizeof(int));
	*block = 7;
	if (how != NULL)
		give_back(block);
	plain_copy = *(volatile int *)block;
	if (how == NULL)
		give_back(block);
	return 0;
}

int frees_untouched(void *how)
{
	int *block = take(2 * sizeof(int));
	give_back(block);
	if (how != NULL)
		*block = 7;
	return 0;
}

int reads_beyond(void *how)
{
	char *block = take(24);
	plain_copy = ((volatile char *)block)[how != NULL ? 24 : 0];
	give_back(block);
	return 0;
}

static void free_once(void)
{
	int *block = broken ? atomic_load_explicit(&shared, acq)
	                    : atomic_exchange_explicit(&shared, NULL, memory_order_acq_rel);
	give_back(block);
}
int frees_twice(void *how)
{
	atomic_store_explicit(&shared, take(sizeof(int)), rlx);
	run(how, free_once, free_once);
	atomic_store_explicit(&shared, NULL, rlx);
	return 0;
}

/* An atomic object that is initialised by a plain write while somebody may look at it. */
static void initialise(void)
{
	atomic_int *object = take(sizeof(*object));
	*(int *)object = 5;
	atomic_store_explicit(&shared, (int *)object, broken ? rlx : rel);
}
static void look_at_it(void)
{
	atomic_int *object = (atomic_int *)atomic_load_explicit(&shared, acq);
	if (object != NULL)
		CHECK(atomic_load_explicit(object, rlx) == 5);
}
int initialises_late(void *how)
{
	run(how, initialise, look_at_it);
	give_back(atomic_load_explicit(&shared, rlx));
	return 0;
}

/* ---- no end ---- */

static void spin(void)
{
	if (broken) {
		while (*(volatile int *)&plain == 0)
			;
	} else {
		while (atomic_load_explicit(&flag, acq) == 0)
			;
	}
}
static void set_flag(void)
{
	atomic_store_explicit(&flag, 1, rel);
}
int spins_plainly(void *how)
{
	return run(how, spin, set_flag);
}

static void wait_for_other(void)
{
	while (atomic_load_explicit(&other, acq) == 0 && (broken || atomic_load_explicit(&flag, acq) == 0))
		yield();
}
int spins_for_ever(void *how)
{
	return run(how, wait_for_other, set_flag);
}

static void dereference(void)
{
	int *volatile nowhere = NULL;
	if (broken && atomic_load_explicit(&flag, acq) != 0)
		plain_copy = *(volatile int *)nowhere;
}
int crashes(void *how)
{
	return run(how, set_flag, dereference);
}

static int descend(int depth)
{
	volatile char room[4096];
	room[depth % 4096] = (char)depth;
	return (broken || depth < 10 ? descend(depth + 1) : 0) + room[depth % 4096];
}
static void deep(void)
{
	plain = descend(0);
}
int overflows_stack(void *how)
{
	return run(how, deep, set_flag);
}

/* Sleeping orders nothing. */
static void slow_reader(void)
{
	if (broken) {
		sleep_for(1000000);
	} else {
		while (atomic_load_explicit(&flag, acq) == 0)
			yield();
	}
	CHECK(plain == 42);
}
int sleeps_instead(void *how)
{
	return run(how, publish, slow_reader);
}

/* Globals, static and thread-local variables begin anew in each execution. */
static _Thread_local int own = 3;
static void count(void)
{
	static atomic_int calls;
	CHECK(own == 3);
	own = 4;
	int before = atomic_fetch_add_explicit(&calls, 1, rlx);
	CHECK(before < 2);
	if (broken)
		CHECK(before != 1);
}
int keeps_state(void *how)
{
	CHECK(plain == 0);
	plain = 1;
	return run(how, count, count);
}

int counts_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		atomic_fetch_add_explicit(&turns, 1, sc);
}
