/* SPDX-License-Identifier: MIT */
#include "impls/base/fence.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

atomic_bool chan_fence_asymmetric;

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

/* A process registers once for the command, so that the kernel need not disturb others. */
static bool enlist(void)
{
	return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

static void setup(void)
{
	atomic_store_explicit(&chan_fence_asymmetric, enlist(), memory_order_relaxed);
}

void chan_fence_setup(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, setup);
}

/* membarrier has worked and is refused now: a sandbox was closed after the channel was opened. The
 * other threads have left their fences out so far, so they need one, once. A thread that was
 * running on a CPU has gone through the scheduler by the time that this thread runs there. */
static bool visit_all_cpus(void)
{
	cpu_set_t before, one;
	bool all = true;

	if (sched_getaffinity(0, sizeof before, &before) != 0)
		return false;
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &before))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		all = sched_setaffinity(0, sizeof one, &one) == 0 && all;
	}
	return sched_setaffinity(0, sizeof before, &before) == 0 && all;
}

/* From now on both sides run real fences; what came before is seen to. A thread that is confined to
 * CPUs outside of this thread's set is not met by the visit; nor is anybody where the sandbox
 * refuses that, too. Then time passes: a store leaves its CPU within microseconds. */
static void fall_back(void)
{
	atomic_store_explicit(&chan_fence_asymmetric, false, memory_order_relaxed);
	chan_fence_full();
	if (!visit_all_cpus())
		nanosleep(&(const struct timespec){.tv_nsec = 2000000}, NULL);
	chan_fence_full();
}

void chan_fence_heavy(void)
{
	if (!atomic_load_explicit(&chan_fence_asymmetric, memory_order_relaxed)) {
		chan_fence_full();
		return;
	}
	for (int tries = 0; tries < 3; tries++) {
		if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)
			return;
		if (errno == EPERM) /* a child of fork() that the kernel did not take over */
			enlist();
		else if (errno != ENOMEM) /* of the kernel, for a moment */
			break;
	}
	fall_back();
}
