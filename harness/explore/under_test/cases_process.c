/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

static int endings;
static jmp_buf jump;

static void first_registered(void)
{
	assert(endings == 1);
	outcome = 2;
}

static void last_registered(void)
{
	endings++;
}

static void runs_atexit(void)
{
	atexit(first_registered);
	atexit(last_registered);
	exit(0);
}

static void exits_at_once(void)
{
	atexit(first_registered);
	outcome = 1;
	_exit(0);
}

static void *exit_here(void *arg)
{
	exit(0);
	return arg;
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		sleep(1);
	return arg;
}

static void exits_elsewhere(void)
{
	pthread_t threads[2];
	pthread_create(&threads[0], NULL, exit_here, NULL);
	pthread_create(&threads[1], NULL, sleep_for_ever, NULL);
	pthread_detach(threads[0]);
	pthread_detach(threads[1]);
	pthread_exit(NULL);
}

/* The processor, from the word that the kernel keeps for each thread. */
static int kernel_says(void)
{
	const struct rseq *own = (const void *)((char *)__builtin_thread_pointer() + __rseq_offset);
	return __rseq_size == 0 ? sched_getcpu() : (int)own->cpu_id;
}

static void *elsewhere(void *arg)
{
	assert(sched_getcpu() == 1 && kernel_says() == 1);
	return arg;
}

static void machine(void)
{
	cpu_set_t set;
	char text[32];
	assert(sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 4);
	assert(sysconf(_SC_NPROCESSORS_ONLN) == 4 && sysconf(_SC_PAGESIZE) == 4096);
	assert(sched_getcpu() == 0 && kernel_says() == 0);
	pthread_t thread;
	pthread_create(&thread, NULL, elsewhere, NULL);
	pthread_join(thread, NULL);
	assert(syscall(SYS_gettid) == gettid());
	int drawn = rand();
	srand(1);
	assert(rand() == drawn);
	snprintf(text, sizeof(text), "%d", 12);
	assert(strcmp(text, "12") == 0 && getenv("NOBODY_SETS_THIS") == NULL);
}

static void aborts(void)
{
	abort();
}

static void asserts(void)
{
	assert(endings == 1);
}

static void exits_badly(void)
{
	exit(3);
}

static void returns_badly(void)
{
	exit(4);
}

static void jumps(void)
{
	if (setjmp(jump) == 0)
		longjmp(jump, 1);
}

static void opens_a_pipe(void)
{
	int ends[2];
	exit(pipe(ends));
}

const struct explore_case process_cases[] = {
	RIGHT(runs_atexit, SEEN(2)),
	RIGHT(exits_at_once, SEEN(1)),
	RIGHT(exits_elsewhere, SEEN(0)),
	RIGHT(machine, SEEN(0)),
	WRONG(aborts, EXPLORE_ASSERT, "abort"),
	WRONG(asserts, EXPLORE_ASSERT, "endings == 1"),
	WRONG(exits_badly, EXPLORE_ASSERT, "status 3"),
	WRONG(returns_badly, EXPLORE_ASSERT, "status 4"),
	WRONG(jumps, EXPLORE_UNSUPPORTED, "longjmp"),
	WRONG(opens_a_pipe, EXPLORE_UNSUPPORTED, "pipe"),
	{0},
};
