/* SPDX-License-Identifier: MIT
 *
 * syscall.c - syscall(): what is modelled of it, and membarrier. Any other number is refused
 * by name or number, never passed on: a call that blocks would stop all threads, one that answers
 * differently would make schedules unrepeatable.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <sys/syscall.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

int explored_sched_yield(void);

#define MEMBARRIER_OFFERED                                                                                             \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |          \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)

static bool registered; /* for PRIVATE_EXPEDITED, which is refused with EPERM until then */

void sync_membarrier_reset(void)
{
	registered = false;
}

/* Every running thread executes a full fence some time during the call. What one thread's fence
 * orders before the call, and another's after it, is ordered by a fence of all at one moment,
 * too. */
static long membarrier(long command, long flags, uintptr_t pc)
{
	if (flags != 0)
		return sync_failed(EINVAL);
	if (command == MEMBARRIER_CMD_QUERY)
		return MEMBARRIER_OFFERED;
	if ((command & (command - 1)) != 0 || (command & MEMBARRIER_OFFERED) == 0)
		return sync_failed(EINVAL);
	if (command == MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
		return 0;
	struct explore_op op = {.name = "membarrier",
	                        .flags = EXPLORE_ANY | EXPLORE_ORDERED | EXPLORE_SC_FENCE,
	                        .deadline = EXPLORE_NEVER,
	                        .pc = pc};
	explore_reach(&op);
	if (command == MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) {
		registered = true;
		return 0;
	}
	if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED && !registered)
		return sync_failed(EPERM);
	explore_fence_all();
	return 0;
}

#define NAMED(call)                                                                                                    \
	{                                                                                                              \
		SYS_##call, #call                                                                                      \
	}

static const char *name_of(long number)
{
	static const struct {
		long number;
		const char *name;
	} known[] = {
		NAMED(read),
		NAMED(write),
		NAMED(open),
		NAMED(openat),
		NAMED(close),
		NAMED(mmap),
		NAMED(munmap),
		NAMED(mprotect),
		NAMED(madvise),
		NAMED(mremap),
		NAMED(brk),
		NAMED(clone),
		NAMED(fork),
		NAMED(vfork),
		NAMED(execve),
		NAMED(wait4),
		NAMED(kill),
		NAMED(tgkill),
		NAMED(rt_sigaction),
		NAMED(rt_sigprocmask),
		NAMED(rseq),
		NAMED(getcpu),
		NAMED(clock_gettime),
		NAMED(gettimeofday),
		NAMED(time),
		NAMED(nanosleep),
		NAMED(clock_nanosleep),
		NAMED(pipe),
		NAMED(pipe2),
		NAMED(poll),
		NAMED(ppoll),
		NAMED(select),
		NAMED(epoll_create1),
		NAMED(epoll_ctl),
		NAMED(epoll_wait),
		NAMED(eventfd2),
		NAMED(timerfd_create),
		NAMED(signalfd4),
		NAMED(socket),
		NAMED(socketpair),
		NAMED(sendmsg),
		NAMED(recvmsg),
		NAMED(io_uring_setup),
		NAMED(io_uring_enter),
		NAMED(getrandom),
		NAMED(exit),
		NAMED(exit_group),
		NAMED(sched_setaffinity),
		NAMED(sched_getaffinity),
		NAMED(set_robust_list),
		NAMED(prctl),
		NAMED(arch_prctl),
		NAMED(ioctl),
		NAMED(fcntl),
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].number == number)
			return known[i].name;
	}
	return "not known here by name";
}

long explored_syscall(long number, ...)
{
	long a[6];
	va_list arguments;
	va_start(arguments, number);
	for (unsigned i = 0; i < 6; i++)
		/* as the kernel does: whatever the registers hold */
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	sync_inside("syscall");
	switch (number) {
	case SYS_futex:
		return sync_futex(a, EXPLORE_PC);
	case SYS_futex_waitv:
		return sync_futex_waitv(a, EXPLORE_PC);
	case SYS_membarrier:
		return membarrier((int)a[0], (int)a[1], EXPLORE_PC);
	case SYS_sched_yield:
		return explored_sched_yield();
	case SYS_gettid:
		return (long)explore_self() + 1;
	case SYS_getpid:
		return 1;
	default:
		explore_fail(
			EXPLORE_UNSUPPORTED,
			"system call %ld (%s) is not modelled; futex, futex_waitv, membarrier, sched_yield, gettid, getpid are",
			number, name_of(number));
	}
}
