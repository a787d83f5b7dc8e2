/* SPDX-License-Identifier: MIT */
#include "impls/base/fence.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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

void chan_fence_heavy(void)
{
	if (!atomic_load_explicit(&chan_fence_asymmetric, memory_order_relaxed)) {
		chan_fence_full();
		return;
	}
	if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)
		return;
	if (errno == EPERM && enlist() && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)
		return; /* a child of fork() that the kernel did not take over */
	/* The light sides have left their fences out already: no way to go on would be right. */
	fprintf(stderr, "channel: membarrier worked when the channel was opened and now fails: %s\n", strerror(errno));
	abort();
}
