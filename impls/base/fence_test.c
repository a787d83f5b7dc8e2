/* SPDX-License-Identifier: MIT */
#include "impls/base/fence.h"
#include "impls/testing/elements.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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
static int saw_announced[ROUNDS], rounds_wanted;
static bool may_pin = true;

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
	if (nth_cpu(1) >= 0 && may_pin)
		pin_to_cpu(nth_cpu(1));
	for (int i = 0; i < rounds_wanted; i++) {
		meet(0, i);
		atomic_store_explicit(&rounds[i].published, 1, memory_order_relaxed);
		chan_fence_light();
		saw_announced[i] = atomic_load_explicit(&rounds[i].announced, memory_order_relaxed);
	}
}

/* `each`: before each round the fences are asymmetric again. */
static void one_side_sees_the_other(bool asymmetric, int count, bool each)
{
	struct sleeper publisher;
	int saw_published, missed = 0;

	chan_fence_setup();
	if (asymmetric && !atomic_load(&chan_fence_asymmetric))
		skip(); /* no membarrier here */
	rounds_wanted = count;
	bool before = atomic_exchange(&chan_fence_asymmetric, asymmetric);
	rounds = aligned_alloc(64, ROUNDS * sizeof *rounds);
	assert_non_null(rounds);
	memset(rounds, 0, ROUNDS * sizeof *rounds);
	atomic_store(&begun[0], 0);
	atomic_store(&begun[1], 0);
	sleeper_start(&publisher, publish_all, NULL);
	static int published[ROUNDS];
	for (int i = 0; i < count; i++) {
		if (each)
			atomic_store(&chan_fence_asymmetric, true);
		meet(1, i);
		atomic_store_explicit(&rounds[i].announced, 1, memory_order_relaxed);
		chan_fence_heavy();
		saw_published = atomic_load_explicit(&rounds[i].published, memory_order_relaxed);
		published[i] = saw_published;
	}
	sleeper_join(&publisher);
	for (int i = 0; i < count; i++)
		missed += !published[i] && !saw_announced[i];
	free(rounds);
	atomic_store(&chan_fence_asymmetric, before);
	assert_int_equal(missed, 0);
}

static void with_membarrier(void **state)
{
	(void)state;
	one_side_sees_the_other(true, ROUNDS, false);
}

static void with_fences(void **state)
{
	(void)state;
	one_side_sees_the_other(false, ROUNDS, false);
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

/* A sandbox, from here on and for this process: the system calls of the list fail. */
static bool refuse(const unsigned *calls, size_t count, int error)
{
	struct sock_filter filter[16] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	unsigned short n = 1;

	for (size_t i = 0; i < count; i++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = n, .filter = filter};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* In a process of its own: membarrier works, then it is refused, and nothing is missed. */
static void refused_later(int error, bool affinity_too)
{
	const unsigned calls[] = {SYS_membarrier, SYS_sched_setaffinity};
	int status;

	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		chan_fence_setup();
		chan_fence_heavy();
		if (!atomic_load(&chan_fence_asymmetric) || !refuse(calls, affinity_too ? 2 : 1, error))
			_exit(77); /* no membarrier or no sandbox here */
		may_pin = !affinity_too;
		one_side_sees_the_other(true, affinity_too ? 20 : 2000, true);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void refused_after_it_worked(void **state)
{
	(void)state;
	refused_later(EPERM, false);
	refused_later(ENOSYS, false);
	refused_later(ENOMEM, false);
	refused_later(EPERM, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_membarrier),
		cmocka_unit_test(with_fences),
		cmocka_unit_test(a_child_of_fork_can_go_on),
		cmocka_unit_test(refused_after_it_worked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
