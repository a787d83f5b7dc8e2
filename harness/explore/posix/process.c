/* SPDX-License-Identifier: MIT
 *
 * process.c - how a program ends (exit, abort, assertions), and what it asks about the
 * machine and at random: fixed answers, so that each execution is the same.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#define ENDINGS 32

static struct ending {
	void (*function)(void);
} endings[ENDINGS];
static unsigned ending_count, ending_count_at_start; /* those registered by constructors stay */
static uint64_t random_state;

void posix_process_reset(void)
{
	ending_count = ending_count_at_start;
	random_state = 1;
}

int explored_atexit(void (*function)(void))
{
	if (ending_count == ENDINGS)
		return -1;
	endings[ending_count++].function = function;
	if (!explore_active())
		ending_count_at_start = ending_count;
	return 0;
}

void posix_process_atexit(void)
{
	while (ending_count > 0)
		endings[--ending_count].function();
}

void explored_exit(int status)
{
	sync_inside("exit");
	explore_exit(status);
}

void explored__exit(int status)
{
	sync_inside("_exit");
	ending_count = 0;
	explore_exit(status);
}

void explored__Exit(int status) __attribute__((alias("explored__exit")));
void explored_quick_exit(int status) __attribute__((alias("explored__exit")));

void explored_abort(void)
{
	sync_inside("abort");
	explore_fail(EXPLORE_ASSERT, "abort was called by T%u", explore_self());
}

void explored___assert_fail(const char *expression, const char *file, unsigned line, const char *function)
{
	sync_inside("assert");
	explore_fail(EXPLORE_ASSERT, "assertion failed in T%u: %s\n  %s:%u in %s", explore_self(), expression, file,
	             line, function);
}

void explored___assert_perror_fail(int error, const char *file, unsigned line, const char *function)
{
	sync_inside("assert_perror");
	explore_fail(EXPLORE_ASSERT, "unexpected error in T%u: %s\n  %s:%u in %s", explore_self(), strerror(error),
	             file, line, function);
}

void explored___assert(const char *expression, const char *file, int line)
{
	sync_inside("assert");
	explore_fail(EXPLORE_ASSERT, "assertion failed in T%u: %s\n  %s:%d", explore_self(), expression, file, line);
}

void explored___stack_chk_fail(void)
{
	explore_fail(EXPLORE_CRASH, "a write went past the end of an array on the stack of T%u", explore_self());
}

/* ---- signals: none comes, so blocking them changes nothing ---- */

int explored_pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
	(void)how;
	(void)set;
	if (before != NULL) {
		explore_write(before, sizeof(*before), EXPLORE_PC);
		sigemptyset(before);
	}
	return 0;
}

int explored_sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
	return explored_pthread_sigmask(how, set, before);
}

/* ---- the machine ---- */

int explored_sched_getaffinity(pid_t thread, size_t size, cpu_set_t *set)
{
	(void)thread;
	if (size * 8 < EXPLORE_PROCESSORS)
		return sync_failed(EINVAL);
	explore_write(set, size, EXPLORE_PC);
	CPU_ZERO_S(size, set);
	for (unsigned i = 0; i < EXPLORE_PROCESSORS; i++)
		CPU_SET_S(i, size, set);
	return 0;
}

int explored_sched_setaffinity(pid_t thread, size_t size, const cpu_set_t *set)
{
	(void)thread;
	explore_read(set, size, EXPLORE_PC);
	return 0;
}

int explored_pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set)
{
	(void)thread;
	return explored_sched_getaffinity(0, size, set) == 0 ? 0 : errno;
}

int explored_pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set)
{
	(void)thread;
	return explored_sched_setaffinity(0, size, set);
}

int explored_sched_getcpu(void)
{
	return explore_active() ? (int)explore_processor(explore_self()) : 0;
}

int explored_getcpu(unsigned *processor, unsigned *node)
{
	if (processor != NULL)
		*processor = (unsigned)explored_sched_getcpu();
	if (node != NULL)
		*node = 0;
	return 0;
}

int explored_get_nprocs(void)
{
	return EXPLORE_PROCESSORS;
}

long explored_sysconf(int name)
{
	return name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF ? EXPLORE_PROCESSORS : sysconf(name);
}

pid_t explored_getpid(void)
{
	return 1;
}

pid_t explored_gettid(void)
{
	return explore_active() ? (pid_t)explore_self() + 1 : 1;
}

/* ---- numbers that look random: the same in each execution, a step each, since their order is
 * shared ---- */

static uint64_t draw(const char *name, uintptr_t pc)
{
	struct explore_op op = {.name = name,
	                        .object = &random_state,
	                        .size = sizeof(random_state),
	                        .deadline = EXPLORE_NEVER,
	                        .pc = pc};
	if (explore_active())
		explore_reach(&op);
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return random_state >> 33;
}

int explored_rand(void)
{
	return (int)draw("rand", EXPLORE_PC);
}

long explored_random(void)
{
	return (long)draw("random", EXPLORE_PC);
}

void explored_srand(unsigned seed)
{
	draw("srand", EXPLORE_PC);
	random_state = seed;
}

void explored_srandom(unsigned seed)
{
	draw("srandom", EXPLORE_PC);
	random_state = seed;
}
