/* SPDX-License-Identifier: MIT */
#include "impls/base/fence.h"
#include "impls/testing/base.h"

#include <sys/wait.h>

#define ROUNDS 20000

/* The question of fence.h, round by round: `announced` and `published` are each stored by one
 * side and read by the other. */
struct round {
	_Alignas(64) atomic_int announced;
	_Alignas(64) atomic_int published;
};

static struct round *rounds;
static _Alignas(64) atomic_int begun[2]; /* the round at which each side stands */
static int saw_announced[ROUNDS];

/* Both sides begin a round as close together as they can. */
static void meet(int side, int round)
{
	atomic_store_explicit(&begun[side], round + 1, memory_order_relaxed);
	for (int tries = 0; atomic_load_explicit(&begun[!side], memory_order_relaxed) <= round; tries++)
		if (tries > 1000)
			sched_yield();
}

static void publish_all(void *arg)
{
	(void)arg;
	if (base_cpu(1) >= 0)
		base_pin(base_cpu(1));
	for (int i = 0; i < ROUNDS; i++) {
		meet(0, i);
		atomic_store_explicit(&rounds[i].published, 1, memory_order_relaxed);
		chan_fence_light();
		saw_announced[i] = atomic_load_explicit(&rounds[i].announced, memory_order_relaxed);
	}
}

static void one_side_sees_the_other(bool asymmetric)
{
	struct sleeper publisher;
	int saw_published, missed = 0;

	chan_fence_setup();
	if (asymmetric && !atomic_load(&chan_fence_asymmetric))
		skip(); /* no membarrier here */
	bool before = atomic_exchange(&chan_fence_asymmetric, asymmetric);
	rounds = aligned_alloc(64, ROUNDS * sizeof *rounds);
	assert_non_null(rounds);
	memset(rounds, 0, ROUNDS * sizeof *rounds);
	atomic_store(&begun[0], 0);
	atomic_store(&begun[1], 0);
	sleeper_start(&publisher, publish_all, NULL);
	static int published[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		meet(1, i);
		atomic_store_explicit(&rounds[i].announced, 1, memory_order_relaxed);
		chan_fence_heavy();
		saw_published = atomic_load_explicit(&rounds[i].published, memory_order_relaxed);
		published[i] = saw_published;
	}
	sleeper_join(&publisher);
	for (int i = 0; i < ROUNDS; i++)
		missed += !published[i] && !saw_announced[i];
	free(rounds);
	atomic_store(&chan_fence_asymmetric, before);
	assert_int_equal(missed, 0);
}

static void with_membarrier(void **state)
{
	(void)state;
	one_side_sees_the_other(true);
}

static void with_fences(void **state)
{
	(void)state;
	one_side_sees_the_other(false);
}

static void a_child_of_fork_can_go_on(void **state)
{
	int status;

	(void)state;
	chan_fence_setup();
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		chan_fence_heavy();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_membarrier),
		cmocka_unit_test(with_fences),
		cmocka_unit_test(a_child_of_fork_can_go_on),
	};
	return cmocka_run_group_tests(tests, base_named, NULL);
}
