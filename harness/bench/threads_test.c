/* SPDX-License-Identifier: MIT
 *
 * threads_test.c - one start for all, where they run, and what is counted.
 */
#include "harness/bench/threads.h"

#include "harness/bench/trial.h"

#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { WORKERS = 4 };

struct seen {
	size_t allowed; /* CPUs that the thread may use */
	int cpu;
	uint64_t began_ns;
};

static struct seen seen[WORKERS];
static _Atomic size_t arrived;

static void look(struct worker *worker)
{
	cpu_set_t set;
	sched_getaffinity(0, sizeof set, &set);
	seen[worker->index] =
		(struct seen){.allowed = (size_t)CPU_COUNT(&set), .cpu = sched_getcpu(), .began_ns = chan_now()};
	/* All have begun before one ends: they run together, not one after the other. */
	arrived++;
	while (arrived < WORKERS)
		sched_yield();
	worker_progress(worker, 10 + worker->index);
	worker->stop_ns = chan_now();
}

static struct threads_use look_all(void)
{
	struct threads_use use;
	struct worker *workers = trial_workers(WORKERS);
	arrived = 0;
	for (size_t i = 0; i < WORKERS; i++)
		workers[i] = (struct worker){.body = look, .index = i};
	threads_run(workers, WORKERS, &use);
	for (size_t i = 0; i < WORKERS; i++) {
		if (workers[i].start_ns != workers[0].start_ns || seen[i].began_ns < workers[i].start_ns ||
		    use.elapsed_ns < workers[i].stop_ns - workers[i].start_ns)
			abort();
	}
	free(workers);
	return use;
}

/* In a process of its own, since a placement cannot be taken back; its exit status. */
static int child_with(enum placement placement, int (*check)(void))
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		placement_apply(placement);
		look_all();
		_Exit(check());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static size_t allowed_here(void)
{
	cpu_set_t set;
	sched_getaffinity(0, sizeof set, &set);
	return (size_t)CPU_COUNT(&set);
}

static size_t allowed_before;

static int check_free(void)
{
	for (size_t i = 0; i < WORKERS; i++)
		if (seen[i].allowed != allowed_before)
			return 1;
	return 0;
}

static int check_one(void)
{
	for (size_t i = 0; i < WORKERS; i++)
		if (seen[i].allowed != 1 || seen[i].cpu != seen[0].cpu)
			return 1;
	return allowed_here() != 1; /* the process, not only the workers */
}

static int check_cores(void)
{
	for (size_t i = 0; i < WORKERS; i++)
		if (seen[i].allowed != 1 || seen[i].cpu != seen[i % allowed_before].cpu ||
		    (i > 0 && i < allowed_before && seen[i].cpu == seen[0].cpu))
			return 1;
	return allowed_here() != allowed_before;
}

static void test_placements(void **state)
{
	(void)state;
	allowed_before = allowed_here();
	assert_int_equal(child_with(PLACEMENT_FREE, check_free), 0);
	assert_int_equal(child_with(PLACEMENT_ONE, check_one), 0);
	assert_int_equal(child_with(PLACEMENT_CORES, check_cores), 0);
}

static void test_use(void **state)
{
	(void)state;
	uint64_t before = threads_progress();
	struct threads_use use = look_all();
	assert_int_equal(threads_progress() - before, 10 + 11 + 12 + 13);
	assert_true(use.elapsed_ns > 0);
	assert_true(use.cpu_ns > 0);
}

static struct trial trial;

static void fail_too(struct worker *worker)
{
	trial_fail(&trial, "worker %zu", worker->index);
	trial_fail(&trial, "a later word of worker %zu", worker->index);
}

static void test_first_failure_counts(void **state)
{
	(void)state;
	struct worker *workers = trial_workers(WORKERS);
	trial_init(&trial);
	assert_false(trial_failed(&trial));
	for (size_t i = 0; i < WORKERS; i++)
		workers[i] = (struct worker){.body = fail_too, .index = i};
	trial_run(&trial, workers, WORKERS);
	assert_true(trial_failed(&trial));
	assert_memory_equal(trial.failure, "worker ", 7);
	free(workers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_placements),
		cmocka_unit_test(test_use),
		cmocka_unit_test(test_first_failure_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
