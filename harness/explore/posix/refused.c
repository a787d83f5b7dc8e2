/* SPDX-License-Identifier: MIT
 *
 * refused.c - what is not modelled, and would block every thread, escape the schedule, or
 * carry something over from one execution to the next. A program may contain such calls; the
 * execution that makes one ends as unsupported and names it.
 */
#include "harness/explore/posix/sync.h"
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void refuse(const char *name, const char *why)
{
	if (explore_active())
		explore_fail(EXPLORE_UNSUPPORTED, "%s is not modelled: %s", name, why);
	fprintf(stderr, "chanbench: explore: %s is not modelled: %s\n", name, why);
	exit(3);
}

#define REFUSE(name, why)                                                                                              \
	_Noreturn void explored_##name(void);                                                                          \
	_Noreturn void explored_##name(void)                                                                           \
	{                                                                                                              \
		refuse(#name, why);                                                                                    \
	}

#define JUMPS   "jumps out of functions are not followed"
#define CANCELS "cancellation is not followed"
#define SIGNALS "signals and their handlers are not"
#define PROCESS "there is one process"
#define FILES   "of files only eventfds are"
#define RANDOM  "its answers differ from one execution to the next; rand and random are there"
#define SCHED   "priorities are not"

REFUSE(longjmp, JUMPS)
REFUSE(_longjmp, JUMPS)
REFUSE(siglongjmp, JUMPS)
REFUSE(getcontext, JUMPS)
REFUSE(makecontext, JUMPS)
REFUSE(setcontext, JUMPS)
REFUSE(swapcontext, JUMPS)
REFUSE(pthread_cancel, CANCELS)
REFUSE(pthread_testcancel, CANCELS)
REFUSE(pthread_setcancelstate, CANCELS)
REFUSE(pthread_setcanceltype, CANCELS)
REFUSE(__pthread_unwind_next, CANCELS)
REFUSE(pthread_atfork, PROCESS)
REFUSE(pthread_getattr_np, "threads have no attributes but the detach state")
REFUSE(pthread_mutex_consistent, "robust mutexes are not")
REFUSE(pthread_mutex_getprioceiling, SCHED)
REFUSE(pthread_mutex_setprioceiling, SCHED)
REFUSE(pthread_setschedparam, SCHED)
REFUSE(pthread_setschedprio, SCHED)
REFUSE(sched_setscheduler, SCHED)
REFUSE(pthread_kill, SIGNALS)
REFUSE(pthread_sigqueue, SIGNALS)
REFUSE(sigaction, SIGNALS)
REFUSE(signal, SIGNALS)
REFUSE(raise, SIGNALS)
REFUSE(kill, SIGNALS)
REFUSE(alarm, SIGNALS)
REFUSE(setitimer, SIGNALS)
REFUSE(timer_create, SIGNALS)
REFUSE(pause, SIGNALS)
REFUSE(sigwait, SIGNALS)
REFUSE(sigwaitinfo, SIGNALS)
REFUSE(sigtimedwait, SIGNALS)
REFUSE(sigsuspend, SIGNALS)
REFUSE(signalfd, SIGNALS)
REFUSE(fork, PROCESS)
REFUSE(vfork, PROCESS)
REFUSE(clone, PROCESS)
REFUSE(wait, PROCESS)
REFUSE(waitpid, PROCESS)
REFUSE(system, PROCESS)
REFUSE(popen, PROCESS)
REFUSE(execve, PROCESS)
REFUSE(execvp, PROCESS)
REFUSE(posix_spawn, PROCESS)
REFUSE(posix_spawnp, PROCESS)
REFUSE(sem_open, "named semaphores are not, unnamed ones are")
REFUSE(sem_close, "named semaphores are not, unnamed ones are")
REFUSE(sem_unlink, "named semaphores are not, unnamed ones are")
REFUSE(open, FILES)
REFUSE(openat, FILES)
REFUSE(pipe, FILES)
REFUSE(pipe2, FILES)
REFUSE(socket, FILES)
REFUSE(socketpair, FILES)
REFUSE(accept, FILES)
REFUSE(connect, FILES)
REFUSE(recv, FILES)
REFUSE(send, FILES)
REFUSE(recvmsg, FILES)
REFUSE(sendmsg, FILES)
REFUSE(dup, FILES)
REFUSE(dup2, FILES)
REFUSE(ioctl, FILES)
REFUSE(readv, FILES)
REFUSE(writev, FILES)
REFUSE(select, "poll of eventfds is")
REFUSE(pselect, "poll of eventfds is")
REFUSE(epoll_create, "poll of eventfds is")
REFUSE(epoll_create1, "poll of eventfds is")
REFUSE(epoll_ctl, "poll of eventfds is")
REFUSE(epoll_wait, "poll of eventfds is")
REFUSE(epoll_pwait, "poll of eventfds is")
REFUSE(timerfd_create, "clock_nanosleep is")
REFUSE(flock, FILES)
REFUSE(lockf, FILES)
REFUSE(mq_open, FILES)
REFUSE(mq_send, FILES)
REFUSE(mq_receive, FILES)
REFUSE(mmap, "malloc and aligned_alloc are")
REFUSE(mmap64, "malloc and aligned_alloc are")
REFUSE(munmap, "malloc and aligned_alloc are")
REFUSE(shm_open, "malloc and aligned_alloc are")
REFUSE(getdelim, "it allocates behind the explorer's back; fgets does not")
REFUSE(getline, "it allocates behind the explorer's back; fgets does not")
REFUSE(open_memstream, "it allocates behind the explorer's back; snprintf does not")
REFUSE(getrandom, RANDOM)
REFUSE(getentropy, RANDOM)
REFUSE(arc4random, RANDOM)
REFUSE(arc4random_uniform, RANDOM)
REFUSE(drand48, RANDOM)
REFUSE(lrand48, RANDOM)
REFUSE(mrand48, RANDOM)
REFUSE(srand48, RANDOM)
REFUSE(strtok, "it remembers the string from one execution to the next; strtok_r does not")
REFUSE(dlopen, "what it loads is not instrumented")
REFUSE(dlsym, "what it finds is not instrumented")
