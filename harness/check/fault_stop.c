/* SPDX-License-Identifier: MIT */
#include "harness/check/fault_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <ucontext.h>
#include <unistd.h>

#if !defined(__x86_64__)
#define HERE 0
const char fault_stop_why[] = "threads can be stopped at an instruction on x86-64 only";
#elif defined(__SANITIZE_THREAD__)
#define HERE 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HERE 0
#endif
#endif
#ifndef HERE
#define HERE 1
#endif
#ifdef __x86_64__
const char fault_stop_why[] = "threads cannot be stopped at an instruction under ThreadSanitizer, which delays signals";
#endif

enum { RUNNING, STANDING, ENDED };

static atomic_int state;
static int resume[2] = {-1, -1};
static size_t stop_at, count; /* of the stepping thread, and its handler */

#if HERE
#define SINGLE_STEP 0x100

static void on_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;
	int error = errno;
	char byte;
	(void)number;
	(void)info;
	if (++count != stop_at)
		return;
	interrupted->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)SINGLE_STEP;
	atomic_store(&state, STANDING);
	while (read(resume[0], &byte, 1) < 0 && errno == EINTR)
		;
	errno = error;
}

/* The flags go through the stack, below the red zone. */
static inline __attribute__((always_inline)) void single_step(bool on)
{
	if (on)
		__asm__ volatile(
			"leaq -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; leaq 128(%%rsp), %%rsp" ::
				: "memory", "cc");
	else
		__asm__ volatile(
			"leaq -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; leaq 128(%%rsp), %%rsp" ::
				: "memory", "cc");
}

bool fault_stop_ready(void)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
	if (resume[0] < 0 && pipe2(resume, O_CLOEXEC) != 0)
		return false;
	atomic_store(&state, RUNNING);
	return sigaction(SIGTRAP, &action, NULL) == 0;
}
#else
static inline void single_step(bool on)
{
	(void)on;
}

bool fault_stop_ready(void)
{
	return false;
}
#endif

void fault_stop_begin(size_t k)
{
	count = 0;
	stop_at = k;
	single_step(true);
}

size_t fault_stop_end(void)
{
	single_step(false);
	atomic_store(&state, ENDED);
	return count;
}

bool fault_stop_wait(void)
{
	while (atomic_load(&state) == RUNNING)
		sched_yield();
	return atomic_load(&state) == STANDING;
}

void fault_stop_resume(void)
{
	char byte = 0;
	ssize_t written = write(resume[1], &byte, 1);
	(void)written; /* a pipe of one byte */
}
